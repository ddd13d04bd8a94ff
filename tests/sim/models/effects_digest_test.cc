#include "sim/models/effects_digest.h"

#include <functional>
#include <memory>
#include <set>

#include <catch2/catch.hpp>

namespace coffer::sim {
namespace {

SharedBytes bytes(std::initializer_list<int> values) {
  Bytes made;
  for (const int value : values) made.push_back(static_cast<std::byte>(value));
  return std::make_shared<const Bytes>(std::move(made));
}

node::Effects sample() {
  node::Effects effects;
  effects.io.push_back({IoKind::write, IoToken(1), "log", "", 4096, bytes({1, 2, 3})});
  effects.send_now.push_back({NodeId(2), bytes({4, 5})});
  effects.send_after_sync.push_back({NodeId(3), bytes({6, 7})});
  effects.replies.push_back({ClientId(1), RequestId(9), *bytes({8})});
  effects.committed.push_back({ShardId(1), Index(2), Term(3), bytes({9})});
  effects.trace.push_back({});
  return effects;
}

TEST_CASE("one changed byte of any message, reply, write or entry changes the hash of the run") {
  using Change = std::function<void(node::Effects&)>;
  const std::vector<Change> changes = {
      [](node::Effects& e) {
        e.io[0].bytes = bytes({1, 2, 4});
      },
      [](node::Effects& e) { e.io[0].offset = 0; },
      [](node::Effects& e) { e.io[0].file = "lof"; },
      [](node::Effects& e) { e.io[0].kind = IoKind::reserve; },
      [](node::Effects& e) { e.io[0].token = IoToken(2); },
      [](node::Effects& e) {
        e.send_now[0].frame = bytes({4, 6});
      },
      [](node::Effects& e) { e.send_now[0].to = NodeId(3); },
      [](node::Effects& e) {
        e.send_after_sync[0].frame = bytes({6, 8});
      },
      [](node::Effects& e) { std::swap(e.send_now, e.send_after_sync); },
      [](node::Effects& e) { e.replies[0].bytes[0] = std::byte{0}; },
      [](node::Effects& e) { e.replies[0].request = RequestId(8); },
      [](node::Effects& e) { e.committed[0].payload = bytes({10}); },
      [](node::Effects& e) { e.committed[0].index = Index(3); },
      [](node::Effects& e) { e.trace[0].c = 1; },
      [](node::Effects& e) { e.trace[0].transfer.bytes[15] = 1; },
      [](node::Effects& e) { e.wake_at = Instant{5}; },
      [](node::Effects& e) { e.fatal = "x"; },
      [](node::Effects& e) { e.trace.clear(); },
  };
  std::set<std::uint64_t> digests{digest_of(sample())};
  for (const Change& change : changes) {
    node::Effects effects = sample();
    change(effects);
    REQUIRE(digests.insert(digest_of(effects)).second);
  }
  REQUIRE(digest_of(sample()) == *digests.find(digest_of(sample())));
}

}  // namespace
}  // namespace coffer::sim
