#include "sim/workload/items.h"

#include <algorithm>
#include <utility>

#include "core/base/check.h"
#include "core/base/uuid_time.h"
#include "sim/observe/sim_time.h"

namespace coffer::sim::workload {

namespace {

constexpr std::uint32_t self_transfer_per_mille = 10;
constexpr std::uint32_t huge_deposit_per_mille = 60;  ///< of deposits: amounts no balance can take
constexpr std::size_t recent_items = 24;
constexpr std::uint64_t odd_time_doublings = 23;  ///< of a millisecond: up to an hour and ten minutes

/// Half of the names are opened late, or never.
std::string draw_missing_name(Prng& prng) {
  const bool never_opened = prng.chance(500);
  const std::uint64_t number = prng.below(never_opened ? 64 : late_accounts);
  return (never_opened ? "missing" : late_account_prefix) + std::to_string(number);
}

/// The same side of the account that decides it, the other way round.
void turn_round(Item& item) {
  const bool is_deposit = item.operation == router::TransferOperation::deposit;
  item.operation = is_deposit ? router::TransferOperation::withdrawal : router::TransferOperation::deposit;
  std::swap(item.debit, item.credit);
}

}  // namespace

TransferId draw_id(Prng& prng) {
  TransferId id;
  for (std::size_t half = 0; half < 2; ++half) {
    const std::uint64_t bits = prng.next();
    for (std::size_t i = 0; i < 8; ++i) id.bytes[half * 8 + i] = static_cast<std::uint8_t>(bits >> (8 * i));
  }
  id.bytes[6] = static_cast<std::uint8_t>((id.bytes[6] & 0x0F) | 0x40);
  id.bytes[8] = static_cast<std::uint8_t>((id.bytes[8] & 0x3F) | 0x80);
  return id;
}

TransferId draw_id(const Config& config, SimTime now, Prng& prng) {
  const TransferId id = draw_id(prng);
  const bool is_timed = config.timed_id_per_mille > 0 && prng.chance(config.timed_id_per_mille);
  if (!is_timed) return id;
  std::int64_t made_ms = (wall_epoch.nanos + now.nanos) / 1'000'000;
  const bool is_odd = prng.chance(config.odd_time_per_mille);
  if (is_odd) {
    const std::int64_t most = std::int64_t{1} << prng.below(odd_time_doublings);
    const bool is_ahead = prng.chance(300);
    const std::int64_t by = prng.between(most / 2, most);
    made_ms += is_ahead ? by : -by;
  }
  return uuid_made_at(static_cast<std::uint64_t>(made_ms), id);
}

std::size_t Items::draw(std::uint32_t owner, SimTime now, Prng& prng, Prng& ids) {
  const bool is_late = config_.late_per_mille > 0 && !items_.empty() && prng.chance(config_.late_per_mille);
  if (is_late) return draw_old(prng);
  const std::uint64_t kind = prng.below(1000);
  if (!items_.empty() && kind < config_.duplicate_per_mille) return draw_earlier(prng);
  const bool other_body = !items_.empty() && kind < config_.duplicate_per_mille + config_.other_body_per_mille;
  Item item = other_body ? draw_other_body(prng) : draw_new(prng);
  if (!other_body) item.id = draw_id(config_, now, ids);
  item.owner = owner;
  items_.push_back(std::move(item));
  return items_.size() - 1;
}

std::size_t Items::borrow(std::uint32_t owner, const Item& item) {
  items_.push_back(item);
  items_.back().owner = owner;
  items_.back().resolved = false;
  return items_.size() - 1;
}

std::size_t Items::deposit(std::uint32_t owner, const Account& account, Currency currency, std::int64_t amount,
                           Prng& ids) {
  Item item;
  item.operation = router::TransferOperation::deposit;
  item.currency = currency;
  item.amount = amount;
  item.credit = account.name;
  item.id = draw_id(ids);
  item.owner = owner;
  items_.push_back(std::move(item));
  return items_.size() - 1;
}

std::size_t Items::empty_out(std::uint32_t owner, const Account& account, std::int64_t amount, Prng& prng, Prng& ids) {
  Item item;
  item.currency = account.currencies.front();
  item.amount = amount;
  item.debit = account.name;
  item.credit = accounts_.draw_other(prng, account, item.currency, true).name;
  item.id = draw_id(ids);
  item.owner = owner;
  items_.push_back(std::move(item));
  return items_.size() - 1;
}

std::size_t Items::draw_earlier(Prng& prng) const {
  check(!items_.empty(), "there is an earlier item");
  const bool recent = prng.chance(700);
  const std::size_t window = recent ? std::min(items_.size(), recent_items) : items_.size();
  return items_.size() - 1 - static_cast<std::size_t>(prng.below(window));
}

std::size_t Items::draw_old(Prng& prng) const {
  check(!items_.empty(), "there is an earlier item");
  return static_cast<std::size_t>(prng.below(items_.size() / 2 + 1));
}

std::int64_t Items::draw_amount(Prng& prng) const {
  return 1 + static_cast<std::int64_t>(
                 prng.below(static_cast<std::uint64_t>(std::max<std::int64_t>(config_.opening_balance / 8, 1))));
}

Item Items::draw_new(Prng& prng) {
  std::uint64_t kind = prng.below(1000);
  Item item;
  if (kind < config_.deposit_per_mille + config_.withdrawal_per_mille) {
    const Account& account = accounts_.draw(prng);
    const bool deposit = kind < config_.deposit_per_mille;
    item.operation = deposit ? router::TransferOperation::deposit : router::TransferOperation::withdrawal;
    (deposit ? item.credit : item.debit) = account.name;
    item.currency = account.currencies[static_cast<std::size_t>(prng.below(account.currencies.size()))];
    const bool huge = prng.chance(huge_deposit_per_mille);
    item.amount = huge ? INT64_MAX : draw_amount(prng);
    return item;
  }
  kind = prng.below(1000);
  if (kind < config_.missing_account_per_mille + config_.wrong_currency_per_mille) return draw_misfit(prng);
  return draw_transfer(prng);
}

Item Items::draw_transfer(Prng& prng) {
  const Account& debit = accounts_.draw(prng);
  const Currency currency = debit.currencies[static_cast<std::size_t>(prng.below(debit.currencies.size()))];
  const bool across_shards = prng.chance(config_.cross_shard_per_mille);
  const Account& credit = accounts_.draw_other(prng, debit, currency, across_shards);
  const bool overdraft = prng.chance(config_.overdraft_per_mille);
  const bool to_itself = prng.chance(self_transfer_per_mille);
  Item item;
  item.currency = currency;
  item.amount = draw_amount(prng);
  if (overdraft) item.amount += config_.opening_balance * (1 + static_cast<std::int64_t>(config_.accounts));
  item.debit = debit.name;
  item.credit = to_itself ? debit.name : credit.name;
  return item;
}

/// A transfer that cannot succeed: an account is missing, or has no pocket in the currency.
Item Items::draw_misfit(Prng& prng) {
  Item item = draw_transfer(prng);
  const std::uint64_t kind = prng.below(config_.missing_account_per_mille + config_.wrong_currency_per_mille);
  const bool debit_side = prng.chance(250);
  if (kind < config_.missing_account_per_mille) {
    (debit_side ? item.debit : item.credit) = draw_missing_name(prng);
    return item;
  }
  const std::string& side = debit_side ? item.debit : item.credit;
  for (const Account& account : accounts_.all()) {
    if (account.name == side) item.currency = accounts_.draw_foreign(prng, account);
  }
  return item;
}

/// An earlier id with another amount, operation, currency, credit account, or (its own affair, since an id is bound to
/// its home account) another debit account.
Item Items::draw_other_body(Prng& prng) {
  Item item = items_[draw_earlier(prng)];
  item.resolved = false;
  const std::uint64_t kind = prng.below(4);
  const bool is_transfer = item.operation == router::TransferOperation::transfer;
  if (kind == 1 && is_transfer) {
    item.currency = next_currency(item.currency);
    return item;
  }
  if (kind == 1) {
    turn_round(item);
    return item;
  }
  if (!is_transfer || kind == 0) {
    item.amount = item.amount == INT64_MAX ? item.amount - 1 : item.amount + 1;
    return item;
  }
  const std::string other = accounts_.draw(prng).name;
  if (kind == 2 && other != item.credit) {
    item.credit = other;
  } else if (kind == 3 && other != item.debit) {
    item.debit = other;
  } else {
    item.amount += 1;
  }
  return item;
}

}  // namespace coffer::sim::workload
