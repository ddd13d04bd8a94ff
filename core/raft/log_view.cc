#include "core/raft/log_view.h"

#include <algorithm>
#include <utility>

#include "core/base/check.h"

namespace coffer::raft {

Index previous(Index index) {
  check(index.value > 0, "nothing precedes index 0");
  return Index(index.value - 1);
}

LogView::LogView(std::vector<Entry> recovered) {
  for (Entry& entry : recovered) {
    append(std::move(entry));
  }
  durable_ = last_index();
}

Term LogView::term_at(Index index) const { return index.value == 0 ? Term() : at(index).term; }

const Entry& LogView::at(Index index) const {
  check(index.value >= 1 && index <= last_index(), "an entry asked for is in the log");
  return entries_[index.value - 1];
}

bool LogView::matches(Index index, Term term) const { return index <= last_index() && term_at(index) == term; }

bool LogView::covered_by(Index last_index, Term last_term) const {
  if (last_term != this->last_term()) {
    return last_term > this->last_term();
  }
  return last_index >= this->last_index();
}

Index LogView::last_possible_match(Index prev_index, Term prev_term) const {
  check(!matches(prev_index, prev_term), "a hint is for a mismatch");
  // The leader's entries up to prev_index have terms up to prev_term, so ours of later terms conflict.
  Term bound = prev_term;
  std::uint64_t count = std::min(prev_index, last_index()).value;
  if (prev_index <= last_index() && term_at(prev_index) <= bound) {
    // Ours at prev_index is of an earlier term than the leader's: leave that whole term out.
    bound = Term(term_at(prev_index).value - 1);
  }
  const auto begin = entries_.begin();
  const auto end = begin + static_cast<std::ptrdiff_t>(count);
  const auto beyond =
      std::upper_bound(begin, end, bound, [](Term term, const Entry& entry) { return term < entry.term; });
  count = static_cast<std::uint64_t>(beyond - begin);
  check(count < prev_index.value, "a hint goes back");
  return Index(count);
}

std::vector<Entry> LogView::slice(Index from, std::size_t bytes_max) const {
  check(from.value >= 1 && from <= last_index(), "a slice begins in the log");
  std::size_t bytes = 0;
  std::uint64_t end = from.value;
  while (end <= last_index().value) {
    bytes += view(entries_[end - 1].payload).size();
    if (bytes > bytes_max && end > from.value) {
      break;
    }
    ++end;
  }
  const auto begin = entries_.begin();
  return {begin + static_cast<std::ptrdiff_t>(from.value - 1), begin + static_cast<std::ptrdiff_t>(end - 1)};
}

void LogView::append(Entry entry) {
  check(entry.index == last_index().next(), "the log is dense");
  check(entry.term >= last_term() && entry.term.value > 0, "terms never fall along the log");
  entries_.push_back(std::move(entry));
}

void LogView::truncate_from(Index from) {
  check(from.value >= 1 && from <= last_index(), "a truncation removes something");
  entries_.erase(entries_.begin() + static_cast<std::ptrdiff_t>(from.value - 1), entries_.end());
  durable_ = std::min(durable_, previous(from));
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
