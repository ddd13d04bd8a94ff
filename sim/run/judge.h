// Everything that watches a run: the oracles, the counters of interesting states, and what clients were told. The judge
// sees what an onlooker could see and never influences the run. Single-threaded.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "sim/kernel/counters.h"
#include "sim/observe/observer.h"
#include "sim/run/availability.h"
#include "sim/run/in_doubt.h"
#include "sim/run/leader_losses.h"
#include "sim/run/membership_states.h"
#include "sim/run/run.h"

namespace coffer::sim {

/// Counters that every batch of the default profile's seeds must reach (O-H2), and of the profile for storage. All
/// others are merely told.
const std::vector<std::string_view>& required_sometimes();
const std::vector<std::string_view>& required_of_storage();

class Judge {
 public:
  explicit Judge(const Topology& topology, Duration election_timeout = milliseconds(500));

  void on_phase(SimTime now, Phase phase);
  void on_trace(SimTime now, NodeId node, const TraceEvent& event);
  void on_step(SimTime now, NodeId node, const StepShown& shown);
  void on_committed(SimTime now, NodeId node, const CommittedEntry& entry);
  void on_replica(SimTime now, NodeId node, const shard::Observation& seen);
  void on_replica_undone(SimTime now, NodeId node, const shard::Observation& seen, std::size_t entries);
  void on_damaged(SimTime now, NodeId node, std::string_view file);
  void on_durable(SimTime now, NodeId node, std::string_view file, ByteView contents);
  void on_crash(SimTime now, NodeId node);
  void on_restart(SimTime now, NodeId node);
  void on_disk_emptied(SimTime now, NodeId node);
  void on_refused(SimTime now, NodeId node);
  void on_call(SimTime now, std::uint32_t client, std::uint64_t op, const router::Request& request);
  void on_return(SimTime now, std::uint32_t client, std::uint64_t op, const router::Reply& reply);
  /// Who is in touch with whom has changed (sim/run/leader_losses.h).
  void on_touch(SimTime now, const Touch& touch, oracles::NodeSet storing) {
    leader_losses_.on_touch(now, touch, storing);
  }
  void finish(SimTime now);

  /// The first violation there is, those of the wallet before those of the harness (O-H…).
  std::optional<Violation> violation() const;
  /// Its own, and those of the oracles.
  Counters sometimes() const;
  const Counters& memberships() const { return memberships_.counters(); }
  const Operations& operations() const { return operations_; }
  const LeaderLossCounts& leader_losses() const { return leader_losses_.counts(); }
  AvailabilityCounts availability() const { return availability_.counts(); }

 private:
  /// Which transfer an item of a call asked for.
  struct Key {
    TenantId tenant;
    TransferId id;
    auto operator<=>(const Key&) const = default;
  };
  struct Call {
    std::vector<Key> items;
    bool status = false;
    bool has_single_result = false;  ///< a hold placed or captured, a split
  };

  /// What one transfer or hold was told.
  void count(Outcome outcome, const router::TransferResult& result);
  void count(const Call& call, const router::Reply& reply);
  void tell(const Key& key, bool known_done, bool known_not_done, bool open);

  std::vector<std::unique_ptr<Oracle>> oracles_;
  Counters sometimes_;
  Operations operations_;
  InDoubt in_doubt_;
  LeaderLosses leader_losses_;
  Availability availability_;
  MembershipStates memberships_;
  Phase phase_ = Phase::setup;
  std::map<std::uint64_t, Call> calls_;
  std::map<Key, bool> unknown_;                            ///< ids whose last answer was unknown
  std::map<std::pair<NodeId, ShardId>, bool> candidates_;  ///< who stands for election
};

}  // namespace coffer::sim
