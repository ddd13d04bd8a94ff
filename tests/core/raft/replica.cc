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
  return {Term(term), false, false, Index(last_index), Term(last_term)};
}

VoteRequest transfer_vote_request(std::uint64_t term, std::uint64_t last_index, std::uint64_t last_term) {
  return {Term(term), false, true, Index(last_index), Term(last_term)};
}

VoteRequest pre_vote_request(std::uint64_t term, std::uint64_t last_index, std::uint64_t last_term) {
  return {Term(term), true, false, Index(last_index), Term(last_term)};
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

AppendReply refused_uncertainly(std::uint64_t term, std::uint64_t hint) {
  return {Term(term), false, Index(hint), 0, true};
}

std::vector<NodeId> nodes(const Numbers& numbers) { return {numbers.begin(), numbers.end()}; }

Configuration configuration(const Numbers& voters, const Numbers& outgoing, const Numbers& learners) {
  return {nodes(voters), nodes(outgoing), nodes(learners)};
}

Entry configuration_entry(std::uint64_t index, std::uint64_t term, const Configuration& configuration) {
  return {Index(index), Term(term), std::make_shared<Bytes>(encode(configuration)), EntryKind::configuration};
}

namespace {

Config config_of(const Replica::Start& start) {
  Config config;
  config.self = NodeId(start.self);
  config.group = ShardId(7);
  config.election_timeout = election_timeout;
  config.heartbeat_interval = heartbeat_interval;
  config.append_bytes_max = start.append_bytes_max;
  config.appends_in_flight_max = start.appends_in_flight_max;
  config.window_bytes_max = start.window_bytes_max;
  return config;
}

Recovered recovered(const Replica::Start& start) {
  Numbers voters = start.voters;
  for (std::uint32_t member = 1; start.voters.empty() && member <= start.members; ++member) {
    voters.push_back(member);
  }
  Recovered recovered;
  recovered.hard_state = {Term(start.term), NodeId(start.vote)};
  recovered.base = start.base;
  recovered.configuration = configuration(voters, {}, start.learners);
  recovered.log = entries(start.base.index.value + 1, start.log);
  recovered.uncertain = start.uncertain;
  recovered.evidence = start.evidence;
  return recovered;
}

}  // namespace

Replica::Replica(Start start)
    : members(start.members),
      raft(config_of(start), recovered(start), Prng(start.seed), now),
      hard_state_{Term(start.term), NodeId(start.vote)} {}

void Replica::receive(std::uint32_t from, Message message) {
  out.clear();
  if (auto* request = std::get_if<AppendRequest>(&message)) request->sign = {now - Instant{}, {}};
  raft.receive(now, NodeId(from), std::move(message), out);
  note();
}

void Replica::receive_late(std::uint32_t from, AppendRequest request, Duration late, Duration unheard) {
  out.clear();
  request.sign = {now - Instant{} - late, unheard};
  raft.receive(now, NodeId(from), std::move(request), out);
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

void Replica::disconnected(std::uint32_t peer) {
  out.clear();
  raft.disconnected(now, NodeId(peer), out);
  note();
}

bool Replica::reconfigure(const Numbers& voters) {
  out.clear();
  const bool taken = raft.reconfigure(now, nodes(voters), out);
  note();
  return taken;
}

bool Replica::transfer(std::uint32_t to) {
  out.clear();
  const bool taken = raft.transfer(now, NodeId(to), out);
  note();
  return taken;
}

bool Replica::resign() {
  out.clear();
  const bool taken = raft.resign(now, out);
  note();
  return taken;
}

bool Replica::restore(std::uint64_t index, std::uint64_t term, const Configuration& configuration) {
  out.clear();
  const bool taken = raft.restore(now, {Index(index), Term(term)}, configuration, out);
  note();
  return taken;
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
  Numbers peers;
  for (const NodeId member : raft.configuration().members()) {
    if (member != NodeId(1)) peers.push_back(member.value);
  }
  replicate_on(peers);
}

void Replica::replicate_on(const Numbers& peers) {
  const std::uint64_t last = raft.last_index().value;
  for (const std::uint32_t peer : peers) {
    receive(peer, accepted(raft.term().value, last));
  }
  sync();
}

Replica Replica::leading(Start start) {
  Replica replica(start);
  replica.win_election();
  replica.replicate_everywhere();
  check(replica.raft.leads_in_own_term(), "a leader whose entry all have serves");
  return replica;
}

std::vector<std::uint64_t> Replica::log_terms() const {
  std::vector<std::uint64_t> terms;
  for (Index index = raft.base().index.next(); index <= raft.last_index(); index = index.next()) {
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
