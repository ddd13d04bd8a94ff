#include "net/driver/sync_gate.h"

#include <catch2/catch.hpp>
#include <rapidcheck.h>

using namespace coffer;
using net::SyncGate;

namespace {

std::vector<node::Send> frame_to(std::uint32_t peer) {
  std::vector<node::Send> sends;
  sends.push_back({NodeId(peer), nullptr});
  return sends;
}

void hold(SyncGate& gate, std::uint32_t peer) {
  std::vector<node::Send> sends = frame_to(peer);
  gate.hold(sends);
}

}  // namespace

TEST_CASE("a frame with nothing before it goes at once") {
  SyncGate gate;
  hold(gate, 2);
  CHECK(gate.take()->to == NodeId(2));
  CHECK_FALSE(gate.take());
}

TEST_CASE("a frame waits for the write and the sync before it (invariant V2a)") {
  SyncGate gate;
  gate.submitted(IoKind::write, IoLane::stream);
  gate.submitted(IoKind::sync, IoLane::stream);
  hold(gate, 2);
  CHECK_FALSE(gate.take());
  gate.done(IoKind::write, IoLane::stream, IoStatus::ok);
  CHECK_FALSE(gate.take());
  gate.done(IoKind::sync, IoLane::stream, IoStatus::ok);
  CHECK(gate.take());
}

TEST_CASE("a frame does not wait for what was submitted after it") {
  SyncGate gate;
  gate.submitted(IoKind::sync, IoLane::stream);
  hold(gate, 2);
  gate.submitted(IoKind::sync, IoLane::stream);
  hold(gate, 3);
  gate.done(IoKind::sync, IoLane::stream, IoStatus::ok);
  CHECK(gate.take()->to == NodeId(2));
  CHECK_FALSE(gate.take());
}

TEST_CASE("after a failure nothing leaves any more, later successes or not (invariant V2c)") {
  const IoStatus bad = GENERATE(IoStatus::failed, IoStatus::no_space, IoStatus::not_found);
  SyncGate gate;
  gate.submitted(IoKind::sync, IoLane::stream);
  hold(gate, 2);
  gate.done(IoKind::sync, IoLane::stream, bad);
  CHECK_FALSE(gate.take());
  gate.submitted(IoKind::sync, IoLane::stream);
  gate.done(IoKind::sync, IoLane::stream, IoStatus::ok);
  hold(gate, 3);
  CHECK_FALSE(gate.take());
}

TEST_CASE("reservations and reads hold nothing back, full disk or not") {
  SyncGate gate;
  gate.submitted(IoKind::reserve, IoLane::stream);
  gate.submitted(IoKind::read, IoLane::stream);
  hold(gate, 2);
  CHECK(gate.take());
  gate.done(IoKind::reserve, IoLane::stream, IoStatus::no_space);
  gate.done(IoKind::read, IoLane::stream, IoStatus::not_found);
  hold(gate, 3);
  CHECK(gate.take());
}

TEST_CASE("the background lane holds nothing back, slow, full or failed (invariant V2d)") {
  SyncGate gate;
  const IoKind kind = GENERATE(IoKind::write, IoKind::sync, IoKind::sync_dir, IoKind::rename, IoKind::remove);
  gate.submitted(kind, IoLane::background);
  hold(gate, 2);
  CHECK(gate.take());
  gate.submitted(IoKind::sync, IoLane::stream);
  hold(gate, 3);
  gate.done(kind, IoLane::background, IoStatus::no_space);
  CHECK_FALSE(gate.take());
  gate.done(IoKind::sync, IoLane::stream, IoStatus::ok);
  CHECK(gate.take()->to == NodeId(3));
}

TEST_CASE("removing what was not there is no loss") {
  SyncGate gate;
  gate.submitted(IoKind::remove, IoLane::stream);
  hold(gate, 2);
  gate.done(IoKind::remove, IoLane::stream, IoStatus::not_found);
  CHECK(gate.take());
}

TEST_CASE("property: frames leave in order, each after all operations before it (invariants V2a and V2b)") {
  REQUIRE(rc::check([](const std::vector<std::uint8_t>& script) {
    SyncGate gate;
    std::uint64_t submitted = 0;
    std::uint64_t done = 0;
    std::vector<std::uint64_t> needs;  // of each frame, in order
    std::size_t left = 0;
    for (const std::uint8_t step : script) {
      if (step % 3 == 0) {
        gate.submitted(IoKind::sync, IoLane::stream);
        ++submitted;
      } else if (step % 3 == 1 && done < submitted) {
        gate.done(IoKind::sync, IoLane::stream, IoStatus::ok);
        ++done;
      } else {
        std::vector<node::Send> sends = frame_to(static_cast<std::uint32_t>(needs.size()));
        gate.hold(sends);
        needs.push_back(submitted);
      }
      while (const auto send = gate.take()) {
        RC_ASSERT(send->to.value == left);
        RC_ASSERT(needs[left] <= done);
        ++left;
      }
      RC_ASSERT((left == needs.size() || needs[left] > done));
    }
  }));
}
