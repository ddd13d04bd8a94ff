#include "sim/workload/visitors.h"

#include <algorithm>

namespace coffer::sim::workload {

namespace {

constexpr std::size_t about_max = 4;
constexpr const char* visitor_prefix = "visitor";

}  // namespace

std::optional<Visitors::Step> Visitors::at_once(std::uint32_t client) {
  const auto found = std::find_if(about_.begin(), about_.end(),
                                  [client](const Visitor& one) { return one.leaving && one.by != client; });
  if (found == about_.end()) return std::nullopt;
  Step step{Move::close, found->account, 0};
  about_.erase(found);
  return step;
}

Visitors::Step Visitors::next(std::uint32_t client, std::int64_t amount) {
  for (auto at = about_.begin(); at != about_.end(); ++at) {
    const bool is_time = at->opening ? at->opened && !at->leaving && at->given == at->funded : at->by != client;
    if (!is_time) continue;
    const Move move = !at->opening ? Move::open : at->funded ? Move::empty : Move::give;
    const Step step{move, at->account, at->amount};
    at->opening = true;
    at->given = at->given || move == Move::give;
    at->leaving = move == Move::empty;
    at->by = client;
    if (at->leaving && !close_) about_.erase(at);
    return step;
  }
  if (about_.size() == about_max) about_.pop_front();
  Visitor visitor;
  visitor.account = visitor_prefix + std::to_string(visits_++);
  visitor.amount = amount;
  visitor.by = client;
  visitor.given = true;
  about_.push_back(visitor);
  return {Move::give, visitor.account, amount};
}

void Visitors::told(Move move, const std::string& account, bool success) {
  const auto found =
      std::find_if(about_.begin(), about_.end(), [&](const Visitor& one) { return one.account == account; });
  if (found == about_.end()) return;
  if (move == Move::give) {
    found->funded = found->funded || success;
    found->given = found->funded;
  } else if (move == Move::open && success) {
    found->opened = true;
  }
}

}  // namespace coffer::sim::workload
