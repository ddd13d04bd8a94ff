// Requests a leader has looked at but may not answer yet. Nothing decided on speculative state is told before the index
// it depends on has committed; whatever is told without an entry of its own also waits for a quorum round begun after
// it arrived; a transfer across shards waits for its leg. Leader-local: emptied when leadership is lost.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "core/base/ids.h"
#include "core/base/time.h"
#include "core/router/protocol.h"
#include "core/txn/state_machine.h"

namespace coffer::shard {

/// Who asked: opaque to the shard, echoed with the answer.
struct Caller {
  NodeId node;           ///< the proxy's node; nobody: a client of this node, directly
  ClientId client;       ///< direct clients only
  std::uint64_t id = 0;  ///< the proxy's attempt or the client's request
};

struct Answer {
  Caller caller;
  router::Reply reply;
};

/// What is told of a split.
void tell(const txn::SplitRecord& record, router::SplitReply& reply);

class WaitingRoom {
 public:
  using Ticket = std::uint64_t;

  /// The result at `item` of a transfers reply (0: the result of a capture's) becomes known with the answer of this
  /// leg. `original`: it stands in the request that started the leg and is told as soon as the outcome can no longer
  /// change; a duplicate waits until the answer is in the log.
  struct LegNeed {
    std::uint32_t item = 0;
    ShardId target;
    LegNumber leg;
    bool original = false;
  };
  /// A split's reply becomes known with the last answer of its parts. `original`: as of a leg.
  struct SplitNeed {
    std::uint32_t row = 0;  ///< txn::SplitRecord::row
    bool original = false;
  };
  /// What an answer still waits for.
  struct Needs {
    Index depends_on;                     ///< must commit first
    bool round = false;                   ///< a quorum round for the ticket must be confirmed
    std::vector<LegNeed> legs;            ///< must be answered first
    std::optional<SplitNeed> split = {};  ///< must be told first
  };

  Ticket next_ticket() { return ++last_ticket_; }
  /// Takes an answer in the making. Requires: `ticket` from next_ticket(), used once (checked).
  void admit(Ticket ticket, Caller caller, router::Reply reply, Needs needs, Instant deadline);

  void committed(Index index);
  void round_confirmed(Ticket ticket);
  /// The target's answer, logged here in the (still uncommitted) entry that will get `logged_at`. Successes are told to
  /// the original at once, everything else once that entry has committed.
  void leg_answered(ShardId target, const txn::LegAnswer& answer, Index logged_at);

  /// A leg's answer has begun a further leg to the same target, and that one's answer will tell: whoever waits for
  /// `leg` waits for `further`.
  void leg_continued(ShardId target, LegNumber leg, LegNumber further);

  /// What became of a split is known by the entry that will get `logged_at`: told as leg_answered tells.
  void split_told(const txn::SplitRecord& record, Index logged_at);

  /// Answers that are complete, in the order they became so.
  std::vector<Answer> take_ready();
  /// Leadership is lost: everything still waiting is answered: unresolved transfers `unknown` (they may be in the log),
  /// reads `not_leader`.
  void abandon();
  /// Answers whose caller's patience has ended: the same words as abandon().
  void expire(Instant now);
  Instant wake_at() const;
  std::size_t size() const { return waiting_.size(); }

 private:
  struct Waiting {
    Caller caller;
    router::Reply reply;
    Needs needs;
    std::size_t legs_open = 0;  ///< of needs.legs, and a split
    Instant deadline;
  };
  struct LegWaiter {
    Ticket ticket;
    std::uint32_t item;
    bool original;
  };
  using Leg = std::pair<ShardId, LegNumber>;

  void depend_on(Ticket ticket, Waiting& waiting, Index index);
  void settle_if_complete(Ticket ticket);
  void give_up(Waiting& waiting);
  void forget_unresolved(const Waiting& waiting, router::TransfersReply& reply) const;
  void stop_waiting(Ticket ticket, const Waiting& waiting);

  Ticket last_ticket_ = 0;
  Index committed_;
  std::map<Ticket, Waiting> waiting_;
  // What may make one of waiting_ complete; nothing in them outlives its ticket there.
  std::set<std::pair<Index, Ticket>> by_index_;
  std::multimap<Leg, LegWaiter> by_leg_;
  std::multimap<std::uint32_t, Ticket> by_split_;
  std::set<std::pair<Instant, Ticket>> by_deadline_;
  std::vector<Answer> ready_;
};

}  // namespace coffer::shard
