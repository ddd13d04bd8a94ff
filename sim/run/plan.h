// What the clients of a run do: a drawn workload, or a script of calls that are written out one by one.
// Single-threaded.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "sim/run/scenario.h"
#include "sim/workload/workload.h"

namespace coffer::sim {

/// A script's calls, in the order written, each client one after the other. Accounts are opened and funded at setup;
/// what is open in the end is asked again, and everything is read, as with a drawn workload: a workload that was
/// written down call by call (sim/shrink/recorder.h) does the same again at the same times.
class ScriptPlan {
 public:
  /// `numbered_ids`: ids that carry a number are read so in this world; then only those of a source carry one.
  ScriptPlan(const Script& script, std::uint32_t clients, std::uint64_t seed, bool numbered_ids);

  std::optional<workload::Next> next(std::uint32_t client, Phase phase, Duration spent);
  void on_reply(std::uint32_t client, std::uint64_t op, const router::Reply& reply);

 private:
  /// A transfer; the same number with the same body is the same one.
  struct Item {
    const ScriptedCall* call;
    TransferId id;
    bool resolved = false;
    bool asked = false;
  };
  struct Pocket {
    TenantId tenant;
    std::string account;
    Currency currency;
    auto operator<=>(const Pocket&) const = default;
  };
  struct Ask {
    router::RequestKind kind{};
    std::vector<std::size_t> items;         ///< transfers
    Pocket pocket;                          ///< all but transfers; without a currency where it is about an account
    TransferId id;                          ///< transfer_status, change_account, the hold's
    router::AccountChange change{};         ///< change_account
    const ScriptedCall* hold = nullptr;     ///< place_hold, capture_hold, split: its body; hold: what placed it
    const ScriptedCall* written = nullptr;  ///< in the running phase: the (first) call
  };
  struct Client {
    Prng think{0};
    std::deque<Ask> setup;
    std::deque<Ask> calls;
    std::deque<Ask> reads;
    std::vector<Ask> open_openings;  ///< openings in the running phase without a definite answer
    std::vector<Ask> open_changes;   ///< changes of accounts, and writes of holds, likewise
    std::vector<Ask> awaited;        ///< reads of holds that were placed here and expire soon
    bool has_waited = false;         ///< for the last of them
    std::optional<Ask> outstanding;
    std::uint64_t made = 0;
    Phase phase{};  ///< in which the outstanding call was given out
  };

  TenantId tenant_of(std::uint32_t client) const { return workload::tenant_of(client, script_.tenants); }
  /// `has_own`: where it names none it gets one that nobody else has.
  TransferId id_of_call(const ScriptedCall& call, bool has_own);
  std::size_t item_of(const ScriptedCall& call);
  void plan_setup();
  void plan_calls();
  void plan_final_reads();
  void plan_reads_of_holds(const std::function<void(Ask)>& give);
  std::optional<Ask> unresolved(std::uint32_t client) const;
  std::optional<Ask> choose(std::uint32_t client, Phase phase);
  Duration think(Client& client, const Ask& ask, Phase phase, Duration spent) const;
  Bytes encode(const Ask& ask, std::uint32_t client) const;
  void settle_write(Client& client, const Ask& ask, const router::Reply& reply);
  /// Whether the answer says all there was to learn.
  bool settle(Client& client, const Ask& ask, const router::Reply& reply);

  const Script& script_;
  std::deque<ScriptedCall> deposits_;  ///< of setup
  std::vector<Item> items_;
  std::map<std::pair<TenantId, TransferId>, std::vector<std::size_t>> by_id_;
  std::vector<Client> clients_;
  std::set<Pocket> opened_;  ///< told open
  /// Asked for: by account and id.
  using Named = std::tuple<TenantId, std::string, TransferId>;
  std::set<Named> holds_;
  std::set<Named> captures_;
  std::set<Named> splits_;
  std::uint8_t id_version_;
  std::uint64_t numbers_ = 0;
  bool final_reads_planned_ = false;
  bool changes_accounts_ = false;
};

class Plan {
 public:
  Plan(const Scenario& scenario, const router::ShardMap& map, std::uint64_t seed);

  /// What an idle client does next; nothing: it is done with this phase. `spent`: so much of the phase is over; `now`:
  /// of the run.
  std::optional<workload::Next> next(std::uint32_t client, Phase phase, Duration spent, SimTime now);
  void on_reply(std::uint32_t client, std::uint64_t op, const router::Reply& reply);

 private:
  std::unique_ptr<workload::Generator> drawn_;
  std::unique_ptr<ScriptPlan> written_;
};

}  // namespace coffer::sim
