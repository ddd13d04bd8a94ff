// Broken invariants. `check` is on in every build: a wallet that knows it is wrong must stop.
// The failure travels as an exception so that the simulator can call it a verdict; nothing in core, net or cli
// catches it, so that on real hardware it ends the process.
#pragma once

#include <source_location>

namespace coffer {

/// Thrown by check(). Deliberately not derived from std::exception: no edge handler may swallow it by accident.
struct CheckFailure {
  const char* why;
  std::source_location where;
};

[[noreturn]] inline void check_failed(const char* why, std::source_location where = std::source_location::current()) {
  throw CheckFailure{why, where};
}

/// Ends the process (the run, in the simulator) unless `condition` holds. `why` states the invariant that should hold.
constexpr void check(bool condition, const char* why, std::source_location where = std::source_location::current()) {
  if (!condition) [[unlikely]] {
    check_failed(why, where);
  }
}

}  // namespace coffer
