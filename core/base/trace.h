// Trace events: what a node did, for people, triggers, counters and oracles. They never influence the node.
// The letters a, b, c carry the numbers the table in trace.cc names for each kind.
#pragma once

#include <cstdint>
#include <string_view>

#include "core/base/ids.h"

namespace coffer {

enum class TraceKind : std::uint8_t {
  // log and recovery
  recovered,        ///< one per group: term, a = entries read back, b = vote
  recovered_entry,  ///< one per entry read back: index, term, a = payload digest
  tail_torn,        ///< recovery met a torn frame and cut it: a = frame number
  corruption,       ///< a frame known durable is bad: a = frame number; the node refuses to start
  synced,           ///< a frame became durable: a = frame number
  tail_uncertain,   ///< the end of the stream may have lost something acknowledged: a = frame number
  quarantined,      ///< damaged frames were set aside, never cut: a = first frame, b = segment
  segment_removed,  ///< everything in it is in snapshots and history: a = segment
  space_refused,    ///< the next segment cannot be reserved: no more proposals
  space_regained,
  // raft
  became_follower,
  became_pre_candidate,
  became_candidate,
  became_leader,     ///< a = last index at election
  voted,             ///< a = candidate
  appended,          ///< one per entry added to the local log: index, term, a = payload digest, b = 1 if proposed here
  truncated,         ///< entries from `index` on were removed: a = how many
  committed,         ///< commit index moved to `index`: a = from
  leader_lost_tail,  ///< a leader stepped down with uncommitted entries: a = how many
  read_confirmed,    ///< a quorum round for reads ended: a = round
  recovery_asked,    ///< an uncertain replica asks its group: a = nonce
  recovery_bound,    ///< all members have answered: it votes again, but only for logs that cover (index, term)
  recovery_settled,  ///< an uncertain replica is certain again: index, term of what it must hold; a = 1 by a leader, 2
                     ///< by all members; b = index its disk had shown and nobody has, 0 if none
  quorum_lost,       ///< a leader heard of no majority for an election time-out and steps down
  transfer_begun,    ///< leadership is handed over: a = to
  configuration_changed,      ///< in use from `index` on: a = voters, b = outgoing voters, c = learners, each a bit per
                              ///< node
  configuration_rolled_back,  ///< in use again because later ones were truncated: as above
  snapshot_needed,            ///< a follower lacks entries that are compacted: a = follower
  restored,                   ///< an installed snapshot replaces the log up to (index, term): a = last index before
  compacted,                  ///< entries up to `index` left memory
  // shard and ledger
  applied,  ///< an entry was folded into the state: index, term
  undone,   ///< an entry was undone: index, term
  founded,
  dedup_hit,  ///< an id was found already bound: transfer, a = recorded outcome, c = 1 if bound under an earlier leader
  dedup_conflict,      ///< same id, other body: transfer
  refused,             ///< a refusal was logged: transfer, a = outcome
  answered,            ///< an outcome was told: transfer, a = outcome
  epoch_passed,        ///< the state at `index` was frozen for a snapshot
  epoch_dropped,       ///< ... and undone before it was published
  snapshot_published,  ///< durable under its name: index, term, a = digest
  history_published,   ///< durable under its name: a = first index, index = last
  file_damaged,        ///< a sealed file has a bad chunk: index, a = kind, b = chunk
  file_repaired,       ///< its bad chunks were fetched from a peer: index, a = kind
  chunk_fetched,       ///< index, a = from, b = chunk, c = of how many
  fetch_resumed,       ///< a fetch goes on after a restart: index, a = chunks already there
  archived,            ///< a history file moved to the archive: index
  // transactions across shards
  saga_started,      ///< debit and phase row are in one entry: transfer, a = target shard, b = leg number
  leg_sent,          ///< transfer of the first leg in the message, a = target shard, b = first leg number, c = count
  leg_received,      ///< the target decided: transfer, a = source shard, b = leg number, c = outcome
  leg_repeated,      ///< the target answered from its recorded outcomes: a = source shard, b = leg number
  leg_answer,        ///< the source got an answer: transfer, a = target shard, b = leg number, c = outcome
  saga_done,         ///< transfer, a = target shard, b = leg number
  saga_compensated,  ///< transfer, a = target shard, b = leg number, c = outcome
  saga_resumed,  ///< a new leader took over unfinished legs: a = target shard, b = first unanswered leg, c = how many
  // proxy
  request_routed,   ///< a = client, b = request, c = shard
  request_retried,  ///< a = client, b = request, c = attempt
  request_unknown,  ///< the deadline passed: a = client, b = request
  frame_rejected,   ///< bytes from a peer failed their checksum or grammar: a = peer
  disk_outdated,    ///< a peer has seen a later frame of this node's stream: a = peer, b = frame seen, c = frame here
  failed,           ///< the node poisoned itself after an io error
  // TC/C across shards
  try_started,      ///< the debit's Try and the phase row are in one entry: transfer, a = target shard, b = leg number
  confirm_started,  ///< both Tries succeeded: transfer, a = target shard, b = leg number of the Try, c = its outcome
  confirm_done,     ///< transfer, a = target shard, b = leg number of the Confirm
  cancel_started,   ///< a Try was refused: transfer, a = target shard, b = leg number of the Try, c = its outcome
  cancel_done,      ///< transfer, a = target shard, b = leg number of the Cancel
  // two-phase commit across shards
  prepare_started,  ///< the debit is locked and prepared: transfer, a = target shard, b = leg number
  commit_started,   ///< both sides are prepared: transfer, a = target shard, b = leg number of the prepare, c = its
                    ///< outcome
  commit_done,      ///< transfer, a = target shard, b = leg number of the Commit
  abort_started,    ///< the credit was refused: transfer, a = target shard, b = leg number of the prepare, c = its
                    ///< outcome
  abort_done,       ///< transfer, a = target shard, b = leg number of the Abort
  // holds; their transfer is the hold's own id
  hold_placed,    ///< a = amount, b = expiry
  hold_captured,  ///< a = amount taken, b = shard it is for
  hold_voided,
  hold_expired,  ///< a = amount, b = expiry
  // ids with an end
  window_moved,  ///< a = UUIDv7s up to this millisecond have passed, b = rows forgotten
  // splits; of answers: a = target shard, b = leg, c = outcome
  split_started,     ///< a = parts, b = 1 if all was done at once
  split_answered,    ///< one part has answered, others have not
  split_confirming,  ///< all have, with success
  split_cancelling,  ///< all have, and one was refused
  split_ended,       ///< the second phase of one part is done, of others not
  split_confirmed,   ///< the split has succeeded
  split_cancelled,   ///< nobody holds anything of it any more
  // holds, as above
  capture_put_off,  ///< it met a lock of its own account, and the hold stays: a = amount asked for
  // the attic
  rows_left,        ///< a = rows that have left, b = by this entry, c = 1: the attic was opened
  attic_published,  ///< index: the last entry of its epoch
  attic_opened,     ///< index: as attic_published; a = its first place, b = the one behind its last
  attic_waits,      ///< a request that the runs here cannot answer; a = places they hold, b = places needed
  attic_sought,     ///< a request whose ids may be on disk; a = chunks to be read
  attic_found,      ///< a = rows found for a request
  attic_missed,     ///< the filters said perhaps, and there was nothing
  attic_repeated,   ///< an id of the attic came again; a = outcome told
  attic_conflict,   ///< ... with another body
  attic_status,     ///< the status of an id of the attic was told; a = outcome
  attic_damaged,    ///< a chunk that was read for a request is not what it was; index: of its file, a = chunk
  attic_rebuilt,    ///< a run, or a damaged part of one, was made from history; index: of its file
};

struct TraceEvent {
  TraceKind kind{};
  ShardId shard{};
  Term term{};
  Index index{};
  std::uint64_t a = 0;
  std::uint64_t b = 0;
  std::uint64_t c = 0;
  TransferId transfer{};
  std::uint64_t lamport = 0;  ///< set by the node as the event leaves it: e before f implies less (Lamport 1978)
};

inline constexpr TraceKind last_trace_kind = TraceKind::attic_rebuilt;

/// The kind's name in snake case, as scenarios write triggers.
std::string_view name(TraceKind kind);

}  // namespace coffer
