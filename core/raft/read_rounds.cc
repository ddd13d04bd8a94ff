#include "core/raft/read_rounds.h"

#include "core/base/check.h"

namespace coffer::raft {
namespace {

void move_all(std::vector<std::uint64_t>& from, std::vector<std::uint64_t>& to) {
  to.insert(to.end(), from.begin(), from.end());
  from.clear();
}

}  // namespace

void ReadRounds::begin() {
  check(!under_way_, "one read round at a time");
  ++round_;
  under_way_ = true;
  move_all(waiting_, asked_);
}

void ReadRounds::acknowledged() {
  check(under_way_, "a round ends once");
  under_way_ = false;
  move_all(asked_, proven_);
}

void ReadRounds::take_proven(std::vector<std::uint64_t>& ids) { move_all(proven_, ids); }

void ReadRounds::drop(std::vector<std::uint64_t>& ids) {
  move_all(proven_, ids);
  move_all(asked_, ids);
  move_all(waiting_, ids);
  under_way_ = false;
}

}  // namespace coffer::raft
