#include "core/txn/holding.h"

#include "core/base/check.h"
#include "core/txn/direct.h"
#include "core/txn/sources.h"
#include "core/txn/windows.h"

namespace coffer::txn::holding {

using ledger::AccountKey;
using ledger::DedupNumber;
using ledger::DedupRow;
using ledger::HoldEnd;
using ledger::HoldEnded;
using ledger::HoldPlaced;
using ledger::Operation;

namespace {

Outcome check_grammar(const ledger::PlaceHoldCommand& command) {
  const bool is_short = command.expires_in > Duration() && command.expires_in <= ledger::hold_duration_max;
  if (command.amount.minor <= 0 || !is_known(command.amount.currency) || !is_short) return Outcome::malformed;
  return direct::check_name(command.account);
}

/// The home account, or the refusal.
Outcome find_home(const ShardState& state, TenantId tenant, std::string_view account, AccountNumber& home) {
  const AccountKey key(tenant, account);
  if (!state.owns(key.slot())) return Outcome::wrong_shard;
  home = state.book.find(key);
  return home == no_account ? Outcome::account_not_found : Outcome::success;
}

/// The hold this account has placed under this id, or no_hold.
HoldNumber find_of(const ShardState& state, AccountNumber home, const TransferId& id) {
  const DedupNumber bound = state.dedup.find(home, id);
  if (bound == ledger::no_row) return no_hold;
  const DedupRow& row = state.dedup.row(bound);
  const bool is_hold = row.operation == Operation::hold && row.outcome == Outcome::success;
  return is_hold ? state.holds.find(bound) : no_hold;
}

/// The end of a hold; it is the caller's to say that it may end so.
HoldEnded end_of(const ShardState& state, HoldNumber number, HoldEnd how) {
  const HoldRow& row = state.holds.row(number);
  HoldEnded event;
  event.how = how;
  event.hold = number;
  event.id = state.dedup.row(row.dedup).id;
  event.pocket = row.pocket;
  event.amount = {row.amount, state.book.pocket(row.pocket).currency};
  return event;
}

bool has_expired(const HoldRow& row, Stamp stamp) { return row.expires < stamp; }

/// What capturing or voiding is told of a hold that has ended in another way.
Outcome refusal_of(HoldEnd end) {
  switch (end) {
    case HoldEnd::live:
      return Outcome::success;
    case HoldEnd::captured:
      return Outcome::hold_captured;
    case HoldEnd::voided:
      return Outcome::hold_voided;
    case HoldEnd::expired:
      return Outcome::hold_expired;
  }
  check_failed("a hold has ended in a known way");
}

/// Of a hold that was captured: whether by the same command.
EndPlan replay_capture(const ShardState& state, AccountNumber home, const ledger::TransferCommand& transfer) {
  const DedupNumber bound = state.dedup.find(home, transfer.id);
  check(bound != ledger::no_row, "what captured a hold has bound its id");
  if (state.dedup.row(bound).digest != ledger::digest_of(transfer)) {
    return {.outcome = Outcome::idempotency_payload_mismatch};
  }
  return {.outcome = Outcome::success, .event = {}, .replayed = bound};
}

/// What the account says of a hold of `decided`'s amount.
Outcome check_account(const ShardState& state, ledger::Decided& decided) {
  const Outcome held = ledger::refusal_of(state.book.state_of(decided.home));
  if (held != Outcome::success) return held;
  decided.debit = state.book.find_pocket(decided.home, decided.amount.currency);
  if (decided.debit == no_pocket) return Outcome::currency_mismatch;
  if (state.locks.is_locked(decided.debit)) return Outcome::account_locked;
  return state.book.has_funds(decided.debit, decided.amount.minor) ? Outcome::success : Outcome::insufficient_funds;
}

/// Whether two-phase commit has locked a side of the capture that is here.
bool meets_a_lock(const ShardState& state, const HoldRow& hold, const ledger::TransferCommand& transfer) {
  if (state.locks.is_locked(hold.pocket)) return true;
  const AccountNumber payee = state.book.find(ledger::AccountKey(transfer.tenant, transfer.credit_account));
  if (payee == no_account) return false;
  const PocketNumber credit = state.book.find_pocket(payee, transfer.amount.currency);
  return credit != no_pocket && state.locks.is_locked(credit);
}

}  // namespace

PlacePlan decide(const ShardState& state, const ledger::PlaceHoldCommand& command, const IdRules& ids, Stamp stamp) {
  const Outcome grammar = check_grammar(command);
  if (grammar != Outcome::success) return {.outcome = grammar};
  AccountNumber home = no_account;
  const Outcome found = find_home(state, command.tenant, command.account, home);
  if (found != Outcome::success) return {.outcome = found};
  const Hash128 digest = ledger::digest_of(command);
  const DedupNumber bound = state.dedup.find(home, command.id);
  if (bound != ledger::no_row) {
    const DedupRow& row = state.dedup.row(bound);
    if (row.digest != digest) return {.outcome = Outcome::idempotency_payload_mismatch};
    return {.outcome = row.outcome, .replayed = bound};
  }
  const Outcome timely = windows::check_time(state, command.id, ids, stamp);
  if (timely != Outcome::success) return {.outcome = timely};
  const Outcome free = sources::check_free(state, home, command.id, ids);
  if (free != Outcome::success) return {.outcome = free};
  const std::optional<std::int64_t> expires = checked_add(stamp.nanos, command.expires_in.nanos);
  if (!expires) return {.outcome = Outcome::malformed};  // centuries from now
  HoldPlaced event;
  event.decided.operation = Operation::hold;
  event.decided.principal = command.principal;
  event.decided.home = home;
  event.decided.amount = command.amount;
  event.decided.id = command.id;
  event.decided.digest = digest;
  event.decided.outcome = check_account(state, event.decided);
  if (event.decided.outcome == Outcome::success) event.expires = Stamp{*expires};
  return {.outcome = event.decided.outcome, .replayed = ledger::no_row, .event = event};
}

EndPlan decide(const ShardState& state, const ledger::CaptureHoldCommand& command, Stamp stamp) {
  const ledger::TransferCommand transfer = command.transfer();
  const Outcome grammar = direct::check_grammar(transfer);
  if (grammar != Outcome::success) return {.outcome = grammar};
  AccountNumber home = no_account;
  const Outcome found = find_home(state, command.tenant, command.account, home);
  if (found != Outcome::success) return {.outcome = found};
  const HoldNumber number = find_of(state, home, command.id);
  if (number == no_hold) return {.outcome = Outcome::hold_not_found};
  const HoldRow& row = state.holds.row(number);
  if (row.end == HoldEnd::captured) return replay_capture(state, home, transfer);
  if (row.end != HoldEnd::live) return {.outcome = refusal_of(row.end)};
  if (has_expired(row, stamp)) {
    return {.outcome = Outcome::hold_expired, .event = end_of(state, number, HoldEnd::expired)};
  }
  if (state.book.pocket(row.pocket).currency != command.amount.currency) return {.outcome = Outcome::currency_mismatch};
  if (command.amount.minor > row.amount) return {.outcome = Outcome::hold_exceeded};
  if (!direct::maps_agree(state, transfer)) return {.outcome = Outcome::wrong_shard};
  // Somebody has given a transfer the very id that is this hold's to derive, or might: it is one of a source's.
  const bool is_taken = state.dedup.find(home, transfer.id) != ledger::no_row ||
                        state.dedup.find_source(home, transfer.id) != ledger::no_row;
  if (is_taken) return {.outcome = Outcome::idempotency_payload_mismatch};
  // A lock goes as it came (D5): the payee asks again, and has what is held for him until then.
  if (meets_a_lock(state, row, transfer)) return {.outcome = Outcome::account_busy};
  return {.outcome = Outcome::success, .event = end_of(state, number, HoldEnd::captured)};
}

EndPlan decide(const ShardState& state, const ledger::VoidHoldCommand& command, Stamp stamp) {
  const Outcome grammar = direct::check_name(command.account);
  if (grammar != Outcome::success) return {.outcome = grammar};
  AccountNumber home = no_account;
  const Outcome found = find_home(state, command.tenant, command.account, home);
  if (found != Outcome::success) return {.outcome = found};
  const HoldNumber number = find_of(state, home, command.id);
  if (number == no_hold) return {.outcome = Outcome::hold_not_found};
  const HoldRow& row = state.holds.row(number);
  if (row.end == HoldEnd::voided) return {.outcome = Outcome::success};
  if (row.end != HoldEnd::live) return {.outcome = refusal_of(row.end)};
  if (has_expired(row, stamp)) {
    return {.outcome = Outcome::hold_expired, .event = end_of(state, number, HoldEnd::expired)};
  }
  return {.outcome = Outcome::success, .event = end_of(state, number, HoldEnd::voided)};
}

std::optional<HoldEnded> decide_expiry(const ShardState& state, Stamp stamp) {
  const HoldNumber number = state.holds.first_to_expire();
  if (number == no_hold || !has_expired(state.holds.row(number), stamp)) return std::nullopt;
  return end_of(state, number, HoldEnd::expired);
}

void apply(ShardState& state, const HoldPlaced& event, Place place) {
  const ledger::Decided& decided = event.decided;
  const DedupNumber dedup = state.dedup.bind(direct::dedup_row(state, decided, place));
  if (decided.outcome != Outcome::success) return;
  check(event.expires > place.stamp, "a hold expires after it was placed");
  check(state.book.pocket(decided.debit).account == decided.home, "a hold is on its home account");
  state.holds.place({dedup, decided.debit, decided.amount.minor, event.expires, HoldEnd::live});
  state.book.hold(decided.debit, decided.amount);
}

void undo(ShardState& state, const HoldPlaced& event, Place) {
  const ledger::Decided& decided = event.decided;
  if (decided.outcome == Outcome::success) {
    state.book.let_go(decided.debit, decided.amount);
    state.holds.unplace_last();
  }
  state.dedup.unbind_last(decided.id);
}

void apply(ShardState& state, const HoldEnded& event, Place place) {
  const HoldRow& row = state.holds.row(event.hold);
  check(row.pocket == event.pocket && row.amount == event.amount.minor && state.dedup.row(row.dedup).id == event.id,
        "what ends is the hold that was placed");
  check(has_expired(row, place.stamp) == (event.how == HoldEnd::expired),
        "a hold is captured or voided in time, and expires when that is over");
  state.holds.end(event.hold, event.how);
  state.book.let_go(event.pocket, event.amount);
}

void undo(ShardState& state, const HoldEnded& event, Place) {
  state.book.hold(event.pocket, event.amount);
  state.holds.revive(event.hold, event.how);
}

HoldNumber find(const ShardState& state, TenantId tenant, std::string_view account, const TransferId& id) {
  const AccountNumber home = state.book.find(AccountKey(tenant, account));
  return home == no_account ? no_hold : find_of(state, home, id);
}

HoldRecord record_of(const ShardState& state, HoldNumber number) {
  const HoldRow& row = state.holds.row(number);
  const DedupRow& bound = state.dedup.row(row.dedup);
  HoldRecord record;
  record.end = row.end;
  record.amount = {row.amount, state.book.pocket(row.pocket).currency};
  record.expires = row.expires;
  if (row.end == HoldEnd::captured) record.transfer = ledger::capture_id_of(bound.id);
  record.position = bound.position;
  record.stamp = bound.stamp;
  return record;
}

}  // namespace coffer::txn::holding
