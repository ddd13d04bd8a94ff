#include "sim/models/io_queue.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "core/base/check.h"

namespace coffer::sim {

namespace {

/// Whether words may depend on it.
bool holds_back(const IoOp& op) {
  if (op.lane == IoLane::background) return false;
  switch (op.kind) {
    case IoKind::write:
    case IoKind::sync:
    case IoKind::sync_dir:
    case IoKind::rename:
    case IoKind::remove:
      return true;
    case IoKind::read:
    case IoKind::list:
    case IoKind::reserve:
      return false;
  }
  check_failed("an operation has a kind");
}

bool touches(const IoOp& op, const std::string& file) {
  return !file.empty() && (op.file == file || op.target == file);
}

}  // namespace

bool IoQueue::other_lane_touches(const IoOp& op) const {
  const Lane& other = lanes_[op.lane == IoLane::stream ? 1 : 0];
  return std::any_of(other.begin(), other.end(), [&](const Operation& waiting) {
    return touches(waiting.op, op.file) || touches(waiting.op, op.target);
  });
}

std::vector<IoQueue::Begun> IoQueue::submit(std::vector<IoOp>& ops) {
  std::vector<Begun> begun;
  for (IoOp& op : ops) {
    const Begun next{++places_, op.kind, op.lane};
    if (op.kind == IoKind::reserve) {
      reserves_.emplace(next.place, std::move(op));
      begun.push_back(next);
      continue;
    }
    check(!other_lane_touches(op), "a file is touched by one lane at a time");
    Lane& lane = lane_of(op);
    lane.push_back({next.place, std::move(op)});
    if (lane.size() == 1) begun.push_back(next);
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
  const auto lane = std::find_if(lanes_.begin(), lanes_.end(),
                                 [place](const Lane& one) { return !one.empty() && one.front().place == place; });
  check(lane != lanes_.end(), "operations end in the order they began");
  finished.op = std::move(lane->front().op);
  lane->pop_front();
  if (!lane->empty()) {
    const Operation& next = lane->front();
    finished.begun.push_back({next.place, next.op.kind, next.op.lane});
  }
  return finished;
}

void IoQueue::returned(const IoOp& op, IoStatus status) {
  // A name that was not there to remove is no loss; everything else is.
  const bool well = status == IoStatus::ok || (status == IoStatus::not_found && op.kind == IoKind::remove);
  if (holds_back(op) && !well) poisoned_ = true;
}

std::vector<node::Send> IoQueue::release() {
  std::vector<node::Send> released;
  if (poisoned_) return released;
  const Lane& lane = lanes_[static_cast<std::size_t>(IoLane::stream)];
  const auto oldest = std::find_if(lane.begin(), lane.end(), [](const Operation& one) { return holds_back(one.op); });
  const std::uint64_t end = oldest == lane.end() ? UINT64_MAX : oldest->place;
  while (!held_.empty() && held_.front().barrier < end) {
    std::move(held_.front().sends.begin(), held_.front().sends.end(), std::back_inserter(released));
    held_.pop_front();
  }
  return released;
}

bool IoQueue::pending() const {
  return !reserves_.empty() ||
         std::any_of(lanes_.begin(), lanes_.end(), [](const Lane& lane) { return !lane.empty(); });
}

std::vector<IoOp> IoQueue::cut_off(Prng& prng) {
  std::vector<IoOp> executed;
  for (Lane& lane : lanes_) {
    const bool some = prng.chance(300);
    const std::uint64_t done = some ? prng.below(lane.size() + 1) : 0;
    for (std::uint64_t i = 0; i < done; ++i) executed.push_back(std::move(lane[i].op));
  }
  for (auto& [place, op] : reserves_) {
    if (prng.chance(500)) executed.push_back(std::move(op));
  }
  *this = IoQueue();
  return executed;
}

}  // namespace coffer::sim
