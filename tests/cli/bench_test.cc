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
