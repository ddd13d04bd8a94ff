#include "tests/core/raft/replica.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "core/base/hash.h"

namespace coffer::raft::test {

SharedBytes payload(std::string_view text) {
  if (text.empty()) {
    return nullptr;
  }
  const ByteView bytes = bytes_of(text);
  return std::make_shared<Bytes>(bytes.begin(), bytes.end());
}

std::string text(const Entry& entry) {
  const ByteView bytes = view(entry.payload);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::vector<Entry> entries(std::uint64_t first, std::initializer_list<std::uint64_t> terms) {
  std::vector<Entry> made;
  for (const std::uint64_t term : terms) {
    const std::uint64_t index = first + made.size();
    made.push_back({Index(index), Term(term), payload(std::to_string(index) + "@" + std::to_string(term))});
  }
  return made;
}

VoteRequest vote_request(std::uint64_t term, std::uint64_t last_index, std::uint64_t last_term) {
  return {Term(term), false, Index(last_index), Term(last_term)};
}

VoteRequest pre_vote_request(std::uint64_t term, std::uint64_t last_index, std::uint64_t last_term) {
  return {Term(term), true, Index(last_index), Term(last_term)};
}

AppendRequest append_request(std::uint64_t term, std::uint64_t prev_index, std::uint64_t prev_term,
                             std::initializer_list<std::uint64_t> terms, std::uint64_t commit) {
  return {Term(term), Index(prev_index), Term(prev_term), Index(commit), 0, entries(prev_index + 1, terms)};
}

AppendReply accepted(std::uint64_t term, std::uint64_t match, std::uint64_t round) {
  return {Term(term), true, Index(match), round};
}

AppendReply refused(std::uint64_t term, std::uint64_t hint, std::uint64_t round) {
  return {Term(term), false, Index(hint), round};
}

namespace {

Config config_of(const Replica::Start& start) {
  Config config;
  config.self = NodeId(1);
  config.group = ShardId(7);
  for (std::uint32_t member = 1; member <= start.members; ++member) {
    config.members.push_back(NodeId(member));
  }
  config.election_timeout = election_timeout;
  config.heartbeat_interval = heartbeat_interval;
  config.append_bytes_max = start.append_bytes_max;
  config.appends_in_flight_max = start.appends_in_flight_max;
  return config;
}

}  // namespace

Replica::Replica(Start start)
    : members(start.members),
      raft(config_of(start), {Term(start.term), NodeId(start.vote)}, entries(1, start.log), Prng(start.seed), now),
      hard_state_{Term(start.term), NodeId(start.vote)} {}

void Replica::receive(std::uint32_t from, Message message) {
  out.clear();
  raft.receive(now, NodeId(from), std::move(message), out);
  note();
}

void Replica::wait(Duration duration) {
  out.clear();
  now = now + duration;
  raft.tick(now, out);
  note();
}

void Replica::sync() {
  out.clear();
  raft.persisted(now, raft.generation(), raft.last_index(), out);
  note();
}

std::optional<Index> Replica::propose(std::string_view text) {
  out.clear();
  const std::optional<Index> index = raft.propose(now, payload(text), out);
  note();
  return index;
}

bool Replica::read(std::uint64_t id) {
  out.clear();
  const bool taken = raft.read(now, id, out);
  note();
  return taken;
}

void Replica::reconnected(std::uint32_t peer) {
  out.clear();
  raft.reconnected(now, NodeId(peer), out);
  note();
}

void Replica::stand() {
  time_out();
  const Term next = raft.term().next();
  for (std::uint32_t peer = 2; peer <= members && raft.role() == Role::pre_candidate; ++peer) {
    receive(peer, VoteReply{next, true, true});
  }
  check(raft.role() == Role::candidate || members == 1, "pre-votes make a candidate");
}

void Replica::win_election() {
  stand();
  for (std::uint32_t peer = 2; peer <= members && raft.role() == Role::candidate; ++peer) {
    receive(peer, VoteReply{raft.term(), false, true});
  }
  check(raft.role() == Role::leader, "votes make a leader");
}

void Replica::replicate_everywhere() {
  for (std::uint32_t peer = 2; peer <= members; ++peer) {
    receive(peer, accepted(raft.term().value, raft.last_index().value));
  }
  sync();
}

std::vector<std::uint64_t> Replica::log_terms() const {
  std::vector<std::uint64_t> terms;
  for (Index index(1); index <= raft.last_index(); index = index.next()) {
    terms.push_back(raft.entry(index).term.value);
  }
  return terms;
}

std::size_t Replica::traced(TraceKind kind) const {
  return static_cast<std::size_t>(
      std::count_if(out.trace.begin(), out.trace.end(), [&](const TraceEvent& e) { return e.kind == kind; }));
}

const TraceEvent& Replica::trace_of(TraceKind kind) const {
  const auto found =
      std::find_if(out.trace.begin(), out.trace.end(), [&](const TraceEvent& e) { return e.kind == kind; });
  check(found != out.trace.end(), "the event was traced");
  return *found;
}

void Replica::note() {
  if (out.hard_state) {
    hard_state_ = *out.hard_state;
  }
}

}  // namespace coffer::raft::test
