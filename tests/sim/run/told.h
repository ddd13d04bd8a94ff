// What the clients of a script are told, for tests that read it answer by answer.
#pragma once

#include <cstdint>
#include <variant>
#include <vector>

#include "core/router/protocol.h"
#include "sim/run/onlooker.h"

namespace coffer::sim {

/// What client 1 was told while the script ran, in order.
struct Told final : Onlooker {
  void phase(SimTime, Phase now) override { running = now == Phase::running; }
  void told(SimTime, std::uint32_t client, std::uint64_t, const router::Reply& reply) override {
    if (running && client == 1) replies.push_back(reply);
  }
  bool running = false;
  std::vector<router::Reply> replies;
};

inline router::TransferResult result_of(const router::Reply& reply) {
  return std::get<router::TransfersReply>(reply.body).results.at(0);
}

}  // namespace coffer::sim
