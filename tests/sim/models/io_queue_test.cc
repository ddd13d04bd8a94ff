#include "sim/models/io_queue.h"

#include <catch2/catch.hpp>

namespace coffer::sim {
namespace {

IoOp of(IoKind kind, std::uint64_t token) { return {kind, IoToken(token), "log"}; }

void hold(IoQueue& queue, std::uint32_t to) {
  std::vector<node::Send> sends{{NodeId(to), {}}};
  queue.hold(sends);
  REQUIRE(sends.empty());
}
std::vector<IoQueue::Begun> submit(IoQueue& queue, std::vector<IoOp> ops) { return queue.submit(ops); }

TEST_CASE("operations run one after the other, over all steps; a reserve runs beside them") {
  IoQueue queue;
  const auto first = submit(queue, {of(IoKind::write, 1), of(IoKind::sync, 2), of(IoKind::reserve, 3)});
  REQUIRE(first.size() == 2);
  REQUIRE(first[0].place == 1);
  REQUIRE(first[1].kind == IoKind::reserve);
  REQUIRE(submit(queue, {of(IoKind::write, 4)}).empty());
  REQUIRE_THROWS_AS(queue.finish(2), CheckFailure);
  const auto written = queue.finish(1);
  REQUIRE(written.op.token == IoToken(1));
  REQUIRE(written.begun.size() == 1);
  REQUIRE(written.begun[0].kind == IoKind::sync);
  REQUIRE(queue.finish(3).begun.empty());
  REQUIRE(queue.finish(2).begun[0].place == 4);
  REQUIRE(queue.finish(4).op.token == IoToken(4));
  REQUIRE_FALSE(queue.pending());
}

TEST_CASE("messages leave when every operation of their step and of all earlier ones has returned") {
  IoQueue queue;
  submit(queue, {of(IoKind::write, 1), of(IoKind::sync, 2)});
  hold(queue, 7);
  submit(queue, {of(IoKind::write, 3), of(IoKind::sync, 4)});
  hold(queue, 8);
  REQUIRE(queue.release().empty());
  queue.finish(1);
  REQUIRE(queue.release().empty());
  queue.finish(2);
  const auto released = queue.release();
  REQUIRE(released.size() == 1);
  REQUIRE(released[0].to == NodeId(7));
  queue.finish(3);
  REQUIRE(queue.release().empty());
  queue.finish(4);
  REQUIRE(queue.release().size() == 1);
}

TEST_CASE("messages of a step without operations wait for those of earlier steps, and for nothing else") {
  IoQueue queue;
  hold(queue, 7);
  REQUIRE(queue.release().size() == 1);
  submit(queue, {of(IoKind::sync, 1)});
  hold(queue, 8);
  REQUIRE(queue.release().empty());
  queue.finish(1);
  REQUIRE(queue.release().size() == 1);
}

TEST_CASE("messages wait for a reserve too") {
  IoQueue queue;
  submit(queue, {of(IoKind::reserve, 1)});
  hold(queue, 7);
  REQUIRE(queue.release().empty());
  queue.finish(1);
  REQUIRE(queue.release().size() == 1);
}

TEST_CASE("after a failed operation nothing that follows a sync leaves any more") {
  IoQueue queue;
  submit(queue, {of(IoKind::sync, 1)});
  hold(queue, 7);
  queue.finish(1);
  queue.poison();
  REQUIRE(queue.release().empty());
}

TEST_CASE("a crash cuts the operations off somewhere: always a prefix, sometimes nothing, sometimes all") {
  bool none = false;
  bool all = false;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    IoQueue queue;
    submit(queue, {of(IoKind::write, 1), of(IoKind::sync, 2), of(IoKind::write, 3)});
    Prng prng(seed);
    const std::vector<IoOp> executed = queue.cut_off(prng);
    for (std::size_t i = 0; i < executed.size(); ++i) REQUIRE(executed[i].token == IoToken(i + 1));
    none = none || executed.empty();
    all = all || executed.size() == 3;
    REQUIRE_FALSE(queue.pending());
    REQUIRE(queue.release().empty());
  }
  REQUIRE(none);
  REQUIRE(all);
}

}  // namespace
}  // namespace coffer::sim
