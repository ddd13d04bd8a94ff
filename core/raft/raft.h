// One replica's consensus over opaque entries: a single-threaded machine with inputs and an Output. No io, no clock, no
// callbacks. Persistence is the caller's: entries and hard state in Output must be stored in the order given, messages
// marked after_sync leave only once everything handed out before them is durable, and persisted() says how far that is.
// Source: Raft thesis (Ongaro 2014), figure 3.1, sections 6.4 (reads), 9.6 (pre-vote). Invariants: docs/PROTOCOLS.md.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/base/entry.h"
#include "core/base/ids.h"
#include "core/base/prng.h"
#include "core/base/time.h"
#include "core/base/trace.h"
#include "core/raft/invariants.h"
#include "core/raft/log_view.h"
#include "core/raft/messages.h"
#include "core/raft/progress.h"
#include "core/raft/read_rounds.h"

namespace coffer::raft {

enum class Role : std::uint8_t { follower, pre_candidate, candidate, leader };

struct Config {
  NodeId self;
  ShardId group;                ///< for trace events only
  std::vector<NodeId> members;  ///< voters, self included, ascending
  Duration election_timeout;    ///< randomised in [1, 2) of this
  Duration heartbeat_interval;
  std::uint32_t append_bytes_max;           ///< entries' bytes per append (at least one entry always goes)
  std::uint32_t appends_in_flight_max = 8;  ///< per follower
};

struct Outgoing {
  NodeId to;
  Message message;
  bool after_sync;  ///< vote requests, vote replies, append replies: true. Pre-vote and append requests: false.
};

/// What the caller must do, in this order: store `hard_state`, then the truncation, then `appended`; send; fold
/// commits. Several calls may fill one Output: what a later call removed from the log is no longer in `appended`.
struct Output {
  std::optional<HardState> hard_state;  ///< changed: store before anything after_sync leaves
  std::optional<Index> truncated_from;  ///< entries at and after this index were removed (before `appended`)
  std::vector<Entry> appended;          ///< new entries of the local log, ascending
  std::uint64_t generation = 0;         ///< of the log after this output; +1 per truncation. Handed back to persisted()
  std::vector<Outgoing> messages;
  bool became_leader = false;
  bool lost_leadership = false;  ///< stepped down at some moment of this output (and may lead again at its end)
  std::vector<std::uint64_t> reads_confirmed;  ///< read ids whose quorum round is done and whose term has committed
  std::vector<std::uint64_t> reads_dropped;    ///< leadership lost first: ask elsewhere
  std::vector<TraceEvent> trace;

  void clear();
};

class Raft {
 public:
  /// Starts as follower. `log`: recovered entries, dense from index 1, all durable. Requires: members contain self.
  Raft(Config config, HardState hard_state, std::vector<Entry> log, Prng prng, Instant now);

  void tick(Instant now, Output& out);  ///< elections and heartbeats that are due
  /// Messages from nodes that are no members are ignored.
  void receive(Instant now, NodeId from, Message message, Output& out);
  /// Everything handed out up to `last` with this generation is durable. Older generations are ignored (A-B-A).
  /// Requires: (generation, last) as of an Output, after all of that Output is durable (checked as far as visible).
  void persisted(Instant now, std::uint64_t generation, Index last, Output& out);
  /// Appends to the leader's log; nothing unless leader. Replication starts at once.
  std::optional<Index> propose(Instant now, SharedBytes payload, Output& out);
  /// Starts (or joins the next) quorum round; the id appears in reads_confirmed or reads_dropped. False unless leader.
  /// Confirmed only when a majority answered an append sent after this call, and an entry of the own term has
  /// committed.
  bool read(Instant now, std::uint64_t read_id, Output& out);
  /// The link to a peer was re-established: messages may have been lost, resend from its match index.
  void reconnected(Instant now, NodeId peer, Output& out);

  Role role() const;
  Term term() const;
  NodeId leader() const;  ///< nobody if unknown
  Index commit() const;
  Index last_index() const;
  /// The leader may decide and serve: an entry of its own term has committed.
  bool leads_in_own_term() const;
  /// Requires: 1 <= index <= last_index() (checked).
  /// The reference lives until the next call that is not const.
  const Entry& entry(Index index) const;
  std::uint64_t generation() const;
  Instant wake_at() const;  ///< when tick() has something to do

 private:
  // Roles and terms (raft.cc).
  bool is_peer(NodeId node) const;
  void become_follower(Instant now, Term term, NodeId leader, Output& out);
  void lose_leadership(Instant now, Output& out);
  void set_hard_state(HardState state, Output& out);
  void reset_election_deadline(Instant now);
  void resend(NodeId peer, Output& out);
  void send(NodeId to, Message message, bool after_sync, Output& out) const;
  void trace(TraceKind kind, Term term, Index index, std::uint64_t a, std::uint64_t b, Output& out) const;
  void trace_role(TraceKind kind, Output& out) const;
  Facts facts() const;
  void finish(Output& out);

  // Elections (raft_election.cc).
  void ask_pre_votes(Instant now, Output& out);
  void campaign(Instant now, Output& out);
  void become_leader(Instant now, Output& out);
  void ask(NodeId voter, Output& out) const;
  void count_votes(Instant now, Output& out);
  bool heard_leader(Instant now) const;
  void on(Instant now, NodeId from, VoteRequest& request, Output& out);
  void on_pre_vote(Instant now, NodeId from, const VoteRequest& request, Output& out);
  void on(Instant now, NodeId from, VoteReply& reply, Output& out);

  // Replication, leader's side (raft_replication.cc).
  void append_own(SharedBytes payload, Output& out);
  void replicate(Progress& follower, Output& out);
  void replicate_to_all(Output& out);
  void append(const Progress& follower, std::vector<Entry> entries, Output& out) const;
  void beat(Instant now, Output& out);
  void advance_commit(Output& out);
  void advance_reads(Output& out);
  void on(Instant now, NodeId from, AppendReply& reply, Output& out);
  Progress& follower(NodeId node);

  // Replication, follower's side (raft_follower.cc).
  void on(Instant now, NodeId from, AppendRequest& request, Output& out);
  void store(std::vector<Entry>& entries, std::size_t known, Output& out);
  void add(Entry entry, bool proposed_here, Output& out);
  void truncate_from(Index from, Output& out);
  void commit_to(Index index, Output& out);

  Config config_;
  Prng prng_;
  LogView log_;
  HardState hard_state_;
  Role role_ = Role::follower;
  NodeId leader_ = nobody;
  Index commit_;
  Instant election_deadline_;        ///< not as leader
  Instant leader_heard_;             ///< meaningful while leader_ is another node
  Instant heartbeat_deadline_;       ///< as leader
  std::vector<NodeId> granted_;      ///< as (pre-)candidate: who granted, self included
  std::vector<Progress> followers_;  ///< as leader: one per other member
  ReadRounds reads_;
  Invariants invariants_;
};

}  // namespace coffer::raft
