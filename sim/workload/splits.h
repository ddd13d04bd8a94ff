// The splits a workload asks for of one tenant: drawn once, remembered for ever, so that they can be asked for again by
// any client, with the same body or a changed one.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "core/base/ids.h"
#include "core/base/money.h"
#include "core/base/prng.h"
#include "sim/workload/accounts.h"
#include "sim/workload/workload.h"

namespace coffer::sim::workload {

struct Payee {
  std::string account;
  std::int64_t amount = 0;  ///< minor units
  bool operator==(const Payee&) const = default;
};

struct Split {
  std::string account;
  TransferId id;
  Currency currency;
  std::vector<Payee> payees;
};

class Splits {
 public:
  Splits(const Config& config, const Accounts& accounts) : config_(config), accounts_(accounts) {}

  /// A new one, or one asked for before, with the same body or a changed one; its number.
  std::size_t draw(Prng& prng, Prng& ids);
  /// Under an id that may be bound to something else of its account.
  std::size_t draw_under(const std::string& account, Currency currency, const TransferId& id, Prng& prng);

  const Split& operator[](std::size_t number) const { return splits_[number]; }
  std::size_t size() const { return splits_.size(); }

 private:
  Split draw_new(Prng& prng);
  void draw_payees(const Account& from, Split& split, Prng& prng) const;
  std::int64_t draw_amount(Prng& prng) const;

  Config config_;
  const Accounts& accounts_;
  std::deque<Split> splits_;
};

}  // namespace coffer::sim::workload
