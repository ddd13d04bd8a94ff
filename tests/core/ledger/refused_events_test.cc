// Bytes that look like events, and that no shard can have decided: they are none.
#include <string>
#include <vector>

#include <catch2/catch.hpp>

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
