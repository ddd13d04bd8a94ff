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
  // shard and ledger
  applied,  ///< an entry was folded into the state: index, term
  undone,   ///< an entry was undone: index, term
  founded,
  dedup_hit,  ///< an id was found already bound: transfer, a = recorded outcome, c = 1 if bound under an earlier leader
  dedup_conflict,  ///< same id, other body: transfer
  refused,         ///< a refusal was logged: transfer, a = outcome
  answered,        ///< an outcome was told: transfer, a = outcome
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
  failed,           ///< the node poisoned itself after an io error
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
};

/// The kind's name in snake case, as scenarios write triggers.
std::string_view name(TraceKind kind);

}  // namespace coffer
