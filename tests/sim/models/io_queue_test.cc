#include "sim/models/io_queue.h"

#include <catch2/catch.hpp>

namespace coffer::sim {
namespace {

IoOp of(IoKind kind, std::uint64_t token) { return {kind, IoToken(token), "log"}; }
IoOp behind(IoKind kind, std::uint64_t token, const std::string& file = "snapshot") {
  IoOp op{kind, IoToken(token), file};
  op.lane = IoLane::background;
  return op;
}

void hold(IoQueue& queue, std::uint32_t to) {
  std::vector<node::Send> sends{{NodeId(to), {}}};
  queue.hold(sends);
  REQUIRE(sends.empty());
}
std::vector<IoQueue::Begun> submit(IoQueue& queue, std::vector<IoOp> ops) { return queue.submit(ops); }

TEST_CASE("operations of a lane run one after the other, over all steps; a reserve runs beside them") {
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

TEST_CASE("the two lanes run beside each other, each in its own order") {
  IoQueue queue;
  const auto first = submit(queue, {behind(IoKind::write, 1), behind(IoKind::sync, 2), of(IoKind::write, 3)});
  REQUIRE(first.size() == 2);
  REQUIRE(first[0].lane == IoLane::background);
  REQUIRE(first[1].lane == IoLane::stream);
  REQUIRE(submit(queue, {of(IoKind::sync, 4)}).empty());
  const auto of_stream = queue.finish(3);
  REQUIRE(of_stream.op.token == IoToken(3));
  REQUIRE(of_stream.begun[0].place == 4);
  REQUIRE_THROWS_AS(queue.finish(2), CheckFailure);
  const auto of_background = queue.finish(1);
  REQUIRE(of_background.begun[0].place == 2);
  REQUIRE(of_background.begun[0].lane == IoLane::background);
  queue.finish(4);
  REQUIRE(queue.pending());
  queue.finish(2);
  REQUIRE_FALSE(queue.pending());
}

TEST_CASE("a file is touched by one lane at a time") {
  IoQueue queue;
  submit(queue, {of(IoKind::write, 1)});
  REQUIRE_THROWS_AS(submit(queue, {behind(IoKind::remove, 2, "log")}), CheckFailure);
  IoOp onto = behind(IoKind::rename, 3);
  onto.target = "log";
  REQUIRE_THROWS_AS(submit(queue, {onto}), CheckFailure);
  queue.finish(1);
  REQUIRE(submit(queue, {behind(IoKind::remove, 4, "log")}).size() == 1);
}

TEST_CASE("messages wait neither for the background lane, nor for what changes nothing") {
  IoQueue queue;
  submit(queue, {behind(IoKind::sync, 1), of(IoKind::read, 2), of(IoKind::reserve, 3)});
  hold(queue, 7);
  REQUIRE(queue.release().size() == 1);
  submit(queue, {of(IoKind::sync, 4)});
  hold(queue, 8);
  queue.finish(2);
  REQUIRE(queue.release().empty());
  queue.finish(4);
  REQUIRE(queue.release().size() == 1);
  REQUIRE(queue.pending());
}

TEST_CASE("after a failed operation of the stream lane nothing that follows a sync leaves any more") {
  for (const IoStatus status : {IoStatus::failed, IoStatus::no_space, IoStatus::not_found}) {
    IoQueue queue;
    submit(queue, {of(IoKind::sync, 1)});
    hold(queue, 7);
    queue.returned(queue.finish(1).op, status);
    REQUIRE(queue.release().empty());
  }
}

TEST_CASE(
    "failures on which no word depends hold nothing back: of reads, reserves, the background, a needless removal") {
  IoQueue queue;
  submit(queue, {of(IoKind::read, 1), of(IoKind::reserve, 2), behind(IoKind::write, 3)});
  hold(queue, 7);
  queue.returned(queue.finish(1).op, IoStatus::not_found);
  queue.returned(queue.finish(2).op, IoStatus::no_space);
  queue.returned(queue.finish(3).op, IoStatus::no_space);
  submit(queue, {of(IoKind::remove, 4)});
  hold(queue, 8);
  queue.returned(queue.finish(4).op, IoStatus::not_found);
  REQUIRE(queue.release().size() == 2);
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

TEST_CASE("a crash cuts off each lane for itself") {
  bool only_stream = false;
  bool only_background = false;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    IoQueue queue;
    submit(queue, {of(IoKind::write, 1), behind(IoKind::write, 2), of(IoKind::sync, 3), behind(IoKind::sync, 4)});
    Prng prng(seed);
    std::uint64_t of_stream = 0;
    std::uint64_t of_background = 0;
    for (const IoOp& op : queue.cut_off(prng)) {
      std::uint64_t& count = op.lane == IoLane::stream ? of_stream : of_background;
      REQUIRE(op.token == IoToken(count * 2 + (op.lane == IoLane::stream ? 1 : 2)));
      ++count;
    }
    only_stream = only_stream || (of_stream == 2 && of_background == 0);
    only_background = only_background || (of_stream == 0 && of_background == 2);
  }
  REQUIRE(only_stream);
  REQUIRE(only_background);
}

}  // namespace
}  // namespace coffer::sim
