// When a world is quiet, and why it is not: the reason a `stuck` verdict gives.
#include <algorithm>
#include <map>
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

std::string text_of(const std::vector<NodeId>& nodes) {
  std::string text;
  for (const NodeId node : nodes) text += " " + std::to_string(node.value);
  return text;
}

std::string describe(const shard::Observation& seen) {
  std::string text(name(seen.role));
  text += " term " + std::to_string(seen.term.value);
  text += " commit " + std::to_string(seen.commit.value) + "/" + std::to_string(seen.last.value);
  if (seen.applied != seen.commit) text += " applied " + std::to_string(seen.applied.value);
  if (seen.role == shard::Role::leader) text += " voters" + text_of(seen.voters);
  if (!seen.outgoing.empty()) text += " joint with" + text_of(seen.outgoing);
  if (!seen.learners.empty()) text += " learners" + text_of(seen.learners);
  if (seen.role != shard::Role::leader) {
    text += seen.leader == nobody ? " knows no leader" : " leader " + std::to_string(seen.leader.value);
  }
  if (seen.legs_unanswered > 0) text += " legs unanswered " + std::to_string(seen.legs_unanswered);
  return text;
}

}  // namespace

/// Every order has been carried out, and each shard has one leader, the voters that were ordered, and no member that
/// is behind. Who has no vote, a spare or one that was replaced, need not have caught up.
bool World::quiet() const {
  if (operator_ && !operator_->idle()) return false;
  for (std::uint32_t s = 1; s <= scenario_.shards; ++s) {
    std::map<NodeId, shard::Observation> replicas;
    for (std::uint32_t n = 1; n <= cluster_.nodes(); ++n) {
      const Machine& machine = cluster_.machine(NodeId(n));
      if (machine.life() == Life::refused) continue;
      if (machine.life() != Life::up || !machine.node().ready()) return false;
      replicas.emplace(NodeId(n), machine.node().observe(ShardId(s)));
    }
    const auto leads = [](const auto& replica) { return replica.second.role == shard::Role::leader; };
    const auto leader = std::find_if(replicas.begin(), replicas.end(), leads);
    if (leader == replicas.end() || std::count_if(replicas.begin(), replicas.end(), leads) != 1) return false;
    const shard::Observation& led = leader->second;
    if (led.voters != orders_.voters(ShardId(s)) || !led.outgoing.empty() || !led.learners.empty()) return false;
    for (const NodeId voter : led.voters) {
      const auto found = replicas.find(voter);
      if (found == replicas.end()) continue;  // its disk is lost
      const shard::Observation& seen = found->second;
      if (seen.commit != seen.last || seen.applied != seen.commit || seen.legs_unanswered > 0) return false;
      if (seen.leader == nobody || seen.term != led.term || seen.commit != led.commit) return false;
    }
  }
  return true;
}

/// Requests carry no precondition: one that was late is carried out late, and may undo what was ordered after it. Then
/// the operator asks again. Called while healing, when no new orders come.
void World::repeat_orders() {
  for (std::uint32_t s = 1; s <= scenario_.shards; ++s) {
    if (orders_.open_for(ShardId(s))) continue;
    for (std::uint32_t n = 1; n <= cluster_.nodes(); ++n) {
      const Machine& machine = cluster_.machine(NodeId(n));
      if (machine.life() != Life::up || !machine.node().ready()) continue;
      const shard::Observation seen = machine.node().observe(ShardId(s));
      const bool settled = seen.role == shard::Role::leader && seen.outgoing.empty() && seen.commit == seen.last;
      if (settled && (seen.voters != orders_.voters(ShardId(s)) || !seen.learners.empty())) {
        orders_.repeat(ShardId(s));
        break;
      }
    }
  }
}

std::string World::why_not_quiet() const {
  std::string text;
  if (faults_.unfair()) text += "a majority of the nodes is gone for ever, by the scenario's wish; ";
  for (const auto& client : clients_) {
    if (client->state() != SimClient::State::waiting) continue;
    text += "client " + std::to_string(client->number()) + " waits for " +
            std::to_string((kernel_.now() - client->called_at()).millis()) + " ms; ";
  }
  if (operator_ && !operator_->idle()) text += "the operator waits: " + operator_->wants() + "; ";
  for (std::uint32_t s = 1; s <= scenario_.shards; ++s) {
    text += "shard " + std::to_string(s);
    if (operator_) text += " with the voters" + text_of(orders_.voters(ShardId(s))) + " ordered";
    text += ":";
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
