// What the clients of a run do: a drawn workload, or a script that somebody wrote. Single-threaded.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "sim/run/scenario.h"
#include "sim/workload/workload.h"

namespace coffer::sim {

/// A script's calls, in the order written, each client one after the other. Accounts are opened and funded at setup;
/// what is open in the end is asked again, and everything is read, as with a drawn workload.
class ScriptPlan {
 public:
  ScriptPlan(const Script& script, std::uint32_t clients);

  std::optional<workload::Next> next(std::uint32_t client, Phase phase);
  void on_reply(std::uint32_t client, std::uint64_t op, const router::Reply& reply);

 private:
  struct Item {
    ScriptedCall call;
    TransferId id;
    bool resolved = false;
    bool asked = false;
  };
  struct Ask {
    enum class What : std::uint8_t { open, transfer, balance, status, trial_balance } what{};
    std::size_t number = 0;  ///< of the account or the item
  };
  struct Client {
    std::deque<Ask> setup;
    std::deque<Ask> calls;
    std::deque<Ask> reads;
    std::optional<Ask> outstanding;
    std::uint64_t made = 0;
    Phase phase{};  ///< in which the outstanding call was given out
  };

  std::size_t add_item(ScriptedCall call);
  void plan_final_reads();
  std::optional<Ask> choose(std::uint32_t client, Phase phase);
  Bytes encode(const Ask& ask, std::uint32_t client) const;

  const Script& script_;
  std::vector<Item> items_;
  std::vector<Client> clients_;
  std::uint64_t numbers_ = 0;
  bool final_reads_planned_ = false;
};

class Plan {
 public:
  Plan(const Scenario& scenario, const router::ShardMap& map, std::uint64_t seed);

  std::optional<workload::Next> next(std::uint32_t client, Phase phase);
  void on_reply(std::uint32_t client, std::uint64_t op, const router::Reply& reply);

 private:
  std::unique_ptr<workload::Generator> drawn_;
  std::unique_ptr<ScriptPlan> written_;
};

}  // namespace coffer::sim
