#include "core/ledger/book.h"

#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "core/base/check.h"

namespace {

using namespace coffer;
using namespace coffer::ledger;

constexpr Currency usd = currency_of("USD");
constexpr Currency eur = currency_of("EUR");

AccountOpened customer(const Book& book, std::string_view name, Currency currency, TenantId tenant = default_tenant) {
  AccountOpened event;
  event.tenant = tenant;
  const AccountNumber known = book.find(AccountKey(tenant, name));
  event.account = known == no_account ? book.next_account() : known;
  event.pocket = book.next_pocket();
  event.currency = currency;
  event.name = name;
  return event;
}

AccountOpened system(const Book& book, PocketKind kind, ShardId peer = ShardId()) {
  AccountOpened event;
  event.kind = kind;
  event.account = no_account;
  event.pocket = book.next_pocket();
  event.currency = usd;
  event.peer = peer;
  return event;
}

PocketNumber open(Book& book, const AccountOpened& event) {
  book.open(event);
  return event.pocket;
}

Bytes exported(const Book& book) {
  Bytes bytes;
  ByteWriter out(bytes);
  book.export_rows(out, AccountFormat::with_state);
  return bytes;
}

TEST_CASE("an account key's slot is the account's slot") {
  for (const char* name : {"alice", "bob", "a", "0123456789"}) {
    REQUIRE(AccountKey(TenantId(3), name).slot() == slot_of(TenantId(3), name));
  }
}

TEST_CASE("accounts are found by tenant and name, their pockets by currency") {
  Book book;
  const PocketNumber first = open(book, customer(book, "alice", usd));
  const PocketNumber second = open(book, customer(book, "bob", usd));
  const PocketNumber third = open(book, customer(book, "alice", eur));
  const PocketNumber other = open(book, customer(book, "alice", usd, TenantId(1)));
  const AccountNumber alice = book.find(AccountKey(default_tenant, "alice"));
  REQUIRE(book.find_pocket(alice, usd) == first);
  REQUIRE(book.find_pocket(alice, eur) == third);
  REQUIRE(book.find_pocket(alice, currency_of("JPY")) == no_pocket);
  REQUIRE(book.find_pocket(book.find(AccountKey(default_tenant, "bob")), usd) == second);
  REQUIRE(book.find_pocket(book.find(AccountKey(TenantId(1), "alice")), usd) == other);
  REQUIRE(book.find(AccountKey(default_tenant, "carol")) == no_account);
  REQUIRE(book.name_of(book.pocket(third)) == "alice");
}

TEST_CASE("system pockets are found by kind, currency and peer") {
  Book book;
  const PocketNumber issue = open(book, system(book, PocketKind::issue));
  const PocketNumber two = open(book, system(book, PocketKind::transit, ShardId(2)));
  const PocketNumber three = open(book, system(book, PocketKind::transit, ShardId(3)));
  REQUIRE(book.find_system(PocketKind::issue, usd, ShardId()) == issue);
  REQUIRE(book.find_system(PocketKind::transit, usd, ShardId(2)) == two);
  REQUIRE(book.find_system(PocketKind::transit, usd, ShardId(3)) == three);
  REQUIRE(book.find_system(PocketKind::transit, eur, ShardId(3)) == no_pocket);
  REQUIRE(book.name_of(book.pocket(issue)) == "sys:issue:USD");
  REQUIRE(book.name_of(book.pocket(three)) == "sys:transit:USD:3");
}

TEST_CASE("closing takes back opening, in reverse order only") {
  Book book;
  std::vector<AccountOpened> events;
  std::vector<Bytes> states;
  const auto step = [&](const AccountOpened& event) {
    states.push_back(exported(book));
    events.push_back(event);
    book.open(event);
  };
  step(customer(book, "alice", usd));
  step(system(book, PocketKind::issue));
  step(customer(book, "alice", eur));
  step(customer(book, "bob", usd));
  REQUIRE_THROWS_AS(Book(book).close_last(events[0]), CheckFailure);
  while (!events.empty()) {
    book.close_last(events.back());
    REQUIRE(exported(book) == states.back());
    events.pop_back();
    states.pop_back();
  }
  REQUIRE(book.find(AccountKey(default_tenant, "alice")) == no_account);
  REQUIRE(book.find_system(PocketKind::issue, usd, ShardId()) == no_pocket);
}

TEST_CASE("opening twice, with gaps or under another number is divergence") {
  Book book;
  AccountOpened event = customer(book, "alice", usd);
  book.open(event);
  event.pocket = book.next_pocket();
  REQUIRE_THROWS_AS(Book(book).open(event), CheckFailure);  // the same currency again
  event.currency = eur;
  event.account = AccountNumber(1);
  REQUIRE_THROWS_AS(Book(book).open(event), CheckFailure);
  event.account = AccountNumber(0);
  event.pocket = PocketNumber(5);
  REQUIRE_THROWS_AS(Book(book).open(event), CheckFailure);
}

TEST_CASE("a posting moves money and refuses to leave a pocket's range") {
  Book book;
  const PocketNumber issue = open(book, system(book, PocketKind::issue));
  const PocketNumber alice = open(book, customer(book, "alice", usd));
  const PocketNumber bob = open(book, customer(book, "bob", usd));
  const PocketNumber euros = open(book, customer(book, "bob", eur));
  book.post(issue, alice, {100, usd});
  REQUIRE(book.pocket(issue).balance == -100);
  REQUIRE(book.pocket(alice).balance == 100);
  REQUIRE(book.has_funds(alice, 100));
  REQUIRE_FALSE(book.has_funds(alice, 101));
  REQUIRE_THROWS_AS(Book(book).post(alice, bob, {101, usd}), CheckFailure);
  REQUIRE_THROWS_AS(Book(book).post(alice, alice, {1, usd}), CheckFailure);
  REQUIRE_THROWS_AS(Book(book).post(alice, euros, {1, usd}), CheckFailure);
  REQUIRE_THROWS_AS(Book(book).post(alice, bob, {1, eur}), CheckFailure);
  REQUIRE_THROWS_AS(Book(book).post(alice, bob, {0, usd}), CheckFailure);
  book.post(alice, bob, {40, usd});
  book.unpost(alice, bob, {40, usd});
  REQUIRE(book.pocket(alice).balance == 100);
  REQUIRE(book.pocket(bob).balance == 0);
}

TEST_CASE("ranges end at int64, the money on its way included") {
  Book book;
  const PocketNumber issue = open(book, system(book, PocketKind::issue));
  const PocketNumber alice = open(book, customer(book, "alice", usd));
  const PocketNumber bob = open(book, customer(book, "bob", usd));
  const PocketNumber transit = open(book, system(book, PocketKind::transit, ShardId(2)));
  book.post(issue, alice, {INT64_MAX, usd});
  REQUIRE_FALSE(book.may_take(issue, 1));
  REQUIRE_FALSE(book.may_give(alice, 1));
  REQUIRE(book.may_send_through(transit, INT64_MAX));
  book.send_off(alice, transit, {INT64_MAX, usd});
  REQUIRE(book.pocket(alice).balance == 0);
  REQUIRE_FALSE(book.may_give(alice, 1));  // it may all come back
  REQUIRE_FALSE(book.may_send_through(transit, 1));
  REQUIRE(book.may_take(transit, INT64_MAX));
  book.post(transit, bob, {INT64_MAX, usd});
  REQUIRE_FALSE(book.may_take(transit, 1));  // a compensation must still fit below zero
  Book failed = book;
  failed.bring_back(alice, transit, {INT64_MAX, usd});
  REQUIRE(failed.pocket(alice).balance == INT64_MAX);
  REQUIRE(failed.pocket(transit).balance == -INT64_MAX);
  book.arrive(alice, transit, {INT64_MAX, usd});
  REQUIRE(book.may_give(alice, INT64_MAX));
  book.unarrive(alice, transit, {INT64_MAX, usd});
  REQUIRE_FALSE(book.may_give(alice, 1));
}

TEST_CASE("what is held of a pocket is its owner's no more, and nobody else's (issue: holds)") {
  Book book;
  const PocketNumber alice = open(book, customer(book, "alice", usd));
  const PocketNumber bob = open(book, customer(book, "bob", usd));
  const PocketNumber issue = open(book, system(book, PocketKind::issue));
  book.post(issue, alice, {100, usd});
  const Bytes before = exported(book);
  book.hold(alice, {60, usd});
  REQUIRE(exported(book) == before);  // the balance is what it was
  REQUIRE(book.held(alice) == 60);
  REQUIRE(book.available(alice) == 40);
  REQUIRE(book.has_funds(alice, 40));
  REQUIRE_FALSE(book.has_funds(alice, 41));
  REQUIRE(book.pocket(alice).has_holds);
  REQUIRE_FALSE(book.pocket(bob).has_holds);
  book.hold(alice, {40, usd});
  REQUIRE_FALSE(book.has_funds(alice, 1));
  REQUIRE_THROWS_AS(book.hold(alice, {1, usd}), CheckFailure);
  book.let_go(alice, {60, usd});
  book.post(alice, bob, {60, usd});
  REQUIRE(book.available(alice) == 0);
  REQUIRE_THROWS_AS(book.let_go(alice, {41, usd}), CheckFailure);
  book.let_go(alice, {40, usd});
  REQUIRE_FALSE(book.pocket(alice).has_holds);
  REQUIRE(book.available(alice) == 40);
  REQUIRE_THROWS_AS(book.let_go(alice, {1, usd}), CheckFailure);
  REQUIRE_THROWS_AS(book.hold(issue, {1, usd}), CheckFailure);
  REQUIRE_THROWS_AS(book.hold(bob, {1, eur}), CheckFailure);
  REQUIRE_THROWS_AS(book.hold(bob, {0, usd}), CheckFailure);
}

TEST_CASE("a posting that would take what is held is no posting: a decision has asked for funds") {
  Book book;
  const PocketNumber alice = open(book, customer(book, "alice", usd));
  const PocketNumber bob = open(book, customer(book, "bob", usd));
  book.post(open(book, system(book, PocketKind::issue)), alice, {100, usd});
  book.hold(alice, {60, usd});
  REQUIRE_THROWS_AS(book.post(alice, bob, {41, usd}), CheckFailure);
}

}  // namespace
