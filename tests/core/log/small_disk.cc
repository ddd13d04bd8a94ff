#include "tests/core/log/small_disk.h"

#include "core/base/check.h"
#include "core/log/hard_state.h"

namespace coffer::log {
namespace {

void flush_entries(Life& life, std::uint64_t flushes) {
  life.recovered();
  life.stream.set_hard_state(ShardId(1), {Term(1), NodeId(2)});
  check(life.flush_and_run(), "the hard state is written");
  for (std::uint64_t i = 1; i <= flushes; ++i) {
    life.stream.append(ShardId(1), std::vector{entry(i, 1, payload(i, 200))});
    check(life.flush_and_run(), "the entry is written");
  }
}

}  // namespace

MemoryDisk small_disk(std::uint64_t flushes) {
  MemoryDisk disk;
  Life life(disk);
  flush_entries(life, flushes);
  return disk;
}

MemoryDisk rested_disk(std::uint64_t flushes) {
  MemoryDisk disk;
  Life life(disk);
  flush_entries(life, flushes);
  life.rest();
  return disk;
}

MemoryDisk compacted_disk(std::uint64_t seed) {
  MemoryDisk disk;
  Life life(disk);
  life.recovered();
  Prng script(seed, 77);
  Model model;
  for (int i = 0; i < 14; ++i) {
    random_batch(script, model, &life.stream);
    check(life.flush_and_run(), "the batch is written");
    if (script.chance(500)) life.rest();
  }
  return disk;
}

std::size_t entries_of(const Model& model) {
  const auto found = model.logs.find(1);
  return found == model.logs.end() ? 0 : found->second.size();
}

MemoryDisk alone(MemoryDisk disk) {
  const FileIdentity identity = test_config().identity;
  HardStateImage image = *read_hard_state(disk.contents(hard_state_file), identity)->newest;
  image.groups[ShardId(1)].alone = true;
  Bytes file = encode_hard_state(identity, image, 0);
  const Bytes other = encode_hard_state(identity, image, 1);
  file.insert(file.end(), other.begin(), other.end());
  disk.overwrite(hard_state_file, file);
  return disk;
}

std::string failure_of(MemoryDisk disk, const StreamConfig& config) {
  const MemoryDisk before = disk;
  Life life(disk, UINT64_MAX, 0, config);
  life.run();
  check(life.stream.failed() != life.stream.recovered(), "a start ends");
  if (life.stream.failed()) {
    check(life.saw(TraceKind::failed), "a failure is traced");
    check(disk == before, "a start that is refused changes nothing");
  }
  return life.stream.failure();
}

}  // namespace coffer::log
