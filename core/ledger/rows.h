// Rows: numbered rows of one fixed layout, kept in pages. Grows at the end, is undone at the end, forgets at the front.
// A row never moves, so views into it hold until it is popped or forgotten. Can be frozen (core/ledger/frozen_rows.h):
// before a page changes, the frozen views that need it get a copy; without views that costs one comparison.
// Single-threaded.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

#include "core/base/check.h"
#include "core/ledger/frozen_rows.h"

namespace coffer::ledger {

template <class Row>
class Rows {
 public:
  /// The first row gets number `first`.
  explicit Rows(std::uint64_t first = 0) : base_(first - first % page_rows), begin_(first), end_(first) {}
  /// The copy has no frozen views.
  Rows(const Rows& other) : base_(other.base_), begin_(other.begin_), end_(other.end_) {
    pages_.reserve(other.pages_.size());
    for (const std::unique_ptr<Page>& page : other.pages_) pages_.push_back(std::make_unique<Page>(*page));
  }
  Rows& operator=(const Rows&) = delete;
  ~Rows() {
    if (views_ != nullptr) leave_to_views();
  }

  std::uint64_t begin_number() const { return begin_; }
  std::uint64_t end_number() const { return end_; }
  std::uint64_t size() const { return end_ - begin_; }
  bool empty() const { return begin_ == end_; }

  /// Requires: begin_number() <= number < end_number() (checked).
  Row& operator[](std::uint64_t number) {
    check(number - begin_ < end_ - begin_, "a row's number is in the table");
    if (views_ != nullptr) [[unlikely]]
      keep_for_views(number / page_rows);
    return row(number);
  }
  const Row& operator[](std::uint64_t number) const {
    check(number - begin_ < end_ - begin_, "a row's number is in the table");
    return row(number);
  }
  /// Starts loading a row, of a long one the first line's worth. Requires: it is in the table (checked).
  void prefetch(std::uint64_t number) const {
    const auto* const row = reinterpret_cast<const std::byte*>(&(*this)[number]);
    __builtin_prefetch(row);
    if constexpr (cache_line % sizeof(Row) != 0) __builtin_prefetch(row + std::min(sizeof(Row), cache_line) - 1);
  }
  Row& back() { return (*this)[end_ - 1]; }

  Row& push_back(const Row& value) {
    if ((end_ - base_) / page_rows == pages_.size()) pages_.push_back(std::make_unique<Page>());
    if (views_ != nullptr) [[unlikely]]
      keep_for_views(end_ / page_rows);
    Row& added = row(end_++);
    added = value;
    return added;
  }
  void pop_back() {
    check(!empty(), "an empty table has no last row");
    --end_;
  }
  /// An empty table goes on with another number. Requires: it is empty and has no frozen views (checked).
  void restart(std::uint64_t first) {
    check(empty() && views_ == nullptr, "only an empty table goes on with another number");
    pages_.clear();
    base_ = first - first % page_rows;
    begin_ = end_ = first;
  }
  /// Forgets all rows before `number`. Requires: number <= end_number() (checked).
  void drop_before(std::uint64_t number) {
    check(number <= end_, "rows to come are not forgotten");
    begin_ = std::max(begin_, number);
    const std::uint64_t dead_pages = (begin_ - base_) / page_rows;
    if (dead_pages == 0) return;
    if (views_ != nullptr) keep_all_for_views(base_ / page_rows, base_ / page_rows + dead_pages);
    // The pages go round: what is forgotten in front is filled again at the end.
    std::rotate(pages_.begin(), pages_.begin() + static_cast<std::ptrdiff_t>(dead_pages), pages_.end());
    base_ += dead_pages * page_rows;
    const std::uint64_t needed = (end_ - base_) / page_rows + 1;
    if (pages_.size() <= needed + 1) return;
    if (views_ != nullptr) keep_all_for_views(base_ / page_rows + needed + 1, base_ / page_rows + pages_.size());
    pages_.resize(needed + 1);
  }

 private:
  static_assert(std::is_trivially_copyable_v<Row>, "a row is a fixed layout without owners");
  using Page = RowPage<Row>;
  friend class FrozenRows<Row>;

  Row& row(std::uint64_t number) { return (*pages_[(number - base_) / page_rows])[(number - base_) % page_rows]; }
  const Row& row(std::uint64_t number) const {
    return (*pages_[(number - base_) / page_rows])[(number - base_) % page_rows];
  }

  /// A page is about to change: page `page`, of the rows from page * page_rows on. Kept out of line, so that what is
  /// done for every transfer stays small enough to be inlined.
  [[gnu::noinline, gnu::cold]] void keep_for_views(std::uint64_t page) {
    const Page& content = *pages_[page - base_ / page_rows];
    for (FrozenRows<Row>* view = views_; view != nullptr; view = view->next_) view->keep(page, content);
  }
  void keep_all_for_views(std::uint64_t first_page, std::uint64_t end_page) {
    for (std::uint64_t page = first_page; page < end_page; ++page) keep_for_views(page);
  }
  /// The table ends before its views: they get its pages, the last one each page itself.
  void leave_to_views() {
    for (std::size_t at = 0; at < pages_.size(); ++at) {
      const std::uint64_t page = base_ / page_rows + at;
      FrozenRows<Row>* heir = nullptr;
      for (FrozenRows<Row>* view = views_; view != nullptr; view = view->next_) {
        if (!view->is_live(page)) continue;
        if (heir != nullptr) heir->take(page, std::make_unique<Page>(*pages_[at]));
        heir = view;
      }
      if (heir != nullptr) heir->take(page, std::move(pages_[at]));
    }
    for (FrozenRows<Row>* view = views_; view != nullptr; view = view->next_) view->table_ = nullptr;
  }

  std::vector<std::unique_ptr<Page>> pages_;
  FrozenRows<Row>* views_ = nullptr;  ///< the latest first
  std::uint64_t base_;                ///< number of the first row of the first page
  std::uint64_t begin_;               ///< first row kept
  std::uint64_t end_;                 ///< one past the last row
};

}  // namespace coffer::ledger
