#include "core/txn/splits.h"

#include <utility>

#include "core/base/check.h"
#include "core/ledger/fields.h"

namespace coffer::txn {

using ledger::SecondPhase;

namespace {

void encode(const SplitRow& row, ByteWriter& out) {
  ledger::Fields<split_row_bytes> fields;
  fields.put(row.dedup).put(row.debit).put(row.second).put(row.refused).put(row.decided).put(row.decided_stamp);
  fields.put(row.parts).write(out);
}

void encode(const SplitPartRow& part, ByteWriter& out) {
  ledger::Fields<split_part_bytes - 1> fields;
  fields.put(part.target).put(part.tried).put(part.second).put(part.transit).put(part.credit).put(part.amount);
  fields.put(part.outcome).put(static_cast<std::uint8_t>(part.ended ? 1 : 0)).put(part.tried_position);
  fields.put(part.tried_stamp).put(part.ended_position).put(part.ended_stamp).write(out);
  out.short_string(part.credit_account.view());
}

}  // namespace

/// Rows stand in the order of their dedup rows.
SplitNumber Splits::find(ledger::DedupNumber dedup) const {
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
  return is_there ? static_cast<SplitNumber>(first) : no_split;
}

const SplitPartRow& Splits::part(SplitNumber number, std::uint8_t part) const {
  const SplitRow& split = rows_[number];
  check(part < split.parts, "a split has this part");
  return parts_[std::uint64_t{split.first_part} + part];
}

SplitPartRow& Splits::part(SplitNumber number, std::uint8_t part) {
  const SplitRow& split = std::as_const(rows_)[number];
  check(part < split.parts, "a split has this part");
  return parts_[std::uint64_t{split.first_part} + part];
}

SplitNumber Splits::begin(SplitRow row) {
  check(rows_.end_number() < no_split && parts_.end_number() < no_split, "splits do not run out");
  check(load(row), "splits stand in the order of their ids, each with its parts");
  return static_cast<SplitNumber>(rows_.end_number() - 1);
}

void Splits::add_part(const SplitPartRow& part) {
  check(!rows_.empty(), "a part belongs to a split");
  const SplitRow& last = std::as_const(rows_)[rows_.end_number() - 1];
  check(parts_.end_number() < std::uint64_t{last.first_part} + last.parts, "a split has so many parts");
  load(part);
}

void Splits::unbegin_last() {
  check(!rows_.empty(), "there is a split to undo");
  for (std::uint8_t part = 0; part < rows_.back().parts; ++part) {
    name_bytes_ -= parts_.back().credit_account.view().size();
    parts_.pop_back();
  }
  rows_.pop_back();
}

void Splits::export_rows(ByteWriter& out) const {
  out.u64(rows_.size());
  for (std::uint64_t number = 0; number < rows_.end_number(); ++number) {
    const SplitRow& row = rows_[number];
    encode(row, out);
    for (std::uint8_t part = 0; part < row.parts; ++part) encode(parts_[std::uint64_t{row.first_part} + part], out);
  }
}

std::uint64_t Splits::export_size() const {
  return 8 + rows_.size() * split_row_bytes + parts_.size() * split_part_bytes + name_bytes_;
}

bool Splits::Frozen::write_next(ByteWriter& out) {
  if (!counted_) {
    counted_ = true;
    out.u64(rows_.size());
    return true;
  }
  std::uint64_t parts_read = parts_.begin_number();
  const bool wrote = rows_.take_page([&](const SplitRow& row) {
    encode(row, out);
    for (std::uint8_t part = 0; part < row.parts; ++part) encode(parts_[std::uint64_t{row.first_part} + part], out);
    parts_read = std::uint64_t{row.first_part} + row.parts;  // parts are numbered in the order of their splits
  });
  parts_.release_before(parts_read);
  return wrote;
}

bool Splits::load(const SplitRow& row) {
  const SplitRow* before = rows_.empty() ? nullptr : &std::as_const(rows_)[rows_.end_number() - 1];
  const bool is_next = before == nullptr || before->dedup < row.dedup;
  const std::uint64_t parts = before == nullptr ? 0 : std::uint64_t{before->first_part} + before->parts;
  if (!is_next || rows_.end_number() >= no_split || parts != parts_.end_number() || parts >= no_split) return false;
  rows_.push_back(row).first_part = static_cast<std::uint32_t>(parts);
  return true;
}

void Splits::load(const SplitPartRow& part) {
  parts_.push_back(part);
  name_bytes_ += part.credit_account.view().size();
}

SplitRow decode_split_row(ByteReader& in) {
  SplitRow row;
  row.dedup = in.u32();
  row.debit = in.id<PocketNumber>();
  const std::uint8_t second = in.u8();
  row.refused = in.u8();
  row.decided = in.id<Position>();
  row.decided_stamp = Stamp{in.i64()};
  row.parts = in.u8();
  row.second = static_cast<SecondPhase>(second);
  if (second > static_cast<std::uint8_t>(SecondPhase::cancel) || row.parts > ledger::split_parts_max) in.fail();
  return row;
}

SplitPartRow decode_split_part(ByteReader& in) {
  SplitPartRow part;
  part.target = in.id<ShardId>();
  part.tried = in.id<LegNumber>();
  part.second = in.id<LegNumber>();
  part.transit = in.id<PocketNumber>();
  part.credit = in.id<PocketNumber>();
  part.amount = in.i64();
  part.outcome = static_cast<Outcome>(in.u8());
  const std::uint8_t ended = in.u8();
  part.ended = ended == 1;
  part.tried_position = in.id<Position>();
  part.tried_stamp = Stamp{in.i64()};
  part.ended_position = in.id<Position>();
  part.ended_stamp = Stamp{in.i64()};
  const std::string_view name = in.short_string();
  const bool is_known_outcome = part.outcome == Outcome::pending || is_logged(part.outcome);
  if (part.amount <= 0 || ended > 1 || !is_known_outcome) in.fail();
  if (!ledger::is_account_name(name) || ledger::is_reserved(name)) in.fail();
  if (in.ok()) part.credit_account = ledger::AccountName(name);
  return part;
}

}  // namespace coffer::txn
