#include "core/attic/coverage.h"

namespace coffer::attic {

void Coverage::add(Index last, const RunHead& head) {
  runs_[last] = {head.first, head.end};
  follow(last);
}

void Coverage::remove(Index last) {
  if (runs_.erase(last) > 0) follow(last);
}

void Coverage::follow(Index changed) {
  if (changed <= last_) {
    last_ = Index();
    end_ = 0;
  }
  for (auto run = runs_.upper_bound(last_); run != runs_.end() && run->second.first == end_; ++run) {
    last_ = run->first;
    end_ = run->second.end;
  }
}

}  // namespace coffer::attic
