#include "core/txn/tries.h"

#include <algorithm>

#include "core/base/check.h"
#include "core/ledger/fields.h"

namespace coffer::txn {

namespace {

constexpr std::uint8_t flag_out_of_order = 1;
constexpr std::uint8_t flag_prepared = 2;
constexpr std::size_t part_rows = 64;  ///< written at a time

void encode(const Tries::Key& key, const TryRow& row, ByteWriter& out) {
  ledger::Fields<try_row_bytes> fields;
  fields.put(key.first).put(key.second).put(row.id).put(row.transit).put(row.credit).put(row.amount);
  fields.put(
      static_cast<std::uint8_t>((row.out_of_order ? flag_out_of_order : 0) | (row.prepared ? flag_prepared : 0)));
  fields.write(out);
}

bool is_in_doubt(const TryRow& row) { return row.prepared && !row.refused(); }

}  // namespace

const TryRow* Tries::find(ShardId source, LegNumber leg) const {
  const auto found = rows_.find({source, leg});
  return found == rows_.end() ? nullptr : &found->second;
}

void Tries::add(ShardId source, LegNumber leg, const TryRow& row) {
  check(rows_.emplace(Key{source, leg}, row).second, "a leg is tried once");
  if (is_in_doubt(row)) ++in_doubt_;
}

void Tries::remove(ShardId source, LegNumber leg) {
  const auto found = rows_.find({source, leg});
  check(found != rows_.end(), "a Try has one second phase");
  if (is_in_doubt(found->second)) --in_doubt_;
  rows_.erase(found);
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
  if (is_in_doubt(row)) ++in_doubt_;
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
  const std::uint8_t flags = in.u8();
  row.prepared = flags == flag_prepared;
  // No log of legs in order leads to a Cancel before its Try.
  const bool in_order = flags == 0 || flags == flag_prepared;
  if (row.amount <= 0 || (row.transit == no_pocket) != (row.credit == no_pocket) || !in_order) in.fail();
  return row;
}

}  // namespace coffer::txn
