#include "sim/ladder/book.h"

#include "core/base/check.h"

namespace coffer::sim::ladder {

namespace {

template <class Map, class Key>
void add(Map& map, const Key& key, std::int64_t delta) {
  const auto [place, fresh] = map.try_emplace(key, 0);
  place->second += delta;
  if (place->second == 0) map.erase(place);
}

}  // namespace

void Book::open(std::uint32_t account, std::int64_t balance) {
  check(balances_.try_emplace(account, balance).second, "an account is opened once");
}

void Book::post(std::uint32_t transfer, std::uint32_t account, std::int64_t delta) {
  balances_[account] += delta;
  imbalance_ += delta;
  add(effects_, std::pair(transfer, account), delta);
  tell({What::posted, transfer, account, delta});
}

void Book::transit(std::uint32_t transfer, std::int64_t delta) {
  imbalance_ += delta;
  add(transit_, transfer, delta);
}

void Book::lock(std::uint32_t transfer, std::uint32_t account) {
  if (locks_.emplace(transfer, account).second) tell({What::locked, transfer, account, 0});
}

void Book::unlock(std::uint32_t transfer, std::uint32_t account) {
  if (locks_.erase({transfer, account}) == 1) tell({What::unlocked, transfer, account, 0});
}

std::int64_t Book::balance(std::uint32_t account) const {
  const auto found = balances_.find(account);
  return found == balances_.end() ? 0 : found->second;
}

void Book::begin_replay() {
  *this = Book();
  replaying_ = true;
}

void Book::tell(const Change& change) {
  if (!replaying_) changes_.push_back(change);
}

}  // namespace coffer::sim::ladder
