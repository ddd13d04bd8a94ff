// O-L9. Ids that carry a number of a source, by the committed events alone: of each account and source every number is
// decided once, right after the one before, of which nothing is under way any more; and nothing but a transfer, deposit
// or withdrawal has such an id. What a client is told agrees with that: of a gap the number that was expected, at some
// moment between its call and the answer; of a number that has expired a later one in the log; no number that was
// decided before the call is not found; and that its id is a number is told only of what is none of these three.
#include <map>
#include <memory>
#include <tuple>
#include <utility>

#include "sim/oracles/book.h"
#include "sim/oracles/calls.h"

namespace coffer::sim::oracles {

namespace {

/// Who numbers what whose account moves.
using Name = std::tuple<TenantId, std::string, std::uint64_t>;

std::string told_number(const Numbered& said) {
  return "number " + std::to_string(said.number) + " of source " + std::to_string(said.source);
}

class Numbers final : public Oracle {
 public:
  explicit Numbers(const Topology& topology)
      : all_numbered_(topology.numbered_ids), book_(topology), shards_(topology.shards) {}
  std::string_view name() const override { return "O-L9"; }

  void on_phase(SimTime, Phase phase) override { calls_.phase(phase); }

  void on_committed(SimTime, NodeId, const CommittedEntry& committed) override {
    const std::optional<Entry> entry = book_.committed(committed);
    if (!entry) return;
    const ShardBook& book = book_.shard(committed.shard);
    Position position = book.at(Index(committed.index.value - 1)).position;
    const HoldEnded* capture = nullptr;
    for (const Event& event : entry->events) {
      position = position.next();
      const Reading reading{*this, shards_[committed.shard.value - 1], book, text(committed.shard, position)};
      const Decided* decided = decided_by(event);
      if (decided != nullptr && capture == nullptr) reading.decide(*decided);
      if (const auto* changed = std::get_if<AccountChanged>(&event))
        reading.not_numbered(changed->account, changed->id);
      std::visit(reading, event);
      capture = capture_pending(capture, event);
    }
  }

  void on_call(SimTime, std::uint32_t, std::uint64_t op, const router::Request& request) override {
    const Call& call = calls_.called(op, request);
    std::vector<std::uint64_t>& before = before_[op];
    for (const Asked& asked : call.items) before.push_back(last_of(asked.key));
    if (call.items.empty()) before.push_back(last_of({call.tenant, call.account, call.id}));
  }

  void on_return(SimTime, std::uint32_t, std::uint64_t op, const router::Reply& reply) override {
    const std::optional<Call> call = calls_.returned(op);
    const auto found = before_.find(op);
    if (!call || found == before_.end()) return;
    const std::vector<std::uint64_t> before = std::move(found->second);
    before_.erase(found);
    if (call->has_items()) {
      const std::vector<Told> answers = answers_of(*call, reply);
      for (std::size_t i = 0; i < answers.size() && i < before.size(); ++i) {
        heard(call->kind, call->items[i].key, answers[i], before[i]);
      }
    } else if (call->kind == router::RequestKind::change_account) {
      heard(call->kind, {call->tenant, call->account, call->id}, {reply.status, false, {}}, before.front());
    } else if (call->kind == router::RequestKind::transfer_status && !call->account.empty()) {
      heard(call->kind, {call->tenant, call->account, call->id}, {reply.status, false, {}}, before.front());
    }
  }

 private:
  struct Source {
    std::uint64_t last = 0;
    std::uint64_t running = 0;  ///< legs of its numbers without an answer
  };
  using SourceKey = std::pair<AccountNumber, std::uint64_t>;
  using Leg = std::pair<ShardId, LegNumber>;
  struct Shard {
    std::map<SourceKey, Source> sources;
    std::map<Leg, SourceKey> legs;  ///< unanswered, of numbered transfers
  };

  struct Reading {
    Numbers& oracle;
    Shard& shard;
    const ShardBook& book;
    std::string where;

    template <class Event>
    void operator()(const Event&) const {}
    void operator()(const SourceOpened& event) const {
      oracle.seen("source_opened");
      if (!oracle.all_numbered_) oracle.violated(where + " opens a source where no ids are numbered");
      if (!shard.sources.try_emplace({event.home, event.source}).second) {
        oracle.violated(where + " opens source " + std::to_string(event.source) + " again");
      }
    }
    void operator()(const LegStarted& event) const { start(event); }
    void operator()(const TryStarted& event) const { start(event.leg); }
    void operator()(const PrepareStarted& event) const { start(event.leg); }
    void operator()(const LegAnswered& event) const { answer({event.target, event.leg}); }
    void operator()(const SecondEnded& event) const { answer({event.target, event.leg}); }
    void operator()(const SecondStarted& event) const {
      const auto asked = shard.legs.find({event.tried.target, event.tried.leg});
      if (asked == shard.legs.end()) return;
      shard.legs[{event.tried.target, event.second}] = asked->second;
      shard.legs.erase(asked);
    }

    /// The source that the id is a number of, if there is one here.
    Source* source_of(AccountNumber home, const Numbered& said) const {
      const auto found = shard.sources.find({home, said.source});
      return found == shard.sources.end() ? nullptr : &found->second;
    }
    void start(const LegStarted& event) const {
      const std::optional<Numbered> said = numbered_as(event.decided.id);
      Source* const source = said ? source_of(event.decided.home, *said) : nullptr;
      if (source == nullptr || source->last != said->number) return;
      shard.legs[{event.target, event.leg}] = {event.decided.home, said->source};
      ++source->running;
    }
    void answer(const Leg& leg) const {
      const auto found = shard.legs.find(leg);
      if (found == shard.legs.end()) return;
      --shard.sources.at(found->second).running;
      shard.legs.erase(found);
    }
    void not_numbered(AccountNumber home, const TransferId& id) const {
      const std::optional<Numbered> said = numbered_as(id);
      if (!said || (!oracle.all_numbered_ && source_of(home, *said) == nullptr)) return;
      oracle.violated(where + " gives " + told_number(*said) + " to what is no transfer");
    }
    void decide(const Decided& decided) const {
      if (decided.operation > Operation::withdrawal) return not_numbered(decided.home, decided.id);
      const std::optional<Numbered> said = numbered_as(decided.id);
      if (!said || (!oracle.all_numbered_ && source_of(decided.home, *said) == nullptr)) return;
      Source& source = shard.sources[{decided.home, said->source}];
      if (said->number <= source.last) {
        oracle.violated(where + " decides " + told_number(*said) + ", and number " + std::to_string(source.last) +
                        " was decided before: it acts again");
      } else if (said->number > source.last + 1) {
        oracle.violated(where + " decides " + told_number(*said) + ", and number " + std::to_string(source.last + 1) +
                        " before it was not");
      } else if (source.running > 0) {
        oracle.violated(where + " decides " + told_number(*said) + " while the one before is under way");
      }
      oracle.seen("number_decided");
      source.last = std::max(source.last, said->number);
      const std::optional<std::string> account = book.account(decided.home);
      if (account) oracle.lasts_[{book.tenant_of(decided.home), *account, said->source}] = source.last;
    }
  };

  /// The number decided last of the id's source at its account, by what has committed so far.
  std::uint64_t last_of(const Key& key) const {
    const std::optional<Numbered> said = numbered_as(key.id);
    if (!said) return 0;
    const auto found = lasts_.find({key.tenant, key.home, said->source});
    return found == lasts_.end() ? 0 : found->second;
  }

  /// `before`: the number decided last when the client called.
  void heard(router::RequestKind kind, const Key& key, const Told& told, std::uint64_t before) {
    const std::optional<Numbered> said = numbered_as(key.id);
    const bool speaks_of_numbers = told.outcome == Outcome::id_gap || told.outcome == Outcome::id_is_numbered;
    if (!said) {
      if (speaks_of_numbers) {
        violated(text(key) + " was told '" + std::string(coffer::name(told.outcome)) + "', and carries no number");
      }
      return;
    }
    const std::uint64_t now = last_of(key);
    if (told.outcome == Outcome::id_gap) heard_gap(key, *said, told, before, now);
    if (told.outcome == Outcome::id_is_numbered) heard_numbered(kind, key, *said);
    if (told.outcome == Outcome::id_expired) {
      seen("number_expired");
      if (said->number >= now) {
        violated(text(key) + " was told 'id-expired', and " + told_number(*said) +
                 " is not behind the last one decided, " + std::to_string(now));
      }
    }
    if (told.outcome == Outcome::transfer_not_found && said->number <= before) {
      violated(text(key) + " was told 'transfer-not-found', and " + told_number(*said) +
               " had been decided before it was asked");
    }
    if (told.has_result && told.result.replayed && now > 0) seen("number_repeated");
  }

  void heard_numbered(router::RequestKind kind, const Key& key, const Numbered& said) {
    seen("id_is_numbered");
    const bool is_something_else = kind == router::RequestKind::place_hold || kind == router::RequestKind::split ||
                                   kind == router::RequestKind::change_account;
    if (is_something_else && all_numbered_) return;
    violated(text(key) + " was told 'id-is-numbered', and " +
             (all_numbered_ ? told_number(said) + " is asked for as numbers are" : "no ids are numbered here"));
  }

  void heard_gap(const Key& key, const Numbered& said, const Told& told, std::uint64_t before, std::uint64_t now) {
    seen("id_gap");
    const std::uint64_t expected = told.has_result ? told.result.position.value : 0;
    if (expected > before && expected <= now + 1 && said.number > expected) return;
    violated(text(key) + " was told 'id-gap' with number " + std::to_string(expected) + " expected before " +
             told_number(said) + "; the last decided was " + std::to_string(before) + " when it was asked, and " +
             std::to_string(now) + " when it was told");
  }

  bool all_numbered_;
  Book book_;
  std::vector<Shard> shards_;            ///< by shard - 1
  std::map<Name, std::uint64_t> lasts_;  ///< the number decided last
  Calls calls_;
  std::map<std::uint64_t, std::vector<std::uint64_t>> before_;  ///< by operation: for each item
};

}  // namespace

std::unique_ptr<Oracle> make_numbers(const Topology& topology) { return std::make_unique<Numbers>(topology); }

}  // namespace coffer::sim::oracles
