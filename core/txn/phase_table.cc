#include "core/txn/phase_table.h"

#include "core/base/check.h"

namespace coffer::txn {

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

std::vector<ShardId> PhaseTable::targets() const {
  std::vector<ShardId> targets;
  for (const auto& [target, outgoing] : by_target_) targets.push_back(target);
  return targets;
}

void PhaseTable::start(ShardId target, LegNumber number, const PhaseRow& row) {
  Outgoing& outgoing = by_target_[target];
  check(number.value == outgoing.rows.end_number(), "legs are numbered without gaps");
  outgoing.rows.push_back(row);
}

void PhaseTable::unstart(ShardId target, LegNumber number) {
  Outgoing& outgoing = existing(target);
  check(number.value + 1 == outgoing.rows.end_number() && number.value >= outgoing.first_unanswered,
        "legs are undone in reverse order");
  outgoing.rows.pop_back();
  if (number.value == 1) by_target_.erase(target);
}

void PhaseTable::answer(ShardId target, LegNumber number, Position position) {
  Outgoing& outgoing = existing(target);
  check(number.value == outgoing.first_unanswered, "legs are answered in order");
  outgoing.rows[number.value].answered = position;
  ++outgoing.first_unanswered;
}

const PhaseRow& PhaseTable::unanswer(ShardId target, LegNumber number) {
  Outgoing& outgoing = existing(target);
  check(number.value + 1 == outgoing.first_unanswered, "answers are undone in reverse order");
  PhaseRow& row = outgoing.rows[number.value];
  row.answered = {};
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

void PhaseTable::export_rows(ByteWriter& out) const {
  out.u64(by_target_.size());
  for (const auto& [target, outgoing] : by_target_) {
    out.id(target);
    out.u64(outgoing.rows.end_number());
    out.u64(outgoing.first_unanswered);
    for (std::uint64_t number = outgoing.first_unanswered; number < outgoing.rows.end_number(); ++number) {
      const PhaseRow& row = outgoing.rows[number];
      out.u32(row.dedup);
      out.id(row.debit);
      out.id(row.transit);
      out.i64(row.amount);
      out.short_string(row.credit_account.view());
    }
  }
}

}  // namespace coffer::txn
