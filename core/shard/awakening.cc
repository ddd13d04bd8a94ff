#include "core/shard/awakening.h"

#include <algorithm>
#include <utility>

#include "core/base/check.h"

namespace coffer::shard {

Awakening::Awakening(ShardId shard, log::RecoveredGroup found, const raft::Configuration& founding,
                     std::vector<NodeId> known)
    : shard_(shard), found_(std::move(found)), founding_(founding), known_(std::move(known)) {}

/// The newest sound snapshot that is not behind the base. What a snapshot holds has committed, whatever the log knows
/// of it: one that is ahead of the base was published, and the life before ended before the stream was told.
std::optional<log::SealedName> Awakening::choose(const log::SealedStore& store) const {
  std::optional<log::SealedName> newest;
  const log::SealedName least{log::SealedKind::snapshot, shard_, std::max(found_.base.index, Index(1))};
  for (auto at = store.files().lower_bound(least); at != store.files().end(); ++at) {
    const log::SealedName& name = at->first;
    if (name.kind != log::SealedKind::snapshot || name.group != shard_) {
      break;
    }
    if (store.sound(name)) {
      newest = name;
    }
  }
  return newest;
}

void Awakening::step(const log::SealedStore& store, ReplicaFiles& files) {
  if (awake()) {
    return;
  }
  if (std::optional<ReplicaFiles::Loaded> loaded = files.take_loaded()) {
    wake(std::move(*loaded), files);
    return;
  }
  if (files.loading() && !files.load_is_damaged()) {
    return;
  }
  if (const std::optional<log::SealedName> name = choose(store)) {
    files.load(*name);
  } else if (found_.base.index.value == 0) {
    files.begin(nullptr);
    start_ = Start{{found_.hard_state, {}, founding_, std::move(found_.log), found_.uncertain, found_.evidence},
                   std::make_unique<txn::StateMachine>(shard_)};
  } else {
    files.transfer().set_members(known_);
    files.transfer().set_reached(Index(found_.base.index.value - 1));
    files.transfer().need_snapshot(found_.base);
  }
}

/// The log goes on at the snapshot: what it holds behind the snapshot's last entry stays.
void Awakening::wake(ReplicaFiles::Loaded loaded, ReplicaFiles& files) {
  const LogPlace place{loaded.header.name.last, loaded.header.last_term};
  check(place.index >= found_.base.index, "a snapshot reaches the log's base");
  std::vector<Entry>& log = found_.log;
  if (place.index > found_.base.index) {
    restored_ = Restored{place, Index(found_.base.index.value + log.size())};
    const auto same = std::find_if(log.begin(), log.end(), [&](const Entry& entry) {
      return entry.index == place.index && entry.term == place.term;
    });
    log.erase(log.begin(), same == log.end() ? log.end() : same + 1);
    if (place.term > found_.hard_state.term) {
      found_.hard_state = {place.term, nobody};  // from a member in a later term, which has not reached this replica
    }
  }
  files.begin(&loaded.header, loaded.state->rows_left());
  const LogPlace evidence = covers(found_.evidence, place) ? found_.evidence : place;
  start_ =
      Start{{found_.hard_state, place, std::move(loaded.configuration), std::move(log), found_.uncertain, evidence},
            std::move(loaded.state)};
}

Start Awakening::take_start() {
  check(awake(), "a replica starts when it is awake");
  return std::move(*start_);
}

}  // namespace coffer::shard
