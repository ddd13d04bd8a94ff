#include "core/txn/shard_state.h"

#include "core/base/codec.h"

namespace coffer::txn {

void SlotSet::add(const ledger::SlotRange& range) {
  check(range.end <= slot_count, "slots are below slot_count");
  for (std::uint32_t slot = range.first.value; slot < range.end; ++slot) {
    words_[slot / 64] |= std::uint64_t{1} << slot % 64;
  }
}

ledger::Protocol ShardState::protocol_of(ledger::DedupNumber number) const {
  if (dedup.row(number).operation == ledger::Operation::split) return ledger::Protocol::tcc;
  return dedup.link(number).protocol;
}

ledger::LegStep ShardState::step_of(ShardId target, LegNumber number) const {
  const PhaseRow& row = phases.unanswered(target, number);
  return ledger::step_of(protocol_of(row.dedup), row.second);
}

StateVersion version_of(const ShardState& state) {
  if (state.dedup.has_attic()) {
    if (state.dedup.has_sources()) {
      return state.dedup.has_window() ? StateVersion::with_attic_window_and_sources
                                      : StateVersion::with_attic_and_sources;
    }
    return state.dedup.has_window() ? StateVersion::with_attic_and_window : StateVersion::with_attic;
  }
  if (state.dedup.has_sources()) {
    return state.dedup.has_window() ? StateVersion::with_window_and_sources : StateVersion::with_sources;
  }
  if (state.dedup.splits() > 0) {
    return state.dedup.has_window() ? StateVersion::with_window_and_splits : StateVersion::with_splits;
  }
  if (state.dedup.has_window()) return StateVersion::with_window;
  if (state.dedup.holds() > 0) return StateVersion::with_holds;
  if (state.dedup.account_changes() > 0) return StateVersion::with_account_states;
  const bool has_others = state.dedup.links_of_others() > 0 || !state.tries.empty();
  return has_others ? StateVersion::with_tries : StateVersion::sagas;
}

TransferRecord record_of(const ShardState& state, ledger::DedupNumber number) {
  const ledger::DedupRow& row = state.dedup.row(number);
  TransferRecord record;
  record.outcome = row.outcome;
  record.operation = row.operation;
  record.position = row.position;
  record.stamp = row.stamp;
  record.row = number;
  if (row.link == ledger::no_row) return record;
  const ledger::LegLink& link = state.dedup.link(number);
  record.target = link.target;
  record.protocol = link.protocol;
  record.leg = link.leg;
  record.target_position = link.target_position;
  record.target_stamp = link.target_stamp;
  return record;
}

void export_head(const ShardState& state, ByteWriter& out) {
  out.u8(static_cast<std::uint8_t>(version_of(state)));
  out.id(state.self);
  out.u8(state.founded ? 1 : 0);
  out.id(state.last_position);
  out.i64(state.last_stamp.nanos);
  out.u32(static_cast<std::uint32_t>(state.ranges.size()));
  for (const ledger::SlotRange& range : state.ranges) {
    out.id(range.first);
    out.u32(range.end);
  }
}

void export_state(const ShardState& state, Bytes& bytes) {
  ByteWriter out(bytes);
  export_head(state, out);
  const StateVersion version = version_of(state);
  state.book.export_rows(out, account_format(version));
  state.dedup.export_rows(out);
  if (version >= StateVersion::with_splits) state.splits.export_rows(out);
  state.phases.export_rows(out, phase_format(version));
  state.inbox.export_rows(out);
  if (version >= StateVersion::with_tries) state.tries.export_rows(out);
  if (version >= StateVersion::with_holds) state.holds.export_rows(out);
}

std::uint64_t export_size(const ShardState& state) {
  constexpr std::uint64_t fixed = 1 + 4 + 1 + 4 + 8 + 8;
  const StateVersion version = version_of(state);
  return fixed + state.ranges.size() * 6 + state.book.export_size(account_format(version)) + state.dedup.export_size() +
         state.phases.export_size(phase_format(version)) + state.inbox.export_size() +
         (version >= StateVersion::with_tries ? state.tries.export_size() : 0) +
         (version >= StateVersion::with_holds ? state.holds.export_size() : 0) +
         (version >= StateVersion::with_splits ? state.splits.export_size() : 0);
}

}  // namespace coffer::txn
