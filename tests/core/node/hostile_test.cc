// Whatever a peer or a client sends, a node neither ends nor spins. Peers are members of the cluster: their frames are
// sound and their checksums right, but what is inside has been changed.
#include <map>
#include <string>

#include <catch2/catch.hpp>

#include "core/base/check.h"
#include "core/base/codec.h"
#include "core/base/frame.h"
#include "core/base/prng.h"
#include "core/router/peek.h"
#include "tests/core/node/cluster.h"

namespace coffer::node {
namespace {

constexpr std::size_t frames_per_cluster = 1000;

std::uint64_t interesting(Prng& random) {
  constexpr std::uint64_t values[] = {0,          1,          2,
                                      3,          0x7F,       0xFF,
                                      0xFFFF,     0xFFFFFFFF, 0x7FFFFFFF,
                                      UINT64_MAX, INT64_MAX,  std::uint64_t{1} << 62,
                                      1ull << 32, 4096,       (1ull << 62) - 1};
  return values[random.below(std::size(values))];
}

/// Changes bytes in a few places; the length may change too.
void mutate(Bytes& bytes, Prng& random) {
  const std::uint64_t changes = 1 + random.below(3);
  for (std::uint64_t i = 0; i < changes; ++i) {
    if (bytes.empty()) bytes.push_back(std::byte{1});
    const std::size_t at = random.below(bytes.size());
    switch (random.below(7)) {
      case 0:
        bytes[at] ^= static_cast<std::byte>(1u << random.below(8));
        break;
      case 1:
        bytes[at] = static_cast<std::byte>(random.below(256));
        break;
      case 2: {  // a number that is special to somebody
        const std::uint64_t value = interesting(random);
        const std::size_t size = std::size_t{1} << random.below(4);
        std::memcpy(bytes.data() + at, &value, std::min(size, bytes.size() - at));
        break;
      }
      case 3:
        bytes.resize(at);
        break;
      case 4:
        bytes.insert(bytes.begin() + static_cast<std::ptrdiff_t>(at), std::byte{0});
        break;
      case 5:
        bytes[at] = static_cast<std::byte>(static_cast<unsigned>(bytes[at]) + 1);
        break;
      default:
        bytes[at] = static_cast<std::byte>(static_cast<unsigned>(bytes[at]) - 1);
        break;
    }
  }
}

struct OwnedSection {
  SectionKind kind;
  Bytes bytes;
};

/// The sections of honest frames, one by one.
std::vector<OwnedSection> sections_of(const std::vector<Bytes>& frames) {
  std::vector<OwnedSection> sections;
  for (const Bytes& frame : frames) {
    bool ok = true;
    for (const Section& section : split_sections(open_frame(frame)->payload, ok)) {
      sections.push_back({section.kind, Bytes(section.bytes.begin(), section.bytes.end())});
    }
  }
  return sections;
}

bool carries_entries(const OwnedSection& section) {
  if (section.kind != SectionKind::raft) return false;
  ByteReader in(section.bytes);
  in.u32();
  const raft::Message message = raft::decode_message(in);
  const auto* append = std::get_if<raft::AppendRequest>(&message);
  return append != nullptr && !append->entries.empty();
}

/// Who lies about disks stops nodes: that is what peers are trusted with (core/node/peer_lives.h).
bool speaks_of_disks(const OwnedSection& section) {
  return section.kind == SectionKind::life || section.kind == SectionKind::outdated;
}

/// One of the honest sections, changed inside, in a frame with a right checksum; sometimes the frame is changed too.
Bytes hostile_frame(const std::vector<OwnedSection>& honest, Prng& random) {
  PeerFrames frames;
  const std::uint64_t count = 1 + random.below(3);
  for (std::uint64_t i = 0; i < count; ++i) {
    OwnedSection section = honest[random.below(honest.size())];
    if (random.chance(900)) mutate(section.bytes, random);
    if (random.chance(20)) section.kind = static_cast<SectionKind>(1 + random.below(5));
    frames.add(NodeId(1), section.kind, section.bytes);
  }
  std::vector<Send> sends;
  frames.finish(sends);
  Bytes frame = *sends.front().frame;
  if (random.chance(100)) {
    Bytes payload(frame.begin() + frame_header_size, frame.end());
    mutate(payload, random);
    frame = make_frame(random.chance(900) ? peer_frame : static_cast<std::uint8_t>(random.below(256)), payload);
  }
  return frame;
}

/// A cluster at work: two shards with accounts, transfers in both directions, one of them still under way.
struct AtWork {
  explicit AtWork(std::uint64_t seed) : cluster(2, seed) {
    cluster.record_frames(10'000);
    check(cluster.run_until_led(), "a cluster elects leaders");
    for (const std::string& account : {alice, bob}) {
      cluster.call(NodeId(1), opening(account));
      cluster.call(NodeId(2), deposit(++ids, account, 1000));
    }
    for (const NodeId via : cluster.nodes()) {
      cluster.call(via, transfer(++ids, alice, bob, 1));
      cluster.call(via, transfer(++ids, bob, alice, 1));
      cluster.call(via, transfer(++ids, bob, cluster.name_on(ShardId(1), "ghost"), 1));
      cluster.call(via, balance(alice));
    }
    cluster.stop(NodeId(3));
    cluster.run(seconds(2));
    cluster.start(NodeId(3));
    cluster.run(seconds(1));
    cluster.loses = [](NodeId, NodeId, const Section& section) { return section.kind == SectionKind::legs; };
    cluster.ask(NodeId(1), transfer(++ids, alice, bob, 1));
    cluster.ask(NodeId(2), transfer(++ids, bob, alice, 1));
    cluster.run(milliseconds(10));
  }

  Cluster cluster;
  const std::string alice = cluster.name_on(ShardId(1), "alice");
  const std::string bob = cluster.name_on(ShardId(2), "bob");
  std::uint64_t ids = 100;
};

/// What hostile bytes did: which broken invariants stopped a node, and what the nodes went through.
struct Damage {
  struct Stop {
    std::string file;
    int times = 0;
  };
  std::map<std::string, Stop> stops;  ///< by the invariant broken
  std::map<TraceKind, std::uint64_t> traced;

  void stopped(const CheckFailure& failure) {
    Stop& stop = stops[failure.why];
    stop.file = failure.where.file_name();
    ++stop.times;
  }
  void note(const Cluster& cluster) {
    for (const TraceKind kind : {TraceKind::frame_rejected, TraceKind::became_leader, TraceKind::truncated,
                                 TraceKind::undone, TraceKind::leg_received, TraceKind::leg_answer}) {
      traced[kind] += cluster.traced(kind);
    }
  }
};

void require_no_stops(const Damage& damage) {
  for (const auto& [why, stop] : damage.stops) FAIL(stop.times << " times: " << why << " (" << stop.file << ")");
}

/// Every node still takes requests.
void require_alive(Cluster& cluster) {
  router::Request status;
  status.header.kind = router::RequestKind::node_status;
  status.body = router::NodeStatusRequest{};
  for (const NodeId node : cluster.nodes()) REQUIRE(cluster.call(node, status).status == Outcome::success);
}

/// Honest nodes, and a member that sends changed frames to each of them.
Damage send_hostile_frames(std::size_t frames) {
  Damage damage;
  Prng random(1);
  for (std::size_t sent = 0; sent < frames;) {
    AtWork at_work(sent);
    Cluster& cluster = at_work.cluster;
    std::vector<OwnedSection> honest = sections_of(cluster.recorded());
    std::erase_if(honest, speaks_of_disks);
    cluster.tampers = [](Bytes&) {};
    try {
      for (std::size_t i = 0; i < frames_per_cluster && sent < frames; ++i, ++sent) {
        const NodeId from(static_cast<std::uint32_t>(1 + random.below(3)));
        const NodeId to(from.value % 3 + 1);
        cluster.inject(from, to, hostile_frame(honest, random));
        if (random.chance(100)) cluster.run(milliseconds(1));
      }
      cluster.run(seconds(2));
      require_alive(cluster);
    } catch (const CheckFailure& failure) {
      damage.stopped(failure);
    }
    damage.note(cluster);
  }
  return damage;
}

/// Changes some of the sections of a frame that carry no entries (or, if asked for, some that do).
void tamper(Bytes& frame, bool with_entries, Prng& random) {
  PeerFrames frames;
  for (OwnedSection& section : sections_of({frame})) {
    const bool is_wanted = carries_entries(section) == with_entries && !speaks_of_disks(section);
    if (is_wanted && random.chance(100)) mutate(section.bytes, random);
    frames.add(NodeId(1), section.kind, section.bytes);
  }
  std::vector<Send> sends;
  frames.finish(sends);
  if (!sends.empty()) frame = *sends.front().frame;
}

/// A cluster whose frames are changed on their way, while clients work.
Damage tamper_with_frames(std::size_t frames, bool with_entries) {
  Damage damage;
  Prng random(2);
  for (std::size_t seen = 0; seen < frames;) {
    AtWork at_work(seen);
    Cluster& cluster = at_work.cluster;
    const std::size_t enough = seen + frames_per_cluster;
    cluster.loses = nullptr;
    cluster.tampers = [&](Bytes& frame) {
      ++seen;
      tamper(frame, with_entries, random);
    };
    try {
      for (int i = 0; seen < enough && i < 1000; ++i) {
        const NodeId via(static_cast<std::uint32_t>(1 + random.below(3)));
        const bool there = random.chance(500);
        cluster.ask(via, transfer(1000 + random.below(50), there ? at_work.alice : at_work.bob,
                                  there ? at_work.bob : at_work.alice, 1));
        cluster.run(milliseconds(20));
      }
      require_alive(cluster);
    } catch (const CheckFailure& failure) {
      damage.stopped(failure);
    }
    damage.note(cluster);
  }
  return damage;
}

TEST_CASE("frames of a hostile member end no node") {
  const Damage damage = send_hostile_frames(100'000);
  require_no_stops(damage);
  REQUIRE(damage.traced.at(TraceKind::frame_rejected) > 100);
  REQUIRE(damage.traced.at(TraceKind::became_leader) > 300);
}

TEST_CASE("frames changed on their way end no node, unless they carry entries") {
  const Damage damage = tamper_with_frames(30'000, false);
  require_no_stops(damage);
  REQUIRE(damage.traced.at(TraceKind::undone) > 0);
  REQUIRE(damage.traced.at(TraceKind::leg_received) > 100);
}

// A member that leads decides what the log says: an entry it has changed is divergence for the state machine of whoever
// commits it, and that replica halts rather than skip it (design 4). Nothing else may stop a node.
TEST_CASE("changed entries stop a node only as divergence, when they are folded") {
  const Damage damage = tamper_with_frames(30'000, true);
  REQUIRE_FALSE(damage.stops.empty());
  for (const auto& [why, stop] : damage.stops) {
    CAPTURE(why, stop.times, stop.file);
    const bool is_folding =
        stop.file.find("core/txn/") != std::string::npos || stop.file.find("core/ledger/") != std::string::npos;
    REQUIRE(is_folding);
  }
}

TEST_CASE("arbitrary bytes from peers are refused") {
  Cluster cluster(1);
  REQUIRE(cluster.run_until_led());
  Prng random(3);
  for (int i = 0; i < 10'000; ++i) {
    Bytes bytes(random.below(100));
    for (std::byte& byte : bytes) byte = static_cast<std::byte>(random.below(256));
    if (random.chance(500)) bytes = make_frame(peer_frame, bytes);
    cluster.inject(NodeId(1), NodeId(2), bytes);
    cluster.settle();
  }
  REQUIRE(cluster.traced(TraceKind::frame_rejected) > 9'000);
  cluster.run(seconds(1));
  REQUIRE(cluster.settled_wrong().empty());
}

TEST_CASE("hostile requests are all answered, and money stays whole") {
  AtWork at_work(1);
  Cluster& cluster = at_work.cluster;
  cluster.loses = nullptr;
  Prng random(4);
  std::vector<Bytes> honest;
  for (const ShardId shard : {ShardId(1), ShardId(2)}) {
    for (const bool proxied : {true, false}) {
      router::Request batch = transfer(1, at_work.alice, at_work.bob, 7);
      std::get<router::TransfersRequest>(batch.body)
          .items.push_back({router::TransferOperation::withdrawal, usd, 9, id_of(2), at_work.bob, ""});
      const auto eventual = router::Consistency::eventual;
      for (const router::Request& request :
           {batch, opening("carol"), deposit(3, at_work.alice, 1), balance(at_work.alice),
            balance(at_work.bob, eventual), transfer_status(1, at_work.alice), transfer_status(1, ""),
            trial_balance()}) {
        honest.push_back(router::encode(proxied ? request : direct(request, shard)));
      }
    }
  }
  std::vector<std::uint64_t> asked;
  for (int i = 0; i < 100'000; ++i) {
    Bytes body = honest[random.below(honest.size())];
    mutate(body, random);
    // Whoever may ask for other voters can take a quorum away: that is what operators are trusted with.
    const auto peeked = router::peek_header(body);
    if (peeked && peeked->kind >= router::RequestKind::reconfigure) continue;
    asked.push_back(cluster.ask(NodeId(static_cast<std::uint32_t>(1 + random.below(3))), std::move(body)));
    if (random.chance(100)) cluster.settle();
  }
  cluster.run(seconds(30));
  std::size_t unanswered = 0;
  for (const std::uint64_t number : asked) unanswered += cluster.reply(number) ? 0 : 1;
  REQUIRE(unanswered == 0);
  REQUIRE(cluster.settled_wrong().empty());
}

}  // namespace
}  // namespace coffer::node
