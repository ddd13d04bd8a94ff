#include "tests/core/raft/world.h"

#include <algorithm>
#include <sstream>

#include "core/base/codec.h"
#include "tests/core/raft/replica.h"

namespace coffer::raft::test {
namespace {

std::string show(const std::vector<NodeId>& nodes) {
  std::string line;
  for (const NodeId node : nodes) line += (line.empty() ? "" : ",") + std::to_string(node.value);
  return line;
}

/// {1,2,3}, joint {1,2,4|1,2,3}, with learners {1,2,3+4}.
std::string show(const Configuration& c) {
  return "{" + show(c.voters) + (c.joint() ? "|" + show(c.outgoing) : "") +
         (c.learners.empty() ? "" : "+" + show(c.learners)) + "}";
}

std::string show(const Entry& entry) {
  if (entry.kind != EntryKind::configuration) return text(entry);
  const auto configuration = decode_configuration(view(entry.payload));
  return configuration ? show(*configuration) : "malformed";
}

std::string describe(const Message& message) {
  std::ostringstream line;
  if (const auto* m = std::get_if<VoteRequest>(&message)) {
    line << (m->pre        ? "pre-vote?"
             : m->transfer ? "vote by the leader's wish?"
                           : "vote?")
         << " term " << m->term.value << " log ends " << place(m->last_index, m->last_term);
  } else if (const auto* n = std::get_if<VoteReply>(&message)) {
    line << (n->pre ? "pre-vote " : "vote ") << (n->granted ? "granted" : "refused") << " term " << n->term.value;
  } else if (const auto* p = std::get_if<AppendRequest>(&message)) {
    line << "append term " << p->term.value << " after " << place(p->prev_index, p->prev_term) << " commit "
         << p->commit.value << " [";
    for (const Entry& entry : p->entries) {
      line << (&entry == p->entries.data() ? "" : " ") << place(entry.index, entry.term) << ":" << show(entry);
    }
    line << "]";
    if (p->round > 0) line << " round " << p->round;
  } else if (const auto* q = std::get_if<AppendReply>(&message)) {
    line << (q->success ? "accepted up to " : "refused, try after ") << q->match.value << " term " << q->term.value;
    if (q->round > 0) line << " round " << q->round;
    if (q->uncertain) line << " uncertain";
  } else if (const auto* t = std::get_if<TimeoutNow>(&message)) {
    line << "time out now, term " << t->term.value;
  } else if (const auto* r = std::get_if<RecoveryRequest>(&message)) {
    line << "what may I have lost? term " << r->term.value;
  } else if (const auto* w = std::get_if<RecoveryReply>(&message)) {
    line << (w->leads ? "leads" : "is in") << " term " << w->term.value << " log ends "
         << place(w->last.index, w->last.term) << " of " << show(w->configuration)
         << (w->uncertain ? " uncertain" : "");
  }
  return line.str();
}

std::string describe(const TraceEvent& event) {
  std::ostringstream line;
  line << name(event.kind) << " term " << event.term.value << " index " << event.index.value;
  // A nonce is long and means nothing to a reader.
  if (event.kind != TraceKind::appended && event.kind != TraceKind::recovery_asked) line << " (" << event.a << ")";
  return line.str();
}

Config config_of(NodeId self) {
  Config config;
  config.self = self;
  config.group = ShardId(1);
  config.election_timeout = election_timeout;
  config.heartbeat_interval = heartbeat_interval;
  config.append_bytes_max = 24;
  config.appends_in_flight_max = 4;
  config.window_bytes_max = 60;
  return config;
}

Configuration founding_of(std::uint32_t founders) {
  Configuration founding;
  for (std::uint32_t id = 1; id <= founders; ++id) founding.voters.push_back(NodeId(id));
  return founding;
}

bool one_decides(const Configuration& c) { return c.voters.size() == 1 || c.outgoing.size() == 1; }

/// Whether the disk of somebody who decides by this configuration, `but` excepted, has the entry.
bool kept(const std::vector<Disk>& disks, const Configuration& by, const Entry& entry, NodeId but = nobody) {
  const std::vector<NodeId> members = by.members();
  return std::any_of(members.begin(), members.end(), [&](NodeId node) {
    return node != but && by.is_voter(node) && disks[node.value - 1].holds(entry);
  });
}

}  // namespace

World::World(std::uint32_t nodes, std::uint64_t seed, std::uint32_t founders)
    : seed_(seed), safety_(founding_of(founders == 0 ? nodes : founders)) {
  members_.resize(nodes);
  for (std::uint32_t id = 1; id <= nodes; ++id) {
    members_[id - 1].id = NodeId(id);
    members_[id - 1].disk.configuration = founding_of(founders == 0 ? nodes : founders);
    restart(id);
  }
}

template <class Call>
void World::event(std::uint32_t id, Call call) {
  story_.clear();
  Member& chosen = member(id);
  if (!chosen.raft) return;
  try {
    Output out;
    const Before before{chosen.raft->role() == Role::leader, chosen.raft->commit(), chosen.raft->configuration()};
    call(chosen, out);
    absorb(chosen, out, before);
  } catch (const CheckFailure& failure) {
    safety_.breach(std::string("check: ") + failure.why);
    chosen.raft.reset();
  }
}

void World::absorb(Member& member, Output& out, const Before& before) {
  const bool leads = member.raft->role() == Role::leader;
  const bool must_tell = (before.led || out.became_leader) && !leads;
  if (must_tell && !out.lost_leadership) safety_.breach("a leader stepped down in silence");
  if (out.became_leader) safety_.led(member);
  for (const TraceEvent& event : out.trace) story_.push_back(describe(event));
  count(out);

  Write write;
  write.hard_state = out.hard_state;
  write.based = out.restored;
  if (out.restored) write.based_on = member.raft->configuration_at(out.restored->index);
  write.truncated_from = out.truncated_from;
  write.appended = out.appended;
  write.settled = out.settled;
  write.generation = out.generation;
  write.last = member.raft->last_index();
  for (Outgoing& outgoing : out.messages) {
    story_.push_back("-> " + std::to_string(outgoing.to.value) + " " + describe(outgoing.message) +
                     (outgoing.after_sync ? " (after sync)" : ""));
    if (outgoing.after_sync) {
      write.held.push_back(outgoing);
    } else {
      transmit(member.id, outgoing);
    }
  }
  for (const NodeId needy : out.snapshots_needed) {
    in_need_.insert(needy.value);
    story_.push_back("needs a snapshot: " + std::to_string(needy.value));
  }
  const bool changes = out.restored || out.truncated_from || !out.appended.empty();
  if (changes || out.hard_state || out.settled || !member.unsynced.empty()) {
    member.unsynced.push_back(std::move(write));
  } else {
    for (const Outgoing& outgoing : write.held) transmit(member.id, outgoing);
  }
  tell_reads(member, out);
  if (out.generation != member.raft->generation()) safety_.breach("an output names another generation");
  safety_.committed(member, before, members_);
  Index from = member.raft->last_index().next();
  if (!out.appended.empty()) from = out.appended.front().index;
  if (out.truncated_from) from = std::min(from, *out.truncated_from);
  if (changes) safety_.log_changed(member, from, members_);
}

void World::tell_reads(Member& member, const Output& out) {
  for (const std::uint64_t id : out.reads_confirmed) {
    if (member.raft->commit() < member.reads.at(id))
      safety_.breach("a confirmed read sees less than was committed before it");
    member.reads.erase(id);
    story_.push_back("read " + std::to_string(id) + " confirmed");
  }
  for (const std::uint64_t id : out.reads_dropped) {
    member.reads.erase(id);
    story_.push_back("read " + std::to_string(id) + " dropped");
  }
}

void World::count(const Output& out) {
  counters_.elections += out.became_leader ? 1 : 0;
  counters_.reads += out.reads_confirmed.size();
  const auto count_of = [&](TraceKind kind) {
    return static_cast<std::uint64_t>(
        std::count_if(out.trace.begin(), out.trace.end(), [&](const TraceEvent& e) { return e.kind == kind; }));
  };
  counters_.commits += count_of(TraceKind::committed);
  counters_.truncations += count_of(TraceKind::truncated);
  counters_.lost_tails += count_of(TraceKind::leader_lost_tail);
  counters_.transfers += count_of(TraceKind::transfer_begun);
  counters_.rolled_back += count_of(TraceKind::configuration_rolled_back);
  counters_.quorums_lost += count_of(TraceKind::quorum_lost);
  for (const TraceEvent& event : out.trace) {
    counters_.joint += event.kind == TraceKind::configuration_changed && event.b != 0 ? 1 : 0;
    if (event.kind == TraceKind::recovery_settled) {
      ++(event.a == 1 ? counters_.settled_by_leader : counters_.settled_by_all);
    }
  }
}

void World::transmit(NodeId from, const Outgoing& outgoing) {
  Bytes bytes;
  ByteWriter writer(bytes);
  encode(outgoing.message, writer);
  links_[{from.value, outgoing.to.value}].push_back(std::move(bytes));
}

void World::tick(std::uint32_t id) {
  event(id, [&](Member& m, Output& out) { m.raft->tick(now_, out); });
}

void World::deliver(std::uint32_t from, std::uint32_t to, std::size_t position, bool keep) {
  auto& link = links_[{from, to}];
  if (position >= link.size()) return;
  const auto at = link.begin() + static_cast<std::ptrdiff_t>(position);
  const Bytes bytes = *at;
  if (!keep) link.erase(at);
  event(to, [&](Member& m, Output& out) {
    ByteReader in(bytes);
    Message message = decode_message(in);
    check(in.done(), "an honest message decodes");
    m.raft->receive(now_, NodeId(from), std::move(message), out);
  });
}

void World::drop(std::uint32_t from, std::uint32_t to, std::size_t position) {
  auto& link = links_[{from, to}];
  if (position < link.size()) link.erase(link.begin() + static_cast<std::ptrdiff_t>(position));
}

void World::sync(std::uint32_t id, std::size_t count) {
  story_.clear();
  if (member(id).unsynced.empty()) return;
  event(id, [&](Member& m, Output& out) {
    Write write;
    for (std::size_t done = 0; done < count && !m.unsynced.empty(); ++done) {
      write = std::move(m.unsynced.front());
      m.unsynced.pop_front();
      store(m, write);
      for (const Outgoing& outgoing : write.held) transmit(m.id, outgoing);
      if (write.taken_here) m.raft->compact(write.based->index);
    }
    m.raft->persisted(now_, write.generation, write.last, out);
  });
}

std::optional<Index> World::propose(std::uint32_t id, std::string_view text) {
  std::optional<Index> index;
  event(id, [&](Member& m, Output& out) { index = m.raft->propose(now_, payload(text), out); });
  return index;
}

bool World::read(std::uint32_t id, std::uint64_t read_id) {
  bool taken = false;
  event(id, [&](Member& m, Output& out) {
    m.reads[read_id] = safety_.highest_committed();
    taken = m.raft->read(now_, read_id, out);
    if (!taken) m.reads.erase(read_id);
  });
  return taken;
}

bool World::reconfigure(std::uint32_t id, const std::vector<NodeId>& voters) {
  bool taken = false;
  event(id, [&](Member& m, Output& out) { taken = m.raft->reconfigure(now_, voters, out); });
  return taken;
}

bool World::transfer(std::uint32_t id, std::uint32_t to) {
  bool taken = false;
  event(id, [&](Member& m, Output& out) { taken = m.raft->transfer(now_, NodeId(to), out); });
  return taken;
}

bool World::snapshot(std::uint32_t id, Index through) {
  story_.clear();
  Member& m = member(id);
  if (!m.raft || through > m.raft->commit() || through <= m.raft->base().index) return false;
  Write write;
  write.based = LogPlace{through, m.raft->term_at(through)};
  write.based_on = m.raft->configuration_at(through);
  write.taken_here = true;
  write.generation = m.raft->generation();
  write.last = m.raft->last_index();
  m.unsynced.push_back(std::move(write));
  ++counters_.compactions;
  return true;
}

bool World::install(std::uint32_t to, std::uint32_t from) {
  const Member& source = member(from);
  if (!source.raft) return false;
  bool taken = false;
  event(to, [&](Member& m, Output& out) {
    const LogPlace base = source.disk.base;
    const bool keeps =
        base.index <= m.raft->last_index() && base.index > m.raft->commit() && m.raft->term_at(base.index) == base.term;
    taken = m.raft->restore(now_, base, source.disk.configuration, out);
    counters_.installs += taken ? 1 : 0;
    counters_.installs_kept += taken && keeps ? 1 : 0;
  });
  if (taken) in_need_.erase(to);
  return taken;
}

void World::store(Member& m, const Write& write) {
  const bool removes = write.truncated_from || write.based;
  const std::vector<Entry> before = removes ? m.disk.log : std::vector<Entry>();
  m.disk.store(write);
  for (const Entry& entry : before) {
    if (!m.disk.holds(entry)) safety_.replaced(m.id, entry);
  }
  for (const Entry& entry : write.appended) safety_.durable(m.id, entry);
}

/// No group survives the loss of an acknowledged entry's last copy, nor of the last trace of who decides. So what a
/// disk loses must be on the disk of another that decides, or have been on this one alone all the time; of each
/// configuration that has committed somebody who decided before it must still know; nobody may have decided alone
/// since; and nobody else may be in the middle of the questions this disk has answered.
bool World::may_lose(const Member& loser, std::size_t count) const {
  if (count > loser.disk.log.size()) return false;
  const std::size_t left = loser.disk.log.size() - count;
  if (safety_.one_voter_decided(Index(loser.disk.base.index.value + left))) return false;
  std::vector<Disk> disks;
  for (const Member& m : members_) {
    if (m.id != loser.id && m.raft && m.raft->uncertain()) return false;
    disks.push_back(m.disk);
  }
  disks[loser.id.value - 1].log.resize(left);
  const auto& configurations = safety_.configurations();
  for (std::size_t i = left; i < loser.disk.log.size(); ++i) {
    const Entry& entry = loser.disk.log[i];
    const bool alone = !safety_.has_committed(entry) && safety_.ever_durable(entry) <= 1;
    if (!alone && !kept(disks, configurations.back().second, entry, loser.id)) return false;
    if (entry.kind == EntryKind::configuration && one_decides(*decode_configuration(view(entry.payload)))) return false;
  }
  for (std::size_t i = 1; i < configurations.size(); ++i) {
    if (!kept(disks, configurations[i - 1].second, safety_.committed_entry(configurations[i].first))) return false;
  }
  return true;
}

bool World::lose_tail(std::uint32_t id, std::size_t count, bool evidence) {
  story_.clear();
  Member& m = member(id);
  if (m.raft || count == 0 || !may_lose(m, count)) return false;
  const LogPlace end{m.disk.last(), m.disk.log.back().term};
  m.disk.log.resize(m.disk.log.size() - count);
  m.disk.uncertain = true;
  m.disk.evidence = evidence ? end : LogPlace();
  ++counters_.damages;
  return true;
}

void World::crash(std::uint32_t id, std::size_t survive) {
  story_.clear();
  Member& m = member(id);
  if (!m.raft) return;
  for (std::size_t i = 0; i < survive && i < m.unsynced.size(); ++i) store(m, m.unsynced[i]);
  m.unsynced.clear();
  m.reads.clear();
  m.raft.reset();
  ++counters_.crashes;
}

void World::restart(std::uint32_t id) {
  story_.clear();
  Member& m = member(id);
  if (m.raft) return;
  ++m.incarnation;
  Recovered recovered{m.disk.hard_state, m.disk.base,      m.disk.configuration,
                      m.disk.log,        m.disk.uncertain, m.disk.evidence};
  m.raft.emplace(config_of(m.id), std::move(recovered), Prng(seed_, 1, id, m.incarnation), now_);
  m.disk.evidence = {};  // it is read once; what is damaged is then put aside
}

void World::reconnect(std::uint32_t a, std::uint32_t b) {
  event(a, [&](Member& m, Output& out) { m.raft->reconnected(now_, NodeId(b), out); });
  const std::vector<std::string> first = story_;
  event(b, [&](Member& m, Output& out) { m.raft->reconnected(now_, NodeId(a), out); });
  story_.insert(story_.begin(), first.begin(), first.end());
}

void World::settle() {
  std::vector<std::string> whole;
  const auto keep_story = [&](std::uint32_t id) {
    for (const std::string& line : story_) whole.push_back("  " + std::to_string(id) + ": " + line);
  };
  for (bool busy = true; busy;) {
    busy = false;
    for (std::uint32_t id = 1; id <= size(); ++id) {
      if (member(id).raft && !member(id).unsynced.empty()) {
        sync(id);
        keep_story(id);
        busy = true;
      }
      for (std::uint32_t from = 1; from <= size(); ++from) {
        while (queued(from, id) > 0) {
          deliver(from, id);
          keep_story(id);
          busy = true;
        }
      }
    }
  }
  story_ = std::move(whole);
}

std::size_t World::queued(std::uint32_t from, std::uint32_t to) const {
  const auto found = links_.find({from, to});
  return found == links_.end() ? 0 : found->second.size();
}

std::uint32_t World::leader() const {
  std::uint32_t leader = 0;
  Term latest;
  for (const Member& m : members_) {
    if (m.raft && m.raft->role() == Role::leader && m.raft->term() > latest) {
      leader = m.id.value;
      latest = m.raft->term();
    }
  }
  return leader;
}

std::string World::state_of(std::uint32_t id) const {
  const Member& m = members_[id - 1];
  std::ostringstream line;
  line << id << ": ";
  if (!m.raft) {
    line << "crashed, disk term " << m.disk.hard_state.term.value << " vote " << m.disk.hard_state.vote.value
         << " log [";
    if (m.disk.base.index.value > 0) line << "base " << place(m.disk.base.index, m.disk.base.term);
    for (const Entry& entry : m.disk.log) line << (entry.index.value == 1 ? "" : " ") << place(entry.index, entry.term);
    line << "]" << (m.disk.uncertain ? " uncertain" : "");
    return line.str();
  }
  const char* const roles[] = {"follower", "pre-candidate", "candidate", "leader"};
  line << roles[static_cast<std::size_t>(m.raft->role())] << " term " << m.raft->term().value << " follows "
       << m.raft->leader().value << " commit " << m.raft->commit().value << " log [";
  const LogPlace base = m.raft->base();
  if (base.index.value > 0) line << "base " << place(base.index, base.term);
  for (Index index = base.index.next(); index <= m.raft->last_index(); index = index.next()) {
    line << (index.value == 1 ? "" : " ") << place(index, m.raft->entry(index).term) << ":"
         << show(m.raft->entry(index));
  }
  line << "] unsynced " << m.unsynced.size();
  if (m.raft->configuration_index().value > 0) line << " of " << show(m.raft->configuration());
  if (m.raft->uncertain()) line << " uncertain";
  return line.str();
}

}  // namespace coffer::raft::test
