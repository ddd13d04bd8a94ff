#include "core/txn/tries.h"

#include <algorithm>

#include "core/base/check.h"
#include "core/ledger/fields.h"

namespace coffer::txn {

namespace {

constexpr std::size_t part_rows = 64;  ///< written at a time

void encode(const Tries::Key& key, const TryRow& row, ByteWriter& out) {
  ledger::Fields<try_row_bytes> fields;
  fields.put(key.first).put(key.second).put(row.id).put(row.transit).put(row.credit).put(row.amount);
  fields.put(std::uint8_t{row.out_of_order}).write(out);
}

}  // namespace

const TryRow* Tries::find(ShardId source, LegNumber leg) const {
  const auto found = rows_.find({source, leg});
  return found == rows_.end() ? nullptr : &found->second;
}

void Tries::add(ShardId source, LegNumber leg, const TryRow& row) {
  check(rows_.emplace(Key{source, leg}, row).second, "a leg is tried once");
}

void Tries::remove(ShardId source, LegNumber leg) {
  check(rows_.erase({source, leg}) == 1, "a Try has one second phase");
}

void Tries::export_rows(ByteWriter& out) const {
  out.u64(rows_.size());
  for (const auto& [key, row] : rows_) encode(key, row, out);
}

std::uint64_t Tries::export_size() const { return 8 + rows_.size() * try_row_bytes; }

bool Tries::Frozen::write_next(ByteWriter& out) {
  if (!counted_) {
    counted_ = true;
    out.u64(rows_.size());
    return true;
  }
  if (next_ == rows_.size()) return false;
  for (const std::size_t end = std::min(rows_.size(), next_ + part_rows); next_ < end; ++next_) {
    encode(rows_[next_].first, rows_[next_].second, out);
  }
  return true;
}

bool Tries::load(ShardId source, LegNumber leg, const TryRow& row) {
  const Key key{source, leg};
  if (!rows_.empty() && rows_.rbegin()->first >= key) return false;
  rows_.emplace_hint(rows_.end(), key, row);
  return true;
}

TryRow decode_try_row(ByteReader& in, ShardId& source, LegNumber& leg) {
  TryRow row;
  source = in.id<ShardId>();
  leg = in.id<LegNumber>();
  row.id = in.uuid();
  row.transit = in.id<PocketNumber>();
  row.credit = in.id<PocketNumber>();
  row.amount = in.i64();
  const std::uint8_t out_of_order = in.u8();
  // No log of legs in order leads to a raised flag.
  if (row.amount <= 0 || (row.transit == no_pocket) != (row.credit == no_pocket) || out_of_order != 0) in.fail();
  return row;
}

}  // namespace coffer::txn
