#include "core/ledger/dedup.h"

#include <algorithm>
#include <utility>

#include "core/base/check.h"
#include "core/ledger/row_codec.h"

namespace coffer::ledger {

namespace {

constexpr std::uint64_t windowed_place_max = std::uint64_t{1} << 62;  ///< of what is loaded; no shard gets there
constexpr std::uint64_t leave_at_once_max = 8192;  ///< forgotten rows that leave memory in one call: some 0.5 ms
constexpr std::int64_t nanos_per_ms = 1'000'000;

}  // namespace

DedupNumber Dedup::find(AccountNumber home, const TransferId& id) const {
  return by_id_.find(hash_of(id), [&](DedupNumber number) {
    const DedupRow& found = row(number);
    return found.home == home && found.id == id && !is_forgotten(number);
  });
}

const LegLink& Dedup::link(DedupNumber number) const { return table_of(number).link_of(row(number)); }

bool Dedup::has(DedupNumber number) const {
  const Table& table = table_of(number);
  const std::uint64_t place = table.place_of(number);
  if (&table == &recalled_ || (&table == &queued_ && place < left_)) return false;
  return place < table.rows.end_number() && !is_forgotten(number);
}

const Dedup::Table& Dedup::latest() const {
  const auto is_later = [](const Table& table, std::uint64_t from, const Table& than) {
    if (table.rows.end_number() <= from) return false;
    if (than.rows.empty()) return true;
    return than.rows[than.rows.end_number() - 1].position < table.rows[table.rows.end_number() - 1].position;
  };
  const Table& unended = is_later(queued_, left_, kept_) ? queued_ : kept_;
  return is_later(windowed_, window_.first, unended) ? windowed_ : unended;
}

DedupNumber Dedup::last() const {
  if (is_source_latest()) return replaced_.back().number;
  const Table& table = latest();
  check(!table.rows.empty(), "an id is bound");
  return table.number_of(table.rows.end_number() - 1);
}

/// A function of the row and of whether there is a window: the same on every replica.
bool Dedup::has_end(const DedupRow& row) const {
  if (!has_window() || !may_end(row.operation)) return false;
  const std::optional<std::uint64_t> made = time_ms_of(row.id);
  return made && *made <= static_cast<std::uint64_t>((row.stamp.nanos + id_ahead_max.nanos) / nanos_per_ms);
}

DedupNumber Dedup::add(DedupRow row, const LegLink* link) {
  const DedupNumber source = find_source(row.home, row.id);
  if (source != no_row) return take_source(source, row, link);
  return add_to(has_end(row) ? windowed_ : is_queued(row) ? queued_ : kept_, row, link);
}

DedupNumber Dedup::add_to(Table& table, DedupRow row, const LegLink* link) {
  check(kept_.rows.size() < windowed_bit && windowed_.rows.size() < windowed_rows_max, "dedup rows do not run out");
  check(queued_.rows.size() < queued_rows_max, "dedup rows do not run out");
  check(find(row.home, row.id) == no_row, "an id is bound once");
  if (link != nullptr) {
    row.link = static_cast<std::uint32_t>(table.links.end_number() & table.mask);
    table.links.push_back(*link);
    if (link->protocol != Protocol::saga) ++links_of_others_;
  }
  const DedupNumber number = table.number_of(table.rows.end_number());
  by_id_.add(hash_of(row.id), number);
  table.rows.push_back(row);
  if (changes_account(row.operation)) ++account_changes_;
  if (row.operation == Operation::hold) ++holds_;
  if (row.operation == Operation::split) ++splits_;
  return number;
}

DedupNumber Dedup::bind(DedupRow row) {
  check(!has_passed(row.id), "an id that has passed is bound no more");
  return add(row, nullptr);
}

DedupNumber Dedup::bind(DedupRow row, const LegLink& link) {
  check(!has_passed(row.id), "an id that has passed is bound no more");
  return add(row, &link);
}

void Dedup::unbind_last(const TransferId& id) {
  if (is_source_latest()) return give_source_back(id);
  Table& table = latest();
  const DedupRow row = table.rows.back();
  check(row.id == id, "ids are unbound in reverse order");
  by_id_.remove(hash_of(id), table.number_of(table.rows.end_number() - 1));
  if (row.link != no_row) {
    check(table.widen(row.link, table.links.begin_number()) + 1 == table.links.end_number(),
          "links are undone in reverse order");
    if (table.links.back().protocol != Protocol::saga) --links_of_others_;
    table.links.pop_back();
  }
  if (changes_account(row.operation)) --account_changes_;
  if (row.operation == Operation::hold) --holds_;
  if (row.operation == Operation::split) --splits_;
  table.rows.pop_back();
}

void Dedup::finish(DedupNumber number, Outcome outcome, Position target_position, Stamp target_stamp) {
  Table& table = table_of(number);
  DedupRow& row = table.rows[table.place_of(number)];
  check(row.outcome == Outcome::pending && is_logged(outcome), "a leg is answered once");
  row.outcome = outcome;
  LegLink& link = table.link_of(row);
  link.target_position = target_position;
  link.target_stamp = target_stamp;
}

void Dedup::finish(DedupNumber number, Outcome outcome) {
  Table& table = table_of(number);
  DedupRow& row = table.rows[table.place_of(number)];
  check(row.outcome == Outcome::pending && row.link == no_row && is_logged(outcome), "a split ends once");
  row.outcome = outcome;
}

void Dedup::reopen(DedupNumber number) {
  Table& table = table_of(number);
  DedupRow& row = table.rows[table.place_of(number)];
  check(is_logged(row.outcome), "only an answered leg is reopened");
  row.outcome = Outcome::pending;
  if (row.link == no_row) return;
  LegLink& link = table.link_of(row);
  link.target_position = {};
  link.target_stamp = {};
}

void Dedup::relink(DedupNumber number, LegNumber from, LegNumber to) {
  LegLink& link = table_of(number).link_of(row(number));
  check(link.leg == from, "a transfer is known by its latest leg");
  link.leg = to;
}

std::uint64_t Dedup::count_links(const Table& table, std::uint64_t from, std::uint64_t to) {
  std::uint64_t links = 0;
  for (std::uint64_t place = from; place < to; ++place) {
    if (table.rows[place].link != no_row) ++links;
  }
  return links;
}

void Dedup::move_window(const IdWindow& before, const IdWindow& after, Position position) {
  check(window_ == before, "the window moves on from where it stands");
  check(before.passed_ms <= after.passed_ms && before.first <= after.first, "the window does not go back");
  check(after.first <= windowed_.rows.end_number(), "only rows that are there are forgotten");
  for (std::uint64_t place = before.first; place < after.first; ++place) {
    const DedupRow& row = std::as_const(windowed_).rows[place];
    const std::optional<std::uint64_t> made = time_ms_of(row.id);
    check(made && *made <= after.passed_ms, "no id is forgotten that could be bound again");
    check(row.outcome != Outcome::pending, "what is running is not forgotten");
  }
  first_link_ += count_links(windowed_, before.first, after.first);
  window_ = after;
  if (before.first != after.first) moves_.push_back({position, after.first});
}

void Dedup::unmove_window(const IdWindow& before, const IdWindow& after) {
  check(window_ == after, "moves of the window are undone in reverse order");
  if (before.first != after.first) {
    check(!moves_.empty() && moves_.back().first == after.first, "what has left memory is not remembered again");
    moves_.pop_back();
  }
  first_link_ -= count_links(windowed_, before.first, after.first);
  window_ = before;
}

void Dedup::committed(Position position) {
  while (!replaced_.empty() && replaced_.front().position <= position) replaced_.pop_front();
  while (!moves_.empty() && moves_.front().position <= position) {
    forgettable_ = moves_.front().first;
    moves_.pop_front();
  }
  drop_front(windowed_, forgettable_);
  while (!leaves_.empty() && leaves_.front().position <= position) {
    left_for_good_ = leaves_.front().first;
    leaves_.pop_front();
  }
  drop_let_go();
}

/// Rows before `forgettable` leave memory, so many at a time that it takes no step long.
void Dedup::drop_front(Table& table, std::uint64_t forgettable) {
  const std::uint64_t begin = table.rows.begin_number();
  if (forgettable <= begin) return;
  const std::uint64_t end = std::min(forgettable, begin + leave_at_once_max);
  for (std::uint64_t place = begin; place < end; ++place) {
    by_id_.remove(hash_of(std::as_const(table).rows[place].id), table.number_of(place));
  }
  table.links.drop_before(table.links.begin_number() + count_links(table, begin, end));
  table.rows.drop_before(end);
}

void Dedup::encode_rows(const Table& table, std::uint64_t first, ByteWriter& out) {
  out.u64(table.rows.end_number() - first);
  for (std::uint64_t place = first; place < table.rows.end_number(); ++place) {
    const DedupRow& row = table.rows[place];
    encode(row, row.link == no_row ? nullptr : &table.link_of(row), out);
  }
}

void Dedup::export_rows(ByteWriter& out) const {
  encode_rows(kept_, 0, out);
  if (has_window()) {
    out.u64(window_.passed_ms);
    out.u64(window_.first);
    encode_rows(windowed_, window_.first, out);
  }
  if (has_attic_) {
    out.u64(left_);
    encode_rows(queued_, left_, out);
  }
  if (has_sources()) encode_rows(sources_, 0, out);
}

std::uint64_t Dedup::export_size() const {
  const std::uint64_t sources = has_sources() ? 8 + sources_.rows.size() * dedup_bytes + source_links_ * link_bytes : 0;
  const auto size_of = [](const Table& table, std::uint64_t first, std::uint64_t first_link) {
    return 8 + (table.rows.end_number() - first) * dedup_bytes + (table.links.end_number() - first_link) * link_bytes;
  };
  return size_of(kept_, 0, 0) + sources +
         (has_window() ? window_head_bytes - 8 + size_of(windowed_, window_.first, first_link_) : 0) +
         (has_attic_ ? 8 + size_of(queued_, left_, left_first_link_) : 0);
}

bool Dedup::Frozen::View::write_next(ByteWriter& out) {
  if (!counted) {
    counted = true;
    out.u64(rows.size());
    return true;
  }
  std::uint64_t links_read = links.begin_number();
  const bool wrote = rows.take_page([&](const DedupRow& row) {
    if (row.link == no_row) return encode(row, nullptr, out);
    const std::uint64_t at = links.begin_number() + ((row.link - links.begin_number()) & mask);
    encode(row, &links[at], out);
    links_read = at + 1;  // links are numbered in the order of their rows
  });
  links.release_before(links_read);
  return wrote;
}

bool Dedup::Frozen::write_next(ByteWriter& out) {
  if (kept_.write_next(out)) return true;
  const bool has_window = window_.passed_ms > 0;
  if (has_window && !window_written_) {
    window_written_ = true;
    out.u64(window_.passed_ms);
    out.u64(window_.first);
    return true;
  }
  if (has_window && windowed_.write_next(out)) return true;
  if (has_attic_ && !attic_written_) {
    attic_written_ = true;
    out.u64(left_);
    return true;
  }
  if (has_attic_ && queued_.write_next(out)) return true;
  return (sources_.counted || sources_.rows.size() > 0) && sources_.write_next(out);
}

bool Dedup::load(DedupRow row, const LegLink& link) {
  const Table& table = has_window() ? windowed_ : kept_;
  const bool is_late = table.rows.empty() || table.rows[table.rows.end_number() - 1].position < row.position;
  const std::uint64_t rows_max = has_window() ? windowed_rows_max : windowed_bit;
  const bool fits = table.rows.size() < rows_max && (!has_window() || has_end(row));
  if (!fits || !is_late || find(row.home, row.id) != no_row) return false;
  add(row, row.link == no_row ? nullptr : &link);
  return true;
}

bool Dedup::load_window(const IdWindow& window) {
  const bool is_one = window.passed_ms > 0 && window.passed_ms <= id_time_ms_max && window.first <= windowed_place_max;
  if (!is_one || has_window()) return false;
  windowed_.rows.restart(window.first);
  forgettable_ = window.first;
  window_ = window;
  return true;
}

}  // namespace coffer::ledger
