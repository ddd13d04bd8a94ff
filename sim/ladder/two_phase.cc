#include "sim/ladder/two_phase.h"

#include <array>
#include <map>
#include <utility>

#include "sim/ladder/quorum_log.h"
#include "sim/ladder/shards.h"

namespace coffer::sim::ladder {

namespace {

enum Verb : std::uint32_t {
  request = request_verb,
  prepare,
  commit,
  abort_it,
  voted,    // flag: 1 yes, 0 no
  settled,  // the decision is carried out at a shard
  repeat,   // timers of the coordinator
  patience,
};
enum Kind : std::uint32_t { noop, begun, decided };
enum Side : std::uint32_t { debit, credit };
constexpr Duration repeat_after = milliseconds(100);
constexpr Duration vote_patience = milliseconds(400);

class Coordinator : public Replica {
 public:
  explicit Coordinator(Node replicas) : Replica({.replicas = replicas}), shards_behind_(replicas) {}

 private:
  enum class Decision : std::uint8_t { none, commit, abort };
  struct Row {
    Decision decision = Decision::none;  // committed in the log
    // Of this leader alone.
    bool proposed = false;
    std::array<bool, 2> yes{};
    std::array<bool, 2> settled{};
    bool repeating = false;
  };

  void begin(Context& /*context*/) override { rows_.clear(); }

  void lead(Context& context) override {
    begun_.clear();
    for (auto& [number, row] : rows_) {
      row = Row{.decision = row.decision};
      drive(context, number);
    }
  }

  void hear(Context& context, Node /*from*/, const Message& message) override {
    if (!leads()) {
      if (message.verb == request) pass_on(context, message);
      return;
    }
    const auto found = rows_.find(message.transfer);
    if (found == rows_.end()) {
      if (message.verb == request && begun_.emplace(message.transfer, true).second) {
        propose(context, {.kind = begun, .transfer = message.transfer});
      }
      return;
    }
    Row& row = found->second;
    if (message.verb == request) {
      if (row.decision != Decision::none) answer(context, message.transfer);
    } else if (message.verb == settled) {
      row.settled[message.account] = true;
    } else if (message.flag == 0) {
      decide(context, message.transfer, Decision::abort);
    } else {
      row.yes[message.account] = true;
      if (row.yes[debit] && row.yes[credit]) decide(context, message.transfer, Decision::commit);
    }
  }

  void decide(Context& context, std::uint32_t number, Decision decision) {
    Row& row = rows_.at(number);
    if (row.proposed || row.decision != Decision::none) return;
    row.proposed = true;
    propose(context, {.kind = decided, .transfer = number, .flag = static_cast<std::uint32_t>(decision)});
  }

  void apply(Context& context, const Entry& entry) override {
    Row& row = rows_[entry.transfer];
    if (entry.kind == decided && row.decision == Decision::none) row.decision = static_cast<Decision>(entry.flag);
    if (!leads()) return;
    if (row.decision != Decision::none) answer(context, entry.transfer);
    drive(context, entry.transfer);
  }

  /// From where the row says it is.
  void drive(Context& context, std::uint32_t number) {
    Row& row = rows_.at(number);
    if (row.decision == Decision::none) context.wake(vote_patience, {.verb = patience, .transfer = number});
    tell_shards(context, number);
    if (row.repeating) return;
    row.repeating = true;
    context.wake(repeat_after, {.verb = repeat, .transfer = number});
  }

  void remind(Context& context, const Message& note) override {
    const auto found = rows_.find(note.transfer);
    if (!leads() || found == rows_.end()) return;
    Row& row = found->second;
    if (note.verb == patience) {
      decide(context, note.transfer, Decision::abort);
    } else if (!row.settled[debit] || !row.settled[credit]) {
      tell_shards(context, note.transfer);
      context.wake(repeat_after, note);
    }
  }

  void tell_shards(Context& context, std::uint32_t number) {
    const Row& row = rows_.at(number);
    const Transfer& transfer = context.transfer(number);
    for (const Side side : {debit, credit}) {
      if (row.decision == Decision::none ? row.yes[side] : row.settled[side]) continue;
      Message message{.verb = prepare, .transfer = number, .account = side};
      if (row.decision != Decision::none) message.verb = row.decision == Decision::commit ? commit : abort_it;
      context.send(shard_of(side == debit ? transfer.from : transfer.to, shards_behind_), message);
    }
  }

  void answer(Context& context, std::uint32_t number) {
    context.answer(number, rows_.at(number).decision == Decision::commit ? Answer::success : Answer::refused);
  }

  Node shards_behind_;
  std::map<std::uint32_t, Row> rows_;
  std::map<std::uint32_t, bool> begun_;
};

class Shard : public Actor {
 public:
  explicit Shard(Node coordinators) : coordinators_(coordinators) {}

  void boot(Context& context, const std::vector<Message>& log) override {
    open_accounts_of_shard(context, coordinators_);
    for (const Message& record : log) apply(context, record);
  }

  void receive(Context& context, Node from, const Message& message) override {
    const auto known = states_.find({message.transfer, message.account});
    const State state = known == states_.end() ? State::unknown : known->second;
    Message record = message;
    if (message.verb == prepare) {
      if (state == State::unknown) {
        const std::uint32_t account = account_of(context, message);
        if (locked_by_.contains(account)) return;  // waits; the coordinator asks again
        record.flag = can(context, message) ? 1 : 0;
        write(context, record);
      } else {
        record.flag = state == State::prepared || state == State::committed ? 1 : 0;
      }
    } else if (state == State::prepared || (state == State::unknown && message.verb == abort_it)) {
      write(context, record);
    }
    record.number = from;
    context.sync(record);
  }

  void synced(Context& context, const Message& record) override {
    Message answer{.verb = settled, .transfer = record.transfer, .account = record.account, .flag = record.flag};
    if (record.verb == prepare) answer.verb = voted;
    context.send(static_cast<Node>(record.number), answer);
  }

 private:
  enum class State : std::uint8_t { unknown, prepared, refused, committed, aborted };

  std::uint32_t account_of(Context& context, const Message& message) const {
    const Transfer& transfer = context.transfer(message.transfer);
    return message.account == debit ? transfer.from : transfer.to;
  }

  bool can(Context& context, const Message& message) const {
    const std::uint32_t account = account_of(context, message);
    if (message.account == credit) return !context.account(account).barred;
    return context.book().balance(account) >= context.transfer(message.transfer).amount;
  }

  void write(Context& context, const Message& record) {
    context.write(record);
    apply(context, record);
  }

  void apply(Context& context, const Message& record) {
    State& state = states_[{record.transfer, record.account}];
    const std::uint32_t account = account_of(context, record);
    if (record.verb == prepare) {
      state = record.flag == 1 ? State::prepared : State::refused;
      if (record.flag != 1) return;
      locked_by_[account] = record.transfer;
      context.book().lock(record.transfer, account);
      return;
    }
    if (record.verb == commit) {
      const std::int64_t amount = context.transfer(record.transfer).amount;
      const std::int64_t delta = record.account == debit ? -amount : amount;
      context.book().post(record.transfer, account, delta);
      context.book().transit(record.transfer, -delta);
    }
    if (state == State::prepared) {
      locked_by_.erase(account);
      context.book().unlock(record.transfer, account);
    }
    state = record.verb == commit ? State::committed : State::aborted;
  }

  Node coordinators_;
  std::map<std::uint32_t, std::uint32_t> locked_by_;                 // account → transfer
  std::map<std::pair<std::uint32_t, std::uint32_t>, State> states_;  // by (transfer, side)
};

class TwoPhase : public Design {
 public:
  explicit TwoPhase(Node coordinators) : coordinators_(coordinators) {}
  std::vector<std::string> roles() const override {
    std::vector<std::string> names;
    for (Node node = 1; node <= coordinators_; ++node) {
      names.push_back(coordinators_ == 1 ? "coordinator" : "coordinator " + std::to_string(node));
    }
    return roles_of_shards(std::move(names));
  }
  Traits traits() const override {
    Traits traits{.balanced = true};
    for (Node node = 1; node <= coordinators_; ++node) traits.losable.push_back(node);
    return traits;
  }
  std::unique_ptr<Actor> start(Node node) const override {
    if (node <= coordinators_) return std::make_unique<Coordinator>(coordinators_);
    return std::make_unique<Shard>(coordinators_);
  }
  Node entry(const Transfer& transfer, std::uint32_t attempt) const override {
    return (transfer.number + attempt) % coordinators_ + 1;
  }
  std::vector<Node> holders(std::uint32_t account) const override { return {shard_of(account, coordinators_)}; }

 private:
  Node coordinators_;
};

}  // namespace

std::unique_ptr<Design> two_phase(Node coordinators) { return std::make_unique<TwoPhase>(coordinators); }

}  // namespace coffer::sim::ladder
