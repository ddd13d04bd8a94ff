// O-T6. A split credits all its payees or none, and each once; what it takes is what they get. It is decided once, when
// every part has answered, as they have answered: a Confirm only if all have promised, else a Cancel, for the first
// part that refused. No part is given anything before that. What clients were told of splits is so.
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "sim/oracles/calls.h"
#include "sim/oracles/transfers.h"

namespace coffer::sim::oracles {

namespace {

/// Where an event stands in the log of its shard.
struct Place {
  Position position;
  Stamp stamp;
  bool operator==(const Place&) const = default;
};

struct Part {
  SplitStarted::Part begun;
  std::optional<Outcome> promised;  ///< by the target's log
  Place promised_at;
  std::optional<Outcome> answered;  ///< by the source's
  LegNumber second;
  std::vector<Place> credited;
  bool ended = false;
};

struct Story {
  ShardId shard;
  Position position;
  SplitStarted started;
  std::vector<Part> parts;
  std::optional<SplitDecided> decided;
  Position decided_at;

  bool is_over() const { return started.decided.outcome != Outcome::pending || decided.has_value(); }
  Outcome outcome() const { return decided ? decided->outcome : started.decided.outcome; }
  std::uint8_t refused() const { return decided ? decided->refused : started.refused; }
};

class Splits final : public Oracle {
 public:
  explicit Splits(const Topology& topology) : book_(topology) {}
  std::string_view name() const override { return "O-T6"; }

  void on_phase(SimTime, Phase phase) override { calls_.phase(phase); }

  void on_committed(SimTime, NodeId, const CommittedEntry& committed) override {
    const std::optional<Entry> entry = book_.committed(committed);
    if (!entry || !violations().empty()) return;
    At at{committed.shard, book_.shard(committed.shard).at(Index(committed.index.value - 1)).position, entry->stamp};
    const SplitAnswered* last = nullptr;
    for (const Event& event : entry->events) {
      at.position = at.position.next();
      if (const auto* opened = std::get_if<AccountOpened>(&event)) open(at, *opened);
      if (const auto* started = std::get_if<SplitStarted>(&event)) begin(at, *started);
      if (const auto* tried = std::get_if<TryReceived>(&event)) promise(at, tried->leg);
      if (const auto* answered = std::get_if<SplitAnswered>(&event)) answer(at, *answered);
      if (const auto* decided = std::get_if<SplitDecided>(&event)) decide(at, *decided, last);
      if (const auto* second = std::get_if<SecondReceived>(&event)) credit(at, *second);
      if (const auto* ended = std::get_if<SplitEnded>(&event)) end(at, *ended);
      last = std::get_if<SplitAnswered>(&event);
    }
  }

  void on_call(SimTime, std::uint32_t, std::uint64_t op, const router::Request& request) override {
    calls_.called(op, request);
  }

  void on_return(SimTime, std::uint32_t, std::uint64_t op, const router::Reply& reply) override {
    const std::optional<Call> call = calls_.returned(op);
    const auto* body = std::get_if<router::SplitReply>(&reply.body);
    if (!call || body == nullptr || !is_logged(body->result.outcome) || !violations().empty()) return;
    const auto found = stories_.find(call->hold());
    if (found == stories_.end()) return;  // O-L4 tells
    told(*call, found->second, *body);
  }

  void finish(SimTime) override {
    if (calls_.phase() < Phase::final_reads) return;  // never became quiet: the runner's to tell
    for (const auto& [key, story] : stories_) {
      if (!violations().empty()) return;
      judge(key, story);
    }
  }

 private:
  struct At {
    ShardId shard;
    Position position;
    Stamp stamp;
    std::string where() const { return text(shard, position); }
    Place place() const { return {position, stamp}; }
  };
  using LegName = std::tuple<ShardId, ShardId, LegNumber>;                  ///< source, target, leg of the Try
  using PartName = std::pair<Key, std::size_t>;                             ///< a split, and its part
  using PocketName = std::tuple<ShardId, TenantId, std::string, Currency>;  ///< no currency: the account

  static std::string words(const Key& key) { return "split " + text(key.id) + " of account '" + key.home + "'"; }
  static std::string words(const PartName& part) {
    return "part " + std::to_string(part.second) + " of " + words(part.first);
  }

  void begin(const At& at, const SplitStarted& event) {
    const Decided& decided = event.decided;
    const ShardBook& book = book_.shard(at.shard);
    const Key key{book.tenant_of(decided.home), book.account(decided.home).value_or(""), decided.id};
    const auto [found, is_new] = stories_.try_emplace(key, Story{at.shard, at.position, event, {}, {}, {}});
    if (!is_new) return;  // O-L5 tells
    Story& story = found->second;
    Sum sum = 0;
    bool all_here = true;
    for (const SplitStarted::Part& part : event.parts) {
      sum += part.amount;
      all_here = all_here && part.is_here();
      if (part.is_here() != (part.target == at.shard)) {
        violated(at.where() + " begins " + words(key) + " with a part for " + text(part.target) + ", by the wrong way");
      }
      if (!part.is_here()) legs_[{at.shard, part.target, part.leg}] = {key, story.parts.size()};
      story.parts.push_back({part, {}, {}, {}, {}, {}, false});
      Part& kept = story.parts.back();
      if (part.is_here()) kept.promised = kept.answered = Outcome::success;
      if (decided.outcome == Outcome::success) kept.credited.push_back(at.place());
    }
    const bool begins = decided.outcome == Outcome::pending || decided.outcome == Outcome::success;
    if (!begins) return begun_refused(event);
    if (sum != decided.amount.minor || event.parts.empty()) {
      violated(at.where() + " takes " + std::to_string(decided.amount.minor) + " for " + words(key) +
               ", and its parts are " + text(sum));
    }
    if (all_here != (decided.outcome == Outcome::success)) {
      violated(at.where() + " begins " + words(key) + ", which is " + (all_here ? "" : "not ") +
               "all of this shard, as '" + std::string(coffer::name(decided.outcome)) + "'");
    }
    for (const Part& part : story.parts) takes_part(at, key, part);
    seen(all_here ? "split_within_a_shard" : "split_across_shards");
  }

  void begun_refused(const SplitStarted& event) {
    seen(event.refused == no_part ? "split_refused_for_its_debit" : "split_refused_for_a_part_here");
  }

  /// A part of this shard is credited where it says.
  void takes_part(const At& at, const Key& key, const Part& part) {
    if (!part.begun.is_here()) return;
    const Pocket* credit = book_.shard(at.shard).pocket(part.begun.credit);
    if (credit != nullptr && credit->tenant == key.tenant && credit->name == part.begun.credit_account) return;
    violated(at.where() + " is to credit '" + part.begun.credit_account + "' for " + words(key) +
             ", and names another pocket");
  }

  Part* part_at(const LegName& leg, PartName& name) {
    const auto found = legs_.find(leg);
    if (found == legs_.end()) return nullptr;
    name = found->second;
    return &stories_.at(name.first).parts[name.second];
  }

  void promise(const At& at, const LegReceived& event) {
    PartName name;
    Part* part = part_at({event.source, at.shard, event.leg}, name);
    if (part == nullptr) return;
    part->promised = event.outcome;
    part->promised_at = at.place();
  }

  void answer(const At& at, const SplitAnswered& event) {
    PartName name;
    Part* part = part_at({at.shard, event.tried.target, event.tried.leg}, name);
    if (part == nullptr || name.second != event.part) {
      violated(at.where() + " answers part " + std::to_string(event.part) + " of a split whose leg this is not");
      return;
    }
    part->answered = event.tried.outcome;
  }

  void decide(const At& at, const SplitDecided& event, const SplitAnswered* last) {
    const Pocket* debit = book_.shard(at.shard).pocket(event.debit);
    const Key key{debit != nullptr ? debit->tenant : TenantId(), debit != nullptr ? debit->name : "", event.id};
    const auto found = stories_.find(key);
    if (found == stories_.end()) {
      violated(at.where() + " decides " + words(key) + ", which was never begun");
      return;
    }
    Story& story = found->second;
    if (story.is_over()) {
      violated(at.where() + " decides " + words(key) + ", which was decided in " + text(at.shard, story.decided_at));
      return;
    }
    if (last == nullptr || last->tried.id != event.id) {
      violated(at.where() + " decides " + words(key) + ", and does not stand behind the answer to its last Try");
    }
    Outcome expected = Outcome::success;
    std::uint8_t refused = no_part;
    for (std::size_t i = 0; i < story.parts.size(); ++i) {
      const Part& part = story.parts[i];
      if (!part.answered || !part.promised) {
        violated(at.where() + " decides " + words(key) + ", and part " + std::to_string(i) + " has not answered");
        return;
      }
      if (*part.promised == Outcome::success || expected != Outcome::success) continue;
      expected = *part.promised;
      refused = static_cast<std::uint8_t>(i);
    }
    if (event.outcome != expected || event.refused != refused) {
      violated(at.where() + " decides " + words(key) + " as '" + std::string(coffer::name(event.outcome)) +
               "' for part " + std::to_string(event.refused) + ", and its parts say '" +
               std::string(coffer::name(expected)) + "' for part " + std::to_string(refused));
    }
    story.decided = event;
    story.decided_at = at.position;
    same_parts(at, key, story, event);
    seen(expected == Outcome::success ? "split_confirmed" : "split_cancelled");
  }

  void same_parts(const At& at, const Key& key, Story& story, const SplitDecided& event) {
    bool same = story.parts.size() == event.parts.size();
    for (std::size_t i = 0; same && i < event.parts.size(); ++i) {
      const SplitStarted::Part& begun = story.parts[i].begun;
      const SplitDecided::Part& part = event.parts[i];
      same = begun.target == part.target && begun.leg == part.tried && begun.transit == part.transit &&
             begun.credit == part.credit && begun.amount == part.amount;
      story.parts[i].second = part.second;
      if (begun.is_here()) {
        story.parts[i].ended = true;
        if (event.outcome == Outcome::success) story.parts[i].credited.push_back(at.place());
      }
    }
    if (!same) violated(at.where() + " decides " + words(key) + " with other parts than it was begun with");
  }

  void credit(const At& at, const SecondReceived& event) {
    PartName name;
    Part* part = part_at({event.source, at.shard, event.tried}, name);
    if (part == nullptr || !accepts(event.phase)) return;
    const Story& story = stories_.at(name.first);
    if (!story.decided || story.decided->outcome != Outcome::success) {
      violated(at.where() + " credits " + words(name) + ", which was not decided so");
    }
    if (event.amount.minor != part->begun.amount) {
      violated(at.where() + " credits " + words(name) + " with " + std::to_string(event.amount.minor) + " instead of " +
               std::to_string(part->begun.amount));
    }
    part->credited.push_back(at.place());
  }

  void end(const At& at, const SplitEnded& event) {
    for (auto& [leg, name] : legs_) {
      if (std::get<0>(leg) != at.shard || std::get<1>(leg) != event.ended.target) continue;
      Part& part = stories_.at(name.first).parts[name.second];
      if (part.second != event.ended.leg) continue;
      if (name.second != event.part) violated(at.where() + " ends another part than " + words(name));
      part.ended = true;
      return;
    }
    violated(at.where() + " ends a part of a split that no leg " + std::to_string(event.ended.leg.value) + " is of");
  }

  /// Once quiet.
  void judge(const Key& key, const Story& story) {
    if (!story.is_over()) {
      violated(words(key) + ", begun in " + text(story.shard, story.position) + ", was never decided");
      return;
    }
    Sum credited = 0;
    for (std::size_t i = 0; i < story.parts.size(); ++i) {
      const Part& part = story.parts[i];
      const std::size_t expected = story.outcome() == Outcome::success ? 1 : 0;
      if (part.credited.size() != expected) {
        violated(words({key, i}) + " was credited " + std::to_string(part.credited.size()) +
                 " times, and the split is '" + std::string(coffer::name(story.outcome())) + "'");
      }
      if (story.decided && !part.ended) violated(words({key, i}) + " has no end");
      credited += static_cast<Sum>(part.credited.size()) * part.begun.amount;
    }
    if (story.outcome() == Outcome::success && credited != story.started.decided.amount.minor) {
      violated(words(key) + " took " + std::to_string(story.started.decided.amount.minor) + " and gave " +
               text(credited));
    }
  }

  void told(const Call& call, const Story& story, const router::SplitReply& body) {
    const std::string what = "the answer to " + words(call.hold());
    if (body.result.outcome != story.outcome()) return;  // O-Q1 tells
    if (body.refused != story.refused() || body.parts.size() != story.parts.size()) {
      violated(what + " names part " + std::to_string(body.refused) + " of " + std::to_string(body.parts.size()) +
               " as refused, and the log part " + std::to_string(story.refused()) + " of " +
               std::to_string(story.parts.size()));
      return;
    }
    for (std::size_t i = 0; i < body.parts.size(); ++i) {
      const Part& part = story.parts[i];
      const router::SplitReply::Part& named = body.parts[i];
      Place expected;
      if (story.outcome() == Outcome::success && !part.credited.empty()) expected = part.credited.front();
      if (i == story.refused()) expected = part.promised_at;
      if (named.shard == part.begun.target && Place{named.position, named.stamp} == expected) continue;
      violated(what + " puts part " + std::to_string(i) + " at " + text(named.shard, named.position) + ", stamped " +
               std::to_string(named.stamp.nanos) + ", and the log at " + text(part.begun.target, expected.position) +
               ", stamped " + std::to_string(expected.stamp.nanos));
    }
    was_refused(call, story, what);
  }

  /// Who is refused for an account's sake had such an account: the debit's, or the payee's of the part it names.
  void was_refused(const Call& call, const Story& story, const std::string& what) {
    if (story.outcome() == Outcome::success) return;
    const std::vector<std::string>& payees = call.items.front().payees;
    const bool of_part = story.refused() != no_part;
    if (of_part && story.refused() >= payees.size()) {
      violated(what + " names part " + std::to_string(story.refused()) + " of " + std::to_string(payees.size()));
      return;
    }
    const bool elsewhere = of_part && story.decided.has_value();
    const Part* part = elsewhere ? &story.parts[story.refused()] : nullptr;
    const ShardId shard = elsewhere ? part->begun.target : story.shard;
    const Position position = elsewhere ? part->promised_at.position : story.position;
    const std::string account = of_part ? payees[story.refused()] : call.account;
    if (was_so(story.outcome(), {shard, call.tenant, account, call.items.front().body.amount.currency}, position))
      return;
    violated(what + " says '" + std::string(coffer::name(story.outcome())) + "' for account '" + account +
             "', which was not so at " + text(shard, position));
  }

  /// True of refusals for another reason than what account it was.
  bool was_so(Outcome outcome, PocketName name, Position position) const {
    const auto& [shard, tenant, account, currency] = name;
    const AccountState state = book_.shard(shard).state_at(tenant, account, position);
    if (outcome == Outcome::account_frozen) return state == AccountState::frozen;
    if (outcome == Outcome::account_closed) return state == AccountState::closed;
    const bool exists = was_open({shard, tenant, account, {}}, position);
    if (outcome == Outcome::credit_account_not_found) return !exists;
    if (outcome == Outcome::currency_mismatch) return exists && !was_open(name, position);
    return true;
  }

  bool was_open(const PocketName& name, Position position) const {
    const auto found = opened_.find(name);
    return found != opened_.end() && found->second < position;
  }

  void open(const At& at, const AccountOpened& event) {
    if (event.kind != PocketKind::customer) return;
    opened_.try_emplace({at.shard, event.tenant, event.name, event.currency}, at.position);
    opened_.try_emplace({at.shard, event.tenant, event.name, {}}, at.position);
  }

  Book book_;
  Calls calls_;
  std::map<PocketName, Position> opened_;
  std::map<Key, Story> stories_;
  std::map<LegName, PartName> legs_;
};

}  // namespace

std::unique_ptr<Oracle> make_splits(const Topology& topology) { return std::make_unique<Splits>(topology); }

}  // namespace coffer::sim::oracles
