// The holds a workload asks for of one tenant: drawn once, remembered for ever, so that they can be asked for again,
// captured, voided and read by any client.
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

/// What is asked of a hold to be captured.
struct Capture {
  Currency currency;
  std::int64_t amount = 0;
  std::string credit;
  bool operator==(const Capture&) const = default;
};

struct Hold {
  std::string account;
  TransferId id;
  Currency currency;
  std::int64_t amount = 0;
  std::uint64_t expires_in_ms = 0;
  std::uint32_t owner = 0;        ///< the client that asked first
  std::vector<Capture> captures;  ///< asked for
  bool placed = false;            ///< told so
  bool ended = false;             ///< told so
};

class Holds {
 public:
  /// Clients wait, when all else is done, until what expires so soon must have ended.
  static constexpr std::uint64_t soon_ms = 4000;

  Holds(const Config& config, const Accounts& accounts) : config_(config), accounts_(accounts) {}

  /// A new one, or one asked for before, with the same body or a changed one; its number.
  std::size_t draw(std::uint32_t owner, Prng& prng, Prng& ids);
  /// Under an id that is bound to something else of its account.
  std::size_t draw_under(std::uint32_t owner, const std::string& account, Currency currency, const TransferId& id,
                         Prng& prng);
  /// Of a hold: one asked for before, or another one.
  Capture draw_capture(std::size_t number, Prng& prng);
  /// One asked for before, rather a late one; of one of these accounts where there is one. Requires: size() > 0
  /// (checked).
  std::size_t draw_earlier(Prng& prng, const std::vector<std::string>& accounts) const;

  /// The same, but rather one that is live.
  std::size_t draw_to_capture(Prng& prng, const std::vector<std::string>& accounts) const;

  /// Whoever is told that a hold has ended knows it of all that were asked for under its id.
  void ended(const std::string& account, const TransferId& id);

  Hold& operator[](std::size_t number) { return holds_[number]; }
  const Hold& operator[](std::size_t number) const { return holds_[number]; }
  std::size_t size() const { return holds_.size(); }

 private:
  Hold draw_new(Prng& prng);
  std::int64_t draw_amount(Prng& prng) const;

  Config config_;
  const Accounts& accounts_;
  std::deque<Hold> holds_;
};

}  // namespace coffer::sim::workload
