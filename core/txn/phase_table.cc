#include "core/txn/phase_table.h"

#include "core/base/check.h"
#include "core/ledger/fields.h"

namespace coffer::txn {

namespace {

constexpr std::size_t target_bytes = 4 + 8 + 8;

void encode_target(ShardId target, std::uint64_t next, std::uint64_t first_unanswered, ByteWriter& out) {
  out.id(target);
  out.u64(next);
  out.u64(first_unanswered);
}

void encode(const PhaseRow& row, PhaseFormat format, ByteWriter& out) {
  ledger::Fields<phase_row_bytes - 1> fields;
  fields.put(row.dedup).put(row.debit).put(row.transit).put(row.amount).write(out);
  out.short_string(row.credit_account.view());
  if (format == PhaseFormat::plain) return;
  out.u8(static_cast<std::uint8_t>(row.second));
  if (row.second == ledger::SecondPhase::none) return;
  ledger::Fields<second_bytes> second;
  second.put(row.tried).put(row.position).put(row.stamp).write(out);
}

}  // namespace

const PhaseTable::Outgoing* PhaseTable::find(ShardId target) const {
  const auto found = by_target_.find(target);
  return found == by_target_.end() ? nullptr : &found->second;
}

PhaseTable::Outgoing& PhaseTable::existing(ShardId target) {
  const auto found = by_target_.find(target);
  check(found != by_target_.end(), "legs were started to this target");
  return found->second;
}

LegNumber PhaseTable::next(ShardId target) const {
  const Outgoing* outgoing = find(target);
  return LegNumber(outgoing ? outgoing->rows.end_number() : 1);
}

LegNumber PhaseTable::first_unanswered(ShardId target) const {
  const Outgoing* outgoing = find(target);
  return LegNumber(outgoing ? outgoing->first_unanswered : 1);
}

const PhaseRow& PhaseTable::unanswered(ShardId target, LegNumber number) const {
  const Outgoing* outgoing = find(target);
  check(outgoing && number.value >= outgoing->first_unanswered && number.value < outgoing->rows.end_number(),
        "the leg is unanswered");
  return outgoing->rows[number.value];
}

void PhaseTable::count_in(Outgoing& outgoing, const PhaseRow& row) {
  outgoing.name_bytes += row.credit_account.view().size();
  if (row.second != ledger::SecondPhase::none) ++outgoing.seconds;
}

void PhaseTable::count_out(Outgoing& outgoing, const PhaseRow& row) {
  outgoing.name_bytes -= row.credit_account.view().size();
  if (row.second != ledger::SecondPhase::none) --outgoing.seconds;
}

std::vector<ShardId> PhaseTable::targets() const {
  std::vector<ShardId> targets;
  for (const auto& [target, outgoing] : by_target_) targets.push_back(target);
  return targets;
}

void PhaseTable::start(ShardId target, LegNumber number, const PhaseRow& row) {
  Outgoing& outgoing = by_target_[target];
  check(number.value == outgoing.rows.end_number(), "legs are numbered without gaps");
  outgoing.rows.push_back(row);
  count_in(outgoing, row);
}

void PhaseTable::unstart(ShardId target, LegNumber number) {
  Outgoing& outgoing = existing(target);
  check(number.value + 1 == outgoing.rows.end_number() && number.value >= outgoing.first_unanswered,
        "legs are undone in reverse order");
  count_out(outgoing, outgoing.rows.back());
  outgoing.rows.pop_back();
  if (number.value == 1) by_target_.erase(target);
}

void PhaseTable::answer(ShardId target, LegNumber number, Position position) {
  Outgoing& outgoing = existing(target);
  check(number.value == outgoing.first_unanswered, "legs are answered in order");
  PhaseRow& row = outgoing.rows[number.value];
  row.answered = position;
  count_out(outgoing, row);
  ++outgoing.first_unanswered;
}

const PhaseRow& PhaseTable::unanswer(ShardId target, LegNumber number) {
  Outgoing& outgoing = existing(target);
  check(number.value + 1 == outgoing.first_unanswered, "answers are undone in reverse order");
  PhaseRow& row = outgoing.rows[number.value];
  row.answered = {};
  count_in(outgoing, row);
  --outgoing.first_unanswered;
  return row;
}

void PhaseTable::committed(Position position) {
  for (auto& [target, outgoing] : by_target_) {
    std::uint64_t kept = outgoing.rows.begin_number();
    while (kept < outgoing.first_unanswered && outgoing.rows[kept].answered <= position) ++kept;
    outgoing.rows.drop_before(kept);
  }
}

void PhaseTable::export_rows(ByteWriter& out, PhaseFormat format) const {
  out.u64(by_target_.size());
  for (const auto& [target, outgoing] : by_target_) {
    encode_target(target, outgoing.rows.end_number(), outgoing.first_unanswered, out);
    for (std::uint64_t number = outgoing.first_unanswered; number < outgoing.rows.end_number(); ++number) {
      encode(outgoing.rows[number], format, out);
    }
  }
}

std::uint64_t PhaseTable::export_size(PhaseFormat format) const {
  std::uint64_t size = 8;
  for (const auto& [target, outgoing] : by_target_) {
    const std::uint64_t rows = outgoing.rows.end_number() - outgoing.first_unanswered;
    size += target_bytes + rows * phase_row_bytes + outgoing.name_bytes;
    if (format == PhaseFormat::with_second) size += rows + outgoing.seconds * second_bytes;
  }
  return size;
}

PhaseTable::Frozen::Frozen(PhaseTable& table, PhaseFormat format) : format_(format) {
  for (auto& [target, outgoing] : table.by_target_) targets_.emplace_back(target, outgoing);
}

bool PhaseTable::Frozen::write_next(ByteWriter& out) {
  if (!counted_) {
    counted_ = true;
    out.u64(targets_.size());
    return true;
  }
  if (targets_.empty()) return false;
  Target& target = targets_.front();
  if (!target.begun) {
    target.begun = true;
    encode_target(target.shard, target.next, target.rows.begin_number(), out);
  } else if (!target.rows.take_page([&](const PhaseRow& row) { encode(row, format_, out); })) {
    targets_.pop_front();
  }
  return true;
}

bool PhaseTable::load(ShardId target, LegNumber next, LegNumber first_unanswered) {
  const bool is_next = by_target_.empty() || by_target_.rbegin()->first < target;
  const bool is_range = first_unanswered.value > 0 && first_unanswered <= next && next.value > 1;
  if (!is_next || !is_range || target == ShardId()) return false;
  Outgoing& outgoing = by_target_.try_emplace(target, first_unanswered.value).first->second;
  outgoing.first_unanswered = first_unanswered.value;
  return true;
}

void PhaseTable::load(const PhaseRow& row) {
  check(!by_target_.empty(), "rows follow their target");
  Outgoing& outgoing = by_target_.rbegin()->second;
  outgoing.rows.push_back(row);
  count_in(outgoing, row);
}

PhaseRow decode_phase_row(ByteReader& in, PhaseFormat format) {
  PhaseRow row;
  row.dedup = in.u32();
  row.debit = in.id<PocketNumber>();
  row.transit = in.id<PocketNumber>();
  row.amount = in.i64();
  const std::string_view name = in.short_string();
  if (row.amount <= 0 || !ledger::is_account_name(name) || ledger::is_reserved(name)) in.fail();
  if (in.ok()) row.credit_account = ledger::AccountName(name);
  const std::uint8_t second = format == PhaseFormat::with_second ? in.u8() : 0;
  if (second > static_cast<std::uint8_t>(ledger::last_second_phase)) in.fail();
  row.second = static_cast<ledger::SecondPhase>(second);
  if (second == 0) return row;
  row.tried = in.id<LegNumber>();
  row.position = in.id<Position>();
  row.stamp = Stamp{in.i64()};
  return row;
}

}  // namespace coffer::txn
