// What the clients of a script are told, for tests that read it answer by answer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include <catch2/catch.hpp>

#include "core/router/protocol.h"
#include "sim/run/onlooker.h"

namespace coffer::sim {

/// What the clients were told while the script ran, in order; or one of them alone.
struct Told final : Onlooker {
  Told() = default;
  explicit Told(std::uint32_t client) : only(client) {}
  void phase(SimTime, Phase now) override { running = now == Phase::running; }
  void told(SimTime, std::uint32_t client, std::uint64_t, const router::Reply& reply) override {
    if (running && client == only.value_or(client)) replies.push_back(reply);
  }
  template <class Body>
  const Body& body(std::size_t call) const {
    INFO("call " << call << " was told " << name(replies.at(call).status));
    REQUIRE(std::holds_alternative<Body>(replies.at(call).body));
    return std::get<Body>(replies.at(call).body);
  }

  std::optional<std::uint32_t> only;
  bool running = false;
  std::vector<router::Reply> replies;
};

inline router::TransferResult result_of(const router::Reply& reply) {
  return std::get<router::TransfersReply>(reply.body).results.at(0);
}

}  // namespace coffer::sim
