// O-H3. The final reads are done: every account told open was read, every id asked for has a definite status, every
// hold asked for was read, the trial balance was taken. Else nothing is known of the run's end, and the runner's
// verdict is `unknown`, never `pass`.
#include <memory>
#include <set>
#include <tuple>

#include "sim/oracles/calls.h"

namespace coffer::sim::oracles {

namespace {

class FinalReads final : public Oracle {
 public:
  explicit FinalReads(const Topology&) {}
  std::string_view name() const override { return "O-H3"; }

  void on_phase(SimTime, Phase phase) override { calls_.phase(phase); }

  void on_call(SimTime, std::uint32_t, std::uint64_t op, const router::Request& request) override {
    for (const Asked& asked : calls_.called(op, request).items) {
      (asked.body.operation == Operation::hold ? holds_ : ids_).insert(asked.key);
    }
  }

  void on_return(SimTime, std::uint32_t, std::uint64_t op, const router::Reply& reply) override {
    const std::optional<Call> call = calls_.returned(op);
    if (!call) return;
    if (call->kind == router::RequestKind::open_account && reply.status == Outcome::success) {
      opened_.insert({call->tenant, call->account, call->currency});
    }
    if (call->phase != Phase::final_reads || is_retryable(reply.status) || is_open(reply.status)) return;
    if (call->kind == router::RequestKind::balance && call->consistency == router::Consistency::linearizable) {
      read_.insert({call->tenant, call->account, call->currency});
    } else if (call->kind == router::RequestKind::transfer_status) {
      const auto* status = std::get_if<router::TransferStatusReply>(&reply.body);
      const bool definite = status == nullptr || is_logged(status->result.outcome);
      if (definite) asked_again_.insert({call->tenant, call->account, call->id});
    } else if (call->kind == router::RequestKind::hold) {
      holds_read_.insert(call->hold());
    } else if (call->kind == router::RequestKind::trial_balance) {
      trial_balance_ = true;
    }
  }

  void finish(SimTime) override {
    if (calls_.phase() < Phase::final_reads) {
      violated("the run ended before its final reads");
      return;
    }
    if (!calls_.open().empty()) violated(std::to_string(calls_.open().size()) + " calls were never answered");
    for (const auto& [tenant, account, currency] : opened_) {
      if (!read_.contains({tenant, account, currency})) {
        violated("account '" + account + "' was not read in " + to_string(currency) + " at the end");
      }
    }
    for (const Key& key : ids_) {
      if (asked_again_.contains(key)) continue;
      violated("transfer " + text(key.id) + " of account '" + key.home + "' has no definite status at the end");
    }
    for (const Key& key : holds_) {
      if (holds_read_.contains(key)) continue;
      violated("hold " + text(key.id) + " of account '" + key.home + "' was not read at the end");
    }
    if (!trial_balance_) violated("no trial balance was taken at the end");
  }

 private:
  Calls calls_;
  using Pocket = std::tuple<TenantId, std::string, Currency>;
  std::set<Pocket> opened_;
  std::set<Pocket> read_;
  std::set<Key> ids_;
  std::set<Key> asked_again_;
  std::set<Key> holds_;
  std::set<Key> holds_read_;
  bool trial_balance_ = false;
};

}  // namespace

std::unique_ptr<Oracle> make_final_reads(const Topology& topology) { return std::make_unique<FinalReads>(topology); }

}  // namespace coffer::sim::oracles
