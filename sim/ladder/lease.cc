#include "sim/ladder/lease.h"

#include <algorithm>
#include <deque>
#include <map>

namespace coffer::sim::ladder {

namespace {

enum Verb : std::uint32_t {
  request = request_verb,
  acquire,  // term: the lease held, 0 none; number: when it was asked
  granted,
  read,
  values,   // flag: Known; amount, number: what the two accounts hold
  write,    // flag: Known; amount, number: what they are to hold
  written,  // flag: Known
  fenced,
  renew,  // timers of a writer
  again,
};
enum Known : std::uint32_t { unknown, success, refusal };

constexpr Node lease_service = 1;
constexpr Node first_writer = 2;
constexpr Node writers = 2;
constexpr Node storage = 4;
constexpr Duration renew_every = milliseconds(100);
constexpr Duration again_after = milliseconds(200);

class LeaseService : public Actor {
 public:
  void boot(Context& context, const std::vector<Message>& log) override {
    for (const Message& record : log) number_ = record.term;
    if (!context.first_boot()) free_at_ = context.now() + lease_lasts;  // somebody may hold one
  }

  void receive(Context& context, Node from, const Message& message) override {
    const bool holds = from == holder_ && message.term == number_;
    const bool restarted = from == holder_ && message.term == 0;
    if (!holds && !restarted && context.now() < free_at_) return;
    free_at_ = context.now() + lease_lasts;
    Message grant{.verb = granted, .account = from, .number = message.number, .term = number_};
    if (holds) {
      context.send_upkeep(from, grant);
      return;
    }
    holder_ = from;
    grant.term = ++number_;
    context.write(grant);
    context.sync(grant);
  }

  void synced(Context& context, const Message& note) override {
    if (note.term == number_) context.send_upkeep(note.account, note);
  }

 private:
  std::uint64_t number_ = 0;
  Node holder_ = 0;
  SimTime free_at_;
};

class Writer : public Actor {
 public:
  void boot(Context& context, const std::vector<Message>& /*log*/) override { ask_for_lease(context); }

  void receive(Context& context, Node from, const Message& message) override {
    switch (static_cast<Verb>(message.verb)) {
      case request:
        if (!holds(context)) {
          const Node other = context.self() == first_writer ? first_writer + 1 : first_writer;
          if (from == the_client) context.send(other, message);
          return;
        }
        if (std::find(waiting_.begin(), waiting_.end(), message.transfer) == waiting_.end()) {
          waiting_.push_back(message.transfer);
        }
        next(context);
        break;
      case granted:
        if (message.term != lease_) drop();
        lease_ = message.term;
        until_ = std::max(until_, SimTime{static_cast<std::int64_t>(message.number)} + lease_lasts);
        break;
      case values:
        if (step_.verb == read && message.transfer == step_.transfer) work_out(context, message);
        break;
      case written:
        if (step_.verb == write && message.transfer == step_.transfer) finish(context, message.flag);
        break;
      case fenced:
        drop();
        break;
      case acquire:
      case read:
      case write:
      case renew:
      case again:
        break;  // not for a writer
    }
  }

  void woken(Context& context, const Message& note) override {
    if (note.verb == renew) {
      ask_for_lease(context);
      if (!holds(context)) drop();
    } else if (note.transfer == step_.transfer && note.flag == step_.verb) {
      say(context);
    }
  }

 private:
  bool holds(Context& context) const { return lease_ != 0 && context.now() < until_; }

  void ask_for_lease(Context& context) {
    const auto now = static_cast<std::uint64_t>(context.now().nanos);
    context.send_upkeep(lease_service, {.verb = acquire, .number = now, .term = lease_});
    context.wake(renew_every, {.verb = renew});
  }

  /// What it was doing is not its business any more.
  void drop() {
    waiting_.clear();
    step_ = Message();
  }

  /// One transfer at a time, and only under a lease: this is where it looks.
  void next(Context& context) {
    if (step_.transfer != 0 || waiting_.empty() || !holds(context)) return;
    step_ = Message{.verb = read, .transfer = waiting_.front(), .term = lease_};
    say(context);
  }

  void work_out(Context& context, const Message& found) {
    if (found.flag != unknown) {
      finish(context, found.flag);
      return;
    }
    const Transfer& transfer = context.transfer(found.transfer);
    const bool moves = found.amount >= transfer.amount && !context.account(transfer.to).barred;
    const std::int64_t amount = moves ? transfer.amount : 0;
    step_.verb = write;
    step_.flag = moves ? success : refusal;
    step_.amount = found.amount - amount;
    step_.number = found.number + static_cast<std::uint64_t>(amount);
    say(context);
  }

  void say(Context& context) {
    context.send(storage, step_);
    context.wake(again_after, {.verb = again, .transfer = step_.transfer, .flag = step_.verb});
  }

  void finish(Context& context, std::uint32_t known) {
    context.answer(step_.transfer, known == success ? Answer::success : Answer::refused);
    std::erase(waiting_, step_.transfer);
    step_ = Message();
    next(context);
  }

  std::uint64_t lease_ = 0;
  SimTime until_;
  std::deque<std::uint32_t> waiting_;
  Message step_;  // transfer 0: idle
};

class Storage : public Actor {
 public:
  explicit Storage(bool fencing) : fencing_(fencing) {}

  void boot(Context& context, const std::vector<Message>& log) override {
    for (std::uint32_t account = 0; account < accounts_count; ++account) {
      context.book().open(account, context.account(account).balance);
    }
    for (const Message& record : log) apply(context, record);
  }

  void receive(Context& context, Node from, const Message& message) override {
    if (fencing_ && message.term < highest_) {
      context.send(from, {.verb = fenced, .transfer = message.transfer});
      return;
    }
    Message note = message;
    if (message.verb == write && !known_.contains(message.transfer)) {
      context.write(message);
      apply(context, message);
    } else if (fencing_ && message.term > highest_) {
      context.write({.verb = read, .term = message.term});
      highest_ = message.term;
    }
    note.account = from;
    context.sync(note);
  }

  void synced(Context& context, const Message& note) override {
    const auto known = known_.find(note.transfer);
    Message answer{.verb = note.verb == write ? written : static_cast<std::uint32_t>(values),
                   .transfer = note.transfer};
    answer.flag = known == known_.end() ? static_cast<std::uint32_t>(unknown) : known->second;
    const Transfer& transfer = context.transfer(note.transfer);
    answer.amount = context.book().balance(transfer.from);
    answer.number = static_cast<std::uint64_t>(context.book().balance(transfer.to));
    context.send(note.account, answer);
  }

 private:
  void apply(Context& context, const Message& record) {
    highest_ = std::max(highest_, record.term);
    if (record.verb != write) return;
    known_[record.transfer] = record.flag;
    const Transfer& transfer = context.transfer(record.transfer);
    set(context, record.transfer, transfer.from, record.amount);
    set(context, record.transfer, transfer.to, static_cast<std::int64_t>(record.number));
  }

  static void set(Context& context, std::uint32_t number, std::uint32_t account, std::int64_t balance) {
    const std::int64_t delta = balance - context.book().balance(account);
    if (delta != 0) context.book().post(number, account, delta);
  }

  bool fencing_;
  std::uint64_t highest_ = 0;
  std::map<std::uint32_t, std::uint32_t> known_;  // transfer → Known
};

class Lease : public Design {
 public:
  explicit Lease(bool fencing) : fencing_(fencing) {}
  std::vector<std::string> roles() const override { return {"lease service", "writer 1", "writer 2", "storage"}; }
  Traits traits() const override { return {.balanced = true}; }
  std::unique_ptr<Actor> start(Node node) const override {
    if (node == lease_service) return std::make_unique<LeaseService>();
    if (node == storage) return std::make_unique<Storage>(fencing_);
    return std::make_unique<Writer>();
  }
  Node entry(const Transfer& transfer, std::uint32_t attempt) const override {
    return (transfer.number + attempt) % writers + first_writer;
  }
  std::vector<Node> holders(std::uint32_t /*account*/) const override { return {storage}; }

 private:
  bool fencing_;
};

}  // namespace

std::unique_ptr<Design> lease(bool fencing) { return std::make_unique<Lease>(fencing); }

}  // namespace coffer::sim::ladder
