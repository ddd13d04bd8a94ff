#include "sim/oracles/stream_decode.h"

#include <cstdlib>
#include <fstream>
#include <sstream>

#include <catch2/catch.hpp>
#include <rapidcheck.h>

#include "tests/sim/oracles/shown_disk.h"
#include "tests/sim/oracles/story.h"

using namespace coffer;
using namespace coffer::sim::oracles;

namespace {

/// "e1:2@3 +20" for an entry of shard 1, "c1:2" for a cut.
std::string words(const std::vector<Record>& records) {
  std::ostringstream out;
  for (const Record& record : records) {
    if (const auto* entry = std::get_if<EntryOnDisk>(&record)) {
      out << 'e' << entry->shard.value << ':' << entry->index.value << '@' << entry->term.value << " +"
          << entry->payload.size() << ' ' << hash64(entry->payload) % 1000 << "; ";
    } else {
      const auto& cut = std::get<CutOnDisk>(record);
      out << 'c' << cut.shard.value << ':' << cut.from.value << "; ";
    }
  }
  return out.str();
}

/// A dump of tests/data/log, parsed back.
Bytes golden(const std::string& name) {
  const char* const root = std::getenv("COFFER_SOURCE_DIR");
  std::ifstream in(std::string(root ? root : ".") + "/tests/data/log/" + name + ".hex");
  std::string word;
  std::size_t size = 0;
  in >> word >> std::hex >> size;
  Bytes bytes(size);
  std::string line;
  while (std::getline(in, line)) {
    std::istringstream row(line);
    std::size_t at = 0;
    char colon = 0;
    if (!(row >> std::hex >> at >> colon)) continue;
    for (unsigned value = 0; row >> value;) bytes.at(at++) = static_cast<std::byte>(value);
  }
  return bytes;
}

/// Frames of a few records over a few segments; what each frame adds, in words.
struct Written {
  ShownDisk disk{n1};
  std::vector<std::string> frames;
  std::vector<std::pair<std::string, std::size_t>> ends;  ///< by frame: its segment, and where in it the frame ends
};

Written written() {
  Written result;
  const auto frames = *rc::gen::inRange(0, 12);
  for (int f = 0; f < frames; ++f) {
    std::vector<Record> records;
    std::vector<Bytes> payloads(static_cast<std::size_t>(*rc::gen::inRange(0, 4)));
    for (Bytes& payload : payloads) {
      const ShardId shard(*rc::gen::inRange(1u, 4u));
      const auto index = *rc::gen::arbitrary<std::uint32_t>();
      const auto term = *rc::gen::arbitrary<std::uint32_t>();
      payload.assign(*rc::gen::inRange<std::size_t>(0, 9000), static_cast<std::byte>(f));
      if (*rc::gen::inRange(0, 4) == 0) {
        result.disk.cut(shard, index);
        records.emplace_back(CutOnDisk{shard, Index(index)});
      } else {
        result.disk.append(shard, index, term, payload);
        records.emplace_back(EntryOnDisk{shard, Index(index), Term(term), payload});
      }
    }
    result.disk.write_frame(f > 0 && *rc::gen::inRange(0, 3) == 0);
    result.frames.push_back(words(records));
    result.ends.emplace_back(result.disk.segment_name(), result.disk.segment().size());
  }
  return result;
}

}  // namespace

TEST_CASE("the golden files of the log read as what was written into them (docs/FORMATS.md)") {
  StreamReader reader;
  const Bytes first_segment = golden("stream-000001");
  const Bytes second_segment = golden("stream-000002");
  REQUIRE(first_segment.size() > 4096);
  CHECK(reader.read("stream-000002", second_segment).empty());  // not before the one in front of it
  const std::string of_first = words(reader.read("stream-000001", first_segment));
  CHECK(of_first.starts_with("e1:1@4 +20 "));
  CHECK(of_first.find("; e1:2@5 +0 ") != std::string::npos);
  CHECK(of_first.find("; c1:2; e1:2@5 +5 ") != std::string::npos);
  CHECK(of_first.find("; e7:1@6 +4100 ") != std::string::npos);
  CHECK(words(reader.read("stream-000002", second_segment)).starts_with("e7:2@6 +3 "));
  CHECK(reader.frames() == 3);
  CHECK(reader.malformed().empty());

  const auto ballots = decode_hard_state(golden("hard-state"));
  REQUIRE(ballots.has_value());
  REQUIRE(ballots->size() == 2);
  CHECK(ballots->at(ShardId(1)).term == Term(5));
  CHECK(ballots->at(ShardId(1)).vote == NodeId(2));
  CHECK(ballots->at(ShardId(7)).term == Term(6));
  CHECK(ballots->at(ShardId(7)).vote == nobody);
}

TEST_CASE("property: a stream read as it grows is the stream that was written") {
  REQUIRE(rc::check("property: a stream read as it grows is the stream that was written", [] {
    const Written w = written();
    StreamReader reader;
    std::string all;
    std::string expected;
    for (std::size_t f = 0; f < w.frames.size(); ++f) {
      expected += w.frames[f];
      if (*rc::gen::inRange(0, 2) == 0) continue;  // seen with the next sync
      for (std::size_t g = 0; g <= f; ++g) {       // each segment as far as it was written then
        if (g + 1 <= f && w.ends[g + 1].first == w.ends[g].first) continue;
        const auto& [file, end] = w.ends[g];
        Bytes contents = const_cast<Written&>(w).disk.files()[file];
        contents.resize(end);
        contents.resize(end + static_cast<std::size_t>(*rc::gen::inRange(0, 9000)));
        all += words(reader.read(file, contents));
      }
      RC_ASSERT(all == expected);
      RC_ASSERT(reader.frames() == f + 1);
    }
    RC_ASSERT(reader.malformed().empty());
  }));
}

TEST_CASE("property: whatever byte has changed, only what stands before it is read") {
  REQUIRE(rc::check("property: whatever byte has changed, only what stands before it is read", [] {
    Written w = written();
    RC_PRE(!w.frames.empty());
    const auto bad = *rc::gen::inRange<std::size_t>(0, w.frames.size());
    const auto& [file, end] = w.ends[bad];
    const bool leads = bad == 0 || w.ends[bad - 1].first != file;
    const std::size_t begin = leads ? 0 : w.ends[bad - 1].second;
    Bytes& contents = w.disk.files()[file];
    contents[*rc::gen::inRange(begin, end)] ^= static_cast<std::byte>(*rc::gen::inRange(1, 256));
    std::string expected;
    for (std::size_t f = 0; f < bad; ++f) expected += w.frames[f];
    StreamReader reader;
    std::string all;
    for (const auto& [name, bytes] : w.disk.files()) all += words(reader.read(name, bytes));
    RC_ASSERT(all == expected);
    RC_ASSERT(reader.frames() == bad);
  }));
}

TEST_CASE("property: any bytes are read without harm") {
  REQUIRE(rc::check("property: any bytes are read without harm", [](const std::vector<std::uint8_t>& any) {
    const Bytes bytes(ByteView(std::as_bytes(std::span(any))).begin(), ByteView(std::as_bytes(std::span(any))).end());
    decode_records(bytes);
    decode_hard_state(bytes);
    StreamReader reader;
    RC_ASSERT(reader.read("stream-000001", bytes).empty());
    RC_ASSERT(reader.read("hard-state", bytes).empty());
    RC_ASSERT(reader.read("stream-", bytes).empty());
  }));
}

TEST_CASE("of two whole copies of the hard state the newer one counts, in its own place only") {
  ShownDisk disk(n1);
  disk.write_ballot(s1, 3, n2);
  const Bytes before = disk.files()["hard-state"];
  disk.write_ballot(s1, 4, n3);
  Bytes file = disk.files()["hard-state"];
  const auto term = [&] {
    const auto ballots = decode_hard_state(file);
    return ballots ? ballots->at(s1).term.value : 0;
  };
  CHECK(term() == 4);
  SECTION("the old one behind it") {
    std::copy(before.begin() + 4096, before.end(), file.begin() + 4096);
    CHECK(term() == 4);
    file[4000] ^= std::byte{1};
    CHECK(term() == 3);
    file.resize(4096);
    CHECK(term() == 0);
  }
  SECTION("the other's bytes") {
    std::copy(file.begin(), file.begin() + 4096, file.begin() + 4096);
    CHECK(term() == 4);
    file[4000] ^= std::byte{1};
    CHECK(term() == 0);
  }
}
