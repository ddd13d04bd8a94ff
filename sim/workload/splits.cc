#include "sim/workload/splits.h"

#include <algorithm>

#include "core/router/protocol.h"
#include "sim/workload/items.h"

namespace coffer::sim::workload {

namespace {

constexpr std::uint32_t again_per_mille = 150;      ///< of splits: one asked for before, word by word
constexpr std::uint32_t other_body_per_mille = 50;  ///< ... or with another body
constexpr std::uint32_t many_per_mille = 60;        ///< of new ones: as many parts as there may be
constexpr std::uint32_t across_per_mille = 700;     ///< of parts: in another shard than the debit, where there is one
constexpr std::uint32_t missing_per_mille = 40;     ///< ... to an account that is not there
constexpr std::uint32_t to_itself_per_mille = 5;
constexpr std::uint32_t late_per_mille = 40;       ///< ... to one opened late, or never, and frozen or closed perhaps
constexpr std::uint32_t uncovered_per_mille = 15;  ///< ... more than the account will ever have

}  // namespace

std::size_t Splits::draw(Prng& prng, Prng& ids) {
  const std::uint64_t kind = prng.below(1000);
  const auto earlier = [&] { return static_cast<std::size_t>(prng.below(splits_.size())); };
  if (!splits_.empty() && kind < again_per_mille) return earlier();
  Split split;
  if (!splits_.empty() && kind < again_per_mille + other_body_per_mille) {
    split = splits_[earlier()];
    const std::uint64_t part = prng.below(3);
    if (part == 0) ++split.payees.front().amount;
    if (part == 1) split.currency = next_currency(split.currency);
    if (part == 2) std::reverse(split.payees.begin(), split.payees.end());
  } else {
    split = draw_new(prng);
    split.id = draw_id(ids);
  }
  splits_.push_back(std::move(split));
  return splits_.size() - 1;
}

std::size_t Splits::draw_under(const std::string& account, Currency currency, const TransferId& id, Prng& prng) {
  Split split = draw_new(prng);
  split.account = account;
  split.currency = currency;
  split.id = id;
  splits_.push_back(std::move(split));
  return splits_.size() - 1;
}

Split Splits::draw_new(Prng& prng) {
  const Account& account = accounts_.draw(prng);
  Split split;
  split.account = account.name;
  split.currency = account.currencies[static_cast<std::size_t>(prng.below(account.currencies.size()))];
  draw_payees(account, split, prng);
  return split;
}

void Splits::draw_payees(const Account& from, Split& split, Prng& prng) const {
  const std::uint64_t count = prng.chance(many_per_mille) ? router::split_parts_max : 1 + prng.below(4);
  for (std::uint64_t i = 0; i < count; ++i) {
    const bool across = prng.chance(across_per_mille);
    Payee payee{accounts_.draw_other(prng, from, split.currency, across).name, draw_amount(prng)};
    const std::uint64_t kind = prng.below(1000);
    if (kind < missing_per_mille) {
      payee.account = "nobody" + std::to_string(prng.below(8));
    } else if (kind < missing_per_mille + to_itself_per_mille) {
      payee.account = from.name;
    } else if (kind < missing_per_mille + to_itself_per_mille + late_per_mille) {
      payee.account = late_account_prefix + std::to_string(prng.below(late_accounts));
    }
    split.payees.push_back(std::move(payee));
  }
}

std::int64_t Splits::draw_amount(Prng& prng) const {
  const std::int64_t most = std::max<std::int64_t>(config_.opening_balance, 2);
  if (prng.chance(uncovered_per_mille)) return most * (2 + static_cast<std::int64_t>(config_.accounts));
  return prng.between(1, std::max<std::int64_t>(most / 16, 1));
}

}  // namespace coffer::sim::workload
