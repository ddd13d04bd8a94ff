// The source side of legs while this replica leads: which legs may be sent, which were, when to send them again.
// Leader-local and derived: a new leader starts one from its log. The legs themselves are shard state (core/txn).
#pragma once

#include <map>

#include "core/base/ids.h"
#include "core/base/time.h"
#include "core/shard/leg_messages.h"
#include "core/txn/state_machine.h"

namespace coffer::shard {

class LegSender {
 public:
  LegSender(Duration resend_interval, std::uint32_t in_flight_max);

  /// Everything in `state` is committed (a leader's first own commit): all its unanswered legs may be sent.
  /// Returns the targets with unfinished legs, each with how many: what is being resumed.
  std::map<ShardId, std::uint64_t> start(const txn::StateMachine& state);
  void stop();

  /// The entry that started legs up to `last` has committed.
  void started_committed(ShardId target, LegNumber last);
  /// The entry that logged the answers up to `last` has committed: the target may free them.
  void answered_committed(ShardId target, LegNumber last);

  /// The messages due now, one per target at most per call; call until it returns nothing.
  std::vector<LegsMessage> due(Instant now, const txn::StateMachine& state);
  Instant wake_at() const;

 private:
  struct Target {
    LegNumber committed{};      ///< legs up to here are committed: may be sent
    LegNumber sent{};           ///< legs up to here were sent at least once since the last resend
    LegNumber freed{};          ///< answers up to here are committed here
    LegNumber waiting_for{};    ///< the first unanswered leg when the clock started
    Instant resend_at = never;  ///< send from the first unanswered leg again unless it is answered by then
  };

  Duration resend_interval_;
  std::uint32_t in_flight_max_;
  std::map<ShardId, Target> targets_;
};

}  // namespace coffer::shard
