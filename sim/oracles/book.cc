#include "sim/oracles/book.h"

#include <algorithm>

#include "core/base/check.h"
#include "core/base/uuid.h"

namespace coffer::sim::oracles {

namespace {

Sum sum_at(const std::vector<Pocket::Change>& history, Position position) {
  const auto later = std::upper_bound(history.begin(), history.end(), position,
                                      [](Position p, const Pocket::Change& change) { return p < change.position; });
  return later == history.begin() ? 0 : std::prev(later)->balance;
}

}  // namespace

Sum Pocket::balance_at(Position position) const { return sum_at(history, position); }
Sum Pocket::held_at(Position position) const { return sum_at(held, position); }

bool Pocket::locked_at(Position position) const {
  const auto later = std::upper_bound(locks.begin(), locks.end(), position,
                                      [](Position p, const Lock& lock) { return p < lock.position; });
  return later != locks.begin() && std::prev(later)->locked;
}

void ShardBook::fold(Term term, const Entry& entry) {
  Mark mark = marks_.back();
  mark.term = term;
  Position position = mark.position;
  for (const Event& event : entry.events) {
    position = position.next();
    fold(position, entry.stamp, event, mark);
  }
  mark.position = position;
  marks_.push_back(mark);
}

void ShardBook::fold(Position position, Stamp stamp, const Event& event, Mark& mark) {
  if (const auto* opened = std::get_if<AccountOpened>(&event)) {
    Pocket& pocket = pockets_[opened->pocket];
    pocket = {opened->kind, opened->tenant, opened->name, opened->currency, opened->peer, position, {}, {}, {}};
    if (opened->kind == PocketKind::customer) {
      accounts_[opened->account] = {opened->tenant, opened->name};
      names_[{opened->tenant, opened->name, opened->currency}] = opened->pocket;
    }
  }
  // What begins a second phase answers one leg and starts another.
  const bool starts_leg = std::holds_alternative<LegStarted>(event) || std::holds_alternative<TryStarted>(event) ||
                          std::holds_alternative<PrepareStarted>(event);
  if (starts_leg) ++mark.legs_unanswered;
  fold_split(event, mark);
  const auto* changed = std::get_if<AccountChanged>(&event);
  if (changed != nullptr) changes_[position] = *changed;
  count_ids(event, mark);
  fold_hold(position, stamp, event);
  fold_lock(position, event);
  const bool ends_leg = std::holds_alternative<LegAnswered>(event) || std::holds_alternative<SecondEnded>(event);
  if (ends_leg && mark.legs_unanswered > 0) --mark.legs_unanswered;
  for (const Posting& posting : postings_of(event)) {
    const auto found = pockets_.find(posting.pocket);
    if (found == pockets_.end()) continue;  // O-L2 tells
    Pocket& pocket = found->second;
    const Sum balance = pocket.balance() + posting.amount.minor;
    if (!pocket.history.empty() && pocket.history.back().position == position) {
      pocket.history.back().balance = balance;  // both sides of one event
    } else {
      pocket.history.push_back({position, balance});
    }
  }
}

void ShardBook::count_ids(const Event& event, Mark& mark) {
  const auto* opened = std::get_if<SourceOpened>(&event);
  if (opened != nullptr && sources_.emplace(opened->home, opened->source).second) ++mark.ids_bound;
  const Decided* decided = decided_by(event);
  const std::optional<Numbered> said = decided != nullptr ? numbered_as(decided->id) : std::nullopt;
  const bool takes_over = said && sources_.contains({decided->home, said->source});
  if (std::holds_alternative<AccountChanged>(event) || (decided != nullptr && !takes_over)) ++mark.ids_bound;
  const auto* moved = std::get_if<WindowMoved>(&event);
  if (moved != nullptr) mark.ids_bound -= std::min(mark.ids_bound, moved->first - moved->first_before);
  const auto* left = std::get_if<RowsLeft>(&event);
  if (left != nullptr && left->after > left->before)
    mark.ids_bound -= std::min(mark.ids_bound, left->after - left->before);
}

/// Each part in another shard has a leg for its Try, and one for its second phase.
void ShardBook::fold_split(const Event& event, Mark& mark) {
  const auto legs = [](const auto& parts) {
    return static_cast<std::uint64_t>(
        std::count_if(parts.begin(), parts.end(), [](const auto& part) { return !part.is_here(); }));
  };
  if (const auto* started = std::get_if<SplitStarted>(&event)) mark.legs_unanswered += legs(started->parts);
  if (const auto* decided = std::get_if<SplitDecided>(&event)) mark.legs_unanswered += legs(decided->parts);
  const bool ends = std::holds_alternative<SplitAnswered>(event) || std::holds_alternative<SplitEnded>(event);
  if (ends && mark.legs_unanswered > 0) --mark.legs_unanswered;
}

void ShardBook::fold_hold(Position position, Stamp stamp, const Event& event) {
  const auto* placed = std::get_if<HoldPlaced>(&event);
  const auto* ended = std::get_if<HoldEnded>(&event);
  if (placed != nullptr && placed->decided.outcome == Outcome::success) {
    const Decided& d = placed->decided;
    const auto owner = accounts_.find(d.home);
    Hold hold{{}, {}, d.id, d.debit, d.amount, placed->expires, position, stamp};
    if (owner != accounts_.end()) {
      hold.tenant = owner->second.tenant;
      hold.account = owner->second.name;
    }
    hold_names_[{hold.tenant, hold.account, hold.id}] = holds_.size();
    keep(d.debit, position, d.amount.minor);
    holds_.push_back(std::move(hold));
  }
  if (ended != nullptr && ended->hold < holds_.size()) {
    Hold& hold = holds_[ended->hold];
    if (hold.end) return;  // O-L6 tells
    hold.end = ended->how;
    hold.ended = position;
    keep(hold.pocket, position, -hold.amount.minor);
  }
}

/// A debit is locked from its prepare to the decision, a credit from its promise to the Commit or Abort.
void ShardBook::fold_lock(Position position, const Event& event) {
  const auto set = [&](PocketNumber number, bool locked) {
    const auto found = pockets_.find(number);
    if (found != pockets_.end()) found->second.locks.push_back({position, locked});  // else O-T5 tells
  };
  if (const auto* prepared = std::get_if<PrepareStarted>(&event)) {
    set(prepared->leg.decided.debit, true);
  } else if (const auto* promised = std::get_if<PrepareReceived>(&event)) {
    if (promised->leg.outcome == Outcome::success) set(promised->leg.credit, true);
  } else if (const auto* decided = std::get_if<SecondStarted>(&event)) {
    if (decided->of_locks) set(decided->tried.debit, false);
  } else if (const auto* done = std::get_if<SecondReceived>(&event)) {
    if (is_of_locks(done->phase)) set(done->credit, false);  // none where the prepare was refused
  }
}

void ShardBook::keep(PocketNumber number, Position position, std::int64_t amount) {
  const auto found = pockets_.find(number);
  if (found == pockets_.end()) return;  // O-L6 tells
  std::vector<Pocket::Change>& held = found->second.held;
  held.push_back({position, (held.empty() ? 0 : held.back().balance) + amount});
}

const Mark& ShardBook::at(Index index) const {
  check(index.value < marks_.size(), "a book is asked about entries it has seen");
  return marks_[static_cast<std::size_t>(index.value)];
}

const Pocket* ShardBook::pocket(PocketNumber number) const {
  const auto found = pockets_.find(number);
  return found == pockets_.end() ? nullptr : &found->second;
}

const Pocket* ShardBook::pocket(TenantId tenant, const std::string& account, Currency currency) const {
  const auto found = names_.find({tenant, account, currency});
  return found == names_.end() ? nullptr : pocket(found->second);
}

AccountState ShardBook::state_at(TenantId tenant, const std::string& account, Position position) const {
  AccountState state = AccountState::open;
  for (const auto& [at, change] : changes_) {
    if (at > position) break;
    const auto owner = accounts_.find(change.account);
    const bool is_its = owner != accounts_.end() && owner->second.tenant == tenant && owner->second.name == account;
    if (is_its) state = change.after();
  }
  return state;
}

const AccountChanged* ShardBook::change_at(Position position) const {
  const auto found = changes_.find(position);
  return found == changes_.end() ? nullptr : &found->second;
}

const Hold* ShardBook::hold(TenantId tenant, const std::string& account, const TransferId& id) const {
  const auto found = hold_names_.find({tenant, account, id});
  return found == hold_names_.end() ? nullptr : &holds_[found->second];
}

std::optional<std::string> ShardBook::account(AccountNumber number) const {
  const auto found = accounts_.find(number);
  if (found == accounts_.end()) return std::nullopt;
  return found->second.name;
}

TenantId ShardBook::tenant_of(AccountNumber number) const {
  const auto found = accounts_.find(number);
  return found == accounts_.end() ? TenantId{} : found->second.tenant;
}

std::optional<Entry> Book::committed(const CommittedEntry& committed) {
  if (!knows(committed.shard)) return std::nullopt;
  ShardBook& book = shards_[committed.shard.value - 1];
  if (committed.index != book.last().next()) return std::nullopt;
  std::optional<Entry> entry = committed.kind == EntryKind::state ? decode_entry(committed.payload) : Entry{};
  if (entry) book.fold(committed.term, *entry);
  return entry;
}

const ShardBook& Book::shard(ShardId shard) const {
  check(knows(shard), "a book is asked about shards of its topology");
  return shards_[shard.value - 1];
}

std::string text(ShardId shard) { return "s" + std::to_string(shard.value); }

std::string text(ShardId shard, Position position) { return text(shard) + "@" + std::to_string(position.value); }

std::string text(Sum sum) {
  if (sum == 0) return "0";
  std::string digits;
  const bool negative = sum < 0;
  auto rest = static_cast<unsigned __int128>(sum);
  if (negative) rest = -rest;
  for (; rest != 0; rest /= 10) digits.push_back(static_cast<char>('0' + static_cast<int>(rest % 10)));
  if (negative) digits.push_back('-');
  std::reverse(digits.begin(), digits.end());
  return digits;
}

std::string text(const TransferId& id) { return to_string(id); }

}  // namespace coffer::sim::oracles
