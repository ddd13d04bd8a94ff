// Membership changes: the leader's steps from one set of voters to another, and who is followed meanwhile.
// Source: Raft thesis, chapter 4; joint consensus is section 4.3, learners are 4.2.1, removing the leader is 4.2.2.
// That an entry of the own term must have committed first: Ongaro, "bug in single-server membership changes", raft-dev
// 2015.
//
//   stable --newcomers--> learners --all caught up--> joint --> final          each arrow is one committed entry (R19)
//   stable --no newcomers---------------------------> joint --> final
//   joint --> final is taken by whoever leads; the others only by the leader that was asked. A leader that the final
//   configuration leaves out hands over first.
#include <algorithm>
#include <iterator>
#include <memory>
#include <utility>

#include "core/base/check.h"
#include "core/raft/raft.h"

namespace coffer::raft {
namespace {

/// Bit n is node n, as far as a word reaches.
std::uint64_t bits(const std::vector<NodeId>& nodes) {
  std::uint64_t set = 0;
  for (const NodeId node : nodes) {
    set |= node.value < 64 ? std::uint64_t{1} << node.value : 0;
  }
  return set;
}

std::vector<NodeId> missing_from(const std::vector<NodeId>& there, const std::vector<NodeId>& wanted) {
  std::vector<NodeId> missing;
  std::set_difference(wanted.begin(), wanted.end(), there.begin(), there.end(), std::back_inserter(missing));
  return missing;
}

}  // namespace

bool Raft::reconfigure(Instant now, const std::vector<NodeId>& voters, Output& out) {
  now_ = now;
  const Configuration& current = membership_.latest();
  // What the change passes through is the largest when it is joint.
  const Configuration widest{voters, current.joint() ? current.outgoing : current.voters, {}};
  bool taken = leads_in_own_term() && !transferring() && well_formed(widest);  // R19
  if (taken && current.joint()) {
    taken = voters == current.voters;
  } else if (taken) {
    const bool calls_off = voters == current.voters;
    taken = !goal_ || *goal_ == voters || calls_off;
    if (taken) {
      goal_ = voters;
    }
  }
  if (taken) {
    advance_membership(now, out);
  }
  finish(out);
  return taken;
}

bool Raft::reconfiguring() const {
  return goal_ || membership_.latest().joint() || membership_.latest_index() > commit_;
}

const Configuration& Raft::configuration_at(Index index) const {
  check(index >= log_.base().index, "what was in use before the base is not known any more");
  return membership_.at(index);
}

/// The next step of a change, once the one before has committed (R19).
void Raft::advance_membership(Instant now, Output& out) {
  if (!leads_in_own_term() || membership_.latest_index() > commit_ || transferring()) {
    return;
  }
  const Configuration& current = membership_.latest();
  const auto& voters = current.voters;
  if (!current.joint()) {
    if (goal_) {
      advance_goal(now, out);
    }
  } else if (std::binary_search(voters.begin(), voters.end(), config_.self)) {
    change_to(now, {voters, {}, current.learners}, out);
  } else {
    // The final configuration is the next leader's to append: whoever appends one votes in it, and so can lead on after
    // a crash (R20). When nobody takes over in time, it is tried again.
    hand_over_to_best(now, out);
  }
}

void Raft::advance_goal(Instant now, Output& out) {
  const Configuration& current = membership_.latest();
  const std::vector<NodeId> newcomers = missing_from(current.voters, *goal_);
  if (current.learners != newcomers) {
    change_to(now, {current.voters, {}, newcomers}, out);
    return;
  }
  if (current.voters == *goal_) {
    goal_.reset();
    return;
  }
  bool ready = true;
  for (const NodeId newcomer : newcomers) {
    // Each is asked, even after one that is not ready: asking ends and begins its rounds of catching up.
    ready = progress_of(newcomer).caught_up(now, log_.last_index(), config_.election_timeout) && ready;  // R25
  }
  if (ready) {
    change_to(now, {*goal_, current.voters, {}}, out);
  }
}

/// Appends a configuration; it is in use at once (R18).
void Raft::change_to(Instant now, Configuration configuration, Output& out) {
  check(leads_in_own_term() && membership_.latest_index() <= commit_, "R19: one configuration change at a time");
  if (log_.last_index().value >= number_max) {
    return;
  }
  const Index last = log_.last_index();
  add({last.next(), hard_state_.term, std::make_shared<Bytes>(encode(configuration)), EntryKind::configuration}, true,
      out);
  follow_members(now, last);
  replicate_to_all(out);
}

/// Every member has a progress; a new one is first asked whether its log reaches `last`. Those of nodes that are
/// members no more stay for a while: see dismiss_leavers.
void Raft::follow_members(Instant now, Index last) {
  for (const NodeId member : membership_.latest().members()) {
    if (member != config_.self && follower(member) == nullptr) {
      followers_.emplace_back(member, last, now);
    }
  }
}

/// A node that left is served, and counted for nothing, until it holds the configuration without it, so that it knows
/// and campaigns no more; or until it is silent, or would need a snapshot.
void Raft::dismiss_leavers(Instant now) {
  std::erase_if(followers_, [&](const Progress& follower) {
    return !membership_.latest().contains(follower.node()) &&
           (follower.match() >= membership_.latest_index() || follower.needs_snapshot() ||
            now >= follower.heard() + config_.election_timeout);
  });
}

void Raft::trace_configuration(TraceKind kind, Output& out) const {
  const Configuration& current = membership_.latest();
  trace(kind, hard_state_.term, membership_.latest_index(), bits(current.voters), bits(current.outgoing), out);
  out.trace.back().c = bits(current.learners);
}

}  // namespace coffer::raft
