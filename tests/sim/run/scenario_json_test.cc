#include "sim/run/scenario_json.h"

#include <filesystem>
#include <set>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "sim/faults/faults.h"
#include "sim/run/swarm.h"
#include "sim/run/words.h"
#include "tests/sim/run/scenario_files.h"

namespace coffer::sim {
namespace {

TEST_CASE("an empty scenario is the default world") {
  const auto scenario = read_scenario("{}");
  REQUIRE(scenario.has_value());
  REQUIRE(scenario->nodes == 3);
  REQUIRE(scenario->expect == "pass");
  REQUIRE(scenario->faults.empty());
}

TEST_CASE("what a seed draws reads back as what was written, for every profile") {
  for (const Profile& profile : profiles()) {
    for (std::uint64_t seed = 1; seed <= 100; ++seed) {
      const Scenario drawn = profile.draw(seed);
      const std::string text = write_scenario(drawn);
      const auto read = read_scenario(text);
      INFO(profile.name << " seed " << seed << (read ? "" : ": " + read.error().what));
      REQUIRE(read.has_value());
      REQUIRE(write_scenario(*read) == text);
      REQUIRE(read->faults == drawn.faults);
      REQUIRE(hash_of(*read) == hash_of(drawn));
    }
  }
}

TEST_CASE("a script reads back as what was written") {
  const Scenario scenario = scenario_of("scenarios/basics/figure_12_29.json");
  const auto read = read_scenario(write_scenario(scenario));
  REQUIRE(read.has_value());
  REQUIRE(read->script == scenario.script);
  REQUIRE(hash_of(*read) == hash_of(scenario));
}

TEST_CASE("the hash of a scenario sees what influences a run, and nothing else") {
  const Scenario scenario = scenario_of("scenarios/faults/partition.json");
  Scenario other = scenario;
  other.about = "other words";
  other.expect = "stuck";
  other.seed = 99;
  REQUIRE(hash_of(other) == hash_of(scenario));
  other.faults[0].lasts_max = other.faults[0].lasts_max + milliseconds(1);
  REQUIRE(hash_of(other) != hash_of(scenario));
}

struct Refused {
  const char* json;
  const char* pointer;
  const char* says;
};

TEST_CASE("what makes no sense is refused with a pointer to the place, and a suggestion") {
  const Refused table[] = {
      {"", "/", "not JSON at byte"},
      {"{", "/", "not JSON at byte"},
      {"[]", "/", "is not an object"},
      {R"({"seed":1,"seed":2})", "/", "\"seed\" stands twice"},
      {R"({"topologi":{}})", "/topologi", "did you mean \"topology\"?"},
      {R"({"topology":{"nodes":0}})", "/topology/nodes", "is not between 1 and 9"},
      {R"({"topology":{"nodes":1.5}})", "/topology/nodes", "is not a whole number"},
      {R"({"topology":{"node":3}})", "/topology/node", "did you mean \"nodes\"?"},
      {R"({"topology":[]})", "/topology", "is not an object"},
      {R"({"tuning":{"election_timeout":"150"}})", "/tuning/election_timeout", "is not a duration"},
      {R"({"tuning":{"election_timeout":150}})", "/tuning/election_timeout", "such as \"150ms\""},
      {R"({"tuning":{"election_timeout":"1ms"}})", "/tuning/election_timeout", "is not between 10ms and 1min"},
      {R"({"tuning":{"heartbeat_interval":"400ms"}})", "/tuning/heartbeat_interval",
       "more than half the election timeout"},
      {R"({"tuning":{"segment_size":"10MB"}})", "/tuning/segment_size", "is not a size"},
      {R"({"workload":{"accounts":4,"hot_accounts":5}})", "/workload/hot_accounts", "more than there are"},
      {R"({"workload":{"read_per_mille":1001}})", "/workload/read_per_mille", "is not between 0 and 1000"},
      {R"({"limits":{"running_min":"50s"}})", "/limits/running_min", "beyond running_max"},
      {R"({"expect":"O-Z9"})", "/expect", "neither a verdict nor an oracle"},
      {R"({"expect":"pas"})", "/expect", "did you mean \"pass\"?"},
      {R"({"faults":{}})", "/faults", "is not a list"},
      {R"({"faults":[{"fault":"crsh_restart","at":"1s","for":"1s"}]})", "/faults/0/fault",
       "did you mean \"crash_restart\"?"},
      {R"({"faults":[{"at":"1s","for":"1s"}]})", "/faults/0/fault", "which one?"},
      {R"({"faults":[{"fault":"pause","for":"1s"}]})", "/faults/0", "exactly one of"},
      {R"({"faults":[{"fault":"pause","at":"1s","every":"1s","for":"1s"}]})", "/faults/0", "exactly one of"},
      {R"({"faults":[{"fault":"pause","at":"1s"}]})", "/faults/0/for", "how long?"},
      {R"({"faults":[{"fault":"pause","at":"1s","for":"2s..1s"}]})", "/faults/0/for", "a range"},
      {R"({"faults":[{"fault":"pause","at":"1s","for":"1s","node":4}]})", "/faults/0/node", "there is no node 4"},
      {R"x({"faults":[{"fault":"pause","at":"1s","for":"1s","node":"leader(shard 3)"}]})x", "/faults/0/node",
       "there is no shard 3"},
      {R"({"faults":[{"fault":"pause","at":"1s","for":"1s","node":"boss"}]})", "/faults/0/node", "is not a node"},
      {R"({"faults":[{"fault":"pause","at":"1s","for":"1s","node":"self"}]})", "/faults/0/node", "needs \"when\""},
      {R"({"faults":[{"fault":"pause","at":"1s","for":"1s","nodes":5}]})", "/faults/0/nodes", "the topology has 3"},
      {R"({"faults":[{"fault":"drop","at":"1s","for":"1s"}]})", "/faults/0/per_mille", "how many packets?"},
      {R"({"faults":[{"fault":"delay","at":"1s","for":"1s","per_mille":5}]})", "/faults/0/extra", "how much later?"},
      {R"({"faults":[{"fault":"lost_unsynced","at":"1s","for":"1s"}]})", "/faults/0/lose_per_mille", "how many"},
      {R"({"faults":[{"fault":"torn_unsynced","at":"1s","for":"1s"}]})", "/faults/0/tear_per_mille", "how many"},
      {R"({"faults":[{"fault":"clock_skew","at":"1s","for":"1s"}]})", "/faults/0/extra", "how far"},
      {R"({"faults":[{"fault":"payload_corruption","at":"1s","for":"1s"}]})", "/faults/0/per_mille",
       "how many packets?"},
      {R"({"faults":[{"fault":"clock_jump","at":"1s","for":"1s"}]})", "/faults/0/extra", "how far off"},
      {R"({"faults":[{"fault":"clock_lies","at":"1s","for":"1s"}]})", "/faults/0/extra", "how far off"},
      {R"({"faults":[{"fault":"clock_drift","at":"1s","for":"1s"}]})", "/faults/0/drift_ppm", "how fast"},
      {R"({"faults":[{"fault":"leap_second","at":"1s","for":"900ms","per_mille":1}]})", "/faults/0/for",
       "more than 1100 ms"},
      {R"({"faults":[{"fault":"rolling_upgrade","at":"1s","for":"forever"}]})", "/faults/0/for", "not for ever"},
      {R"({"faults":[{"fault":"partition","at":"1s","for":"1s","notice_after":"soon"}]})", "/faults/0/notice_after",
       "is not a duration"},
      {R"({"faults":[{"fault":"crash_restart","how":"gently","at":"1s","for":"1s"}]})", "/faults/0/how",
       "known: process, power, either"},
      {R"({"faults":[{"fault":"pause","when":{"event":"saga_start"},"for":"1s"}]})", "/faults/0/when/event",
       "did you mean \"saga_started\"?"},
      {R"({"faults":[{"fault":"pause","when":{"event":"voted","nth":0},"for":"1s"}]})", "/faults/0/when/nth",
       "is not between"},
      {R"({"faults":[{"fault":"pause","when":{"event":"voted","shard":3},"for":"1s"}]})", "/faults/0/when/shard",
       "the topology has 2"},
      {R"({"faults":[{"fault":"pause","stream":3,"at":"1s","for":"1s"},{"fault":"pause","stream":3,"at":"1s","for":"1s"}]})",
       "/faults/1/stream", "another fault"},
      {R"({"script":{"accounts":[{"account":"A","currency":"XXX"}]}})", "/script/accounts/0/currency",
       "no such currency"},
      {R"({"script":{"accounts":[{"account":"A"},{"account":"A"}]}})", "/script/accounts/1/account", "stands twice"},
      {R"({"script":{"calls":[{"from":"A"}]}})", "/script/calls/0/to", "to whom?"},
      {R"({"script":{"calls":[{"operation":"deposit","from":"A","to":"B"}]}})", "/script/calls/0/from",
       "a deposit has none"},
      {R"({"workload":{"hold_per_mille":1001}})", "/workload/hold_per_mille", "is not between 0 and 1000"},
      {R"({"script":{"calls":[{"operation":"hold","amount":1}]}})", "/script/calls/0/account", "which one?"},
      {R"({"script":{"calls":[{"operation":"hold","account":"A","expires_in":"745h"}]}})", "/script/calls/0/expires_in",
       "is not between 1ms and"},
      {R"({"script":{"calls":[{"operation":"hold","account":"A","expires_in":"1500us"}]}})",
       "/script/calls/0/expires_in", "in whole milliseconds"},
      {R"({"script":{"calls":[{"operation":"capture","account":"A","id":1}]}})", "/script/calls/0/to", "to whom?"},
      {R"({"script":{"calls":[{"operation":"capture","account":"A","to":"B"}]}})", "/script/calls/0/id",
       "of which hold?"},
      {R"({"script":{"calls":[{"operation":"void","account":"A"}]}})", "/script/calls/0/id", "of which hold?"},
  };
  for (const Refused& row : table) {
    const auto read = read_scenario(row.json);
    INFO(row.json);
    REQUIRE_FALSE(read.has_value());
    INFO(read.error().what);
    REQUIRE(read.error().code == ErrorCode::malformed);
    REQUIRE(read.error().what.starts_with(std::string(row.pointer) + ":"));
    REQUIRE(read.error().what.find(row.says) != std::string::npos);
  }
}

std::set<std::string> keys_of(const nlohmann::json& object) {
  std::set<std::string> keys;
  for (const auto& [key, value] : object.items()) keys.insert(key);
  return keys;
}

TEST_CASE("the published schema has every key that is written, and every fault") {
  const auto schema = nlohmann::json::parse(text_of("scenarios/schema.json"));
  const nlohmann::json& properties = schema["properties"];
  Scenario scenario = profiles()[0].draw(1);
  // What goes without saying unless it is there.
  scenario.tuning.id_window = scenario.tuning.id_grace = seconds(1);
  scenario.tuning.numbered_ids = true;
  scenario.tuning.rows_in_memory = 16;
  for (const auto share :
       {&workload::Config::hold_per_mille, &workload::Config::race_per_mille, &workload::Config::timed_id_per_mille,
        &workload::Config::odd_time_per_mille, &workload::Config::late_per_mille, &workload::Config::split_per_mille,
        &workload::Config::numbered_per_mille}) {
    scenario.workload.*share = 30;
  }
  scenario.client_outwait = milliseconds(100);
  const auto drawn = nlohmann::json::parse(write_scenario(scenario));
  scenario = scenario_of("scenarios/basics/late_client.json");
  scenario.tuning.numbered_ids = true;
  scenario.tuning.rows_in_memory = 16;
  scenario.client_outwait = milliseconds(100);
  const auto scripted = nlohmann::json::parse(write_scenario(scenario));
  for (const nlohmann::json& written : {drawn, scripted}) {
    for (const auto& [key, value] : written.items()) {
      INFO(key);
      REQUIRE(properties.contains(key));
      if (!value.is_object() || key == "script") continue;
      REQUIRE(keys_of(value) == keys_of(properties[key]["properties"]));
    }
  }
  REQUIRE(properties["protocol"]["enum"].get<std::vector<std::string>>() == words::protocols());
  const nlohmann::json& fault = schema["$defs"]["fault"]["properties"];
  for (const nlohmann::json& one : drawn["faults"]) {
    for (const std::string& key : keys_of(one)) REQUIRE(fault.contains(key));
  }
  std::set<std::string> names;
  for (const faults::Row& row : faults::table()) names.insert(std::string(row.name));
  REQUIRE(fault["fault"]["enum"].get<std::set<std::string>>() == names);
}

TEST_CASE(
    "every scenario file of the tree is a scenario with a sentence about it; plans of the ladder are read elsewhere") {
  const char* root = std::getenv("COFFER_SOURCE_DIR");
  const std::filesystem::path base = root == nullptr ? "." : root;
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(base / "scenarios")) {
    const bool is_plan = entry.path().parent_path().filename() == "ladder";
    if (entry.path().extension() != ".json" || entry.path().filename() == "schema.json" || is_plan) continue;
    const Scenario scenario = scenario_of(std::filesystem::relative(entry.path(), base).string());
    REQUIRE_FALSE(scenario.about.empty());
    ++files;
  }
  REQUIRE(files >= 15);
}

}  // namespace
}  // namespace coffer::sim
