// Three processes on real sockets: the wallet as an operator meets it.
#include <catch2/catch.hpp>

#include "tests/cli/program.h"
#include "tests/net/http_exchange.h"

using namespace coffer;
using test::ask_http;
using test::eventually;
using test::get_text;
using test::HttpAnswer;
using test::post_text;
using test::Ran;
using test::run;
using test::RunningLocal;

namespace {

std::string id_of(int number) {
  char text[40];
  std::snprintf(text, sizeof text, "00000000-0000-4000-8000-%012d", number);
  return text;
}

std::string transfer(const std::string& from, const std::string& to, const std::string& amount, int number) {
  return R"({"from_account":")" + from + R"(","to_account":")" + to + R"(","amount":")" + amount +
         R"(","currency":"USD","transaction_id":")" + id_of(number) + R"("})";
}

bool is_ready(RunningLocal& local, int nodes) {
  return eventually([&] {
    for (int node = 1; node <= nodes; ++node) {
      if (ask_http(local.node(node).admin, get_text("/readyz")).status != 200) {
        return false;
      }
    }
    return true;
  });
}

/// The node that leads the first shard, as it says itself; 0 when none does.
int leader(RunningLocal& local) {
  for (int node = 1; node <= 3; ++node) {
    const HttpAnswer answer = ask_http(local.node(node).admin, get_text("/v1/admin/node"));
    if (answer.status == 200 && answer.body.find(R"({"shard":1,"role":"leader")") != std::string::npos) {
      return node;
    }
  }
  return 0;
}

/// Asks each node in turn until one gives a definite answer.
HttpAnswer settle(RunningLocal& local, const std::string& path, const std::string& body) {
  HttpAnswer answer;
  int node = 0;
  eventually([&] {
    node = node % 3 + 1;
    answer = ask_http(local.node(node).http, post_text(path, body));
    return answer.status != 0 && answer.status != 409 && answer.status < 503;
  });
  return answer;
}

}  // namespace

TEST_CASE("a cluster of three processes serves, is looked at, and goes with its parent") {
  const test::Directory home;
  const std::string directory = home.path() + "/wallet";
  const std::string dir = " --dir " + directory;
  std::vector<pid_t> pids;
  {
    RunningLocal local(directory, 3, {"--nodes", "3", "--shards", "2"});
    REQUIRE(local.good());
    REQUIRE(is_ready(local, 3));
    for (int node = 1; node <= 3; ++node) {
      pids.push_back(local.node(node).pid);
      CHECK(pids.back() != local.pid());
      CHECK(test::is_alive(pids.back()));
    }
    CHECK(run("client open alice USD" + dir).exit_code == 0);
    CHECK(run("client open bob USD" + dir).exit_code == 0);
    CHECK(run("client deposit alice 100.00 USD" + dir).exit_code == 0);
    const Ran moved = run("client transfer alice bob 12.50 USD --output json --id " + id_of(1) + dir);
    CHECK(moved.exit_code == 0);
    CHECK_THAT(moved.out, Catch::StartsWith(R"({"status":"success","transaction_id":")" + id_of(1)));
    CHECK(run("client transfer alice bob 12.50 USD --output json --id " + id_of(1) + dir).out == moved.out);
    CHECK_THAT(run("client balance bob USD" + dir).out, Catch::Contains("12.50"));
    CHECK_THAT(run("client show " + id_of(1) + dir).out, Catch::Contains("success"));

    const Ran refused = run("client transfer bob alice 999 USD" + dir);
    CHECK(refused.exit_code == 8);
    CHECK_THAT(refused.err, Catch::Contains("insufficient-funds"));
    CHECK(run("client transfer bob alice 1.001 USD" + dir).exit_code == 2);
    CHECK(run("client balance nobody USD" + dir).exit_code == 8);
    CHECK_THAT(run("client freeze bob --output json" + dir).out,
               Catch::Contains(R"("state":"frozen","already":false)"));
    CHECK_THAT(run("client account bob" + dir).out, Catch::Contains("frozen"));
    const Ran frozen = run("client transfer alice bob 1 USD" + dir);
    CHECK(frozen.exit_code == 8);
    CHECK_THAT(frozen.err, Catch::Contains("account-frozen"));
    CHECK_THAT(run("client close bob" + dir).err, Catch::Contains("account-not-empty"));
    CHECK_THAT(run("client unfreeze bob --output json" + dir).out, Catch::Contains(R"("state":"open")"));
    CHECK_THAT(run("client trial-balance --output json" + dir).out, Catch::Contains(R"("balanced":true)"));

    const Ran status = run("status" + dir);
    CHECK(status.exit_code == 0);
    CHECK_THAT(status.out, Catch::Contains("leader") && Catch::Contains("follower"));
    CHECK_THAT(run("status --output json" + dir).out, Catch::StartsWith(R"({"nodes":[{"node":1,)"));

    const Ran second = run("local" + dir);
    CHECK(second.exit_code == 2);
    CHECK_THAT(second.err, Catch::Contains("running `coffer local`"));
    CHECK(local.stop(SIGTERM) == 0);
  }
  for (const pid_t pid : pids) {
    CHECK_FALSE(test::is_alive(pid));
  }
  CHECK_THAT(run("local --nodes 5" + dir).err, Catch::Contains("holds a cluster of 3 nodes"));

  RunningLocal again(directory, 3);
  REQUIRE(again.good());
  REQUIRE(is_ready(again, 3));
  CHECK_THAT(run("client balance bob USD --dir " + directory).out, Catch::Contains("12.50"));
  for (int node = 1; node <= 3; ++node) {
    pids.push_back(again.node(node).pid);
  }
  CHECK(again.stop(SIGKILL) == 128 + SIGKILL);
  for (const pid_t pid : pids) {
    CHECK(eventually([&] { return !test::is_alive(pid); }));
  }
}

TEST_CASE("money is held, captured, let go and looked at from the command line, by the protocol that was chosen") {
  const test::Directory home;
  const std::string directory = home.path() + "/wallet";
  const std::string dir = " --dir " + directory;
  {
    RunningLocal local(directory, 1, {"--nodes", "1", "--shards", "2", "--protocol", "two_phase_commit"});
    REQUIRE(local.good());
    REQUIRE(is_ready(local, 1));
    for (const char* account : {"alice", "bob", "carol", "dora"}) {
      REQUIRE(run("client open " + std::string(account) + " USD" + dir).exit_code == 0);
    }
    REQUIRE(run("client deposit alice 100.00 USD" + dir).exit_code == 0);
    const Ran held = run("client hold alice 60.00 USD --expires-in 600 --id " + id_of(1) + dir);
    CHECK(held.exit_code == 0);
    CHECK_THAT(held.out, Catch::Contains("hold_id        " + id_of(1)) && Catch::Contains("expires_at"));
    CHECK_THAT(run("client balance alice USD" + dir).out, Catch::Contains("available      40.00"));
    CHECK_THAT(run("client transfer alice bob 50 USD" + dir).err, Catch::Contains("insufficient-funds"));
    const Ran captured = run("client capture " + id_of(1) + " alice bob 35.00 USD --output json" + dir);
    CHECK(captured.exit_code == 0);
    CHECK_THAT(captured.out, Catch::Contains(R"("hold_id":")" + id_of(1)));
    CHECK(run("client capture " + id_of(1) + " alice bob 35.00 USD --output json" + dir).out == captured.out);
    CHECK_THAT(run("client show-hold " + id_of(1) + " alice" + dir).out, Catch::Contains("captured"));
    const Ran late = run("client void " + id_of(1) + " alice" + dir);
    CHECK(late.exit_code == 8);
    CHECK_THAT(late.err, Catch::Contains("hold-captured"));
    REQUIRE(run("client hold alice 5 USD --id " + id_of(2) + dir).exit_code == 0);
    CHECK_THAT(run("client void " + id_of(2) + " alice" + dir).out, Catch::Contains("voided"));
    CHECK(run("client hold alice 5 USD --expires-in 2678401" + dir).exit_code == 2);
    CHECK_THAT(run("client balance alice USD" + dir).out, Catch::Contains("available      65.00"));

    // alice and one of the others at least live on different shards
    std::string protocols;
    for (const char* account : {"bob", "carol", "dora"}) {
      const std::string id = id_of(10 + account[0]);
      REQUIRE(run("client transfer alice " + std::string(account) + " 1 USD --id " + id + dir).exit_code == 0);
      protocols += run("client show " + id + " --from alice" + dir).out;
    }
    CHECK_THAT(protocols, Catch::Contains("two_phase_commit") && !Catch::Contains("saga"));
    CHECK(local.stop(SIGTERM) == 0);
  }
  CHECK_THAT(test::content_of(directory + "/node-1.json"), Catch::Contains(R"("protocol": "two_phase_commit")"));
  const Ran other = run("local --protocol saga" + dir);
  CHECK(other.exit_code == 2);
  CHECK_THAT(other.err, Catch::Contains("uses two_phase_commit") && Catch::Contains("leave --protocol out"));
}

TEST_CASE("a leader that is killed is replaced, started again on demand, and nothing acknowledged is lost") {
  const test::Directory home;
  const std::string directory = home.path() + "/wallet";
  RunningLocal local(directory, 3, {"--shards", "2"});
  REQUIRE(local.good());
  REQUIRE(is_ready(local, 3));
  for (const char* account : {"alice", "bob", "carol"}) {
    REQUIRE(settle(local, "/v1/accounts", std::string(R"({"account":")") + account + R"(","currency":"USD"})").status ==
            201);
  }
  REQUIRE(settle(local, "/v1/deposits",
                 R"({"account":"alice","amount":"1000","currency":"USD","transaction_id":")" + id_of(1) + R"("})")
              .status == 200);
  std::map<int, std::string> acknowledged;
  int victim = 0;
  for (int number = 2; number < 120; ++number) {
    const std::string to = number % 2 == 0 ? "bob" : "carol";
    const HttpAnswer answer = settle(local, "/v1/wallet/balance_transfer", transfer("alice", to, "1", number));
    REQUIRE(answer.status == 200);
    acknowledged[number] = answer.body;
    if (number == 40) {
      victim = leader(local);
      REQUIRE(victim != 0);
      REQUIRE(::kill(local.node(victim).pid, SIGKILL) == 0);
    }
    if (number == 80) {
      REQUIRE(eventually([&] { return local.err().find("signal 9") != std::string::npos; }));
      const Ran again = run("local restart " + std::to_string(victim) + " --dir " + directory);
      CHECK(again.exit_code == 0);
      const pid_t before = local.node(victim).pid;
      REQUIRE(test::parse_line(again.out.substr(0, again.out.size() - 1), local.node(victim)));
      CHECK(local.node(victim).node == victim);
      CHECK(local.node(victim).pid != before);
    }
  }
  REQUIRE(is_ready(local, 3));
  for (const auto& [number, body] : acknowledged) {
    const std::string to = number % 2 == 0 ? "bob" : "carol";
    CHECK(settle(local, "/v1/wallet/balance_transfer", transfer("alice", to, "1", number)).body == body);
  }
  const Ran balance = run("client balance alice USD --output json --dir " + directory);
  CHECK_THAT(balance.out, Catch::Contains(R"("balance":"882.00")"));
  CHECK(run("client trial-balance --dir " + directory).exit_code == 0);
  CHECK(run("local restart 9 --dir " + directory).exit_code == 2);
}

TEST_CASE("without a quorum the outcome is unknown, and asking again with the same id settles it") {
  const test::Directory home;
  const std::string directory = home.path() + "/wallet";
  RunningLocal local(directory, 3, {"--shards", "1"});
  REQUIRE(local.good());
  REQUIRE(is_ready(local, 3));
  for (const char* account : {"alice", "bob"}) {
    REQUIRE(settle(local, "/v1/accounts", std::string(R"({"account":")") + account + R"(","currency":"USD"})").status ==
            201);
  }
  REQUIRE(settle(local, "/v1/deposits",
                 R"({"account":"alice","amount":"10","currency":"USD","transaction_id":")" + id_of(1) + R"("})")
              .status == 200);
  const int leading = leader(local);
  REQUIRE(leading != 0);
  for (int node = 1; node <= 3; ++node) {
    if (node != leading) {
      REQUIRE(::kill(local.node(node).pid, SIGSTOP) == 0);
    }
  }
  const std::string body = transfer("alice", "bob", "4", 2);
  test::PlainSocket first(local.node(leading).http);
  REQUIRE(first.send(post_text("/v1/wallet/balance_transfer", body, "Prefer: wait=2\r\n")));
  test::pause_ms(50);
  const HttpAnswer second =
      ask_http(local.node(leading).http, post_text("/v1/wallet/balance_transfer", body, "Prefer: wait=1\r\n"));
  CHECK(second.status == 409);
  CHECK(second.member("code") == "in-flight");
  CHECK(second.headers.at("Location") == "/v1/transfers/" + id_of(2) + "?from_account=alice");
  CHECK(second.headers.at("Retry-After") == "1");
  const HttpAnswer lost = test::read_answer(first);
  INFO(lost.body);
  CHECK(lost.status == 504);
  CHECK(lost.member("code") == "outcome-unknown");
  CHECK(lost.member("outcome") == "unknown");
  CHECK(lost.member("retryable") == "true");
  for (int node = 1; node <= 3; ++node) {
    ::kill(local.node(node).pid, SIGCONT);
  }
  CHECK(settle(local, "/v1/wallet/balance_transfer", body).member("status") == "success");
  CHECK_THAT(run("client balance bob USD --dir " + directory).out, Catch::Contains("4.00"));
}

TEST_CASE("a supervised node comes back by itself") {
  const test::Directory home;
  RunningLocal local(home.path() + "/wallet", 1, {"--nodes", "1", "--shards", "1", "--supervise"});
  REQUIRE(local.good());
  REQUIRE(is_ready(local, 1));
  const pid_t before = local.node(1).pid;
  REQUIRE(::kill(before, SIGKILL) == 0);
  REQUIRE(test::parse_line(local.next_line(), local.node(1)));
  CHECK(local.node(1).pid != before);
  CHECK(is_ready(local, 1));
  CHECK(local.stop(SIGINT) == 130);
}

TEST_CASE("two clusters on one machine keep out of each other's way") {
  const test::Directory home;
  RunningLocal first(home.path() + "/one", 1, {"--nodes", "1", "--shards", "1"});
  RunningLocal second(home.path() + "/two", 1, {"--nodes", "1", "--shards", "1"});
  REQUIRE(first.good());
  REQUIRE(second.good());
  CHECK(first.node(1).http != second.node(1).http);
  CHECK(is_ready(first, 1));
  CHECK(is_ready(second, 1));
}
