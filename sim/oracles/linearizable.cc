// O-Q1. Linearizability by positions. Every answer names the (shard, position) it holds at; what returned before
// another operation was called holds at an earlier position than that operation does. What an answer says is what the
// book says at its position, nothing is told that had not committed, and no refusal contradicts what was told before it
// was asked. What was told as certainly not executed is not found executed before it was asked again.
#include <map>
#include <memory>
#include <set>

#include "sim/oracles/calls.h"
#include "sim/oracles/transfers.h"

namespace coffer::sim::oracles {

namespace {

/// An account's pocket, or (currency 0) the account itself.
struct Name {
  TenantId tenant;
  std::string account;
  Currency currency;
  auto operator<=>(const Name&) const = default;
};

using Floors = std::vector<Position>;  ///< by shard - 1

/// What had been told when an operation was first called.
struct Before {
  Floors floors;
  bool home_opened = false;
  bool home_pocket_opened = false;
  bool other_opened = false;
  bool other_pocket_opened = false;
};

/// The calls with one body. One that is told as certainly not executed is none: the next begins anew.
struct Attempts {
  Before before;  ///< of the first that counts
  std::uint64_t open = 0;
  bool may_have_executed = false;  ///< one that has returned

  bool none_may_execute() const { return open == 0 && !may_have_executed; }
};

const std::string& other_account(const Body& body) {
  return body.operation == Operation::deposit ? body.debit : body.credit;
}

class Linearizable final : public Oracle {
 public:
  explicit Linearizable(const Topology& topology) : transfers_(topology), told_(topology.shards) {}
  std::string_view name() const override { return "O-Q1"; }

  void on_phase(SimTime, Phase phase) override { calls_.phase(phase); }

  void on_committed(SimTime, NodeId, const CommittedEntry& entry) override { transfers_.committed(entry); }

  void on_call(SimTime, std::uint32_t, std::uint64_t op, const router::Request& request) override {
    const Call& call = calls_.called(op, request);
    for (const Asked& asked : call.items) {
      const auto [attempts, first] = transfers_called_.try_emplace({asked.key, asked.body}, Attempts{before(asked)});
      if (!first && attempts->second.none_may_execute()) attempts->second.before = before(asked);
    }
    for (const Asked& asked : call.items) ++transfers_called_.at({asked.key, asked.body}).open;
    Before known;
    known.floors = told_;
    known.home_opened = opened_.contains({call.tenant, call.account, {}});
    known.home_pocket_opened = opened_.contains({call.tenant, call.account, call.currency});
    if (call.kind == router::RequestKind::hold) known.other_opened = held_.contains(call.hold());
    if (call.kind == router::RequestKind::transfer_status) {
      known.other_opened = bound_.contains({call.tenant, call.account, call.id});
    }
    calls_before_.emplace(op, std::move(known));
    if (call.kind == router::RequestKind::open_account) {
      opens_called_.try_emplace({call.tenant, call.account, call.currency}, told_);
    }
    if (call.kind == router::RequestKind::change_account) {
      changes_called_.try_emplace({call.tenant, call.account, call.id}, calls_before_.at(op));
    }
  }

  void on_return(SimTime, std::uint32_t, std::uint64_t op, const router::Reply& reply) override {
    const std::optional<Call> call = calls_.returned(op);
    const auto found = calls_before_.find(op);
    if (!call || found == calls_before_.end()) return;
    const Before known = std::move(found->second);
    calls_before_.erase(found);
    if (!violations().empty()) return;
    switch (call->kind) {
      case router::RequestKind::transfers:
      case router::RequestKind::place_hold:
      case router::RequestKind::capture_hold:
      case router::RequestKind::split: {
        const std::vector<Told> answers = answers_of(*call, reply);
        for (std::size_t i = 0; i < answers.size(); ++i) transfer(call->items[i], answers[i]);
        for (std::size_t i = 0; i < answers.size(); ++i) ended(call->items[i], answers[i]);
        return;
      }
      case router::RequestKind::open_account:
        return opened(*call, reply);
      case router::RequestKind::balance:
        return balance(*call, known, reply);
      case router::RequestKind::change_account:
        return changed(*call, reply);
      case router::RequestKind::account:
        return account(*call, known, reply);
      case router::RequestKind::transfer_status:
        return status(*call, known, reply);
      case router::RequestKind::void_hold:
        return voided(*call, known, reply);
      case router::RequestKind::hold:
        return hold(*call, known, reply);
      case router::RequestKind::trial_balance:
      case router::RequestKind::node_status:
      case router::RequestKind::reconfigure:
      case router::RequestKind::transfer_leadership:
        return;
    }
  }

 private:
  Before before(const Asked& asked) const {
    const std::string& other = other_account(asked.body);
    const Currency currency = asked.body.amount.currency;
    const TenantId tenant = asked.key.tenant;
    const auto all_opened = [&](Currency in) {
      return std::all_of(asked.payees.begin(), asked.payees.end(), [&](const std::string& payee) {
        return opened_.contains({tenant, payee, in});
      });
    };
    const bool is_split = asked.body.operation == Operation::split;
    return {told_, opened_.contains({tenant, asked.key.home, {}}), opened_.contains({tenant, asked.key.home, currency}),
            is_split ? all_opened({}) : other.empty() || opened_.contains({tenant, other, {}}),
            is_split ? all_opened(currency) : other.empty() || opened_.contains({tenant, other, currency})};
  }

  /// True when the position exists; told otherwise.
  bool committed(const std::string& what, ShardId shard, Position position) {
    if (transfers_.book().knows(shard) && position <= transfers_.book().shard(shard).position()) return true;
    violated(what + " names " + text(shard, position) + ", which had not committed when it was told");
    return false;
  }

  void raise(ShardId shard, Position position) {
    Position& floor = told_[shard.value - 1];
    floor = std::max(floor, position);
  }

  void transfer(const Asked& asked, const Told& answer) {
    const Before& known = transfers_called_.at({asked.key, asked.body}).before;
    refusal(asked, known, answer.outcome);
    if (!is_logged(answer.outcome) || !answer.has_result || !violations().empty()) return;
    logged(asked.key, answer.result, &known.floors);
    const bool is_hold = asked.body.operation == Operation::hold;
    if (!is_hold) bound_.insert(asked.key);
    if (is_hold && answer.outcome == Outcome::success) held_.insert(asked.key);
  }

  void ended(const Asked& asked, const Told& answer) {
    Attempts& attempts = transfers_called_.at({asked.key, asked.body});
    --attempts.open;
    attempts.may_have_executed = attempts.may_have_executed || !is_unlogged_refusal(answer.outcome);
  }

  /// A logged answer: it stands where it says, after everything told before its first call.
  void logged(const Key& key, const router::TransferResult& result, const Floors* floors) {
    const std::string what = "the answer to " + text(key);
    if (!committed(what, result.shard, result.position)) return;
    const std::vector<Record>& records = transfers_.records(key);
    if (records.empty() || records[0].shard != result.shard || records[0].position != result.position ||
        records[0].stamp != result.stamp || records[0].outcome != result.outcome) {
      violated(what + " says '" + std::string(coffer::name(result.outcome)) + "' at " +
               text(result.shard, result.position) + ", and the committed log does not");
      return;
    }
    const Record& record = records[0];
    if (result.target != record.target ||
        (result.target != ShardId{} &&
         (result.target_position != record.target_position || result.target_stamp != record.target_stamp))) {
      violated(what + " names " + text(result.target, result.target_position) + " for its credit, and the log says " +
               text(record.target, record.target_position));
      return;
    }
    if (floors != nullptr) after(what, result.shard, result.position, *floors);
    if (floors != nullptr && result.target != ShardId{}) after(what, result.target, result.target_position, *floors);
    raise(result.shard, result.position);
    if (result.target != ShardId{}) raise(result.target, result.target_position);
  }

  void after(const std::string& what, ShardId shard, Position position, const Floors& floors) {
    if (position > floors[shard.value - 1]) return;
    violated(what + " stands at " + text(shard, position) + ", and " + text(shard, floors[shard.value - 1]) +
             " had been told before it was asked");
  }

  /// Whether one of the accounts was in this state when the log refused: the debit's at the debit's event, the credit's
  /// where the refusal stands. What captures a hold is not refused for its debit's sake.
  bool was_in(AccountState state, const Asked& asked, const Record& record) const {
    const auto holds = [&](ShardId shard, const std::string& account, Position position) {
      return transfers_.book().shard(shard).state_at(asked.key.tenant, account, position) == state;
    };
    if (record.target != ShardId{}) {
      return transfers_.book().knows(record.target) && holds(record.target, asked.body.credit, record.target_position);
    }
    return (!record.captures && holds(record.shard, asked.body.debit, record.position)) ||
           holds(record.shard, asked.body.credit, record.position);
  }

  /// Refusals that speak of missing accounts or money contradict neither what was told before nor the book.
  void refusal(const Asked& asked, const Before& known, Outcome outcome) {
    const std::string what = text(asked.key) + " was refused with '" + std::string(coffer::name(outcome)) + "'";
    if (outcome == Outcome::account_not_found && known.home_opened) {
      violated(what + ", and its account had been told open before it was asked");
    } else if (outcome == Outcome::credit_account_not_found && known.other_opened) {
      violated(what + ", and '" + other_account(asked.body) + "' had been told open before it was asked");
    } else if (outcome == Outcome::currency_mismatch && known.home_pocket_opened && known.other_pocket_opened) {
      violated(what + ", and both accounts had been told open in this currency before it was asked");
    } else if (outcome == Outcome::account_frozen || outcome == Outcome::account_closed) {
      const AccountState state = outcome == Outcome::account_frozen ? AccountState::frozen : AccountState::closed;
      const std::vector<Record>& records = transfers_.records(asked.key);
      if (asked.body.operation == Operation::split) return;  // O-T6 looks at the part that was refused
      if (records.empty() || was_in(state, asked, records[0])) return;
      violated(what + " at " + text(records[0].shard, records[0].position) + ", and neither account was so there");
    } else if (outcome == Outcome::insufficient_funds) {
      const std::vector<Record>& records = transfers_.records(asked.key);
      if (records.empty()) return;  // told by logged()
      const Record& record = records[0];
      const Pocket* pocket =
          transfers_.book().shard(record.shard).pocket(asked.key.tenant, asked.body.debit, asked.body.amount.currency);
      if (pocket == nullptr || pocket->available_at(record.position) < asked.body.amount.minor) return;
      violated(what + " at " + text(record.shard, record.position) + " for " + std::to_string(asked.body.amount.minor) +
               " minor units, and the account held " + text(pocket->balance_at(record.position)) + ", " +
               text(pocket->held_at(record.position)) + " of them for captures");
    }
  }

  void opened(const Call& call, const router::Reply& reply) {
    const auto* body = std::get_if<router::OpenAccountReply>(&reply.body);
    if (body == nullptr) return;
    opened_.insert({call.tenant, call.account, {}});
    opened_.insert({call.tenant, call.account, call.currency});
    const std::string what = "the opening of account '" + call.account + "'";
    if (!transfers_.book().knows(reply.shard)) return;
    if (transfers_.book().shard(reply.shard).pocket(call.tenant, call.account, call.currency) == nullptr) {
      violated(what + " was told, and the committed log of " + text(reply.shard) + " does not hold it");
      return;
    }
    if (body->position == Position{} || !committed(what, reply.shard, body->position)) return;
    const Floors& floors = opens_called_.at({call.tenant, call.account, call.currency});
    if (!body->already) after(what, reply.shard, body->position, floors);
    raise(reply.shard, body->position);
  }

  void changed(const Call& call, const router::Reply& reply) {
    const std::string what = "the change of account '" + call.account + "' with id " + text(call.id);
    const Before& known = changes_called_.at({call.tenant, call.account, call.id});
    const auto* body = std::get_if<router::ChangeAccountReply>(&reply.body);
    if (body == nullptr) {
      if (reply.status == Outcome::account_not_found && known.home_opened) {
        violated(what + " was refused with 'account-not-found', and it had been told open before it was asked");
      }
      return;
    }
    if (!transfers_.book().knows(reply.shard) || !committed(what, reply.shard, body->position)) return;
    const ShardBook& book = transfers_.book().shard(reply.shard);
    const AccountChanged* change = book.change_at(body->position);
    if (change == nullptr || change->id != call.id || change->change != call.change ||
        book.account(change->account) != call.account) {
      violated(what + " was told to stand at " + text(reply.shard, body->position) + ", and the log does not have it");
      return;
    }
    if (!body->already && change->before == change->after()) {
      violated(what + " was told to have changed it at " + text(reply.shard, body->position) +
               ", and it was so before");
      return;
    }
    after(what, reply.shard, body->position, known.floors);
    raise(reply.shard, body->position);
  }

  void account(const Call& call, const Before& known, const router::Reply& reply) {
    const std::string what = "the state of account '" + call.account + "'";
    const auto* body = std::get_if<router::AccountReply>(&reply.body);
    if (body == nullptr) {
      if (reply.status == Outcome::account_not_found && known.home_opened) {
        violated(what + " was refused with 'account-not-found', and it had been told open before it was asked");
      }
      return;
    }
    if (!transfers_.book().knows(reply.shard) || !committed(what, reply.shard, body->position)) return;
    const Position floor = known.floors[reply.shard.value - 1];
    if (body->position < floor) {
      violated(what + " was read at " + text(reply.shard, body->position) + ", and " + text(reply.shard, floor) +
               " had been told before it was asked");
      return;
    }
    const AccountState expected =
        transfers_.book().shard(reply.shard).state_at(call.tenant, call.account, body->position);
    if (static_cast<std::uint8_t>(expected) != static_cast<std::uint8_t>(body->state)) {
      violated(what + " was told as " + std::to_string(static_cast<int>(body->state)) + " at " +
               text(reply.shard, body->position) + ", the book says " + std::to_string(static_cast<int>(expected)));
      return;
    }
    raise(reply.shard, body->position);
  }

  void balance(const Call& call, const Before& known, const router::Reply& reply) {
    const bool linearizable = call.consistency == router::Consistency::linearizable;
    const std::string what =
        std::string(linearizable ? "the linearizable" : "the eventual") + " balance of account '" + call.account + "'";
    const auto* body = std::get_if<router::BalanceReply>(&reply.body);
    if (body == nullptr) {
      if (linearizable && (reply.status == Outcome::account_not_found || reply.status == Outcome::currency_mismatch) &&
          known.home_pocket_opened) {
        violated(what + " was refused with '" + std::string(coffer::name(reply.status)) +
                 "', and the account had been told open before it was asked");
      }
      return;
    }
    if (!committed(what, body->shard, body->position)) return;
    const Position floor = known.floors[body->shard.value - 1];
    if (linearizable && body->position < floor) {
      violated(what + " was read at " + text(body->shard, body->position) + ", and " + text(body->shard, floor) +
               " had been told before it was asked");
      return;
    }
    const Pocket* pocket = transfers_.book().shard(body->shard).pocket(call.tenant, call.account, call.currency);
    const Sum expected = pocket == nullptr ? 0 : pocket->balance_at(body->position);
    if (pocket == nullptr || pocket->opened > body->position || expected != body->balance) {
      violated(what + " was told as " + to_string(call.currency) + " " + std::to_string(body->balance) +
               " minor units at " + text(body->shard, body->position) + ", the book says " +
               (pocket == nullptr ? "there is no such account" : text(expected)));
      return;
    }
    if (pocket->held_at(body->position) != body->held) {
      violated(what + " was told with " + std::to_string(body->held) + " minor units held at " +
               text(body->shard, body->position) + ", the book says " + text(pocket->held_at(body->position)));
      return;
    }
    raise(body->shard, body->position);
  }

  /// This attempt let it go, at a place after everything told before; or it had been let go, which is told with its
  /// place.
  void voided(const Call& call, const Before& known, const router::Reply& reply) {
    const auto* body = std::get_if<router::VoidHoldReply>(&reply.body);
    const std::string what = "the voiding of hold " + text(call.id) + " of account '" + call.account + "'";
    if (body == nullptr || !transfers_.book().knows(reply.shard) || !committed(what, reply.shard, body->position)) {
      return;
    }
    const Hold* hold = transfers_.book().shard(reply.shard).hold(call.tenant, call.account, call.id);
    if (hold == nullptr || hold->end != HoldEnd::voided || hold->ended > body->position) {
      violated(what + " was told at " + text(reply.shard, body->position) + ", and the log does not have it");
      return;
    }
    if (!body->already) after(what, reply.shard, hold->ended, known.floors);
    raise(reply.shard, body->position);
  }

  /// What the log says of a hold just after a position.
  static router::HoldState state_of(const Hold& hold, Position position) {
    if (!hold.end || hold.ended > position) return router::HoldState::held;
    switch (*hold.end) {
      case HoldEnd::captured:
        return router::HoldState::captured;
      case HoldEnd::voided:
        return router::HoldState::voided;
      case HoldEnd::expired:
        return router::HoldState::expired;
    }
    return router::HoldState::held;
  }

  void hold(const Call& call, const Before& known, const router::Reply& reply) {
    const std::string what = "hold " + text(call.id) + " of account '" + call.account + "'";
    const auto* body = std::get_if<router::HoldReply>(&reply.body);
    if (body == nullptr) {
      if (known.other_opened &&
          (reply.status == Outcome::hold_not_found || reply.status == Outcome::account_not_found)) {
        violated(what + " was told as '" + std::string(coffer::name(reply.status)) +
                 "', and its placing had been told before it was asked");
      }
      return;
    }
    if (!transfers_.book().knows(reply.shard) || !committed(what, reply.shard, body->position)) return;
    const Position floor = known.floors[reply.shard.value - 1];
    if (body->position < floor) {
      violated(what + " was read at " + text(reply.shard, body->position) + ", and " + text(reply.shard, floor) +
               " had been told before it was asked");
      return;
    }
    const Hold* placed = transfers_.book().shard(reply.shard).hold(call.tenant, call.account, call.id);
    if (placed == nullptr || placed->placed > body->position) {
      violated(what + " was told at " + text(reply.shard, body->position) + ", and the log has not placed it there");
      return;
    }
    const router::HoldState expected = state_of(*placed, body->position);
    const TransferId taken = expected == router::HoldState::captured ? captured_as(call.id) : TransferId{};
    if (body->state != expected || body->transfer != taken || body->expires != placed->expires ||
        Money{body->amount, body->currency} != placed->amount) {
      violated(what + " was told as " + std::to_string(static_cast<int>(body->state)) + " with " +
               std::to_string(body->amount) + " minor units at " + text(reply.shard, body->position) +
               ", the book says " + std::to_string(static_cast<int>(expected)) + " with " +
               std::to_string(placed->amount.minor) + ", or another expiry or capture");
      return;
    }
    raise(reply.shard, body->position);
  }

  /// A step told with its place is the one that the log did there; one told without has at least been done.
  void phase_step(const Key& key, const PhaseStep& step) {
    const std::string what =
        std::string(coffer::name(step.phase)) + " of the " + std::string(coffer::name(step.side)) + " of " + text(key);
    if (step.position == Position()) {
      const bool refused = step.state == StepState::refused;
      if (step.state == StepState::sent) return;
      if (!transfers_.has_done(key.id, step.phase, step.side, refused)) {
        violated(what + " was told as '" + std::string(coffer::name(step.state)) + "', and no log has done it");
      } else if (step.side == Side::credit && !transfers_.has_noted(key, step.phase, refused)) {
        violated(what + " was told as '" + std::string(coffer::name(step.state)) +
                 "', and the log of its home does not know");
      }
      return;
    }
    if (!committed(what, step.shard, step.position)) return;
    const Transfers::Done* done = transfers_.done_at(step.shard, step.position);
    const bool is_it = done != nullptr && done->id == key.id && done->phase == step.phase &&
                       (done->side == step.side || (done->both_sides && step.side == Side::credit)) &&
                       done->stamp == step.stamp && done->refused == (step.state == StepState::refused) &&
                       step.state != StepState::sent;
    if (!is_it)
      violated(what + " was told as '" + std::string(coffer::name(step.state)) + "' in " +
               text(step.shard, step.position) + ", and the log does something else there");
  }

  void status(const Call& call, const Before& known, const router::Reply& reply) {
    if (call.account.empty()) return;
    const Key key{call.tenant, call.account, call.id};
    if (known.other_opened &&
        (reply.status == Outcome::transfer_not_found || reply.status == Outcome::account_not_found)) {
      violated("the status of " + text(key) + " was told as '" + std::string(coffer::name(reply.status)) +
               "', and its outcome had been told before it was asked");
    }
    const auto* body = std::get_if<router::TransferStatusReply>(&reply.body);
    if (body == nullptr) return;
    for (const PhaseStep& step : body->steps) phase_step(key, step);
    if (!is_logged(body->result.outcome)) return;
    logged(key, body->result, nullptr);
    bound_.insert(key);
  }

  Calls calls_;
  Transfers transfers_;
  Floors told_;  ///< the highest position told of each shard
  std::map<std::uint64_t, Before> calls_before_;
  std::map<std::pair<Key, Body>, Attempts> transfers_called_;
  std::map<Name, Floors> opens_called_;   ///< at the first call
  std::map<Key, Before> changes_called_;  ///< at the first call
  std::set<Name> opened_;                 ///< told open
  std::set<Key> bound_;                   ///< a transfer's logged outcome was told
  std::set<Key> held_;                    ///< the placing of a hold was told
};

}  // namespace

std::unique_ptr<Oracle> make_linearizable(const Topology& topology) { return std::make_unique<Linearizable>(topology); }

}  // namespace coffer::sim::oracles
