// O-L6. A hold has one live owner and ends: once, as a client asked, or by an entry stamped past its expiry; nobody
// captures or voids it later, and no entry past its expiry leaves it live. What ends as captured is taken by the next
// event of the same entry, under the id made of the hold's, and by nothing else: at most what was held, once. What
// clients were told of holds is so. Once faults have ended a hold does not outlive its expiry for long, though nothing
// else happens in its shard.
#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <utility>

#include "sim/oracles/calls.h"
#include "sim/oracles/transfers.h"

namespace coffer::sim::oracles {

namespace {

/// A leader without work has seen by then that a hold is over: it was elected, and has the others' clocks.
constexpr Duration late_max = seconds(3);

std::string_view spelled(HoldEnd end) {
  switch (end) {
    case HoldEnd::captured:
      return "captured";
    case HoldEnd::voided:
      return "voided";
    case HoldEnd::expired:
      return "expired";
  }
  return "ended as nobody knows";
}

/// How clients have tried to end a hold.
struct Attempts {
  std::uint64_t made = 0;
  std::uint64_t refused = 0;  ///< for certain
  std::uint64_t first = 0;    ///< told that it was this one
};

class Holds final : public Oracle {
 public:
  explicit Holds(const Topology& topology) : transfers_(topology), shards_(topology.shards) {}
  std::string_view name() const override { return "O-L6"; }

  void on_phase(SimTime now, Phase phase) override {
    calls_.phase(phase);
    if (phase == Phase::healing) healing_since_ = now;
    // The reads to come give every leader work.
    for (std::uint32_t s = 1; phase == Phase::final_reads && s <= transfers_.book().shards(); ++s) {
      judge_live(now, ShardId(s));
    }
  }

  void on_committed(SimTime now, NodeId, const CommittedEntry& committed) override {
    const Book& book = transfers_.book();
    const bool is_next = book.knows(committed.shard) && committed.index == book.shard(committed.shard).last().next();
    transfers_.committed(committed);
    if (!is_next || !violations().empty() || committed.kind != EntryKind::state) return;
    const std::optional<Entry> entry = decode_entry(committed.payload);
    if (!entry || entry->events.empty()) return;  // O-L2 tells of those that cannot be read
    judge(now, committed.shard, *entry);
    if (calls_.phase() == Phase::setup) {
      shards_[committed.shard.value - 1].time_began = Stamp{entry->stamp.nanos - now.nanos};
    }
  }

  void on_call(SimTime, std::uint32_t, std::uint64_t op, const router::Request& request) override {
    const Call& call = calls_.called(op, request);
    for (const Asked& asked : call.items) {
      if (call.kind == router::RequestKind::transfers) transfers_asked_.insert(asked.key);
    }
    if (call.kind == router::RequestKind::capture_hold) ++captures_[call.hold()].made;
    if (call.kind == router::RequestKind::void_hold) ++voids_[call.hold()].made;
  }

  void on_return(SimTime, std::uint32_t, std::uint64_t op, const router::Reply& reply) override {
    const std::optional<Call> call = calls_.returned(op);
    if (!call) return;
    if (const auto* placed = std::get_if<router::PlaceHoldReply>(&reply.body)) told_placed(*call, *placed);
    if (const auto* captured = std::get_if<router::CaptureHoldReply>(&reply.body)) {
      if (captured->transfer != captured_as(call->id)) {
        violated("the capture of " + words(call->hold()) + " was told as transfer " + text(captured->transfer));
      }
    }
    const bool captures = call->kind == router::RequestKind::capture_hold;
    if (captures || call->kind == router::RequestKind::void_hold) tried(*call, captures, reply);
  }

  void finish(SimTime) override {
    for (const auto& [key, attempts] : voids_) judge(key, attempts, HoldEnd::voided);
    for (const auto& [key, attempts] : captures_) judge(key, attempts, HoldEnd::captured);
  }

 private:
  struct Shard {
    Position position;
    Stamp stamp;
    std::set<std::pair<Stamp, std::uint32_t>> live;  ///< by expiry
    std::optional<Stamp> time_began;                 ///< stamp of simulated time 0, by the last entry of setup
    std::map<std::pair<AccountNumber, TransferId>, std::uint32_t> captures;  ///< the hold, by what would capture it
    std::vector<std::optional<HoldEnd>> ends;                                ///< by hold
  };
  /// Where an event stands.
  struct At {
    SimTime now;
    ShardId shard;
    Position position;
    Stamp stamp;
    const ShardBook& book;
    std::string where() const { return text(shard, position); }
  };

  static std::string words(const Key& key) { return "hold " + text(key.id) + " of account '" + key.home + "'"; }
  static std::string words(const Hold& hold) { return words(Key{hold.tenant, hold.account, hold.id}); }

  void judge(SimTime now, ShardId id, const Entry& entry) {
    Shard& shard = shards_[id.value - 1];
    const ShardBook& book = transfers_.book().shard(id);
    shard.stamp = entry.stamp;
    std::size_t expired = 0;
    const HoldEnded* captured = nullptr;
    for (std::size_t i = 0; i < entry.events.size(); ++i) {
      shard.position = shard.position.next();
      const At at{now, id, shard.position, entry.stamp, book};
      if (const Decided* decided = decided_by(entry.events[i])) order(at, *decided, captured);
      captured = capture_pending(captured, entry.events[i]);
      if (const auto* placed = std::get_if<HoldPlaced>(&entry.events[i])) place(at, *placed);
      if (const auto* ended = std::get_if<HoldEnded>(&entry.events[i])) {
        end(at, *ended, decided_after(entry, i));
        expired += ended->how == HoldEnd::expired ? 1 : 0;
      }
      answered(entry.events[i]);
    }
    // Where one entry cannot take all of them, the earliest have gone first.
    if (expired > 0 || shard.live.empty() || shard.live.begin()->first >= entry.stamp) return;
    const Hold& hold = book.holds()[shard.live.begin()->second];
    violated(words(hold) + " expired at " + std::to_string(hold.expires.nanos) + ", and the entry at " +
             text(id, entry.first_position) + ", stamped " + std::to_string(entry.stamp.nanos) + ", left it as it was");
  }

  /// What the next event decides, or, if that only opens the transit pocket for it, the one behind.
  static const Decided* decided_after(const Entry& entry, std::size_t end) {
    const auto* ended = std::get_if<HoldEnded>(&entry.events[end]);
    for (std::size_t i = end + 1; i < entry.events.size(); ++i) {
      if (capture_pending(ended, entry.events[i]) != ended) return decided_by(entry.events[i]);
    }
    return nullptr;
  }

  void place(const At& at, const HoldPlaced& event) {
    const Decided& d = event.decided;
    if (d.outcome == Outcome::insufficient_funds) kept_out(at, d);
    if (d.outcome != Outcome::success) return;
    Shard& shard = shards_[at.shard.value - 1];
    const Pocket* pocket = at.book.pocket(d.debit);
    const auto number = static_cast<std::uint32_t>(shard.ends.size());
    if (number >= at.book.holds().size()) return;
    const Hold& hold = at.book.holds()[number];
    if (pocket == nullptr || pocket->kind != PocketKind::customer || pocket->name != hold.account ||
        pocket->tenant != hold.tenant || pocket->currency != d.amount.currency || d.amount.minor <= 0) {
      violated(at.where() + " holds " + std::to_string(d.amount.minor) + " minor units of a pocket that is not of " +
               "that account and currency, or none");
    }
    if (event.expires <= at.stamp) violated(at.where() + " places " + words(hold) + ", which has expired already");
    shard.live.emplace(event.expires, number);
    shard.ends.emplace_back();
    shard.captures[{d.home, captured_as(d.id)}] = number;
  }

  void end(const At& at, const HoldEnded& event, const Decided* next) {
    Shard& shard = shards_[at.shard.value - 1];
    if (event.hold >= shard.ends.size()) {
      violated(at.where() + " ends hold " + std::to_string(event.hold) + ", which was never placed");
      return;
    }
    const Hold& hold = at.book.holds()[event.hold];
    const std::string what = at.where() + " says that " + words(hold) + " is " + std::string(spelled(event.how));
    if (std::optional<HoldEnd>& end = shard.ends[event.hold]) {
      violated(what + ", and it was " + std::string(spelled(*end)) + " before");
      return;
    }
    shard.ends[event.hold] = event.how;
    shard.live.erase({hold.expires, event.hold});
    if (event.id != hold.id || event.pocket != hold.pocket || event.amount != hold.amount) {
      violated(what + " with another id, pocket or amount than it was placed with");
    }
    const Key key{hold.tenant, hold.account, hold.id};
    const std::string stamps = std::to_string(at.stamp.nanos) + " and its expiry " + std::to_string(hold.expires.nanos);
    if (event.how == HoldEnd::expired && at.stamp <= hold.expires) {
      violated(what + ", though its time is not over: the entry's stamp is " + stamps);
    } else if (event.how != HoldEnd::expired && at.stamp > hold.expires) {
      violated(what + ", and its time is over: the entry's stamp is " + stamps);
    } else if (event.how == HoldEnd::voided && !voids_.contains(key)) {
      violated(what + ", and nobody asked for it");
    } else if (event.how == HoldEnd::captured && !captures_.contains(key)) {
      violated(what + ", and nobody asked for it");
    } else if (event.how == HoldEnd::captured) {
      captured(what, hold, next);
    }
    if (event.how == HoldEnd::voided) seen("hold_voided");
    if (event.how != HoldEnd::expired) return;
    seen("hold_expired");
    if (const auto late = lateness(at.now, shard, hold)) violated(what + ", " + *late + " late");
  }

  /// By the event behind its end.
  void captured(const std::string& what, const Hold& hold, const Decided* next) {
    if (next == nullptr || next->operation != Operation::transfer || next->id != captured_as(hold.id)) {
      violated(what + ", and the next event of the entry does not decide what takes it");
    } else if (next->amount.currency != hold.amount.currency || next->amount.minor > hold.amount.minor) {
      violated(what + ", and " + std::to_string(next->amount.minor) + " minor units are to be taken of the " +
               std::to_string(hold.amount.minor) + " held");
    } else if (next->debit != hold.pocket && next->debit != no_pocket) {
      violated(what + ", and the next event takes from another pocket");
    }
    if (next == nullptr) return;
    if (next->outcome == Outcome::success) seen("hold_captured_within");
    if (next->outcome != Outcome::success && next->outcome != Outcome::pending) seen("hold_capture_refused");
    if (next->outcome == Outcome::pending) under_way_.insert(next->id);
  }

  /// What would capture a hold follows the hold's end; and where a hold kept a debit out, that is counted.
  void order(const At& at, const Decided& decided, const HoldEnded* ended) {
    Shard& shard = shards_[at.shard.value - 1];
    const auto found = shard.captures.find({decided.home, decided.id});
    if (found != shard.captures.end() && (ended == nullptr || ended->hold != found->second)) {
      const Hold& hold = at.book.holds()[found->second];
      // Nothing keeps a client from giving a transfer of its own that very id.
      if (!transfers_asked_.contains({hold.tenant, hold.account, decided.id})) {
        violated(at.where() + " decides the transfer that captures " + words(hold) + ", which does not end there");
      }
    }
    if (decided.operation != Operation::hold && decided.outcome == Outcome::insufficient_funds) kept_out(at, decided);
  }

  void kept_out(const At& at, const Decided& decided) {
    const Pocket* pocket = at.book.pocket(decided.debit);
    if (pocket != nullptr && pocket->balance_at(at.position) >= decided.amount.minor) seen("hold_kept_debit_out");
  }

  void answered(const Event& event) {
    if (const auto* answer = std::get_if<LegAnswered>(&event)) ended_across(answer->id, answer->outcome);
    if (const auto* begun = std::get_if<SecondStarted>(&event)) ended_across(begun->tried.id, begun->tried.outcome);
  }

  void ended_across(const TransferId& id, Outcome outcome) {
    if (under_way_.erase(id) == 0) return;
    seen(outcome == Outcome::success ? "hold_captured_across" : "hold_capture_compensated");
  }

  void told_placed(const Call& call, const router::PlaceHoldReply& reply) {
    if (reply.result.outcome != Outcome::success || !violations().empty()) return;
    const Hold* hold = find(call.hold());
    if (hold == nullptr) return;  // O-L4 tells
    if (hold->expires == reply.expires) return;
    violated("the expiry of " + words(call.hold()) + " was told as " + std::to_string(reply.expires.nanos) +
             ", and the log says " + std::to_string(hold->expires.nanos));
  }

  /// The end that a refusal speaks of is in the log by then.
  void tried(const Call& call, bool captures, const router::Reply& reply) {
    Attempts& attempts = (captures ? captures_ : voids_)[call.hold()];
    const auto* voided = std::get_if<router::VoidHoldReply>(&reply.body);
    if (voided != nullptr && !voided->already) ++attempts.first;
    if (reply.status == Outcome::success || is_open(reply.status)) return;
    ++attempts.refused;
    const std::string what = std::string(captures ? "the capture" : "the voiding") + " of " + words(call.hold()) +
                             " was refused with '" + std::string(coffer::name(reply.status)) + "'";
    const Hold* hold = find(call.hold());
    const auto must_be = [&](HoldEnd end) {
      if (hold != nullptr && hold->end == end) return;
      violated(what + ", and it was not " + std::string(spelled(end)));
    };
    if (reply.status == Outcome::hold_captured) must_be(HoldEnd::captured);
    if (reply.status == Outcome::hold_voided) must_be(HoldEnd::voided);
    if (reply.status == Outcome::hold_expired) must_be(HoldEnd::expired);
    if (reply.status == Outcome::hold_expired && captures) seen("hold_expiry_beat_capture");
    if (reply.status == Outcome::currency_mismatch && captures && hold != nullptr &&
        hold->amount.currency == call.items[0].body.amount.currency) {
      violated(what + ", and that is its currency");
    }
    if (reply.status == Outcome::hold_exceeded && captures) {
      if (hold == nullptr || hold->amount.minor >= call.items[0].body.amount.minor) {
        violated(what + ", and it keeps as much");
      }
      seen("hold_exceeded");
    }
  }

  void judge(const Key& key, const Attempts& attempts, HoldEnd end) {
    if (attempts.first > 1) {
      violated("the voiding of " + words(key) + " was told " + std::to_string(attempts.first) +
               " times as that which did it");
    }
    const Hold* hold = find(key);
    const bool is_so = hold != nullptr && hold->end == end;
    if (!is_so || attempts.made > attempts.refused) return;
    violated(words(key) + " was " + std::string(spelled(end)) + " in " + std::to_string(hold->ended.value) +
             ", and all " + std::to_string(attempts.made) + " attempts had been refused");
  }

  /// More than is allowed, while nothing is in the way. By true time: what the stamps of setup say of simulated time.
  /// Where leaps of clocks have carried the stamps beyond it, holds placed since then wait for true time to come.
  std::optional<std::string> lateness(SimTime now, const Shard& shard, const Hold& hold) const {
    if (calls_.phase() < Phase::healing || !shard.time_began) return std::nullopt;
    const SimTime over{std::max(hold.expires.nanos - shard.time_began->nanos, healing_since_.nanos)};
    if (now - over <= late_max) return std::nullopt;
    return std::to_string((now - over).millis()) + " ms";
  }

  void judge_live(SimTime now, ShardId id) {
    const Shard& shard = shards_[id.value - 1];
    if (shard.live.empty()) return;
    const Hold& hold = transfers_.book().shard(id).holds()[shard.live.begin()->second];
    if (const auto late = lateness(now, shard, hold)) violated(words(hold) + " is held still, " + *late + " late");
  }

  const Hold* find(const Key& key) const {
    for (std::uint32_t s = 1; s <= transfers_.book().shards(); ++s) {
      if (const Hold* hold = transfers_.book().shard(ShardId(s)).hold(key.tenant, key.home, key.id)) return hold;
    }
    return nullptr;
  }

  Calls calls_;
  Transfers transfers_;
  std::vector<Shard> shards_;  ///< by shard - 1
  std::map<Key, Attempts> captures_;
  std::map<Key, Attempts> voids_;
  std::set<Key> transfers_asked_;   ///< as such, by clients
  std::set<TransferId> under_way_;  ///< captures across shards
  SimTime healing_since_;
};

}  // namespace

std::unique_ptr<Oracle> make_holds(const Topology& topology) { return std::make_unique<Holds>(topology); }

}  // namespace coffer::sim::oracles
