// One replica's consensus over opaque entries: a single-threaded machine with inputs and an Output. No io, no clock, no
// callbacks. Persistence is the caller's: entries and hard state in Output must be stored in the order given, messages
// marked after_sync leave only once everything handed out before them is durable, and persisted() says how far that is.
// Snapshots are moved by others: Raft says who needs one and is told what was installed.
// Source: Raft thesis (Ongaro 2014), figure 3.1, sections 3.10 (transfer), 4 (membership), 5 (compaction), 6.2
// (check-quorum), 6.4 (reads), 9.6 (pre-vote). Invariants: docs/PROTOCOLS.md.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/base/entry.h"
#include "core/base/ids.h"
#include "core/base/prng.h"
#include "core/base/time.h"
#include "core/base/trace.h"
#include "core/raft/configuration.h"
#include "core/raft/invariants.h"
#include "core/raft/log_view.h"
#include "core/raft/membership.h"
#include "core/raft/messages.h"
#include "core/raft/progress.h"
#include "core/raft/pulse.h"
#include "core/raft/read_rounds.h"
#include "core/raft/recovery.h"

namespace coffer::raft {

enum class Role : std::uint8_t { follower, pre_candidate, candidate, leader };

struct Config {
  NodeId self;
  ShardId group;              ///< for trace events only
  Duration election_timeout;  ///< how long a leader is believed; time-outs are drawn from [1, 1.5) of it
  Duration heartbeat_interval;
  std::uint32_t append_bytes_max = 1u << 20;   ///< entries' bytes per append (at least one entry always goes)
  std::uint32_t appends_in_flight_max = 8;     ///< per follower
  std::uint64_t window_bytes_max = 16u << 20;  ///< entries' bytes in flight per follower; one append may go beyond
};

/// What a replica starts from: all durable.
struct Recovered {
  HardState hard_state;
  LogPlace base;                ///< what a snapshot covers; (0, 0) without one
  Configuration configuration;  ///< as of base: the snapshot's or the founding one
  std::vector<Entry> log;       ///< dense from base.index + 1
  bool uncertain = false;       ///< the disk may have lost entries it had acknowledged
  LogPlace evidence;            ///< the highest place seen on the disk, perhaps beyond its damage
};

struct Outgoing {
  NodeId to;
  Message message;
  bool after_sync;  ///< real vote requests and every reply: true. The other requests: false, but for appends and
                    ///< TimeoutNow of a sole voter whose term is not durable yet
};

/// What the caller must do, in this order: store `hard_state`, `restored`, the truncation, `appended`, then `settled`;
/// send; fold commits. Several calls may fill one Output: what a later call removed from the log, or what it restored
/// over, is no longer in `appended` or `truncated_from`.
struct Output {
  std::optional<HardState> hard_state;  ///< changed: store before anything after_sync leaves
  std::optional<LogPlace> restored;     ///< the log was replaced up to here by restore(); see there what of it stays
  std::optional<Index> truncated_from;  ///< entries at and after this index were removed (before `appended`)
  std::vector<Entry> appended;          ///< new entries of the local log, ascending
  std::uint64_t generation = 0;         ///< of the log now; +1 per truncation or replaced log. For persisted()
  bool settled = false;                 ///< no longer uncertain: the flag on the disk may go, after all of the above
  std::vector<Outgoing> messages;
  std::vector<NodeId> snapshots_needed;  ///< leader: followers that need what is compacted; again at every heartbeat
  bool became_leader = false;
  bool lost_leadership = false;  ///< stepped down at some moment of this output (and may lead again at its end)
  std::vector<std::uint64_t> reads_confirmed;  ///< read ids whose quorum round is done and whose term has committed
  std::vector<std::uint64_t> reads_dropped;    ///< leadership lost first: ask elsewhere
  std::vector<TraceEvent> trace;

  void clear();
};

class Raft {
 public:
  /// Starts as follower; commit() is base.index. Requires: what Recovered says (checked).
  Raft(Config config, Recovered recovered, Prng prng, Instant now);

  void tick(Instant now, Output& out);  ///< what is due: elections, heartbeats, hand-overs, questions of the uncertain
  /// Requests are answered whoever asks, for the asker may know of a configuration that this replica has yet to learn;
  /// answers of others than members count for nothing.
  void receive(Instant now, NodeId from, Message message, Output& out);
  /// Everything handed out up to `last` with this generation is durable. Older generations are ignored (A-B-A).
  /// Requires: (generation, last) as of an Output, after all of that Output is durable (checked as far as visible).
  void persisted(Instant now, std::uint64_t generation, Index last, Output& out);
  /// Appends to the leader's log; nothing unless leader, nor while transferring(). Replication starts at once.
  std::optional<Index> propose(Instant now, SharedBytes payload, Output& out);
  /// Starts (or joins the next) quorum round; the id appears in reads_confirmed or reads_dropped. False unless leader.
  /// Confirmed only when a majority answered an append sent after this call, and an entry of the own term has
  /// committed.
  bool read(Instant now, std::uint64_t read_id, Output& out);
  /// The log of a member stands on this place, and cannot be read without what is before: so all of that has committed
  /// (R31). Nothing unless this log holds it durably, nor on a leader.
  void learn_committed(Instant now, LogPlace place, Output& out);
  /// Leader: brings the group to these voters, in steps of one entry each: new ones become learners; once all of them
  /// have caught up, hold all sealed history and are certain, the configuration becomes joint; then final. Learners
  /// that are not among the goal's are dropped. A leader outside the goal hands over once the configuration is joint,
  /// and the next leader finishes, as every new leader finishes what is joint, and nothing else. Asked again with the
  /// same goal it says true. The present voters as goal call off a change that is not joint yet.
  /// False: not leader, no entry of the own term committed yet, transferring, another goal under way, or no such group
  /// (empty, not ascending, too many).
  bool reconfigure(Instant now, const std::vector<NodeId>& voters, Output& out);
  /// Leader: hands over to this voter as soon as it has the whole log (thesis, section 3.10). Proposals are refused
  /// meanwhile; given up after an election time-out. False: not leader, no other voter, uncertain, or another target.
  bool transfer(Instant now, NodeId to, Output& out);
  /// Leader: as transfer(), to the most advanced other voter that can take over. False: not leader, there is none, or
  /// transferring.
  bool resign(Instant now, Output& out);
  bool transferring() const;
  /// A snapshot was installed, durably. If it is ahead of commit(), the log begins after `base`: what it holds behind
  /// that very entry stays, else nothing does. False, and nothing changed, if it is not ahead, or on a leader.
  bool restore(Instant now, LogPlace base, Configuration configuration, Output& out);
  /// Forgets the entries up to `through`, which a durable snapshot covers. Requires: through <= commit() (checked).
  /// Does nothing at or before base().
  void compact(Index through);
  /// Whether this replica holds all sealed history; travels in append replies. A learner that does not is not promoted.
  void set_complete(bool complete) { complete_ = complete; }
  /// The link to a peer was re-established: messages may have been lost, resend from its match index.
  void reconnected(Instant now, NodeId peer, Output& out);
  /// The link to a peer broke. A follower whose leader it was takes it for gone, and asks the others soon whether they
  /// do: pre-votes disturb no leader that others still hear (R15).
  void disconnected(Instant now, NodeId peer, Output& out);

  Role role() const;
  Term term() const;
  NodeId leader() const;  ///< nobody if unknown
  Index commit() const;
  Index last_index() const;
  LogPlace base() const { return log_.base(); }
  /// Requires: base().index <= index <= last_index() (checked).
  Term term_at(Index index) const { return log_.term_at(index); }
  const Configuration& configuration() const { return membership_.latest(); }  ///< the one in use
  /// In use at `index`. Requires: base().index <= index (checked).
  const Configuration& configuration_at(Index index) const;
  /// Where configuration() stands in the log, or stood; 0 for the founding one.
  Index configuration_index() const { return membership_.latest_index(); }
  /// A change is under way, as far as this replica knows.
  bool reconfiguring() const;
  /// It may lack what it once acknowledged, and does not campaign.
  bool uncertain() const { return !recovery_.certain(); }
  /// While uncertain and no leader answers: the members whose answers it lacks. A status: "the group waits for node 3".
  std::vector<NodeId> recovery_waits_for() const { return recovery_.waits_for(config_.self, membership_.latest()); }
  /// Leader: what this follower is known to hold; 0 for others. A status.
  Index follower_match(NodeId node) const;
  /// The leader may decide and serve: an entry of its own term has committed.
  bool leads_in_own_term() const;
  /// Requires: base().index < index <= last_index() (checked).
  /// The reference lives until the next call that is not const.
  const Entry& entry(Index index) const;
  std::uint64_t generation() const;
  Instant wake_at() const;  ///< when tick() has something to do

 private:
  // Roles and terms (raft.cc).
  void receive_from(Instant now, NodeId from, Message& message, Output& out);
  void time_out(Instant now, Output& out);
  void become_follower(Instant now, Term term, NodeId leader, Output& out);
  void lose_leadership(Instant now, Output& out);
  void set_hard_state(HardState state, Output& out);
  void reset_election_deadline(Instant now);
  void stand_within(Instant now, Duration wait);
  void resend(NodeId peer, Output& out);
  void send(NodeId to, Message message, bool after_sync, Output& out) const;
  void trace(TraceKind kind, Term term, Index index, std::uint64_t a, std::uint64_t b, Output& out) const;
  void trace_role(TraceKind kind, Output& out) const;
  Facts facts() const;
  void finish(Output& out);

  // Elections (raft_election.cc).
  bool may_campaign() const;
  void ask_pre_votes(Instant now, Output& out);
  void campaign(Instant now, bool transfer, Output& out);
  void become_leader(Instant now, Output& out);
  void ask(NodeId voter, Output& out) const;
  void ask_all(Instant now, Output& out);
  /// Who waits for votes, or for the first commitment of a term, serves nobody: what may have been lost on the way is
  /// said again sooner than at the next heartbeat. Not for long: what has not come then is held up by something else.
  Duration retry_interval(Instant now) const { return config_.heartbeat_interval / (now < urgent_until_ ? 4 : 1); }
  void count_votes(Instant now, Output& out);
  bool heard_leader(Instant now) const;
  bool ignores(Instant now, const Message& message) const;
  bool may_vote_for(LogPlace last) const;
  void let_go_first(Instant now, NodeId rival, LogPlace last);
  void count_refusal(Instant now, NodeId voter);
  void on(Instant now, NodeId from, VoteRequest& request, Output& out);
  void on_pre_vote(Instant now, NodeId from, const VoteRequest& request, Output& out);
  void on(Instant now, NodeId from, VoteReply& reply, Output& out);

  // Replication, leader's side (raft_replication.cc).
  void append_own(SharedBytes payload, EntryKind kind, Output& out);
  void replicate(Progress& follower, Output& out);
  void replicate_to_all(Output& out);
  Index last_for(const Progress& follower) const;
  void heartbeat(Progress& follower, Output& out);
  void append(const Progress& follower, Index prev, std::vector<Entry> entries, Output& out) const;
  void repeat_no_op(Instant now, Output& out);
  bool term_is_durable() const;
  void find_place(Progress& follower, Output& out) const;
  void say_snapshot_needed(const Progress& follower, Output& out) const;
  void beat(Instant now, Output& out);
  Instant quorum_heard_at() const;
  void advance(Instant now, Output& out);
  void advance_commit(Output& out);
  void advance_reads(Output& out);
  void on(Instant now, NodeId from, AppendReply& reply, Output& out);
  Progress* follower(NodeId node);  ///< null unless followed
  const Progress* follower(NodeId node) const;
  Progress& progress_of(NodeId member);

  // Replication, follower's side, and every change of the log (raft_follower.cc).
  void on(Instant now, NodeId from, AppendRequest& request, Output& out);
  void follow_fed(Instant now, NodeId leader, Output& out);
  bool skip_compacted(AppendRequest& request) const;
  Index place_to_try(const AppendRequest& request) const;
  void answer(NodeId to, bool success, Index match, std::uint64_t round, Output& out) const;
  void store(std::vector<Entry>& entries, std::size_t known, Output& out);
  void add(Entry entry, bool proposed_here, Output& out);
  void truncate_from(Index from, Output& out);
  void commit_to(Index index, Output& out);

  // Membership (raft_membership.cc).
  void advance_membership(Instant now, Output& out);
  void advance_goal(Instant now, Output& out);
  void change_to(Instant now, Configuration configuration, Output& out);
  void follow_members(Instant now, Index last);
  void dismiss_leavers(Instant now);
  void trace_configuration(TraceKind kind, Output& out) const;

  // Transfer of leadership (raft_transfer.cc).
  const Progress* best_successor(Instant heard_after) const;
  bool hand_over_to_best(Instant now, Output& out);
  void say_farewell(Output& out) const;
  void begin_transfer(Instant now, NodeId to, Output& out);
  void hand_over(Output& out);
  void on(Instant now, NodeId from, TimeoutNow& message, Output& out);

  // Snapshots, and the recovery of what a disk may have lost (raft_recovery.cc).
  void drop_restored(LogPlace base, bool keeps_suffix, Output& out);
  void ask_recovery(Instant now, Output& out);
  bool holds_durably(LogPlace place) const;
  void settle(Output& out);
  void on(Instant now, NodeId from, RecoveryRequest& request, Output& out);
  void on(Instant now, NodeId from, RecoveryReply& reply, Output& out);

  Config config_;
  Prng prng_;
  Instant now_;  ///< of the latest call
  LogView log_;
  Membership membership_;
  HardState hard_state_;
  Recovery recovery_;
  bool complete_ = true;
  Role role_ = Role::follower;
  NodeId leader_ = nobody;
  Index commit_;
  bool yielded_ = false;  ///< as pre-candidate: to a rival, until then
  Instant yields_until_;
  Instant urgent_until_;                ///< of a candidacy, or a leadership, the first moments
  Instant ask_again_at_;                ///< as (pre-)candidate, and as leader until an entry of its term has committed
  Instant election_deadline_;           ///< not as leader
  Pulse pulse_;                         ///< of the leader of the latest term that had one
  Instant fed_until_;                   ///< a leader's entries have come late, but come: it is heard until then
  Instant recovery_deadline_;           ///< while uncertain: when to ask again
  std::vector<NodeId> granted_;         ///< as (pre-)candidate: who granted, self included
  std::vector<NodeId> refused_;         ///< as candidate: who will not vote for it in this term
  Instant vote_holds_until_;            ///< as voter: no pre-votes for others than who has its vote
  bool campaigns_by_transfer_ = false;  ///< as candidate
  // As leader.
  Instant elected_at_;
  Index term_begin_;  ///< where its no-op stands
  Index term_proof_;  ///< once this entry is durable, so is the term; 0 when a vote of another has shown it
  Instant heartbeat_deadline_;
  std::vector<Progress> followers_;          ///< other members, and leavers that may not know yet that they left
  std::optional<std::vector<NodeId>> goal_;  ///< of the change under way: the voters it leads to
  NodeId transfer_to_ = nobody;
  Instant transfer_deadline_;
  ReadRounds reads_;
  Invariants invariants_;
};

}  // namespace coffer::raft
