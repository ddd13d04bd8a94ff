// What operators ask of a group: who votes, and who leads. Answered at once with how far it is: the change itself goes
// on in Raft, and whoever wants to know asks again.
#include <algorithm>
#include <utility>

#include "core/shard/shard.h"

namespace coffer::shard {

router::Reply Shard::change_membership(Now now, const router::Request& request, Output& out) {
  router::Reply reply;
  reply.kind = request.header.kind;
  reply.shard = config_.shard;
  raft::Output raft;
  if (const auto* asked = std::get_if<router::ReconfigureRequest>(&request.body)) {
    const raft::Configuration& in_use = raft_.configuration();
    const bool same = in_use.voters == asked->voters && !in_use.joint() && in_use.learners.empty();
    const bool finished = same && !raft_.reconfiguring() && raft_.configuration_index() <= raft_.commit();
    const bool all_known = std::all_of(asked->voters.begin(), asked->voters.end(), [&](NodeId voter) {
      return std::binary_search(nodes_.begin(), nodes_.end(), voter);
    });
    const bool accepted = finished || (all_known && raft_.reconfigure(now.monotonic, asked->voters, raft));
    reply.status = accepted ? Outcome::success : Outcome::change_under_way;  // a new node may still be on its way
    if (accepted) reply.body = router::ReconfigureReply{finished};
  } else if (const auto* wanted = std::get_if<router::TransferLeadershipRequest>(&request.body)) {
    const bool finished = wanted->to == config_.self;
    const bool possible = finished || raft_.configuration().is_voter(wanted->to);
    const bool accepted = finished || (possible && raft_.transfer(now.monotonic, wanted->to, raft));
    reply.status = !possible ? Outcome::malformed : accepted ? Outcome::success : Outcome::change_under_way;
    if (accepted) reply.body = router::TransferLeadershipReply{finished};
  }
  follow(now, raft, out);
  reply.leader = raft_.leader();
  return reply;
}

}  // namespace coffer::shard
