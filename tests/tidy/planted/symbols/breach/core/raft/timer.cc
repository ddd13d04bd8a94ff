// A clock of the standard library.
#include <chrono>

namespace coffer::raft {

long ticks() { return std::chrono::steady_clock::now().time_since_epoch().count(); }

}  // namespace coffer::raft
