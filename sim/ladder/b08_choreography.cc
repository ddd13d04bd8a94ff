// B8. A saga without a coordinator: each shard reacts to what another announces, and has a state machine of its own.
// The debit's shard announces `debited` until it hears what became of it; the credit's answers `credited` or
// `rejected`, and on `rejected` the money is given back. Source: Digital Wallet, Saga, choreography.
#include <map>

#include "sim/ladder/rungs.h"
#include "sim/ladder/shards.h"

namespace coffer::sim::ladder {

namespace {

enum Verb : std::uint32_t {
  request = request_verb,
  debited,
  credited,
  rejected,
  refused,   // record: the debit was not possible
  finished,  // record: the credit is known to be there
  returned,  // record: the debit was given back
  announce_again,
  tell_client,
  tell_debit,
};
constexpr Duration again_after = milliseconds(150);

class Service : public Actor {
 public:
  void boot(Context& context, const std::vector<Message>& log) override {
    open_accounts_of_shard(context, 0);
    for (const Message& record : log) apply(context, record);
    for (const auto& [number, state] : debits_) {
      if (state == debited) announce(context, number);
    }
  }

  void receive(Context& context, Node /*from*/, const Message& message) override {
    switch (static_cast<Verb>(message.verb)) {
      case request:
        asked(context, message.transfer);
        break;
      case debited:
        if (!credits_.contains(message.transfer)) {
          const Transfer& transfer = context.transfer(message.transfer);
          write(context, context.account(transfer.to).barred ? rejected : credited, message.transfer);
        }
        context.sync({.verb = tell_debit, .transfer = message.transfer});
        break;
      case credited:
      case rejected:
        if (debits_.at(message.transfer) != debited) break;
        write(context, message.verb == credited ? finished : returned, message.transfer);
        context.sync({.verb = tell_client, .transfer = message.transfer});
        break;
      case refused:
      case finished:
      case returned:
      case announce_again:
      case tell_client:
      case tell_debit:
        break;  // never travels
    }
  }

  void synced(Context& context, const Message& note) override {
    const std::uint32_t number = note.transfer;
    if (note.verb == tell_debit) {
      context.send(shard_of(context.transfer(number).from, 0), {.verb = credits_.at(number), .transfer = number});
    } else if (debits_.at(number) == debited) {
      announce(context, number);
    } else {
      context.answer(number, debits_.at(number) == finished ? Answer::success : Answer::refused);
    }
  }

  void woken(Context& context, const Message& note) override {
    if (debits_.at(note.transfer) == debited) announce(context, note.transfer);
  }

 private:
  void asked(Context& context, std::uint32_t number) {
    const auto known = debits_.find(number);
    if (known == debits_.end()) {
      const Transfer& transfer = context.transfer(number);
      write(context, context.book().balance(transfer.from) >= transfer.amount ? debited : refused, number);
    } else if (known->second == debited) {
      return;
    }
    context.sync({.verb = tell_client, .transfer = number});
  }

  void announce(Context& context, std::uint32_t number) {
    context.send(shard_of(context.transfer(number).to, 0), {.verb = debited, .transfer = number});
    context.wake(again_after, {.verb = announce_again, .transfer = number});
  }

  void write(Context& context, Verb verb, std::uint32_t number) {
    const Message record{.verb = verb, .transfer = number};
    context.write(record);
    apply(context, record);
  }

  void apply(Context& context, const Message& record) {
    const std::uint32_t number = record.transfer;
    const Transfer& transfer = context.transfer(number);
    const bool of_credit = record.verb == credited || record.verb == rejected;
    (of_credit ? credits_ : debits_)[number] = record.verb;
    const bool gives_back = record.verb == returned;
    if (record.verb != debited && record.verb != credited && !gives_back) return;
    const std::int64_t delta = record.verb == debited ? -transfer.amount : transfer.amount;
    context.book().post(number, of_credit ? transfer.to : transfer.from, delta);
    context.book().transit(number, -delta);
  }

  std::map<std::uint32_t, std::uint32_t> debits_;   // the state of each transfer here
  std::map<std::uint32_t, std::uint32_t> credits_;  // ... and of those that end here
};

class Choreography : public Design {
 public:
  std::vector<std::string> roles() const override { return roles_of_shards({}); }
  Traits traits() const override { return {.balanced = true}; }
  std::unique_ptr<Actor> start(Node /*node*/) const override { return std::make_unique<Service>(); }
  Node entry(const Transfer& transfer, std::uint32_t /*attempt*/) const override { return shard_of(transfer.from, 0); }
  std::vector<Node> holders(std::uint32_t account) const override { return {shard_of(account, 0)}; }
};

}  // namespace

std::unique_ptr<Design> b08_choreography() { return std::make_unique<Choreography>(); }

}  // namespace coffer::sim::ladder
