#include "core/ledger/commands.h"

#include <string>
#include <vector>

#include <catch2/catch.hpp>
#include <rapidcheck.h>

#include "core/base/uuid.h"

namespace {

using namespace coffer;
using namespace coffer::ledger;

TransferCommand command_of(std::string_view debit, std::string_view credit, std::int64_t minor) {
  TransferCommand command;
  command.debit_account = debit;
  command.credit_account = credit;
  command.amount = {minor, currency_of("USD")};
  return command;
}

TEST_CASE("account names follow [A-Za-z0-9][A-Za-z0-9._:-]{0,63} (api, Amounts and names)") {
  for (const char* name : {"a", "Z", "0", "alice", "a.b", "a_b", "a:b", "a-b", "0.-:_", "sys:issue:USD"}) {
    CAPTURE(name);
    REQUIRE(is_account_name(name));
  }
  for (const char* name : {"", ".", "-a", "_a", ":a", "a b", "a/b", "a\n", "a@b", "\xC3\xA4", "a\x7F"}) {
    CAPTURE(name);
    REQUIRE_FALSE(is_account_name(name));
  }
  REQUIRE(is_account_name(std::string(64, 'x')));
  REQUIRE_FALSE(is_account_name(std::string(65, 'x')));
  REQUIRE_FALSE(is_account_name(std::string_view("a\0b", 3)));
}

TEST_CASE("names beginning with sys: are reserved (api, Amounts and names)") {
  REQUIRE(is_reserved("sys:issue:USD"));
  REQUIRE(is_reserved("sys:"));
  REQUIRE_FALSE(is_reserved("sys"));
  REQUIRE_FALSE(is_reserved("system"));
  REQUIRE_FALSE(is_reserved("SYS:x"));
  REQUIRE_FALSE(is_reserved("a:sys:"));
}

TEST_CASE("a digest depends on all that a command means, and on nothing else (design, Dedup)") {
  const TransferCommand base = command_of("alice", "bob", 100);
  TransferCommand same = base;
  same.id.bytes[3] = 1;
  same.principal = PrincipalId(9);
  same.credit_shard = ShardId(4);
  REQUIRE(digest_of(same) == digest_of(base));

  std::vector<TransferCommand> others(6, base);
  others[0].operation = Operation::deposit;
  others[1].tenant = TenantId(1);
  others[2].debit_account = "alic";
  others[3].credit_account = "bobb";
  others[4].amount.minor = 101;
  others[5].amount.currency = currency_of("EUR");
  for (const TransferCommand& other : others) REQUIRE(digest_of(other) != digest_of(base));
  REQUIRE(digest_of(command_of("ab", "c", 1)) != digest_of(command_of("a", "bc", 1)));
}

TEST_CASE("a digest is the same for ever: golden value") {
  REQUIRE(digest_of(command_of("alice", "bob", 1250)) == (Hash128{7230622662592154624u, 9867068108421180726u}));
}

PlaceHoldCommand hold_of(std::string_view account, std::int64_t minor) {
  PlaceHoldCommand command;
  command.account = account;
  command.amount = {minor, currency_of("USD")};
  command.expires_in = seconds(60);
  return command;
}

TEST_CASE("a hold's digest depends on all that placing means, and is never a transfer's (design, Dedup)") {
  const PlaceHoldCommand base = hold_of("alice", 100);
  PlaceHoldCommand same = base;
  same.id.bytes[3] = 1;
  same.principal = PrincipalId(9);
  REQUIRE(digest_of(same) == digest_of(base));
  std::vector<PlaceHoldCommand> others(5, base);
  others[0].tenant = TenantId(1);
  others[1].account = "alic";
  others[2].amount.minor = 101;
  others[3].amount.currency = currency_of("EUR");
  others[4].expires_in = seconds(61);
  for (const PlaceHoldCommand& other : others) REQUIRE(digest_of(other) != digest_of(base));
  REQUIRE(digest_of(base) != digest_of(command_of("alice", "", 100)));
  REQUIRE(digest_of(base) == (Hash128{16139722902492532852u, 7593577768974419148u}));  // for ever
}

TEST_CASE("golden value: what captures a hold has an id of its own, the same for ever") {
  TransferId hold;
  hold.bytes[15] = 7;
  const TransferId id = capture_id_of(hold);
  REQUIRE(to_string(id) == "693c4131-2058-8fa5-92d0-3e92749a6b23");
  REQUIRE(id.bytes[6] / 16 == 8);
  REQUIRE(id.bytes[8] / 64 == 2);
  TransferId other = hold;
  other.bytes[0] = 1;
  REQUIRE(capture_id_of(other) != id);
  CaptureHoldCommand command;
  command.id = hold;
  command.account = "alice";
  command.credit_account = "bob";
  command.amount = {5, currency_of("USD")};
  command.credit_shard = ShardId(3);
  const TransferCommand transfer = command.transfer();
  REQUIRE(transfer.id == id);
  REQUIRE(transfer.operation == Operation::transfer);
  REQUIRE(transfer.home_account() == "alice");
  REQUIRE(transfer.credit_shard == ShardId(3));
  REQUIRE(digest_of(transfer) == digest_of(command_of("alice", "bob", 5)));
}

TEST_CASE("property: digests are total, whatever the names") {
  REQUIRE(rc::check("property: digest of any names", [](const std::string& debit, const std::string& credit) {
    const std::string longer = credit + std::string(300, 'x');
    RC_ASSERT(digest_of(command_of(debit, longer, 1)) == digest_of(command_of(debit, longer, 1)));
    RC_ASSERT(digest_of(command_of(debit, longer, 1)) != digest_of(command_of(debit, credit, 1)));
  }));
}

TEST_CASE("the home account is the customer who is debited, or who gets the deposit") {
  TransferCommand command = command_of("alice", "bob", 1);
  REQUIRE(command.home_account() == "alice");
  command.operation = Operation::withdrawal;
  REQUIRE(command.home_account() == "alice");
  command.operation = Operation::deposit;
  REQUIRE(command.home_account() == "bob");
}

}  // namespace
