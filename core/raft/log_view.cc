#include "core/raft/log_view.h"

#include <algorithm>
#include <utility>

#include "core/base/check.h"

namespace coffer::raft {

Index previous(Index index) {
  check(index.value > 0, "nothing precedes index 0");
  return Index(index.value - 1);
}

LogView::LogView(LogPlace base, std::vector<Entry> recovered) : base_(base) {
  check((base.index.value == 0) == (base.term.value == 0), "a base is a place");
  for (Entry& entry : recovered) {
    append(std::move(entry));
  }
  durable_ = last_index();
}

Term LogView::term_at(Index index) const { return index == base_.index ? base_.term : at(index).term; }

const Entry& LogView::at(Index index) const {
  check(index > base_.index && index <= last_index(), "an entry asked for is in the log");
  return entries_[position(index)];
}

bool LogView::matches(Index index, Term term) const {
  return index >= base_.index && index <= last_index() && term_at(index) == term;
}

bool LogView::covered_by(Index last_index, Term last_term) const { return covers({last_index, last_term}, last()); }

Index LogView::last_possible_match(Index prev_index, Term prev_term) const {
  check(prev_index > base_.index && !matches(prev_index, prev_term), "a hint is for a mismatch");
  // The leader's entries up to prev_index have terms up to prev_term, so ours of later terms conflict.
  Term bound = prev_term;
  const auto count = std::min(position(prev_index) + 1, entries_.size());
  if (prev_index <= last_index() && term_at(prev_index) <= bound) {
    // Ours at prev_index is of an earlier term than the leader's: leave that whole term out.
    bound = Term(term_at(prev_index).value - 1);
  }
  const auto begin = entries_.begin();
  const auto end = begin + static_cast<std::ptrdiff_t>(count);
  const auto beyond =
      std::upper_bound(begin, end, bound, [](Term term, const Entry& entry) { return term < entry.term; });
  const Index hint(base_.index.value + static_cast<std::uint64_t>(beyond - begin));
  check(hint < prev_index, "a hint goes back");
  return hint;
}

std::vector<Entry> LogView::slice(Index from, Index through, std::size_t bytes_max) const {
  check(from > base_.index && from <= through && through <= last_index(), "a slice is in the log");
  const auto begin = entries_.begin() + static_cast<std::ptrdiff_t>(position(from));
  const auto stop = entries_.begin() + static_cast<std::ptrdiff_t>(position(through) + 1);
  auto end = begin;
  for (std::size_t bytes = 0; end != stop; ++end) {
    bytes += view(end->payload).size();
    if (bytes > bytes_max && end != begin) {
      break;
    }
  }
  return {begin, end};
}

void LogView::append(Entry entry) {
  check(entry.index == last_index().next(), "the log is dense");
  check(entry.term >= last_term() && entry.term.value > 0, "terms never fall along the log");
  entries_.push_back(std::move(entry));
}

void LogView::truncate_from(Index from) {
  check(from > base_.index && from <= last_index(), "a truncation removes something");
  entries_.erase(entries_.begin() + static_cast<std::ptrdiff_t>(position(from)), entries_.end());
  durable_ = std::min(durable_, previous(from));
  ++generation_;
}

void LogView::compact(Index through) {
  check(through >= base_.index, "a base never goes back");
  const LogPlace base{through, term_at(through)};
  entries_.erase(entries_.begin(),
                 entries_.begin() + static_cast<std::ptrdiff_t>(base.index.value - base_.index.value));
  base_ = base;
}

void LogView::restore(LogPlace base) {
  check(base.index >= base_.index, "a base never goes back");
  if (matches(base.index, base.term)) {
    compact(base.index);
    return;
  }
  entries_.clear();
  durable_ = std::min(durable_, base_.index);
  base_ = base;
  ++generation_;
}

void LogView::persisted(std::uint64_t generation, Index last) {
  check(generation <= generation_, "only what was handed out becomes durable");
  if (generation != generation_) {
    return;
  }
  check(last <= last_index(), "only what was handed out becomes durable");
  durable_ = std::max(durable_, last);
}

}  // namespace coffer::raft
