#include "sim/ladder/tcc.h"

#include <array>
#include <map>
#include <utility>

#include "sim/ladder/shards.h"

namespace coffer::sim::ladder {

namespace {

enum Verb : std::uint32_t {
  request = request_verb,
  try_leg,
  confirm_leg,
  cancel_leg,
  tried,     // flag: 1 yes, 0 no
  settled,   // the second phase is done at a participant
  repeat,    // a timer of the coordinator
  patience,  // another
  begun,     // records and syncs of the coordinator
  decided,
};
enum Side : std::uint32_t { debit, credit };
constexpr Duration repeat_after = milliseconds(120);

/// One row of the phase status table: the transaction, each participant's Try, the second phase and its state.
struct PhaseStatus {
  enum class Try : std::uint8_t { not_answered, yes, no };
  enum class Second : std::uint8_t { none, confirm, cancel };
  std::array<Try, 2> tries{};
  Second second = Second::none;
  bool durable = false;  // the decision is
  std::array<bool, 2> settled{};
};

class Coordinator : public Actor {
 public:
  void boot(Context& context, const std::vector<Message>& log) override {
    for (const Message& record : log) {
      PhaseStatus& status = table_[record.transfer];
      if (record.verb != decided) continue;
      status.second = static_cast<PhaseStatus::Second>(record.flag);
      status.durable = true;
    }
    for (const auto& [number, status] : table_) go_on(context, number);
  }

  void receive(Context& context, Node, const Message& message) override {
    if (message.verb == request) {
      asked(context, message.transfer);
      return;
    }
    const auto found = table_.find(message.transfer);
    if (found == table_.end()) return;
    PhaseStatus& status = found->second;
    if (message.verb == settled) {
      if (status.durable) status.settled[message.account] = true;
    } else if (status.second == PhaseStatus::Second::none) {
      status.tries[message.account] = message.flag == 1 ? PhaseStatus::Try::yes : PhaseStatus::Try::no;
      const bool all = status.tries[debit] == PhaseStatus::Try::yes && status.tries[credit] == PhaseStatus::Try::yes;
      if (all) decide(context, message.transfer, PhaseStatus::Second::confirm);
      if (message.flag != 1) decide(context, message.transfer, PhaseStatus::Second::cancel);
    }
  }

  void woken(Context& context, const Message& note) override {
    const PhaseStatus& status = table_.at(note.transfer);
    if (note.verb == patience) {
      if (status.second == PhaseStatus::Second::none) decide(context, note.transfer, PhaseStatus::Second::cancel);
    } else if (status.second == PhaseStatus::Second::none || status.durable) {
      speak(context, note.transfer);
    } else {
      context.wake(repeat_after, note);
    }
  }

  void synced(Context& context, const Message& record) override {
    if (record.verb == decided) {
      PhaseStatus& status = table_.at(record.transfer);
      status.durable = true;
      answer(context, record.transfer);
      tell_participants(context, record.transfer);
    } else {
      go_on(context, record.transfer);
    }
  }

 private:
  void asked(Context& context, std::uint32_t number) {
    const auto [row, fresh] = table_.try_emplace(number);
    if (fresh) {
      const Message record{.verb = begun, .transfer = number};
      context.write(record);
      context.sync(record);
    } else if (row->second.durable) {
      answer(context, number);
    }
  }

  /// From where the table says it is.
  void go_on(Context& context, std::uint32_t number) {
    speak(context, number);
    if (table_.at(number).second == PhaseStatus::Second::none) {
      context.wake(try_patience, {.verb = patience, .transfer = number});
    }
  }

  /// Says to the participants what they have not answered, and again until they have.
  void speak(Context& context, std::uint32_t number) {
    const PhaseStatus& status = table_.at(number);
    if (status.settled[debit] && status.settled[credit]) return;
    tell_participants(context, number);
    context.wake(repeat_after, {.verb = repeat, .transfer = number});
  }

  void tell_participants(Context& context, std::uint32_t number) {
    const PhaseStatus& status = table_.at(number);
    const Transfer& transfer = context.transfer(number);
    for (const Side side : {debit, credit}) {
      const bool first = status.second == PhaseStatus::Second::none;
      if (first ? status.tries[side] != PhaseStatus::Try::not_answered : status.settled[side]) continue;
      Message message{.verb = try_leg, .transfer = number, .account = side};
      if (!first) message.verb = status.second == PhaseStatus::Second::confirm ? confirm_leg : cancel_leg;
      context.send(shard_of(side == debit ? transfer.from : transfer.to), message);
    }
  }

  void decide(Context& context, std::uint32_t number, PhaseStatus::Second second) {
    table_.at(number).second = second;
    const Message record{.verb = decided, .transfer = number, .flag = static_cast<std::uint32_t>(second)};
    context.write(record);
    context.sync(record);
  }

  void answer(Context& context, std::uint32_t number) {
    const bool confirmed = table_.at(number).second == PhaseStatus::Second::confirm;
    context.answer(number, confirmed ? Answer::success : Answer::refused);
  }

  std::map<std::uint32_t, PhaseStatus> table_;
};

/// A participant: a database that does each phase of a leg once.
class Participant : public Actor {
 public:
  explicit Participant(const TccOptions& options) : options_(options) {}

  void boot(Context& context, const std::vector<Message>& log) override {
    open_accounts_of_shard(context);
    for (const Message& record : log) apply(context, record);
  }

  void receive(Context& context, Node from, const Message& message) override {
    const auto known = legs_.find({message.transfer, message.account});
    const State state = known == legs_.end() ? State::unknown : known->second;
    Message record = message;
    if (message.verb == try_leg) {
      if (state == State::unknown) {
        record.flag = can(context, message) ? 1 : 0;
        write(context, record);
      } else {
        record.flag = state == State::tried || state == State::confirmed ? 1 : 0;
      }
    } else {
      const bool cancelled_unseen = state == State::unknown && message.verb == cancel_leg;
      if (state == State::tried || (cancelled_unseen && options_.out_of_order_flag)) write(context, record);
    }
    record.number = from;
    context.sync(record);
  }

  void synced(Context& context, const Message& record) override {
    Message answer{.verb = settled, .transfer = record.transfer, .account = record.account, .flag = record.flag};
    if (record.verb == try_leg) answer.verb = tried;
    context.send(static_cast<Node>(record.number), answer);
  }

 private:
  enum class State : std::uint8_t { unknown, tried, refused, confirmed, cancelled };

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
    const TccLeg& leg = record.account == debit ? options_.debit : options_.credit;
    State& state = legs_[{record.transfer, record.account}];
    std::int64_t times = 0;
    if (record.verb == try_leg) {
      times = record.flag == 1 ? leg.at_try : 0;
      state = record.flag == 1 ? State::tried : State::refused;
    } else if (record.verb == confirm_leg) {
      times = leg.at_confirm;
      state = State::confirmed;
    } else {
      times = state == State::tried ? leg.at_cancel : 0;
      state = State::cancelled;
    }
    if (times == 0) return;
    const std::int64_t delta = times * context.transfer(record.transfer).amount;
    context.book().post(record.transfer, account_of(context, record), delta);
    context.book().transit(record.transfer, -delta);
  }

  TccOptions options_;
  std::map<std::pair<std::uint32_t, std::uint32_t>, State> legs_;  // by (transfer, side)
};

class Tcc : public Design {
 public:
  explicit Tcc(const TccOptions& options) : options_(options) {}
  std::vector<std::string> roles() const override { return roles_of_shards({"coordinator 1", "coordinator 2"}); }
  Traits traits() const override { return {.delivery = options_.delivery, .balanced = true}; }
  std::unique_ptr<Actor> start(Node node) const override {
    if (node <= services_count) return std::make_unique<Coordinator>();
    return std::make_unique<Participant>(options_);
  }
  /// The coordinator whose table has the transfer.
  Node entry(const Transfer& transfer, std::uint32_t /*attempt*/) const override {
    return transfer.number % services_count + 1;
  }
  std::vector<Node> holders(std::uint32_t account) const override { return {shard_of(account)}; }

 private:
  TccOptions options_;
};

}  // namespace

std::unique_ptr<Design> tcc(const TccOptions& options) { return std::make_unique<Tcc>(options); }

}  // namespace coffer::sim::ladder
