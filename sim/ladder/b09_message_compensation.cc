// B9. No distributed transaction: a shard changes the account and leaves a message in its outbox in one local
// transaction; a durable queue brings the message to the other shard at least once, which does it once. What cannot be
// credited comes back as a message that compensates. The money is in neither account for as long as that takes.
// Source: Foundations of Distributed Financial Systems, section 8.2.
#include <map>
#include <set>
#include <utility>

#include "sim/ladder/rungs.h"
#include "sim/ladder/shards.h"

namespace coffer::sim::ladder {

namespace {

enum Verb : std::uint32_t {
  request = request_verb,
  put,      // an outbox to the queue
  stored,   // the queue to an outbox
  deliver,  // the queue to a shard
  taken,    // a shard to the queue
  refused,  // record of a shard: the debit was not possible
  removed,  // record of the queue
  again,    // a timer
  tell_client,
};
/// What a message says.
enum Says : std::uint32_t { pay, paid, give_back };
using Letter = std::pair<std::uint32_t, std::uint32_t>;  // (transfer, what it says)

constexpr Node the_queue = 1;
constexpr Duration again_after = milliseconds(150);

Message message_of(Verb verb, Letter letter) {
  return {.verb = verb, .transfer = letter.first, .account = letter.second};
}
Letter letter_of(const Message& message) { return {message.transfer, message.account}; }

class Queue : public Actor {
 public:
  void boot(Context& context, const std::vector<Message>& log) override {
    for (const Message& record : log) letters_[letter_of(record)] = record.verb == put;
    for (const auto& [letter, waits] : letters_) {
      if (waits) bring(context, letter);
    }
  }

  void receive(Context& context, Node from, const Message& message) override {
    Message record{.verb = put, .transfer = message.transfer, .account = message.account};
    if (message.verb == taken) {
      if (!std::exchange(letters_.at(letter_of(message)), false)) return;
      record.verb = removed;
      context.write(record);  // if that is lost, the letter is brought again
      return;
    }
    if (letters_.try_emplace(letter_of(message), true).second) context.write(record);
    Message note = message;
    note.number = from;
    context.sync(note);
  }

  void synced(Context& context, const Message& note) override {
    context.send(static_cast<Node>(note.number), message_of(stored, letter_of(note)));
    if (brought_.insert(letter_of(note)).second) bring(context, letter_of(note));
  }

  void woken(Context& context, const Message& note) override {
    if (letters_.at(letter_of(note))) bring(context, letter_of(note));
  }

 private:
  void bring(Context& context, const Letter& letter) {
    brought_.insert(letter);
    const Transfer& transfer = context.transfer(letter.first);
    context.send(shard_of(letter.second == pay ? transfer.to : transfer.from, 1), message_of(deliver, letter));
    context.wake(again_after, message_of(again, letter));
  }

  std::map<Letter, bool> letters_;  // whether it still waits
  std::set<Letter> brought_;
};

class Shard : public Actor {
 public:
  void boot(Context& context, const std::vector<Message>& log) override {
    open_accounts_of_shard(context, 1);
    for (const Message& record : log) apply(context, record);
    for (const Letter& letter : outbox_) post(context, letter);
  }

  void receive(Context& context, Node /*from*/, const Message& message) override {
    if (message.verb == request) {
      asked(context, message.transfer);
    } else if (message.verb == stored) {
      outbox_.erase(letter_of(message));
    } else {
      if (!handled_.contains(letter_of(message))) write(context, message);
      context.sync(message);
    }
  }

  void synced(Context& context, const Message& note) override {
    if (note.verb == deliver) {
      context.send(the_queue, message_of(taken, letter_of(note)));
      if (note.account != pay) tell(context, note.transfer);
    } else {
      tell(context, note.transfer);
    }
    for (const std::uint32_t says : {pay, paid, give_back}) {
      if (outbox_.contains({note.transfer, says})) post(context, {note.transfer, says});
    }
  }

  void woken(Context& context, const Message& note) override {
    if (outbox_.contains(letter_of(note))) post(context, letter_of(note));
  }

 private:
  void asked(Context& context, std::uint32_t number) {
    if (!debits_.contains(number)) {
      const Transfer& transfer = context.transfer(number);
      const bool can = context.book().balance(transfer.from) >= transfer.amount;
      write(context, {.verb = can ? request : static_cast<std::uint32_t>(refused), .transfer = number});
    }
    context.sync({.verb = tell_client, .transfer = number});
  }

  void tell(Context& context, std::uint32_t number) {
    const State state = debits_.at(number);
    if (state == State::under_way) return;
    context.answer(number, state == State::done ? Answer::success : Answer::refused);
  }

  void post(Context& context, const Letter& letter) {
    context.send(the_queue, message_of(put, letter));
    context.wake(again_after, message_of(again, letter));
  }

  void write(Context& context, const Message& record) {
    context.write(record);
    apply(context, record);
  }

  /// One local transaction: the account, the state, and what the outbox is to send.
  void apply(Context& context, const Message& record) {
    const std::uint32_t number = record.transfer;
    const Transfer& transfer = context.transfer(number);
    if (record.verb == refused) {
      debits_[number] = State::refused;
    } else if (record.verb == request) {
      debits_[number] = State::under_way;
      move(context, number, transfer.from, -transfer.amount);
      outbox_.emplace(number, pay);
    } else {
      handled_.insert(letter_of(record));
      if (record.account == pay) {
        const bool barred = context.account(transfer.to).barred;
        if (!barred) move(context, number, transfer.to, transfer.amount);
        outbox_.emplace(number, barred ? give_back : paid);
      } else {
        debits_[number] = record.account == paid ? State::done : State::refused;
        if (record.account == give_back) move(context, number, transfer.from, transfer.amount);
      }
    }
  }

  static void move(Context& context, std::uint32_t number, std::uint32_t account, std::int64_t delta) {
    context.book().post(number, account, delta);
    context.book().transit(number, -delta);
  }

  enum class State : std::uint8_t { under_way, done, refused };
  std::map<std::uint32_t, State> debits_;
  std::set<Letter> handled_;
  std::set<Letter> outbox_;  // not yet in the queue, as far as memory knows
};

class MessageCompensation : public Design {
 public:
  std::vector<std::string> roles() const override { return roles_of_shards({"queue"}); }
  Traits traits() const override { return {.balanced = true}; }
  std::unique_ptr<Actor> start(Node node) const override {
    if (node == the_queue) return std::make_unique<Queue>();
    return std::make_unique<Shard>();
  }
  Node entry(const Transfer& transfer, std::uint32_t /*attempt*/) const override { return shard_of(transfer.from, 1); }
  std::vector<Node> holders(std::uint32_t account) const override { return {shard_of(account, 1)}; }
};

}  // namespace

std::unique_ptr<Design> b09_message_compensation() { return std::make_unique<MessageCompensation>(); }

}  // namespace coffer::sim::ladder
