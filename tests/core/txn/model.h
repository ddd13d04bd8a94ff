// A naive reference of one shard: what a wallet should do, written with maps of strings and no events. Shares no code
// with the product but its vocabulary; the tests compare answers and balances with it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "core/txn/state_machine.h"
#include "tests/core/txn/leader.h"

namespace coffer::txn::testing {

using Wide = __int128;
inline constexpr Wide most = INT64_MAX;

class Model {
 public:
  Model(ShardId self, std::uint32_t shards) : self_(self), shards_(shards) {}

  struct Leg {
    TenantId tenant;
    std::string home;
    TransferId id;
    std::string credit;
    Money amount;
    ledger::LegStep step = ledger::LegStep::credit;
    std::uint64_t tried = 0;             ///< of second phases: the number of the Try's leg
    std::size_t split = no_split_index;  ///< of a part of a split, and which part
    std::size_t part = 0;
  };
  static constexpr std::size_t no_split_index = SIZE_MAX;

  Outcome open(TenantId tenant, const std::string& account, Currency currency) {
    if (!is_mine(tenant, account)) return Outcome::wrong_shard;
    if (state(tenant, account) == ledger::AccountState::closed) return Outcome::account_closed;
    pockets_.emplace(Pocket{tenant, account, currency}, Balance{});
    return Outcome::success;
  }

  Outcome change(ledger::Operation change, TenantId tenant, const std::string& account, const TransferId& id) {
    using ledger::AccountState;
    if (!is_mine(tenant, account)) return Outcome::wrong_shard;
    if (!exists(tenant, account)) return Outcome::account_not_found;
    const std::string body = "change " + std::to_string(static_cast<int>(change));
    const auto bound = ids_.find({tenant, account, id});
    if (bound != ids_.end()) {
      return bound->second.body == body ? Outcome::success : Outcome::idempotency_payload_mismatch;
    }
    AccountState& now = states_.try_emplace({tenant, account}, AccountState::open).first->second;
    if (now == AccountState::closed && change != ledger::Operation::close) return Outcome::account_closed;
    for (const auto& [pocket, balance] : pockets_) {
      if (change != ledger::Operation::close || std::get<0>(pocket) != tenant || std::get<1>(pocket) != account)
        continue;
      if (balance.amount != 0 || balance.pending != 0) return Outcome::account_not_empty;
    }
    now = change == ledger::Operation::freeze  ? AccountState::frozen
          : change == ledger::Operation::close ? AccountState::closed
                                               : AccountState::open;
    ids_[{tenant, account, id}] = {body, Outcome::success};
    return Outcome::success;
  }
  ledger::AccountState state(TenantId tenant, const std::string& account) const {
    const auto found = states_.find({tenant, account});
    return found == states_.end() ? ledger::AccountState::open : found->second;
  }

  Outcome transfer(const ledger::TransferCommand& command, ledger::Protocol protocol = ledger::Protocol::saga) {
    using ledger::Operation;
    const TenantId tenant = command.tenant;
    const std::string debit(command.debit_account);
    const std::string credit(command.credit_account);
    const std::string home = command.operation == Operation::deposit ? credit : debit;
    if (command.amount.minor <= 0) return Outcome::malformed;
    if (command.operation == Operation::transfer && debit == credit) return Outcome::same_account;
    if (!is_mine(tenant, home)) return Outcome::wrong_shard;
    if (!exists(tenant, home)) return Outcome::account_not_found;
    const std::string body = std::to_string(static_cast<int>(command.operation)) + "|" + debit + "|" + credit + "|" +
                             std::to_string(command.amount.minor) + to_string(command.amount.currency);
    const auto [bound, is_new] = ids_.try_emplace({tenant, home, command.id}, Bound{body, Outcome::pending});
    if (!is_new) {
      return bound->second.body == body ? bound->second.outcome : Outcome::idempotency_payload_mismatch;
    }
    const bool leaves = command.operation == Operation::transfer && !is_mine(tenant, credit);
    bound->second.outcome = leaves ? start(command, debit, credit, protocol) : inside(command, debit, credit);
    return bound->second.outcome;
  }

  Outcome place(const ledger::PlaceHoldCommand& command, Stamp stamp) {
    const TenantId tenant = command.tenant;
    const std::string account(command.account);
    const auto [minor, currency] = command.amount;
    if (minor <= 0 || command.expires_in.nanos <= 0) return Outcome::malformed;
    if (!is_mine(tenant, account)) return Outcome::wrong_shard;
    if (!exists(tenant, account)) return Outcome::account_not_found;
    const std::string body =
        "hold " + std::to_string(minor) + to_string(currency) + " for " + std::to_string(command.expires_in.nanos);
    const auto [bound, is_new] = ids_.try_emplace({tenant, account, command.id}, Bound{body, Outcome::pending});
    if (!is_new) {
      return bound->second.body == body ? bound->second.outcome : Outcome::idempotency_payload_mismatch;
    }
    Balance* from = find(tenant, account, currency);
    Outcome& outcome = bound->second.outcome;
    outcome = open_for(tenant, account);
    if (outcome == Outcome::success && from == nullptr) outcome = Outcome::currency_mismatch;
    if (outcome == Outcome::success && from->locked) outcome = Outcome::account_locked;
    if (outcome == Outcome::success && from->amount - from->held < minor) outcome = Outcome::insufficient_funds;
    if (outcome != Outcome::success) return outcome;
    from->held += minor;
    holds_[{tenant, account, command.id}] = {command.amount, stamp.nanos + command.expires_in.nanos, "held"};
    return outcome;
  }

  Outcome capture(const ledger::CaptureHoldCommand& command, ledger::Protocol protocol, Stamp stamp) {
    const TenantId tenant = command.tenant;
    const std::string account(command.account);
    const ledger::TransferCommand transfer_of_it = command.transfer();
    if (command.amount.minor <= 0) return Outcome::malformed;
    if (account == command.credit_account) return Outcome::same_account;
    if (!is_mine(tenant, account)) return Outcome::wrong_shard;
    if (!exists(tenant, account)) return Outcome::account_not_found;
    const auto found = holds_.find({tenant, account, command.id});
    if (found == holds_.end()) return Outcome::hold_not_found;
    Hold& hold = found->second;
    if (hold.state == "captured") return transfer(transfer_of_it, protocol);  // bound: its answer, or a mismatch
    if (const Outcome over = check_live(found->first, hold, stamp); over != Outcome::success) return over;
    if (hold.amount.currency != command.amount.currency) return Outcome::currency_mismatch;
    if (hold.amount.minor < command.amount.minor) return Outcome::hold_exceeded;
    if (ids_.contains({tenant, account, transfer_of_it.id})) return Outcome::idempotency_payload_mismatch;
    if (find(tenant, account, hold.amount.currency)->locked) return Outcome::account_busy;
    const auto* payee = find(tenant, std::string(command.credit_account), hold.amount.currency);  // who is here
    if (payee != nullptr && payee->locked) return Outcome::account_busy;
    end(found->first, hold, "captured");
    promised_ = true;
    const Outcome outcome = transfer(transfer_of_it, protocol);
    promised_ = false;
    return outcome;
  }

  Outcome release(const ledger::VoidHoldCommand& command, Stamp stamp) {
    const std::string account(command.account);
    if (!is_mine(command.tenant, account)) return Outcome::wrong_shard;
    if (!exists(command.tenant, account)) return Outcome::account_not_found;
    const auto found = holds_.find({command.tenant, account, command.id});
    if (found == holds_.end()) return Outcome::hold_not_found;
    if (found->second.state == "voided") return Outcome::success;
    if (found->second.state == "captured") return Outcome::hold_captured;
    const Outcome over = check_live(found->first, found->second, stamp);
    if (over == Outcome::success) end(found->first, found->second, "voided");
    return over;
  }

  /// How many holds a batch with this stamp finds expired.
  std::size_t expire(Stamp stamp) {
    std::size_t count = 0;
    for (auto& [key, hold] : holds_) {
      if (hold.state != "held" || hold.expires >= stamp.nanos) continue;
      end(key, hold, "expired");
      ++count;
    }
    return count;
  }
  /// "held", "captured", "voided" or "expired"; "" for none.
  std::string hold_state(TenantId tenant, const std::string& account, const TransferId& id) const {
    const auto found = holds_.find({tenant, account, id});
    return found == holds_.end() ? "" : found->second.state;
  }

  Outcome split(const ledger::SplitCommand& command) {
    const TenantId tenant = command.tenant;
    const std::string debit(command.debit_account);
    Split split{tenant, debit, command.id, {}, 0, 0, {}};
    std::string body = "split|" + debit + "|" + to_string(command.currency);
    for (const auto& part : command.parts) {
      if (part.amount <= 0 || split.total + part.amount > most) return Outcome::malformed;
      split.total += part.amount;
      body += "|" + std::string(part.credit_account) + "|" + std::to_string(part.amount);
      split.parts.push_back({std::string(part.credit_account), {part.amount, command.currency}, part.credit_shard});
    }
    for (const SplitPart& part : split.parts) {
      if (part.credit == debit) return Outcome::same_account;
    }
    if (!is_mine(tenant, debit)) return Outcome::wrong_shard;
    if (!exists(tenant, debit)) return Outcome::account_not_found;
    const auto [bound, is_new] = ids_.try_emplace({tenant, debit, command.id}, Bound{body, Outcome::pending});
    if (!is_new) {
      return bound->second.body == body ? bound->second.outcome : Outcome::idempotency_payload_mismatch;
    }
    bound->second.outcome = begin(split, command.currency);
    return bound->second.outcome;
  }

  /// Target side; numbers from 1.
  Outcome receive(ShardId source, const Leg& leg) {
    const Outcome outcome = taken(source, leg);
    received_[source].push_back(outcome);
    return outcome;
  }
  Outcome received(ShardId source, std::uint64_t number) { return received_[source].at(number - 1); }
  std::uint64_t next_expected(ShardId source) { return received_[source].size() + 1; }

  /// Source side: the answer to the first unanswered leg.
  void answer(ShardId target, Outcome outcome) {
    Leg leg = legs_[target].at(answered_[target]++);
    if (leg.split != no_split_index) return answer_part(leg, outcome);
    using ledger::LegStep;
    const bool prepares = leg.step == LegStep::prepare;
    const bool is_try = leg.step == LegStep::try_credit || prepares;
    const bool agreed = outcome == Outcome::success;
    if (is_try) leg.tried = answered_[target];
    if (is_try && prepares) leg.step = agreed ? LegStep::commit : LegStep::abort;
    if (is_try && !prepares) leg.step = agreed ? LegStep::confirm : LegStep::cancel;
    if (is_try) legs_[target].push_back(leg);
    if (prepares) pockets_.at({leg.tenant, leg.home, leg.amount.currency}).locked = false;
    const bool gave_back = leg.step == LegStep::cancel || leg.step == LegStep::abort;
    if (is_try ? agreed : gave_back) return;  // nothing moves
    Balance& home = pockets_.at({leg.tenant, leg.home, leg.amount.currency});
    Balance& transit = transit_[{target, leg.amount.currency}];
    home.pending -= leg.amount.minor;
    transit.pending -= leg.amount.minor;
    if (outcome != Outcome::success) {
      home.amount += leg.amount.minor;
      transit.amount -= leg.amount.minor;
    }
    ids_.at({leg.tenant, leg.home, leg.id}).outcome = outcome;
  }
  const std::vector<Leg>& legs(ShardId target) { return legs_[target]; }
  std::uint64_t answered(ShardId target) { return answered_[target]; }

  /// Calls `visit(tenant, account, currency, minor units, of which held)` for every customer's pocket.
  template <class Visit>
  void each_balance(Visit&& visit) const {
    for (const auto& [pocket, balance] : pockets_) {
      visit(std::get<0>(pocket), std::get<1>(pocket), std::get<2>(pocket), static_cast<std::int64_t>(balance.amount),
            static_cast<std::int64_t>(balance.held));
    }
  }

 private:
  struct Balance {
    Wide amount = 0;
    Wide pending = 0;
    Wide held = 0;
    bool locked = false;
  };
  struct Bound {
    std::string body;
    Outcome outcome;
  };
  struct Hold {
    Money amount;
    std::int64_t expires = 0;
    std::string state;
  };
  using Pocket = std::tuple<TenantId, std::string, Currency>;
  using Id = std::tuple<TenantId, std::string, TransferId>;

  void end(const Id& key, Hold& hold, const std::string& state) {
    pockets_.at({std::get<0>(key), std::get<1>(key), hold.amount.currency}).held -= hold.amount.minor;
    hold.state = state;
  }
  /// Success where it may still be captured or voided.
  Outcome check_live(const Id& key, Hold& hold, Stamp stamp) {
    if (hold.state == "held" && hold.expires < stamp.nanos) end(key, hold, "expired");
    if (hold.state == "voided") return Outcome::hold_voided;
    return hold.state == "expired" ? Outcome::hold_expired : Outcome::success;
  }
  struct SplitPart {
    std::string credit;
    Money amount;
    ShardId target;
    Outcome answer = Outcome::pending;
    std::uint64_t leg = 0;  ///< of its Try
  };
  struct Split {
    TenantId tenant;
    std::string home;
    TransferId id;
    std::vector<SplitPart> parts;
    Wide total = 0;
    std::size_t open = 0;  ///< parts without an answer in this phase
    Currency currency;
  };

  bool is_mine(TenantId tenant, const std::string& account) const {
    return shard_of(tenant, account, shards_) == self_;
  }
  bool exists(TenantId tenant, const std::string& account) const {
    for (const auto& [pocket, balance] : pockets_) {
      if (std::get<0>(pocket) == tenant && std::get<1>(pocket) == account) return true;
    }
    return false;
  }
  Balance* find(TenantId tenant, const std::string& account, Currency currency) {
    const auto found = pockets_.find({tenant, account, currency});
    return found == pockets_.end() ? nullptr : &found->second;
  }
  static bool fits(const Balance& to, Wide amount) { return to.amount + to.pending + amount <= most; }

  /// Success where the account is open.
  Outcome open_for(TenantId tenant, const std::string& account) const {
    const ledger::AccountState now = state(tenant, account);
    if (now == ledger::AccountState::frozen) return Outcome::account_frozen;
    return now == ledger::AccountState::closed ? Outcome::account_closed : Outcome::success;
  }

  /// What a debit is told of its account: what was promised before a freeze goes through.
  Outcome promised(Outcome outcome) const {
    return promised_ && outcome == Outcome::account_frozen ? Outcome::success : outcome;
  }

  Outcome inside(const ledger::TransferCommand& command, const std::string& debit, const std::string& credit) {
    const auto [minor, currency] = command.amount;
    const bool deposits = command.operation == ledger::Operation::deposit;
    const bool withdraws = command.operation == ledger::Operation::withdrawal;
    Balance* from = deposits ? nullptr : find(command.tenant, debit, currency);
    Balance* to = withdraws ? nullptr : find(command.tenant, credit, currency);
    Balance& issue = issue_[currency];
    const Outcome home = promised(open_for(command.tenant, deposits ? credit : debit));
    if (home != Outcome::success) return home;
    if (!deposits && from == nullptr) return Outcome::currency_mismatch;
    if (!deposits && from->locked) return Outcome::account_locked;
    if (!deposits && from->amount - from->held < minor) return Outcome::insufficient_funds;
    if (!deposits && !withdraws && !exists(command.tenant, credit)) return Outcome::credit_account_not_found;
    if (!withdraws && open_for(command.tenant, credit) != Outcome::success) return open_for(command.tenant, credit);
    if (!withdraws && to == nullptr) return Outcome::currency_mismatch;
    if (!withdraws && to->locked) return Outcome::account_locked;
    if (!withdraws && !fits(*to, minor)) return Outcome::balance_overflow;
    if (deposits && issue.amount - minor < -most) return Outcome::balance_overflow;
    if (withdraws && issue.amount + minor > most) return Outcome::balance_overflow;
    (deposits ? issue : *from).amount -= minor;
    (withdraws ? issue : *to).amount += minor;
    return Outcome::success;
  }

  Outcome start(const ledger::TransferCommand& command, const std::string& debit, const std::string& credit,
                ledger::Protocol protocol) {
    const auto [minor, currency] = command.amount;
    Balance* from = find(command.tenant, debit, currency);
    const Outcome home = promised(open_for(command.tenant, debit));
    if (home != Outcome::success) return home;
    if (from == nullptr) return Outcome::currency_mismatch;
    if (from->locked) return Outcome::account_locked;
    if (from->amount - from->held < minor) return Outcome::insufficient_funds;
    Balance& transit = transit_[{command.credit_shard, currency}];
    if (transit.amount + minor > most || transit.pending + minor > most) return Outcome::balance_overflow;
    for (Balance* side : {from, &transit}) side->pending += minor;
    from->amount -= minor;
    transit.amount += minor;
    using ledger::LegStep;
    from->locked = protocol == ledger::Protocol::two_phase_commit;
    const bool tries = protocol == ledger::Protocol::tcc;
    const LegStep step = from->locked ? LegStep::prepare : tries ? LegStep::try_credit : LegStep::credit;
    legs_[command.credit_shard].push_back({command.tenant, debit, command.id, credit, command.amount, step, 0});
    return Outcome::pending;
  }

  /// What becomes of a split at once: success, a refusal, or pending.
  Outcome begin(Split split, Currency currency) {
    split.currency = currency;
    Balance* from = find(split.tenant, split.home, currency);
    if (open_for(split.tenant, split.home) != Outcome::success) return open_for(split.tenant, split.home);
    if (from == nullptr) return Outcome::currency_mismatch;
    if (from->locked) return Outcome::account_locked;
    if (from->amount - from->held < split.total) return Outcome::insufficient_funds;
    bool all_here = true;
    for (const SplitPart& part : split.parts) all_here = all_here && part.target == self_;
    const auto pockets = pockets_;
    const auto transit = transit_;
    for (SplitPart& part : split.parts) {
      const Outcome outcome = begin_part(split, part, all_here);
      if (outcome == Outcome::success) continue;
      pockets_ = pockets;  // all of it, or nothing
      transit_ = transit;
      return outcome;
    }
    if (all_here) return Outcome::success;
    for (std::size_t i = 0; i < split.parts.size(); ++i) {
      SplitPart& part = split.parts[i];
      if (part.target == self_) continue;
      std::vector<Leg>& legs = legs_[part.target];
      legs.push_back({split.tenant, split.home, split.id, part.credit, part.amount, ledger::LegStep::try_credit, 0,
                      splits_.size(), i});
      part.leg = legs.size();
      ++split.open;
    }
    splits_.push_back(split);
    return Outcome::pending;
  }

  Outcome begin_part(const Split& split, SplitPart& part, bool at_once) {
    const Wide minor = part.amount.minor;
    Balance& from = *find(split.tenant, split.home, split.currency);
    Balance* to = nullptr;
    const bool here = part.target == self_;
    if (here) {
      if (!exists(split.tenant, part.credit)) return Outcome::credit_account_not_found;
      if (open_for(split.tenant, part.credit) != Outcome::success) return open_for(split.tenant, part.credit);
      to = find(split.tenant, part.credit, split.currency);
      if (to == nullptr) return Outcome::currency_mismatch;
      if (to->locked) return Outcome::account_locked;
      if (!fits(*to, minor)) return Outcome::balance_overflow;
      part.answer = Outcome::success;
    }
    from.amount -= minor;
    if (at_once) {
      to->amount += minor;
      return Outcome::success;
    }
    Balance& transit = transit_[{part.target, split.currency}];
    transit.amount += minor;
    transit.pending += here ? 2 * minor : minor;
    from.pending += minor;
    if (here) to->pending += minor;
    return transit.amount > most || transit.pending > most ? Outcome::balance_overflow : Outcome::success;
  }

  void answer_part(const Leg& leg, Outcome outcome) {
    Split& split = splits_.at(leg.split);
    SplitPart& part = split.parts.at(leg.part);
    if (leg.step == ledger::LegStep::try_credit) {
      part.answer = outcome;
      if (--split.open == 0) decide(split, leg.split);
      return;
    }
    --split.open;
    if (leg.step == ledger::LegStep::cancel) return;
    find(split.tenant, split.home, split.currency)->pending -= part.amount.minor;
    transit_[{part.target, split.currency}].pending -= part.amount.minor;
    if (split.open == 0) ids_.at({split.tenant, split.home, split.id}).outcome = Outcome::success;
  }

  void decide(Split& split, std::size_t number) {
    Outcome outcome = Outcome::success;
    for (const SplitPart& part : split.parts) {
      if (outcome == Outcome::success) outcome = part.answer;
    }
    const bool agreed = outcome == Outcome::success;
    Balance& from = *find(split.tenant, split.home, split.currency);
    for (std::size_t i = 0; i < split.parts.size(); ++i) {
      SplitPart& part = split.parts[i];
      const Wide minor = part.amount.minor;
      Balance& transit = transit_[{part.target, split.currency}];
      const bool here = part.target == self_;
      if (here || !agreed) from.pending -= minor;
      if (here || !agreed) transit.pending -= here ? 2 * minor : minor;
      if (here || !agreed) transit.amount -= minor;
      if (!agreed) from.amount += minor;
      if (here) {
        Balance& to = *find(split.tenant, part.credit, split.currency);
        to.pending -= minor;
        if (agreed) to.amount += minor;
        continue;
      }
      const auto step = agreed ? ledger::LegStep::confirm : ledger::LegStep::cancel;
      legs_[part.target].push_back(
          {split.tenant, split.home, split.id, part.credit, part.amount, step, part.leg, number, i});
      ++split.open;
    }
    if (!agreed) ids_.at({split.tenant, split.home, split.id}).outcome = outcome;
  }

  Outcome taken(ShardId source, const Leg& leg) {
    const Wide minor = leg.amount.minor;
    if (leg.step == ledger::LegStep::credit) return credited(source, leg, false);
    if (leg.step == ledger::LegStep::try_credit) return credited(source, leg, true);
    if (leg.step == ledger::LegStep::prepare) {
      const Outcome outcome = credited(source, leg, true);
      if (outcome == Outcome::success) find(leg.tenant, leg.credit, leg.amount.currency)->locked = true;
      return outcome;
    }
    if (received_[source].at(leg.tried - 1) != Outcome::success) return Outcome::success;  // nothing was promised
    Balance& to = *find(leg.tenant, leg.credit, leg.amount.currency);
    Balance& transit = transit_[{source, leg.amount.currency}];
    for (Balance* side : {&to, &transit}) side->pending -= minor;
    if (leg.step == ledger::LegStep::commit || leg.step == ledger::LegStep::abort) to.locked = false;
    if (leg.step == ledger::LegStep::cancel || leg.step == ledger::LegStep::abort) return Outcome::success;
    transit.amount -= minor;
    to.amount += minor;
    return Outcome::success;
  }

  Outcome credited(ShardId source, const Leg& leg, bool only_tries) {
    const auto [minor, currency] = leg.amount;
    if (!exists(leg.tenant, leg.credit)) return Outcome::credit_account_not_found;
    if (open_for(leg.tenant, leg.credit) != Outcome::success) return open_for(leg.tenant, leg.credit);
    Balance* to = find(leg.tenant, leg.credit, currency);
    if (to == nullptr) return Outcome::currency_mismatch;
    if (to->locked) return Outcome::account_locked;
    Balance& transit = transit_[{source, currency}];
    if (!fits(*to, minor) || transit.amount - transit.pending - minor < -most) return Outcome::balance_overflow;
    if (only_tries && transit.pending + minor > most) return Outcome::balance_overflow;
    for (Balance* side : {to, &transit}) side->pending += only_tries ? minor : 0;
    if (only_tries) return Outcome::success;
    transit.amount -= minor;
    to->amount += minor;
    return Outcome::success;
  }

  ShardId self_;
  std::uint32_t shards_;
  std::map<Pocket, Balance> pockets_;
  std::map<std::pair<TenantId, std::string>, ledger::AccountState> states_;
  std::map<Currency, Balance> issue_;
  std::map<std::pair<ShardId, Currency>, Balance> transit_;
  std::map<Id, Bound> ids_;
  std::map<Id, Hold> holds_;
  bool promised_ = false;  ///< a capture is under way
  std::map<ShardId, std::vector<Leg>> legs_;
  std::map<ShardId, std::uint64_t> answered_;
  std::map<ShardId, std::vector<Outcome>> received_;
  std::vector<Split> splits_;
};

}  // namespace coffer::txn::testing
