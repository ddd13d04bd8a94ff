// O-L4. Per (tenant, home account, id) of a transfer, a hold or a hold's capture: an answered success has exactly one
// effect in the committed logs, an answered refusal none, an unknown outcome at most one; nothing happens that nobody
// asked for; and the balances of the final reads are the book's.
#include <map>
#include <memory>
#include <set>

#include "sim/oracles/calls.h"
#include "sim/oracles/transfers.h"

namespace coffer::sim::oracles {

namespace {

/// What the attempts with one body were told.
struct Attempts {
  std::uint64_t made = 0;
  std::uint64_t refused_unlogged = 0;
  std::uint64_t succeeded = 0;
  std::uint64_t refused_logged = 0;
  Outcome refusal = Outcome::pending;  ///< one of them
};

struct FinalStatus {
  Key key;
  Outcome outcome;
};

struct FinalBalance {
  Key account;  ///< id unused
  Currency currency;
  ShardId shard;
  std::int64_t balance = 0;
};

bool same_meaning(const Body& body, const Record& record) {
  if (record.body_known) return body == record.body;
  return body.operation == record.body.operation && body.amount == record.body.amount;
}

class ExactlyOnce final : public Oracle {
 public:
  explicit ExactlyOnce(const Topology& topology) : transfers_(topology) {}
  std::string_view name() const override { return "O-L4"; }

  void on_phase(SimTime, Phase phase) override { calls_.phase(phase); }

  void on_committed(SimTime, NodeId, const CommittedEntry& entry) override { transfers_.committed(entry); }

  void on_call(SimTime, std::uint32_t, std::uint64_t op, const router::Request& request) override {
    for (const Asked& asked : calls_.called(op, request).items) ++attempts_[asked.key][asked.body].made;
  }

  void on_return(SimTime, std::uint32_t, std::uint64_t op, const router::Reply& reply) override {
    const std::optional<Call> call = calls_.returned(op);
    if (!call) return;
    if (call->has_items()) return on_transfers(*call, reply);
    if (call->phase != Phase::final_reads) return;
    if (const auto* balance = std::get_if<router::BalanceReply>(&reply.body)) {
      if (call->consistency != router::Consistency::linearizable) return;
      final_balances_.push_back({{call->tenant, call->account, {}}, call->currency, balance->shard, balance->balance});
    } else if (call->kind == router::RequestKind::transfer_status && !call->account.empty()) {
      const auto* status = std::get_if<router::TransferStatusReply>(&reply.body);
      const Outcome outcome = status != nullptr ? status->result.outcome : reply.status;
      final_statuses_.push_back({{call->tenant, call->account, call->id}, outcome});
    }
  }

  void finish(SimTime) override {
    for (const auto& [key, bodies] : attempts_) judge(key, bodies);
    for (const auto& [key, records] : transfers_.all()) {
      if (!attempts_.contains(key))
        violated(text(key) + " was decided in " + text(records.front().shard, records.front().position) +
                 ", and nobody asked for it");
    }
    for (const FinalStatus& status : final_statuses_) judge(status);
    for (const FinalBalance& balance : final_balances_) judge(balance);
  }

 private:
  void on_transfers(const Call& call, const router::Reply& reply) {
    const std::vector<Told> answers = answers_of(call, reply);
    if (answers.size() != call.items.size()) {
      violated("a call with " + std::to_string(call.items.size()) +
               " transfers or holds was answered without a result for each");
      return;
    }
    for (std::size_t i = 0; i < answers.size(); ++i) {
      Attempts& attempts = attempts_[call.items[i].key][call.items[i].body];
      const Outcome outcome = answers[i].outcome;
      if (outcome == Outcome::pending) violated(text(call.items[i].key) + " was told 'pending' as its outcome");
      if (outcome == Outcome::success) ++attempts.succeeded;
      if (outcome != Outcome::success && is_logged(outcome)) {
        ++attempts.refused_logged;
        attempts.refusal = outcome;
      }
      if (is_unlogged_refusal(outcome)) {
        ++attempts.refused_unlogged;
        attempts.refusal = outcome;
      }
    }
  }

  void judge(const Key& key, const std::map<Body, Attempts>& bodies) {
    const std::vector<Record>& records = transfers_.records(key);
    std::vector<const Record*> effects;
    for (const Record& record : records) {
      if (record.outcome == Outcome::success) effects.push_back(&record);
    }
    if (effects.size() > 1) {
      violated(text(key) + " took effect " + std::to_string(effects.size()) + " times: in " +
               text(effects[0]->shard, effects[0]->position) + " and " + text(effects[1]->shard, effects[1]->position));
      return;
    }
    for (const Record& record : records) {
      bool asked = false;
      for (const auto& [body, attempts] : bodies) asked = asked || same_meaning(body, record);
      if (!asked)
        violated(text(key) + " was decided in " + text(record.shard, record.position) +
                 " with a body nobody asked for");
    }
    for (const auto& [body, attempts] : bodies) judge(key, body, attempts, effects);
    if (bodies.size() != 1 || records.empty() || !effects.empty()) return;
    const Attempts& attempts = bodies.begin()->second;
    if (attempts.made == attempts.refused_unlogged) {
      violated(text(key) + " was refused in all " + std::to_string(attempts.made) + " attempts (the last with '" +
               std::string(coffer::name(attempts.refusal)) + "') as one that nobody decides, and was decided in " +
               text(records.front().shard, records.front().position));
    }
  }

  void judge(const Key& key, const Body& body, const Attempts& attempts, const std::vector<const Record*>& effects) {
    const bool effect = !effects.empty() && same_meaning(body, *effects.front());
    if (attempts.succeeded > 0 && !effect) {
      violated(text(key) + " was answered 'success', and the committed logs hold no effect of it");
    }
    if (attempts.refused_logged > 0 && effect) {
      violated(text(key) + " was answered '" + std::string(coffer::name(attempts.refusal)) + "', and took effect in " +
               text(effects.front()->shard, effects.front()->position));
    }
    if (attempts.made == attempts.refused_unlogged && effect) {
      violated(text(key) + " was refused in all " + std::to_string(attempts.made) + " attempts (the last with '" +
               std::string(coffer::name(attempts.refusal)) + "'), and took effect in " +
               text(effects.front()->shard, effects.front()->position));
    }
  }

  void judge(const FinalStatus& status) {
    std::size_t effects = 0;
    bool running = false;
    for (const Record& record : transfers_.records(status.key)) {
      if (record.body.operation == Operation::hold) continue;  // no transfer: its id is not found
      effects += record.outcome == Outcome::success ? 1 : 0;
      running = running || record.outcome == Outcome::pending;
    }
    if (status.outcome == Outcome::success && effects != 1) {
      violated(text(status.key) + " is 'success' by its final status, and has " + std::to_string(effects) + " effects");
    }
    const bool no_effect = status.outcome == Outcome::transfer_not_found ||
                           (status.outcome != Outcome::success && is_logged(status.outcome));
    if (no_effect && (effects != 0 || running)) {
      violated(text(status.key) + " is '" + std::string(coffer::name(status.outcome)) +
               "' by its final status, and the committed logs hold an effect of it");
    }
  }

  void judge(const FinalBalance& read) {
    if (!transfers_.book().knows(read.shard)) return;
    const Pocket* pocket =
        transfers_.book().shard(read.shard).pocket(read.account.tenant, read.account.home, read.currency);
    const Sum expected = pocket == nullptr ? 0 : pocket->balance();
    if (expected == read.balance) return;
    violated("the final balance of account '" + read.account.home + "' was told as " + to_string(read.currency) + " " +
             std::to_string(read.balance) + " minor units, the book says " + text(expected));
  }

  Calls calls_;
  Transfers transfers_;
  std::map<Key, std::map<Body, Attempts>> attempts_;
  std::vector<FinalStatus> final_statuses_;
  std::vector<FinalBalance> final_balances_;
};

}  // namespace

std::unique_ptr<Oracle> make_exactly_once(const Topology& topology) { return std::make_unique<ExactlyOnce>(topology); }

}  // namespace coffer::sim::oracles
