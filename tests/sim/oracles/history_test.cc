// O-E3, and what O-E1 says of snapshots.
#include <catch2/catch.hpp>

#include "core/base/codec.h"
#include "sim/oracles/sealed_decode.h"
#include "sim/oracles/state_decode.h"
#include "tests/sim/oracles/caught.h"
#include "tests/sim/oracles/shown_disk.h"
#include "tests/sim/oracles/story.h"

using namespace coffer;
using namespace coffer::sim;
using namespace coffer::sim::oracles;

namespace {

Bytes bytes_of_head(const Sha256& head) {
  const auto bytes = std::as_bytes(std::span(head));
  return Bytes(bytes.begin(), bytes.end());
}

/// Six entries of shard 1 in terms 1 and 2, and the sealed files that follow from them.
struct World {
  World() : story("O-E3"), oracle(story.oracle()) {
    for (std::uint64_t i = 1; i <= 6; ++i) {
      entries.push_back({Index(i), Term(i < 4 ? 1 : 2), EntryKind::state, payloads.emplace_back(10 * i, std::byte(i))});
      heads.push_back(chained(heads.back(), entries.back()));
    }
    for (const HistoryEntry& entry : entries) {
      oracle.on_committed({}, n1, {s1, entry.index, entry.term, entry.kind, entry.payload});
    }
  }

  SealedDraft history(std::uint64_t first, std::uint64_t last) const {
    SealedDraft draft;
    draft.kind = 2;
    draft.shard = s1;
    draft.first = first;
    draft.last = last;
    draft.last_term = entries[last - 1].term.value;
    draft.chain_before = bytes_of_head(heads[first - 1]);
    draft.chain_after = bytes_of_head(heads[last]);
    for (std::uint64_t i = first; i <= last; ++i) put(entries[i - 1], draft.payload);
    return draft;
  }
  SealedDraft snapshot(std::uint64_t last) const {
    SealedDraft draft = history(last, last);
    draft.kind = 1;
    draft.chain_before = draft.chain_after;
    return draft;
  }
  static void put(const HistoryEntry& entry, Bytes& payload) {
    ByteWriter out(payload);
    out.id(entry.index);
    out.id(entry.term);
    out.u8(static_cast<std::uint8_t>(entry.kind));
    out.blob(entry.payload);
  }
  void trace(NodeId node, TraceKind kind, std::uint64_t index) {
    TraceEvent event;
    event.kind = kind;
    event.shard = s1;
    event.term = Term(1);
    event.index = Index(index);
    oracle.on_trace({}, node, event);
  }
  std::vector<std::string> published(const SealedDraft& draft) {
    d1.publish(oracle, draft);
    return story.reasons();
  }
  /// The run ends; all files are shown anew.
  std::vector<std::string> end() {
    oracle.on_phase({}, Phase::over);
    for (const ShownDisk* disk : {&d1, &d2, &d3}) disk->show_all(oracle);
    return story.end();
  }

  Story story;
  Oracle& oracle;
  std::vector<Bytes> payloads = [] {
    std::vector<Bytes> room;
    room.reserve(6);
    return room;
  }();
  std::vector<HistoryEntry> entries;
  std::vector<Sha256> heads{Sha256{}};
  ShownDisk d1{n1};
  ShownDisk d2{n2};
  ShownDisk d3{n3};
};

}  // namespace

TEST_CASE("O-E3 is silent about sealed files that follow from the log") {
  World w;
  for (ShownDisk* disk : {&w.d1, &w.d2, &w.d3}) {
    disk->publish(w.oracle, w.history(1, 4));
    disk->publish(w.oracle, w.snapshot(4));
  }
  for (const NodeId node : {n1, n2, n3}) w.trace(node, TraceKind::compacted, 4);
  SECTION("as they are") { REQUIRE(w.story.reasons().empty()); }
  SECTION("after a crash") {
    REQUIRE(w.story.reasons().empty());
    w.d1.crash(w.oracle);
  }
  SECTION("when one was archived") {
    REQUIRE(w.story.reasons().empty());
    const std::string file = w.history(1, 4).file();
    w.d2.files()["archive" + file.substr(7)] = w.d2.files()[file];
    w.d2.files().erase(file);
    w.d2.show_all(w.oracle);
    w.oracle.on_durable({}, n2, file, {});
  }
  SECTION("when one is still being written") {
    REQUIRE(w.story.reasons().empty());
    w.oracle.on_durable({}, n1, w.history(5, 6).file() + ".part", Bytes(100));
  }
  SECTION("when a fault has damaged one") {
    REQUIRE(w.story.reasons().empty());
    const std::string file = w.history(1, 4).file();
    Bytes damaged = w.d3.files()[file];
    damaged[4100] ^= std::byte{1};
    w.oracle.on_damaged({}, n3, file);
    w.oracle.on_durable({}, n3, file, damaged);
  }
  CHECK(w.end().empty());
}

TEST_CASE("O-E3 catches a history that is not what committed") {
  World w;
  SealedDraft draft = w.history(2, 5);
  const auto rewrite = [&](std::size_t which, const HistoryEntry& entry) {
    draft.payload.clear();
    for (std::size_t i = 2; i <= 5; ++i) World::put(i == which ? entry : w.entries[i - 1], draft.payload);
  };
  SECTION("another payload") {
    HistoryEntry entry = w.entries[2];
    entry.payload = w.entries[3].payload;
    rewrite(3, entry);
    CHECK(told_of(w.published(draft), {"node 1", "history of s1 up to entry 5", "another entry 3 than committed"}));
  }
  SECTION("another term") {
    HistoryEntry entry = w.entries[2];
    entry.term = Term(2);
    rewrite(3, entry);
    CHECK(told_of(w.published(draft), {"another entry 3 than committed"}));
  }
  SECTION("another kind") {
    HistoryEntry entry = w.entries[2];
    entry.kind = EntryKind::configuration;
    rewrite(3, entry);
    CHECK(told_of(w.published(draft), {"another entry 3 than committed"}));
  }
  SECTION("a gap inside") {
    rewrite(3, w.entries[3]);
    CHECK(told_of(w.published(draft), {"holds entry 4 where entry 3 should be"}));
  }
  SECTION("too few") {
    draft.payload.clear();
    for (std::size_t i = 2; i <= 4; ++i) World::put(w.entries[i - 1], draft.payload);
    CHECK(told_of(w.published(draft), {"ends with entry 4"}));
  }
  SECTION("bytes of no entry") {
    draft.payload.push_back(std::byte{1});
    CHECK(told_of(w.published(draft), {"does not follow the grammar of histories"}));
  }
  SECTION("another head before") {
    draft.chain_before = bytes_of_head(w.heads[2]);
    CHECK(told_of(w.published(draft), {"begins with another head"}));
  }
  SECTION("another head after") {
    draft.chain_after = bytes_of_head(w.heads[4]);
    CHECK(told_of(w.published(draft), {"ends with another head"}));
  }
  SECTION("another last term") {
    draft.last_term = 1;
    CHECK(told_of(w.published(draft), {"names term 1", "term 2 committed there"}));
  }
  SECTION("what has not committed") {
    World longer;
    SealedDraft beyond = longer.history(5, 6);
    beyond.last = 7;
    CHECK(told_of(longer.published(beyond), {"up to entry 7", "only 6 entries had committed"}));
  }
}

TEST_CASE("O-E3 catches a snapshot on another chain") {
  World w;
  SealedDraft draft = w.snapshot(4);
  draft.chain_after[5] ^= std::byte{1};
  CHECK(told_of(w.published(draft), {"node 1", "snapshot of s1 up to entry 4", "another head"}));
}

TEST_CASE("O-E3 catches sealed files that differ between replicas") {
  World w;
  w.d1.publish(w.oracle, w.snapshot(4));
  REQUIRE(w.story.reasons().empty());
  SealedDraft other = w.snapshot(4);
  other.payload[3] ^= std::byte{1};
  w.d2.publish(w.oracle, other);
  CHECK(told_of(w.story.reasons(), {"node 2", "snapshot of s1 up to entry 4", "other bytes than on node 1"}));
}

TEST_CASE("O-E3 catches a file that is published before it is whole") {
  World w;
  const SealedDraft draft = w.history(1, 6);
  w.d1.files()[draft.file()] = draft.bytes();
  Bytes& file = w.d1.files()[draft.file()];
  std::string why;
  SECTION("header") {
    REQUIRE(why.empty());
    file[30] ^= std::byte{1};
    why = "header's checksum";
  }
  SECTION("a chunk") {
    REQUIRE(why.empty());
    file[4096 + 150] ^= std::byte{1};
    why = "checksum of a chunk";
  }
  SECTION("the table") {
    REQUIRE(why.empty());
    file[file.size() - 20] ^= std::byte{1};
    why = "checksum of its table";
  }
  SECTION("its end") {
    REQUIRE(why.empty());
    file.resize(file.size() - 1);
    why = "another size";
  }
  SECTION("its name") {
    REQUIRE(why.empty());
    const Bytes moved = std::exchange(file, {});
    w.d1.files().clear();
    w.d1.files()[w.history(1, 5).file()] = moved;
    why = "names another file";
  }
  w.oracle.on_crash({}, n1);
  for (const auto& [name, contents] : w.d1.files()) {
    if (name.starts_with("history-")) w.d1.show(w.oracle, name);
  }
  CHECK(told_of(w.story.reasons(), {"node 1", "published and not whole", why}));
}

TEST_CASE("O-E3 catches entries that go before they are in history") {
  World w;
  SECTION("none was published") {
    w.trace(n1, TraceKind::compacted, 4);
    CHECK(told_of(w.story.reasons(), {"node 1 forgets the entries of s1 up to entry 4"}));
  }
  SECTION("on another node only") {
    w.d2.publish(w.oracle, w.history(1, 4));
    w.trace(n1, TraceKind::compacted, 4);
    CHECK(told_of(w.story.reasons(), {"node 1 forgets"}));
  }
  SECTION("not enough of it") {
    w.d1.publish(w.oracle, w.history(1, 3));
    w.trace(n1, TraceKind::compacted, 4);
    CHECK(told_of(w.story.reasons(), {"node 1 forgets"}));
  }
  SECTION("not when a snapshot was installed") {
    w.trace(n1, TraceKind::restored, 4);
    w.trace(n1, TraceKind::compacted, 4);
    CHECK(w.story.reasons().empty());
  }
}

TEST_CASE("O-E3 catches a gap in a member's history when all is quiet") {
  World w;
  w.trace(n1, TraceKind::restored, 6);
  SECTION("all there") {
    w.d1.publish(w.oracle, w.history(1, 2));
    w.d1.publish(w.oracle, w.history(3, 6));
    CHECK(w.end().empty());
  }
  SECTION("in the middle") {
    w.d1.publish(w.oracle, w.history(1, 2));
    w.d1.publish(w.oracle, w.history(5, 6));
    CHECK(told_of(w.end(), {"node 1", "up to entry 6", "gap behind entry 2"}));
  }
  SECTION("at the beginning") {
    w.d1.publish(w.oracle, w.history(3, 6));
    CHECK(told_of(w.end(), {"node 1", "does not begin with entry 1"}));
  }
  SECTION("a file is gone at the end") {
    w.d1.publish(w.oracle, w.history(1, 6));
    w.d1.files().erase(w.history(1, 6).file());
    CHECK(told_of(w.end(), {"node 1", "does not begin with entry 1"}));
  }
  SECTION("not before all is quiet, when it may still be fetched") {
    w.d1.publish(w.oracle, w.history(5, 6));
    CHECK(w.story.end().empty());
  }
}

TEST_CASE("sealed names are read in their one spelling") {
  CHECK(sealed_name("snapshot-000001-00000000000000000042") == SealedName{SealedKind::snapshot, ShardId(1), Index(42)});
  CHECK(sealed_name("archive-000007-00000000000000000042") == sealed_name("history-000007-00000000000000000042"));
  CHECK_FALSE(sealed_name("history-000007-00000000000000000042.part").has_value());
  CHECK_FALSE(sealed_name("index-000007-00000000000000000042").has_value());
  CHECK_FALSE(sealed_name("damaged-history-000007-00000000000000000042").has_value());
  CHECK_FALSE(sealed_name("history-7-42").has_value());
  CHECK_FALSE(sealed_name("history-").has_value());
}
