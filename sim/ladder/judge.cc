#include "sim/ladder/judge.h"

#include <algorithm>
#include <utility>

#include "sim/ladder/world.h"

namespace coffer::sim::ladder {

namespace {

std::string transfer_name(std::uint32_t number) { return "transfer " + std::to_string(number); }

}  // namespace

Judge::Judge(const Design& design, const Plan& plan)
    : design_(design), plan_(plan), traits_(design.traits()), roles_(design.roles()) {}

/// The first finding stands.
bool Judge::blame(std::string oracle, std::string reason) {
  if (finding_.verdict == Verdict::pass) finding_ = {Verdict::violation, std::move(oracle), std::move(reason)};
  return false;
}

bool Judge::below_floor(const Book& book, const Book::Change& change) const {
  switch (traits_.floor) {
    case Floor::of_account:
      return book.balance(change.account) < 0;
    case Floor::of_user:
      return book.balance(change.account) + book.balance(sibling_of(change.account)) < 0;
  }
  return false;
}

bool Judge::look(Node node, const Book& book, const std::vector<Book::Change>& changes) {
  for (const Book::Change& change : changes) {
    if (change.what != Book::What::posted || change.delta >= 0 || !below_floor(book, change)) continue;
    const std::string account = account_name(change.account);
    const std::string what =
        traits_.floor == Floor::of_account
            ? account + " stands at " + std::to_string(book.balance(change.account))
            : "the user of " + account + " has " +
                  std::to_string(book.balance(change.account) + book.balance(sibling_of(change.account)));
    return blame("O-L3", what + " after " + transfer_name(change.transfer) + ", below the floor of 0");
  }
  if (traits_.balanced && book.imbalance() != 0) {
    return blame("O-L1", shown_by(node) + " is out of balance by " + std::to_string(book.imbalance()));
  }
  return true;
}

bool Judge::answered(std::uint32_t transfer, Answer answer) {
  const auto [known, fresh] = answers_.try_emplace(transfer, answer);
  if (fresh || known->second == answer) return true;
  return blame("O-L5", transfer_name(transfer) + " was answered both success and refused");
}

/// Empty: everything has ended, or could have.
std::string Judge::why_not_quiet(const std::vector<Seen>& nodes) const {
  std::string gone;
  for (Node node = 1; node <= nodes.size(); ++node) {
    if (nodes[node - 1].lost) gone = shown_by(node) + " is gone for good: ";
  }
  for (const Transfer& transfer : plan_.transfers) {
    if (transfer.patient && !answers_.contains(transfer.number)) {
      return gone + transfer_name(transfer.number) + " has had no answer for " +
             std::to_string((end_at - transfer.at).nanos / seconds(1).nanos) + " s";
    }
  }
  if (gone.empty()) return "";  // whatever is left over is then left for ever
  for (Node node = 1; node <= nodes.size(); ++node) {
    const Seen& seen = nodes[node - 1];
    if (!seen.up || seen.book->locks().empty()) continue;
    return gone + shown_by(node) + " still holds a lock on " + account_name(seen.book->locks().begin()->second);
  }
  std::int64_t in_transit = 0;
  for (const Seen& seen : nodes) {
    for (const auto& [transfer, amount] : seen.book->in_transit()) in_transit += amount;
  }
  if (in_transit != 0) return gone + std::to_string(in_transit) + " is still in transit";
  for (std::uint32_t account = 0; account < accounts_count; ++account) {
    if (shown(account, nodes) == nullptr) return gone + "nobody can say what " + account_name(account) + " holds";
  }
  return "";
}

const Book* Judge::shown(std::uint32_t account, const std::vector<Seen>& nodes) const {
  for (const Node node : design_.holders(account)) {
    if (nodes[node - 1].up) return nodes[node - 1].book;
  }
  return nullptr;
}

bool Judge::replicas_agree(const std::vector<Seen>& nodes) {
  for (std::uint32_t account = 0; account < accounts_count; ++account) {
    const Book* first = shown(account, nodes);
    for (const Node node : design_.holders(account)) {
      const Seen& seen = nodes[node - 1];
      if (!seen.up || first == nullptr || seen.book->balance(account) == first->balance(account)) continue;
      return blame("O-E1", account_name(account) + " holds " + std::to_string(seen.book->balance(account)) + " on " +
                               shown_by(node) + " and " + std::to_string(first->balance(account)) + " on another");
    }
  }
  return true;
}

bool Judge::conserved(const std::vector<Seen>& nodes) {
  std::int64_t before = 0;
  std::int64_t after = 0;
  for (std::uint32_t account = 0; account < accounts_count; ++account) {
    before += plan_.accounts[account].balance;
    const Book* book = shown(account, nodes);
    if (book != nullptr) after += book->balance(account);
  }
  if (before == after) return true;
  return blame("O-L1", "the accounts held " + std::to_string(before) + " at the start and hold " +
                           std::to_string(after) + " in the end: " + std::to_string(std::abs(after - before)) +
                           (after < before ? " is lost" : " is from nowhere"));
}

bool Judge::as_answered(const std::vector<Seen>& nodes) {
  for (const Transfer& transfer : plan_.transfers) {
    const auto effect = [&](std::uint32_t account) -> std::int64_t {
      const Book* book = shown(account, nodes);
      if (book == nullptr) return 0;
      const auto found = book->effects().find({transfer.number, account});
      return found == book->effects().end() ? 0 : found->second;
    };
    const bool none = effect(transfer.from) == 0 && effect(transfer.to) == 0;
    const bool all = effect(transfer.from) == -transfer.amount && effect(transfer.to) == transfer.amount;
    const auto known = answers_.find(transfer.number);
    const std::string name = transfer_name(transfer.number);
    if (known == answers_.end()) {
      if (!none && !all) return blame("O-L4", name + ", never answered, has half an effect");
    } else if (known->second == Answer::success && !all) {
      return blame("O-L4", name + " was answered success, and " + (none ? "is not there" : "is not there as asked"));
    } else if (known->second == Answer::refused && !none) {
      return blame("O-L4", name + " was answered refused, and has an effect");
    }
  }
  return true;
}

bool Judge::nothing_left_over(const std::vector<Seen>& nodes) {
  std::int64_t in_transit = 0;
  for (Node node = 1; node <= nodes.size(); ++node) {
    const Book& book = *nodes[node - 1].book;
    for (const auto& [transfer, amount] : book.in_transit()) in_transit += amount;
    if (!book.locks().empty()) {
      const auto& [transfer, account] = *book.locks().begin();
      return blame("O-L6", shown_by(node) + " still holds a lock on " + account_name(account) + " for " +
                               transfer_name(transfer));
    }
  }
  if (in_transit == 0) return true;
  return blame("O-T3", std::to_string(in_transit) + " is in transit, and nobody moves it any more");
}

Finding Judge::end(const std::vector<Seen>& nodes) {
  if (finding_.verdict != Verdict::pass) return finding_;
  if (const std::string why = why_not_quiet(nodes); !why.empty()) return {Verdict::stuck, "O-V1", why};
  const bool well = nothing_left_over(nodes) && replicas_agree(nodes) && conserved(nodes) && as_answered(nodes);
  return well ? Finding{} : finding_;
}

}  // namespace coffer::sim::ladder
