// O-T5. Locks of two-phase commit, by the committed logs: from the entry that prepares a debit to the decision, and
// from the entry that promises a credit to its Commit or Abort, no other client's order takes from or gives to the
// pocket, and no capture ends a hold for which it gives or takes; nobody is refused, or put off, for a lock that is not
// there; and once the run is quiet nothing is locked.
#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include "sim/oracles/book.h"
#include "sim/oracles/calls.h"

namespace coffer::sim::oracles {

namespace {

class LocksHold final : public Oracle {
 public:
  explicit LocksHold(const Topology& topology) : book_(topology) {}
  std::string_view name() const override { return "O-T5"; }

  void on_phase(SimTime, Phase phase) override { calls_.phase(phase); }

  void on_call(SimTime now, std::uint32_t, std::uint64_t op, const router::Request& request) override {
    calls_.called(op, request);
    called_at_[op] = now;
  }

  void on_return(SimTime, std::uint32_t, std::uint64_t op, const router::Reply& reply) override {
    const std::optional<Call> call = calls_.returned(op);
    const auto since = called_at_.find(op);
    if (!call || since == called_at_.end()) return;
    if (reply.status == Outcome::account_busy) put_off(*call, since->second);
    called_at_.erase(since);
  }

  void on_committed(SimTime now, NodeId, const CommittedEntry& committed) override {
    now_ = now;
    const std::optional<Entry> entry = book_.committed(committed);
    if (!entry || !violations().empty()) return;
    At at{committed.shard, book_.shard(committed.shard).at(Index(committed.index.value - 1)).position};
    captures_ = false;
    for (const Event& event : entry->events) {
      at.position = at.position.next();
      judge(at, event);
    }
  }

  void finish(SimTime) override {
    if (calls_.phase() < Phase::final_reads || !violations().empty()) return;
    for (const auto& [pocket, lock] : locks_) {
      violated(words(pocket) + " has been locked for transfer " + text(lock.id) + " since " +
               text(pocket.first, lock.since) + ", and nothing is on its way any more");
    }
  }

 private:
  struct At {
    ShardId shard;
    Position position;
  };
  struct Lock {
    TransferId id;
    Position since;
  };
  using Locked = std::pair<ShardId, PocketNumber>;

  void judge(const At& at, const Event& event) {
    if (const auto* decided = std::get_if<TransferDecided>(&event)) {
      order(at, decided->decided, decided->decided.outcome);
    } else if (const auto* leg = std::get_if<LegStarted>(&event)) {
      order(at, leg->decided, Outcome::success);
    } else if (const auto* tried = std::get_if<TryStarted>(&event)) {
      order(at, tried->leg.decided, Outcome::success);
    } else if (const auto* prepared = std::get_if<PrepareStarted>(&event)) {
      order(at, prepared->leg.decided, Outcome::success);
      lock(at, prepared->leg.decided.debit, prepared->leg.decided.id);
    } else if (const auto* held = std::get_if<HoldPlaced>(&event)) {
      order(at, held->decided, held->decided.outcome);
    } else if (const auto* ended = std::get_if<HoldEnded>(&event)) {
      captures_ = ended->how == HoldEnd::captured;
      if (captures_) not_captured(at, *ended);
    } else if (const auto* split = std::get_if<SplitStarted>(&event)) {
      const Outcome outcome = split->decided.outcome;
      // Of a part that was refused for a lock the event does not say the account: one there must be.
      const bool of_part = split->refused != no_part;
      if (!of_part) order(at, split->decided, outcome == Outcome::pending ? Outcome::success : outcome);
      if (of_part && outcome == Outcome::account_locked && !is_any_locked(at.shard, split->decided.amount.currency)) {
        refused_for_nothing(at, split->decided.id);
      }
      for (const SplitStarted::Part& part : split->parts) {
        if (part.is_here()) must_be_free(at, part.credit, split->decided.id);
      }
    } else if (const auto* credited = std::get_if<LegReceived>(&event)) {
      receipt(at, *credited);
    } else if (const auto* asked = std::get_if<TryReceived>(&event)) {
      receipt(at, asked->leg);
    } else if (const auto* promised = std::get_if<PrepareReceived>(&event)) {
      receipt(at, promised->leg);
      if (promised->leg.outcome == Outcome::success) lock(at, promised->leg.credit, promised->leg.id);
    } else if (const auto* begun = std::get_if<SecondStarted>(&event)) {
      if (begun->of_locks) unlock(at, begun->tried.debit, begun->tried.id);
    } else if (const auto* done = std::get_if<SecondReceived>(&event)) {
      if (is_of_locks(done->phase) && done->credit != no_pocket) unlock(at, done->credit, done->id);
    }
  }

  /// A client's order: what it moves is free; and where it was refused for a lock, there is one.
  void order(const At& at, const Decided& decided, Outcome outcome) {
    const bool captures = std::exchange(captures_, false);
    if (outcome == Outcome::account_locked) {
      if (captures)
        violated("capture " + text(decided.id) + " has ended its hold in " + text(at.shard, at.position) +
                 ", and is refused for a lock");
      if (!is_locked(at.shard, decided.debit) && !is_locked(at.shard, decided.credit))
        refused_for_nothing(at, decided.id);
    } else if (outcome == Outcome::success) {
      must_be_free(at, decided.debit, decided.id);
      must_be_free(at, decided.credit, decided.id);
    }
  }

  void receipt(const At& at, const LegReceived& leg) {
    if (leg.outcome == Outcome::success) must_be_free(at, leg.credit, leg.id);
    if (leg.outcome != Outcome::account_locked) return;
    const Pocket* credit = nullptr;
    for (const auto& [pocket, lock] : locks_) {
      if (pocket.first != at.shard) continue;
      const Pocket* locked = book_.shard(at.shard).pocket(pocket.second);
      if (locked == nullptr) continue;
      if (locked->tenant == leg.tenant && locked->name == leg.credit_account &&
          locked->currency == leg.amount.currency) {
        credit = locked;
      }
    }
    if (credit == nullptr) refused_for_nothing(at, leg.id);
  }

  /// A capture waits for the lock to go, and its hold with it.
  void not_captured(const At& at, const HoldEnded& ended) {
    const auto found = locks_.find({at.shard, ended.pocket});
    if (found == locks_.end()) return;
    violated("hold " + text(ended.id) + " is captured in " + text(at.shard, at.position) + ", and " +
             words(found->first) + " has been locked for transfer " + text(found->second.id) + " since " +
             text(at.shard, found->second.since));
  }

  /// Who is put off found a lock at some time between call and answer.
  void put_off(const Call& call, SimTime called_at) {
    const std::string what = "the capture of hold " + text(call.id) + " of account '" + call.account + "'";
    if (call.kind != router::RequestKind::capture_hold) {
      violated("what is no capture was put off for a lock");
      return;
    }
    for (std::uint32_t s = 1; s <= book_.shards(); ++s) {
      const Hold* hold = book_.shard(ShardId(s)).hold(call.tenant, call.account, call.id);
      if (hold == nullptr) continue;
      const PocketNumber credit =
          customer_pocket(ShardId(s), call.tenant, call.items.at(0).body.credit, hold->amount.currency);
      if (was_locked({ShardId(s), hold->pocket}, called_at) || was_locked({ShardId(s), credit}, called_at)) return;
      violated(what + " was put off, and nothing has locked its pocket or its payee's since it was asked");
      return;
    }
    violated(what + " was put off for a lock, and there is no such hold");
  }

  bool is_locked(ShardId shard, PocketNumber pocket) const { return locks_.contains({shard, pocket}); }

  /// Whether it has been locked at some time since.
  bool was_locked(const Locked& pocket, SimTime since) const {
    const auto freed = freed_.find(pocket);
    return locks_.contains(pocket) || (freed != freed_.end() && freed->second >= since);
  }

  /// no_pocket where the shard has none of that name.
  PocketNumber customer_pocket(ShardId shard, TenantId tenant, const std::string& account, Currency currency) const {
    for (const auto& [number, pocket] : book_.shard(shard).pockets()) {
      const bool is_it = pocket.kind == PocketKind::customer && pocket.tenant == tenant && pocket.name == account &&
                         pocket.currency == currency;
      if (is_it) return number;
    }
    return no_pocket;
  }

  bool is_any_locked(ShardId shard, Currency currency) const {
    return std::any_of(locks_.begin(), locks_.end(), [&](const auto& lock) {
      const auto& [of, pocket] = lock.first;
      const Pocket* locked = of == shard ? book_.shard(shard).pocket(pocket) : nullptr;
      return locked != nullptr && locked->currency == currency;
    });
  }

  void must_be_free(const At& at, PocketNumber pocket, const TransferId& id) {
    const auto found = locks_.find({at.shard, pocket});
    if (found == locks_.end()) return;
    violated("transfer " + text(id) + " moves money of " + words(found->first) + " in " + text(at.shard, at.position) +
             ", which has been locked for transfer " + text(found->second.id) + " since " +
             text(at.shard, found->second.since));
  }

  void refused_for_nothing(const At& at, const TransferId& id) {
    violated("transfer " + text(id) + " is refused in " + text(at.shard, at.position) +
             " for a lock, and nothing of it is locked");
  }

  void lock(const At& at, PocketNumber pocket, const TransferId& id) {
    locks_.try_emplace({at.shard, pocket}, Lock{id, at.position});  // what was locked is must_be_free's to tell
  }

  void unlock(const At& at, PocketNumber pocket, const TransferId& id) {
    const auto found = locks_.find({at.shard, pocket});
    if (found == locks_.end() || found->second.id != id) {
      violated("transfer " + text(id) + " unlocks pocket " + std::to_string(pocket.value) + " in " +
               text(at.shard, at.position) + ", which it had not locked");
      return;
    }
    freed_[found->first] = now_;
    locks_.erase(found);
  }

  std::string words(const Locked& locked) const {
    const Pocket* pocket = book_.shard(locked.first).pocket(locked.second);
    return pocket == nullptr ? "a pocket of " + text(locked.first)
                             : to_string(pocket->currency) + " of account '" + pocket->name + "'";
  }

  Book book_;
  std::map<Locked, Lock> locks_;
  std::map<Locked, SimTime> freed_;  ///< when the latest lock went
  Calls calls_;
  std::map<std::uint64_t, SimTime> called_at_;  ///< of the calls under way
  SimTime now_;                                 ///< of the latest entry
  bool captures_ = false;                       ///< the next order of the entry is a capture's transfer
};

}  // namespace

std::unique_ptr<Oracle> make_locks(const Topology& topology) { return std::make_unique<LocksHold>(topology); }

}  // namespace coffer::sim::oracles
