#include "core/txn/sources.h"

#include "core/base/check.h"
#include "core/base/uuid_number.h"
#include "core/txn/windows.h"

namespace coffer::txn::sources {

namespace {

/// The number decided last; 0: none yet.
std::uint64_t last_of(const ShardState& state, ledger::DedupNumber source) {
  return source == ledger::no_row ? 0 : bits_of_number(state.dedup.row(source).id).number;
}

}  // namespace

Order check_order(const ShardState& state, AccountNumber home, const TransferId& id, const IdRules& rules) {
  const std::optional<IdNumber> said = id_number_of(id);
  if (!said) return {};
  const ledger::DedupNumber source = state.dedup.find_source(home, id);
  if (source == ledger::no_row && !rules.numbered) return {};
  const std::uint64_t last = last_of(state, source);
  if (said->number <= last) return {.outcome = Outcome::id_expired};
  if (said->number > last + 1) return {.outcome = Outcome::id_gap, .expected = last + 1};
  const bool is_free = source == ledger::no_row || windows::is_over(state, source);
  return {.outcome = is_free ? Outcome::success : Outcome::in_flight};
}

Outcome check_free(const ShardState& state, AccountNumber home, const TransferId& id, const IdRules& rules) {
  if (!id_number_of(id)) return Outcome::success;
  const bool is_numbered = rules.numbered || state.dedup.find_source(home, id) != ledger::no_row;
  return is_numbered ? Outcome::id_is_numbered : Outcome::success;
}

std::optional<ledger::SourceOpened> opening(const ShardState& state, const ledger::Decided& decided,
                                            const IdRules& rules) {
  if (!rules.numbered) return std::nullopt;
  const std::optional<IdNumber> said = id_number_of(decided.id);
  if (!said || state.dedup.find_source(decided.home, decided.id) != ledger::no_row) return std::nullopt;
  return ledger::SourceOpened{decided.home, said->source};
}

Outcome why_not_found(const ShardState& state, TenantId tenant, std::string_view account, const TransferId& id) {
  if (state.dedup.has_passed(id)) return Outcome::id_expired;
  const std::optional<IdNumber> said = id_number_of(id);
  if (!said || !state.dedup.has_sources()) return Outcome::transfer_not_found;
  if (account.empty()) return Outcome::id_is_numbered;
  const AccountNumber home = state.book.find(ledger::AccountKey(tenant, account));
  if (home == no_account) return Outcome::transfer_not_found;
  const std::uint64_t last = last_of(state, state.dedup.find_source(home, id));
  return said->number <= last ? Outcome::id_expired : Outcome::transfer_not_found;
}

void apply(ShardState& state, const ledger::SourceOpened& event, Place place) {
  check(event.home < state.book.next_account(), "who numbers does so of an account that is there");
  state.dedup.open_source(event.home, event.source, place.position, place.stamp);
}

void undo(ShardState& state, const ledger::SourceOpened& event, Place) {
  state.dedup.close_source(event.home, event.source);
}

}  // namespace coffer::txn::sources
