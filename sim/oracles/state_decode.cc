#include "sim/oracles/state_decode.h"

#include <utility>

#include "core/base/codec.h"

namespace coffer::sim::oracles {

namespace {

/// Returns the version.
std::uint8_t decode_head(ByteReader& in, StateRows& rows) {
  const std::uint8_t version = in.u8();
  if (version < 1 || version > 13) in.fail();
  rows.shard = in.id<ShardId>();
  const std::uint8_t founded = in.u8();
  if (founded > 1) in.fail();
  rows.founded = founded == 1;
  rows.last_position = in.id<Position>();
  rows.last_stamp = Stamp{in.i64()};
  const std::uint32_t ranges = in.u32();
  for (std::uint32_t i = 0; i < ranges && in.ok(); ++i) {
    const auto first = in.id<Slot>();
    rows.ranges.push_back({first, in.u32()});
  }
  return version;
}

AccountRow account(ByteReader& in) {
  AccountRow row;
  row.tenant = in.id<TenantId>();
  row.name = std::string(in.short_string());
  return row;
}

AccountRow account_with_state(ByteReader& in) {
  AccountRow row = account(in);
  const std::uint8_t state = in.u8();
  if (state < 1 || state > 3) in.fail();
  row.state = static_cast<AccountState>(state);
  return row;
}

PocketRow pocket(ByteReader& in) {
  PocketRow row;
  row.account = in.id<AccountNumber>();
  row.currency = Currency{in.u32()};
  row.peer = in.id<ShardId>();
  row.kind = static_cast<PocketKind>(in.u8());
  row.balance = in.i64();
  row.pending = in.i64();
  return row;
}

PhaseRow phase(ByteReader& in) {
  PhaseRow row;
  row.dedup = in.u32();
  row.debit = in.id<PocketNumber>();
  row.transit = in.id<PocketNumber>();
  row.amount = in.i64();
  row.credit_account = std::string(in.short_string());
  return row;
}

PhaseRow phase_with_second(ByteReader& in) {
  PhaseRow row = phase(in);
  const std::uint8_t number = in.u8();
  if (number > 4) in.fail();
  if (number == 0) return row;
  PhaseRow::Second second;
  second.phase = static_cast<SecondPhase>(number);
  second.tried = in.id<LegNumber>();
  second.position = in.id<Position>();
  second.stamp = Stamp{in.i64()};
  row.second = second;
  return row;
}

TryRow tried(ByteReader& in) {
  TryRow row;
  row.source = in.id<ShardId>();
  row.leg = in.id<LegNumber>();
  row.id = in.uuid();
  row.transit = in.id<PocketNumber>();
  row.credit = in.id<PocketNumber>();
  row.amount = in.i64();
  const std::uint8_t flag = in.u8();
  if (flag > 3) in.fail();
  row.out_of_order = (flag & 1) != 0;
  row.prepared = (flag & 2) != 0;
  return row;
}

HoldRow hold(ByteReader& in) {
  HoldRow row;
  row.dedup = in.u32();
  row.pocket = in.id<PocketNumber>();
  row.amount = in.i64();
  row.expires = Stamp{in.i64()};
  row.end = in.u8();
  if (row.end > 3) in.fail();
  return row;
}

SplitRow split(ByteReader& in) {
  SplitRow row;
  row.dedup = in.u32();
  row.debit = in.id<PocketNumber>();
  row.second = in.u8();
  row.refused = in.u8();
  row.decided = in.id<Position>();
  row.decided_stamp = Stamp{in.i64()};
  const std::uint8_t parts = in.u8();
  if (row.second > 2 || parts > 16) in.fail();
  for (std::uint8_t i = 0; i < parts && in.ok(); ++i) {
    SplitRow::Part part;
    part.target = in.id<ShardId>();
    part.tried = in.id<LegNumber>();
    part.second = in.id<LegNumber>();
    part.transit = in.id<PocketNumber>();
    part.credit = in.id<PocketNumber>();
    part.amount = in.i64();
    part.outcome = static_cast<Outcome>(in.u8());
    const std::uint8_t ended = in.u8();
    if (ended > 1) in.fail();
    part.ended = ended == 1;
    part.tried_position = in.id<Position>();
    part.tried_stamp = Stamp{in.i64()};
    part.ended_position = in.id<Position>();
    part.ended_stamp = Stamp{in.i64()};
    part.credit_account = std::string(in.short_string());
    row.parts.push_back(std::move(part));
  }
  return row;
}

/// Whether the version is the one that such rows are written in.
bool is_due(std::uint8_t version, const StateRows& rows) {
  bool has_others = !rows.tries.empty();
  bool has_changes = false;
  bool has_holds = false;
  bool has_splits = false;
  for (const DedupRow& row : rows.dedup) {
    has_others = has_others || (row.link && row.link->protocol > 1);
    has_changes = has_changes || row.is_change();
    has_holds = has_holds || row.operation == Operation::hold;
    has_splits = has_splits || row.operation == Operation::split;
  }
  if (rows.has_attic) return version == 10 + (rows.passed_ms > 0 ? 1 : 0) + (rows.numbered.empty() ? 0 : 2);
  if (!rows.numbered.empty()) return version == (rows.passed_ms > 0 ? 9 : 8);
  if (has_splits) return version == (rows.passed_ms > 0 ? 7 : 6);
  return version == (rows.passed_ms > 0 ? 5 : has_holds ? 4 : has_changes ? 3 : has_others ? 2 : 1);
}

ReceivedRow received(ByteReader& in) {
  ReceivedRow row;
  row.id = in.uuid();
  row.position = in.id<Position>();
  row.stamp = Stamp{in.i64()};
  row.outcome = static_cast<Outcome>(in.u8());
  return row;
}

template <class Row>
void decode_rows(ByteReader& in, std::uint64_t count, Row (*decode)(ByteReader&), std::vector<Row>& rows) {
  for (std::uint64_t i = 0; i < count && in.ok(); ++i) rows.push_back(decode(in));
}

template <class Flow>
Flow& next_flow(ByteReader& in, std::map<ShardId, Flow>& flows) {
  const auto peer = in.id<ShardId>();
  if (!flows.empty() && flows.rbegin()->first >= peer) in.fail();
  return flows[peer];
}

}  // namespace

std::optional<StateRows> decode_state(ByteView payload) {
  StateRows rows;
  ByteReader in(payload);
  const std::uint8_t version = decode_head(in, rows);
  decode_rows(in, in.u64(), version >= 3 ? account_with_state : account, rows.accounts);
  decode_rows(in, in.u64(), pocket, rows.pockets);
  decode_rows(in, in.u64(), decode_dedup_row, rows.dedup);
  if (version == 5 || version == 7 || version == 9 || version == 11 || version == 13) {
    rows.passed_ms = in.u64();
    rows.first_windowed = in.u64();
    decode_rows(in, in.u64(), decode_dedup_row, rows.windowed);
  }
  if (version >= 10) {
    rows.has_attic = true;
    rows.left = in.u64();
    decode_rows(in, in.u64(), decode_dedup_row, rows.queued);
  }
  const bool has_sources = version == 8 || version == 9 || version >= 12;
  if (has_sources) decode_rows(in, in.u64(), decode_dedup_row, rows.numbered);
  if (version >= 6) decode_rows(in, in.u64(), split, rows.splits);
  const std::uint64_t targets = in.u64();
  for (std::uint64_t i = 0; i < targets && in.ok(); ++i) {
    Outgoing& flow = next_flow(in, rows.outgoing);
    flow.next = in.id<LegNumber>();
    flow.first_unanswered = in.id<LegNumber>();
    if (flow.first_unanswered > flow.next) return std::nullopt;
    decode_rows(in, flow.next.value - flow.first_unanswered.value, version >= 2 ? phase_with_second : phase, flow.rows);
  }
  const std::uint64_t sources = in.u64();
  for (std::uint64_t i = 0; i < sources && in.ok(); ++i) {
    Incoming& flow = next_flow(in, rows.incoming);
    flow.next = in.id<LegNumber>();
    flow.freed = in.id<LegNumber>();
    if (flow.freed >= flow.next) return std::nullopt;
    decode_rows(in, flow.next.value - flow.freed.value - 1, received, flow.rows);
  }
  if (version >= 2) decode_rows(in, in.u64(), tried, rows.tries);
  if (version >= 4) decode_rows(in, in.u64(), hold, rows.holds);
  return in.done() && is_due(version, rows) ? std::optional(std::move(rows)) : std::nullopt;
}

DedupRow decode_dedup_row(ByteReader& in) {
  DedupRow row;
  row.home = in.id<AccountNumber>();
  row.id = in.uuid();
  row.digest = in.hash();
  row.position = in.id<Position>();
  row.stamp = Stamp{in.i64()};
  row.operation = static_cast<Operation>(in.u8());
  row.outcome = static_cast<Outcome>(in.u8());
  const std::uint8_t linked = in.u8();
  if (linked > 3) in.fail();
  if (linked == 0) return row;
  DedupRow::Link link;
  link.protocol = linked;
  link.target = in.id<ShardId>();
  link.leg = in.id<LegNumber>();
  link.target_position = in.id<Position>();
  link.target_stamp = Stamp{in.i64()};
  row.link = link;
  return row;
}

}  // namespace coffer::sim::oracles
