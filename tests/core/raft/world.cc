#include "tests/core/raft/world.h"

#include <algorithm>
#include <sstream>

#include "core/base/codec.h"
#include "core/raft/quorum.h"
#include "tests/core/raft/replica.h"

namespace coffer::raft::test {
namespace {

bool same(const Entry& a, const Entry& b) { return a.index == b.index && a.term == b.term && text(a) == text(b); }

bool holds(const std::vector<Entry>& log, const Entry& entry) {
  return log.size() >= entry.index.value && same(log[entry.index.value - 1], entry);
}

std::string place(Index index, Term term) { return std::to_string(index.value) + "@" + std::to_string(term.value); }

std::string describe(const Message& message) {
  std::ostringstream line;
  if (const auto* m = std::get_if<VoteRequest>(&message)) {
    line << (m->pre ? "pre-vote?" : "vote?") << " term " << m->term.value << " log ends "
         << place(m->last_index, m->last_term);
  } else if (const auto* n = std::get_if<VoteReply>(&message)) {
    line << (n->pre ? "pre-vote " : "vote ") << (n->granted ? "granted" : "refused") << " term " << n->term.value;
  } else if (const auto* p = std::get_if<AppendRequest>(&message)) {
    line << "append term " << p->term.value << " after " << place(p->prev_index, p->prev_term) << " commit "
         << p->commit.value << " [";
    for (const Entry& entry : p->entries) {
      line << (&entry == p->entries.data() ? "" : " ") << place(entry.index, entry.term) << ":" << text(entry);
    }
    line << "]";
    if (p->round > 0) line << " round " << p->round;
  } else if (const auto* q = std::get_if<AppendReply>(&message)) {
    line << (q->success ? "accepted up to " : "refused, try after ") << q->match.value << " term " << q->term.value;
    if (q->round > 0) line << " round " << q->round;
  }
  return line.str();
}

std::string describe(const TraceEvent& event) {
  std::ostringstream line;
  line << name(event.kind) << " term " << event.term.value << " index " << event.index.value;
  if (event.kind != TraceKind::appended) line << " (" << event.a << ")";
  return line.str();
}

Config config_of(std::uint32_t self, std::uint32_t members) {
  Config config;
  config.self = NodeId(self);
  config.group = ShardId(1);
  for (std::uint32_t id = 1; id <= members; ++id) config.members.push_back(NodeId(id));
  config.election_timeout = election_timeout;
  config.heartbeat_interval = heartbeat_interval;
  config.append_bytes_max = 24;
  config.appends_in_flight_max = 4;
  return config;
}

}  // namespace

// ---- Disk ------------------------------------------------------------------------------------------------------

void Disk::store(const Write& write) {
  if (write.hard_state) hard_state = *write.hard_state;
  if (write.truncated_from && write.truncated_from->value <= log.size()) log.resize(write.truncated_from->value - 1);
  for (const Entry& entry : write.appended) {
    check(entry.index.value == log.size() + 1, "what is handed out continues what is stored");
    log.push_back(entry);
  }
}

// ---- Safety ----------------------------------------------------------------------------------------------------

void Safety::breach(std::string what) { breaches_.push_back(std::move(what)); }

void Safety::led(const Member& member) {
  const Term term = member.raft->term();
  const auto [found, first] = leaders_.emplace(term, member.id);
  if (!first && found->second != member.id)
    breach("election safety: two leaders in term " + std::to_string(term.value));
  for (const Entry& entry : committed_) {
    if (entry.index > member.raft->last_index() || !same(member.raft->entry(entry.index), entry)) {
      breach("leader completeness: the leader of term " + std::to_string(term.value) + " lacks " +
             place(entry.index, entry.term));
      return;
    }
  }
}

void Safety::committed(const Member& member, Index from, const std::vector<Member>& members) {
  for (Index index = from.next(); index <= member.raft->commit(); index = index.next()) {
    const Entry& entry = member.raft->entry(index);
    if (index.value <= committed_.size()) {
      if (!same(committed_[index.value - 1], entry))
        breach("state machine safety: two entries at " + place(index, entry.term));
      continue;
    }
    committed_.push_back(entry);
    const auto copies =
        std::count_if(members.begin(), members.end(), [&](const Member& m) { return holds(m.disk.log, entry); });
    if (static_cast<std::size_t>(copies) < majority(members.size())) {
      breach("durability: " + place(index, entry.term) + " committed with " + std::to_string(copies) +
             " copies on disk");
    }
  }
}

void Safety::logs(const std::vector<Member>& members) {
  for (const Member& a : members) {
    for (const Member& b : members) {
      if (!a.raft || !b.raft || a.id >= b.id) continue;
      bool agreed_later = false;
      for (std::uint64_t i = std::min(a.raft->last_index(), b.raft->last_index()).value; i > 0; --i) {
        const Entry& x = a.raft->entry(Index(i));
        const Entry& y = b.raft->entry(Index(i));
        agreed_later = agreed_later || x.term == y.term;
        if (agreed_later && !same(x, y)) {
          breach("log matching: logs agree later but not at " + std::to_string(i));
          return;
        }
      }
    }
  }
}

// ---- World -----------------------------------------------------------------------------------------------------

World::World(std::uint32_t members, std::uint64_t seed) : seed_(seed) {
  members_.resize(members);
  for (std::uint32_t id = 1; id <= members; ++id) {
    members_[id - 1].id = NodeId(id);
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
    const bool led_before = chosen.raft->role() == Role::leader;
    const Index commit_before = chosen.raft->commit();
    call(chosen, out);
    absorb(chosen, out, led_before, commit_before);
  } catch (const CheckFailure& failure) {
    safety_.breach(std::string("check: ") + failure.why);
    chosen.raft.reset();
  }
}

void World::absorb(Member& member, Output& out, bool led_before, Index commit_before) {
  const bool leads = member.raft->role() == Role::leader;
  const bool must_tell = (led_before || out.became_leader) && !leads;
  if (must_tell && !out.lost_leadership) safety_.breach("a leader stepped down in silence");
  if (out.became_leader) safety_.led(member);
  for (const TraceEvent& event : out.trace) story_.push_back(describe(event));
  count(out);

  Write write{out.hard_state, out.truncated_from, out.appended, out.generation, member.raft->last_index(), {}};
  for (Outgoing& outgoing : out.messages) {
    story_.push_back("-> " + std::to_string(outgoing.to.value) + " " + describe(outgoing.message) +
                     (outgoing.after_sync ? " (after sync)" : ""));
    if (outgoing.after_sync) {
      write.held.push_back(outgoing);
    } else {
      transmit(member.id, outgoing);
    }
  }
  const bool stores = write.hard_state || write.truncated_from || !write.appended.empty();
  if (stores || !member.unsynced.empty()) {
    member.unsynced.push_back(std::move(write));
  } else {
    for (const Outgoing& outgoing : write.held) transmit(member.id, outgoing);
  }
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
  if (out.generation != member.raft->generation()) safety_.breach("an output names another generation");
  safety_.committed(member, commit_before, members_);
  safety_.logs(members_);
}

void World::count(const Output& out) {
  counters_.elections += out.became_leader ? 1 : 0;
  counters_.reads += out.reads_confirmed.size();
  for (const TraceEvent& event : out.trace) {
    counters_.commits += event.kind == TraceKind::committed ? 1 : 0;
    counters_.truncations += event.kind == TraceKind::truncated ? 1 : 0;
    counters_.lost_tails += event.kind == TraceKind::leader_lost_tail ? 1 : 0;
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
      m.disk.store(write);
      for (const Outgoing& outgoing : write.held) transmit(m.id, outgoing);
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

void World::crash(std::uint32_t id, std::size_t survive) {
  story_.clear();
  Member& m = member(id);
  if (!m.raft) return;
  for (std::size_t i = 0; i < survive && i < m.unsynced.size(); ++i) m.disk.store(m.unsynced[i]);
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
  m.raft.emplace(config_of(id, size()), m.disk.hard_state, m.disk.log, Prng(seed_, 1, id, m.incarnation), now_);
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
    for (const Entry& entry : m.disk.log) line << (entry.index.value == 1 ? "" : " ") << place(entry.index, entry.term);
    line << "]";
    return line.str();
  }
  const char* const roles[] = {"follower", "pre-candidate", "candidate", "leader"};
  line << roles[static_cast<std::size_t>(m.raft->role())] << " term " << m.raft->term().value << " follows "
       << m.raft->leader().value << " commit " << m.raft->commit().value << " log [";
  for (Index index(1); index <= m.raft->last_index(); index = index.next()) {
    line << (index.value == 1 ? "" : " ") << place(index, m.raft->entry(index).term) << ":"
         << text(m.raft->entry(index));
  }
  line << "] unsynced " << m.unsynced.size();
  return line.str();
}

}  // namespace coffer::raft::test
