// O-L5. Per (tenant, home account): an id is decided once, every logged answer told of it is the same to the byte (the
// `replayed` mark apart), it never answers two bodies, and a conflict is told only of a body the id is not bound to.
#include <map>
#include <memory>
#include <set>

#include "sim/oracles/calls.h"
#include "sim/oracles/transfers.h"

namespace coffer::sim::oracles {

namespace {

/// What stands in a logged answer.
struct Answer {
  Outcome outcome = Outcome::pending;
  ShardId shard;
  Position position;
  Stamp stamp;
  ShardId target;
  Position target_position;
  Stamp target_stamp;
  bool operator==(const Answer&) const = default;
};

Answer answer_of(const router::TransferResult& result) {
  return {result.outcome, result.shard,           result.position,    result.stamp,
          result.target,  result.target_position, result.target_stamp};
}

std::string words(const Answer& answer) {
  std::string all = "'" + std::string(coffer::name(answer.outcome)) + "' at " + text(answer.shard, answer.position);
  if (answer.target != ShardId{}) all += ", " + text(answer.target, answer.target_position);
  return all;
}

std::string words(const Body& body) {
  return "'" + body.debit + "' to '" + body.credit + "' " + to_string(body.amount.currency) + " " +
         std::to_string(body.amount.minor);
}

struct FirstAnswer {
  Answer answer;
  std::optional<Body> body;  ///< unknown when a status told it
};

class SameAnswer final : public Oracle {
 public:
  explicit SameAnswer(const Topology& topology) : transfers_(topology) {}
  std::string_view name() const override { return "O-L5"; }

  void on_phase(SimTime, Phase phase) override { calls_.phase(phase); }

  void on_committed(SimTime, NodeId, const CommittedEntry& entry) override { transfers_.committed(entry); }

  void on_call(SimTime, std::uint32_t, std::uint64_t op, const router::Request& request) override {
    calls_.called(op, request);
  }

  void on_return(SimTime, std::uint32_t, std::uint64_t op, const router::Reply& reply) override {
    const std::optional<Call> call = calls_.returned(op);
    if (!call) return;
    if (call->has_items()) {
      const std::vector<Told> answers = answers_of(*call, reply);
      for (std::size_t i = 0; i < answers.size(); ++i) heard(call->items[i], answers[i]);
    }
    const auto* status = std::get_if<router::TransferStatusReply>(&reply.body);
    if (call->kind == router::RequestKind::transfer_status && status != nullptr && !call->account.empty() &&
        is_logged(status->result.outcome)) {
      heard({call->tenant, call->account, call->id}, answer_of(status->result), std::nullopt);
    }
  }

  void finish(SimTime) override {
    for (const auto& [key, records] : transfers_.all()) {
      if (records.size() < 2) continue;
      violated(text(key) + " was decided " + std::to_string(records.size()) + " times: in " +
               text(records[0].shard, records[0].position) + " and " + text(records[1].shard, records[1].position));
    }
    for (const auto& [key, first] : answers_) {
      const std::vector<Record>& records = transfers_.records(key);
      if (!first.body || records.empty() || !records[0].body_known || records[0].body == *first.body) continue;
      violated(text(key) + " is bound to " + words(records[0].body) + ", and answered " + words(*first.body) +
               " with " + words(first.answer));
    }
    for (const auto& [key, bodies] : conflicts_) {
      const std::vector<Record>& records = transfers_.records(key);
      if (records.empty()) {
        violated(text(key) + " was told a conflict with another body, and no body was ever bound to it");
      } else if (records[0].body_known && bodies.contains(records[0].body)) {
        violated(text(key) + " was told a conflict with the very body it is bound to: " + words(records[0].body));
      }
    }
  }

 private:
  void heard(const Asked& asked, const Told& answer) {
    if (answer.outcome == Outcome::idempotency_payload_mismatch) conflicts_[asked.key].insert(asked.body);
    if (!is_logged(answer.outcome)) return;
    if (!answer.has_result) {
      violated(text(asked.key) + " was told '" + std::string(coffer::name(answer.outcome)) + "' without a position");
      return;
    }
    heard(asked.key, answer_of(answer.result), asked.body);
  }

  void heard(const Key& key, const Answer& answer, std::optional<Body> body) {
    const auto [found, is_first] = answers_.try_emplace(key, FirstAnswer{answer, body});
    FirstAnswer& first = found->second;
    if (is_first) return;
    if (!(first.answer == answer)) {
      violated(text(key) + " was told " + words(first.answer) + ", and later " + words(answer));
    }
    if (!body) return;
    if (!first.body) first.body = body;
    if (*first.body == *body) return;
    violated(text(key) + " answered two bodies: " + words(*first.body) + " with " + words(first.answer) + ", and " +
             words(*body) + " with " + words(answer));
  }

  Calls calls_;
  Transfers transfers_;
  std::map<Key, FirstAnswer> answers_;
  std::map<Key, std::set<Body>> conflicts_;
};

}  // namespace

std::unique_ptr<Oracle> make_same_answer(const Topology& topology) { return std::make_unique<SameAnswer>(topology); }

}  // namespace coffer::sim::oracles
