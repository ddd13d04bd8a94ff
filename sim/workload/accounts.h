// The accounts of one tenant that a workload plays with: names, currencies, and which shard holds each. A pure function
// of the config.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/ids.h"
#include "core/base/money.h"
#include "core/base/prng.h"
#include "core/router/shard_map.h"
#include "sim/workload/workload.h"

namespace coffer::sim::workload {

/// Accounts that a run may open while faults strike: "late0" and on.
inline constexpr const char* late_account_prefix = "late";
inline constexpr std::uint32_t late_accounts = 8;

struct Account {
  std::string name;
  ShardId shard;
  std::vector<Currency> currencies;  ///< of its pockets; never empty

  bool holds(Currency currency) const;
};

/// Another one of the table.
Currency next_currency(Currency currency);

class Accounts {
 public:
  Accounts(const Config& config, const router::ShardMap& map, TenantId tenant);

  const std::vector<Account>& all() const { return accounts_; }
  /// Any account; half of the draws give a hot one.
  const Account& draw(Prng& prng) const;
  /// Another account with a pocket in this currency, on another shard or on the same one as asked; where there is none,
  /// on any shard; where there is none at all, `from` itself.
  const Account& draw_other(Prng& prng, const Account& from, Currency currency, bool across_shards) const;
  /// A currency this account has no pocket in.
  Currency draw_foreign(Prng& prng, const Account& account) const;

 private:
  std::vector<Account> accounts_;
  std::uint32_t hot_;
};

}  // namespace coffer::sim::workload
