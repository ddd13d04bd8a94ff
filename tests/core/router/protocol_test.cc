#include "core/router/protocol.h"

#include <memory>

#include <catch2/catch.hpp>

#include "core/base/codec.h"
#include "tests/core/router/generators.h"

namespace coffer::router {
namespace {

Request one_transfer(TransferItem item) {
  Request request;
  request.header.kind = RequestKind::transfers;
  request.body = TransfersRequest{{item}};
  return request;
}

TransferItem good_item() {
  return {TransferOperation::transfer, currency_of("USD"), 1250, Uuid{{1, 2, 3}}, "alice", "bob"};
}

bool accepted(const Request& request) { return decode_request(encode(request)).has_value(); }

bool accepted(TransferOperation operation, std::string_view debit, std::string_view credit) {
  TransferItem item = good_item();
  item.operation = operation;
  item.debit = debit;
  item.credit = credit;
  return accepted(one_transfer(item));
}

Request place_hold(std::string_view account, std::int64_t amount = 1250, std::uint64_t expires_in_ms = 60'000) {
  Request request;
  request.header.kind = RequestKind::place_hold;
  request.body = PlaceHoldRequest{currency_of("USD"), amount, Uuid{{1, 2, 3}}, expires_in_ms, account};
  return request;
}

Request capture_hold(std::string_view account, std::string_view credit, std::int64_t amount = 1250) {
  Request request;
  request.header.kind = RequestKind::capture_hold;
  request.body = CaptureHoldRequest{currency_of("USD"), amount, Uuid{{1, 2, 3}}, account, credit};
  return request;
}

template <class Body>
Request about_hold(RequestKind kind, std::string_view account) {
  Request request;
  request.header.kind = kind;
  request.body = Body{Uuid{{1, 2, 3}}, account};
  return request;
}

/// A copy in a block of exactly its size, so that a sanitizer sees every read past the end.
struct ExactBytes {
  explicit ExactBytes(const Bytes& bytes) : size(bytes.size()), data(std::make_unique<std::byte[]>(size)) {
    std::copy(bytes.begin(), bytes.end(), data.get());
  }
  operator ByteView() const { return {data.get(), size}; }
  std::size_t size;
  std::unique_ptr<std::byte[]> data;
};

TEST_CASE("a request survives its encoding (docs/FORMATS.md, Client protocol)") {
  const Request request = one_transfer(good_item());
  const Bytes bytes = encode(request);
  const auto decoded = decode_request(bytes);
  REQUIRE(decoded.has_value());
  const auto& item = std::get<TransfersRequest>(decoded->body).items.at(0);
  CHECK(item.debit == "alice");
  CHECK(item.credit == "bob");
  CHECK(item.amount == 1250);
  CHECK(item.currency == currency_of("USD"));
  CHECK(item.id == (Uuid{{1, 2, 3}}));
  CHECK(decoded->header.patience_ms == 5000);
}

TEST_CASE("the bytes of a request are as the grammar says (docs/FORMATS.md, Client protocol)") {
  Request request = one_transfer(good_item());
  request.header.route = Route::direct;
  request.header.shard = ShardId{3};
  request.header.patience_ms = 7;
  request.header.tenant = TenantId{9};
  request.header.principal = PrincipalId{11};
  Bytes expected;
  ByteWriter out(expected);
  out.u8(1);
  out.u8(1);
  out.u16(0);
  out.u32(3);
  out.u32(7);
  out.u32(9);
  out.u32(11);
  out.u32(1);
  out.u8(1);
  out.u32(currency_of("USD").packed);
  out.i64(1250);
  out.uuid(good_item().id);
  out.short_string("alice");
  out.short_string("bob");
  CHECK(encode(request) == expected);
}

TEST_CASE("the bytes of a reply are as the grammar says (docs/FORMATS.md, Client protocol)") {
  Reply reply;
  reply.shard = ShardId{2};
  reply.leader = NodeId{3};
  reply.body = TransfersReply{
      {{Outcome::insufficient_funds, true, ShardId{2}, Position{5}, Stamp{6}, ShardId{4}, Position{7}, Stamp{8}}}};
  Bytes expected;
  ByteWriter out(expected);
  out.u8(1);
  out.u8(1);
  out.u16(0);
  out.u32(2);
  out.u32(3);
  out.u32(1);
  out.u8(10);
  out.u8(1);
  out.u16(0);
  out.u32(2);
  out.u64(5);
  out.i64(6);
  out.u32(4);
  out.u64(7);
  out.i64(8);
  CHECK(encode(reply) == expected);
}

TEST_CASE("amounts that are not positive are malformed (api: greater than zero)") {
  for (const std::int64_t amount : {std::int64_t{0}, std::int64_t{-1}, INT64_MIN}) {
    TransferItem item = good_item();
    item.amount = amount;
    CHECK_FALSE(accepted(one_transfer(item)));
  }
  TransferItem item = good_item();
  item.amount = INT64_MAX;
  CHECK(accepted(one_transfer(item)));
}

TEST_CASE("unknown currencies are malformed, also behind a known one (ISO 4217)") {
  for (const Currency currency : {Currency{}, currency_of("XXX"), currency_of("XAU"), Currency{0x01445355}}) {
    TransferItem item = good_item();
    item.currency = currency;
    CHECK_FALSE(accepted(one_transfer(item)));
    Request two = one_transfer(good_item());
    std::get<TransfersRequest>(two.body).items.push_back(item);
    CHECK_FALSE(accepted(two));
  }
}

TEST_CASE("account names follow their grammar, reserved ones included (api: amounts and names)") {
  const std::string longest(64, 'a');
  const std::string too_long(65, 'a');
  struct Row {
    std::string_view name;
    bool good;
  };
  const Row rows[] = {
      {"a", true},     {"Z9._:-", true},
      {longest, true}, {"sys:issue:USD", true},
      {"0", true},     {"", false},
      {".a", false},   {too_long, false},
      {"a b", false},  {"a/b", false},
      {"-a", false},   {":", false},
      {"ä", false},    {std::string_view("a\0b", 3), false},
  };
  for (const Row& row : rows) {
    INFO(row.name);
    CHECK(accepted(TransferOperation::transfer, row.name, "bob") == row.good);
    CHECK(accepted(TransferOperation::transfer, "alice", row.name) == row.good);
    CHECK(accepted(TransferOperation::deposit, "", row.name) == row.good);
    CHECK(accepted(TransferOperation::withdrawal, row.name, "") == row.good);
    Request open;
    open.header.kind = RequestKind::open_account;
    open.body = OpenAccountRequest{currency_of("USD"), row.name};
    CHECK(accepted(open) == row.good);
    Request change;
    change.header.kind = RequestKind::change_account;
    change.body = ChangeAccountRequest{AccountChange::close, Uuid{}, row.name};
    CHECK(accepted(change) == row.good);
    Request account;
    account.header.kind = RequestKind::account;
    account.body = AccountRequest{row.name};
    CHECK(accepted(account) == row.good);
    CHECK(accepted(place_hold(row.name)) == row.good);
    CHECK(accepted(capture_hold(row.name, "bob")) == row.good);
    CHECK(accepted(capture_hold("alice", row.name)) == row.good);
    CHECK(accepted(about_hold<VoidHoldRequest>(RequestKind::void_hold, row.name)) == row.good);
    CHECK(accepted(about_hold<HoldRequest>(RequestKind::hold, row.name)) == row.good);
    Request balance;
    balance.header.kind = RequestKind::balance;
    balance.body = BalanceRequest{Consistency::eventual, currency_of("USD"), row.name};
    CHECK(accepted(balance) == row.good);
    Request status;
    status.header.kind = RequestKind::transfer_status;
    status.body = TransferStatusRequest{Uuid{}, row.name};
    CHECK(accepted(status) == (row.good || row.name.empty()));
  }
}

TEST_CASE("a deposit names no debit account and a withdrawal no credit account (docs/FORMATS.md, Client protocol)") {
  CHECK_FALSE(accepted(TransferOperation::deposit, "alice", "bob"));
  CHECK_FALSE(accepted(TransferOperation::withdrawal, "alice", "bob"));
  CHECK_FALSE(accepted(TransferOperation::deposit, "alice", ""));
  CHECK_FALSE(accepted(TransferOperation::withdrawal, "", "bob"));
}

TEST_CASE("semantic refusals are left to the ledger (api: outcomes)") {
  CHECK(accepted(TransferOperation::transfer, "alice", "alice"));
  CHECK(accepted(TransferOperation::transfer, "sys:issue:USD", "alice"));
}

TEST_CASE(
    "headers with unknown kinds, routes, padding or no patience are malformed (docs/FORMATS.md, Client protocol)") {
  const Bytes good = encode(one_transfer(good_item()));
  REQUIRE(decode_request(good).has_value());
  struct Row {
    std::size_t at;
    int value;
  };
  for (const Row row : {Row{0, 0}, Row{0, 15}, Row{1, 2}, Row{2, 1}, Row{3, 1}, Row{24, 0}, Row{24, 4}}) {
    Bytes bytes = good;
    bytes[row.at] = static_cast<std::byte>(row.value);
    CHECK_FALSE(decode_request(bytes).has_value());
  }
  Request impatient = one_transfer(good_item());
  impatient.header.patience_ms = 0;
  CHECK_FALSE(accepted(impatient));
}

TEST_CASE("a change of an account is a freeze, an unfreeze or a close (docs/FORMATS.md, Client protocol)") {
  Request request;
  request.header.kind = RequestKind::change_account;
  for (int number = 0; number < 256; ++number) {
    request.body = ChangeAccountRequest{static_cast<AccountChange>(number), Uuid{}, "alice"};
    CHECK(accepted(request) == (number >= 4 && number <= 6));
  }
  Reply reply;
  reply.kind = RequestKind::account;
  for (int number = 0; number < 256; ++number) {
    reply.body = AccountReply{static_cast<AccountState>(number), Position(1), Stamp{2}};
    CHECK(decode_reply(encode(reply)).has_value() == (number >= 1 && number <= 3));
  }
}

TEST_CASE("the bytes of requests about holds are as the grammar says (docs/FORMATS.md, Client protocol)") {
  const auto behind_header = [](const Request& request) {
    const Bytes bytes = encode(request);
    return Bytes(bytes.begin() + 20, bytes.end());
  };
  Bytes expected;
  ByteWriter out(expected);
  out.u32(currency_of("USD").packed);
  out.i64(1250);
  out.uuid(Uuid{{1, 2, 3}});
  out.u64(60'000);
  out.short_string("alice");
  CHECK(behind_header(place_hold("alice")) == expected);
  expected.clear();
  out.u32(currency_of("USD").packed);
  out.i64(1250);
  out.uuid(Uuid{{1, 2, 3}});
  out.short_string("alice");
  out.short_string("bob");
  CHECK(behind_header(capture_hold("alice", "bob")) == expected);
  expected.clear();
  out.uuid(Uuid{{1, 2, 3}});
  out.short_string("alice");
  CHECK(behind_header(about_hold<VoidHoldRequest>(RequestKind::void_hold, "alice")) == expected);
  CHECK(behind_header(about_hold<HoldRequest>(RequestKind::hold, "alice")) == expected);
}

TEST_CASE("a hold keeps something, for a while and at most 31 days (docs/FORMATS.md, Client protocol)") {
  for (const std::int64_t amount : {std::int64_t{0}, std::int64_t{-1}, INT64_MIN}) {
    CHECK_FALSE(accepted(place_hold("alice", amount)));
    CHECK_FALSE(accepted(capture_hold("alice", "bob", amount)));
  }
  const std::uint64_t month_ms = 31ull * 24 * 3600 * 1000;
  CHECK(accepted(place_hold("alice", INT64_MAX, 1)));
  CHECK(accepted(place_hold("alice", 1, month_ms)));
  CHECK_FALSE(accepted(place_hold("alice", 1, 0)));
  CHECK_FALSE(accepted(place_hold("alice", 1, month_ms + 1)));
  CHECK_FALSE(accepted(place_hold("alice", 1, UINT64_MAX)));
  CHECK(accepted(capture_hold("alice", "alice")));  // left to the ledger, as with a transfer
}

TEST_CASE("what is told of a hold is one of its four states, with the transfer that captured it and no other") {
  Reply reply;
  reply.kind = RequestKind::hold;
  for (int number = 0; number < 256; ++number) {
    for (const bool has_transfer : {false, true}) {
      const TransferId transfer = has_transfer ? Uuid{{9}} : Uuid{};
      reply.body =
          HoldReply{static_cast<HoldState>(number), currency_of("USD"), 5, Stamp{1}, transfer, Position{2}, Stamp{3}};
      const bool good = number >= 1 && number <= 4 && has_transfer == (number == 2);
      CHECK(decode_reply(encode(reply)).has_value() == good);
    }
  }
  reply.body = HoldReply{HoldState::held, currency_of("USD"), 0, Stamp{1}, {}, Position{2}, Stamp{3}};
  CHECK_FALSE(decode_reply(encode(reply)).has_value());
  reply.body = HoldReply{HoldState::held, Currency{}, 5, Stamp{1}, {}, Position{2}, Stamp{3}};
  CHECK_FALSE(decode_reply(encode(reply)).has_value());
}

TEST_CASE("what is held of a balance is part of it (docs/FORMATS.md, Client protocol)") {
  struct Row {
    std::int64_t balance;
    std::int64_t held;
    bool good;
  };
  for (const Row& row : {Row{5, 0, true}, Row{5, 5, true}, Row{5, 6, false}, Row{5, -1, false}, Row{-5, 0, true},
                         Row{-5, 1, false}, Row{INT64_MIN, 0, true}, Row{INT64_MAX, INT64_MAX, true}}) {
    Reply reply;
    reply.kind = RequestKind::balance;
    reply.body = BalanceReply{row.balance, row.held, ShardId{1}, Position{2}, Stamp{3}};
    CHECK(decode_reply(encode(reply)).has_value() == row.good);
  }
}

TEST_CASE("a result in the reply about a hold is as strict as a transfer's (docs/FORMATS.md, Client protocol)") {
  Reply reply;
  reply.kind = RequestKind::place_hold;
  PlaceHoldReply placed;
  placed.result.outcome = Outcome::success;
  reply.body = placed;
  const Bytes good = encode(reply);
  REQUIRE(decode_reply(good).has_value());
  struct Row {
    std::size_t at;
    int value;
  };
  for (const Row row : {Row{12, 2}, Row{12, 255}, Row{13, 2}, Row{14, 1}, Row{15, 1}}) {
    Bytes bytes = good;
    bytes[row.at] = static_cast<std::byte>(row.value);
    CHECK_FALSE(decode_reply(bytes).has_value());
  }
}

TEST_CASE("a split has 1 to 16 parts, each of something for somebody (docs/FORMATS.md, Client protocol)") {
  Request request;
  request.header.kind = RequestKind::split;
  SplitRequest split{currency_of("USD"), Uuid{{1, 2, 3}}, "alice", {{700, "bob"}, {50, "carol"}}};
  request.body = split;
  Bytes expected;
  ByteWriter out(expected);
  out.u32(currency_of("USD").packed);
  out.uuid(Uuid{{1, 2, 3}});
  out.short_string("alice");
  out.u8(2);
  out.i64(700);
  out.short_string("bob");
  out.i64(50);
  out.short_string("carol");
  const Bytes encoded_request = encode(request);
  CHECK(Bytes(encoded_request.begin() + 20, encoded_request.end()) == expected);
  CHECK(accepted(request));
  split.parts[1].amount = 0;
  request.body = split;
  CHECK_FALSE(accepted(request));
  split.parts[1] = {50, "not an account"};
  request.body = split;
  CHECK_FALSE(accepted(request));
  split.parts.assign(split_parts_max, {1, "bob"});
  request.body = split;
  CHECK(accepted(request));
  for (const std::uint8_t count : {std::uint8_t{0}, std::uint8_t{17}}) {
    Bytes bytes = encode(request);
    const std::size_t count_at = 20 + 4 + 16 + 1 + 5;
    bytes[count_at] = std::byte{count};
    if (count == 0) bytes.resize(count_at + 1);
    CHECK_FALSE(decode_request(bytes).has_value());
  }
}

TEST_CASE("numbers between the kinds of requests are no requests (docs/FORMATS.md, Client protocol)") {
  Request request;
  request.header.kind = RequestKind::account;
  request.body = AccountRequest{"alice"};
  Bytes bytes = encode(request);
  for (int number = 0; number < 256; ++number) {
    bytes[0] = static_cast<std::byte>(number);
    if (is_request_kind(static_cast<std::uint8_t>(number))) continue;
    CHECK_FALSE(decode_request(bytes).has_value());
    CHECK((number == 0 || (number >= 15 && number <= 19) || number > 20));
  }
}

TEST_CASE("a part of a split is named where it was refused, and only there (docs/FORMATS.md, Client protocol)") {
  Reply reply;
  reply.kind = RequestKind::split;
  SplitReply body;
  body.parts = {{ShardId(1), Position(2), Stamp{3}}};
  const auto told = [&](Outcome outcome, std::uint8_t refused) {
    body.result.outcome = outcome;
    body.refused = refused;
    reply.body = body;
    return decode_reply(encode(reply)).has_value();
  };
  CHECK(told(Outcome::success, no_part));
  CHECK(told(Outcome::account_frozen, no_part));
  CHECK(told(Outcome::account_frozen, 15));
  CHECK_FALSE(told(Outcome::account_frozen, 16));
  CHECK_FALSE(told(Outcome::success, 0));
}

TEST_CASE("membership requests name a shard, and nodes ascending without nobody (docs/FORMATS.md, Client protocol)") {
  const auto reconfigure = [](std::vector<NodeId> voters, ShardId shard) {
    Request request;
    request.header.kind = RequestKind::reconfigure;
    request.header.shard = shard;
    request.body = ReconfigureRequest{std::move(voters)};
    return accepted(request);
  };
  const auto transfer = [](NodeId to, ShardId shard) {
    Request request;
    request.header.kind = RequestKind::transfer_leadership;
    request.header.shard = shard;
    request.body = TransferLeadershipRequest{to};
    return accepted(request);
  };
  const NodeId n1{1}, n2{2};
  CHECK(reconfigure({n1, n2}, ShardId{1}));
  CHECK(reconfigure({n2}, ShardId{1}));
  CHECK_FALSE(reconfigure({}, ShardId{1}));
  CHECK_FALSE(reconfigure({n2, n1}, ShardId{1}));
  CHECK_FALSE(reconfigure({n1, n1}, ShardId{1}));
  CHECK_FALSE(reconfigure({nobody, n1}, ShardId{1}));
  CHECK_FALSE(reconfigure({n1, n2}, ShardId{0}));
  CHECK(transfer(n2, ShardId{1}));
  CHECK_FALSE(transfer(nobody, ShardId{1}));
  CHECK_FALSE(transfer(n2, ShardId{0}));
}

TEST_CASE("a list of more members than a group has is malformed (docs/FORMATS.md, Client protocol)") {
  Request request;
  request.header.kind = RequestKind::reconfigure;
  request.header.shard = ShardId{1};
  std::vector<NodeId> voters;
  for (std::uint32_t node = 1; node <= nodes_in_list_max; ++node) {
    voters.push_back(NodeId(node));
  }
  request.body = ReconfigureRequest{voters};
  Bytes bytes = encode(request);
  REQUIRE(decode_request(bytes).has_value());
  bytes[20] = std::byte{nodes_in_list_max + 1};
  ByteWriter(bytes).u32(64);
  CHECK_FALSE(decode_request(bytes).has_value());
}

TEST_CASE("every truncation and every trailing byte is malformed (docs/FORMATS.md, Client protocol)") {
  Bytes bytes = encode(one_transfer(good_item()));
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    CHECK_FALSE(decode_request(ByteView(bytes).first(size)).has_value());
  }
  bytes.push_back(std::byte{0});
  CHECK_FALSE(decode_request(bytes).has_value());
}

TEST_CASE("a batch has between one and transfers_max items (docs/FORMATS.md, Client protocol)") {
  Request full = one_transfer(good_item());
  std::get<TransfersRequest>(full.body).items.resize(transfers_max, good_item());
  Bytes bytes = encode(full);
  CHECK(decode_request(bytes).has_value());

  const Bytes one = encode(one_transfer(good_item()));
  bytes.insert(bytes.end(), one.begin() + 24, one.end());
  const std::uint32_t count = transfers_max + 1;
  std::memcpy(bytes.data() + 20, &count, sizeof count);
  CHECK_FALSE(decode_request(bytes).has_value());

  Bytes none(one.begin(), one.begin() + 24);
  none[20] = std::byte{0};
  CHECK_FALSE(decode_request(none).has_value());
}

TEST_CASE("a reply that is not a success carries nothing else (docs/FORMATS.md, Client protocol)") {
  Reply reply;
  reply.status = Outcome::not_leader;
  reply.leader = NodeId{2};
  Bytes bytes = encode(reply);
  const auto decoded = decode_reply(bytes);
  REQUIRE(decoded.has_value());
  CHECK(decoded->leader == NodeId{2});
  bytes.push_back(std::byte{0});
  CHECK_FALSE(decode_reply(bytes).has_value());
  bytes.pop_back();
  bytes[1] = std::byte{2};  // not an outcome
  CHECK_FALSE(decode_reply(bytes).has_value());
  bytes[1] = std::byte{0};  // pending is never told
  CHECK_FALSE(decode_reply(bytes).has_value());
}

TEST_CASE("property: every request decodes to what was encoded") {
  REQUIRE(rc::check("encode . decode . encode == encode", [] {
    const OwnedRequest owned = arbitrary_request();
    const Bytes bytes = encode(owned.request);
    const auto decoded = decode_request(ExactBytes(bytes));
    RC_ASSERT(decoded.has_value());
    RC_ASSERT(decoded->header.kind == owned.request.header.kind);
    RC_ASSERT(decoded->header.tenant == owned.request.header.tenant);
    RC_ASSERT(decoded->body.index() == owned.request.body.index());
    RC_ASSERT(encode(*decode_request(bytes)) == bytes);
  }));
}

TEST_CASE("property: every reply decodes to what was encoded") {
  REQUIRE(rc::check("encode . decode . encode == encode", [] {
    const Reply reply = arbitrary_reply();
    const Bytes bytes = encode(reply);
    const auto decoded = decode_reply(ExactBytes(bytes));
    RC_ASSERT(decoded.has_value());
    RC_ASSERT(decoded->status == reply.status);
    RC_ASSERT(decoded->leader == reply.leader);
    RC_ASSERT(decoded->body.index() == reply.body.index());
    RC_ASSERT(encode(*decoded) == bytes);
  }));
}

TEST_CASE("property: decoders survive arbitrary and mutated bytes, and what they accept encodes to the same bytes") {
  REQUIRE(rc::check("arbitrary bytes", [] {
    const auto raw = *rc::gen::arbitrary<std::vector<std::uint8_t>>();
    Bytes bytes;
    for (const std::uint8_t byte : raw) {
      bytes.push_back(static_cast<std::byte>(byte));
    }
    const ExactBytes exact(bytes);
    const auto request = decode_request(exact);
    RC_ASSERT((!request.has_value() || encode(*request) == bytes));
    const auto reply = decode_reply(exact);
    RC_ASSERT((!reply.has_value() || encode(*reply) == bytes));
  }));
  REQUIRE(rc::check("mutated requests", [] {
    const Bytes bytes = mutated(encode(arbitrary_request().request));
    const ExactBytes exact(bytes);
    const auto request = decode_request(exact);
    RC_CLASSIFY(request.has_value());
    RC_ASSERT((!request.has_value() || encode(*request) == bytes));
  }));
  REQUIRE(rc::check("mutated replies", [] {
    const Bytes bytes = mutated(encode(arbitrary_reply()));
    const ExactBytes exact(bytes);
    const auto reply = decode_reply(exact);
    RC_CLASSIFY(reply.has_value());
    RC_ASSERT((!reply.has_value() || encode(*reply) == bytes));
  }));
}

}  // namespace
}  // namespace coffer::router
