// Fields that several events have, written and read. Private to the codec of events (events.cc, split_events.cc).
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "core/ledger/events.h"
#include "core/ledger/fields.h"

namespace coffer::ledger {

inline constexpr std::size_t decided_size = 3 + 4 * 4 + 4 + 8 + 16 + 16;

template <std::size_t size>
void put(Fields<size>& fields, const Decided& decided) {
  fields.put(decided.operation).put(decided.outcome).put(std::uint8_t{0}).put(decided.principal).put(decided.home);
  fields.put(decided.debit).put(decided.credit).put(decided.amount).put(decided.id).put(decided.digest);
}

inline void require(bool condition, ByteReader& in) {
  if (!condition) in.fail();
}

inline Money read_amount(ByteReader& in) {
  Money amount;
  amount.currency = Currency{in.u32()};
  amount.minor = in.i64();
  require(is_known(amount.currency) && amount.minor > 0, in);
  return amount;
}

/// The outcome of something that has been decided: success or a logged refusal.
inline Outcome read_logged_outcome(ByteReader& in) {
  const auto outcome = static_cast<Outcome>(in.u8());
  require(is_logged(outcome), in);
  return outcome;
}

inline std::string_view read_account_name(ByteReader& in) {
  const std::string_view name = in.short_string();
  require(is_account_name(name) && !is_reserved(name), in);
  return name;
}

/// As of any event that binds a client's id; the sides and the operation are for the event to judge.
inline Decided read_any_decided(ByteReader& in) {
  Decided decided;
  const ByteView bytes = in.raw(decided_size);
  if (!in.ok()) return decided;
  std::size_t at = 0;
  const auto get = [&]<class T>(T& value) {
    std::memcpy(&value, bytes.data() + at, sizeof value);
    at += sizeof value;
  };
  std::uint8_t zero = 0;
  get(decided.operation);
  get(decided.outcome);
  get(zero);
  get(decided.principal);
  get(decided.home);
  get(decided.debit);
  get(decided.credit);
  get(decided.amount.currency);
  get(decided.amount.minor);
  get(decided.id);
  get(decided.digest);
  require(zero == 0 && decided.home != no_account, in);
  require(is_known(decided.amount.currency) && decided.amount.minor > 0, in);
  return decided;
}

/// What the events of a source about one of its legs have in common.
template <class Sent>
void require_sent(const Sent& event, ByteReader& in) {
  require(event.debit != no_pocket && event.transit != no_pocket && event.debit != event.transit, in);
  require(event.target.value != 0 && event.leg.value != 0, in);
}

/// The fields behind the first of a source's events about the answer to one of its legs.
template <class Answered>
void read_answer(Answered& event, ByteReader& in) {
  event.target = in.id<ShardId>();
  event.leg = in.id<LegNumber>();
  event.id = in.uuid();
  event.debit = in.id<PocketNumber>();
  event.transit = in.id<PocketNumber>();
  event.amount = read_amount(in);
  event.target_position = in.id<Position>();
  event.target_stamp = Stamp{in.i64()};
  require_sent(event, in);
}

inline SecondPhase read_phase(ByteReader& in) {
  const std::uint8_t phase = in.u8();
  require(phase >= 1 && phase <= static_cast<std::uint8_t>(last_second_phase), in);
  return static_cast<SecondPhase>(phase);
}

// Of split_events.cc, for decode_event.
SplitStarted read_split_started(ByteReader& in);
SplitAnswered read_split_answered(ByteReader& in);
SplitDecided read_split_decided(ByteReader& in);
SplitEnded read_split_ended(ByteReader& in);

}  // namespace coffer::ledger
