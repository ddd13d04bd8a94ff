// When a world is quiet, and why it is not: the reason a `stuck` verdict gives.
#include <set>
#include <string>
#include <string_view>

#include "sim/run/world.h"

namespace coffer::sim {

namespace {

std::string_view name(shard::Role role) {
  switch (role) {
    case shard::Role::follower:
      return "follower";
    case shard::Role::pre_candidate:
      return "pre-candidate";
    case shard::Role::candidate:
      return "candidate";
    case shard::Role::leader:
      return "leader";
  }
  return "?";
}

std::string_view name(Life life) {
  switch (life) {
    case Life::down:
      return "down";
    case Life::up:
      return "up";
    case Life::paused:
      return "paused";
    case Life::dead:
      return "dead";
    case Life::refused:
      return "refused its disk";
  }
  return "?";
}

std::string describe(const shard::Observation& seen) {
  std::string text(name(seen.role));
  text += " term " + std::to_string(seen.term.value);
  text += " commit " + std::to_string(seen.commit.value) + "/" + std::to_string(seen.last.value);
  if (seen.applied != seen.commit) text += " applied " + std::to_string(seen.applied.value);
  if (seen.role != shard::Role::leader) {
    text += seen.leader == nobody ? " knows no leader" : " leader " + std::to_string(seen.leader.value);
  }
  if (seen.legs_unanswered > 0) text += " legs unanswered " + std::to_string(seen.legs_unanswered);
  return text;
}

}  // namespace

bool World::quiet() const {
  for (std::uint32_t s = 1; s <= scenario_.shards; ++s) {
    std::set<std::pair<Term, Index>> ends;
    std::uint32_t leaders = 0;
    for (std::uint32_t n = 1; n <= cluster_.nodes(); ++n) {
      const Machine& machine = cluster_.machine(NodeId(n));
      if (machine.life() == Life::refused) continue;
      if (machine.life() != Life::up || !machine.node().ready()) return false;
      const shard::Observation seen = machine.node().observe(ShardId(s));
      if (seen.commit != seen.last || seen.applied != seen.commit || seen.legs_unanswered > 0) return false;
      if (seen.leader == nobody) return false;
      leaders += seen.role == shard::Role::leader ? 1 : 0;
      ends.insert({seen.term, seen.commit});
    }
    if (leaders != 1 || ends.size() != 1) return false;
  }
  return true;
}

std::string World::why_not_quiet() const {
  std::string text;
  if (faults_.unfair()) text += "a majority of the nodes is gone for ever, by the scenario's wish; ";
  for (const auto& client : clients_) {
    if (client->state() != SimClient::State::waiting) continue;
    text += "client " + std::to_string(client->number()) + " waits for " +
            std::to_string((kernel_.now() - client->called_at()).millis()) + " ms; ";
  }
  for (std::uint32_t s = 1; s <= scenario_.shards; ++s) {
    text += "shard " + std::to_string(s) + ":";
    for (std::uint32_t n = 1; n <= cluster_.nodes(); ++n) {
      const Machine& machine = cluster_.machine(NodeId(n));
      text += (n == 1 ? " node " : ", node ") + std::to_string(n) + " ";
      if (machine.life() != Life::up) {
        text += name(machine.life());
      } else if (!machine.node().ready()) {
        text += "recovering";
      } else {
        text += describe(machine.node().observe(ShardId(s)));
      }
    }
    text += s < scenario_.shards ? "; " : "";
  }
  return text;
}

}  // namespace coffer::sim
