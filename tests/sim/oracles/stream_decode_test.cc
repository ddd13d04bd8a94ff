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

/// "e1:2@3 +20" for an entry of shard 1 ("k" for a configuration), "c1:2" for a cut, "b1:2@3" for a base, "s" for a
/// standing.
std::string words(const std::vector<Record>& records) {
  std::ostringstream out;
  for (const Record& record : records) {
    if (const auto* entry = std::get_if<EntryOnDisk>(&record)) {
      out << (entry->kind == EntryKind::state ? 'e' : 'k') << entry->shard.value << ':' << entry->index.value << '@'
          << entry->term.value << " +" << entry->payload.size() << ' ' << hash64(entry->payload) % 1000 << "; ";
    } else if (const auto* cut = std::get_if<CutOnDisk>(&record)) {
      out << 'c' << cut->shard.value << ':' << cut->from.value << "; ";
    } else if (const auto* base = std::get_if<BaseOnDisk>(&record)) {
      out << 'b' << base->shard.value << ':' << base->base.index.value << '@' << base->base.term.value
          << (base->keeps ? " keeps; " : "; ");
    } else {
      const auto& standing = std::get<StandingOnDisk>(record);
      out << 's' << standing.shard.value << ':' << standing.base.index.value << '@' << standing.base.term.value << '-'
          << standing.last.index.value << '@' << standing.last.term.value << "; ";
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
  explicit Written(std::uint16_t version) : disk(n1, version) {}
  ShownDisk disk;
  std::vector<std::string> frames;
  std::vector<std::pair<std::string, std::size_t>> ends;  ///< by frame: its segment, and where in it the frame ends
};

Written written() {
  const auto version = *rc::gen::element<std::uint16_t>(1, 2);
  Written result(version);
  const auto frames = *rc::gen::inRange(0, 12);
  for (int f = 0; f < frames; ++f) {
    std::vector<Record> records;
    std::vector<Bytes> payloads(static_cast<std::size_t>(*rc::gen::inRange(0, 4)));
    for (Bytes& payload : payloads) {
      const ShardId shard(*rc::gen::inRange(1u, 4u));
      const auto index = *rc::gen::arbitrary<std::uint32_t>();
      const auto term = *rc::gen::arbitrary<std::uint32_t>();
      payload.assign(*rc::gen::inRange<std::size_t>(0, 9000), static_cast<std::byte>(f));
      const LogPlace place{Index(index), Term(term)};
      switch (*rc::gen::inRange(0, version == 1 ? 4 : 7)) {
        case 0:
          result.disk.cut(shard, index);
          records.emplace_back(CutOnDisk{shard, Index(index)});
          break;
        case 4:
          result.disk.append(shard, index, term, payload, EntryKind::configuration);
          records.emplace_back(EntryOnDisk{shard, Index(index), Term(term), EntryKind::configuration, payload});
          break;
        case 5:
          result.disk.restore(shard, index, term, term % 2 == 0);
          records.emplace_back(BaseOnDisk{shard, place, term % 2 == 0});
          break;
        case 6:
          result.disk.stand(shard, place, place);
          records.emplace_back(StandingOnDisk{shard, place, place});
          break;
        default:
          result.disk.append(shard, index, term, payload);
          records.emplace_back(EntryOnDisk{shard, Index(index), Term(term), EntryKind::state, payload});
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
  const std::string of_second = words(reader.read("stream-000002", second_segment));
  INFO(of_second.substr(0, 400));
  CHECK(of_second.find("k7:2@6 +3 ") != std::string::npos);
  CHECK(reader.last_frame() == 5);
  CHECK(reader.malformed().empty());

  const auto hard_state = decode_hard_state(golden("hard-state"));
  REQUIRE(hard_state.has_value());
  const std::map<ShardId, Ballot>& ballots = hard_state->ballots;
  REQUIRE(ballots.size() == 2);
  CHECK(ballots.at(ShardId(1)).term == Term(5));
  CHECK(ballots.at(ShardId(1)).vote == NodeId(2));
  CHECK(ballots.at(ShardId(7)).term == Term(6));
  CHECK(ballots.at(ShardId(7)).vote == nobody);
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
      RC_ASSERT(reader.last_frame() == f + 1);
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
    RC_ASSERT(reader.last_frame() == bad);
  }));
}

TEST_CASE("property: any bytes are read without harm") {
  REQUIRE(rc::check("property: any bytes are read without harm", [](const std::vector<std::uint8_t>& any) {
    const Bytes bytes(ByteView(std::as_bytes(std::span(any))).begin(), ByteView(std::as_bytes(std::span(any))).end());
    decode_records(bytes, 1);
    decode_records(bytes, 2);
    decode_hard_state(bytes);
    StreamReader reader;
    RC_ASSERT(reader.read("stream-000001", bytes).empty());
    RC_ASSERT(reader.read("hard-state", bytes).empty());
    RC_ASSERT(reader.read("stream-", bytes).empty());
  }));
}

TEST_CASE("a stream is read from the segment that the hard state names, whatever frame it begins with") {
  ShownDisk disk(n1);
  disk.append(s1, 1, 1, Bytes(3));
  disk.write_frame();
  disk.stand(s1, {}, {Index(1), Term(1)});
  disk.restore(s1, 1, 1, true);
  disk.append(s1, 2, 1, Bytes(5), EntryKind::configuration);
  disk.write_frame(true);
  disk.drop_old_segments();
  const auto hard_state = decode_hard_state(disk.files()["hard-state"]);
  REQUIRE(hard_state.has_value());
  CHECK(hard_state->first_segment == 2);
  StreamReader from_first;
  CHECK(from_first.read(disk.segment_name(), disk.segment()).empty());
  StreamReader reader(hard_state->first_segment);
  CHECK(words(reader.read(disk.segment_name(), disk.segment())).starts_with("s1:0@0-1@1; b1:1@1 keeps; k1:2@1 +5 "));
  CHECK(reader.last_frame() == 2);
  disk.begin_anew();
  CHECK(reader.read(disk.segment_name(), disk.segment()).empty());
  CHECK(reader.segment() == 2);
}

TEST_CASE("the hard state says which replicas are uncertain, from version 2 on") {
  ShownDisk disk(n1);
  disk.write_ballot(s1, 3, n2, true);
  disk.write_ballot(s2, 4, nobody);
  const auto hard_state = decode_hard_state(disk.files()["hard-state"]);
  REQUIRE(hard_state.has_value());
  CHECK(hard_state->ballots.at(s1).uncertain);
  CHECK(hard_state->ballots.at(s1).vote == n2);
  CHECK_FALSE(hard_state->ballots.at(s2).uncertain);
}

TEST_CASE("of two whole copies of the hard state the newer one counts, in its own place only") {
  ShownDisk disk(n1, GENERATE(std::uint16_t{1}, std::uint16_t{2}));
  disk.write_ballot(s1, 3, n2);
  const Bytes before = disk.files()["hard-state"];
  disk.write_ballot(s1, 4, n3);
  Bytes file = disk.files()["hard-state"];
  const auto term = [&] {
    const auto hard_state = decode_hard_state(file);
    return hard_state ? hard_state->ballots.at(s1).term.value : 0;
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
