#include "net/http/shard_status.h"

#include <iterator>

#include "net/http/json_text.h"

namespace coffer::net {

std::string_view role_name(std::uint8_t role) {
  constexpr std::string_view names[] = {"follower", "pre-candidate", "candidate", "leader"};
  return role < std::size(names) ? names[role] : "?";
}

std::string to_json(const router::NodeStatusReply::Shard& shard) {
  return JsonObject()
      .number("shard", shard.shard.value)
      .text("role", role_name(shard.role))
      .number("term", shard.term.value)
      .number("leader", shard.leader.value)
      .number("commit", shard.commit.value)
      .number("last", shard.last.value)
      .number("position", shard.position.value)
      .number("dedup_rows", shard.dedup_rows)
      .number("legs_unanswered", shard.legs_unanswered)
      .number("base", shard.base.value)
      .number("snapshot", shard.snapshot.value)
      .number("in_doubt", shard.in_doubt)
      .boolean("uncertain", shard.uncertain)
      .raw("voters", nodes_json(shard.voters))
      .raw("outgoing", nodes_json(shard.outgoing))
      .raw("learners", nodes_json(shard.learners))
      .str();
}

}  // namespace coffer::net
