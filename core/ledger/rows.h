// Rows: numbered rows of one fixed layout, kept in pages. Grows at the end, is undone at the end, forgets at the front.
// A row never moves, so views into it hold until it is popped or forgotten. Single-threaded.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

#include "core/base/check.h"

namespace coffer::ledger {

template <class Row>
class Rows {
 public:
  static constexpr std::uint64_t page_rows = 64;
  static_assert(std::is_trivially_copyable_v<Row>, "a row is a fixed layout without owners");

  /// The first row gets number `first`.
  explicit Rows(std::uint64_t first = 0) : base_(first - first % page_rows), begin_(first), end_(first) {}
  Rows(const Rows& other) : base_(other.base_), begin_(other.begin_), end_(other.end_) {
    pages_.reserve(other.pages_.size());
    for (const std::unique_ptr<Page>& page : other.pages_) pages_.push_back(std::make_unique<Page>(*page));
  }
  Rows(Rows&&) noexcept = default;
  Rows& operator=(const Rows&) = delete;
  Rows& operator=(Rows&&) noexcept = default;
  ~Rows() = default;

  std::uint64_t begin_number() const { return begin_; }
  std::uint64_t end_number() const { return end_; }
  std::uint64_t size() const { return end_ - begin_; }
  bool empty() const { return begin_ == end_; }

  /// Requires: begin_number() <= number < end_number() (checked).
  Row& operator[](std::uint64_t number) {
    check(number - begin_ < end_ - begin_, "a row's number is in the table");
    return row(number);
  }
  const Row& operator[](std::uint64_t number) const {
    check(number - begin_ < end_ - begin_, "a row's number is in the table");
    return row(number);
  }
  /// Starts loading a row. Requires: it is in the table (checked).
  void prefetch(std::uint64_t number) const { __builtin_prefetch(&(*this)[number]); }
  Row& back() { return (*this)[end_ - 1]; }

  Row& push_back(const Row& value) {
    if ((end_ - base_) / page_rows == pages_.size()) pages_.push_back(std::make_unique<Page>());
    Row& added = row(end_++);
    added = value;
    return added;
  }
  void pop_back() {
    check(!empty(), "an empty table has no last row");
    --end_;
  }
  /// Forgets all rows before `number`. Requires: number <= end_number() (checked).
  void drop_before(std::uint64_t number) {
    check(number <= end_, "rows to come are not forgotten");
    begin_ = std::max(begin_, number);
    const std::uint64_t dead_pages = (begin_ - base_) / page_rows;
    if (dead_pages == 0) return;
    // The pages go round: what is forgotten in front is filled again at the end.
    std::rotate(pages_.begin(), pages_.begin() + static_cast<std::ptrdiff_t>(dead_pages), pages_.end());
    base_ += dead_pages * page_rows;
    const std::uint64_t needed = (end_ - base_) / page_rows + 1;
    if (pages_.size() > needed + 1) pages_.resize(needed + 1);
  }

 private:
  using Page = std::array<Row, page_rows>;

  Row& row(std::uint64_t number) { return (*pages_[(number - base_) / page_rows])[(number - base_) % page_rows]; }
  const Row& row(std::uint64_t number) const {
    return (*pages_[(number - base_) / page_rows])[(number - base_) % page_rows];
  }

  std::vector<std::unique_ptr<Page>> pages_;
  std::uint64_t base_;   ///< number of the first row of the first page
  std::uint64_t begin_;  ///< first row kept
  std::uint64_t end_;    ///< one past the last row
};

}  // namespace coffer::ledger
