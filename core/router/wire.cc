#include "core/router/wire.h"

#include <array>

namespace coffer::router {

namespace {

constexpr std::size_t account_length_max = 64;

constexpr bool is_alphanumeric(unsigned char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

constexpr std::array<bool, 256> account_characters = [] {
  std::array<bool, 256> table{};
  for (std::size_t c = 0; c < table.size(); ++c) {
    table[c] = is_alphanumeric(static_cast<unsigned char>(c)) || c == '.' || c == '_' || c == ':' || c == '-';
  }
  return table;
}();

/// A switch over all of them, so that the compiler asks for a new outcome here.
constexpr bool names_an_outcome(Outcome outcome) {
  switch (outcome) {
    case Outcome::pending:
    case Outcome::success:
    case Outcome::insufficient_funds:
    case Outcome::credit_account_not_found:
    case Outcome::currency_mismatch:
    case Outcome::balance_overflow:
    case Outcome::account_frozen:
    case Outcome::account_closed:
    case Outcome::limit_exceeded:
    case Outcome::account_locked:
    case Outcome::account_not_found:
    case Outcome::same_account:
    case Outcome::idempotency_payload_mismatch:
    case Outcome::transfer_not_found:
    case Outcome::malformed:
    case Outcome::reserved_account:
    case Outcome::in_flight:
    case Outcome::change_under_way:
    case Outcome::account_not_empty:
    case Outcome::hold_not_found:
    case Outcome::hold_captured:
    case Outcome::hold_voided:
    case Outcome::hold_expired:
    case Outcome::hold_exceeded:
    case Outcome::id_in_future:
    case Outcome::id_gap:
    case Outcome::id_is_numbered:
    case Outcome::not_leader:
    case Outcome::overloaded:
    case Outcome::no_leader:
    case Outcome::wrong_shard:
    case Outcome::draining:
    case Outcome::account_busy:
    case Outcome::unknown:
    case Outcome::id_expired:
      return true;
  }
  return false;
}

constexpr std::array<bool, 256> outcomes = [] {
  std::array<bool, 256> table{};
  for (std::size_t number = 0; number < table.size(); ++number) {
    table[number] = names_an_outcome(static_cast<Outcome>(number));
  }
  return table;
}();

bool accounts_fit(const TransferItem& item) {
  switch (item.operation) {
    case TransferOperation::transfer:
      return is_account(item.debit) && is_account(item.credit);
    case TransferOperation::deposit:
      return item.debit.empty() && is_account(item.credit);
    case TransferOperation::withdrawal:
      return is_account(item.debit) && item.credit.empty();
    case TransferOperation::split:
      break;  // has a request of its own
  }
  return false;
}

}  // namespace

bool is_outcome(std::uint8_t number) { return outcomes[number]; }

bool is_account(std::string_view name) {
  if (name.empty() || name.size() > account_length_max || !is_alphanumeric(static_cast<unsigned char>(name[0]))) {
    return false;
  }
  bool fits = true;
  for (const char c : name) {
    fits &= account_characters[static_cast<unsigned char>(c)];
  }
  return fits;
}

RequestHeader read_request_header(ByteReader& in) {
  RequestHeader header;
  const std::uint8_t kind = in.u8();
  const std::uint8_t route = in.u8();
  const std::uint16_t zero = in.u16();
  header.shard = in.id<ShardId>();
  header.patience_ms = in.u32();
  header.tenant = in.id<TenantId>();
  header.principal = in.id<PrincipalId>();
  if (!is_request_kind(kind) || route > static_cast<std::uint8_t>(Route::direct) || zero != 0 ||
      header.patience_ms == 0) {
    in.fail();
    return header;
  }
  header.kind = static_cast<RequestKind>(kind);
  header.route = static_cast<Route>(route);
  return header;
}

Currency get_currency(ByteReader& in) {
  const Currency currency{in.u32()};
  if (!is_known(currency)) {
    in.fail();
  }
  return currency;
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

TransferResult get_result(ByteReader& in) {
  TransferResult result;
  const std::uint8_t outcome = in.u8();
  const std::uint8_t replayed = in.u8();
  const std::uint16_t zero = in.u16();
  result.shard = in.id<ShardId>();
  result.position = in.id<Position>();
  result.stamp = Stamp{in.i64()};
  result.target = in.id<ShardId>();
  result.target_position = in.id<Position>();
  result.target_stamp = Stamp{in.i64()};
  if (!is_outcome(outcome) || replayed > 1 || zero != 0) {
    in.fail();
    return result;
  }
  result.outcome = static_cast<Outcome>(outcome);
  result.replayed = replayed == 1;
  return result;
}

ItemReader::ItemReader(ByteReader& in) : in_(in) {
  count_ = in_.u32();
  if (count_ == 0 || count_ > transfers_max || count_ > in_.remaining() / item_fixed_size) {
    in_.fail();
    count_ = 0;
  }
}

TransferItem ItemReader::next() {
  TransferItem item;
  const std::uint8_t operation = in_.u8();
  item.operation = static_cast<TransferOperation>(operation);
  item.currency = Currency{in_.u32()};
  item.amount = in_.i64();
  item.id = in_.uuid();
  item.debit = in_.short_string();
  item.credit = in_.short_string();
  if (item.amount <= 0 || !accounts_fit(item)) {
    in_.fail();
  }
  if (item.currency != known_ || known_ == Currency{}) {
    if (is_known(item.currency)) {
      known_ = item.currency;
    } else {
      in_.fail();
    }
  }
  return item;
}

std::vector<std::uint32_t> item_offsets(ByteView request) {
  const auto count = load<std::uint32_t>(request, request_header_size);
  check(count <= transfers_max, "offsets are made for a request that was decoded");
  std::vector<std::uint32_t> offsets(count + 1);
  std::size_t at = items_at;
  for (std::uint32_t item = 0; item < count; ++item) {
    offsets[item] = static_cast<std::uint32_t>(at);
    const std::size_t debit_at = at + item_fixed_size - 2;
    const std::size_t credit_at = debit_at + 1 + load<std::uint8_t>(request, debit_at);
    at = credit_at + 1 + load<std::uint8_t>(request, credit_at);
  }
  check(at == request.size(), "offsets are made for a request that was decoded");
  offsets[count] = static_cast<std::uint32_t>(at);
  return offsets;
}

ReplyHeader read_reply_header(ByteReader& in) {
  ReplyHeader header;
  const std::uint8_t kind = in.u8();
  const std::uint8_t status = in.u8();
  const std::uint16_t zero = in.u16();
  header.shard = in.id<ShardId>();
  header.leader = in.id<NodeId>();
  if (!is_request_kind(kind) || !is_outcome(status) || static_cast<Outcome>(status) == Outcome::pending || zero != 0) {
    in.fail();
    return header;
  }
  header.kind = static_cast<RequestKind>(kind);
  header.status = static_cast<Outcome>(status);
  return header;
}

ResultsView::ResultsView(ByteView reply) {
  if (reply.size() < results_at) {
    return;
  }
  const auto count = load<std::uint32_t>(reply, reply_header_size);
  bytes_ = reply.subspan(results_at);
  if (count > transfers_max || bytes_.size() != count * result_size) {
    bytes_ = {};
    return;
  }
  bool fits = true;
  for (std::size_t at = 0; at < bytes_.size(); at += result_size) {
    std::uint32_t flags = 0;  // outcome u8 | replayed u8 | zero u16
    std::memcpy(&flags, bytes_.data() + at, sizeof flags);
    fits &= flags >> 9 == 0 && outcomes[flags & 0xFF];
  }
  ok_ = fits;
}

TransferResult ResultsView::operator[](std::size_t at) const {
  ByteReader in(bytes_.subspan(at * result_size, result_size));
  return get_result(in);
}

}  // namespace coffer::router
