// Scenario files of the tree, read for tests.
#pragma once

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

#include <catch2/catch.hpp>

#include "sim/run/scenario_json.h"

namespace coffer::sim {

inline std::string text_of(const std::string& path) {
  const char* root = std::getenv("COFFER_SOURCE_DIR");
  std::ifstream in((root == nullptr ? std::string(".") : std::string(root)) + "/" + path, std::ios::binary);
  INFO("run tests with COFFER_SOURCE_DIR set, or from the project's root: " << path);
  REQUIRE(in.good());
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

inline Scenario scenario_of(const std::string& path) {
  const auto scenario = read_scenario(text_of(path));
  INFO(path << (scenario ? "" : ": " + scenario.error().what));
  REQUIRE(scenario.has_value());
  return *scenario;
}

}  // namespace coffer::sim
