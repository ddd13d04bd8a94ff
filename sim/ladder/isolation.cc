#include "sim/ladder/isolation.h"

#include <algorithm>
#include <array>
#include <map>

namespace coffer::sim::ladder {

namespace {

enum Verb : std::uint32_t {
  request = request_verb,
  read,
  snapshot,   // flag: Known; amount: what the user has in all; number: as of which commit
  commit,     // flag: Known; number: of the snapshot
  committed,  // flag: Known; unknown: refused, somebody was faster
  again,      // a timer
};
enum Known : std::uint32_t { unknown, success, refusal };

constexpr Node database = 1;
constexpr Node first_service = 2;
constexpr Node services = 2;
constexpr Duration again_after = milliseconds(200);

class Service : public Actor {
 public:
  void boot(Context& /*context*/, const std::vector<Message>& /*log*/) override {}

  void receive(Context& context, Node /*from*/, const Message& message) override {
    if (message.verb == request) {
      if (steps_.contains(message.transfer)) return;
      steps_[message.transfer] = {.verb = read, .transfer = message.transfer};
      say(context, message.transfer);
      return;
    }
    const auto found = steps_.find(message.transfer);
    if (found == steps_.end()) return;
    Message& step = found->second;
    const bool expected = message.verb == snapshot ? step.verb == read : step.verb == commit;
    if (!expected) return;
    if (message.flag != unknown) {
      context.answer(message.transfer, message.flag == success ? Answer::success : Answer::refused);
      steps_.erase(found);
      return;
    }
    if (message.verb == snapshot) {
      const Transfer& transfer = context.transfer(message.transfer);
      const bool may = message.amount >= transfer.amount && !context.account(transfer.to).barred;
      step.verb = commit;
      step.flag = may ? success : refusal;
      step.number = message.number;
    } else {
      step = {.verb = read, .transfer = message.transfer};  // from the start
    }
    say(context, message.transfer);
  }

  void woken(Context& context, const Message& note) override {
    const auto found = steps_.find(note.transfer);
    if (found != steps_.end() && found->second.verb == note.flag) say(context, note.transfer);
  }

 private:
  void say(Context& context, std::uint32_t number) {
    context.send(database, steps_.at(number));
    context.wake(again_after, {.verb = again, .transfer = number, .flag = steps_.at(number).verb});
  }

  std::map<std::uint32_t, Message> steps_;
};

class Database : public Actor {
 public:
  explicit Database(bool serialisable) : serialisable_(serialisable) {}

  void boot(Context& context, const std::vector<Message>& log) override {
    for (std::uint32_t account = 0; account < accounts_count; ++account) {
      context.book().open(account, context.account(account).balance);
    }
    for (const Message& record : log) apply(context, record);
  }

  void receive(Context& context, Node from, const Message& message) override {
    Message note = message;
    note.account = from;
    if (message.verb == commit && !known_.contains(message.transfer) && stands(context, message)) {
      context.write(message);
      apply(context, message);
    }
    context.sync(note);
  }

  void synced(Context& context, const Message& note) override {
    const auto known = known_.find(note.transfer);
    const Transfer& transfer = context.transfer(note.transfer);
    Message answer{.verb = note.verb == read ? snapshot : static_cast<std::uint32_t>(committed),
                   .transfer = note.transfer};
    answer.flag = known == known_.end() ? static_cast<std::uint32_t>(unknown) : known->second;
    answer.amount = context.book().balance(transfer.from) + context.book().balance(sibling_of(transfer.from));
    answer.number = commits_;
    context.send(note.account, answer);
  }

 private:
  /// Whether the first committer since the snapshot is this one.
  bool stands(Context& context, const Message& message) const {
    const Transfer& transfer = context.transfer(message.transfer);
    const auto unchanged = [&](std::uint32_t account) { return changed_[account] <= message.number; };
    const bool writes_stand = message.flag != success || (unchanged(transfer.from) && unchanged(transfer.to));
    const bool reads_stand = unchanged(transfer.from) && unchanged(sibling_of(transfer.from));
    return writes_stand && (reads_stand || !serialisable_);
  }

  void apply(Context& context, const Message& record) {
    ++commits_;
    known_[record.transfer] = record.flag;
    if (record.flag != success) return;
    const Transfer& transfer = context.transfer(record.transfer);
    changed_[transfer.from] = commits_;
    changed_[transfer.to] = commits_;
    context.book().post(record.transfer, transfer.from, -transfer.amount);
    context.book().post(record.transfer, transfer.to, transfer.amount);
  }

  bool serialisable_;
  std::uint64_t commits_ = 0;
  std::array<std::uint64_t, accounts_count> changed_{};  // by which commit last
  std::map<std::uint32_t, std::uint32_t> known_;         // transfer → Known
};

class Isolation : public Design {
 public:
  explicit Isolation(bool serialisable) : serialisable_(serialisable) {}
  std::vector<std::string> roles() const override { return {"database", "service 1", "service 2"}; }
  Traits traits() const override { return {.floor = Floor::of_user, .balanced = true}; }
  std::unique_ptr<Actor> start(Node node) const override {
    if (node == database) return std::make_unique<Database>(serialisable_);
    return std::make_unique<Service>();
  }
  Node entry(const Transfer& transfer, std::uint32_t attempt) const override {
    return (transfer.number + attempt) % services + first_service;
  }
  std::vector<Node> holders(std::uint32_t /*account*/) const override { return {database}; }

 private:
  bool serialisable_;
};

}  // namespace

std::unique_ptr<Design> isolation(bool serialisable) { return std::make_unique<Isolation>(serialisable); }

}  // namespace coffer::sim::ladder
