#include "core/log/stream_extent.h"

#include <algorithm>

#include "core/base/check.h"

namespace coffer::log {

LogExtent::LogExtent(const Standing& standing) : base_(standing.base), last_(standing.last.index), standing_(standing) {
  if (standing.last.index > standing.base.index) {
    terms_.push_back({standing.last.index, standing.last.term});
  }
}

LogPlace LogExtent::last() const { return {last_, term_at(last_).value_or(base_.term)}; }

std::optional<Term> LogExtent::term_at(Index index) const {
  if (index == base_.index) return base_.term;
  const auto behind =
      std::find_if(terms_.rbegin(), terms_.rend(), [index](const TermRun& run) { return run.first <= index; });
  if (behind == terms_.rend() || index > last_) return std::nullopt;
  return behind->term;
}

bool LogExtent::holds(const LogPlace& place) const {
  return place.index >= base_.index && term_at(place.index) == std::optional(place.term);
}

void LogExtent::touch(Index from) {
  changed_ = true;
  changed_from_ = std::min(changed_from_.value_or(from), from);
}

void LogExtent::append(Index index, Term term) {
  check(index == last_.next(), "a log is dense");
  if (terms_.empty() || terms_.back().term != term) {
    terms_.push_back({index, term});
  }
  last_ = index;
  touch(index);
}

void LogExtent::truncate(Index from) {
  check(from > base_.index && from <= last_.next(), "a truncation begins inside the log");
  last_ = Index(from.value - 1);
  while (!terms_.empty() && terms_.back().first > last_) {
    terms_.pop_back();
  }
  touch(from);
}

void LogExtent::restore(const LogPlace& base, bool keeps) {
  check(base.index >= base_.index && (!keeps || base.index <= last_), "a base only moves forward");
  changed_ = true;
  base_ = base;
  if (!keeps || last_ == base.index) {
    last_ = base.index;
    terms_.clear();
    changed_from_.reset();
    return;
  }
  while (terms_.size() > 1 && terms_[1].first <= base.index.next()) {
    terms_.pop_front();
  }
}

void LogExtent::settle(std::uint64_t segment) {
  if (!changed_) return;
  changed_ = false;
  standing_ = {base_, last()};
  if (changed_from_) {
    while (!placements_.empty() && placements_.back().first >= *changed_from_) {
      placements_.pop_back();
    }
    if (last_ >= *changed_from_ && (placements_.empty() || placements_.back().segment != segment)) {
      placements_.push_back({*changed_from_, segment});
    }
    changed_from_.reset();
  }
  while (placements_.size() > 1 && placements_[1].first <= base_.index.next()) {
    placements_.pop_front();
  }
  if (last_ == base_.index) {
    placements_.clear();
  }
}

std::optional<std::uint64_t> LogExtent::lowest_segment() const {
  return placements_.empty() ? std::nullopt : std::optional(placements_.front().segment);
}

}  // namespace coffer::log
