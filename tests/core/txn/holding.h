// Holds as tests of the state machine ask for them.
#pragma once

#include <string>
#include <string_view>

#include "tests/core/txn/leader.h"

namespace coffer::txn::testing {

inline ledger::PlaceHoldCommand hold_of(std::uint64_t id, std::string_view account, std::int64_t minor,
                                        Duration expires_in = seconds(1), Currency currency = usd) {
  ledger::PlaceHoldCommand command;
  command.id = id_of(id);
  command.account = account;
  command.amount = {minor, currency};
  command.expires_in = expires_in;
  return command;
}

inline ledger::CaptureHoldCommand capture_of(std::uint64_t id, std::string_view account, std::string_view credit,
                                             std::int64_t minor, Currency currency = usd,
                                             ShardId credit_shard = ShardId(1)) {
  ledger::CaptureHoldCommand command;
  command.id = id_of(id);
  command.account = account;
  command.credit_account = credit;
  command.amount = {minor, currency};
  command.credit_shard = credit_shard;
  return command;
}

inline PlaceDecision place(Leader& leader, const ledger::PlaceHoldCommand& command) {
  return leader.entry([&](Batch& batch) { return batch.place_hold(command); }, leader.stamp());
}

inline CaptureDecision capture(Leader& leader, const ledger::CaptureHoldCommand& command) {
  return leader.entry([&](Batch& batch) { return batch.capture_hold(command); }, leader.stamp());
}

inline VoidDecision release(Leader& leader, std::uint64_t id, std::string_view account) {
  return leader.entry(
      [&](Batch& batch) {
        return batch.void_hold({id_of(id), default_tenant, PrincipalId(), account});
      },
      leader.stamp());
}

/// What a batch with this stamp finds expired.
inline std::vector<ExpiredHold> expire(Leader& leader, Stamp stamp, std::size_t bytes_max = SIZE_MAX) {
  return leader.entry([&](Batch& batch) { return batch.expire_holds(bytes_max); }, stamp);
}

inline std::int64_t held(const Leader& leader, std::string_view account, Currency currency = usd) {
  const std::optional<Money> money = leader.state.held(default_tenant, account, currency);
  check(money.has_value(), "the test asks for a pocket that exists");
  return money->minor;
}

inline HoldRecord hold_at(const Leader& leader, std::uint64_t id, std::string_view account) {
  const std::optional<HoldRecord> record = leader.state.find_hold(default_tenant, account, id_of(id));
  check(record.has_value(), "the test asks for a hold that was placed");
  return *record;
}

/// One shard: alice has 100.00 USD, bob nothing.
inline Leader with_money() {
  Leader leader(1);
  leader.open("alice");
  leader.open("bob");
  leader.transfer(deposit_of(1, "alice", 10'000));
  return leader;
}

/// Undoes a log to its beginning and folds it again: each state is the one that was there before, and so is what no
/// export shows: what is held, and what is locked.
inline void check_undone(const Leader& leader) {
  StateMachine state(leader.state.self());
  std::vector<Bytes> states{exported(state)};
  std::vector<std::vector<StateMachine::PocketRow>> pockets{state.pockets()};
  for (const Bytes& payload : leader.log) {
    state.apply_entry(payload);
    states.push_back(exported(state));
    pockets.push_back(state.pockets());
  }
  check(leader.state.pockets() == pockets.back(), "a follower locks and holds what its leader does");
  check(exported(leader.state) == states.back(), "a follower is where its leader is");
  for (std::size_t at = leader.log.size(); at-- > 0;) {
    state.undo_entry(leader.log[at]);
    check(exported(state) == states[at], "undo is the inverse of apply");
    check(state.pockets() == pockets[at], "undo gives back what was held and locked");
  }
}

}  // namespace coffer::txn::testing
