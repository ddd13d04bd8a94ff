// The way of replies through bytes; requests.cc has the requests'.
#include "core/base/codec.h"
#include "core/router/protocol.h"
#include "core/router/wire.h"

namespace coffer::router {

namespace {

constexpr std::size_t trial_balance_row_size = 56;
constexpr std::size_t node_status_shard_size_min = 85;
constexpr std::uint8_t role_max = 3;  // shard::Role::leader

void put_i128(ByteWriter& out, __int128 value) {
  out.u64(static_cast<std::uint64_t>(value));
  out.i64(static_cast<std::int64_t>(value >> 64));
}

__int128 get_i128(ByteReader& in) {
  const std::uint64_t low = in.u64();
  const std::int64_t high = in.i64();
  return static_cast<__int128>(static_cast<unsigned __int128>(static_cast<std::uint64_t>(high)) << 64 | low);
}

bool get_flag(ByteReader& in) {
  const std::uint8_t flag = in.u8();
  if (flag > 1) {
    in.fail();
  }
  return flag == 1;
}

struct PutReply {
  Bytes& bytes;

  void operator()(const std::monostate&) const { check_failed("a successful reply has a body"); }
  void operator()(const TransfersReply& reply) const {
    check(reply.results.size() <= transfers_max, "a batch has at most transfers_max results");
    bytes.resize(results_at + reply.results.size() * result_size);
    Pen pen(bytes.data() + reply_header_size);
    pen.put(static_cast<std::uint32_t>(reply.results.size()));
    for (const TransferResult& result : reply.results) {
      pen.result(result);
    }
  }
  void operator()(const OpenAccountReply& reply) const {
    ByteWriter out(bytes);
    out.u8(reply.already ? 1 : 0);
    out.id(reply.position);
  }
  void operator()(const BalanceReply& reply) const {
    ByteWriter out(bytes);
    out.i64(reply.balance);
    out.i64(reply.held);
    out.id(reply.shard);
    out.id(reply.position);
    out.i64(reply.stamp.nanos);
  }
  void operator()(const TransferStatusReply& reply) const {
    check(reply.steps.size() <= steps_max, "a transfer has few steps");
    bytes.resize(reply_header_size + 1 + result_size);
    Pen pen(bytes.data() + reply_header_size);
    pen.put(static_cast<std::uint8_t>(reply.operation));
    pen.result(reply.result);
    ByteWriter out(bytes);
    out.u8(reply.protocol);
    out.u8(static_cast<std::uint8_t>(reply.steps.size()));
    for (const PhaseStep& step : reply.steps) {
      out.u8(static_cast<std::uint8_t>(step.phase));
      out.u8(static_cast<std::uint8_t>(step.side));
      out.u8(static_cast<std::uint8_t>(step.state));
      out.u8(0);
      out.id(step.shard);
      out.id(step.position);
      out.i64(step.stamp.nanos);
    }
  }
  void operator()(const TrialBalanceReply& reply) const {
    ByteWriter out(bytes);
    out.u32(static_cast<std::uint32_t>(reply.rows.size()));
    for (const TrialBalanceReply::Row& row : reply.rows) {
      out.id(row.shard);
      out.u32(row.currency.packed);
      put_i128(out, row.customers);
      put_i128(out, row.issue);
      put_i128(out, row.transit);
    }
  }
  void operator()(const NodeStatusReply& reply) const {
    ByteWriter out(bytes);
    out.id(reply.node);
    out.u8(reply.ready ? 1 : 0);
    out.u32(static_cast<std::uint32_t>(reply.shards.size()));
    for (const NodeStatusReply::Shard& shard : reply.shards) {
      out.id(shard.shard);
      out.u8(shard.role);
      out.id(shard.term);
      out.id(shard.leader);
      out.id(shard.commit);
      out.id(shard.last);
      out.id(shard.position);
      out.u64(shard.dedup_rows);
      out.u64(shard.legs_unanswered);
      out.id(shard.base);
      out.id(shard.snapshot);
      out.u64(shard.in_doubt);
      out.u8(shard.uncertain ? 1 : 0);
      put_nodes(out, shard.voters);
      put_nodes(out, shard.outgoing);
      put_nodes(out, shard.learners);
    }
  }
  void operator()(const ReconfigureReply& reply) const { ByteWriter(bytes).u8(reply.finished ? 1 : 0); }
  void operator()(const TransferLeadershipReply& reply) const { ByteWriter(bytes).u8(reply.finished ? 1 : 0); }
  void operator()(const ChangeAccountReply& reply) const {
    ByteWriter out(bytes);
    out.u8(reply.already ? 1 : 0);
    out.id(reply.position);
  }
  void operator()(const AccountReply& reply) const {
    ByteWriter out(bytes);
    out.u8(static_cast<std::uint8_t>(reply.state));
    out.id(reply.position);
    out.i64(reply.stamp.nanos);
  }
  void operator()(const PlaceHoldReply& reply) const {
    bytes.resize(reply_header_size + result_size);
    Pen(bytes.data() + reply_header_size).result(reply.result);
    ByteWriter(bytes).i64(reply.expires.nanos);
  }
  void operator()(const CaptureHoldReply& reply) const {
    ByteWriter(bytes).uuid(reply.transfer);
    const std::size_t at = bytes.size();
    bytes.resize(at + result_size);
    Pen(bytes.data() + at).result(reply.result);
  }
  void operator()(const VoidHoldReply& reply) const {
    ByteWriter out(bytes);
    out.u8(reply.already ? 1 : 0);
    out.id(reply.position);
  }
  void operator()(const HoldReply& reply) const {
    ByteWriter out(bytes);
    out.u8(static_cast<std::uint8_t>(reply.state));
    out.u32(reply.currency.packed);
    out.i64(reply.amount);
    out.i64(reply.expires.nanos);
    out.uuid(reply.transfer);
    out.id(reply.position);
    out.i64(reply.stamp.nanos);
  }
  void operator()(const SplitReply& reply) const {
    check(reply.parts.size() <= split_parts_max, "a split has at most split_parts_max parts");
    bytes.resize(reply_header_size + result_size);
    Pen(bytes.data() + reply_header_size).result(reply.result);
    ByteWriter out(bytes);
    out.u8(reply.refused);
    out.u8(static_cast<std::uint8_t>(reply.parts.size()));
    for (const SplitReply::Part& part : reply.parts) {
      out.id(part.shard);
      out.id(part.position);
      out.i64(part.stamp.nanos);
    }
  }
};

TransfersReply get_transfers_reply(ByteReader& in, ByteView reply) {
  TransfersReply body;
  const ResultsView results(reply);
  in.raw(in.remaining());
  if (!results.ok()) {
    in.fail();
    return body;
  }
  body.results.reserve(results.size());
  for (std::size_t at = 0; at < results.size(); ++at) {
    body.results.push_back(results[at]);
  }
  return body;
}

/// One of an enumeration that counts from 1.
template <class Enum>
Enum get_word(ByteReader& in, Enum last) {
  const std::uint8_t number = in.u8();
  if (number < 1 || number > static_cast<std::uint8_t>(last)) {
    in.fail();
    return last;
  }
  return static_cast<Enum>(number);
}

PhaseStep get_step(ByteReader& in) {
  PhaseStep step;
  step.phase = get_word(in, last_transfer_phase);
  step.side = get_word(in, Side::credit);
  step.state = get_word(in, StepState::refused);
  if (in.u8() != 0) {
    in.fail();
  }
  step.shard = in.id<ShardId>();
  step.position = in.id<Position>();
  step.stamp = Stamp{in.i64()};
  return step;
}

TransferStatusReply get_transfer_status_reply(ByteReader& in) {
  TransferStatusReply reply;
  const std::uint8_t operation = in.u8();
  const bool is_single = operation >= static_cast<std::uint8_t>(TransferOperation::transfer) &&
                         operation <= static_cast<std::uint8_t>(TransferOperation::withdrawal);
  if (!is_single && operation != static_cast<std::uint8_t>(TransferOperation::split)) {
    in.fail();
    return reply;
  }
  reply.operation = static_cast<TransferOperation>(operation);
  reply.result = get_result(in);
  reply.protocol = in.u8();
  const std::uint8_t count = in.u8();
  if (count > steps_max) {
    in.fail();
  }
  for (std::uint8_t at = 0; at < count && in.ok(); ++at) {
    reply.steps.push_back(get_step(in));
  }
  return reply;
}

/// A count of rows of `row_size` bytes each; malformed when the bytes cannot hold them.
std::uint32_t get_count(ByteReader& in, std::size_t row_size) {
  const std::uint32_t count = in.u32();
  if (count > in.remaining() / row_size) {
    in.fail();
    return 0;
  }
  return count;
}

TrialBalanceReply get_trial_balance_reply(ByteReader& in) {
  TrialBalanceReply reply;
  const std::uint32_t count = get_count(in, trial_balance_row_size);
  reply.rows.reserve(count);
  for (std::uint32_t at = 0; at < count; ++at) {
    TrialBalanceReply::Row row;
    row.shard = in.id<ShardId>();
    row.currency = get_currency(in);
    row.customers = get_i128(in);
    row.issue = get_i128(in);
    row.transit = get_i128(in);
    reply.rows.push_back(row);
  }
  return reply;
}

NodeStatusReply get_node_status_reply(ByteReader& in) {
  NodeStatusReply reply;
  reply.node = in.id<NodeId>();
  reply.ready = get_flag(in);
  const std::uint32_t count = get_count(in, node_status_shard_size_min);
  reply.shards.reserve(count);
  for (std::uint32_t at = 0; at < count && in.ok(); ++at) {
    NodeStatusReply::Shard shard;
    shard.shard = in.id<ShardId>();
    shard.role = in.u8();
    shard.term = in.id<Term>();
    shard.leader = in.id<NodeId>();
    shard.commit = in.id<Index>();
    shard.last = in.id<Index>();
    shard.position = in.id<Position>();
    shard.dedup_rows = in.u64();
    shard.legs_unanswered = in.u64();
    shard.base = in.id<Index>();
    shard.snapshot = in.id<Index>();
    shard.in_doubt = in.u64();
    shard.uncertain = get_flag(in);
    shard.voters = get_nodes(in);
    shard.outgoing = get_nodes(in);
    shard.learners = get_nodes(in);
    if (shard.role > role_max) {
      in.fail();
    }
    reply.shards.push_back(std::move(shard));
  }
  return reply;
}

AccountReply get_account_reply(ByteReader& in) {
  AccountReply reply;
  reply.state = get_word(in, AccountState::closed);
  reply.position = in.id<Position>();
  reply.stamp = Stamp{in.i64()};
  return reply;
}

/// What is held is part of the balance.
BalanceReply get_balance_reply(ByteReader& in) {
  BalanceReply reply;
  reply.balance = in.i64();
  reply.held = in.i64();
  reply.shard = in.id<ShardId>();
  reply.position = in.id<Position>();
  reply.stamp = Stamp{in.i64()};
  if (reply.held < 0 || (reply.held > 0 && reply.held > reply.balance)) {
    in.fail();
  }
  return reply;
}

/// A transfer stands there if the hold was captured, and only then.
HoldReply get_hold_reply(ByteReader& in) {
  HoldReply reply;
  reply.state = get_word(in, HoldState::expired);
  reply.currency = get_currency(in);
  reply.amount = in.i64();
  reply.expires = Stamp{in.i64()};
  reply.transfer = in.uuid();
  reply.position = in.id<Position>();
  reply.stamp = Stamp{in.i64()};
  if (reply.amount <= 0 || (reply.transfer != TransferId()) != (reply.state == HoldState::captured)) {
    in.fail();
  }
  return reply;
}

/// A part is named where it was refused, and only there.
SplitReply get_split_reply(ByteReader& in) {
  SplitReply reply;
  reply.result = get_result(in);
  reply.refused = in.u8();
  const std::uint8_t parts = in.u8();
  const bool is_success = reply.result.outcome == Outcome::success;
  if (parts > split_parts_max || (reply.refused != no_part && (is_success || reply.refused >= split_parts_max))) {
    in.fail();
  }
  for (std::uint8_t at = 0; at < parts && in.ok(); ++at) {
    SplitReply::Part part;
    part.shard = in.id<ShardId>();
    part.position = in.id<Position>();
    part.stamp = Stamp{in.i64()};
    reply.parts.push_back(part);
  }
  return reply;
}

ReplyBody get_reply_body(ByteReader& in, ByteView reply, RequestKind kind) {
  switch (kind) {
    case RequestKind::transfers:
      return get_transfers_reply(in, reply);
    case RequestKind::open_account: {
      const bool already = get_flag(in);
      return OpenAccountReply{already, in.id<Position>()};
    }
    case RequestKind::balance:
      return get_balance_reply(in);
    case RequestKind::transfer_status:
      return get_transfer_status_reply(in);
    case RequestKind::trial_balance:
      return get_trial_balance_reply(in);
    case RequestKind::node_status:
      return get_node_status_reply(in);
    case RequestKind::reconfigure:
      return ReconfigureReply{get_flag(in)};
    case RequestKind::transfer_leadership:
      return TransferLeadershipReply{get_flag(in)};
    case RequestKind::change_account: {
      const bool already = get_flag(in);
      return ChangeAccountReply{already, in.id<Position>()};
    }
    case RequestKind::account:
      return get_account_reply(in);
    case RequestKind::place_hold: {
      const TransferResult result = get_result(in);
      return PlaceHoldReply{result, Stamp{in.i64()}};
    }
    case RequestKind::capture_hold: {
      const TransferId transfer = in.uuid();
      return CaptureHoldReply{transfer, get_result(in)};
    }
    case RequestKind::void_hold: {
      const bool already = get_flag(in);
      return VoidHoldReply{already, in.id<Position>()};
    }
    case RequestKind::hold:
      return get_hold_reply(in);
    case RequestKind::split:
      return get_split_reply(in);
  }
  check_failed("the header's reader lets only known kinds pass");
}

}  // namespace

Bytes encode(const Reply& reply) {
  Bytes bytes;
  bytes.reserve(128);
  ByteWriter out(bytes);
  out.u8(static_cast<std::uint8_t>(reply.kind));
  out.u8(static_cast<std::uint8_t>(reply.status));
  out.u16(0);
  out.id(reply.shard);
  out.id(reply.leader);
  check(bytes.size() == reply_header_size, "the reply header has its fixed size");
  if (reply.status == Outcome::success) {
    check(body_index(reply.kind) + 1 == reply.body.index(), "a successful reply's header names its body");
    std::visit(PutReply{bytes}, reply.body);
  }
  return bytes;
}

Result<Reply> decode_reply(ByteView bytes) {
  ByteReader in(bytes);
  const ReplyHeader header = read_reply_header(in);
  Reply reply{header.kind, header.status, header.shard, header.leader, {}};
  if (in.ok() && header.status == Outcome::success) {
    reply.body = get_reply_body(in, bytes, header.kind);
  }
  if (!in.done()) {
    return error(ErrorCode::malformed, "a client reply breaks its grammar");
  }
  return reply;
}

}  // namespace coffer::router
