#include "core/raft/recovery.h"

#include <algorithm>

#include "core/base/check.h"

namespace coffer::raft {

namespace {

void add_voters(const Configuration& configuration, std::set<NodeId>& nodes) {
  nodes.insert(configuration.voters.begin(), configuration.voters.end());
  nodes.insert(configuration.outgoing.begin(), configuration.outgoing.end());
}

}  // namespace

bool Recovery::may_vote_for(LogPlace last) const {
  switch (state_) {
    case State::certain:
      return true;
    case State::asking:
      return false;
    case State::bound:
      return covers(last, floor_);
  }
  return false;
}

void Recovery::answered(NodeId from, const RecoveryReply& reply, Term term) {
  if (state_ == State::certain || reply.nonce != nonce_) {
    return;
  }
  // The first answer of a leader is enough, and the easiest to reach; a later leader's replaces it, for the entries of
  // the first may be gone by then.
  if (reply.leads && reply.term >= term && (!leader_place_ || reply.term > leader_term_)) {
    leader_place_ = reply.last;
    leader_term_ = reply.term;
  }
  if (!all_answered_) {
    answered_.insert(from);
    add_voters(reply.configuration, named_);
    // A learner's tail may be higher than any voter's, and then nobody could ever cover it.
    if (reply.configuration.is_voter(from) && covers(reply.last, highest_)) {
      highest_ = reply.last;
    }
  }
}

std::vector<NodeId> Recovery::to_ask(NodeId self, const Configuration& configuration) const {
  std::set<NodeId> nodes = named_;
  add_voters(configuration, nodes);
  nodes.erase(self);
  return {nodes.begin(), nodes.end()};
}

std::vector<NodeId> Recovery::waits_for(NodeId self, const Configuration& configuration) const {
  if (certain() || all_answered_) {
    return {};
  }
  std::vector<NodeId> missing = to_ask(self, configuration);
  std::erase_if(missing, [&](NodeId node) { return answered_.contains(node); });
  return missing;
}

bool Recovery::can_bind(NodeId self, const Configuration& configuration) const {
  // Who has nobody to ask has no proof: what it lost may have been a configuration with others in it.
  return !certain() && !all_answered_ && !to_ask(self, configuration).empty() && waits_for(self, configuration).empty();
}

void Recovery::bind(LogPlace own_end) {
  check(!certain() && !all_answered_, "R28: a floor is fixed once for each time that all were asked");
  floor_ = covers(own_end, highest_) ? own_end : highest_;
  state_ = State::bound;
  all_answered_ = true;
}

void Recovery::ask_anew(std::uint64_t nonce) {
  check(!certain(), "R28: who is certain asks nobody");
  nonce_ = nonce;
  highest_ = {};
  all_answered_ = false;
  answered_.clear();
}

}  // namespace coffer::raft
