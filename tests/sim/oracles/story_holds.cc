// Of stories: holds of account a, and locks.
#include <algorithm>

#include "tests/sim/oracles/story.h"

namespace coffer::sim::oracles {

namespace {

constexpr AccountNumber home_of_a{0};

}  // namespace

ledger::HoldPlaced Story::hold_placed(std::uint8_t id, std::int64_t amount, Duration expires_in,
                                      Outcome outcome) const {
  ledger::HoldPlaced event;
  event.decided = decided(transfer_item(id, "a", "", amount), outcome, home_of_a, first, no_pocket);
  event.decided.operation = ledger::Operation::hold;
  if (outcome == Outcome::success) event.expires = Stamp{next_stamp(s1).nanos + expires_in.nanos};
  return event;
}

ledger::HoldEnded Story::hold_ended(std::uint32_t number, std::uint8_t id, std::int64_t amount,
                                    ledger::HoldEnd how) const {
  return {how, number, id_of(id), first, {amount, usd}};
}

ledger::Event Story::capture(std::uint8_t id, std::int64_t amount, Outcome outcome) {
  router::TransferItem item = transfer_item(id, "a", "c", amount);
  item.id = capture_of(id);
  return local(item, outcome, home_of_a, first, second);
}

void Story::place_hold(std::uint8_t id, std::int64_t amount, Duration expires_in) {
  const auto ms = static_cast<std::uint64_t>(expires_in.millis());
  const std::uint64_t op = call(router::PlaceHoldRequest{usd, amount, id_of(id), ms, "a"});
  const ledger::HoldPlaced event = hold_placed(id, amount, expires_in);
  const Position at = commit(s1, {event});
  holds_[id] = {event, router::HoldState::held};
  router::Reply reply;
  reply.kind = router::RequestKind::place_hold;
  reply.shard = s1;
  reply.body = router::PlaceHoldReply{result(s1, at), event.expires};
  answer(op, reply);
}

void Story::capture_hold(std::uint32_t number, std::uint8_t id, std::int64_t amount, Outcome outcome) {
  const std::int64_t held = holds_.at(id).first.decided.amount.minor;
  const std::uint64_t op = call(router::CaptureHoldRequest{usd, amount, id_of(id), "a", "c"});
  const Position at =
      commit(s1, {hold_ended(number, id, held, ledger::HoldEnd::captured), capture(id, amount, outcome)});
  holds_.at(id).second = router::HoldState::captured;
  router::Reply reply;
  reply.kind = router::RequestKind::capture_hold;
  reply.shard = s1;
  reply.body = router::CaptureHoldReply{capture_of(id), result(s1, at.next(), outcome)};
  captured_[id] = std::get<router::CaptureHoldReply>(reply.body).result;
  answer(op, reply);
}

void Story::void_hold(std::uint32_t number, std::uint8_t id) {
  const std::int64_t held = holds_.at(id).first.decided.amount.minor;
  const std::uint64_t op = call(router::VoidHoldRequest{id_of(id), "a"});
  const Position at = commit(s1, {hold_ended(number, id, held, ledger::HoldEnd::voided)});
  holds_.at(id).second = router::HoldState::voided;
  router::Reply reply;
  reply.kind = router::RequestKind::void_hold;
  reply.shard = s1;
  reply.body = router::VoidHoldReply{false, at};
  answer(op, reply);
}

void Story::expire_hold(std::uint32_t number, std::uint8_t id) {
  const ledger::HoldPlaced& placed = holds_.at(id).first;
  stamps_[s1] = std::max(stamps_[s1], placed.expires);
  commit(s1, {hold_ended(number, id, placed.decided.amount.minor, ledger::HoldEnd::expired)});
  holds_.at(id).second = router::HoldState::expired;
}

void Story::settle_locks(ShardId shard, const ledger::Event& event) {
  if (const auto* prepared = std::get_if<ledger::PrepareStarted>(&event)) {
    locked_.emplace(shard, prepared->decided.debit);
  } else if (const auto* promised = std::get_if<ledger::PrepareReceived>(&event)) {
    if (promised->outcome == Outcome::success) locked_.emplace(shard, promised->credit);
  } else if (const auto* decided = std::get_if<ledger::SecondStarted>(&event)) {
    if (decided->protocol == ledger::Protocol::two_phase_commit) locked_.erase({shard, decided->debit});
  } else if (const auto* done = std::get_if<ledger::SecondReceived>(&event)) {
    if (ledger::protocol_of(done->phase) == ledger::Protocol::two_phase_commit) locked_.erase({shard, done->credit});
  }
}

router::Reply Story::hold_reply(std::uint8_t id, router::HoldState state) const {
  const ledger::HoldPlaced& placed = holds_.at(id).first;
  const TransferId transfer = state == router::HoldState::captured ? capture_of(id) : TransferId{};
  router::Reply reply;
  reply.kind = router::RequestKind::hold;
  reply.shard = s1;
  reply.body = router::HoldReply{
      state, usd, placed.decided.amount.minor, placed.expires, transfer, positions_.at(s1), stamps_.at(s1)};
  return reply;
}

}  // namespace coffer::sim::oracles
