#include "core/raft/membership.h"

#include <algorithm>

#include "core/base/check.h"

namespace coffer::raft {
namespace {

using Change = std::pair<Index, Configuration>;

constexpr auto before = [](const Change& change, Index index) { return change.first < index; };
constexpr auto after = [](Index index, const Change& change) { return index < change.first; };

}  // namespace

Membership::Membership(Configuration base, Index base_index) : base_(std::move(base)), base_index_(base_index) {
  check(well_formed(base_), "a log begins with a configuration");
}

const Configuration& Membership::at(Index index) const {
  const auto later = std::upper_bound(changes_.begin(), changes_.end(), index, after);
  return later == changes_.begin() ? base_ : std::prev(later)->second;
}

void Membership::append(const Entry& entry) {
  check(entry.kind == EntryKind::configuration, "only configurations change the membership");
  check(entry.index > latest_index(), "R18: configurations stand in the order of the log");
  Result<Configuration> configuration = decode_configuration(view(entry.payload));
  check(configuration.has_value(), "a configuration in the log decodes");
  changes_.emplace_back(entry.index, std::move(*configuration));
}

bool Membership::truncate_from(Index from) {
  const auto first = std::lower_bound(changes_.begin(), changes_.end(), from, before);
  const bool any = first != changes_.end();
  changes_.erase(first, changes_.end());
  return any;
}

void Membership::compact(Index base) {
  const auto later = std::upper_bound(changes_.begin(), changes_.end(), base, after);
  if (later != changes_.begin()) {
    base_index_ = std::prev(later)->first;
    base_ = std::move(std::prev(later)->second);
    changes_.erase(changes_.begin(), later);
  }
}

void Membership::restore(Index base, Configuration configuration) {
  check(well_formed(configuration), "a snapshot names a configuration");
  base_ = std::move(configuration);
  base_index_ = base;
  changes_.erase(changes_.begin(), std::upper_bound(changes_.begin(), changes_.end(), base, after));
}

}  // namespace coffer::raft
