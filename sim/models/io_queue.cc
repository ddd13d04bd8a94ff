#include "sim/models/io_queue.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "core/base/check.h"

namespace coffer::sim {

std::vector<IoQueue::Begun> IoQueue::submit(std::vector<IoOp>& ops) {
  std::vector<Begun> begun;
  for (IoOp& op : ops) {
    const std::uint64_t place = ++places_;
    const IoKind kind = op.kind;
    if (kind == IoKind::reserve) {
      reserves_.emplace(place, std::move(op));
      begun.push_back({place, kind});
    } else {
      lane_.push_back({place, std::move(op)});
      if (lane_.size() == 1) begun.push_back({place, kind});
    }
  }
  ops.clear();
  return begun;
}

void IoQueue::hold(std::vector<node::Send>& sends) {
  if (!sends.empty()) held_.push_back({places_, std::exchange(sends, {})});
}

IoQueue::Finished IoQueue::finish(std::uint64_t place) {
  Finished finished;
  const auto reserve = reserves_.find(place);
  if (reserve != reserves_.end()) {
    finished.op = std::move(reserve->second);
    reserves_.erase(reserve);
    return finished;
  }
  check(!lane_.empty() && lane_.front().place == place, "operations end in the order they began");
  finished.op = std::move(lane_.front().op);
  lane_.pop_front();
  if (!lane_.empty()) finished.begun.push_back({lane_.front().place, lane_.front().op.kind});
  return finished;
}

std::vector<node::Send> IoQueue::release() {
  std::vector<node::Send> released;
  if (poisoned_) return released;
  std::uint64_t oldest = UINT64_MAX;
  if (!lane_.empty()) oldest = lane_.front().place;
  if (!reserves_.empty()) oldest = std::min(oldest, reserves_.begin()->first);
  while (!held_.empty() && held_.front().barrier < oldest) {
    std::move(held_.front().sends.begin(), held_.front().sends.end(), std::back_inserter(released));
    held_.pop_front();
  }
  return released;
}

std::vector<IoOp> IoQueue::cut_off(Prng& prng) {
  std::vector<IoOp> executed;
  const bool some = prng.chance(300);
  const std::uint64_t done = some ? prng.below(lane_.size() + 1) : 0;
  for (std::uint64_t i = 0; i < done; ++i) executed.push_back(std::move(lane_[i].op));
  for (auto& [place, op] : reserves_) {
    if (prng.chance(500)) executed.push_back(std::move(op));
  }
  *this = IoQueue();
  return executed;
}

}  // namespace coffer::sim
