#include <cstdlib>
#include <thread>

#include <catch2/catch.hpp>

#include "tests/cli/program.h"

using namespace coffer;
using test::Ran;
using test::run;

TEST_CASE("a short bench finds every transfer it was told of, on one shard and on three") {
  for (const char* shards : {"1", "3"}) {
    const Ran ran =
        run(std::string("bench --seconds 1 --accounts 500 --batch 256 --verify all --output json --shards ") + shards);
    INFO(ran.out << ran.err);
    CHECK(ran.exit_code == 0);
    CHECK_THAT(ran.out, Catch::StartsWith(R"({"transfers_per_second":)") && Catch::Contains(R"("verified":true)") &&
                            Catch::Contains(R"("p50_ms":)") && Catch::Contains(R"("p99_ms":)") &&
                            Catch::Contains(R"("syncs":)"));
  }
}

TEST_CASE("a rate below the one asked for is a missed threshold") {
  const Ran ran = run("bench --seconds 1 --accounts 100 --batch 16 --min-rate 1000000000 --output json");
  CHECK(ran.exit_code == 9);
}

TEST_CASE("an interrupted bench ends its nodes and says so") {
  const test::Directory home;
  const std::string pid_file = home.path() + "/pid";
  const std::string command = "sh -c 'echo $$ >" + pid_file + "; exec " + test::binary() +
                              " bench --seconds 60 --accounts 100 --dir " + home.path() + "/b' >/dev/null 2>&1";
  std::thread interrupts([&] {
    test::eventually(
        [&] { return test::content_of(home.path() + "/b/node-1.log").find("serves") != std::string::npos; });
    test::pause_ms(500);
    ::kill(std::atoi(test::content_of(pid_file).c_str()), SIGINT);
  });
  const int status = std::system(command.c_str());
  interrupts.join();
  CHECK(WEXITSTATUS(status) == 130);
}
