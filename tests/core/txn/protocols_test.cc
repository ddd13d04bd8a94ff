// The table of protocols is whole: every protocol has its file, its row and its name.
#include "core/txn/protocols.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>

#include <catch2/catch.hpp>

namespace {

using namespace coffer;
using namespace coffer::txn;

TEST_CASE("every file that implements a protocol has a row of its own name") {
  const char* root = std::getenv("COFFER_SOURCE_DIR");
  REQUIRE(root != nullptr);
  std::set<std::string> names;
  for (const ProtocolRow& row : protocols()) names.emplace(row.name);
  std::set<std::string> files;
  for (const auto& file : std::filesystem::directory_iterator(std::filesystem::path(root) / "core/txn")) {
    if (file.path().extension() != ".cc") continue;
    std::ifstream in(file.path());
    std::stringstream text;
    text << in.rdbuf();
    if (text.str().find("\nProtocolRow row() {") != std::string::npos) files.insert(file.path().stem());
  }
  REQUIRE(files == names);
}

TEST_CASE("rows stand in the order of their numbers, and are found by number and by name") {
  std::uint8_t before = 0;
  for (const ProtocolRow& row : protocols()) {
    REQUIRE(static_cast<std::uint8_t>(row.protocol) == before + 1);
    before = static_cast<std::uint8_t>(row.protocol);
    REQUIRE(row_of(row.protocol).name == row.name);
    REQUIRE(find_protocol(row.name)->protocol == row.protocol);
    REQUIRE_FALSE(row.doc.empty());
  }
  REQUIRE(find_protocol("hope") == nullptr);
}

}  // namespace
