// Arbitrary requests and replies for properties, with the storage their views point into.
#pragma once

#include <deque>
#include <string>

#include <rapidcheck.h>

#include "core/base/codec.h"
#include "core/router/protocol.h"

namespace coffer::router {

inline std::string arbitrary_account() {
  static const std::string first = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  static const std::string rest = first + "._:-";
  std::string name(1, *rc::gen::elementOf(first));
  const auto length = *rc::gen::inRange<std::size_t>(0, 64);
  for (std::size_t at = 0; at < length; ++at) {
    name.push_back(*rc::gen::elementOf(rest));
  }
  return name;
}

inline Currency arbitrary_currency() {
  return *rc::gen::element(currency_of("USD"), currency_of("EUR"), currency_of("JPY"), currency_of("KWD"));
}

inline Uuid arbitrary_uuid() {
  Uuid id;
  for (auto& byte : id.bytes) {
    byte = *rc::gen::arbitrary<std::uint8_t>();
  }
  return id;
}

inline Outcome arbitrary_outcome() {
  return *rc::gen::element(Outcome::pending, Outcome::success, Outcome::insufficient_funds,
                           Outcome::credit_account_not_found, Outcome::account_not_found, Outcome::in_flight,
                           Outcome::not_leader, Outcome::draining, Outcome::account_busy, Outcome::unknown,
                           Outcome::change_under_way, Outcome::hold_not_found, Outcome::hold_exceeded,
                           Outcome::id_in_future, Outcome::id_expired, Outcome::id_gap, Outcome::id_is_numbered);
}

/// Ascending, from `least` on.
inline std::vector<NodeId> arbitrary_nodes(std::size_t least) {
  std::vector<NodeId> nodes;
  const auto count = *rc::gen::inRange<std::size_t>(least, 6);
  for (std::size_t at = 0; at < count; ++at) {
    const std::uint32_t before = nodes.empty() ? 0 : nodes.back().value;
    nodes.push_back(NodeId(before + *rc::gen::inRange<std::uint32_t>(1, 1000)));
  }
  return nodes;
}

template <class Id>
Id arbitrary_id() {
  return Id(*rc::gen::arbitrary<typename Id::rep>());
}

/// A request and the characters it points to.
struct OwnedRequest {
  std::deque<std::string> texts;
  Request request;
  std::string_view own(std::string text) { return texts.emplace_back(std::move(text)); }
};

inline TransferItem arbitrary_item(OwnedRequest& owner) {
  TransferItem item;
  item.operation =
      *rc::gen::element(TransferOperation::transfer, TransferOperation::deposit, TransferOperation::withdrawal);
  item.currency = arbitrary_currency();
  item.amount = *rc::gen::inRange<std::int64_t>(1, INT64_MAX);
  item.id = arbitrary_uuid();
  if (item.operation != TransferOperation::deposit) {
    item.debit = owner.own(arbitrary_account());
  }
  if (item.operation != TransferOperation::withdrawal) {
    item.credit = owner.own(arbitrary_account());
  }
  return item;
}

inline RequestBody arbitrary_request_body(OwnedRequest& owner, RequestKind kind) {
  switch (kind) {
    case RequestKind::transfers: {
      TransfersRequest transfers;
      const auto count = *rc::gen::inRange<std::size_t>(1, 6);
      for (std::size_t at = 0; at < count; ++at) {
        transfers.items.push_back(arbitrary_item(owner));
      }
      return transfers;
    }
    case RequestKind::open_account:
      return OpenAccountRequest{arbitrary_currency(), owner.own(arbitrary_account())};
    case RequestKind::balance:
      return BalanceRequest{*rc::gen::element(Consistency::linearizable, Consistency::eventual), arbitrary_currency(),
                            owner.own(arbitrary_account())};
    case RequestKind::transfer_status:
      return TransferStatusRequest{arbitrary_uuid(),
                                   *rc::gen::arbitrary<bool>() ? owner.own(arbitrary_account()) : std::string_view()};
    case RequestKind::trial_balance:
      return TrialBalanceRequest{};
    case RequestKind::node_status:
      return NodeStatusRequest{};
    case RequestKind::reconfigure:
      return ReconfigureRequest{arbitrary_nodes(1)};
    case RequestKind::transfer_leadership:
      return TransferLeadershipRequest{NodeId(*rc::gen::inRange<std::uint32_t>(1, UINT32_MAX))};
    case RequestKind::change_account:
      return ChangeAccountRequest{
          *rc::gen::element(AccountChange::freeze, AccountChange::unfreeze, AccountChange::close), arbitrary_uuid(),
          owner.own(arbitrary_account())};
    case RequestKind::account:
      return AccountRequest{owner.own(arbitrary_account())};
    case RequestKind::place_hold:
      return PlaceHoldRequest{arbitrary_currency(), *rc::gen::inRange<std::int64_t>(1, INT64_MAX), arbitrary_uuid(),
                              *rc::gen::inRange<std::uint64_t>(1, hold_expires_in_ms_max + 1),
                              owner.own(arbitrary_account())};
    case RequestKind::capture_hold:
      return CaptureHoldRequest{arbitrary_currency(), *rc::gen::inRange<std::int64_t>(1, INT64_MAX), arbitrary_uuid(),
                                owner.own(arbitrary_account()), owner.own(arbitrary_account())};
    case RequestKind::void_hold:
      return VoidHoldRequest{arbitrary_uuid(), owner.own(arbitrary_account())};
    case RequestKind::hold:
      return HoldRequest{arbitrary_uuid(), owner.own(arbitrary_account())};
    case RequestKind::split: {
      SplitRequest split{arbitrary_currency(), arbitrary_uuid(), owner.own(arbitrary_account()), {}};
      const auto count = *rc::gen::inRange<std::size_t>(1, split_parts_max + 1);
      for (std::size_t at = 0; at < count; ++at) {
        split.parts.push_back({*rc::gen::inRange<std::int64_t>(1, INT64_MAX), owner.own(arbitrary_account())});
      }
      return split;
    }
  }
  return NodeStatusRequest{};
}

inline RequestKind arbitrary_kind() {
  std::vector<RequestKind> kinds;
  for (std::uint8_t number = 0; number <= static_cast<std::uint8_t>(last_request_kind); ++number) {
    if (is_request_kind(number)) kinds.push_back(static_cast<RequestKind>(number));
  }
  return kinds.at(*rc::gen::inRange<std::size_t>(0, kinds.size()));
}

inline OwnedRequest arbitrary_request() {
  OwnedRequest owner;
  RequestHeader& header = owner.request.header;
  header.kind = arbitrary_kind();
  header.route = *rc::gen::element(Route::proxied, Route::direct);
  header.shard = ShardId(*rc::gen::inRange<std::uint32_t>(is_membership(header.kind) ? 1 : 0, UINT32_MAX));
  header.patience_ms = *rc::gen::inRange<std::uint32_t>(1, UINT32_MAX);
  header.tenant = arbitrary_id<TenantId>();
  header.principal = arbitrary_id<PrincipalId>();
  owner.request.body = arbitrary_request_body(owner, header.kind);
  return owner;
}

inline TransferResult arbitrary_result() {
  TransferResult result;
  result.outcome = arbitrary_outcome();
  result.replayed = *rc::gen::arbitrary<bool>();
  result.shard = arbitrary_id<ShardId>();
  result.position = arbitrary_id<Position>();
  result.stamp = Stamp{*rc::gen::arbitrary<std::int64_t>()};
  result.target = arbitrary_id<ShardId>();
  result.target_position = arbitrary_id<Position>();
  result.target_stamp = Stamp{*rc::gen::arbitrary<std::int64_t>()};
  return result;
}

inline std::vector<PhaseStep> arbitrary_steps() {
  std::vector<PhaseStep> steps(*rc::gen::inRange<std::size_t>(0, steps_max + 1));
  for (PhaseStep& step : steps) {
    step.phase = *rc::gen::element(TransferPhase::execute, TransferPhase::compensate, TransferPhase::try_legs,
                                   TransferPhase::confirm, TransferPhase::cancel, TransferPhase::prepare,
                                   TransferPhase::commit, TransferPhase::abort);
    step.side = *rc::gen::element(Side::both, Side::debit, Side::credit);
    step.state = *rc::gen::element(StepState::sent, StepState::done, StepState::refused);
    step.shard = arbitrary_id<ShardId>();
    step.position = arbitrary_id<Position>();
    step.stamp = Stamp{*rc::gen::arbitrary<std::int64_t>()};
  }
  return steps;
}

inline __int128 arbitrary_i128() {
  const auto high = *rc::gen::arbitrary<std::uint64_t>();
  const auto low = *rc::gen::arbitrary<std::uint64_t>();
  return static_cast<__int128>(static_cast<unsigned __int128>(high) << 64 | low);
}

inline NodeStatusReply arbitrary_node_status() {
  NodeStatusReply reply;
  reply.node = arbitrary_id<NodeId>();
  reply.ready = *rc::gen::arbitrary<bool>();
  const auto count = *rc::gen::inRange<std::size_t>(0, 4);
  for (std::size_t at = 0; at < count; ++at) {
    NodeStatusReply::Shard shard;
    shard.shard = arbitrary_id<ShardId>();
    shard.role = *rc::gen::inRange<std::uint8_t>(0, 4);
    shard.term = arbitrary_id<Term>();
    shard.leader = arbitrary_id<NodeId>();
    shard.commit = arbitrary_id<Index>();
    shard.last = arbitrary_id<Index>();
    shard.position = arbitrary_id<Position>();
    shard.dedup_rows = *rc::gen::arbitrary<std::uint64_t>();
    shard.legs_unanswered = *rc::gen::arbitrary<std::uint64_t>();
    shard.base = arbitrary_id<Index>();
    shard.snapshot = arbitrary_id<Index>();
    shard.in_doubt = *rc::gen::arbitrary<std::uint64_t>();
    shard.uncertain = *rc::gen::arbitrary<bool>();
    shard.voters = arbitrary_nodes(0);
    shard.outgoing = arbitrary_nodes(0);
    shard.learners = arbitrary_nodes(0);
    reply.shards.push_back(shard);
  }
  return reply;
}

/// What is held is part of the balance.
inline BalanceReply arbitrary_balance() {
  BalanceReply reply;
  reply.balance = *rc::gen::arbitrary<std::int64_t>();
  reply.held = reply.balance > 0 ? *rc::gen::inRange<std::int64_t>(0, reply.balance) : 0;
  reply.shard = arbitrary_id<ShardId>();
  reply.position = arbitrary_id<Position>();
  reply.stamp = Stamp{*rc::gen::arbitrary<std::int64_t>()};
  return reply;
}

/// A transfer is named by a hold that was captured, and by no other.
inline HoldReply arbitrary_hold() {
  HoldReply reply;
  reply.state = *rc::gen::element(HoldState::held, HoldState::captured, HoldState::voided, HoldState::expired);
  reply.currency = arbitrary_currency();
  reply.amount = *rc::gen::inRange<std::int64_t>(1, INT64_MAX);
  reply.expires = Stamp{*rc::gen::arbitrary<std::int64_t>()};
  if (reply.state == HoldState::captured) {
    reply.transfer = arbitrary_uuid();
    reply.transfer.bytes[6] = 0x80;  // never the nil id
  }
  reply.position = arbitrary_id<Position>();
  reply.stamp = Stamp{*rc::gen::arbitrary<std::int64_t>()};
  return reply;
}

/// A part is named where it was refused.
inline SplitReply arbitrary_split() {
  SplitReply reply;
  reply.result = arbitrary_result();
  if (reply.result.outcome != Outcome::success && *rc::gen::arbitrary<bool>()) {
    reply.refused = static_cast<std::uint8_t>(*rc::gen::inRange<std::size_t>(0, split_parts_max));
  }
  const auto count = *rc::gen::inRange<std::size_t>(0, split_parts_max + 1);
  for (std::size_t at = 0; at < count; ++at) {
    reply.parts.push_back(
        {arbitrary_id<ShardId>(), arbitrary_id<Position>(), Stamp{*rc::gen::arbitrary<std::int64_t>()}});
  }
  return reply;
}

inline ReplyBody arbitrary_reply_body(RequestKind kind) {
  switch (kind) {
    case RequestKind::transfers: {
      TransfersReply reply;
      const auto count = *rc::gen::inRange<std::size_t>(0, 6);
      for (std::size_t at = 0; at < count; ++at) {
        reply.results.push_back(arbitrary_result());
      }
      return reply;
    }
    case RequestKind::open_account:
      return OpenAccountReply{*rc::gen::arbitrary<bool>(), arbitrary_id<Position>()};
    case RequestKind::balance:
      return arbitrary_balance();
    case RequestKind::transfer_status:
      return TransferStatusReply{*rc::gen::element(TransferOperation::transfer, TransferOperation::withdrawal),
                                 arbitrary_result(), *rc::gen::arbitrary<std::uint8_t>(), arbitrary_steps()};
    case RequestKind::trial_balance: {
      TrialBalanceReply reply;
      const auto count = *rc::gen::inRange<std::size_t>(0, 4);
      for (std::size_t at = 0; at < count; ++at) {
        reply.rows.push_back(
            {arbitrary_id<ShardId>(), arbitrary_currency(), arbitrary_i128(), arbitrary_i128(), arbitrary_i128()});
      }
      return reply;
    }
    case RequestKind::node_status:
      return arbitrary_node_status();
    case RequestKind::reconfigure:
      return ReconfigureReply{*rc::gen::arbitrary<bool>()};
    case RequestKind::transfer_leadership:
      return TransferLeadershipReply{*rc::gen::arbitrary<bool>()};
    case RequestKind::change_account:
      return ChangeAccountReply{*rc::gen::arbitrary<bool>(), arbitrary_id<Position>()};
    case RequestKind::account:
      return AccountReply{*rc::gen::element(AccountState::open, AccountState::frozen, AccountState::closed),
                          arbitrary_id<Position>(), Stamp{*rc::gen::arbitrary<std::int64_t>()}};
    case RequestKind::place_hold:
      return PlaceHoldReply{arbitrary_result(), Stamp{*rc::gen::arbitrary<std::int64_t>()}};
    case RequestKind::capture_hold:
      return CaptureHoldReply{arbitrary_uuid(), arbitrary_result()};
    case RequestKind::void_hold:
      return VoidHoldReply{*rc::gen::arbitrary<bool>(), arbitrary_id<Position>()};
    case RequestKind::hold:
      return arbitrary_hold();
    case RequestKind::split:
      return arbitrary_split();
  }
  return std::monostate{};
}

inline Reply arbitrary_reply() {
  Reply reply;
  reply.kind = arbitrary_kind();
  reply.shard = arbitrary_id<ShardId>();
  reply.leader = arbitrary_id<NodeId>();
  reply.status = *rc::gen::element(Outcome::success, Outcome::not_leader, Outcome::unknown, Outcome::malformed);
  if (reply.status == Outcome::success) {
    reply.body = arbitrary_reply_body(reply.kind);
  }
  return reply;
}

/// Flips, cuts, inserts or overwrites a few bytes.
inline Bytes mutated(Bytes bytes) {
  const auto changes = *rc::gen::inRange(1, 4);
  for (int change = 0; change < changes; ++change) {
    const auto at = *rc::gen::inRange<std::size_t>(0, bytes.size() + 1);
    const auto value = static_cast<std::byte>(*rc::gen::arbitrary<std::uint8_t>());
    const auto where = bytes.begin() + static_cast<std::ptrdiff_t>(at);
    switch (*rc::gen::inRange(0, 3)) {
      case 0:
        bytes.resize(at);
        break;
      case 1:
        bytes.insert(where, value);
        break;
      default:
        if (at < bytes.size()) {
          *where = value;
        }
    }
  }
  return bytes;
}

}  // namespace coffer::router
