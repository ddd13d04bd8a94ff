#include "net/disk/disk.h"

#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <optional>
#include <sstream>

#include <catch2/catch.hpp>
#include <unistd.h>

#include "core/base/hash.h"
#include "tests/net/served_node.h"

using namespace coffer;
using net::Disk;
using net::IoCompletion;

namespace {

SharedBytes bytes(std::string_view text) {
  const ByteView view = bytes_of(text);
  return std::make_shared<const Bytes>(view.begin(), view.end());
}

std::string text_of(const IoCompletion& read) {
  const ByteView seen = view(read.bytes);
  return {reinterpret_cast<const char*>(seen.data()), seen.size()};
}

/// A disk, and what it has reported so far in order.
class Desk {
 public:
  Desk() : disk(directory.path(), [this](std::vector<IoCompletion> done) { take(std::move(done)); }) {}

  IoToken submit(IoKind kind, const std::string& file, std::uint64_t offset = 0, SharedBytes content = {},
                 const std::string& target = "") {
    IoOp op{kind, {}, file, target, offset, std::move(content)};
    op.lane = lane;
    return submit(std::move(op));
  }
  IoToken submit(IoOp op) {
    op.token = IoToken(++last_);
    std::vector<IoOp> ops;
    ops.push_back(std::move(op));
    disk.submit(ops);
    return IoToken(last_);
  }
  IoCompletion wait(IoToken token) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return done_.count(token) > 0; });
    return done_.at(token);
  }
  IoStatus run(IoKind kind, const std::string& file, std::uint64_t offset = 0, SharedBytes content = {},
               const std::string& target = "") {
    return wait(submit(kind, file, offset, std::move(content), target)).status;
  }
  std::string content(const std::string& file) { return text_of(wait(submit(IoKind::read, file))); }
  std::string range(const std::string& file, std::uint64_t offset, std::uint64_t length) {
    IoOp read{IoKind::read, {}, file};
    read.offset = offset;
    read.length = length;
    read.lane = lane;
    return text_of(wait(submit(std::move(read))));
  }
  /// The lane's thread stays in its next report until it is let go: the lane stands still.
  void hold(std::optional<IoLane> held) {
    const std::lock_guard lock(mutex_);
    held_ = held;
    changed_.notify_all();
  }
  bool is_done_within_seconds(IoToken token, int limit) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(limit), [&] { return done_.count(token) > 0; });
  }
  std::vector<IoToken> order() {
    const std::lock_guard lock(mutex_);
    return order_;
  }

  IoLane lane = IoLane::stream;  ///< of what is submitted from now on
  test::TemporaryDirectory directory;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<IoToken, IoCompletion> done_;
  std::vector<IoToken> order_;
  std::optional<IoLane> held_;
  std::uint64_t last_ = 0;
  Disk disk;

 private:
  void take(std::vector<IoCompletion> done) {
    std::unique_lock lock(mutex_);
    const IoLane reporting = done.front().lane;
    for (IoCompletion& one : done) {
      order_.push_back(one.token);
      done_.emplace(one.token, std::move(one));
    }
    changed_.notify_all();
    changed_.wait(lock, [&] { return held_ != reporting; });
  }
};

}  // namespace

TEST_CASE("a file that was never written is not found (core/base/io.h)") {
  Desk desk;
  CHECK(desk.run(IoKind::read, "nothing") == IoStatus::not_found);
  CHECK(desk.run(IoKind::remove, "nothing") == IoStatus::not_found);
}

TEST_CASE("what was written at an offset is read back whole, zeros in front of it (core/base/io.h)") {
  Desk desk;
  CHECK(desk.run(IoKind::write, "a", 4, bytes("money")) == IoStatus::ok);
  CHECK(desk.run(IoKind::sync, "a") == IoStatus::ok);
  CHECK(desk.content("a") == std::string(4, '\0') + "money");
  CHECK(desk.run(IoKind::write, "a", 0, bytes("more")) == IoStatus::ok);
  CHECK(desk.content("a") == "moremoney");
}

TEST_CASE("a renamed file has its new name, and its old one is free (core/base/io.h)") {
  Desk desk;
  desk.submit(IoKind::write, "new", 0, bytes("second"));
  desk.submit(IoKind::write, "old", 0, bytes("first"));
  CHECK(desk.run(IoKind::rename, "new", 0, {}, "old") == IoStatus::ok);
  CHECK(desk.run(IoKind::sync_dir, "") == IoStatus::ok);
  CHECK(desk.content("old") == "second");
  CHECK(desk.run(IoKind::read, "new") == IoStatus::not_found);
  CHECK(desk.run(IoKind::remove, "old") == IoStatus::ok);
  CHECK(desk.run(IoKind::read, "old") == IoStatus::not_found);
}

TEST_CASE("operations run in the order they were submitted (invariant D1)") {
  Desk desk;
  std::vector<IoToken> submitted;
  std::vector<IoOp> ops;
  for (std::uint64_t i = 1; i <= 200; ++i) {
    submitted.push_back(IoToken(1000 + i));
    const IoKind kind = i % 5 == 0 ? IoKind::sync : IoKind::write;
    ops.push_back({kind, submitted.back(), "log", "", i, kind == IoKind::write ? bytes("x") : SharedBytes()});
  }
  desk.disk.submit(ops);
  CHECK(ops.empty());
  desk.wait(submitted.back());
  CHECK(desk.order() == submitted);
  CHECK(desk.disk.counters().syncs == 40);
  CHECK(desk.disk.counters().bytes_written == 160);
}

TEST_CASE("a reservation fills with zeros from the end on, and never over data (invariant D2)") {
  Desk desk;
  desk.submit(IoKind::write, "segment", 0, bytes("head"));
  desk.submit(IoKind::sync, "segment");
  CHECK(desk.run(IoKind::reserve, "segment", 3u << 20) == IoStatus::ok);
  const std::string content = desk.content("segment");
  REQUIRE(content.size() == 3u << 20);
  CHECK(content.substr(0, 4) == "head");
  CHECK(content.find_first_not_of('\0', 4) == std::string::npos);

  // Submitted behind the reservation without waiting for it.
  desk.submit(IoKind::reserve, "next", 8u << 20);
  desk.submit(IoKind::write, "next", 0, bytes("data"));
  CHECK(desk.content("next").substr(0, 4) == "data");
  CHECK(std::filesystem::file_size(desk.directory.path() + "/next") == 8u << 20);
}

TEST_CASE("whole blocks, which go past the page cache, and odd pieces, which go through it, end up in one file") {
  Desk desk;
  std::string expected(5u << 20, '\0');
  REQUIRE(desk.run(IoKind::reserve, "mixed", expected.size()) == IoStatus::ok);
  const auto put = [&](std::size_t offset, std::size_t size, char fill) {
    expected.replace(offset, size, size, fill);
    CHECK(desk.run(IoKind::write, "mixed", offset, bytes(std::string(size, fill))) == IoStatus::ok);
  };
  put(0, 4096, 'a');
  put(100, 50, 'b');
  put(4096, 3u << 20, 'c');
  put(8192 + 7, 9000, 'd');
  put(1u << 20, 1u << 20, 'e');
  put(expected.size() - 4096, 4096, 'f');
  CHECK(desk.run(IoKind::sync, "mixed") == IoStatus::ok);
  CHECK(desk.content("mixed") == expected);
  CHECK(desk.run(IoKind::reserve, "odd", 10'000) == IoStatus::ok);
  CHECK(desk.run(IoKind::reserve, "odd", 3u << 20) == IoStatus::ok);
  CHECK(desk.content("odd") == std::string(3u << 20, '\0'));
}

TEST_CASE("a full disk is told as such, and is not the end (core/base/io.h)") {
  Desk desk;
  REQUIRE(::symlink("/dev/full", (desk.directory.path() + "/full").c_str()) == 0);
  CHECK(desk.run(IoKind::write, "full", 0, bytes("x")) == IoStatus::no_space);
  CHECK(desk.run(IoKind::write, "other", 0, bytes("x")) == IoStatus::ok);
  CHECK(desk.disk.failure().empty());
}

TEST_CASE("after a failure everything fails, later syncs of other files too (invariant D3)") {
  Desk desk;
  CHECK(desk.run(IoKind::write, "good", 0, bytes("x")) == IoStatus::ok);
  std::filesystem::create_directory(desk.directory.path() + "/bad");
  CHECK(desk.run(IoKind::write, "bad", 0, bytes("x")) == IoStatus::failed);
  CHECK(desk.run(IoKind::sync, "good") == IoStatus::failed);
  CHECK(desk.run(IoKind::write, "good", 1, bytes("y")) == IoStatus::failed);
  CHECK(std::filesystem::file_size(desk.directory.path() + "/good") == 1);
  CHECK_THAT(desk.disk.failure(), Catch::Contains("write") && Catch::Contains("/bad"));
}

TEST_CASE("more files than the cache of open ones holds are all written and synced") {
  Desk desk;
  for (int i = 0; i < 60; ++i) {
    const std::string name = "file-" + std::to_string(i);
    desk.submit(IoKind::write, name, 0, bytes(name));
    desk.submit(IoKind::sync, name);
  }
  for (int i = 0; i < 60; ++i) {
    const std::string name = "file-" + std::to_string(i);
    CHECK(desk.content(name) == name);
  }
}

TEST_CASE("a disk that is destroyed has finished what it was given") {
  test::TemporaryDirectory directory;
  int reported = 0;
  {
    Disk disk(directory.path(),
              [&reported](std::vector<IoCompletion> done) { reported += static_cast<int>(done.size()); });
    std::vector<IoOp> ops;
    for (std::uint64_t i = 0; i < 100; ++i) {
      ops.push_back({IoKind::write, IoToken(i), "log", "", i, bytes("z")});
    }
    disk.submit(ops);
  }
  CHECK(reported == 100);
  CHECK(std::filesystem::file_size(directory.path() + "/log") == 100);
}

TEST_CASE("a read takes its range and no more, fewer bytes at the end of the file (core/base/io.h)") {
  Desk desk;
  desk.lane = GENERATE(IoLane::stream, IoLane::background);
  desk.submit(IoKind::write, "a", 0, bytes("0123456789"));
  CHECK(desk.range("a", 3, 4) == "3456");
  CHECK(desk.range("a", 8, 4) == "89");
  CHECK(desk.range("a", 10, 4).empty());
  CHECK(desk.range("a", 1u << 20, whole_file).empty());
  CHECK(desk.range("a", 2, whole_file) == "23456789");
  CHECK(desk.range("a", 0, 0).empty());
  CHECK(desk.content("a") == "0123456789");
}

TEST_CASE("a range of a file larger than memory is read without the rest of it") {
  Desk desk;
  const std::uint64_t far = 1ull << 40;  // a hole of a tebibyte: reading the whole file first would end the test here
  if (desk.run(IoKind::write, "huge", far, bytes("treasure")) == IoStatus::no_space) {
    FAIL("the file system of temporary files holds no sparse files");
  }
  CHECK(desk.range("huge", far, 100) == "treasure");
  CHECK(desk.range("huge", far - 2, 4) == std::string(2, '\0') + "tr");
}

TEST_CASE("a large read, past the page cache, sees what was written through it, and ends where the file does") {
  Desk desk;
  desk.lane = GENERATE(IoLane::stream, IoLane::background);
  std::string expected(3u << 20, '\0');
  for (std::size_t i = 0; i < expected.size(); ++i) expected[i] = static_cast<char>('a' + i / 4096 % 26);
  expected += "an odd end";
  desk.submit(IoKind::write, "a", 0, bytes(expected.substr(0, 2u << 20)));
  desk.submit(IoKind::write, "a", 2u << 20, bytes(expected.substr(2u << 20)));
  expected.replace(70'000, 5, "dirty");
  desk.submit(IoKind::write, "a", 70'000, bytes("dirty"));  // not synced
  CHECK(desk.range("a", 0, whole_file) == expected);
  CHECK(desk.range("a", 4096, 256u << 10) == expected.substr(4096, 256u << 10));
  CHECK(desk.range("a", 4097, 256u << 10) == expected.substr(4097, 256u << 10));
  CHECK(desk.range("a", 2u << 20, (256u << 10) + 5) == expected.substr(2u << 20, (256u << 10) + 5));
  CHECK(desk.range("a", (3u << 20) - (128u << 10), 1u << 20) == expected.substr((3u << 20) - (128u << 10)));
}

TEST_CASE("the names of all files are listed in ascending order (core/base/io.h)") {
  Desk desk;
  for (const char* name : {"b", "a", "stream-000001"}) {
    desk.submit(IoKind::write, name, 0, bytes("x"));
  }
  const IoCompletion listed = desk.wait(desk.submit(IoKind::list, ""));
  CHECK(listed.status == IoStatus::ok);
  CHECK(names_listed(view(listed.bytes)) == std::vector<std::string>{"a", "b", "stream-000001"});
}

TEST_CASE("the background lane may stand still for as long as it likes: the stream lane goes on (invariant D1)") {
  Desk desk;
  desk.hold(IoLane::background);
  desk.lane = IoLane::background;
  const IoToken first = desk.submit(IoKind::sync_dir, "");
  const IoToken second = desk.submit(IoKind::sync_dir, "");
  desk.wait(first);
  desk.lane = IoLane::stream;
  desk.submit(IoKind::write, "log", 0, bytes("x"));
  CHECK(desk.is_done_within_seconds(desk.submit(IoKind::sync, "log"), 10));
  const std::vector<IoToken> order = desk.order();
  CHECK(std::find(order.begin(), order.end(), second) == order.end());
  desk.hold(std::nullopt);
  CHECK(desk.wait(second).lane == IoLane::background);
}

TEST_CASE("each lane keeps its own order (invariant D1)") {
  Desk desk;
  std::vector<IoToken> expected[2];
  std::vector<IoOp> ops;
  for (std::uint64_t i = 1; i <= 300; ++i) {
    const IoLane lane = i % 3 == 0 ? IoLane::background : IoLane::stream;
    IoOp op{i % 7 == 0 ? IoKind::sync : IoKind::write, IoToken(1000 + i), lane == IoLane::stream ? "log" : "copy"};
    op.lane = lane;
    op.offset = i;
    if (op.kind == IoKind::write) op.bytes = bytes("x");
    expected[static_cast<int>(lane)].push_back(op.token);
    ops.push_back(std::move(op));
  }
  desk.disk.submit(ops);
  std::vector<IoToken> seen[2];
  desk.wait(expected[0].back());
  desk.wait(expected[1].back());
  for (const IoToken token : desk.order()) {
    seen[static_cast<int>(desk.wait(token).lane)].push_back(token);
  }
  CHECK(seen[0] == expected[0]);
  CHECK(seen[1] == expected[1]);
}

TEST_CASE("a failure on either lane stops both for good (invariant D3)") {
  Desk desk;
  const IoLane failing = GENERATE(IoLane::stream, IoLane::background);
  const IoLane other = failing == IoLane::stream ? IoLane::background : IoLane::stream;
  desk.lane = other;
  CHECK(desk.run(IoKind::write, "good", 0, bytes("x")) == IoStatus::ok);
  std::filesystem::create_directory(desk.directory.path() + "/bad");
  desk.lane = failing;
  CHECK(desk.run(IoKind::write, "bad", 0, bytes("x")) == IoStatus::failed);
  desk.lane = other;
  CHECK(desk.run(IoKind::sync, "good") == IoStatus::failed);
  CHECK(desk.run(IoKind::write, "good", 1, bytes("y")) == IoStatus::failed);
  CHECK(desk.run(IoKind::reserve, "more", 4096) == IoStatus::failed);
  CHECK(std::filesystem::file_size(desk.directory.path() + "/good") == 1);
}

TEST_CASE("what one lane renames or removes, the other opens anew (invariant D4)") {
  Desk desk;
  desk.lane = IoLane::background;
  CHECK(desk.run(IoKind::write, "a", 0, bytes("first")) == IoStatus::ok);
  desk.lane = IoLane::stream;
  CHECK(desk.run(IoKind::rename, "a", 0, {}, "b") == IoStatus::ok);
  desk.lane = IoLane::background;
  CHECK(desk.run(IoKind::write, "a", 0, bytes("second")) == IoStatus::ok);
  CHECK(desk.content("b") == "first");
  CHECK(desk.content("a") == "second");
  desk.lane = IoLane::stream;
  CHECK(desk.run(IoKind::remove, "a") == IoStatus::ok);
  desk.lane = IoLane::background;
  CHECK(desk.run(IoKind::read, "a") == IoStatus::not_found);
}

TEST_CASE("both lanes wait for a reservation of the file they touch (invariant D2)") {
  Desk desk;
  desk.lane = GENERATE(IoLane::stream, IoLane::background);
  desk.submit(IoKind::reserve, "next", 8u << 20);
  desk.submit(IoKind::write, "next", 0, bytes("data"));
  CHECK(desk.content("next").substr(0, 4) == "data");
  CHECK(std::filesystem::file_size(desk.directory.path() + "/next") == 8u << 20);
}
