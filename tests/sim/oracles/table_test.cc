#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>

#include <catch2/catch.hpp>

#include "tests/sim/oracles/story.h"

using namespace coffer;
using namespace coffer::sim::oracles;

TEST_CASE("every oracle is silent about a clean run with everything in it") {
  for (const Row& row : table()) {
    INFO(row.name);
    Story story(row.name);
    tell_clean_run(story);
    const std::vector<std::string> reasons = story.end();
    INFO((reasons.empty() ? std::string() : reasons.front()));
    CHECK(reasons.empty());
  }
}

/// O-L10 comes after O-L9.
std::pair<std::string, int> in_order(std::string_view name) {
  const std::size_t number = name.find_first_of("0123456789");
  return {std::string(name.substr(0, number)), std::stoi(std::string(name.substr(number)))};
}

TEST_CASE("rows are in name order, and each oracle knows its own name") {
  std::set<std::string_view> names;
  std::pair<std::string, int> before;
  for (const Row& row : table()) {
    CHECK(before < in_order(row.name));
    before = in_order(row.name);
    Story story(row.name);
    CHECK(story.oracle().name() == row.name);
    CHECK(names.insert(row.name).second);
  }
}

TEST_CASE("every file that implements an oracle has a row") {
  const char* root = std::getenv("COFFER_SOURCE_DIR");
  REQUIRE(root != nullptr);
  std::set<std::string, std::less<>> names;
  for (const Row& row : table()) names.emplace(row.name);
  std::size_t files = 0;
  for (const auto& file : std::filesystem::directory_iterator(std::filesystem::path(root) / "sim/oracles")) {
    if (file.path().extension() != ".cc") continue;
    std::ifstream in(file.path());
    std::stringstream text;
    text << in.rdbuf();
    const std::string source = text.str();
    const std::string marker = "name() const override { return \"";
    const std::size_t at = source.find(marker);
    if (at == std::string::npos) continue;
    const std::size_t start = at + marker.size();
    INFO(file.path());
    CHECK(names.contains(source.substr(start, source.find('"', start) - start)));
    ++files;
  }
  CHECK(files == names.size());
}

TEST_CASE("every oracle has a test that sees it catch a breach") {
  const char* root = std::getenv("COFFER_SOURCE_DIR");
  REQUIRE(root != nullptr);
  std::string sources;
  for (const auto& file : std::filesystem::directory_iterator(std::filesystem::path(root) / "tests/sim/oracles")) {
    std::ifstream in(file.path());
    std::stringstream text;
    text << in.rdbuf();
    sources += text.str();
  }
  for (const Row& row : table()) {
    INFO(row.name);
    CHECK(sources.find("TEST_CASE(\"" + std::string(row.name) + " catches") != std::string::npos);
  }
}
