#include "core/router/protocol.h"

#include <cstring>

#include "core/base/codec.h"
#include "core/router/wire.h"

namespace coffer::router {

namespace {

constexpr std::size_t trial_balance_row_size = 56;
constexpr std::size_t node_status_shard_size_min = 85;
constexpr std::uint8_t role_max = 3;  // shard::Role::leader

/// Writes into bytes sized beforehand: a batch is encoded without growing anything.
class Pen {
 public:
  explicit Pen(std::byte* at) : at_(at) {}
  template <class T>
  void put(T value) {
    std::memcpy(at_, &value, sizeof value);
    at_ += sizeof value;
  }
  void text(std::string_view text) {
    put(static_cast<std::uint8_t>(text.size()));
    if (!text.empty()) {
      std::memcpy(at_, text.data(), text.size());
      at_ += text.size();
    }
  }
  void result(const TransferResult& result) {
    put(static_cast<std::uint8_t>(result.outcome));
    put(static_cast<std::uint8_t>(result.replayed));
    put(std::uint16_t{0});
    put(result.shard.value);
    put(result.position.value);
    put(result.stamp.nanos);
    put(result.target.value);
    put(result.target_position.value);
    put(result.target_stamp.nanos);
  }
  const std::byte* at() const { return at_; }

 private:
  std::byte* at_;
};

void put_i128(ByteWriter& out, __int128 value) {
  out.u64(static_cast<std::uint64_t>(value));
  out.i64(static_cast<std::int64_t>(value >> 64));
}

__int128 get_i128(ByteReader& in) {
  const std::uint64_t low = in.u64();
  const std::int64_t high = in.i64();
  return static_cast<__int128>(static_cast<unsigned __int128>(static_cast<std::uint64_t>(high)) << 64 | low);
}

Currency get_currency(ByteReader& in) {
  const Currency currency{in.u32()};
  if (!is_known(currency)) {
    in.fail();
  }
  return currency;
}

bool get_flag(ByteReader& in) {
  const std::uint8_t flag = in.u8();
  if (flag > 1) {
    in.fail();
  }
  return flag == 1;
}

void put_nodes(ByteWriter& out, const std::vector<NodeId>& nodes) {
  check(nodes.size() <= nodes_in_list_max, "a group has at most nodes_in_list_max members");
  out.u8(static_cast<std::uint8_t>(nodes.size()));
  for (const NodeId node : nodes) {
    out.id(node);
  }
}

std::vector<NodeId> get_nodes(ByteReader& in) {
  std::vector<NodeId> nodes;
  const std::uint8_t count = in.u8();
  if (count > nodes_in_list_max) {
    in.fail();
  }
  for (std::uint8_t at = 0; at < count && in.ok(); ++at) {
    const NodeId node = in.id<NodeId>();
    if (!((nodes.empty() ? nobody : nodes.back()) < node)) {
      in.fail();
    }
    nodes.push_back(node);
  }
  return nodes;
}

// ---- requests --------------------------------------------------------------------------------------------------

struct PutRequest {
  Bytes& bytes;

  void operator()(const TransfersRequest& request) const {
    check(!request.items.empty() && request.items.size() <= transfers_max, "a batch has 1 to transfers_max items");
    std::size_t size = items_at;
    for (const TransferItem& item : request.items) {
      check(item.debit.size() <= 255 && item.credit.size() <= 255, "a short string's length fits 8 bits");
      size += item_fixed_size + item.debit.size() + item.credit.size();
    }
    bytes.resize(size);
    Pen pen(bytes.data() + request_header_size);
    pen.put(static_cast<std::uint32_t>(request.items.size()));
    for (const TransferItem& item : request.items) {
      pen.put(static_cast<std::uint8_t>(item.operation));
      pen.put(item.currency.packed);
      pen.put(item.amount);
      pen.put(item.id.bytes);
      pen.text(item.debit);
      pen.text(item.credit);
    }
    check(pen.at() == bytes.data() + bytes.size(), "the batch has the size computed for it");
  }
  void operator()(const OpenAccountRequest& request) const {
    ByteWriter out(bytes);
    out.u32(request.currency.packed);
    out.short_string(request.account);
  }
  void operator()(const BalanceRequest& request) const {
    ByteWriter out(bytes);
    out.u8(static_cast<std::uint8_t>(request.consistency));
    out.u32(request.currency.packed);
    out.short_string(request.account);
  }
  void operator()(const TransferStatusRequest& request) const {
    ByteWriter out(bytes);
    out.uuid(request.id);
    out.short_string(request.account);
  }
  void operator()(const TrialBalanceRequest&) const {}
  void operator()(const NodeStatusRequest&) const {}
  void operator()(const ReconfigureRequest& request) const {
    ByteWriter out(bytes);
    put_nodes(out, request.voters);
  }
  void operator()(const TransferLeadershipRequest& request) const {
    ByteWriter out(bytes);
    out.id(request.to);
  }
  void operator()(const ChangeAccountRequest& request) const {
    ByteWriter out(bytes);
    out.u8(static_cast<std::uint8_t>(request.change));
    out.uuid(request.id);
    out.short_string(request.account);
  }
  void operator()(const AccountRequest& request) const { ByteWriter(bytes).short_string(request.account); }
};

TransfersRequest get_transfers(ByteReader& in) {
  TransfersRequest request;
  ItemReader items(in);
  request.items.reserve(items.count());
  for (std::uint32_t at = 0; at < items.count() && in.ok(); ++at) {
    request.items.push_back(items.next());
  }
  return request;
}

std::string_view get_account(ByteReader& in) {
  const std::string_view account = in.short_string();
  if (!is_account(account)) {
    in.fail();
  }
  return account;
}

BalanceRequest get_balance(ByteReader& in) {
  BalanceRequest request;
  const std::uint8_t consistency = in.u8();
  if (consistency != static_cast<std::uint8_t>(Consistency::linearizable) &&
      consistency != static_cast<std::uint8_t>(Consistency::eventual)) {
    in.fail();
    return request;
  }
  request.consistency = static_cast<Consistency>(consistency);
  request.currency = get_currency(in);
  request.account = get_account(in);
  return request;
}

TransferStatusRequest get_transfer_status(ByteReader& in) {
  TransferStatusRequest request;
  request.id = in.uuid();
  request.account = in.short_string();
  if (!request.account.empty() && !is_account(request.account)) {
    in.fail();
  }
  return request;
}

ReconfigureRequest get_reconfigure(ByteReader& in) {
  ReconfigureRequest request{get_nodes(in)};
  if (request.voters.empty()) {
    in.fail();
  }
  return request;
}

TransferLeadershipRequest get_transfer_leadership(ByteReader& in) {
  const TransferLeadershipRequest request{in.id<NodeId>()};
  if (request.to == nobody) {
    in.fail();
  }
  return request;
}

ChangeAccountRequest get_change_account(ByteReader& in) {
  ChangeAccountRequest request;
  const std::uint8_t change = in.u8();
  if (change < static_cast<std::uint8_t>(AccountChange::freeze) ||
      change > static_cast<std::uint8_t>(AccountChange::close)) {
    in.fail();
  }
  request.change = static_cast<AccountChange>(change);
  request.id = in.uuid();
  request.account = get_account(in);
  return request;
}

RequestBody get_request_body(ByteReader& in, RequestKind kind) {
  switch (kind) {
    case RequestKind::transfers:
      return get_transfers(in);
    case RequestKind::open_account: {
      const Currency currency = get_currency(in);
      return OpenAccountRequest{currency, get_account(in)};
    }
    case RequestKind::balance:
      return get_balance(in);
    case RequestKind::transfer_status:
      return get_transfer_status(in);
    case RequestKind::trial_balance:
      return TrialBalanceRequest{};
    case RequestKind::node_status:
      return NodeStatusRequest{};
    case RequestKind::reconfigure:
      return get_reconfigure(in);
    case RequestKind::transfer_leadership:
      return get_transfer_leadership(in);
    case RequestKind::change_account:
      return get_change_account(in);
    case RequestKind::account:
      return AccountRequest{get_account(in)};
  }
  check_failed("the header's reader lets only known kinds pass");
}

// ---- replies ---------------------------------------------------------------------------------------------------

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
  const std::uint8_t outcome = in.u8();
  if (operation < static_cast<std::uint8_t>(TransferOperation::transfer) ||
      operation > static_cast<std::uint8_t>(TransferOperation::withdrawal) || !is_outcome(outcome)) {
    in.fail();
    return reply;
  }
  reply.operation = static_cast<TransferOperation>(operation);
  reply.result.outcome = static_cast<Outcome>(outcome);
  reply.result.replayed = get_flag(in);
  if (in.u16() != 0) {
    in.fail();
  }
  reply.result.shard = in.id<ShardId>();
  reply.result.position = in.id<Position>();
  reply.result.stamp = Stamp{in.i64()};
  reply.result.target = in.id<ShardId>();
  reply.result.target_position = in.id<Position>();
  reply.result.target_stamp = Stamp{in.i64()};
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
  const std::uint8_t state = in.u8();
  if (state < 1 || state > static_cast<std::uint8_t>(AccountState::closed)) {
    in.fail();
  }
  reply.state = static_cast<AccountState>(state);
  reply.position = in.id<Position>();
  reply.stamp = Stamp{in.i64()};
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
    case RequestKind::balance: {
      BalanceReply balance;
      balance.balance = in.i64();
      balance.shard = in.id<ShardId>();
      balance.position = in.id<Position>();
      balance.stamp = Stamp{in.i64()};
      return balance;
    }
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
  }
  check_failed("the header's reader lets only known kinds pass");
}

}  // namespace

Bytes encode(const Request& request) {
  const RequestHeader& header = request.header;
  check(static_cast<std::size_t>(header.kind) == request.body.index() + 1, "a request's header names its body");
  Bytes bytes;
  bytes.reserve(128);
  ByteWriter out(bytes);
  out.u8(static_cast<std::uint8_t>(header.kind));
  out.u8(static_cast<std::uint8_t>(header.route));
  out.u16(0);
  out.id(header.shard);
  out.u32(header.patience_ms);
  out.id(header.tenant);
  out.id(header.principal);
  check(bytes.size() == request_header_size, "the request header has its fixed size");
  std::visit(PutRequest{bytes}, request.body);
  return bytes;
}

Result<Request> decode_request(ByteView bytes) {
  ByteReader in(bytes);
  Request request;
  request.header = read_request_header(in);
  if (in.ok()) {
    request.body = get_request_body(in, request.header.kind);
  }
  if (is_membership(request.header.kind) && request.header.shard == ShardId{0}) {
    in.fail();
  }
  if (!in.done()) {
    return error(ErrorCode::malformed, "a client request breaks its grammar");
  }
  return request;
}

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
    check(static_cast<std::size_t>(reply.kind) == reply.body.index(), "a successful reply's header names its body");
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
