// A strong upstream: a client that numbers what it asks for of each account, 1, 2, 3, …, in ids that say so. It sends
// the next number again until it knows what became of it, now and then one further on, as if one before had been lost,
// and now and then an old one. What to draw, and what the answers say; it knows neither time nor the network.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include "core/base/outcome.h"
#include "core/base/prng.h"
#include "sim/workload/items.h"

namespace coffer::sim::workload {

class Upstream {
 public:
  /// `source`: its own in the run, at least 1.
  explicit Upstream(std::uint64_t source) : source_(source) {}

  /// A call begins: what is drawn for it follows on from what was drawn for it before.
  void begin_call() { drawn_.clear(); }
  /// One item of the call, new or asked for before; its number among `items`.
  std::size_t draw(std::uint32_t owner, Items& items, Prng& prng);
  /// What an answer says of an item of `items`.
  void told(const Items& items, std::size_t item, Outcome outcome);

 private:
  /// Of one account.
  struct Row {
    std::uint64_t next = 1;                        ///< those before are known to be decided
    std::map<std::uint64_t, std::size_t> planned;  ///< by number: what it stands for
  };

  std::uint64_t source_;
  std::map<std::string, Row> rows_;
  std::map<std::string, std::uint64_t> drawn_;  ///< in this call, by account: the number to draw next
};

}  // namespace coffer::sim::workload
