// Rows that leave the state for the attic: the queue, and what is recalled of them (docs/decisions/0012, section 3).
#include <algorithm>
#include <utility>

#include "core/base/check.h"
#include "core/ledger/dedup.h"

namespace coffer::ledger {

namespace {

constexpr std::uint64_t queued_place_max = std::uint64_t{1} << 48;  ///< of what is loaded; a run says no more

}  // namespace

/// Numbers stay in memory: the ids of sources and of captures (core/base/uuid_number.h).
bool Dedup::may_leave(const TransferId& id) { return !id_number_of(id).has_value(); }

bool Dedup::is_queued(const DedupRow& row) const {
  return has_attic_ && moves_money(row.operation) && may_leave(row.id);
}

void Dedup::open_attic() {
  check(!has_attic_, "an attic is opened once");
  has_attic_ = true;
}

void Dedup::close_attic() {
  check(has_attic_ && left_ == 0 && queued_.rows.empty() && leaves_.empty(), "what is in use is not closed");
  has_attic_ = false;
}

void Dedup::leave(std::uint64_t before, std::uint64_t after, Position position) {
  check(has_attic_ && left_ == before, "rows leave from where the queue stands");
  check(before <= after && after <= queued_.rows.end_number(), "only rows that are there leave");
  for (std::uint64_t place = before; place < after; ++place) {
    check(std::as_const(queued_).rows[place].outcome != Outcome::pending, "what is running does not leave");
  }
  left_first_link_ += count_links(queued_, before, after);
  left_ = after;
  if (before != after) leaves_.push_back({position, after});
}

void Dedup::return_left(std::uint64_t before, std::uint64_t after) {
  check(left_ == after, "rows return in reverse order");
  if (before != after) {
    check(!leaves_.empty() && leaves_.back().first == after, "what has left for good does not return");
    leaves_.pop_back();
  }
  left_first_link_ -= count_links(queued_, before, after);
  left_ = before;
}

void Dedup::let_go(std::uint64_t place) {
  let_go_ = std::max(let_go_, place);
  drop_let_go();
}

void Dedup::drop_let_go() { drop_front(queued_, std::min(left_for_good_, let_go_)); }

void Dedup::recall(DedupRow row, const LegLink& link) {
  if (find(row.home, row.id) != no_row) return;
  check(recalled_.rows.size() < recalled_rows_max, "few rows are recalled for one question");
  if (row.link != no_row) {
    row.link = static_cast<std::uint32_t>(recalled_.links.end_number());
    recalled_.links.push_back(link);
  }
  by_id_.add(hash_of(row.id), recalled_.number_of(recalled_.rows.end_number()));
  recalled_.rows.push_back(row);
}

void Dedup::forget_recalled() {
  while (!recalled_.rows.empty()) {
    const DedupRow& last = recalled_.rows.back();
    by_id_.remove(hash_of(last.id), recalled_.number_of(recalled_.rows.end_number() - 1));
    recalled_.rows.pop_back();
  }
  while (!recalled_.links.empty()) recalled_.links.pop_back();
}

bool Dedup::load_attic(std::uint64_t left) {
  if (has_attic_ || left > queued_place_max) return false;
  queued_.rows.restart(left);
  left_ = left_for_good_ = let_go_ = left;
  has_attic_ = true;
  return true;
}

bool Dedup::load_queued(DedupRow row, const LegLink& link) {
  const auto& rows = std::as_const(queued_).rows;
  const bool is_late = rows.empty() || rows[rows.end_number() - 1].position < row.position;
  const bool fits = rows.size() < queued_rows_max - 1 && is_queued(row);
  if (!fits || !is_late || find(row.home, row.id) != no_row) return false;
  add_to(queued_, row, row.link == no_row ? nullptr : &link);
  return true;
}

}  // namespace coffer::ledger
