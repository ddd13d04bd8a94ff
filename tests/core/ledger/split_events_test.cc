// The bytes of the events of splits: there and back, and what no shard can have decided.
#include <string>
#include <vector>

#include <catch2/catch.hpp>
#include <rapidcheck.h>

#include "core/base/prng.h"
#include "core/ledger/events.h"
#include "tests/core/ledger/sample_events.h"

namespace {

using namespace coffer;
using namespace coffer::ledger;

/// Draws well-formed events of splits; names live in static storage.
class SplitSource {
 public:
  explicit SplitSource(std::uint64_t seed) : prng_(seed) {}

  Event next() {
    switch (prng_.below(4)) {
      case 0:
        return split_started();
      case 1:
        return split_answered();
      case 2:
        return split_decided();
      default:
        return split_ended();
    }
  }
  Prng& prng() { return prng_; }

 private:
  std::uint32_t number() { return static_cast<std::uint32_t>(prng_.below(0xFFFF'FFFF)); }
  std::uint32_t shard() { return static_cast<std::uint32_t>(prng_.below(1000)) + 1; }
  Outcome logged() { return prng_.chance(500) ? Outcome::success : static_cast<Outcome>(10 + prng_.below(8)); }
  std::string_view name() {
    static const std::string letters(64, 'n');
    return std::string_view(letters).substr(0, 1 + prng_.below(64));
  }
  /// What split_answered and split_ended share.
  template <class Told>
  Told told() {
    Told event;
    event.part = static_cast<std::uint8_t>(prng_.below(split_parts_max));
    event.target = ShardId(shard());
    event.leg = LegNumber(prng_.next() | 1);
    for (std::uint8_t& byte : event.id.bytes) byte = static_cast<std::uint8_t>(prng_.next());
    event.debit = PocketNumber(number() / 2);
    event.transit = PocketNumber(event.debit.value + 1);
    event.amount = {prng_.between(1, INT64_MAX), currency_of("USD")};
    event.target_position = Position(prng_.next());
    event.target_stamp = Stamp{prng_.between(1, INT64_MAX)};
    return event;
  }

  /// Amounts small enough to be added up.
  SplitStarted split_started() {
    SplitStarted event;
    event.decided = sample_decided(logged());
    event.decided.operation = Operation::split;
    event.decided.credit = no_pocket;
    const bool begins = event.decided.outcome == Outcome::success;
    if (!begins) {
      if (prng_.chance(500)) event.refused = static_cast<std::uint8_t>(prng_.below(split_parts_max));
      return event;
    }
    const bool at_once = prng_.chance(300);
    event.decided.amount.minor = 0;
    const std::uint64_t count = 1 + prng_.below(split_parts_max);
    for (std::uint64_t i = 0; i < count; ++i) {
      const bool is_here = at_once || (i > 0 && prng_.chance(300));
      SplitStarted::Part part;
      part.target = ShardId(shard());
      part.leg = is_here ? LegNumber() : LegNumber(1 + prng_.below(1000));
      if (!at_once) part.transit = PocketNumber(number() / 2);
      if (is_here) part.credit = PocketNumber(number() / 2);
      part.amount = prng_.between(1, INT64_MAX / 32);
      part.credit_account = name();
      event.decided.amount.minor += part.amount;
      event.parts.push_back(part);
    }
    event.decided.outcome = at_once ? Outcome::success : Outcome::pending;
    return event;
  }
  SplitAnswered split_answered() {
    auto event = told<SplitAnswered>();
    event.outcome = logged();
    return event;
  }
  SplitDecided split_decided() {
    SplitDecided event;
    event.outcome = logged();
    event.id.bytes[3] = static_cast<std::uint8_t>(prng_.next());
    event.debit = PocketNumber(number());
    event.currency = currency_of("JPY");
    const std::uint64_t count = 1 + prng_.below(split_parts_max);
    if (event.outcome != Outcome::success) event.refused = static_cast<std::uint8_t>(prng_.below(count));
    for (std::uint64_t i = 0; i < count; ++i) {
      SplitDecided::Part part;
      part.target = ShardId(shard());
      part.transit = PocketNumber(number());
      part.amount = prng_.between(1, INT64_MAX);
      if (prng_.chance(300)) {
        part.credit = PocketNumber(number());
      } else {
        part.tried = LegNumber(1 + prng_.below(1000));
        part.second = LegNumber(part.tried.value + 1 + prng_.below(1000));
      }
      event.parts.push_back(part);
    }
    return event;
  }
  SplitEnded split_ended() {
    auto event = told<SplitEnded>();
    event.phase = prng_.chance(500) ? SecondPhase::confirm : SecondPhase::cancel;
    return event;
  }

  Prng prng_;
};

TEST_CASE("property: every event of a split decodes to what was encoded, and no part of it to anything") {
  REQUIRE(rc::check("property: events of splits survive", [](std::uint64_t seed) {
    SplitSource source(seed);
    const Event event = source.next();
    const Bytes bytes = encoded(event);
    ByteReader in(bytes);
    const Event read = decode_event(in);
    RC_ASSERT(in.done());
    RC_ASSERT(read.index() == event.index());
    RC_ASSERT(encoded(read) == bytes);
    const std::size_t size = source.prng().below(bytes.size());
    ByteReader part(ByteView(bytes).first(size));
    decode_event(part);
    RC_ASSERT(!part.ok());
  }));
}

TEST_CASE("a split takes what its parts get, goes each part's way, and names who refused where one did") {
  const auto refused = [](const Event& event) {
    const Bytes bytes = encoded(event);
    ByteReader in(bytes);
    decode_event(in);
    return !in.ok();
  };
  SplitStarted started;
  started.decided = sample_decided(Outcome::pending);
  started.decided.operation = Operation::split;
  started.decided.credit = no_pocket;  // 7 minor units of pocket 5
  started.parts = {{ShardId(2), LegNumber(1), PocketNumber(8), no_pocket, 5, "bob"},
                   {ShardId(1), LegNumber(), PocketNumber(9), PocketNumber(10), 2, "carol"}};
  REQUIRE_FALSE(refused(started));
  std::vector<SplitStarted> bad(10, started);
  bad[0].parts[0].amount = 6;  // more than is taken
  bad[1].parts[0].amount = 4;  // less
  bad[2].parts[1].amount = 0;
  bad[3].parts.clear();
  bad[4].parts[0].leg = LegNumber();          // in the own shard, and no pocket of it
  bad[5].parts[0].credit = PocketNumber(11);  // another shard's pocket
  bad[6].parts[0].transit = no_pocket;
  bad[7].refused = 0;
  bad[8].decided.outcome = Outcome::success;  // not all in the own shard
  bad[9].decided.credit = PocketNumber(6);
  for (std::size_t i = 0; i < bad.size(); ++i) {
    CAPTURE(i);
    REQUIRE(refused(bad[i]));
  }
  started.decided.outcome = Outcome::currency_mismatch;
  REQUIRE(refused(started));  // parts of what was not begun
  started.parts.clear();
  started.refused = 1;
  REQUIRE_FALSE(refused(started));
  started.refused = 16;
  REQUIRE(refused(started));

  SplitDecided decided;
  decided.outcome = Outcome::success;
  decided.debit = PocketNumber(5);
  decided.currency = currency_of("USD");
  decided.parts = {{ShardId(2), LegNumber(1), LegNumber(2), PocketNumber(8), no_pocket, 5},
                   {ShardId(1), LegNumber(), LegNumber(), PocketNumber(9), PocketNumber(10), 2}};
  REQUIRE_FALSE(refused(decided));
  std::vector<SplitDecided> worse(6, decided);
  worse[0].refused = 0;
  worse[1].outcome = Outcome::account_frozen;  // whose?
  worse[2].parts[0].second = LegNumber(1);
  worse[3].parts[1].second = LegNumber(1);
  worse[4].parts[1].credit = no_pocket;
  worse[5].parts.clear();
  for (std::size_t i = 0; i < worse.size(); ++i) {
    CAPTURE(i);
    REQUIRE(refused(worse[i]));
  }
}

}  // namespace
