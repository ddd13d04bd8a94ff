// Bytes that look like events, and that no shard can have decided: they are none.
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "core/base/uuid_number.h"
#include "core/ledger/events.h"
#include "tests/core/ledger/sample_events.h"

namespace {

using namespace coffer;
using namespace coffer::ledger;

TEST_CASE("what no shard can have decided is no event") {
  const auto refused = [](const Event& event) {
    const Bytes bytes = encoded(event);
    ByteReader in(bytes);
    decode_event(in);
    return !in.ok();
  };
  const Decided good = sample_decided(Outcome::success);
  REQUIRE_FALSE(refused(TransferDecided{good}));
  std::vector<Decided> bad(9, good);
  bad[0].operation = static_cast<Operation>(0);
  bad[1].operation = static_cast<Operation>(4);
  bad[2].outcome = Outcome::pending;
  bad[3].outcome = Outcome::account_not_found;
  bad[4].outcome = static_cast<Outcome>(99);
  bad[5].amount.minor = 0;
  bad[6].amount.currency = currency_of("XAU");
  bad[7].credit = no_pocket;
  bad[8].home = no_account;
  for (const Decided& decided : bad) REQUIRE(refused(TransferDecided{decided}));

  const AccountOpened account{PocketKind::customer, TenantId(0), AccountNumber(0), PocketNumber(0),
                              currency_of("USD"),   ShardId(),   PrincipalId(),    "alice"};
  REQUIRE_FALSE(refused(account));
  std::vector<AccountOpened> bad_accounts(8, account);
  bad_accounts[0].name = "sys:x";
  bad_accounts[1].name = "";
  bad_accounts[2].name = "a b";
  const std::string long_name(65, 'x');
  bad_accounts[3].name = long_name;
  bad_accounts[4].kind = static_cast<PocketKind>(4);
  bad_accounts[5].kind = PocketKind::issue;
  bad_accounts[6].peer = ShardId(1);
  bad_accounts[7].currency = Currency{};
  for (const AccountOpened& opened : bad_accounts) REQUIRE(refused(opened));

  REQUIRE_FALSE(refused(WindowMoved{{5, 7}, {6, 7}}));
  REQUIRE_FALSE(refused(WindowMoved{{5, 7}, {5, 8}}));
  REQUIRE(refused(WindowMoved{{5, 7}, {5, 7}}));
  REQUIRE(refused(WindowMoved{{5, 7}, {4, 8}}));
  REQUIRE(refused(WindowMoved{{5, 7}, {6, 6}}));
  REQUIRE(refused(WindowMoved{{0, 0}, {0, 1}}));
  REQUIRE(refused(WindowMoved{{5, 7}, {id_time_ms_max + 1, 7}}));

  REQUIRE_FALSE(refused(SourceOpened{AccountNumber(3), id_source_max}));
  REQUIRE(refused(SourceOpened{AccountNumber(3), id_source_max + 1}));
  REQUIRE(refused(SourceOpened{no_account, 1}));

  REQUIRE_FALSE(refused(RowsLeft{true, 0, 0}));
  REQUIRE_FALSE(refused(RowsLeft{false, 5, 6}));
  REQUIRE(refused(RowsLeft{true, 0, 1}));
  REQUIRE(refused(RowsLeft{true, 1, 1}));
  REQUIRE(refused(RowsLeft{false, 5, 5}));
  REQUIRE(refused(RowsLeft{false, 5, 4}));

  REQUIRE(refused(ShardFounded{ShardId(0), {}}));
  REQUIRE(refused(ShardFounded{ShardId(1), {{Slot(5), 5}}}));
  REQUIRE(refused(ShardFounded{ShardId(1), {{Slot(5), 16385}}}));
  REQUIRE(refused(ShardFounded{ShardId(1), {{Slot(5), 9}, {Slot(8), 10}}}));
  REQUIRE_FALSE(refused(ShardFounded{ShardId(1), {}}));

  LegStarted started{sample_decided(Outcome::pending), ShardId(2), LegNumber(1), "bob"};
  REQUIRE_FALSE(refused(started));
  started.decided.operation = Operation::deposit;
  REQUIRE(refused(started));

  const AccountChanged changed{Operation::freeze, AccountState::open, PrincipalId(), AccountNumber(0), {}};
  REQUIRE_FALSE(refused(changed));
  std::vector<AccountChanged> bad_changes(6, changed);
  bad_changes[0].change = Operation::withdrawal;
  bad_changes[1].change = static_cast<Operation>(7);
  bad_changes[2].before = static_cast<AccountState>(0);
  bad_changes[3].before = static_cast<AccountState>(4);
  bad_changes[4].before = AccountState::closed;  // for ever
  bad_changes[5].account = no_account;
  for (const AccountChanged& event : bad_changes) REQUIRE(refused(event));
}

TEST_CASE("a hold that no shard can have placed or ended is no event") {
  const auto refused = [](const Event& event) {
    const Bytes bytes = encoded(event);
    ByteReader in(bytes);
    decode_event(in);
    return !in.ok();
  };
  HoldPlaced placed{sample_decided(Outcome::success), Stamp{11}};
  placed.decided.operation = Operation::hold;
  placed.decided.credit = no_pocket;
  REQUIRE_FALSE(refused(placed));
  REQUIRE(refused(TransferDecided{placed.decided}));
  std::vector<HoldPlaced> bad(8, placed);
  bad[0].decided.operation = Operation::transfer;
  bad[1].decided.credit = PocketNumber(6);
  bad[2].decided.debit = no_pocket;
  bad[3].decided.outcome = Outcome::pending;
  bad[4].decided.outcome = Outcome::hold_not_found;
  bad[5].decided.outcome = Outcome::insufficient_funds;  // and yet it expires
  bad[6].expires = Stamp{};
  bad[7].decided.amount.minor = 0;
  for (const HoldPlaced& event : bad) REQUIRE(refused(event));
  HoldPlaced refusal = bad[5];
  refusal.expires = Stamp{};
  REQUIRE_FALSE(refused(refusal));

  const HoldEnded ended{HoldEnd::captured, 0, {}, PocketNumber(5), {7, currency_of("USD")}};
  REQUIRE_FALSE(refused(ended));
  std::vector<HoldEnded> bad_ends(5, ended);
  bad_ends[0].how = HoldEnd::live;
  bad_ends[1].how = static_cast<HoldEnd>(4);
  bad_ends[2].pocket = no_pocket;
  bad_ends[3].amount.minor = -7;
  bad_ends[4].amount.currency = Currency{};
  for (const HoldEnded& event : bad_ends) REQUIRE(refused(event));
}

TEST_CASE("an entry of another version, without events or without a place is no entry") {
  const auto refused = [](std::uint8_t version, const EntryHeader& header) {
    Bytes bytes;
    ByteWriter out(bytes);
    encode(header, out);
    bytes[0] = static_cast<std::byte>(version);
    ByteReader in(bytes);
    decode_header(in);
    return !in.ok();
  };
  REQUIRE_FALSE(refused(1, {1, Position(1), Stamp{1}}));
  REQUIRE(refused(2, {1, Position(1), Stamp{1}}));
  REQUIRE(refused(1, {0, Position(1), Stamp{1}}));
  REQUIRE(refused(1, {1, Position(0), Stamp{1}}));
  REQUIRE(refused(1, {1, Position(1), Stamp{0}}));
}

}  // namespace
