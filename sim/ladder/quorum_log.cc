#include "sim/ladder/quorum_log.h"

#include <algorithm>

#include "core/base/check.h"

namespace coffer::sim::ladder {

namespace {

enum Verb : std::uint32_t {
  vote_request = 100,
  vote,
  append_request,
  append_answer,
  beat,          // a timer
  stood,         // syncs: of a candidate's own vote
  voted,         // ... of a vote for another
  held,          // ... of an entry, at the leader
  acknowledged,  // ... at a follower
  nothing,
  term_record,
  entry_record,
};
constexpr Duration beat_every = milliseconds(60);
constexpr Duration patience_least = milliseconds(240);
constexpr std::uint64_t ship_max = 8;  // entries at once

}  // namespace

void Replica::boot(Context& context, const std::vector<Message>& log) {
  for (const Message& record : log) {
    if (record.verb == term_record) {
      term_ = record.term;
      voted_ = static_cast<Node>(record.number);
    } else {
      log_.resize(record.number - 1);
      log_.push_back({record.account, record.transfer, record.flag, record.entry_term});
    }
  }
  votes_.resize(options_.replicas);
  next_.resize(options_.replicas);
  match_.resize(options_.replicas);
  begin(context);
  reset_patience(context);
  if (context.first_boot()) patience_ = context.now() + beat_every * context.self();  // they do not stand together
  context.wake(beat_every, {.verb = beat});
  if (options_.replicas == 1) stand(context);
}

void Replica::receive(Context& context, Node from, const Message& message) {
  if (message.verb < log_verbs) {
    hear(context, from, message);
    return;
  }
  if (message.term > term_) adopt(context, message.term, 0);
  if (message.verb == vote_request) vote_asked(context, from, message);
  if (message.verb == append_request) append_asked(context, from, message);
  if (message.term != term_) return;
  if (message.verb == append_answer && role_ == Role::leader) appended(context, from, message);
  if (message.verb == vote && role_ == Role::candidate) {
    votes_[from - 1] = true;
    if (std::count(votes_.begin(), votes_.end(), true) >= static_cast<std::ptrdiff_t>(majority())) win(context);
  }
}

void Replica::woken(Context& context, const Message& note) {
  if (note.verb == beat) {
    tick(context);
  } else {
    remind(context, note);
  }
}

void Replica::tick(Context& context) {
  context.wake(beat_every, {.verb = beat});
  if (unsynced_) {
    unsynced_ = false;
    context.sync({.verb = nothing});
  }
  if (role_ == Role::leader) {
    for (Node node = 1; node <= options_.replicas; ++node) {
      if (node != context.self()) ship(context, node, true);
    }
  } else if (context.now() >= patience_) {
    stand(context);
  }
}

/// A term never goes back across a restart, and has one vote.
void Replica::adopt(Context& context, std::uint64_t term, Node vote) {
  if (term > term_) leader_ = 0;
  term_ = term;
  voted_ = vote;
  role_ = Role::follower;
  ready_ = false;
  context.write({.verb = term_record, .number = vote, .term = term});
}

void Replica::reset_patience(Context& context) {
  patience_ = context.now() + patience_least + Duration{context.prng().between(0, patience_least.nanos)};
}

void Replica::stand(Context& context) {
  adopt(context, term_ + 1, context.self());
  role_ = Role::candidate;
  std::fill(votes_.begin(), votes_.end(), false);
  reset_patience(context);
  context.sync({.verb = stood, .term = term_});
}

void Replica::vote_asked(Context& context, Node from, const Message& message) {
  const bool newer =
      message.entry_term != term_at(last()) ? message.entry_term > term_at(last()) : message.number >= last();
  if (message.term < term_ || role_ == Role::leader || (voted_ != 0 && voted_ != from) || !newer) return;
  adopt(context, term_, from);
  reset_patience(context);
  context.sync({.verb = voted, .number = from, .term = term_});
}

void Replica::win(Context& context) {
  role_ = Role::leader;
  leader_ = context.self();
  std::fill(next_.begin(), next_.end(), last() + 1);
  std::fill(match_.begin(), match_.end(), 0);
  append(context, {});  // of its own term: what is before it commits with it
}

void Replica::propose(Context& context, const Entry& entry) {
  check(leads(), "only a leader proposes");
  append(context, entry);
}

void Replica::append(Context& context, const Entry& entry) {
  Entry own = entry;
  own.term = term_;
  put(context, last() + 1, own);
  if (options_.sync_first) {
    context.sync({.verb = held, .number = last(), .term = term_});
  } else {
    unsynced_ = true;
    holds(context, last());
  }
  if (!options_.ship_at_once) return;
  for (Node node = 1; node <= options_.replicas; ++node) {
    if (node != context.self() && next_[node - 1] == last()) ship(context, node, false);
  }
}

/// What the follower lacks; a heartbeat also when it lacks nothing.
void Replica::ship(Context& context, Node to, bool heartbeat) {
  const std::uint64_t next = next_[to - 1];
  Message message{.verb = append_request, .number = next, .term = term_};
  message.commit = committed_;
  if (next > last()) {
    message.previous_term = term_at(next - 1);
    if (heartbeat) context.send_upkeep(to, message);
    return;
  }
  for (std::uint64_t index = next; index <= std::min(last(), next + ship_max - 1); ++index) {
    const Entry& entry = log_[index - 1];
    message.transfer = entry.transfer;
    message.account = entry.kind;
    message.flag = entry.flag;
    message.amount = 1;
    message.number = index;
    message.entry_term = entry.term;
    message.previous_term = term_at(index - 1);
    context.send(to, message);
  }
}

void Replica::append_asked(Context& context, Node from, const Message& message) {
  Message answer{.verb = append_answer, .number = last(), .term = term_};
  if (message.term < term_) {
    context.send_upkeep(from, answer);
    return;
  }
  role_ = Role::follower;
  leader_ = from;
  reset_patience(context);
  const std::uint64_t before = message.number - 1;
  if (before > last() || term_at(before) != message.previous_term) {
    answer.number = std::min(last(), before == 0 ? 0 : before - 1);
    context.send_upkeep(from, answer);  // flag 0: not from here
    return;
  }
  const bool carries = message.amount == 1;
  if (carries) {
    if (message.number <= last() && term_at(message.number) != message.entry_term) cut(context, message.number);
    if (message.number > last()) {
      put(context, message.number, {message.account, message.transfer, message.flag, message.entry_term});
    }
    const Message note{.verb = acknowledged, .account = from, .number = message.number, .term = term_};
    if (options_.sync_first) {
      context.sync(note);
    } else {
      unsynced_ = true;
      synced(context, note);
    }
  }
  advance(context, std::min(message.commit, carries ? message.number : before));
}

void Replica::synced(Context& context, const Message& note) {
  if (note.term != term_) return;
  if (note.verb == stood && role_ == Role::candidate) {
    votes_[context.self() - 1] = true;
    if (majority() == 1) win(context);
    const Message message{.verb = vote_request, .number = last(), .term = term_, .entry_term = term_at(last())};
    for (Node node = 1; node <= options_.replicas; ++node) {
      if (node != context.self()) context.send_upkeep(node, message);
    }
  } else if (note.verb == voted) {
    context.send_upkeep(static_cast<Node>(note.number), {.verb = vote, .term = term_});
  } else if (note.verb == held && role_ == Role::leader) {
    holds(context, note.number);
  } else if (note.verb == acknowledged) {
    context.send(note.account, {.verb = append_answer, .flag = 1, .number = note.number, .term = term_});
  }
}

void Replica::appended(Context& context, Node from, const Message& message) {
  if (message.flag == 1) {
    match_[from - 1] = std::max(match_[from - 1], message.number);
    next_[from - 1] = std::max(next_[from - 1], message.number + 1);
    count_holders(context);
    if (options_.ship_at_once && next_[from - 1] <= last()) ship(context, from, false);
  } else {
    const std::uint64_t next = std::max(match_[from - 1] + 1, std::min(next_[from - 1], message.number + 1));
    if (next == next_[from - 1]) return;  // it has lost what it acknowledged; the next heartbeat tries again
    next_[from - 1] = next;
    ship(context, from, false);
  }
}

void Replica::holds(Context& context, std::uint64_t index) {
  match_[context.self() - 1] = std::max(match_[context.self() - 1], index);
  count_holders(context);
}

/// Counts only entries of its own term (Raft, 3.6.2).
void Replica::count_holders(Context& context) {
  std::vector<std::uint64_t> held_by = match_;
  std::sort(held_by.rbegin(), held_by.rend());
  std::uint64_t index = 0;
  switch (options_.committed) {
    case QuorumOptions::Committed::by_majority:
      index = held_by[majority() - 1];
      break;
    case QuorumOptions::Committed::by_leader:
      index = match_[context.self() - 1];
      break;
    case QuorumOptions::Committed::by_all:
      index = held_by.back();
      break;
  }
  if (term_at(index) == term_) advance(context, index);
}

void Replica::advance(Context& context, std::uint64_t committed) {
  committed_ = std::max(committed_, committed);
  while (applied_ < committed_) {
    const Entry entry = log_[applied_++];
    if (entry.kind != 0) apply(context, entry);
    if (role_ != Role::leader || ready_ || entry.term != term_) continue;
    ready_ = true;
    lead(context);
  }
}

void Replica::put(Context& context, std::uint64_t index, const Entry& entry) {
  log_.push_back(entry);
  context.write({.verb = entry_record,
                 .transfer = entry.transfer,
                 .account = entry.kind,
                 .flag = entry.flag,
                 .number = index,
                 .entry_term = entry.term});
}

void Replica::cut(Context& context, std::uint64_t from) {
  log_.resize(from - 1);
  committed_ = std::min(committed_, last());
  if (applied_ <= last()) return;
  applied_ = last();
  context.book().begin_replay();
  begin(context);
  for (const Entry& entry : log_) {
    if (entry.kind != 0) apply(context, entry);
  }
  context.book().end_replay();
}

void Replica::pass_on(Context& context, const Message& message) const {
  if (leader_ != 0 && leader_ != context.self()) context.send(leader_, message);
}

}  // namespace coffer::sim::ladder
