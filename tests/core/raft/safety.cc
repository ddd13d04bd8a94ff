#include "tests/core/raft/safety.h"

#include <algorithm>
#include <bit>

namespace coffer::raft::test {
namespace {

/// A set of nodes, a bit for each; the world has few.
using Set = std::uint64_t;

Set set_of(const std::vector<NodeId>& nodes) {
  Set set = 0;
  for (const NodeId node : nodes) set |= Set{1} << node.value;
  return set;
}

bool majority_of(Set half, Set nodes) { return std::popcount(half & nodes) * 2 > std::popcount(half); }

bool decides(const Configuration& configuration, Set nodes) {
  return majority_of(set_of(configuration.voters), nodes) &&
         (configuration.outgoing.empty() || majority_of(set_of(configuration.outgoing), nodes));
}

/// By trying every set of nodes against the rest.
bool always_overlap(const Configuration& a, const Configuration& b) {
  const Set all = set_of(a.voters) | set_of(a.outgoing) | set_of(b.voters) | set_of(b.outgoing);
  for (Set some = all;; some = (some - 1) & all) {
    if (decides(a, some) && decides(b, all & ~some)) return false;
    if (some == 0) return true;
  }
}

Configuration configuration_of(const Entry& entry) {
  const auto decoded = decode_configuration(view(entry.payload));
  check(decoded.has_value(), "an honest configuration decodes");
  return *decoded;
}

}  // namespace

bool same(const Entry& a, const Entry& b) {
  if (a.index != b.index || a.term != b.term || a.kind != b.kind) return false;
  const ByteView x = view(a.payload);
  const ByteView y = view(b.payload);
  return a.payload == b.payload || std::equal(x.begin(), x.end(), y.begin(), y.end());
}

std::string place(Index index, Term term) { return std::to_string(index.value) + "@" + std::to_string(term.value); }

bool Disk::holds(const Entry& entry) const {
  if (entry.index <= base.index) return true;
  return entry.index <= last() && same(log[entry.index.value - base.index.value - 1], entry);
}

void Disk::store(const Write& write) {
  if (write.hard_state) hard_state = *write.hard_state;
  if (write.based && write.based->index > base.index) {
    const std::uint64_t gone = write.based->index.value - base.index.value;
    const bool keeps = gone <= log.size() && log[gone - 1].term == write.based->term;
    log.erase(log.begin(), keeps ? log.begin() + static_cast<std::ptrdiff_t>(gone) : log.end());
    base = *write.based;
    configuration = write.based_on;
  }
  if (write.truncated_from) {
    check(*write.truncated_from > base.index && *write.truncated_from <= last(), "a truncation removes what is stored");
    log.resize(write.truncated_from->value - base.index.value - 1);
  }
  for (const Entry& entry : write.appended) {
    check(entry.index == last().next(), "what is handed out continues what is stored");
    log.push_back(entry);
  }
  if (write.settled) uncertain = false;
}

void Safety::breach(std::string what) { breaches_.push_back(std::move(what)); }

bool Safety::has_committed(const Entry& entry) const {
  return entry.index.value <= committed_.size() && same(committed_[entry.index.value - 1], entry);
}

std::size_t Safety::ever_durable(const Entry& entry) const {
  const auto found = ever_durable_.find({entry.index, entry.term});
  return found == ever_durable_.end() ? 0 : found->second.size();
}

const std::pair<Index, Configuration>& Safety::last_committed_configuration(Index by) const {
  auto found = configurations_.rbegin();
  while (found->first > by) ++found;
  return *found;
}

bool Safety::one_voter_decided(Index since) const {
  const auto& first = last_committed_configuration(since);
  return std::any_of(configurations_.begin(), configurations_.end(), [&](const auto& at) {
    return at.first >= first.first && (at.second.voters.size() == 1 || at.second.outgoing.size() == 1);
  });
}

void Safety::led(const Member& member) {
  const Term term = member.raft->term();
  const auto [found, first] = leaders_.emplace(term, member.id);
  if (!first && found->second != member.id)
    breach("election safety: two leaders in term " + std::to_string(term.value));
  if (member.disk.uncertain && member.raft->uncertain())
    breach("an uncertain replica leads term " + std::to_string(term.value));
  for (const Entry& entry : committed_) {
    if (entry.index <= member.raft->base().index) continue;
    if (entry.index > member.raft->last_index() || !same(member.raft->entry(entry.index), entry)) {
      breach("leader completeness: the leader of term " + std::to_string(term.value) + " lacks " +
             place(entry.index, entry.term));
      return;
    }
  }
}

void Safety::committed(const Member& member, const Before& before, const std::vector<Member>& members) {
  const Raft& raft = *member.raft;
  for (Index index = before.commit.next(); index <= raft.commit(); index = index.next()) {
    if (index <= raft.base().index) {
      if (index == raft.base().index) restored(member);
      continue;
    }
    const Entry& entry = raft.entry(index);
    if (index.value <= committed_.size()) {
      if (!same(committed_[index.value - 1], entry))
        breach("state machine safety: two entries at " + place(index, entry.term));
      continue;
    }
    committed_.push_back(entry);
    if (entry.kind == EntryKind::configuration) configurations_.emplace_back(index, configuration_of(entry));
    Set copies = 0;
    for (const NodeId node : ever_durable_[{entry.index, entry.term}]) copies |= Set{1} << node.value;
    for (const Member& m : members) {
      if (m.disk.base.index >= entry.index) copies |= Set{1} << m.id.value;
    }
    if (!decides(before.configuration, copies)) {
      breach("durability: " + place(index, entry.term) + " committed with " + std::to_string(std::popcount(copies)) +
             " copies on disk");
    }
  }
}

/// A snapshot holds what has committed, and names who decided then.
void Safety::restored(const Member& member) {
  const LogPlace base = member.raft->base();
  if (base.index.value > committed_.size() || committed_[base.index.value - 1].term != base.term) {
    breach("a snapshot at " + place(base.index, base.term) + " of what has not committed");
  } else if (member.raft->configuration_at(base.index) != last_committed_configuration(base.index).second) {
    breach("a snapshot at " + place(base.index, base.term) + " names another configuration");
  }
}

void Safety::log_changed(const Member& member, Index from, const std::vector<Member>& members) {
  for (const Member& other : members) {
    if (other.raft && other.id != member.id) two_logs(member, other, from);
  }
  configuration_in_use(member);
  disjoint_quorums(members);
}

/// Where two logs agreed before, they agree on everything before: so below `from`, the first agreement ends it.
void Safety::two_logs(const Member& a, const Member& b, Index from) {
  const std::uint64_t first = std::max(a.raft->base().index, b.raft->base().index).value + 1;
  bool agreed_later = false;
  for (std::uint64_t i = std::min(a.raft->last_index(), b.raft->last_index()).value; i >= first; --i) {
    const Entry& x = a.raft->entry(Index(i));
    const Entry& y = b.raft->entry(Index(i));
    agreed_later = agreed_later || x.term == y.term;
    if (agreed_later && !same(x, y)) {
      breach("log matching: logs agree later but not at " + std::to_string(i));
      return;
    }
    if (agreed_later && Index(i) < from) return;
  }
}

/// The latest in its log, committed or not (thesis, section 4.1).
void Safety::configuration_in_use(const Member& member) {
  const Raft& raft = *member.raft;
  Configuration latest = last_committed_configuration(raft.base().index).second;
  for (Index i = raft.last_index(); i > raft.base().index; i = previous(i)) {
    if (raft.entry(i).kind == EntryKind::configuration) {
      latest = configuration_of(raft.entry(i));
      break;
    }
  }
  if (raft.configuration() != latest)
    breach("node " + std::to_string(member.id.value) + " uses a configuration that is not the latest in its log");
}

/// Whoever holds the last configuration that has committed uses that one or a later one, and any two of them overlap.
void Safety::disjoint_quorums(const std::vector<Member>& members) {
  const auto [index, committed] = last_committed_configuration();
  std::vector<Configuration> used{committed};
  for (const Member& member : members) {
    if (!member.raft || member.raft->last_index() < index) continue;
    const bool in_base = member.raft->base().index >= index;
    if (!in_base && !same(member.raft->entry(index), committed_[index.value - 1])) continue;
    Configuration its = member.raft->configuration();
    its.learners.clear();
    if (std::find(used.begin(), used.end(), its) == used.end()) used.push_back(std::move(its));
  }
  for (std::size_t i = 0; i < used.size(); ++i) {
    for (std::size_t j = i + 1; j < used.size(); ++j) {
      if (!always_overlap(used[i], used[j])) breach("two configurations in use have disjoint quorums");
    }
  }
}

}  // namespace coffer::raft::test
