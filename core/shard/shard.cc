#include "core/shard/shard.h"

#include <algorithm>
#include <utility>

#include "core/base/check.h"

namespace coffer::shard {

namespace {

/// Committed entries an observer may still undo on a copy (O-E2).
constexpr std::size_t undoable_entries = 8;

raft::Config raft_config(const Config& config) {
  raft::Config raft;
  raft.self = config.self;
  raft.group = config.shard;
  raft.election_timeout = config.election_timeout;
  raft.heartbeat_interval = config.heartbeat_interval;
  raft.append_bytes_max = config.append_bytes_max;
  raft.window_bytes_max = config.window_bytes_max;
  return raft;
}

/// What of an entry the state machine sees: configurations are consensus' own.
SharedBytes state_payload(const Entry& entry) { return entry.kind == EntryKind::state ? entry.payload : nullptr; }

}  // namespace

Shard::Shard(Config config, Start start, Surroundings around, Prng prng, Now now)
    : config_(std::move(config)),
      stream_(around.stream),
      clock_(around.clock),
      map_(around.map),
      nodes_(around.nodes),
      files_(around.files),
      raft_(raft_config(config_), std::move(start.raft), prng, now.monotonic),
      state_(std::move(start.state)),
      applied_(raft_.base().index),
      committed_(raft_.base().index),
      sender_(config_.leg_resend_interval, config_.legs_in_flight_max),
      marked_(raft_.base()),
      compacted_(raft_.base()) {}

void Shard::trace(Output& out, TraceKind kind, Index index, Term term) const {
  TraceEvent event;
  event.kind = kind;
  event.shard = config_.shard;
  event.index = index;
  event.term = term;
  out.trace.push_back(event);
}

void Shard::tick(Now now, Output& out) {
  raft::Output raft;
  raft_.tick(now.monotonic, raft);
  follow(now, raft, out);
  if (serving_ && stream_.full()) {
    give_way(now, out);
  }
  expire_queue(now, out);
  waiting_.expire(now.monotonic);
  answer_ready(out);
}

/// A leader without room on its disk can only refuse. That it serves shows that a majority has room.
void Shard::give_way(Now now, Output& out) {
  raft::Output raft;
  raft_.resign(now.monotonic, raft);
  follow(now, raft, out);
}

void Shard::receive(Now now, NodeId from, raft::Message message, Output& out) {
  if (const auto* append = std::get_if<raft::AppendRequest>(&message);
      append != nullptr && !append->entries.empty() && stream_.full()) {
    return;  // what room is left is for hard states, truncations and restores
  }
  raft::Output raft;
  raft_.receive(now.monotonic, from, std::move(message), raft);
  follow(now, raft, out);
}

void Shard::reconnected(Now now, NodeId peer, Output& out) {
  raft::Output raft;
  raft_.reconnected(now.monotonic, peer, raft);
  follow(now, raft, out);
}

void Shard::disconnected(Now now, NodeId peer, Output& out) {
  raft::Output raft;
  raft_.disconnected(now.monotonic, peer, raft);
  follow(now, raft, out);
}

void Shard::flush_begun(std::uint64_t flush) {
  flushes_.push_back({flush, raft_.generation(), raft_.last_index(), marked_});
}

void Shard::flush_done(Now now, std::uint64_t flush, Output& out) {
  while (!flushes_.empty() && flushes_.front().flush <= flush) {
    const FlushMark mark = flushes_.front();
    flushes_.pop_front();
    raft::Output raft;
    raft_.persisted(now.monotonic, mark.generation, mark.last, raft);
    follow(now, raft, out);
    compact(now, mark.base);
  }
}

/// Does what Raft's output asks, in the order that keeps the state the fold of the right prefix.
void Shard::follow(Now now, raft::Output& raft, Output& out) {
  if (raft.lost_leadership) {
    step_down(out);
  }
  persist(raft);
  out.trace.insert(out.trace.end(), raft.trace.begin(), raft.trace.end());
  for (raft::Outgoing& message : raft.messages) {
    out.raft.push_back({config_.shard, std::move(message)});
  }
  for (const NodeId follower : raft.snapshots_needed) {
    files_.transfer().offer_snapshot(now.monotonic, follower, file_out_);
  }
  if (leads()) {
    run_ahead(out);
  }
  fold_commits(out);
  if (leads() && !serving_ && raft_.leads_in_own_term()) {
    start_serving(out);
  }
  for (const std::uint64_t read : raft.reads_confirmed) {
    waiting_.round_confirmed(read);
  }
  tell_legs(out);
  answer_ready(out);
}

void Shard::persist(const raft::Output& raft) {
  if (raft.hard_state) {
    stream_.set_hard_state(config_.shard, *raft.hard_state);
  }
  tell_alone();
  if (raft.restored) {
    marked_ = *raft.restored;
    stream_.restore(config_.shard, marked_);
  }
  if (raft.truncated_from) {
    check(*raft.truncated_from > applied_, "truncation never touches state");
    stream_.truncate(config_.shard, *raft.truncated_from);
  }
  if (!raft.appended.empty()) {
    stream_.append(config_.shard, raft.appended);
  }
  if (raft.settled) {
    stream_.set_certain(config_.shard);
  }
}

/// The stream must know before an entry that gives another one a vote is durable, and not before a configuration
/// without has committed (hard_state.h, H10).
void Shard::tell_alone() {
  const raft::Configuration& in_use = raft_.configuration();
  const bool alone = in_use.voters.size() == 1 && in_use.voters.front() == config_.self && !in_use.joint();
  const bool settled = !alone || raft_.configuration_index() <= raft_.commit();
  if (alone_ == alone || !settled) return;
  alone_ = alone;
  stream_.set_alone(config_.shard, alone);
}

/// A leader's state is the fold of its whole log: of what it found when elected, and of what Raft itself appends.
void Shard::run_ahead(Output& out) {
  while (applied_ < raft_.last_index()) {
    const Entry& entry = raft_.entry(applied_.next());
    apply(entry);
    suffix_.push_back({entry.index, entry.term, state_payload(entry), state_->last_position(), {}, {}});
    trace(out, TraceKind::applied, entry.index, entry.term);
  }
}

/// Undoes the uncommitted suffix in reverse and answers everyone who waited.
void Shard::step_down(Output& out) {
  while (!suffix_.empty()) {
    const Speculative& last = suffix_.back();
    state_->undo_entry(view(last.payload));
    trace(out, TraceKind::undone, last.index, last.term);
    applied_ = Index(last.index.value - 1);
    files_.undone(last.index, view(last.payload).size(), file_out_);
    suffix_.pop_back();
  }
  check(applied_ == committed_, "after stepping down the state is the fold of the committed prefix");
  serving_ = false;
  expiry_at_ = never;
  sender_.stop();
  legs_in_.clear();
  answers_in_.clear();
  legs_to_tell_.clear();
  for (const Queued& queued : std::exchange(queue_, {})) {
    refuse(queued.caller, queued.request.header.kind, Outcome::not_leader, out);
  }
  for (const Seeking& seeking : std::exchange(seeking_, {})) {
    refuse(seeking.queued.caller, seeking.queued.request.header.kind, Outcome::not_leader, out);
  }
  files_.attic().forget_searches();
  queue_bytes_ = 0;
  waiting_.abandon();
}

void Shard::fold_commits(Output& out) {
  while (committed_ < raft_.commit()) {
    const Entry& entry = raft_.entry(committed_.next());
    if (applied_ < entry.index) {
      apply(entry);
      undoable_.push_back(state_->last_position());
      trace(out, TraceKind::applied, entry.index, entry.term);
    } else {
      commit_speculative(entry.index);
    }
    committed_ = entry.index;
    files_.committed(committed_, raft_);
    out.committed.push_back({config_.shard, entry.index, entry.term, entry.payload, entry.kind});
    forget_undo();
  }
  waiting_.committed(committed_);
}

/// Folds the next entry. Whoever folds passes epochs: their states are frozen here, at the same places on all replicas.
void Shard::apply(const Entry& entry) {
  const SharedBytes payload = state_payload(entry);
  state_->apply_entry(view(payload));
  applied_ = entry.index;
  files_.folded({entry.index, entry.term}, view(payload).size(), *state_, file_out_);
}

/// A leader's own entry has committed: what it started may leave, what it answered may be freed by the targets.
void Shard::commit_speculative(Index index) {
  check(!suffix_.empty() && suffix_.front().index == index, "a leader commits its suffix in order");
  const Speculative& entry = suffix_.front();
  for (const auto& [target, leg] : entry.started) {
    sender_.started_committed(target, leg);
  }
  for (const auto& [target, leg] : entry.answered) {
    sender_.answered_committed(target, leg);
  }
  undoable_.push_back(entry.last_position);
  suffix_.pop_front();
}

void Shard::forget_undo() {
  while (undoable_.size() > undoable_entries) {
    state_->committed(undoable_.front());
    undoable_.pop_front();
  }
}

/// An entry of the own term has committed and been folded: from now on this replica decides, reads and refuses.
void Shard::start_serving(Output& out) {
  // But that commitment may let Raft end a change of members that an earlier leader had made joint.
  const bool untouched = std::all_of(suffix_.begin(), suffix_.end(), [&](const Speculative& ahead) {
    return ahead.last_position == state_->last_position() && view(ahead.payload).empty();
  });
  check(untouched, "a leader decides nothing before an entry of its own term has committed");
  serving_ = true;
  led_from_ = state_->last_position();
  for (const auto& [target, count] : sender_.start(*state_)) {
    TraceEvent event;
    event.kind = TraceKind::saga_resumed;
    event.shard = config_.shard;
    event.term = raft_.term();
    event.a = target.value;
    event.b = state_->first_unanswered(target).value;
    event.c = count;
    out.trace.push_back(event);
  }
}

void Shard::tell_legs(Output& out) {
  std::map<std::pair<NodeId, ShardId>, LegAnswersMessage> messages;
  const auto tell = [&](NodeId to, const LegAnswersMessage& message) {
    Bytes bytes;
    ByteWriter writer(bytes);
    encode(message, writer);
    out.leg_answers.push_back({to, std::move(bytes)});
  };
  while (!legs_to_tell_.empty() && legs_to_tell_.begin()->first <= committed_) {
    const LegToTell& leg = legs_to_tell_.begin()->second;
    LegAnswersMessage& message = messages[{leg.to, leg.source}];
    message.source = leg.source;
    message.target = config_.shard;
    message.answers.push_back(leg.answer);
    if (message.answers.size() ==
        legs_per_message_max) {  // a leg sent twice is answered twice: it may be more than sent
      tell(leg.to, message);
      message.answers.clear();
    }
    legs_to_tell_.erase(legs_to_tell_.begin());
  }
  for (const auto& [to, message] : messages) {
    if (!message.answers.empty()) {
      tell(to.first, message);
    }
  }
}

void Shard::answer_ready(Output& out) {
  for (Answer& answer : waiting_.take_ready()) {
    answer.reply.leader = raft_.leader();
    out.answers.push_back(std::move(answer));
  }
}

/// Refuses what has been queued for longer than its caller waits: it was not decided, so it was not executed.
void Shard::expire_queue(Now now, Output& out) {
  if (now.monotonic < queue_expires_) {
    return;
  }
  queue_expires_ = never;
  for (Queued& queued : std::exchange(queue_, {})) {
    if (queued.deadline <= now.monotonic) {
      queue_bytes_ -= queued.body.size();
      refuse(queued.caller, queued.request.header.kind, Outcome::no_leader, out);
    } else {
      queue_expires_ = std::min(queue_expires_, queued.deadline);
      queue_.push_back(std::move(queued));
    }
  }
  expire_seeking(now, out);
}

void Shard::refuse(const Caller& caller, router::RequestKind kind, Outcome status, Output& out) const {
  router::Reply reply;
  reply.kind = kind;
  reply.status = status;
  reply.shard = config_.shard;
  reply.leader = raft_.leader();
  out.answers.push_back({caller, std::move(reply)});
}

Instant Shard::wake_at() const {
  Instant at = std::min({raft_.wake_at(), waiting_.wake_at(), sender_.wake_at(), files_.wake_at()});
  if (!queue_.empty() || !seeking_.empty()) {
    at = std::min(at, queue_expires_);
  }
  if (serving_) {
    at = std::min(at, expiry_at_);
  }
  return at;
}

bool Shard::wants_step() const {
  const bool has_writes = !legs_in_.empty() || has_answer_in_line();
  return serving_ && has_room() && (!queue_.empty() || (has_writes && !stream_.full()));
}

bool Shard::has_answer_in_line() const {
  for (auto at = answers_in_.begin(); at != answers_in_.end();) {
    const ShardId target = at->first.first;
    if (at->first.second <= state_->first_unanswered(target)) {
      return true;
    }
    at = answers_in_.upper_bound({target, LegNumber(UINT64_MAX)});
  }
  return false;
}

Summary Shard::summary() const { return summarize(*state_, applied_); }

Summary Shard::summarize(const txn::StateMachine& state, Index applied) const {
  Summary seen;
  seen.shard = config_.shard;
  seen.role = static_cast<Role>(raft_.role());
  seen.term = raft_.term();
  seen.leader = raft_.leader();
  seen.commit = raft_.commit();
  seen.last = raft_.last_index();
  seen.applied = applied;
  seen.applied_term = raft_.term_at(applied);
  seen.position = state.last_position();
  seen.dedup_rows = state.dedup_rows();
  seen.base = raft_.base().index;
  seen.snapshot = compacted_.index;
  seen.in_doubt = state.in_doubt();
  seen.uncertain = raft_.uncertain();
  seen.voters = raft_.configuration().voters;
  seen.outgoing = raft_.configuration().outgoing;
  seen.learners = raft_.configuration().learners;
  for (const ShardId target : state.leg_targets()) {
    seen.legs_unanswered += state.next_leg(target).value - state.first_unanswered(target).value;
  }
  return seen;
}

std::size_t Shard::undoable() const {
  // Undoing on a copy needs the entries, which may have left memory.
  return std::min<std::size_t>(suffix_.size() + undoable_.size(), applied_.value - raft_.base().index.value);
}

Observation Shard::observe(std::size_t undone) const {
  check(undone <= undoable(), "only entries whose undo is still remembered are undone");
  std::optional<txn::StateMachine> earlier;
  Index applied = applied_;
  if (undone > 0) earlier.emplace(*state_);
  for (; undone > 0; --undone) {
    earlier->undo_entry(view(state_payload(raft_.entry(applied))));
    applied = Index(applied.value - 1);
  }
  const txn::StateMachine& state = earlier ? *earlier : *state_;
  Observation seen;
  static_cast<Summary&>(seen) = summarize(state, applied);
  Bytes exported;
  exported.reserve(state.size_estimate());
  state.export_state(exported);
  seen.state = hash128(exported);
  for (txn::StateMachine::PocketRow& row : state.pockets()) {
    seen.pockets.push_back({std::move(row.account), row.currency, row.balance, row.held, row.locked});
  }
  return seen;
}

}  // namespace coffer::shard
