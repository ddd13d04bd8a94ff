#include "sim/workload/accounts.h"

#include <algorithm>
#include <array>

#include "core/base/check.h"

namespace coffer::sim::workload {

namespace {

/// Two, no and three decimals.
constexpr std::array<Currency, 3> currencies = {currency_of("USD"), currency_of("JPY"), currency_of("KWD")};

}  // namespace

Currency next_currency(Currency currency) {
  const auto found = std::find(currencies.begin(), currencies.end(), currency);
  return found == currencies.end() || found + 1 == currencies.end() ? currencies.front() : *(found + 1);
}

bool Account::holds(Currency currency) const {
  return std::find(currencies.begin(), currencies.end(), currency) != currencies.end();
}

Accounts::Accounts(const Config& config, const router::ShardMap& map, TenantId tenant)
    : hot_(std::min(config.hot_accounts, config.accounts)) {
  check(config.accounts >= 1, "a workload has accounts");
  check(config.currencies >= 1 && config.currencies <= currencies.size(), "a workload knows one to three currencies");
  for (std::uint32_t i = 0; i < config.accounts; ++i) {
    Account account;
    account.name = "a" + std::to_string(i);
    account.shard = map.shard_of(tenant, account.name);
    account.currencies.push_back(currencies[i % config.currencies]);
    // Every other account has a second pocket, so that an account is more than a pocket.
    if (config.currencies > 1 && i % 2 == 0) account.currencies.push_back(currencies[(i + 1) % config.currencies]);
    accounts_.push_back(std::move(account));
  }
}

const Account& Accounts::draw(Prng& prng) const {
  const bool hot = prng.chance(500);
  const std::uint64_t bound = hot && hot_ > 0 ? hot_ : accounts_.size();
  return accounts_[static_cast<std::size_t>(prng.below(bound))];
}

const Account& Accounts::draw_other(Prng& prng, const Account& from, Currency currency, bool across_shards) const {
  const std::size_t start = static_cast<std::size_t>(prng.below(accounts_.size()));
  const Account* any = &from;
  for (std::size_t i = 0; i < accounts_.size(); ++i) {
    const Account& other = accounts_[(start + i) % accounts_.size()];
    if (other.name == from.name || !other.holds(currency)) continue;
    if ((other.shard != from.shard) == across_shards) return other;
    any = &other;
  }
  return *any;
}

Currency Accounts::draw_foreign(Prng& prng, const Account& account) const {
  const std::size_t start = static_cast<std::size_t>(prng.below(currencies.size()));
  for (std::size_t i = 0; i < currencies.size(); ++i) {
    const Currency currency = currencies[(start + i) % currencies.size()];
    if (!account.holds(currency)) return currency;
  }
  return currency_of("EUR");
}

}  // namespace coffer::sim::workload
