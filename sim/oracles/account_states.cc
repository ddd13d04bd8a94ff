// O-L7. Frozen and closed accounts. Nothing new is taken from a frozen account or given to it, and nothing is refused
// as frozen or closed that is not so; what was promised before a freeze (compensation, the Confirm of a Try, the
// capture of a hold) goes through. An account is closed only when it is empty and nothing of it is pending, and then
// nothing ever moves in it again, nor is it opened further. Each change is made once, begins with the state there is,
// and was asked for; one that was refused in all its attempts is never made.
#include <map>
#include <memory>

#include "sim/oracles/calls.h"
#include "sim/oracles/decode.h"
#include "sim/oracles/transfers.h"

namespace coffer::sim::oracles {

namespace {

std::string_view words(AccountState state) {
  switch (state) {
    case AccountState::open:
      return "open";
    case AccountState::frozen:
      return "frozen";
    case AccountState::closed:
      return "closed";
  }
  return "in no known state";
}

struct Held {
  AccountNumber account = no_account;  ///< no_account: a system's
  Sum balance = 0;
  Sum pending = 0;  ///< in legs without an answer, and room kept by Tries
};

struct Owner {
  TenantId tenant;
  std::string name;
  AccountState state = AccountState::open;
};

struct ShardAccounts {
  Index last;
  Position position;
  PocketNumber captured = no_pocket;  ///< of a hold: by the event before
  std::map<PocketNumber, Held> pockets;
  std::map<AccountNumber, Owner> accounts;

  /// The owner of a customer's pocket; null for others.
  Owner* owner_of(PocketNumber pocket) {
    const auto held = pockets.find(pocket);
    const auto owner = held == pockets.end() ? accounts.end() : accounts.find(held->second.account);
    return owner == accounts.end() ? nullptr : &owner->second;
  }
  AccountState state_of(TenantId tenant, const std::string& name) const {
    for (const auto& [number, owner] : accounts) {
      if (owner.tenant == tenant && owner.name == name) return owner.state;
    }
    return AccountState::open;
  }
  bool is_empty(AccountNumber account) const {
    for (const auto& [number, held] : pockets) {
      if (held.account == account && (held.balance != 0 || held.pending != 0)) return false;
    }
    return true;
  }
  bool has_pending(AccountNumber account) const {
    for (const auto& [number, held] : pockets) {
      if (held.account == account && held.pending != 0) return true;
    }
    return false;
  }
};

struct Attempts {
  std::uint64_t made = 0;
  std::uint64_t refused = 0;
  std::uint64_t events = 0;
};

class AccountStates final : public Oracle {
 public:
  explicit AccountStates(const Topology& topology) : shards_(topology.shards) {}
  std::string_view name() const override { return "O-L7"; }

  void on_phase(SimTime, Phase phase) override { calls_.phase(phase); }

  void on_committed(SimTime, NodeId, const CommittedEntry& committed) override {
    if (committed.shard.value == 0 || committed.shard.value > shards_.size()) return;
    ShardAccounts& shard = shards_[committed.shard.value - 1];
    if (committed.index != shard.last.next()) return;
    shard.last = committed.index;
    if (committed.kind != EntryKind::state) return;
    const std::optional<Entry> entry = decode_entry(committed.payload);
    if (!entry) return;  // O-L2 tells
    const HoldEnded* captured = nullptr;
    for (const Event& event : entry->events) {
      shard.position = shard.position.next();
      const Reading reading{*this, shard, text(committed.shard, shard.position)};
      std::visit(reading, event);
      captured = capture_pending(captured, event);
      shard.captured = captured != nullptr ? captured->pocket : no_pocket;
      for (const Posting& posting : postings_of(event)) reading.post(posting);
    }
  }

  void on_call(SimTime, std::uint32_t, std::uint64_t op, const router::Request& request) override {
    const Call& call = calls_.called(op, request);
    if (call.kind == router::RequestKind::change_account) ++attempts_[{call.tenant, call.account, call.id}].made;
  }

  void on_return(SimTime, std::uint32_t, std::uint64_t op, const router::Reply& reply) override {
    const std::optional<Call> call = calls_.returned(op);
    if (!call || call->kind != router::RequestKind::change_account) return;
    if (reply.status == Outcome::account_not_empty) seen("close_refused");
    const bool is_refusal = is_unlogged_refusal(reply.status);
    if (is_refusal) ++attempts_[{call->tenant, call->account, call->id}].refused;
  }

  void finish(SimTime) override {
    for (const auto& [key, attempts] : attempts_) {
      const std::string what = "the change of account '" + key.home + "' with id " + text(key.id);
      if (attempts.events > 1) violated(what + " was made " + std::to_string(attempts.events) + " times");
      if (attempts.events > 0 && attempts.made == 0) violated(what + " was made, and nobody asked for it");
      if (attempts.events > 0 && attempts.made > 0 && attempts.made == attempts.refused) {
        violated(what + " was refused in all " + std::to_string(attempts.made) + " attempts, and was made");
      }
    }
  }

 private:
  /// What one event may do, by the states before it.
  struct Reading {
    AccountStates& oracle;
    ShardAccounts& shard;
    std::string where;

    void operator()(const ShardFounded&) const {}
    void operator()(const AccountOpened& event) const {
      shard.pockets[event.pocket].account = event.kind == PocketKind::customer ? event.account : no_account;
      if (event.kind != PocketKind::customer) return;
      const auto known = shard.accounts.try_emplace(event.account, Owner{event.tenant, event.name, AccountState::open});
      if (known.first->second.state == AccountState::closed) {
        oracle.violated(where + " opens a pocket of account '" + event.name + "', which is closed");
      }
    }
    void operator()(const TransferDecided& event) const {
      const Decided& decided = event.decided;
      if (decided.outcome == Outcome::success) {
        gives(decided.debit);
        takes_part(decided.credit, "gives to");
      }
      // A refusal that has resolved its debit was refused for the credit's sake, and does not say which that is.
      if (is_state(decided.outcome) && decided.debit == no_pocket && decided.credit == no_pocket) {
        const auto home = shard.accounts.find(decided.home);
        if (home != shard.accounts.end()) refuses(decided.outcome, home->second.name, home->second.state);
      } else if (is_state(decided.outcome)) {
        count(decided.outcome);
      }
    }
    void operator()(const LegStarted& event) const {
      gives(event.decided.debit);
      pend(event.decided.debit, event.decided.amount.minor);
    }
    void operator()(const TryStarted& event) const { (*this)(event.leg); }
    void operator()(const LegReceived& event) const {
      if (event.outcome == Outcome::success) takes_part(event.credit, "gives to");
      if (is_state(event.outcome)) {
        refuses(event.outcome, event.credit_account, shard.state_of(event.tenant, event.credit_account));
      }
    }
    void operator()(const TryReceived& event) const {
      (*this)(event.leg);
      if (event.leg.outcome == Outcome::success) pend(event.leg.credit, event.leg.amount.minor);
    }
    void operator()(const PrepareStarted& event) const { (*this)(event.leg); }
    void operator()(const PrepareReceived& event) const { (*this)(TryReceived{event.leg}); }
    void operator()(const LegAnswered& event) const {
      pend(event.debit, -event.amount.minor);
      if (event.outcome != Outcome::success && is_in(event.debit, AccountState::frozen)) {
        oracle.seen("compensation_into_frozen");
      }
    }
    void operator()(const SecondStarted& event) const {
      if (!accepts(event.phase())) (*this)(event.tried);
    }
    void operator()(const SecondReceived& event) const {
      if (event.credit == no_pocket) return;
      pend(event.credit, -event.amount.minor);
      if (accepts(event.phase) && is_in(event.credit, AccountState::frozen)) {
        oracle.seen("confirmed_into_frozen");
      }
    }
    void operator()(const SecondEnded& event) const {
      if (accepts(event.phase)) pend(event.debit, -event.amount.minor);
    }
    void operator()(const HoldPlaced& event) const {
      const Decided& decided = event.decided;
      if (decided.outcome == Outcome::success) takes_part(decided.debit, "holds money of");
      if (!is_state(decided.outcome)) return;
      const auto home = shard.accounts.find(decided.home);
      if (home != shard.accounts.end()) refuses(decided.outcome, home->second.name, home->second.state);
    }
    void operator()(const HoldEnded&) const {}
    void operator()(const WindowMoved&) const {}
    void operator()(const SourceOpened&) const {}
    void operator()(const RowsLeft&) const {}
    void operator()(const SplitStarted& event) const {
      const Decided& decided = event.decided;
      if (decided.outcome == Outcome::pending || decided.outcome == Outcome::success) {
        takes_part(decided.debit, "takes from");
        for (const SplitStarted::Part& part : event.parts) {
          if (part.is_here()) takes_part(part.credit, "gives to");
          if (decided.outcome == Outcome::success) continue;
          pend(decided.debit, part.amount);
          if (part.is_here()) pend(part.credit, part.amount);
        }
        return;
      }
      // Which account a part refused was for, the event does not say; O-T6 asks who asked.
      if (is_state(decided.outcome) && event.refused == no_part) {
        const auto home = shard.accounts.find(decided.home);
        if (home != shard.accounts.end()) refuses(decided.outcome, home->second.name, home->second.state);
      } else if (is_state(decided.outcome)) {
        count(decided.outcome);
      }
    }
    void operator()(const SplitAnswered&) const {}
    void operator()(const SplitDecided& event) const {
      for (const SplitDecided::Part& part : event.parts) {
        if (part.is_here()) pend(part.credit, -part.amount);
        if (part.is_here() || !accepts(event.phase())) pend(event.debit, -part.amount);
        if (part.is_here() && accepts(event.phase()) && is_in(part.credit, AccountState::frozen)) {
          oracle.seen("confirmed_into_frozen");
        }
      }
      if (!accepts(event.phase()) && is_in(event.debit, AccountState::frozen)) oracle.seen("compensation_into_frozen");
    }
    void operator()(const SplitEnded& event) const { (*this)(event.ended); }
    void operator()(const AccountChanged& event) const {
      const auto found = shard.accounts.find(event.account);
      if (found == shard.accounts.end()) {
        oracle.violated(where + " changes account " + std::to_string(event.account.value) + ", which was never opened");
        return;
      }
      Owner& owner = found->second;
      ++oracle.attempts_[{owner.tenant, owner.name, event.id}].events;
      if (owner.state != event.before) {
        oracle.violated(where + " says that account '" + owner.name + "' was " + std::string(words(event.before)) +
                        ", and it was " + std::string(words(owner.state)));
      }
      if (owner.state == AccountState::closed && event.after() != AccountState::closed) {
        oracle.violated(where + " makes account '" + owner.name + "' " + std::string(words(event.after())) +
                        ", and it was closed");
      }
      if (event.after() == AccountState::closed && !shard.is_empty(event.account)) {
        oracle.violated(where + " closes account '" + owner.name + "', which holds money or has some under way");
      }
      if (owner.state != AccountState::frozen && event.after() == AccountState::frozen &&
          shard.has_pending(event.account)) {
        oracle.seen("frozen_between_phases");
      }
      if (owner.state != AccountState::closed && event.after() == AccountState::closed) oracle.seen("account_closed");
      owner.state = event.after();
    }

    void post(const Posting& posting) const {
      const auto held = shard.pockets.find(posting.pocket);
      if (held == shard.pockets.end()) return;  // O-L2 tells
      held->second.balance += posting.amount.minor;
      const Owner* owner = shard.owner_of(posting.pocket);
      if (owner == nullptr || owner->state != AccountState::closed) return;
      oracle.violated(where + " moves money of account '" + owner->name + "', which is closed");
    }

   private:
    static bool is_state(Outcome outcome) {
      return outcome == Outcome::account_frozen || outcome == Outcome::account_closed;
    }
    bool is_in(PocketNumber pocket, AccountState state) const {
      const Owner* owner = shard.owner_of(pocket);
      return owner != nullptr && owner->state == state;
    }
    void pend(PocketNumber pocket, std::int64_t amount) const {
      const auto held = shard.pockets.find(pocket);
      if (held != shard.pockets.end()) held->second.pending += amount;
    }
    void count(Outcome outcome) const {
      oracle.seen(outcome == Outcome::account_frozen ? "refused_frozen" : "refused_closed");
    }
    /// What a hold has kept was promised before.
    void gives(PocketNumber pocket) const {
      if (pocket == no_pocket || pocket != shard.captured) return takes_part(pocket, "takes from");
      if (is_in(pocket, AccountState::frozen)) oracle.seen("hold_captured_while_frozen");
    }
    void takes_part(PocketNumber pocket, std::string_view what) const {
      const Owner* owner = shard.owner_of(pocket);
      if (owner == nullptr || owner->state == AccountState::open) return;
      oracle.violated(where + " " + std::string(what) + " account '" + owner->name + "', which is " +
                      std::string(words(owner->state)));
    }
    void refuses(Outcome outcome, const std::string& account, AccountState state) const {
      count(outcome);
      if (state == (outcome == Outcome::account_frozen ? AccountState::frozen : AccountState::closed)) return;
      oracle.violated(where + " refuses with '" + std::string(coffer::name(outcome)) + "', and account '" + account +
                      "' is " + std::string(words(state)));
    }
  };

  std::vector<ShardAccounts> shards_;  ///< by shard - 1
  Calls calls_;
  std::map<Key, Attempts> attempts_;  ///< of changes
};

}  // namespace

std::unique_ptr<Oracle> make_account_states(const Topology& topology) {
  return std::make_unique<AccountStates>(topology);
}

}  // namespace coffer::sim::oracles
