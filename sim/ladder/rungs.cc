#include "sim/ladder/rungs.h"

#include <algorithm>

namespace coffer::sim::ladder {

const std::vector<Rung>& table() {
  static const std::vector<Rung> rows = {
      {"B1", "two bare writes, shards in memory", "a crash loses what is under way, a restart everything",
       Verdict::violation, b01_bare_writes},
      {"B2", "two bare writes, durable shards", "a crash between the two writes loses the money", Verdict::violation,
       b02_durable_writes},
      {"B3", "two-phase commit, coordinator replicated", "", Verdict::pass, b03_two_phase_commit},
      {"B3x", "two-phase commit, one coordinator", "while it is gone, what it has prepared stays locked",
       Verdict::stuck, b03x_lone_coordinator},
      {"B4", "TC/C: Try takes, Confirm gives", "", Verdict::pass, b04_tcc},
      {"B5a", "TC/C: Try gives, Confirm takes", "what was given is spent before it is taken back", Verdict::violation,
       b05a_credit_first},
      {"B5b", "TC/C: Try takes and gives at once", "the credit lands and is spent while the debit fails",
       Verdict::violation, b05b_both_at_once},
      {"B6", "TC/C, unordered delivery, with the flag", "", Verdict::pass, b06_tcc_unordered},
      {"B6x", "TC/C, unordered delivery, no flag", "a Try behind its own Cancel takes money for ever",
       Verdict::violation, b06x_no_flag},
      {"B7", "saga, orchestrated (the product)", "", Verdict::pass, nullptr, b07_saga},
      {"B7a", "saga that gives up a late credit, compensated backwards", "", Verdict::pass, b07a_saga_backwards},
      {"B7x", "saga that gives up a late credit, compensated forwards", "the credit is spent before its turn comes",
       Verdict::violation, b07x_saga_forwards},
      {"B8", "saga, choreographed", "", Verdict::pass, b08_choreography},
      {"B9", "messages that compensate, no transaction", "", Verdict::pass, b09_message_compensation},
      {"B10", "event sourcing on one node", "nobody answers while the machine is gone", Verdict::stuck, b10_one_node},
      {"B11", "commands replicated, each replica decides", "decisions look outside, and the replicas part",
       Verdict::violation, b11_replicated_commands},
      {"B12", "events on a majority's disks", "", Verdict::pass, b12_quorum},
      {"B12a", "asynchronous replication, fail-over", "who takes over lacks what was acknowledged", Verdict::violation,
       b12a_async_replication},
      {"B12b", "acknowledged before the sync", "a common power cut takes what was acknowledged", Verdict::violation,
       b12b_unsynced},
      {"B12c", "synchronous standby", "no standby, no service", Verdict::stuck, b12c_synchronous_standby},
      {"B13", "event sourcing on a remote queue and database", "", Verdict::pass, b13_remote_queue},
      {"B14", "leader by external lease, fenced", "", Verdict::pass, b14_fenced_lease},
      {"B14x", "leader by external lease, not fenced", "a writer wakes after its lease and overwrites",
       Verdict::violation, b14x_unfenced_lease},
      {"B15", "Raft groups of 3 and 5 (the product)", "", Verdict::pass, nullptr, b15_raft_groups},
      {"B16", "floor over all accounts, serialisable", "", Verdict::pass, b16_serialisable},
      {"B16x", "floor over all accounts, snapshot isolation", "two sound withdrawals break it together",
       Verdict::violation, b16x_write_skew},
      {"B17", "the final design (the product)", "", Verdict::pass, nullptr, b17_final_design},
      {"B17t", "the final design with TC/C (the product)", "", Verdict::pass, nullptr, b17t_final_design_tcc},
  };
  return rows;
}

const Rung* find(std::string_view id) {
  const auto row = std::find_if(table().begin(), table().end(), [&](const Rung& rung) { return rung.id == id; });
  return row == table().end() ? nullptr : &*row;
}

}  // namespace coffer::sim::ladder
