#include "net/driver/founding.h"

#include <fstream>

#include <catch2/catch.hpp>

#include "net/driver/small_file.h"
#include "net/peer/known_peers.h"
#include "tests/net/served_node.h"

using namespace coffer;

TEST_CASE("a directory is founded by its first start only, and its mark is gone when the node serves (invariant I1)") {
  test::ServedNode node;
  REQUIRE(node.mistake().empty());
  REQUIRE(node.wait_until_ready());
  CHECK_FALSE(net::founding_allowed(node.settings().directory));
  node.stop();
  node.start();
  CHECK(node.wait_until_ready());
}

TEST_CASE("an emptied directory is refused with what to do, and nothing is created in it") {
  test::ServedNode node;
  REQUIRE(node.wait_until_ready());
  node.stop();
  const std::string& directory = node.settings().directory;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    std::filesystem::remove_all(entry.path());
  }
  node.start();
  CHECK_THAT(node.mistake(), Catch::Contains(directory) && Catch::Contains("disk of node 1 was lost") &&
                                 Catch::Contains("coffer join --replace 1"));
  CHECK(std::filesystem::is_empty(directory));
  std::filesystem::remove(directory);
  node.start();
  CHECK_THAT(node.mistake(), Catch::Contains("missing or empty"));
  CHECK_FALSE(std::filesystem::exists(directory));
}

TEST_CASE("what a start leaves behind before its first word does not make an empty disk a used one") {
  const test::TemporaryDirectory directory;
  std::ofstream(directory.path() + "/lock");
  REQUIRE(net::save_peers(directory.path(), {}).has_value());
  CHECK(net::check_not_lost(directory.path(), NodeId(3)).has_error());
  std::ofstream(directory.path() + "/stream-000001");
  CHECK(net::check_not_lost(directory.path(), NodeId(3)).has_value());
}

TEST_CASE("nothing is founded over a node that lives or lived there") {
  const test::TemporaryDirectory directory;
  CHECK(net::allow_founding(directory.path() + "/a/b").has_value());
  CHECK(net::founding_allowed(directory.path() + "/a/b"));
  std::ofstream(directory.path() + "/hard-state");
  const Result<void> allowed = net::allow_founding(directory.path());
  REQUIRE(allowed.has_error());
  CHECK_THAT(allowed.error().what, Catch::Contains("not empty"));
}

TEST_CASE("a small file is replaced whole, and its directory says why it cannot be") {
  const test::TemporaryDirectory directory;
  REQUIRE(net::write_durably(directory.path(), "f", "one").has_value());
  REQUIRE(net::write_durably(directory.path(), "f", "two").has_value());
  std::string text;
  std::ifstream(directory.path() + "/f") >> text;
  CHECK(text == "two");
  CHECK_FALSE(std::filesystem::exists(directory.path() + "/f.new"));
  CHECK(net::remove_durably(directory.path(), "f").has_value());
  CHECK(net::remove_durably(directory.path(), "f").has_value());
  const Result<void> nowhere = net::write_durably(directory.path() + "/none", "f", "x");
  REQUIRE(nowhere.has_error());
  CHECK_THAT(nowhere.error().what, Catch::Contains("none/f") && Catch::Contains("No such file"));
}
