// A node's disk is lost and a new node takes its place: on real processes, as an operator does it.
#include <catch2/catch.hpp>

#include "tests/cli/program.h"
#include "tests/net/http_exchange.h"

using namespace coffer;
using test::ask_http;
using test::eventually;
using test::get_text;
using test::Ran;
using test::run;
using test::RunningLocal;

namespace {

bool is_ready(RunningLocal& local, std::initializer_list<int> nodes) {
  return eventually([&] {
    for (const int node : nodes) {
      if (ask_http(local.node(node).admin, get_text("/readyz")).status != 200) {
        return false;
      }
    }
    return true;
  });
}

/// Kills the node and empties its disk.
void lose(RunningLocal& local, const std::string& directory, int node) {
  REQUIRE(::kill(local.node(node).pid, SIGKILL) == 0);
  REQUIRE(eventually([&] { return local.err().find("signal 9") != std::string::npos; }));
  const std::string disk = directory + "/node-" + std::to_string(node);
  std::filesystem::remove_all(disk);
  std::filesystem::create_directory(disk);
}

}  // namespace

TEST_CASE("a node with an emptied disk is refused, and the message names what to do") {
  const test::Directory home;
  const std::string directory = home.path() + "/wallet";
  RunningLocal local(directory, 3, {"--shards", "1"});
  REQUIRE(local.good());
  REQUIRE(is_ready(local, {1, 2, 3}));
  lose(local, directory, 2);
  CHECK(run("local restart 2 --dir " + directory).exit_code == 0);
  CHECK(eventually([&] { return local.err().find("exit code 1") != std::string::npos; }));
  CHECK_THAT(test::content_of(directory + "/node-2.log"),
             Catch::Contains("wallet/node-2 is missing or empty") && Catch::Contains("coffer join --replace 2"));
  CHECK(std::filesystem::is_empty(directory + "/node-2"));
}

TEST_CASE("a node that joins gets a number and ports of its own, and is known to the others") {
  const test::Directory home;
  const std::string directory = home.path() + "/wallet";
  RunningLocal local(directory, 3, {"--shards", "1"});
  REQUIRE(local.good());
  REQUIRE(is_ready(local, {1, 2, 3}));
  lose(local, directory, 2);
  const Ran joined = run("join --replace 2 --wait 1 --cluster-of " + directory);
  INFO(joined.err);
  REQUIRE(test::parse_line(joined.out.substr(0, joined.out.find('\n')), local.node(4)));
  CHECK(local.node(4).node == 4);
  const std::string settings = test::content_of(directory + "/node-4.json");
  CHECK_THAT(settings, Catch::Contains("\"founders\": [1, 2, 3]") && Catch::Contains("\"replaces\": 2"));
  for (const int other : {1, 3}) {
    const std::string peers = directory + "/node-" + std::to_string(other) + "/peers.json";
    CHECK(eventually([&] { return test::content_of(peers).find("\"node\": 4") != std::string::npos; }));
    CHECK_THAT(ask_http(local.node(other).admin, get_text("/v1/admin/cluster")).body, Catch::Contains("\"node\": 4"));
  }
  // The same command again goes on with the same node.
  const Ran again = run("join --replace 2 --wait 1 --cluster-of " + directory);
  CHECK(again.out == joined.out);
  CHECK_FALSE(std::filesystem::exists(directory + "/node-5.json"));
}

TEST_CASE("a new node takes the place of a lost one in every shard, and the cluster bears the loss of another") {
  const test::Directory home;
  const std::string directory = home.path() + "/wallet";
  const std::string dir = " --dir " + directory;
  RunningLocal local(directory, 3, {"--shards", "2"});
  REQUIRE(local.good());
  REQUIRE(is_ready(local, {1, 2, 3}));
  REQUIRE(run("client open alice USD" + dir).exit_code == 0);
  REQUIRE(run("client open bob USD" + dir).exit_code == 0);
  REQUIRE(run("client deposit alice 100 USD" + dir).exit_code == 0);
  REQUIRE(run("client transfer alice bob 40 USD" + dir).exit_code == 0);
  lose(local, directory, 2);
  const Ran joined = run("join --replace 2 --wait 30 --cluster-of " + directory);
  INFO(joined.err);
  REQUIRE(joined.exit_code == 0);
  REQUIRE(test::parse_line(joined.out.substr(0, joined.out.find('\n')), local.node(4)));
  CHECK(std::filesystem::exists(directory + "/retired-2.json"));
  CHECK_FALSE(std::filesystem::exists(directory + "/node-2.json"));
  const std::string status = run("status --output json" + dir).out;
  CHECK_THAT(status, Catch::Contains(R"("voters":[1,3,4],"outgoing":[],"learners":[])"));
  CHECK(status.find(R"("voters":[1,2,3])") == std::string::npos);

  REQUIRE(::kill(local.node(1).pid, SIGKILL) == 0);
  CHECK(run("client transfer alice bob 1 USD --wait 20" + dir).exit_code == 0);
  CHECK_THAT(run("client balance bob USD --wait 20" + dir).out, Catch::Contains("41.00"));
  CHECK(run("client trial-balance --wait 20" + dir).exit_code == 0);
  CHECK(run("local restart 1" + dir).exit_code == 0);
  local.stop(SIGTERM);

  RunningLocal again(directory, 3);
  REQUIRE(again.good());
  REQUIRE(is_ready(again, {1, 3, 4}));
  CHECK_THAT(run("client balance bob USD --wait 20" + dir).out, Catch::Contains("41.00"));
}

TEST_CASE("leadership is handed to whom the operator names, and voters are whom the operator lists") {
  const test::Directory home;
  const std::string directory = home.path() + "/wallet";
  const std::string dir = " --dir " + directory;
  RunningLocal local(directory, 3, {"--shards", "1"});
  REQUIRE(local.good());
  REQUIRE(is_ready(local, {1, 2, 3}));
  for (const char* to : {"3", "1"}) {
    const Ran handed = run(std::string("client transfer-leadership 1 ") + to + dir);
    INFO(handed.err);
    CHECK(handed.exit_code == 0);
  }
  CHECK(run("client reconfigure 1 1 3" + dir).exit_code == 0);
  CHECK_THAT(run("status --output json" + dir).out, Catch::Contains(R"("voters":[1,3])"));
  CHECK(run("client reconfigure 1 1 2 3" + dir).exit_code == 0);
}

TEST_CASE("membership verbs and joining say what is wrong before anything is done") {
  const test::Directory home;
  CHECK(run("client reconfigure 1").exit_code == 2);
  CHECK(run("client reconfigure 0 1 2").exit_code == 2);
  CHECK(run("client transfer-leadership 1").exit_code == 2);
  CHECK(run("join --replace 2").exit_code == 2);
  const Ran homeless = run("join --replace 2 --cluster-of 127.0.0.1:1");
  CHECK(homeless.exit_code == 2);
  CHECK_THAT(homeless.err, Catch::Contains("--directory"));
  const Ran nobody = run("join --replace 2 --cluster-of " + home.path());
  CHECK(nobody.exit_code == 7);
  CHECK_THAT(nobody.err, Catch::Contains("there is no cluster in"));
  const Ran silent = run("join --replace 2 --cluster-of 127.0.0.1:1 --directory " + home.path());
  CHECK(silent.exit_code == 7);
  CHECK_THAT(silent.err, Catch::Contains("no node of 127.0.0.1:1 answers"));
  CHECK(std::filesystem::is_empty(home.path()));
}
