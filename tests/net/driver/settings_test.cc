#include "net/driver/settings.h"

#include <cstdlib>
#include <fstream>
#include <sstream>

#include <catch2/catch.hpp>

#include "net/driver/clock.h"
#include "net/http/strict_json.h"
#include "tests/net/served_node.h"

using namespace coffer;

namespace {

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

}  // namespace

TEST_CASE("settings that are written are read back the same") {
  net::NodeSettings settings = test::first_of(3, 2, "node-1");
  settings.nodes[2].incarnation = 7;
  settings.tuning.protocol = ledger::Protocol::two_phase_commit;
  const std::string text = net::to_json(settings);
  const Result<net::NodeSettings> read = net::parse_settings(text);
  REQUIRE(read.has_value());
  CHECK(net::to_json(*read) == text);
  CHECK(read->nodes[2].incarnation == 7);
  CHECK(read->tuning.protocol == ledger::Protocol::two_phase_commit);
  CHECK(read->tuning.election_timeout == milliseconds(100));
}

TEST_CASE("every setting that a node writes is told of in the docs") {
  net::NodeSettings settings = test::first_of(3, 2, "node-1");
  settings.founders = {NodeId(1)};
  settings.replaces = NodeId(2);
  settings.tuning.id_window = seconds(86400);
  settings.tuning.numbered_ids = true;
  const char* const root = std::getenv("COFFER_SOURCE_DIR");
  std::ifstream file(std::string(root == nullptr ? "." : root) + "/docs/ARCHITECTURE.md");
  std::ostringstream docs;
  REQUIRE(docs << file.rdbuf());
  const net::JsonDocument written = net::parse_json(net::to_json(settings));
  REQUIRE(written.error == net::JsonError::none);
  std::vector<std::string> keys;
  for (const auto& [key, value] : written.root.members) {
    keys.push_back(key);
    for (const auto& [inner, ignored] : value.members) keys.push_back(inner);
  }
  CHECK(keys.size() > 20);
  for (const std::string& key : keys) {
    INFO(key);
    CHECK(docs.str().find("`" + key + "`") != std::string::npos);
  }
}

TEST_CASE("every shard lives on every node, and slots are divided without gap") {
  const node::Config config = test::first_of(3, 4, "x").config();
  REQUIRE(config.shards.size() == 4);
  std::uint32_t next = 0;
  for (const node::ShardConfig& shard : config.shards) {
    CHECK(shard.first_slot.value == next);
    CHECK(shard.members.size() == 3);
    next = shard.slot_end;
  }
  CHECK(next == slot_count);
}

TEST_CASE("a node that joined later lists everybody, and is no founding member of any shard") {
  net::NodeSettings settings = test::first_of(4, 2, "node-4");
  settings.founders = {NodeId(1), NodeId(2), NodeId(3)};
  settings.replaces = NodeId(2);
  settings.node = NodeId(4);
  const Result<net::NodeSettings> read = net::parse_settings(net::to_json(settings));
  REQUIRE(read.has_value());
  CHECK(read->founders == settings.founders);
  CHECK(read->replaces == NodeId(2));
  const node::Config config = read->config();
  CHECK(config.nodes.size() == 4);
  CHECK(config.shards[1].members == settings.founders);
  CHECK_FALSE(config.may_found);
}

TEST_CASE("each mistake in settings is refused with its place and what would be right") {
  const std::string good = net::to_json(test::first_of(2, 1, "d"));
  struct Row {
    std::string text;
    std::string says;
  };
  const std::vector<Row> rows = {
      {"", "end of input"},
      {"[]", "must be an object"},
      {replaced(good, "\"node\": 1,\n", "\"node\": 3,\n"), "not listed"},
      {replaced(good, "\"node\": 1,\n", "\"node\": 0,\n"), "/node"},
      {replaced(good, "\"shards\": 1", "\"shards\": \"1\""), "/shards"},
      {replaced(good, "\"shards\": 1", "\"shards\": 1.0"), "whole number"},
      {replaced(good, "\"shards\": 1", "\"shards\": 100"), "99"},
      {replaced(good, "\"chunk_bytes\": 262144", "\"chunk_bytes\": 4095"), "/tuning/chunk_bytes"},
      {replaced(good, "\"epoch_bytes\": 268435456", "\"epoch_bytes\": 1099511627776"),
       "too small for this epoch_bytes"},
      {replaced(good, "\"shards\": 1", "\"shard\": 1"), "/shard"},
      {replaced(good, "\"shards\": 1", "\"shards\": 1, \"shards\": 1"), "occurs twice"},
      {replaced(good, "\"cluster\": \"", "\"cluster\": \"x"), "UUID"},
      {replaced(good, "\"http\": \"127.0.0.1:", "\"http\": \"0.0.0.0:"), "/nodes/0/http"},
      {replaced(good, "\"peer\": \"127.0.0.1:", "\"peer\": \"127.0.0.1:9"), "/nodes/0/peer"},
      {replaced(good, "\"node\": 2", "\"node\": 1"), "ascending"},
      {replaced(good, "\"election_timeout_ms\": 100", "\"election_timeout_ms\": 0"), "/tuning/election_timeout_ms"},
      {replaced(good, "\"election_timeout_ms\"", "\"election_timeout\""), "/tuning/election_timeout"},
      {replaced(good, "\"shards\": 1", "\"shards\": 1, \"founders\": []"), "/founders"},
      {replaced(good, "\"shards\": 1", "\"shards\": 1, \"founders\": [1, 3]"), "/founders/1"},
      {replaced(good, "\"shards\": 1", "\"shards\": 1, \"founders\": [2, 1]"), "/founders/1"},
      {replaced(good, "\"shards\": 1", "\"shards\": 1, \"founders\": [\"1\"]"), "/founders/0"},
      {replaced(good, "\"shards\": 1", "\"shards\": 1, \"replaces\": 0"), "/replaces"},
      {replaced(good, "\"protocol\": \"saga\"", "\"protocol\": \"hope\""), "/protocol"},
      {replaced(good, "\"shards\": 1", "\"shards\": 1, \"ids\": {}"), "/ids/window_s"},
      {replaced(good, "\"shards\": 1", "\"shards\": 1, \"ids\": {\"numbered\": 1}"), "/ids/numbered"},
      {replaced(good, "\"shards\": 1", "\"shards\": 1, \"ids\": {\"rows_in_memory\": 999}"), "/ids/rows_in_memory"},
      {replaced(good, "\"shards\": 1", "\"shards\": 1, \"ids\": {\"window_s\": 0}"), "/ids/window_s"},
      {replaced(good, "\"shards\": 1", "\"shards\": 1, \"ids\": {\"window_s\": 1, \"grace\": 1}"), "/ids/grace"},
  };
  for (const Row& row : rows) {
    const Result<net::NodeSettings> read = net::parse_settings(row.text);
    INFO(row.text);
    REQUIRE(read.has_error());
    CHECK_THAT(read.error().what, Catch::Contains(row.says));
  }
}

TEST_CASE("ids have a window only where the settings say so, and settings are written as they were read") {
  net::NodeSettings settings = test::first_of(1, 1, "d");
  REQUIRE(settings.tuning.id_window == Duration{});
  CHECK(net::to_json(settings).find("\"ids\"") == std::string::npos);
  settings.tuning.id_window = seconds(86'400);
  settings.tuning.id_grace = seconds(60);
  const Result<net::NodeSettings> read = net::parse_settings(net::to_json(settings));
  REQUIRE(read.has_value());
  CHECK(read->tuning.id_window == seconds(86'400));
  CHECK(read->tuning.id_grace == seconds(60));
}

TEST_CASE("ids are numbered only where the settings say so, with a window or without") {
  net::NodeSettings settings = test::first_of(1, 1, "d");
  REQUIRE_FALSE(settings.tuning.numbered_ids);
  settings.tuning.numbered_ids = true;
  for (const Duration window : {Duration{}, seconds(86'400)}) {
    settings.tuning.id_window = window;
    const Result<net::NodeSettings> read = net::parse_settings(net::to_json(settings));
    REQUIRE(read.has_value());
    CHECK(read->tuning.numbered_ids);
    CHECK(read->tuning.id_window == window);
  }
}

TEST_CASE("rows stay in memory for ever unless the settings say how many, with a window, numbers, or neither") {
  net::NodeSettings settings = test::first_of(1, 1, "d");
  REQUIRE(settings.tuning.rows_in_memory == 0);
  settings.tuning.rows_in_memory = 10'000'000;
  for (const bool numbered : {false, true}) {
    for (const Duration window : {Duration{}, seconds(86'400)}) {
      settings.tuning.numbered_ids = numbered;
      settings.tuning.id_window = window;
      const Result<net::NodeSettings> read = net::parse_settings(net::to_json(settings));
      REQUIRE(read.has_value());
      CHECK(read->tuning.rows_in_memory == 10'000'000);
      CHECK(read->tuning.numbered_ids == numbered);
      CHECK(read->tuning.id_window == window);
    }
  }
}

TEST_CASE("a relative directory is relative to the settings' file") {
  const test::TemporaryDirectory directory;
  const std::string path = directory.path() + "/node-1.json";
  std::ofstream(path) << net::to_json(test::first_of(1, 1, "data"));
  const Result<net::NodeSettings> read = net::load_settings(path);
  REQUIRE(read.has_value());
  CHECK(read->directory == directory.path() + "/data");
  CHECK(net::load_settings(directory.path() + "/none").has_error());
}

TEST_CASE("uuids are read in either case and written in one (RFC 9562, 4)") {
  const std::string canonical = "6f1c2a52-1d0e-4b3c-9a61-0f9d3f1c7e21";
  CHECK(net::to_string(*net::parse_uuid(canonical)) == canonical);
  CHECK(net::to_string(*net::parse_uuid("6F1C2A52-1D0E-4B3C-9A61-0F9D3F1C7E21")) == canonical);
  for (const char* wrong : {"", "6f1c2a521d0e4b3c9a610f9d3f1c7e21", "6f1c2a52-1d0e-4b3c-9a61-0f9d3f1c7e2",
                            "6f1c2a52-1d0e-4b3c-9a61-0f9d3f1c7e211", "{6f1c2a52-1d0e-4b3c-9a61-0f9d3f1c7e2}",
                            "6f1c2a5g-1d0e-4b3c-9a61-0f9d3f1c7e21", "6f1c2a52-1d0e-4b3c-9a61+0f9d3f1c7e21"}) {
    INFO(wrong);
    CHECK(net::parse_uuid(wrong).has_error());
  }
}

TEST_CASE("times are written in RFC 3339 with nanoseconds") {
  CHECK(net::rfc3339(0) == "1970-01-01T00:00:00.000000000Z");
  CHECK(net::rfc3339(1'795'299'303'123'456'789) == "2026-11-21T22:15:03.123456789Z");
  CHECK(net::rfc3339(-1) == "1969-12-31T23:59:59.999999999Z");
}

TEST_CASE("two servers never share a directory") {
  test::ServedNode first;
  REQUIRE(first.mistake().empty());
  net::NodeSettings second = test::first_of(1, 1, first.settings().directory);
  const auto opened = net::Server::open(second);
  REQUIRE(opened.has_error());
  CHECK_THAT(opened.error().what, Catch::Contains("in use"));
}

TEST_CASE("a port in use is told with its address") {
  test::ServedNode first;
  const test::TemporaryDirectory directory;
  net::NodeSettings second = test::first_of(1, 1, directory.path());
  second.nodes[0].http = first.self().http;
  REQUIRE(net::allow_founding(directory.path()).has_value());
  const auto opened = net::Server::open(second);
  REQUIRE(opened.has_error());
  CHECK_THAT(opened.error().what, Catch::Contains(to_string(first.self().http)));
}
