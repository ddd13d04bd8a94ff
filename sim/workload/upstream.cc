#include "sim/workload/upstream.h"

#include <algorithm>

#include "core/base/uuid_number.h"
#include "sim/workload/asks.h"

namespace coffer::sim::workload {

namespace {

constexpr std::uint32_t old_per_mille = 120;    ///< a number that is known to be decided: rather the last one
constexpr std::uint32_t ahead_per_mille = 100;  ///< one further on than the next
constexpr std::uint32_t last_per_mille = 500;
constexpr std::uint64_t run_max = 3;  ///< of an account's numbers in one call: each waits for the one before

}  // namespace

std::size_t Upstream::draw(std::uint32_t owner, Items& items, Prng& prng) {
  Item item = items.sketch(prng);
  Row& row = rows_[item.home()];
  std::uint64_t& following = drawn_.try_emplace(item.home(), row.next).first->second;
  const std::uint64_t kind = prng.below(1000);
  std::uint64_t number = following;
  if (kind < old_per_mille && row.next > 1) {
    const bool is_last = prng.chance(last_per_mille);
    number = is_last ? row.next - 1 : 1 + prng.below(row.next - 1);
  } else if (kind < old_per_mille + ahead_per_mille) {
    number = following + 1 + prng.below(2);
  } else {
    following = following - row.next + 1 < run_max ? following + 1 : row.next;
  }
  const auto known = row.planned.find(number);
  if (known != row.planned.end()) return known->second;
  item.id = uuid_numbered({source_, number});
  item.owner = owner;
  return row.planned[number] = items.add(std::move(item));
}

void Upstream::told(const Items& items, std::size_t item, Outcome outcome) {
  const Item& asked = items[item];
  const std::optional<IdNumber> said = id_number_of(asked.id);
  const auto found = rows_.find(asked.home());
  if (!said || said->source != source_ || found == rows_.end()) return;
  Row& row = found->second;
  const bool is_decided =
      is_logged(outcome) || outcome == Outcome::id_expired || outcome == Outcome::idempotency_payload_mismatch;
  if (is_decided) {
    row.next = std::max(row.next, said->number + 1);
    return;
  }
  // Refused without a trace: the number may stand for something else. After a gap it is only too early.
  const auto planned = row.planned.find(said->number);
  const bool is_free = is_definite(outcome) && outcome != Outcome::id_gap;
  if (is_free && planned != row.planned.end() && planned->second == item) row.planned.erase(planned);
}

}  // namespace coffer::sim::workload
