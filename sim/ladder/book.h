// What one node of the small world holds of money: balances, what it calls in transit, what it has locked. A design
// changes money only here, and the judge looks only here and at what clients were told: so no design judges itself.
// It is memory: gone with its process, rebuilt by it from its disk. Single-threaded.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <utility>
#include <vector>

namespace coffer::sim::ladder {

class Book {
 public:
  enum class What : std::uint8_t { posted, locked, unlocked };
  struct Change {
    What what{};
    std::uint32_t transfer = 0;
    std::uint32_t account = 0;
    std::int64_t delta = 0;
  };

  /// Requires: not yet open (checked).
  void open(std::uint32_t account, std::int64_t balance);
  void post(std::uint32_t transfer, std::uint32_t account, std::int64_t delta);
  /// The other side of a posting whose counterpart stands in another node's book, or not yet anywhere.
  void transit(std::uint32_t transfer, std::int64_t delta);
  void lock(std::uint32_t transfer, std::uint32_t account);
  void unlock(std::uint32_t transfer, std::uint32_t account);

  bool has(std::uint32_t account) const { return balances_.contains(account); }
  /// Zero when it is not open here.
  std::int64_t balance(std::uint32_t account) const;
  const std::map<std::uint32_t, std::int64_t>& balances() const { return balances_; }
  /// What the transfers have done to the accounts, by (transfer, account); never zero.
  using Effects = std::map<std::pair<std::uint32_t, std::uint32_t>, std::int64_t>;
  const Effects& effects() const { return effects_; }
  /// By transfer; never zero.
  const std::map<std::uint32_t, std::int64_t>& in_transit() const { return transit_; }
  /// (transfer, account).
  const std::set<std::pair<std::uint32_t, std::uint32_t>>& locks() const { return locks_; }
  /// Balances and transit together, less what was there at the start: zero while every local transaction balances.
  std::int64_t imbalance() const { return imbalance_; }

  /// Between these two, changes are a rebuilding of what was, and nobody is told of them.
  void begin_replay();  ///< empties the book
  void end_replay() { replaying_ = false; }
  /// Since the last call.
  std::vector<Change> take_changes() { return std::exchange(changes_, {}); }

 private:
  void tell(const Change& change);

  std::map<std::uint32_t, std::int64_t> balances_;
  Effects effects_;
  std::map<std::uint32_t, std::int64_t> transit_;
  std::set<std::pair<std::uint32_t, std::uint32_t>> locks_;
  std::int64_t imbalance_ = 0;
  bool replaying_ = false;
  std::vector<Change> changes_;
};

}  // namespace coffer::sim::ladder
