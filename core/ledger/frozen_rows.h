// Frozen rows: a table's rows as they were at one moment, while the table goes on. Copy on write by pages: nothing is
// copied when a view is made; when the table is about to change a page that a view still needs, the view gets a copy
// of the page first. The table's own pages stay where they are, so that its rows never move.
//
// A view outlives changes, undoing, forgetting and the end of its table. What has been read is released and never
// copied. Single-threaded.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "core/base/check.h"

namespace coffer::ledger {

inline constexpr std::uint64_t page_rows = 64;

/// Begins on a cache line, so that a row whose size divides one never lies across two.
inline constexpr std::size_t cache_line = 64;
template <class Row>
struct alignas(cache_line) RowPage : std::array<Row, page_rows> {};

template <class Row>
class Rows;

template <class Row>
class FrozenRows {
 public:
  /// The rows of `table` from number `from` on, as they are now. Requires: table.begin_number() <= from (checked).
  FrozenRows(Rows<Row>& table, std::uint64_t from)
      : table_(&table), next_(table.views_), begin_(from), end_(table.end_number()) {
    check(table.begin_number() <= begin_ && begin_ <= end_, "rows frozen are in the table");
    first_page_ = begin_ / page_rows;
    const std::uint64_t pages = begin_ == end_ ? 0 : (end_ - 1) / page_rows + 1 - first_page_;
    live_.assign((pages + word_bits - 1) / word_bits, 0);
    for (std::uint64_t page = 0; page < pages; ++page) live_[page / word_bits] |= bit_of(page);
    table.views_ = this;
  }
  explicit FrozenRows(Rows<Row>& table) : FrozenRows(table, table.begin_number()) {}
  FrozenRows(const FrozenRows&) = delete;
  FrozenRows& operator=(const FrozenRows&) = delete;
  ~FrozenRows() {
    if (table_ == nullptr) return;
    FrozenRows** at = &table_->views_;
    while (*at != this) at = &(*at)->next_;
    *at = next_;
  }

  std::uint64_t begin_number() const { return begin_; }
  std::uint64_t end_number() const { return end_; }
  std::uint64_t size() const { return end_ - begin_; }
  /// Pages the view holds for itself.
  std::size_t copied_pages() const { return copies_.size(); }

  /// The row as it was. Requires: begin_number() <= number < end_number() (checked).
  const Row& operator[](std::uint64_t number) const {
    check(number - begin_ < end_ - begin_, "a row's number is in the view");
    const std::uint64_t page = number / page_rows;
    if (is_live(page)) return table_->row(number);
    return (*copies_.at(page))[number % page_rows];
  }
  /// Rows before `number` have been read: they are gone from the view, and no longer copied for it.
  void release_before(std::uint64_t number) {
    check(number <= end_, "rows released are in the view");
    const std::uint64_t whole = number == end_ ? (end_ + page_rows - 1) / page_rows : number / page_rows;
    for (std::uint64_t page = begin_ / page_rows; page < whole; ++page) {
      if (is_live(page)) live_[(page - first_page_) / word_bits] &= ~bit_of(page - first_page_);
    }
    copies_.erase(copies_.begin(), copies_.lower_bound(whole));
    begin_ = std::max(begin_, number);
  }
  /// Visits the rows of the first page that is left, and releases them. False: nothing is left.
  template <class Visit>
  bool take_page(Visit&& visit) {
    if (begin_ == end_) return false;
    const std::uint64_t next = std::min(end_, begin_ - begin_ % page_rows + page_rows);
    for (std::uint64_t number = begin_; number < next; ++number) visit((*this)[number]);
    release_before(next);
    return true;
  }

 private:
  friend class Rows<Row>;
  static constexpr std::uint64_t word_bits = 64;
  static std::uint64_t bit_of(std::uint64_t page) { return std::uint64_t{1} << page % word_bits; }

  /// Whether page `page`, of the rows from page * page_rows on, is still read from the table.
  bool is_live(std::uint64_t page) const {
    const std::uint64_t at = page - first_page_;
    return at / word_bits < live_.size() && (live_[at / word_bits] & bit_of(at)) != 0;
  }
  /// The table's page is about to change.
  void keep(std::uint64_t page, const RowPage<Row>& content) {
    if (is_live(page)) take(page, std::make_unique<RowPage<Row>>(content));
  }
  void take(std::uint64_t page, std::unique_ptr<RowPage<Row>> content) {
    live_[(page - first_page_) / word_bits] &= ~bit_of(page - first_page_);
    copies_.emplace(page, std::move(content));
  }

  Rows<Row>* table_;  ///< null when the table is gone: then no page is live
  FrozenRows* next_;  ///< the table's view made before this one
  std::uint64_t begin_;
  std::uint64_t end_;
  std::uint64_t first_page_ = 0;
  std::vector<std::uint64_t> live_;  ///< a bit for each page, from first_page_ on
  std::map<std::uint64_t, std::unique_ptr<RowPage<Row>>> copies_;
};

}  // namespace coffer::ledger
