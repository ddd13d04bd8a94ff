// One replica's consensus over opaque entries: a single-threaded machine with inputs and an Output. No io, no clock, no
// callbacks. Persistence is the caller's: entries and hard state in Output must be stored in the order given, messages
// marked after_sync leave only once everything handed out before them is durable, and persisted() says how far that is.
// Source: Raft thesis (Ongaro 2014), figures 3.1, 6.2 (reads), 9.6 (pre-vote). Invariants: docs/PROTOCOLS.md.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "core/base/entry.h"
#include "core/base/ids.h"
#include "core/base/prng.h"
#include "core/base/time.h"
#include "core/base/trace.h"
#include "core/raft/messages.h"

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
  bool after_sync;  ///< votes and append replies: true. Requests: false.
};

/// What the caller must do, in this order: store `hard_state`, then the truncation, then `appended`; send; fold
/// commits.
struct Output {
  std::optional<HardState> hard_state;  ///< changed: store before anything after_sync leaves
  std::optional<Index> truncated_from;  ///< entries at and after this index were removed (before `appended`)
  std::vector<Entry> appended;          ///< new entries of the local log, ascending
  std::uint64_t generation = 0;         ///< of the log after this output; +1 per truncation. Handed back to persisted()
  std::vector<Outgoing> messages;
  bool became_leader = false;
  bool lost_leadership = false;  ///< was leader when this output began, and is not any more (may be leader again later)
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
  const Entry& entry(Index index) const;
  std::uint64_t generation() const;
  Instant wake_at() const;  ///< when tick() has something to do

 private:
  // (the implementation's own)
};

}  // namespace coffer::raft
