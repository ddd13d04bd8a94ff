// The way of requests through bytes; replies.cc has the replies'.
#include "core/base/codec.h"
#include "core/router/protocol.h"
#include "core/router/wire.h"

namespace coffer::router {

namespace {

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
  void operator()(const PlaceHoldRequest& request) const {
    ByteWriter out(bytes);
    out.u32(request.currency.packed);
    out.i64(request.amount);
    out.uuid(request.id);
    out.u64(request.expires_in_ms);
    out.short_string(request.account);
  }
  void operator()(const CaptureHoldRequest& request) const {
    ByteWriter out(bytes);
    out.u32(request.currency.packed);
    out.i64(request.amount);
    out.uuid(request.id);
    out.short_string(request.account);
    out.short_string(request.credit);
  }
  void operator()(const VoidHoldRequest& request) const {
    ByteWriter out(bytes);
    out.uuid(request.id);
    out.short_string(request.account);
  }
  void operator()(const HoldRequest& request) const {
    ByteWriter out(bytes);
    out.uuid(request.id);
    out.short_string(request.account);
  }
  void operator()(const SplitRequest& request) const {
    check(!request.parts.empty() && request.parts.size() <= split_parts_max, "a split has 1 to split_parts_max parts");
    ByteWriter out(bytes);
    out.u32(request.currency.packed);
    out.uuid(request.id);
    out.short_string(request.account);
    out.u8(static_cast<std::uint8_t>(request.parts.size()));
    for (const SplitRequest::Part& part : request.parts) {
      out.i64(part.amount);
      out.short_string(part.credit);
    }
  }
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

std::int64_t get_amount(ByteReader& in) {
  const std::int64_t amount = in.i64();
  if (amount <= 0) {
    in.fail();
  }
  return amount;
}

PlaceHoldRequest get_place_hold(ByteReader& in) {
  PlaceHoldRequest request;
  request.currency = get_currency(in);
  request.amount = get_amount(in);
  request.id = in.uuid();
  request.expires_in_ms = in.u64();
  request.account = get_account(in);
  if (request.expires_in_ms == 0 || request.expires_in_ms > hold_expires_in_ms_max) {
    in.fail();
  }
  return request;
}

CaptureHoldRequest get_capture_hold(ByteReader& in) {
  CaptureHoldRequest request;
  request.currency = get_currency(in);
  request.amount = get_amount(in);
  request.id = in.uuid();
  request.account = get_account(in);
  request.credit = get_account(in);
  return request;
}

SplitRequest get_split(ByteReader& in) {
  SplitRequest request;
  request.currency = get_currency(in);
  request.id = in.uuid();
  request.account = get_account(in);
  const std::uint8_t parts = in.u8();
  if (parts == 0 || parts > split_parts_max) {
    in.fail();
  }
  for (std::uint8_t at = 0; at < parts && in.ok(); ++at) {
    const std::int64_t amount = get_amount(in);
    request.parts.push_back({amount, get_account(in)});
  }
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
    case RequestKind::place_hold:
      return get_place_hold(in);
    case RequestKind::capture_hold:
      return get_capture_hold(in);
    case RequestKind::void_hold: {
      const TransferId id = in.uuid();
      return VoidHoldRequest{id, get_account(in)};
    }
    case RequestKind::hold: {
      const TransferId id = in.uuid();
      return HoldRequest{id, get_account(in)};
    }
    case RequestKind::split:
      return get_split(in);
  }
  check_failed("the header's reader lets only known kinds pass");
}

}  // namespace

Bytes encode(const Request& request) {
  const RequestHeader& header = request.header;
  check(body_index(header.kind) == request.body.index(), "a request's header names its body");
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

}  // namespace coffer::router
