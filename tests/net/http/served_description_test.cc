// /openapi.json against a node at work: whatever it answers is described, and what is described it answers.
#include <chrono>

#include <catch2/catch.hpp>

#include "core/base/uuid_number.h"
#include "core/base/uuid_time.h"
#include "tests/net/http/description.h"
#include "tests/net/served_node.h"

using namespace coffer;
using net::HttpRoute;
using net::Problem;
using test::Codes;
using test::described_problems;
using test::document;
using test::HttpAnswer;
using test::Json;
using test::label;

namespace {

std::string fresh_id() { return net::to_string(net::fresh_uuid()); }

/// A UUIDv7 made this long before now, or after it.
std::string id_made(Duration ago) {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const std::int64_t time_ms = std::chrono::duration_cast<std::chrono::milliseconds>(now).count() - ago.millis();
  return net::to_string(uuid_made_at(static_cast<std::uint64_t>(time_ms), net::fresh_uuid()));
}

/// The id with this number of a source that numbers what it sends.
std::string numbered(std::uint64_t number) { return net::to_string(uuid_numbered({77, number})); }

const std::string too_old = id_made(seconds(48 * 3600));
const std::string too_new = id_made(seconds(-3600));
constexpr const char* most = "92233720368547758.07";

net::NodeSettings with_window_and_numbers() {
  net::NodeSettings settings = test::first_of(1, 6, "");
  settings.tuning.id_window = seconds(24 * 3600);
  settings.tuning.numbered_ids = true;
  return settings;
}

/// One node, whose every answer is held against the description and remembered.
class Described {
 public:
  Described() : node_(with_window_and_numbers()) { REQUIRE(node_.wait_until_ready()); }

  /// `id`: in the path. `query`: of a GET.
  HttpAnswer ask(HttpRoute route, const Json& body, const std::string& id = "", const std::string& query = "") {
    const net::RouteRow& row = net::row_of(route);
    std::string path(row.path);
    if (const std::size_t hole = path.find("{id}"); hole != std::string::npos) path.replace(hole, 4, id);
    const auto port = row.listener == net::HttpListener::clients ? node_.self().http.port : node_.self().admin.port;
    const HttpAnswer answer =
        test::ask_http(port, row.method == "POST" ? test::post_text(path, body.dump()) : test::get_text(path + query));
    note(row, answer);
    return answer;
  }
  /// The one answer there is in the description for what was answered.
  void note(const net::RouteRow& row, const HttpAnswer& answer) {
    INFO(row.path << " -> " << answer.status << " " << answer.body);
    const Json& responses = test::operation_of(row).at("responses");
    const std::string status = std::to_string(answer.status);
    REQUIRE(responses.contains(status));
    const std::string type = answer.headers.at("Content-Type");
    REQUIRE(responses[status].at("content").contains(type));
    const Json value = Json::parse(answer.body);
    CHECK(test::SchemaCheck(document()).mistake(responses[status]["content"][type]["schema"], value) == "");
    seen_[row.route].insert(status + (type == "application/json" ? "" : " " + value.at("code").get<std::string>()));
  }
  const Codes& seen(HttpRoute route) { return seen_[route]; }

  /// The shard it is in, such as "s3"; empty when it was not opened.
  std::string open(const std::string& account, const std::string& currency = "USD") {
    const HttpAnswer answer = ask(HttpRoute::open_account, {{"account", account}, {"currency", currency}});
    return answer.status / 100 == 2 ? answer.headers.at("Consistency-Token").substr(0, 2) : "";
  }
  HttpAnswer pocket(HttpRoute route, const std::string& account, const std::string& amount,
                    const std::string& id = fresh_id()) {
    return ask(route, pocket_body(account, amount, id));
  }
  HttpAnswer transfer(const std::string& from, const std::string& to, const std::string& amount,
                      const std::string& id = fresh_id()) {
    Json body = pocket_body(from, amount, id);
    body.erase("account");
    body["from_account"] = from;
    body["to_account"] = to;
    return ask(HttpRoute::balance_transfer, body);
  }
  HttpAnswer split(const std::string& from, const std::string& to, const std::string& amount,
                   const std::string& id = fresh_id()) {
    const Json parts =
        Json::array({{{"to_account", to}, {"amount", amount}}, {{"to_account", "bob"}, {"amount", "1"}}});
    return ask(HttpRoute::split,
               {{"from_account", from}, {"currency", "USD"}, {"transaction_id", id}, {"parts", parts}});
  }
  /// Its id.
  std::string hold(const std::string& account, const std::string& amount, const std::string& id = fresh_id(),
                   int expires_in_s = 600) {
    Json body = pocket_body(account, amount, id);
    body["expires_in"] = expires_in_s;
    ask(HttpRoute::place_hold, body);
    return id;
  }
  HttpAnswer capture(const std::string& id, const std::string& to, const std::string& amount = "1.00",
                     const std::string& account = "alice", const std::string& currency = "USD") {
    return ask(HttpRoute::capture_hold,
               {{"account", account}, {"to_account", to}, {"amount", amount}, {"currency", currency}}, id);
  }
  void let_go(const std::string& id, const std::string& account = "alice") {
    ask(HttpRoute::void_hold, {{"account", account}}, id);
  }
  HttpAnswer change(HttpRoute route, const std::string& account, const std::string& id = fresh_id()) {
    return ask(route, {{"transaction_id", id}}, account);
  }

 private:
  static Json pocket_body(const std::string& account, const std::string& amount, const std::string& id) {
    return {{"account", account}, {"amount", amount}, {"currency", "USD"}, {"transaction_id", id}};
  }

  test::ServedNode node_;
  std::map<HttpRoute, Codes> seen_;
};

/// Accounts that hold as much as can be counted. It has entered by shards of its own, for these count it too.
struct Riches {
  std::string shard;       ///< of the account "rich"
  std::string neighbour;   ///< in the same
  std::string sources[2];  ///< in two others, which nobody pays in but they
};

Riches open_riches(Described& d, std::set<std::string> taken) {
  Riches riches;
  riches.shard = d.open("rich");
  taken.insert(riches.shard);
  std::size_t found = 0;
  for (int i = 0; i < 200 && (found < 2 || riches.neighbour.empty()); ++i) {
    const std::string account = "spread-" + std::to_string(i);
    const std::string shard = d.open(account);
    if (shard == riches.shard) riches.neighbour = account;
    if (found < 2 && taken.insert(shard).second) riches.sources[found++] = account;
  }
  REQUIRE(found == 2);
  return riches;
}

void enrich(Described& d, const std::string& source, const std::string& account) {
  REQUIRE(d.pocket(HttpRoute::deposit, source, most).status == 200);
  REQUIRE(d.transfer(source, account, most).status == 200);
}

/// alice, bob and ice have money; ice is frozen, gone closed, yen has no dollars. Returns the shards paid into.
std::set<std::string> open_accounts(Described& d) {
  std::set<std::string> shards;
  for (const char* account : {"alice", "bob", "ice"}) {
    shards.insert(d.open(account));
    REQUIRE(d.pocket(HttpRoute::deposit, account, "1000.00").status == 200);
  }
  d.open("alice");
  d.open("gone");
  d.open("yen", "JPY");
  d.change(HttpRoute::freeze, "ice");
  d.change(HttpRoute::close, "gone");
  d.open("gone", "JPY");  // closed is closed
  return shards;
}

void move_money(Described& d, const std::string& id) {
  const auto all = [&d](auto&& move) {
    for (const char* home : {"alice", "nobody", "ice", "gone", "yen"}) move(home, "1.00", fresh_id());
    for (const std::string& other : {too_old, too_new, numbered(9)}) move("alice", "1.00", other);
  };
  all([&d](auto... words) { d.pocket(HttpRoute::deposit, words...); });
  all([&d](auto... words) { d.pocket(HttpRoute::withdrawal, words...); });
  all([&d](const std::string& from, auto... words) { d.transfer(from, "bob", words...); });
  all([&d](const std::string& from, auto... words) { d.split(from, "carol", words...); });
  d.open("carol");
  REQUIRE(d.split("alice", "carol", "1.00").status == 200);
  for (const char* payee : {"nobody", "ice", "gone", "yen", "rich"}) {
    d.transfer("alice", payee, "1.00");
    d.split("alice", payee, "1.00");
  }
  d.pocket(HttpRoute::deposit, "rich", "1.00");
  REQUIRE(d.transfer("alice", "bob", "2.00", id).status == 200);
  d.transfer("alice", "bob", "3.00", id);
  REQUIRE(d.transfer("alice", "bob", "1.00", numbered(1)).status == 200);
  d.split("alice", "carol", "1.00", id);
  d.pocket(HttpRoute::deposit, "alice", "1.00", id);
  d.pocket(HttpRoute::withdrawal, "alice", "1.00", id);
  d.transfer("alice", "bob", "100000.00");
  d.split("alice", "bob", "100000.00");
  d.pocket(HttpRoute::withdrawal, "alice", "100000.00");
}

/// More leaves a shard than it can count.
void overflow_a_withdrawal(Described& d, const Riches& riches) {
  REQUIRE(d.pocket(HttpRoute::withdrawal, "rich", most).status == 200);
  enrich(d, riches.sources[1], riches.neighbour);
  CHECK(d.pocket(HttpRoute::withdrawal, riches.neighbour, most).member("code") == "balance-overflow");
}

void hold_money(Described& d) {
  for (const char* account : {"nobody", "ice", "gone", "yen"}) d.hold(account, "1.00");
  d.hold("alice", "100000.00");
  d.hold("alice", "1.00", too_old);
  d.hold("alice", "1.00", too_new);
  d.hold("alice", "1.00", numbered(2));
  const std::string brief = d.hold("alice", "1.00", fresh_id(), 1);
  const std::string captured = d.hold("alice", "2.00");
  d.hold("alice", "2.00", captured);
  d.hold("alice", "3.00", captured);
  d.ask(HttpRoute::hold, {}, captured, "?account=alice");
  d.ask(HttpRoute::hold, {}, captured, "?account=nobody");
  d.ask(HttpRoute::hold, {}, fresh_id(), "?account=alice");
  d.capture(captured, "bob", "2.01");
  d.capture(captured, "bob", "1000", "alice", "JPY");
  REQUIRE(d.capture(captured, "bob").status == 200);
  d.capture(captured, "bob", "1.50");
  d.let_go(captured);
  d.ask(HttpRoute::hold, {}, captured, "?account=alice");
  for (const char* payee : {"nobody", "ice", "gone", "yen", "rich"}) d.capture(d.hold("alice", "1.00"), payee);
  d.capture(fresh_id(), "bob");
  d.capture(fresh_id(), "bob", "1.00", "nobody");
  const std::string voided = d.hold("alice", "1.00");
  d.let_go(voided);
  d.capture(voided, "bob");
  d.let_go(fresh_id());
  d.let_go(fresh_id(), "nobody");
  ::poll(nullptr, 0, 1100);
  CHECK(d.capture(brief, "bob").member("code") == "hold-expired");
  d.let_go(brief);
}

void change_accounts(Described& d) {
  for (const HttpRoute change : {HttpRoute::freeze, HttpRoute::unfreeze, HttpRoute::close}) {
    d.open("changing");
    for (const char* account : {"nobody", "gone", "alice"}) d.change(change, account);
    for (const std::string& id : {too_old, too_new, numbered(2)}) d.change(change, "alice", id);
    const std::string id = fresh_id();
    d.change(change == HttpRoute::freeze ? HttpRoute::unfreeze : HttpRoute::freeze, "bob", id);
    d.change(change, "bob", id);
    d.change(HttpRoute::unfreeze, "alice");
    d.change(HttpRoute::unfreeze, "bob");
  }
}

void look(Described& d, const std::string& id) {
  for (const char* account : {"alice", "ice", "gone", "nobody"}) d.ask(HttpRoute::account, {}, account);
  for (const char* account : {"alice", "yen", "nobody"}) {
    d.ask(HttpRoute::balance, {}, account, "?currency=USD");
  }
  d.ask(HttpRoute::balance, {}, "alice", "?currency=USD&consistency=eventual");
  d.ask(HttpRoute::transfer_status, {}, id, "?from_account=alice");
  d.ask(HttpRoute::transfer_status, {}, fresh_id());
  d.ask(HttpRoute::transfer_status, {}, too_old, "?from_account=alice");
  d.ask(HttpRoute::transfer_status, {}, numbered(9));
  for (const HttpRoute route : {HttpRoute::openapi, HttpRoute::trial_balance, HttpRoute::cluster, HttpRoute::node,
                                HttpRoute::livez, HttpRoute::readyz}) {
    d.ask(route, {});
  }
  d.ask(HttpRoute::readyz, {}, "", "?verbose");
}

}  // namespace

TEST_CASE("a node at work answers what is described, and of what it decides everything that is") {
  Described d;
  const std::string id = fresh_id();
  const Riches riches = open_riches(d, open_accounts(d));
  enrich(d, riches.sources[0], "rich");
  move_money(d, id);
  hold_money(d);
  change_accounts(d);
  look(d, id);
  overflow_a_withdrawal(d, riches);
  for (const net::RouteContract& contract : net::all_contracts()) {
    Codes described;
    for (const Outcome outcome : contract.decided) {
      // Only two-phase commit locks accounts, for as long as it takes.
      const bool is_of_locks = outcome == Outcome::account_locked || outcome == Outcome::account_busy;
      if (!is_of_locks) described.insert(label(net::problem_of(outcome)));
    }
    for (const int status : contract.statuses) {
      if (status != 503) described.insert(std::to_string(status));  // /readyz of a node without a majority
    }
    INFO(net::row_of(contract.route).path);
    CHECK(d.seen(contract.route) == described);
  }
}
