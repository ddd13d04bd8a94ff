#include "core/txn/holds.h"

#include "core/base/check.h"
#include "core/ledger/fields.h"

namespace coffer::txn {

using ledger::HoldEnd;

namespace {

void encode(const HoldRow& row, ByteWriter& out) {
  ledger::Fields<hold_row_bytes> fields;
  fields.put(row.dedup).put(row.pocket).put(row.amount).put(row.expires).put(row.end).write(out);
}

}  // namespace

/// Rows stand in the order of their dedup rows.
HoldNumber Holds::find(ledger::DedupNumber dedup) const {
  std::uint64_t first = 0;
  std::uint64_t end = rows_.end_number();
  while (first < end) {
    const std::uint64_t middle = first + (end - first) / 2;
    if (rows_[middle].dedup < dedup) {
      first = middle + 1;
    } else {
      end = middle;
    }
  }
  const bool is_there = first < rows_.end_number() && rows_[first].dedup == dedup;
  return is_there ? static_cast<HoldNumber>(first) : no_hold;
}

HoldNumber Holds::place(const HoldRow& row) {
  check(rows_.end_number() < no_hold, "holds do not run out");
  check(row.end == HoldEnd::live, "a hold just placed is live");
  check(rows_.empty() || rows_[rows_.end_number() - 1].dedup < row.dedup, "holds stand in the order of their ids");
  const auto number = static_cast<HoldNumber>(rows_.end_number());
  rows_.push_back(row);
  live_.emplace(row.expires, number);
  return number;
}

void Holds::unplace_last() {
  check(!rows_.empty(), "there is a hold to undo");
  const auto number = static_cast<HoldNumber>(rows_.end_number() - 1);
  check(live_.erase({rows_[number].expires, number}) == 1, "the end of a hold is undone before its placing");
  rows_.pop_back();
}

void Holds::end(HoldNumber number, HoldEnd how) {
  HoldRow& row = rows_[number];
  check(row.end == HoldEnd::live && how != HoldEnd::live, "a hold ends once");
  row.end = how;
  live_.erase({row.expires, number});
}

void Holds::revive(HoldNumber number, HoldEnd how) {
  HoldRow& row = rows_[number];
  check(row.end == how && how != HoldEnd::live, "what is undone is the end the hold had");
  row.end = HoldEnd::live;
  live_.emplace(row.expires, number);
}

void Holds::export_rows(ByteWriter& out) const {
  out.u64(rows_.size());
  for (std::uint64_t number = 0; number < rows_.end_number(); ++number) encode(rows_[number], out);
}

std::uint64_t Holds::export_size() const { return 8 + rows_.size() * hold_row_bytes; }

bool Holds::Frozen::write_next(ByteWriter& out) {
  if (!counted_) {
    counted_ = true;
    out.u64(rows_.size());
    return true;
  }
  return rows_.take_page([&out](const HoldRow& row) { encode(row, out); });
}

bool Holds::load(const HoldRow& row) {
  const bool is_next = rows_.empty() || rows_[rows_.end_number() - 1].dedup < row.dedup;
  if (!is_next || rows_.end_number() >= no_hold) return false;
  const auto number = static_cast<HoldNumber>(rows_.end_number());
  rows_.push_back(row);
  if (row.end == HoldEnd::live) live_.emplace(row.expires, number);
  return true;
}

HoldRow decode_hold_row(ByteReader& in) {
  HoldRow row;
  row.dedup = in.u32();
  row.pocket = in.id<PocketNumber>();
  row.amount = in.i64();
  row.expires = Stamp{in.i64()};
  const std::uint8_t end = in.u8();
  if (row.amount <= 0 || end > static_cast<std::uint8_t>(ledger::last_hold_end)) in.fail();
  row.end = static_cast<HoldEnd>(end);
  return row;
}

}  // namespace coffer::txn
