#include "sim/ladder/bare_writes.h"

#include <map>
#include <utility>

#include "sim/ladder/shards.h"

namespace coffer::sim::ladder {

namespace {

enum Verb : std::uint32_t { request = request_verb, write, written, repeat };
enum Leg : std::uint32_t { take, give, give_back };
constexpr Duration repeat_after = milliseconds(200);

/// The wallet service: all it knows of a transfer is in memory.
class Service : public Actor {
 public:
  void boot(Context&, const std::vector<Message>&) override {}

  void receive(Context& context, Node, const Message& message) override {
    if (message.verb == request) {
      if (legs_.try_emplace(message.transfer, take).second) ask(context, message.transfer);
      return;
    }
    const auto known = legs_.find(message.transfer);
    if (known == legs_.end() || known->second != message.account) return;  // answered before
    const bool done = message.flag == 1;
    if (known->second == take && done) {
      known->second = give;
    } else if (known->second == give && !done) {
      known->second = give_back;
    } else {
      context.answer(message.transfer, known->second == give ? Answer::success : Answer::refused);
      legs_.erase(known);
      return;
    }
    ask(context, message.transfer);
  }

  void woken(Context& context, const Message& note) override {
    const auto known = legs_.find(note.transfer);
    if (known != legs_.end() && known->second == note.account) ask(context, note.transfer);
  }

 private:
  void ask(Context& context, std::uint32_t number) {
    const Leg leg = legs_.at(number);
    const Transfer& transfer = context.transfer(number);
    Message message{.verb = write, .transfer = number, .account = leg};
    context.send(shard_of(leg == give ? transfer.to : transfer.from), message);
    message.verb = repeat;
    context.wake(repeat_after, message);
  }

  std::map<std::uint32_t, Leg> legs_;
};

class Shard : public Actor {
 public:
  explicit Shard(bool durable) : durable_(durable) {}

  void boot(Context& context, const std::vector<Message>& log) override {
    if (!durable_ && !context.first_boot()) return;  // what memory held is gone
    open_accounts_of_shard(context);
    for (const Message& record : log) apply(context, record);
  }

  void receive(Context& context, Node from, const Message& message) override {
    Message record = message;
    const auto known = done_.find({message.transfer, message.account});
    if (known == done_.end()) {
      record.flag = may(context, message) ? 1 : 0;
      apply(context, record);
      if (durable_) context.write(record);
    } else {
      record.flag = known->second ? 1 : 0;
    }
    record.number = from;
    if (durable_) {
      context.sync(record);
    } else {
      synced(context, record);
    }
  }

  void synced(Context& context, const Message& record) override {
    context.send(static_cast<Node>(record.number),
                 {.verb = written, .transfer = record.transfer, .account = record.account, .flag = record.flag});
  }

 private:
  bool may(Context& context, const Message& message) const {
    const Transfer& transfer = context.transfer(message.transfer);
    switch (static_cast<Leg>(message.account)) {
      case take:
        return context.book().balance(transfer.from) >= transfer.amount;
      case give:
        return !context.account(transfer.to).barred;
      case give_back:
        return true;
    }
    return false;
  }

  void apply(Context& context, const Message& record) {
    done_[{record.transfer, record.account}] = record.flag == 1;
    if (record.flag != 1) return;
    const Transfer& transfer = context.transfer(record.transfer);
    const bool takes = record.account == take;
    context.book().post(record.transfer, record.account == give ? transfer.to : transfer.from,
                        takes ? -transfer.amount : transfer.amount);
  }

  bool durable_;
  std::map<std::pair<std::uint32_t, std::uint32_t>, bool> done_;  // by (transfer, leg)
};

class BareWrites : public Design {
 public:
  explicit BareWrites(bool durable) : durable_(durable) {}
  std::vector<std::string> roles() const override { return roles_of_shards({"service 1", "service 2"}); }
  Traits traits() const override { return {}; }
  std::unique_ptr<Actor> start(Node node) const override {
    if (node <= services_count) return std::make_unique<Service>();
    return std::make_unique<Shard>(durable_);
  }
  Node entry(const Transfer& transfer, std::uint32_t attempt) const override {
    return (transfer.number + attempt) % services_count + 1;
  }
  std::vector<Node> holders(std::uint32_t account) const override { return {shard_of(account)}; }

 private:
  bool durable_;
};

}  // namespace

std::unique_ptr<Design> bare_writes(bool durable) { return std::make_unique<BareWrites>(durable); }

}  // namespace coffer::sim::ladder
