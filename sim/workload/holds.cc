#include "sim/workload/holds.h"

#include <algorithm>

#include "core/base/check.h"
#include "sim/workload/items.h"

namespace coffer::sim::workload {

namespace {

constexpr std::uint32_t again_per_mille = 100;      ///< of placings: one asked for before, word by word
constexpr std::uint32_t other_body_per_mille = 50;  ///< ... or with another body
constexpr std::uint32_t large_per_mille = 120;      ///< of new ones: half of what an account began with, or more
constexpr std::uint32_t uncovered_per_mille = 60;   ///< ... or more than it will ever have
constexpr std::uint32_t repeated_per_mille = 350;   ///< of captures: one asked for before, word by word
constexpr std::uint32_t whole_per_mille = 500;      ///< of others: all that is held
constexpr std::uint32_t too_much_per_mille = 100;   ///< ... or more
constexpr std::uint32_t foreign_per_mille = 20;     ///< in a currency that is not the hold's
constexpr std::uint32_t to_itself_per_mille = 10;
constexpr std::uint32_t live_per_mille = 600;  ///< of captures: rather a hold that is not known to have ended
constexpr std::uint32_t missing_credit_per_mille = 100;
constexpr std::size_t recent_holds = 8;

/// From hardly long enough to be captured, through what ends while faults strike, to what outlasts the run.
std::uint64_t draw_expiry(Prng& prng) {
  const std::uint64_t kind = prng.below(100);
  if (kind < 15) return static_cast<std::uint64_t>(prng.between(5, 400));
  if (kind < 70) return static_cast<std::uint64_t>(prng.between(400, static_cast<std::int64_t>(Holds::soon_ms)));
  return static_cast<std::uint64_t>(prng.between(20'000, std::int64_t{30} * 86'400'000));
}

/// As far as anybody was told; time may have ended it.
bool is_live(const Hold& hold) { return hold.placed && !hold.ended; }

}  // namespace

std::size_t Holds::draw(std::uint32_t owner, Prng& prng, Prng& ids) {
  const std::uint64_t kind = prng.below(1000);
  if (!holds_.empty() && kind < again_per_mille) return draw_earlier(prng, {});
  Hold hold;
  if (!holds_.empty() && kind < again_per_mille + other_body_per_mille) {
    hold = holds_[draw_earlier(prng, {})];
    hold.captures.clear();
    hold.placed = hold.ended = false;
    const std::uint64_t part = prng.below(3);
    hold.amount += part == 0 ? 1 : 0;
    hold.expires_in_ms += part == 1 ? 1 : 0;
    if (part == 2) hold.currency = next_currency(hold.currency);
  } else {
    hold = draw_new(prng);
    hold.id = draw_id(ids);
  }
  hold.owner = owner;
  holds_.push_back(std::move(hold));
  return holds_.size() - 1;
}

std::size_t Holds::draw_under(std::uint32_t owner, const std::string& account, Currency currency, const TransferId& id,
                              Prng& prng) {
  Hold hold;
  hold.account = account;
  hold.id = id;
  hold.currency = currency;
  hold.amount = draw_amount(prng);
  hold.expires_in_ms = draw_expiry(prng);
  hold.owner = owner;
  holds_.push_back(std::move(hold));
  return holds_.size() - 1;
}

std::int64_t Holds::draw_amount(Prng& prng) const {
  const std::int64_t most = std::max<std::int64_t>(config_.opening_balance, 2);
  const std::uint64_t kind = prng.below(1000);
  if (kind < large_per_mille) return prng.between(most / 2, most);
  if (kind < large_per_mille + uncovered_per_mille) return most * (2 + static_cast<std::int64_t>(config_.accounts));
  return prng.between(1, std::max<std::int64_t>(most / 8, 1));
}

Hold Holds::draw_new(Prng& prng) {
  const Account& account = accounts_.draw(prng);
  Hold hold;
  hold.account = account.name;
  hold.currency = account.currencies[static_cast<std::size_t>(prng.below(account.currencies.size()))];
  hold.amount = draw_amount(prng);
  hold.expires_in_ms = draw_expiry(prng);
  if (prng.chance(foreign_per_mille)) hold.currency = accounts_.draw_foreign(prng, account);
  if (prng.chance(foreign_per_mille)) hold.account = late_account_prefix + std::to_string(prng.below(late_accounts));
  return hold;
}

Capture Holds::draw_capture(std::size_t number, Prng& prng) {
  Hold& hold = holds_[number];
  if (!hold.captures.empty() && prng.chance(repeated_per_mille)) {
    return hold.captures[static_cast<std::size_t>(prng.below(hold.captures.size()))];
  }
  Capture capture;
  capture.currency = prng.chance(foreign_per_mille) ? next_currency(hold.currency) : hold.currency;
  const std::uint64_t kind = prng.below(1000);
  capture.amount = kind < whole_per_mille                        ? hold.amount
                   : kind < whole_per_mille + too_much_per_mille ? hold.amount + prng.between(1, 1000)
                                                                 : prng.between(1, hold.amount);
  const auto held = std::find_if(accounts_.all().begin(), accounts_.all().end(),
                                 [&](const Account& account) { return account.name == hold.account; });
  const Account& debit = held == accounts_.all().end() ? accounts_.all().front() : *held;
  const bool across_shards = prng.chance(config_.cross_shard_per_mille);
  capture.credit = accounts_.draw_other(prng, debit, hold.currency, across_shards).name;
  if (prng.chance(missing_credit_per_mille)) {
    capture.credit = late_account_prefix + std::to_string(prng.below(late_accounts));
  }
  if (prng.chance(to_itself_per_mille)) capture.credit = hold.account;
  if (std::find(hold.captures.begin(), hold.captures.end(), capture) == hold.captures.end()) {
    hold.captures.push_back(capture);
  }
  return capture;
}

std::size_t Holds::draw_earlier(Prng& prng, const std::vector<std::string>& accounts) const {
  check(!holds_.empty(), "there is an earlier hold");
  const bool recent = prng.chance(850);
  const std::size_t window = recent ? std::min(holds_.size(), recent_holds) : holds_.size();
  const std::size_t drawn = holds_.size() - 1 - static_cast<std::size_t>(prng.below(window));
  for (std::size_t i = holds_.size(); i > 0 && !accounts.empty(); --i) {
    const Hold& hold = holds_[i - 1];
    const bool is_wanted = std::find(accounts.begin(), accounts.end(), hold.account) != accounts.end();
    if (is_wanted && is_live(hold)) return i - 1;
  }
  return drawn;
}

std::size_t Holds::draw_to_capture(Prng& prng, const std::vector<std::string>& accounts) const {
  const std::size_t drawn = draw_earlier(prng, accounts);
  const bool rather_live = prng.chance(live_per_mille);
  if (is_live(holds_[drawn]) || !rather_live) return drawn;
  for (std::size_t i = holds_.size(); i > 0 && i + recent_holds > holds_.size(); --i) {
    if (is_live(holds_[i - 1])) return i - 1;
  }
  return drawn;
}

void Holds::ended(const std::string& account, const TransferId& id) {
  for (Hold& hold : holds_) {
    if (hold.account == account && hold.id == id) hold.ended = true;
  }
}

}  // namespace coffer::sim::workload
