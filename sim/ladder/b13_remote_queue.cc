// B13. Event sourcing on remote stores: commands and events stand in a queue, the state in a database, and between them
// a state machine that keeps nothing. The queue hands out one command after the other; the state machine reads what it
// needs from the database, decides, puts the event into the queue, and only then tells the database, which applies each
// event once. Sound, and each transfer crosses the network ten times. Source: Digital Wallet, event sourcing, before
// commands, events and state move to local disks.
#include <algorithm>
#include <cstdint>
#include <map>
#include <utility>

#include "sim/ladder/rungs.h"

namespace coffer::sim::ladder {

namespace {

enum Verb : std::uint32_t {
  request = request_verb,
  put_command,  // to the queue
  command,      // from the queue: the next one; flag: what its event says, if it has one
  read,         // to the database
  balances,     // from the database: flag 1: the debit is covered
  put_event,    // to the queue; record
  apply_event,  // to the database; record
  applied,      // from the database, and on to the queue
  ended,        // from the queue: the command's outcome
  again,        // a timer of the queue
};
enum Says : std::uint32_t { nothing, yes, no };

constexpr Node the_machine = 1;
constexpr Node the_queue = 2;
constexpr Node the_database = 3;
constexpr Duration again_after = milliseconds(150);

/// The log of commands and of their events: the event at a place is that of the command there.
class Queue : public Actor {
 public:
  void boot(Context& context, const std::vector<Message>& log) override {
    for (const Message& record : log) take(record);
    hand_out(context);  // the database knows which events it has
  }

  void receive(Context& context, Node /*from*/, const Message& message) override {
    if (message.verb == put_command) {
      const auto [place, is_new] = places_.try_emplace(message.transfer, commands_.size());
      if (!is_new) {
        if (place->second < applied_) end(context, place->second);
        return;
      }
      add(context, message);
    } else if (message.verb == put_event) {
      if (message.number == events_.size() && message.number < commands_.size()) {
        add(context, message);
      } else if (message.number < events_.size()) {
        context.sync(message);
      }
    } else if (message.verb == applied && message.number == applied_ && applied_ < events_.size()) {
      end(context, applied_++);
      hand_out(context);
    }
  }

  void synced(Context& context, const Message& note) override {
    if (note.verb == put_command) durable_commands_ = std::max(durable_commands_, note.number + 1);
    if (note.verb == put_event) durable_events_ = std::max(durable_events_, note.number + 1);
    hand_out(context);
  }

  void woken(Context& context, const Message& note) override {
    waits_ = false;
    if (note.number == applied_) handed_ = applied_;
    hand_out(context);
  }

 private:
  void take(const Message& record) {
    if (record.verb == put_command) {
      places_.emplace(record.transfer, commands_.size());
      commands_.push_back(record.transfer);
      durable_commands_ = commands_.size();
    } else {
      events_.push_back(static_cast<Says>(record.flag));
      durable_events_ = events_.size();
    }
  }

  void add(Context& context, Message record) {
    if (record.verb == put_command) {
      record.number = commands_.size();
      commands_.push_back(record.transfer);
    } else {
      events_.push_back(static_cast<Says>(record.flag));
    }
    context.write(record);
    context.sync(record);
  }

  /// The command whose event is not known to be in the database: once when it or its event is new, and again.
  void hand_out(Context& context) {
    if (applied_ >= durable_commands_) return;
    const bool decided = applied_ < durable_events_;
    const std::uint64_t stage = applied_ * 2 + (decided ? 1 : 0) + 1;
    if (handed_ == applied_ || told_ < stage) {
      told_ = stage;
      handed_ = UINT64_MAX;
      context.send(the_machine, {.verb = command,
                                 .transfer = commands_[applied_],
                                 .flag = decided ? events_[applied_] : nothing,
                                 .number = applied_});
    }
    if (std::exchange(waits_, true)) return;
    context.wake(again_after, {.verb = again, .number = applied_});
  }

  void end(Context& context, std::uint64_t place) {
    context.send(the_machine, {.verb = ended, .transfer = commands_[place], .flag = events_[place]});
  }

  std::vector<std::uint32_t> commands_;
  std::vector<Says> events_;
  std::map<std::uint32_t, std::uint64_t> places_;  // of each transfer's command
  std::uint64_t durable_commands_ = 0;
  std::uint64_t durable_events_ = 0;
  std::uint64_t applied_ = 0;          // events known to be in the database
  std::uint64_t told_ = 0;             // the latest command told, and whether with its event
  std::uint64_t handed_ = UINT64_MAX;  // to be told again
  bool waits_ = false;
};

/// Remembers nothing: everything it needs travels with what it is told.
class StateMachine : public Actor {
 public:
  void boot(Context&, const std::vector<Message>&) override {}

  void receive(Context& context, Node /*from*/, const Message& message) override {
    Message next = message;
    switch (static_cast<Verb>(message.verb)) {
      case request:
        next = {.verb = put_command, .transfer = message.transfer};
        return context.send(the_queue, next);
      case command:
        next.verb = message.flag == nothing ? read : apply_event;
        return context.send(the_database, next);
      case balances: {
        const bool takes = !context.account(context.transfer(message.transfer).to).barred;
        next.verb = put_event;
        next.flag = message.flag == yes && takes ? yes : no;
        return context.send(the_queue, next);
      }
      case applied:
        return context.send(the_queue, message);
      case ended:
        return context.answer(message.transfer, message.flag == yes ? Answer::success : Answer::refused);
      case put_command:
      case read:
      case put_event:
      case apply_event:
      case again:
        break;  // never comes here
    }
  }
};

class Database : public Actor {
 public:
  void boot(Context& context, const std::vector<Message>& log) override {
    for (std::uint32_t account = 0; account < accounts_count; ++account) {
      context.book().open(account, context.account(account).balance);
    }
    for (const Message& record : log) apply(context, record);
  }

  void receive(Context& context, Node /*from*/, const Message& message) override {
    const Transfer& transfer = context.transfer(message.transfer);
    if (message.verb == read) {
      Message answer = message;
      answer.verb = balances;
      answer.flag = context.book().balance(transfer.from) >= transfer.amount ? yes : no;
      // Of a command whose event is in the state already, nothing more is to be decided.
      if (message.number == next_) context.send(the_machine, answer);
    } else {
      if (message.number == next_) {
        context.write(message);
        apply(context, message);
      }
      if (message.number < next_) context.sync(message);
    }
  }

  void synced(Context& context, const Message& note) override {
    context.send(the_machine, {.verb = applied, .transfer = note.transfer, .number = note.number});
  }

 private:
  void apply(Context& context, const Message& record) {
    ++next_;
    if (record.flag != yes) return;
    const Transfer& transfer = context.transfer(record.transfer);
    context.book().post(record.transfer, transfer.from, -transfer.amount);
    context.book().post(record.transfer, transfer.to, transfer.amount);
  }

  std::uint64_t next_ = 0;  // the event to be applied
};

class RemoteQueue : public Design {
 public:
  std::vector<std::string> roles() const override { return {"state machine", "queue", "database"}; }
  Traits traits() const override { return {.balanced = true}; }
  std::unique_ptr<Actor> start(Node node) const override {
    if (node == the_machine) return std::make_unique<StateMachine>();
    if (node == the_queue) return std::make_unique<Queue>();
    return std::make_unique<Database>();
  }
  Node entry(const Transfer& /*transfer*/, std::uint32_t /*attempt*/) const override { return the_machine; }
  std::vector<Node> holders(std::uint32_t /*account*/) const override { return {the_database}; }
};

}  // namespace

std::unique_ptr<Design> b13_remote_queue() { return std::make_unique<RemoteQueue>(); }

}  // namespace coffer::sim::ladder
