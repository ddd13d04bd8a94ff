#include "core/txn/accounts.h"

#include "core/base/check.h"
#include "core/txn/sources.h"
#include "core/txn/windows.h"

namespace coffer::txn::accounts {

using ledger::AccountChanged;
using ledger::AccountState;
using ledger::Operation;

ChangePlan decide(const ShardState& state, const ledger::ChangeAccountCommand& command, const IdRules& ids,
                  Stamp stamp) {
  if (ledger::is_reserved(command.account)) return {.outcome = Outcome::reserved_account};
  const bool is_change = command.change >= Operation::freeze && command.change <= Operation::close;
  if (!is_change || !ledger::is_account_name(command.account)) return {.outcome = Outcome::malformed};
  const ledger::AccountKey key(command.tenant, command.account);
  if (!state.owns(key.slot())) return {.outcome = Outcome::wrong_shard};
  const AccountNumber account = state.book.find(key);
  if (account == no_account) return {.outcome = Outcome::account_not_found};
  const ledger::DedupNumber bound = state.dedup.find(account, command.id);
  if (bound != ledger::no_row) {
    const bool is_same = state.dedup.row(bound).operation == command.change;
    if (!is_same) return {.outcome = Outcome::idempotency_payload_mismatch};
    return {.outcome = Outcome::success, .replayed = bound};
  }
  const Outcome timely = windows::check_time(state, command.id, ids, stamp);
  if (timely != Outcome::success) return {.outcome = timely};
  const Outcome free = sources::check_free(state, account, command.id, ids);
  if (free != Outcome::success) return {.outcome = free};
  const AccountState before = state.book.state_of(account);
  const bool closes = command.change == Operation::close;
  if (before == AccountState::closed && !closes) return {.outcome = Outcome::account_closed};
  if (closes && !state.book.is_empty(account)) return {.outcome = Outcome::account_not_empty};
  return {.outcome = Outcome::success,
          .event = AccountChanged{command.change, before, command.principal, account, command.id}};
}

void apply(ShardState& state, const AccountChanged& event, Place place) {
  check(event.account < state.book.next_account(), "an account is changed once it is there");
  check(state.book.state_of(event.account) == event.before, "a change begins with the state there is");
  state.book.set_state(event.account, ledger::state_after(event.change));
  ledger::DedupRow row;
  row.id = event.id;
  row.position = place.position;
  row.stamp = place.stamp;
  row.home = event.account;
  row.operation = event.change;
  row.outcome = Outcome::success;
  state.dedup.bind(row);
}

void undo(ShardState& state, const AccountChanged& event, Place) {
  state.dedup.unbind_last(event.id);
  state.book.set_state(event.account, event.before);
}

}  // namespace coffer::txn::accounts
