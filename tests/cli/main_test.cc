#include <fstream>

#include <catch2/catch.hpp>

#include "cli/build_id.h"
#include "tests/cli/program.h"

using namespace coffer;
using test::Ran;
using test::run;

TEST_CASE("help is an answer, not a mistake, and each verb's has an example") {
  CHECK(run("--help").exit_code == 0);
  for (const char* verb :
       {"local", "local restart", "init", "join", "serve", "client", "status", "bench", "sim", "sim run"}) {
    const Ran ran = run(std::string(verb) + " --help");
    INFO(verb);
    CHECK(ran.exit_code == 0);
    CHECK_THAT(ran.out, Catch::Contains("Example"));
  }
}

TEST_CASE("the version names the sources it was built from") {
  CHECK(run("--version").out == "coffer " + std::string(cli::build_id()) + "\n");
}

TEST_CASE("what cannot be understood is a usage mistake, told on stderr") {
  for (const char* arguments : {"", "dance", "local --nodes none", "local --nodes 0", "client", "client transfer alice",
                                "client hold alice 1", "client capture", "client void", "local --protocol hope",
                                "serve", "status --output xml", "bench --batch 0", "local restart"}) {
    const Ran ran = run(arguments);
    INFO(arguments);
    CHECK(ran.exit_code == 2);
    CHECK(ran.out.empty());
    CHECK_FALSE(ran.err.empty());
  }
}

TEST_CASE("a usage mistake names what was not understood, and what would have been") {
  struct Row {
    const char* arguments;
    const char* says;
  };
  for (const Row& row :
       {Row{"dance", "'dance' is neither a verb nor an option here"}, Row{"client dance alice", "'dance' is neither"},
        Row{"local --protocol hope", "--protocol: must be saga|tcc|two_phase_commit, not hope"},
        Row{"status --output xml", "--output: must be text|json, not xml"},
        Row{"client split alice USD bob", "'bob' is not TO=AMOUNT, such as bob=12.50"},
        Row{"client transfer alice bob 1", "CURRENCY is required"}}) {
    const Ran ran = run(row.arguments);
    INFO(row.arguments << " -> " << ran.err);
    CHECK(ran.exit_code == 2);
    CHECK_THAT(ran.err, Catch::Contains(row.says));
  }
}

TEST_CASE("each verb of the client has an example of its own") {
  const Ran all = run("client --help");
  for (const char* verb :
       {"open", "deposit", "withdraw", "transfer", "split", "hold", "capture", "void", "show-hold", "freeze",
        "unfreeze", "close", "account", "balance", "show", "trial-balance", "reconfigure", "transfer-leadership"}) {
    const std::string example = "  coffer client " + std::string(verb) + " ";
    INFO(verb);
    CHECK_THAT(all.out, Catch::Contains(example));
    CHECK_THAT(run("client " + std::string(verb) + " --help").out, Catch::Contains("Example:\n" + example));
  }
}

TEST_CASE("a word with a slash or an ampersand in it is a word, and never another request") {
  for (const char* arguments :
       {"client --server 127.0.0.1:1 account alice/balance", "client --server 127.0.0.1:1 freeze 'bob/close?'",
        "client --server 127.0.0.1:1 balance 'a&b' USD"}) {
    const Ran ran = run(arguments);
    INFO(arguments << " -> " << ran.err);
    CHECK(ran.exit_code == 2);
    CHECK_THAT(ran.err, Catch::Contains("invalid-account-id"));
  }
  CHECK_THAT(run("client --server 127.0.0.1:1 balance alice 'USD&consistency=eventual'").err,
             Catch::Contains("unsupported-currency"));
}

TEST_CASE("settings with a mistake are refused with its place") {
  const test::Directory directory;
  const std::string path = directory.path() + "/node.json";
  CHECK(run("serve --config " + path).exit_code == 2);
  std::ofstream(path) << R"({"cluster": "x"})";
  const Ran ran = run("serve --config " + path);
  CHECK(ran.exit_code == 2);
  CHECK_THAT(ran.err, Catch::Contains(path) && Catch::Contains("/cluster"));
}

TEST_CASE("without a cluster every verb says how to get one") {
  const test::Directory directory;
  for (const char* verb : {"status", "client trial-balance", "client open alice USD"}) {
    const Ran ran = run(std::string(verb) + " --dir " + directory.path());
    CHECK(ran.exit_code == 2);
    CHECK_THAT(ran.err, Catch::Contains("coffer local"));
  }
  CHECK(run("local restart 1 --dir " + directory.path()).exit_code == 7);
  CHECK(run("status --server 127.0.0.1:1").exit_code == 7);
  CHECK(run("client --wait 1 --server 127.0.0.1:1 balance alice USD").exit_code == 7);
  CHECK(run("client --server 8.8.8.8:1 balance alice USD").exit_code == 2);
}
