// O-L8. Ids that carry their own time, by the committed events alone: they pass when their window is over by the
// stamps, not before, and for good; an id that has passed is never bound; a row is forgotten when nothing of it is
// under way and its id has passed the grace ago, in the order in which the rows were bound. And a client is told that
// an id has expired only if the committed log of the answering shard says that it has.
#include <algorithm>
#include <deque>
#include <map>
#include <memory>
#include <utility>

#include "sim/oracles/book.h"
#include "sim/oracles/calls.h"

namespace coffer::sim::oracles {

namespace {

constexpr std::int64_t nanos_per_ms = 1'000'000;

std::string told_ms(std::uint64_t ms) { return std::to_string(ms) + " ms"; }

class Windows final : public Oracle {
 public:
  explicit Windows(const Topology& topology)
      : window_(topology.id_window), grace_(topology.id_grace), book_(topology), shards_(topology.shards) {}
  std::string_view name() const override { return "O-L8"; }

  void on_phase(SimTime, Phase phase) override { calls_.phase(phase); }

  void on_committed(SimTime, NodeId, const CommittedEntry& committed) override {
    const std::optional<Entry> entry = book_.committed(committed);
    if (!entry) return;
    const Position first = book_.shard(committed.shard).at(Index(committed.index.value - 1)).position;
    Position position = first;
    for (const Event& event : entry->events) {
      position = position.next();
      const Reading reading{*this, shards_[committed.shard.value - 1], entry->stamp, text(committed.shard, position)};
      std::visit(reading, event);
    }
  }

  void on_call(SimTime, std::uint32_t, std::uint64_t op, const router::Request& request) override {
    calls_.called(op, request);
  }

  void on_return(SimTime, std::uint32_t, std::uint64_t op, const router::Reply& reply) override {
    const std::optional<Call> call = calls_.returned(op);
    if (!call) return;
    if (call->kind == router::RequestKind::transfers) {
      const std::vector<Told> answers = answers_of(*call, reply);
      for (std::size_t i = 0; i < answers.size(); ++i) {
        const ShardId shard = answers[i].has_result ? answers[i].result.shard : reply.shard;
        heard(call->items[i].key, answers[i].outcome, shard);
        if (answers[i].has_result && answers[i].result.replayed) replayed(call->items[i].key, shard);
      }
    } else if (call->kind == router::RequestKind::transfer_status ||
               call->kind == router::RequestKind::change_account || call->kind == router::RequestKind::place_hold ||
               call->kind == router::RequestKind::split) {
      heard({call->tenant, call->account, call->id}, reply.status, reply.shard);
    }
  }

 private:
  struct Row {
    std::uint64_t made_ms = 0;
    bool is_running = false;
  };
  using Leg = std::pair<ShardId, LegNumber>;
  struct Shard {
    std::uint64_t passed_ms = 0;
    std::uint64_t first = 0;
    std::deque<Row> rows;               ///< from `first` on
    std::map<Leg, std::uint64_t> legs;  ///< unanswered: the places of their rows
  };

  struct Reading {
    Windows& oracle;
    Shard& shard;
    Stamp stamp;
    std::string where;

    template <class Event>
    void operator()(const Event&) const {}
    void operator()(const TransferDecided& event) const { bind(event.decided.id, nullptr); }
    void operator()(const AccountChanged& event) const { bind(event.id, nullptr); }
    void operator()(const HoldPlaced& event) const { takes(event.decided.id); }    // and keeps it for ever
    void operator()(const SplitStarted& event) const { takes(event.decided.id); }  // likewise
    void operator()(const LegStarted& event) const { bind(event.decided.id, &event); }
    void operator()(const TryStarted& event) const { (*this)(event.leg); }
    void operator()(const PrepareStarted& event) const { (*this)(event.leg); }
    void operator()(const LegAnswered& event) const { answer({event.target, event.leg}); }
    void operator()(const SecondEnded& event) const { answer({event.target, event.leg}); }
    void operator()(const SecondStarted& event) const {
      const auto asked = shard.legs.find({event.tried.target, event.tried.leg});
      if (asked == shard.legs.end()) return;
      shard.legs[{event.tried.target, event.second}] = asked->second;
      shard.legs.erase(asked);
    }
    void operator()(const WindowMoved& event) const { oracle.moved(shard, event, stamp, where); }

    void takes(const TransferId& id) const {
      const std::optional<std::uint64_t> made = made_ms(id);
      if (!made || *made > shard.passed_ms) return;
      oracle.violated(where + " binds the id " + text(id) + " of " + told_ms(*made) + ", which had passed: all up to " +
                      told_ms(shard.passed_ms) + " had");
    }
    void bind(const TransferId& id, const LegStarted* leg) const {
      takes(id);
      if (shard.passed_ms == 0 || !has_end(id, stamp)) return;
      if (leg != nullptr) shard.legs[{leg->target, leg->leg}] = shard.first + shard.rows.size();
      shard.rows.push_back({*made_ms(id), leg != nullptr});
    }
    void answer(const Leg& leg) const {
      const auto found = shard.legs.find(leg);
      if (found == shard.legs.end()) return;
      if (found->second >= shard.first) shard.rows[found->second - shard.first].is_running = false;
      shard.legs.erase(found);
    }
  };

  void moved(Shard& shard, const WindowMoved& event, Stamp stamp, const std::string& where) {
    if (event.passed_before_ms != shard.passed_ms || event.first_before != shard.first ||
        event.passed_ms < shard.passed_ms || event.first < shard.first) {
      violated(where + " moves the window of ids from where it does not stand, or back");
      return;
    }
    const std::int64_t latest = (stamp.nanos - window_.nanos - 1) / nanos_per_ms;
    const bool is_due = window_ > Duration{} && static_cast<std::int64_t>(event.passed_ms) <= latest;
    if (event.passed_ms != shard.passed_ms && !is_due) {
      violated(where + " lets ids up to " + told_ms(event.passed_ms) + " pass at a stamp by which those up to " +
               told_ms(static_cast<std::uint64_t>(latest)) + " may");
    }
    shard.passed_ms = event.passed_ms;
    const std::uint64_t end = shard.first + shard.rows.size();
    if (event.first > end) violated(where + " forgets rows that were never bound");
    for (; shard.first < std::min(event.first, end); ++shard.first) {
      const Row row = shard.rows.front();
      shard.rows.pop_front();
      seen("id_forgotten");
      if (row.is_running) violated(where + " forgets an id whose transfer is still running");
      if (row.made_ms + static_cast<std::uint64_t>(grace_.millis()) > event.passed_ms) {
        violated(where + " forgets an id of " + told_ms(row.made_ms) + " when all up to " + told_ms(event.passed_ms) +
                 " have passed, within its grace of " + std::to_string(grace_.millis()) + " ms");
      }
    }
    const bool waits = !shard.rows.empty() && shard.rows.front().is_running &&
                       shard.rows.front().made_ms + static_cast<std::uint64_t>(grace_.millis()) <= event.passed_ms;
    if (waits) seen("id_kept_while_running");
  }

  /// The highest of all shards where the answer does not say which one gives it.
  std::uint64_t passed_at(ShardId id) const {
    if (id.value >= 1 && id.value <= shards_.size()) return shards_[id.value - 1].passed_ms;
    std::uint64_t passed = 0;
    for (const Shard& shard : shards_) passed = std::max(passed, shard.passed_ms);
    return passed;
  }

  void heard(const Key& key, Outcome outcome, ShardId shard) {
    const std::optional<std::uint64_t> made = made_ms(key.id);
    if (outcome == Outcome::id_in_future) {
      seen("id_in_future");
      if (!made) violated(text(key) + " was told 'id-in-future', and carries no time");
    }
    if (outcome != Outcome::id_expired || numbered_as(key.id)) return;  // O-L9 looks at numbers
    seen("id_expired");
    if (made && *made <= passed_at(shard)) return;
    violated(text(key) + " was told 'id-expired', and the committed log of " +
             (shard == ShardId{} ? std::string("no shard") : text(shard)) + " did not say so");
  }

  /// An old answer to an id that would not be taken any more.
  void replayed(const Key& key, ShardId shard) {
    const std::optional<std::uint64_t> made = made_ms(key.id);
    if (made && *made <= passed_at(shard)) seen("answered_after_its_window");
  }

  Duration window_;
  Duration grace_;
  Book book_;
  std::vector<Shard> shards_;  ///< by shard - 1
  Calls calls_;
};

}  // namespace

std::unique_ptr<Oracle> make_windows(const Topology& topology) { return std::make_unique<Windows>(topology); }

}  // namespace coffer::sim::oracles
