#include "sim/ladder/group_wallet.h"

#include <algorithm>
#include <deque>
#include <map>

namespace coffer::sim::ladder {

namespace {

enum Kind : std::uint32_t { noop, command, event };
constexpr std::uint32_t suspicious_per_mille = 200;

class Member : public Replica {
 public:
  explicit Member(const GroupOptions& options) : Replica(options.log), options_(options) {}

 private:
  void begin(Context& context) override {
    outcomes_.clear();
    for (std::uint32_t account = 0; account < accounts_count; ++account) {
      context.book().open(account, context.account(account).balance);
    }
  }

  void lead(Context& /*context*/) override {
    waiting_.clear();
    busy_ = false;
  }

  void hear(Context& context, Node /*from*/, const Message& message) override {
    if (!leads()) {
      pass_on(context, message);
      return;
    }
    const std::uint32_t number = message.transfer;
    const auto known = outcomes_.find(number);
    if (known != outcomes_.end()) {
      context.answer(number, known->second);
      return;
    }
    if (std::find(waiting_.begin(), waiting_.end(), number) == waiting_.end()) waiting_.push_back(number);
    next(context);
  }

  /// One at a time: what it decides on has committed.
  void next(Context& context) {
    if (busy_ || waiting_.empty()) return;
    busy_ = true;
    Entry entry{.kind = command, .transfer = waiting_.front()};
    if (!options_.replicate_commands) {
      entry.kind = event;
      entry.flag = may(context, entry.transfer) ? 1 : 0;
    }
    propose(context, entry);
  }

  bool may(Context& context, std::uint32_t number) const {
    const Transfer& transfer = context.transfer(number);
    if (context.prng().chance(suspicious_per_mille)) return false;
    return context.book().balance(transfer.from) >= transfer.amount && !context.account(transfer.to).barred;
  }

  void apply(Context& context, const Entry& entry) override {
    const Transfer& transfer = context.transfer(entry.transfer);
    const bool moves = entry.kind == event ? entry.flag == 1 : may(context, entry.transfer);
    if (moves) {
      context.book().post(entry.transfer, transfer.from, -transfer.amount);
      context.book().post(entry.transfer, transfer.to, transfer.amount);
    }
    const Answer answer = moves ? Answer::success : Answer::refused;
    outcomes_[entry.transfer] = answer;
    if (!leads()) return;
    context.answer(entry.transfer, answer);
    std::erase(waiting_, entry.transfer);
    busy_ = false;
    next(context);
  }

  GroupOptions options_;
  std::map<std::uint32_t, Answer> outcomes_;
  std::deque<std::uint32_t> waiting_;
  bool busy_ = false;
};

class GroupWallet : public Design {
 public:
  explicit GroupWallet(const GroupOptions& options) : options_(options) {}
  std::vector<std::string> roles() const override {
    std::vector<std::string> names;
    for (const Node node : members()) names.push_back("replica " + std::to_string(node));
    return names;
  }
  Traits traits() const override { return {.balanced = true, .losable = members()}; }
  std::unique_ptr<Actor> start(Node /*node*/) const override { return std::make_unique<Member>(options_); }
  Node entry(const Transfer& transfer, std::uint32_t attempt) const override {
    return (transfer.number + attempt) % options_.log.replicas + 1;
  }
  std::vector<Node> holders(std::uint32_t /*account*/) const override { return members(); }

 private:
  std::vector<Node> members() const {
    std::vector<Node> nodes;
    for (Node node = 1; node <= options_.log.replicas; ++node) nodes.push_back(node);
    return nodes;
  }

  GroupOptions options_;
};

}  // namespace

std::unique_ptr<Design> group_wallet(const GroupOptions& options) { return std::make_unique<GroupWallet>(options); }

}  // namespace coffer::sim::ladder
