#include "sim/ladder/saga.h"

#include <map>
#include <utility>

#include "sim/ladder/shards.h"

namespace coffer::sim::ladder {

namespace {

enum Verb : std::uint32_t {
  request = request_verb,
  step,     // to a shard: do it
  stepped,  // from a shard: flag 1 it is done, 0 it will never be
  went_on,  // record and sync of the orchestrator
  repeat,   // timers of the orchestrator
  patience,
};
/// Where a transfer is; the first four are steps that a shard does.
enum Stage : std::uint32_t { debit, credit, take_back, give_back, succeeded, refused };
constexpr Duration repeat_after = milliseconds(120);

class Orchestrator : public Actor {
 public:
  explicit Orchestrator(Compensation order) : order_(order) {}

  void boot(Context& context, const std::vector<Message>& log) override {
    for (const Message& record : log) stages_[record.transfer] = {static_cast<Stage>(record.account), true};
    for (const auto& [number, at] : stages_) go_on(context, number);
  }

  void receive(Context& context, Node /*from*/, const Message& message) override {
    if (message.verb == request) return asked(context, message.transfer);
    const At at = stages_.at(message.transfer);
    if (at.durable && at.stage == message.account) enter(context, message.transfer, after(at.stage, message.flag == 1));
  }

  void synced(Context& context, const Message& record) override {
    At& at = stages_.at(record.transfer);
    if (at.stage != record.account) return;
    at.durable = true;
    go_on(context, record.transfer);
  }

  void woken(Context& context, const Message& note) override {
    const At at = stages_.at(note.transfer);
    if (at.stage != note.account || !at.durable) return;
    if (note.verb == repeat) return speak(context, note.transfer);
    enter(context, note.transfer, order_ == Compensation::backwards ? take_back : give_back);
  }

 private:
  struct At {
    Stage stage = debit;
    bool durable = false;
  };

  Stage after(Stage stage, bool done) const {
    switch (stage) {
      case debit:
        return done ? credit : refused;
      case credit:
        return done ? succeeded : give_back;
      case take_back:
        if (order_ == Compensation::forwards) return refused;
        return done ? give_back : succeeded;
      case give_back:
        return order_ == Compensation::forwards ? take_back : refused;
      case succeeded:
      case refused:
        break;
    }
    return stage;
  }

  void asked(Context& context, std::uint32_t number) {
    if (!stages_.contains(number)) {
      enter(context, number, debit);
    } else if (stages_.at(number).durable) {
      answer(context, number);
    }
  }

  void enter(Context& context, std::uint32_t number, Stage stage) {
    stages_[number] = {stage, false};
    const Message record{.verb = went_on, .transfer = number, .account = stage};
    context.write(record);
    context.sync(record);
  }

  void go_on(Context& context, std::uint32_t number) {
    answer(context, number);
    speak(context, number);
    if (stages_.at(number).stage == credit) {
      context.wake(credit_patience, {.verb = patience, .transfer = number, .account = credit});
    }
  }

  void speak(Context& context, std::uint32_t number) {
    const Stage stage = stages_.at(number).stage;
    if (stage == succeeded || stage == refused) return;
    const Transfer& transfer = context.transfer(number);
    const bool of_debit = stage == debit || stage == give_back;
    context.send(shard_of(of_debit ? transfer.from : transfer.to),
                 {.verb = step, .transfer = number, .account = stage});
    context.wake(repeat_after, {.verb = repeat, .transfer = number, .account = stage});
  }

  void answer(Context& context, std::uint32_t number) {
    const Stage stage = stages_.at(number).stage;
    if (stage == succeeded) context.answer(number, Answer::success);
    if (stage == refused) context.answer(number, Answer::refused);
  }

  Compensation order_;
  std::map<std::uint32_t, At> stages_;
};

/// Does each step of a transfer once, and says again what it said. A credit that is taken back before it was seen will
/// be refused.
class Shard : public Actor {
 public:
  explicit Shard(Compensation order) : order_(order) {}

  void boot(Context& context, const std::vector<Message>& log) override {
    open_accounts_of_shard(context);
    for (const Message& record : log) apply(context, record);
  }

  void receive(Context& context, Node from, const Message& message) override {
    Message record = message;
    const auto known = done_.find({message.transfer, message.account});
    if (known == done_.end()) {
      record.flag = may(context, message) ? 1 : 0;
      context.write(record);
      apply(context, record);
    } else {
      record.flag = known->second ? 1 : 0;
    }
    record.number = from;
    context.sync(record);
  }

  void synced(Context& context, const Message& record) override {
    context.send(static_cast<Node>(record.number),
                 {.verb = stepped, .transfer = record.transfer, .account = record.account, .flag = record.flag});
  }

 private:
  bool was_done(std::uint32_t number, Stage stage) const {
    const auto known = done_.find({number, stage});
    return known != done_.end() && known->second;
  }

  bool may(Context& context, const Message& message) const {
    const Transfer& transfer = context.transfer(message.transfer);
    switch (static_cast<Stage>(message.account)) {
      case debit:
        return context.book().balance(transfer.from) >= transfer.amount;
      case credit:
        return !context.account(transfer.to).barred && !done_.contains({message.transfer, take_back});
      case take_back:
        return order_ == Compensation::forwards || !was_done(message.transfer, credit) ||
               context.book().balance(transfer.to) >= transfer.amount;
      case give_back:
      case succeeded:
      case refused:
        break;
    }
    return true;
  }

  void apply(Context& context, const Message& record) {
    done_[{record.transfer, record.account}] = record.flag == 1;
    const auto stage = static_cast<Stage>(record.account);
    if (record.flag != 1 || (stage == take_back && !was_done(record.transfer, credit))) return;
    const Transfer& transfer = context.transfer(record.transfer);
    const bool takes = stage == debit || stage == take_back;
    const std::int64_t delta = takes ? -transfer.amount : transfer.amount;
    const bool of_debit = stage == debit || stage == give_back;
    context.book().post(record.transfer, of_debit ? transfer.from : transfer.to, delta);
    context.book().transit(record.transfer, -delta);
  }

  Compensation order_;
  std::map<std::pair<std::uint32_t, std::uint32_t>, bool> done_;  // by (transfer, stage)
};

class Saga : public Design {
 public:
  explicit Saga(Compensation order) : order_(order) {}
  std::vector<std::string> roles() const override { return roles_of_shards({"orchestrator 1", "orchestrator 2"}); }
  Traits traits() const override { return {.balanced = true}; }
  std::unique_ptr<Actor> start(Node node) const override {
    if (node <= services_count) return std::make_unique<Orchestrator>(order_);
    return std::make_unique<Shard>(order_);
  }
  /// The one that keeps the transfer's stage.
  Node entry(const Transfer& transfer, std::uint32_t /*attempt*/) const override {
    return transfer.number % services_count + 1;
  }
  std::vector<Node> holders(std::uint32_t account) const override { return {shard_of(account)}; }

 private:
  Compensation order_;
};

}  // namespace

std::unique_ptr<Design> saga(Compensation order) { return std::make_unique<Saga>(order); }

}  // namespace coffer::sim::ladder
