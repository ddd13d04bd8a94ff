#include "sim/oracles/oracles.h"

namespace coffer::sim::oracles {

// One file each.
std::unique_ptr<Oracle> make_account_states(const Topology& topology);
std::unique_ptr<Oracle> make_attic(const Topology& topology);
std::unique_ptr<Oracle> make_causality(const Topology& topology);
std::unique_ptr<Oracle> make_chain(const Topology& topology);
std::unique_ptr<Oracle> make_conservation(const Topology& topology);
std::unique_ptr<Oracle> make_durable(const Topology& topology);
std::unique_ptr<Oracle> make_exactly_once(const Topology& topology);
std::unique_ptr<Oracle> make_final_reads(const Topology& topology);
std::unique_ptr<Oracle> make_floor(const Topology& topology);
std::unique_ptr<Oracle> make_fold(const Topology& topology);
std::unique_ptr<Oracle> make_holds(const Topology& topology);
std::unique_ptr<Oracle> make_linearizable(const Topology& topology);
std::unique_ptr<Oracle> make_locks(const Topology& topology);
std::unique_ptr<Oracle> make_membership(const Topology& topology);
std::unique_ptr<Oracle> make_no_orphan_transit(const Topology& topology);
std::unique_ptr<Oracle> make_numbers(const Topology& topology);
std::unique_ptr<Oracle> make_persistence(const Topology& topology);
std::unique_ptr<Oracle> make_postings(const Topology& topology);
std::unique_ptr<Oracle> make_progress(const Topology& topology);
std::unique_ptr<Oracle> make_raft_safety(const Topology& topology);
std::unique_ptr<Oracle> make_saga_decides_once(const Topology& topology);
std::unique_ptr<Oracle> make_saga_ends(const Topology& topology);
std::unique_ptr<Oracle> make_same_answer(const Topology& topology);
std::unique_ptr<Oracle> make_splits(const Topology& topology);
std::unique_ptr<Oracle> make_undo(const Topology& topology);
std::unique_ptr<Oracle> make_windows(const Topology& topology);

const std::vector<Row>& table() {
  static const std::vector<Row> rows = {
      {"O-E1", "every replica's state is the fold of the log prefix it claims", make_fold},
      {"O-E2", "undoing entries from the end gives the earlier state", make_undo},
      {"O-E3", "the chain over committed entries is unbroken and the same in all history files", make_chain},
      {"O-H3", "every account and every id is asked again at the end, and answered", make_final_reads},
      {"O-H4", "a minimum of transfers succeeds", make_progress},
      {"O-H5", "logical clocks tell what happened before what, over restarts too", make_causality},
      {"O-L1", "all balances sum to zero, and transit alone once quiet", make_conservation},
      {"O-L2", "every event moves a positive amount between two known pockets, in sum zero", make_postings},
      {"O-L3", "no customer pocket is ever below zero, or below what is held of it", make_floor},
      {"O-L4", "success has exactly one effect, a refusal none, unknown at most one", make_exactly_once},
      {"O-L5", "the same id gets the same answer, another body a conflict", make_same_answer},
      {"O-L6", "a hold ends once: as a client asked, or past its expiry; what captures it takes no more", make_holds},
      {"O-L7", "a frozen account takes part in nothing new, a closed one is empty for ever", make_account_states},
      {"O-L8", "an id is forgotten when its time is over, not before, and then acts no more", make_windows},
      {"O-L9", "a source's numbers are decided each once, one after the other, and a gap is told only of one",
       make_numbers},
      {"O-L10", "an id whose row has left the state acts no more, and is answered as the log says", make_attic},
      {"O-Q1", "answers agree with real time and with the book at the positions they name", make_linearizable},
      {"O-R1", "election safety, log matching, leader completeness, state machine safety", make_raft_safety},
      {"O-R2", "term, vote and synced entries survive a restart, committed entries never change", make_persistence},
      {"O-R3", "quorums before and after a membership change always overlap", make_membership},
      {"O-R4", "committed entries and the votes of leaders are durable on a majority of disks", make_durable},
      {"O-T1", "every transaction across shards ends", make_saga_ends},
      {"O-T2", "a transaction across shards is decided once", make_saga_decides_once},
      {"O-T3", "no money is left in transit", make_no_orphan_transit},
      {"O-T5", "what is locked is left alone, by those who are not refused for it, and not locked for ever",
       make_locks},
      {"O-T6", "a split credits all its payees or none, each once, and what it takes is what they get", make_splits},
  };
  return rows;
}

}  // namespace coffer::sim::oracles
