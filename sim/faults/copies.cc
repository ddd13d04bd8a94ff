#include "sim/faults/copies.h"

#include <algorithm>
#include <string>

#include "sim/oracles/sealed_decode.h"
#include "sim/oracles/stream_decode.h"

namespace coffer::sim::faults {

namespace {

void fold(const oracles::Record& record, Copies& copies) {
  if (const auto* entry = std::get_if<oracles::EntryOnDisk>(&record)) {
    HeldLog& log = copies.logs[entry->shard];
    if (entry->index.value != log.base.value + log.entries.size() + 1) return;
    log.entries.push_back({entry->term, hash128(entry->payload)});
  }
  if (const auto* cut = std::get_if<oracles::CutOnDisk>(&record)) {
    HeldLog& log = copies.logs[cut->shard];
    const std::uint64_t left = cut->from.value > log.base.value ? cut->from.value - log.base.value - 1 : 0;
    log.entries.resize(std::min<std::size_t>(left, log.entries.size()));
  }
  if (const auto* snapshot = std::get_if<oracles::BaseOnDisk>(&record)) {
    HeldLog& log = copies.logs[snapshot->shard];
    const std::uint64_t base = snapshot->base.index.value;
    const std::uint64_t covered = base > log.base.value ? base - log.base.value : 0;
    const std::size_t gone = snapshot->keeps ? std::min<std::size_t>(covered, log.entries.size()) : log.entries.size();
    log.entries.erase(log.entries.begin(), log.entries.begin() + static_cast<std::ptrdiff_t>(gone));
    log.base = snapshot->base.index;
  }
  if (const auto* standing = std::get_if<oracles::StandingOnDisk>(&record)) {
    // Where folding begins, what was before is in snapshots.
    HeldLog& log = copies.logs[standing->shard];
    if (log.base == Index(0) && log.entries.empty()) log.base = standing->last.index;
  }
}

}  // namespace

Copies copies_on(const Disk& disk) {
  Copies copies;
  std::uint64_t first_segment = 1;
  if (const auto file = disk.durable(std::string(oracles::hard_state_name))) {
    copies.both_hard_states = oracles::decode_older_hard_state(*file).has_value();
    if (const auto hard_state = oracles::decode_hard_state(*file)) first_segment = hard_state->first_segment;
  }
  oracles::StreamReader stream(first_segment);
  for (const std::string& file : disk.durable_names()) {
    const ByteView contents = disk.durable(file).value();
    if (const auto name = oracles::sealed_name(file); name && name->kind == oracles::SealedKind::snapshot) {
      std::string why;
      Index& snapshot = copies.logs[name->shard].snapshot;
      if (oracles::decode_sealed(*name, contents, why)) snapshot = std::max(snapshot, name->last);
    }
    for (const oracles::Record& record : stream.read(file, contents)) fold(record, copies);
  }
  return copies;
}

Index whole_up_to(const HeldLog& log, const std::vector<Mark>& committed) {
  if (log.base > log.snapshot) return log.snapshot;
  std::uint64_t whole = log.base.value;
  for (const Mark& entry : log.entries) {
    if (whole >= committed.size() || committed[whole] != entry) break;
    ++whole;
  }
  return Index(std::max(whole, log.snapshot.value));
}

}  // namespace coffer::sim::faults
