// One replica of one shard: log + Raft + state machine + the answers in the making. Wires modules that own their
// transitions: Raft says what is appended, committed and led; the state machine decides, applies and undoes; the
// waiting room holds answers back; the leg sender talks to other shards.
//
// Only a leader runs ahead: its state is the fold of its whole log; any other replica's is the fold of its committed
// prefix. Stepping down first undoes the uncommitted suffix, in reverse. Single-threaded.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "core/base/entry.h"
#include "core/base/ids.h"
#include "core/base/prng.h"
#include "core/base/time.h"
#include "core/base/trace.h"
#include "core/ledger/events.h"
#include "core/ledger/protocol.h"
#include "core/log/stream.h"
#include "core/raft/raft.h"
#include "core/router/protocol.h"
#include "core/router/shard_map.h"
#include "core/shard/awakening.h"
#include "core/shard/cluster_clock.h"
#include "core/shard/leg_messages.h"
#include "core/shard/leg_sender.h"
#include "core/shard/observation.h"
#include "core/shard/replica_files.h"
#include "core/shard/waiting_room.h"
#include "core/txn/state_machine.h"

namespace coffer::shard {

struct Config {
  ShardId shard;
  NodeId self;
  std::vector<ledger::SlotRange> founding;  ///< slots the first leader writes into the log
  Duration election_timeout;
  Duration heartbeat_interval;
  Duration leg_resend_interval;
  std::uint32_t entries_in_flight_max = 4;
  std::uint32_t entry_bytes_max = 3u << 20;  ///< of an entry's payload, after which no message or request joins it
  std::uint32_t append_bytes_max = 4u << 20;
  std::uint64_t window_bytes_max = 16u << 20;
  std::uint32_t legs_in_flight_max = 4096;
  std::uint32_t requests_max = 1u << 14;               ///< queued plus waiting; more are refused as overloaded
  std::size_t queue_bytes_max = 64u << 20;             ///< bytes of queued requests; more are refused as overloaded
  bool early_success = true;                           ///< a success across shards is told before its end is logged
  ledger::Protocol protocol = ledger::Protocol::saga;  ///< how transfers to other shards begin
  Duration id_window = {};                             ///< how long UUIDv7s are taken; 0: for ever
  Duration id_grace = {};                              ///< ... and answered for so much longer
  bool numbered_ids = false;                           ///< UUIDv8s are taken in the order of their numbers
  std::uint64_t rows_in_memory = 0;                    ///< of ids kept for ever, before rows leave; 0: all
};

/// An entry became committed here, in index order.
struct CommittedEntry {
  ShardId shard;
  Index index;
  Term term;
  SharedBytes payload;
  EntryKind kind = EntryKind::state;
};

/// What the node must pass on. Persistence goes straight to the stream.
struct Output {
  struct Raft {
    ShardId group;
    raft::Outgoing message;
  };
  struct Legs {
    ShardId target;  ///< for its leader
    Bytes message;   ///< an encoded LegsMessage
  };
  struct LegAnswers {
    NodeId to;
    Bytes message;  ///< an encoded LegAnswersMessage
  };
  std::vector<Raft> raft;
  std::vector<Legs> legs;
  std::vector<LegAnswers> leg_answers;
  std::vector<FileOutput::Message> files;
  std::vector<IoOp> io;  ///< of the store
  std::vector<Answer> answers;
  std::vector<CommittedEntry> committed;
  std::vector<TraceEvent> trace;
};

/// What a shard uses of its node. All outlive it.
struct Surroundings {
  log::Stream& stream;
  const ClusterClock& clock;
  const router::ShardMap& map;
  const std::vector<NodeId>& nodes;  ///< of the cluster, as far as known, ascending
  ReplicaFiles& files;               ///< the replica's own; has begun with the same snapshot as its Start
};

class Shard {
 public:
  Shard(Config config, Start start, Surroundings around, Prng prng, Now now);

  void tick(Now now, Output& out);
  void receive(Now now, NodeId from, raft::Message message, Output& out);
  void reconnected(Now now, NodeId peer, Output& out);
  /// The link to a peer broke: what it leads may need another leader.
  void disconnected(Now now, NodeId peer, Output& out);

  /// Takes a direct request for this shard; it is decided when the batch closes. Refused at once unless leader
  /// (eventual reads are answered by any replica). `body`: an encoded router::Request.
  void request(Now now, Caller caller, Bytes body, Output& out);
  /// Legs from the leader of their source shard on `from`; answers go back there. Ignored unless leader: the source
  /// sends again. `message`: an encoded LegsMessage; malformed ones are ignored.
  void receive_legs(NodeId from, Bytes message);
  void receive_leg_answers(const LegAnswersMessage& message, Output& out);

  /// Ends a step: decides everything queued as one entry (while the pipeline has room) and sends what is due.
  void close_batch(Now now, Output& out);

  /// A flush of the stream begins: everything handed over so far is in it. / It, and all before it, became durable.
  void flush_begun(std::uint64_t flush);
  void flush_done(Now now, std::uint64_t flush, Output& out);

  /// Sealed files: what peers say of them, what the store has read and published; then, once a step, what is due.
  void receive_files(Now now, NodeId from, ByteView section);
  void file_published(Now now, const log::SealedName& name) { files_.published(now.monotonic, name); }
  void chunk_read(const log::SealedStore::ReadChunk& chunk) { files_.read(chunk, file_out_); }
  void tend_files(Now now, Output& out);

  NodeId leader() const { return raft_.leader(); }
  Stamp last_stamp() const { return state_->last_stamp(); }
  bool leads() const { return raft_.role() == raft::Role::leader; }
  /// Undecided work that the next close_batch() could take: the node should be stepped at once.
  bool wants_step() const;
  Instant wake_at() const;
  Summary summary() const;
  /// How many of the last applied entries observe() can undo.
  std::size_t undoable() const;
  /// With the last `undone` applied entries undone on a copy. Requires: undone <= undoable() (checked).
  Observation observe(std::size_t undone = 0) const;

 private:
  /// A request not decided yet.
  struct Queued {
    Caller caller;
    Bytes body;  ///< what the views in `request` point into
    router::Request request;
    Instant deadline;
    std::vector<txn::LeftRow> recalled = {};        ///< what the attic holds of its ids
    std::optional<std::uint64_t> sought_from = {};  ///< the first place in memory when it was asked
  };
  /// A request that waits for the attic: for what a search finds, or for the runs to reach far enough.
  struct Seeking {
    std::optional<Attic::Search> search;
    Queued queued;
  };
  struct QueuedLegs {
    NodeId from;
    Bytes bytes;  ///< what the views in `message` point into
    LegsMessage message;
  };
  /// A speculative entry: folded, not committed. What its commit makes sendable.
  struct Speculative {
    Index index;
    Term term;
    SharedBytes payload;
    Position last_position;
    std::map<ShardId, LegNumber> started;   ///< highest leg per target
    std::map<ShardId, LegNumber> answered;  ///< highest answered leg per target
  };
  /// An answered leg, to be told to its source once `depends_on` has committed.
  struct LegToTell {
    NodeId to;
    ShardId source;
    txn::LegAnswer answer;
  };
  /// How much of the stream was handed over when a flush began.
  struct FlushMark {
    std::uint64_t flush;
    std::uint64_t generation;
    Index last;
    LogPlace base;
  };
  struct Deciding;  ///< one batch in the making (deciding.h)

  // shard.cc: consensus and state
  void follow(Now now, raft::Output& raft, Output& out);
  void persist(const raft::Output& raft);
  void tell_alone();
  void run_ahead(Output& out);
  void step_down(Output& out);
  void give_way(Now now, Output& out);
  void apply(const Entry& entry);
  void install(Now now, ReplicaFiles::Loaded loaded, Output& out);
  router::Reply change_membership(Now now, const router::Request& request, Output& out);
  void compact(Now now, LogPlace base);
  void fold_commits(Output& out);
  void commit_speculative(Index index);
  void forget_undo();
  void start_serving(Output& out);
  void tell_legs(Output& out);
  void answer_ready(Output& out);
  void expire_queue(Now now, Output& out);
  void refuse(const Caller& caller, router::RequestKind kind, Outcome status, Output& out) const;
  void trace(Output& out, TraceKind kind, Index index, Term term) const;
  Summary summarize(const txn::StateMachine& state, Index applied) const;

  // shard_batch.cc: deciding
  void decide_batch(Now now, Output& out);
  void decide_answers(Deciding& batch, Output& out);
  void decide_legs(Deciding& batch, Output& out);
  void decide_request(Deciding& batch, const Queued& queued, Output& out);
  void decide_kind(Deciding& batch, const router::Request& request, Output& out);
  void decide_transfers(Deciding& batch, const router::Request& request, Output& out);
  void decide_opening(Deciding& batch, const router::Request& request);
  void decide_change(Deciding& batch, const router::Request& request);
  void note_decision(Deciding& batch, std::uint32_t item, router::TransferResult& result, const TransferId& id,
                     const txn::Decision& decision, Output& out);
  // shard_attic.cc: ids whose rows have left
  bool has_to_wait(Queued& queued, Output& out);
  std::vector<Attic::Sought> sought_ids(const router::Request& request, bool is_covered) const;
  void go_on_with_found(Output& out);
  std::vector<txn::LeftRow> what_is_asked(const router::Request& request, std::vector<txn::LeftRow> found) const;
  void tend_attic(Now now, Output& out);
  void trace_recalled(const Deciding& batch, const Queued& queued, Output& out) const;
  void expire_seeking(Now now, Output& out);
  void trace_attic(Output& out, TraceKind kind, std::uint64_t a = 0, std::uint64_t b = 0, std::uint64_t c = 0) const;
  // shard_holds.cc: holds
  void expire_holds(Deciding& batch, Output& out);
  void decide_place(Deciding& batch, const router::Request& request, Output& out);
  void decide_capture(Deciding& batch, const router::Request& request, Output& out);
  void decide_void(Deciding& batch, const router::Request& request, Output& out);
  bool has_expiry_due(Now now) const;
  Instant expiry_after(Now now) const;
  void trace_hold(Output& out, TraceKind kind, const TransferId& id, std::uint64_t a = 0, std::uint64_t b = 0,
                  std::uint64_t c = 0) const;
  // shard_splits.cc: splits
  void decide_split(Deciding& batch, const router::Request& request, Output& out);
  void note_legs(Deciding& batch, const txn::SplitRecord& split) const;
  void end_batch(Deciding& batch, Now now, Output& out);
  void send_legs(Now now, Output& out);
  std::optional<WallTime> cluster_time(Now now) const { return clock_.time(raft_.configuration().voters, now); }
  txn::IdRules id_rules(Now now) const;
  Stamp next_stamp(std::optional<WallTime> time) const;
  bool has_room() const;
  void refuse_writes(Output& out);
  bool has_answer_in_line() const;

  // shard_reads.cc: answers from the state
  router::Reply read(const router::Request& request) const;
  router::Reply read_balance(const router::Request& request) const;
  router::Reply read_account(const router::Request& request) const;
  router::Reply read_hold(const router::Request& request) const;
  router::Reply read_transfer(const router::Request& request) const;
  router::Reply read_trial_balance() const;

  Config config_;
  log::Stream& stream_;
  const ClusterClock& clock_;
  const router::ShardMap& map_;
  const std::vector<NodeId>& nodes_;
  ReplicaFiles& files_;
  FileOutput file_out_;
  raft::Raft raft_;
  std::unique_ptr<txn::StateMachine> state_;
  Index applied_;                   ///< state_ is the fold of the log up to here
  Index committed_;                 ///< committed entries up to here were handed out
  Position led_from_;               ///< last position when this replica began to serve as leader
  bool serving_ = false;            ///< leads, and an entry of its own term has committed and been applied
  std::deque<Speculative> suffix_;  ///< (committed_, applied_] while leader; else empty
  std::deque<Queued> queue_;
  std::size_t queue_bytes_ = 0;    ///< of the bodies in queue_
  Instant queue_expires_ = never;  ///< no deadline in queue_ or seeking_ is earlier
  std::deque<Seeking> seeking_;    ///< their bodies count in queue_bytes_
  Instant expiry_at_ = never;      ///< when the next hold may expire, as far as the last batch could tell
  std::deque<QueuedLegs> legs_in_;
  std::map<std::pair<ShardId, LegNumber>, txn::LegAnswer> answers_in_;
  std::multimap<Index, LegToTell> legs_to_tell_;
  WaitingRoom waiting_;
  LegSender sender_;
  std::deque<FlushMark> flushes_;
  LogPlace marked_;                ///< the base the stream was told last
  std::optional<bool> alone_;      ///< what the stream was told last
  LogPlace compacted_;             ///< the base whose mark is durable
  std::deque<Position> undoable_;  ///< last positions of the latest committed entries, which observers may still undo
};

}  // namespace coffer::shard
