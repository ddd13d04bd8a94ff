// The transfers a workload asks for of one tenant: drawn once, remembered for ever, so that they can be asked again, by
// the same client or another one, with the same body or a changed one.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <utility>

#include "core/base/ids.h"
#include "core/base/money.h"
#include "core/base/prng.h"
#include "core/router/protocol.h"
#include "sim/workload/accounts.h"
#include "sim/workload/workload.h"

namespace coffer::sim::workload {

struct Item {
  router::TransferOperation operation = router::TransferOperation::transfer;
  Currency currency;
  std::int64_t amount = 0;
  TransferId id;
  std::string debit;
  std::string credit;
  std::uint32_t owner = 0;  ///< the client that asked first: it asks again while the outcome is open
  bool resolved = false;    ///< a definite answer was told

  const std::string& home() const { return operation == router::TransferOperation::deposit ? credit : debit; }
  /// Views into this item.
  router::TransferItem view() const { return {operation, currency, amount, id, debit, credit}; }
};

/// A version 4 UUID of 122 drawn bits.
TransferId draw_id(Prng& prng);
/// The same, or as often as `config` says a version 7 UUID of `now`.
TransferId draw_id(const Config& config, SimTime now, Prng& prng);

class Items {
 public:
  Items(const Config& config, const Accounts& accounts) : config_(config), accounts_(accounts) {}

  /// One item of a client's next call, new or repeated; its number.
  std::size_t draw(std::uint32_t owner, SimTime now, Prng& prng, Prng& ids);
  /// Another tenant's transfer, to be asked for of this one; its number here.
  std::size_t borrow(std::uint32_t owner, const Item& item);
  /// Adds what setup wants.
  std::size_t deposit(std::uint32_t owner, const Account& account, Currency currency, std::int64_t amount, Prng& ids);
  /// All that an account has, if it has so much, to another one: rather on another shard.
  std::size_t empty_out(std::uint32_t owner, const Account& account, std::int64_t amount, Prng& prng, Prng& ids);
  /// A number of an item of the older half. Requires: size() > 0 (checked).
  std::size_t draw_old(Prng& prng) const;

  /// A new transfer, deposit or withdrawal, still without an id.
  Item sketch(Prng& prng) { return draw_new(prng); }
  /// Its number here.
  std::size_t add(Item item) {
    items_.push_back(std::move(item));
    return items_.size() - 1;
  }

  Item& operator[](std::size_t number) { return items_[number]; }
  const Item& operator[](std::size_t number) const { return items_[number]; }
  std::size_t size() const { return items_.size(); }
  /// A number of an item asked before, rather a late one. Requires: size() > 0 (checked).
  std::size_t draw_earlier(Prng& prng) const;

 private:
  Item draw_new(Prng& prng);
  Item draw_transfer(Prng& prng);
  Item draw_misfit(Prng& prng);
  Item draw_other_body(Prng& prng);
  std::int64_t draw_amount(Prng& prng) const;

  Config config_;
  const Accounts& accounts_;
  std::deque<Item> items_;
};

}  // namespace coffer::sim::workload
