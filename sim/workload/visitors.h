// Accounts that come and go while faults strike: one client gives to an account that nobody has opened yet, another
// opens it, one empties it, and another closes it before the money has arrived elsewhere. Each step races with the one
// before it. Judges nothing; a pure function of what it is asked and told. Single-threaded.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>

namespace coffer::sim::workload {

class Visitors {
 public:
  enum class Move : std::uint8_t { give, open, empty, close };
  struct Step {
    Move move = Move::give;
    std::string account;
    std::int64_t amount = 0;  ///< give, empty
  };

  /// `close`: accounts that are emptied are closed.
  explicit Visitors(bool close) : close_(close) {}

  /// What cannot wait: closes what another client is emptying.
  std::optional<Step> at_once(std::uint32_t client);
  /// The next step of an account for which it is time, by another client than the one before; or a new account, which
  /// gets `amount`.
  Step next(std::uint32_t client, std::int64_t amount);

  /// What an attempt of a step was told for good.
  void told(Move move, const std::string& account, bool success);

 private:
  struct Visitor {
    std::string account;
    std::int64_t amount = 0;
    std::uint32_t by = 0;  ///< who made the last step
    bool given = false;    ///< asked, and not refused
    bool funded = false;   ///< told so
    bool opening = false;  ///< asked
    bool opened = false;   ///< told so
    bool leaving = false;
  };

  bool close_;
  std::deque<Visitor> about_;  ///< oldest first
  std::uint32_t visits_ = 0;
};

}  // namespace coffer::sim::workload
