#include "core/ledger/row_codec.h"

#include "core/ledger/fields.h"

namespace coffer::ledger {

namespace {

void require(bool condition, ByteReader& in) {
  if (!condition) in.fail();
}

}  // namespace

void encode(const AccountRow& row, AccountFormat format, ByteWriter& out) {
  out.id(row.tenant);
  out.short_string(row.name.view());
  if (format == AccountFormat::with_state) out.u8(static_cast<std::uint8_t>(row.state));
}

void encode(const PocketRow& row, ByteWriter& out) {
  Fields<pocket_bytes> fields;
  fields.put(row.account).put(row.currency).put(row.peer()).put(row.kind).put(row.balance).put(row.pending).write(out);
}

void encode(const DedupRow& row, const LegLink* link, ByteWriter& out) {
  Fields<dedup_bytes> fields;
  fields.put(row.home).put(row.id).put(row.digest).put(row.position).put(row.stamp).put(row.operation);
  fields.put(row.outcome).put(link == nullptr ? std::uint8_t{0} : static_cast<std::uint8_t>(link->protocol)).write(out);
  if (link == nullptr) return;
  Fields<link_bytes> linked;
  linked.put(link->target).put(link->leg).put(link->target_position).put(link->target_stamp).write(out);
}

AccountRow decode_account(ByteReader& in, AccountFormat format) {
  AccountRow row;
  row.tenant = in.id<TenantId>();
  const std::string_view name = in.short_string();
  require(is_account_name(name) && !is_reserved(name), in);
  if (in.ok()) row.name = AccountName(name);
  if (format == AccountFormat::plain) return row;
  const std::uint8_t state = in.u8();
  require(state >= 1 && state <= 3, in);
  row.state = static_cast<AccountState>(state);
  return row;
}

PocketRow decode_pocket(ByteReader& in) {
  PocketRow row;
  row.account = in.id<AccountNumber>();
  row.currency = Currency{in.u32()};
  const auto peer = in.id<ShardId>();
  const std::uint8_t kind = in.u8();
  row.balance = in.i64();
  row.pending = in.i64();
  row.kind = static_cast<PocketKind>(kind);
  require(kind >= 1 && kind <= 3 && is_known(row.currency), in);
  require((row.kind == PocketKind::customer) == (row.account != no_account), in);
  require((row.kind == PocketKind::transit) == (peer.value != 0), in);
  row.link = row.kind == PocketKind::customer ? no_pocket.value : peer.value;
  return row;
}

DedupRow decode_dedup(ByteReader& in, LegLink& link) {
  DedupRow row;
  row.home = in.id<AccountNumber>();
  row.id = in.uuid();
  row.digest = in.hash();
  row.position = in.id<Position>();
  row.stamp = Stamp{in.i64()};
  row.operation = static_cast<Operation>(in.u8());
  row.outcome = static_cast<Outcome>(in.u8());
  const std::uint8_t linked = in.u8();
  require(row.operation >= Operation::transfer && row.operation <= last_operation, in);
  require(!changes_account(row.operation) || (row.outcome == Outcome::success && row.digest == Hash128()), in);
  require(linked <= static_cast<std::uint8_t>(last_protocol) && (linked == 0 || row.operation == Operation::transfer),
          in);
  const bool may_be_pending = linked != 0 || row.operation == Operation::split;
  require(is_logged(row.outcome) || (row.outcome == Outcome::pending && may_be_pending), in);
  if (linked == 0) return row;
  row.link = 0;
  link.protocol = static_cast<Protocol>(linked);
  link.target = in.id<ShardId>();
  link.leg = in.id<LegNumber>();
  link.target_position = in.id<Position>();
  link.target_stamp = Stamp{in.i64()};
  require(link.target.value != 0 && link.leg.value != 0, in);
  require(row.outcome != Outcome::pending || (link.target_position == Position() && link.target_stamp == Stamp()), in);
  return row;
}

}  // namespace coffer::ledger
