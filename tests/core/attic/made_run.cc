#include "tests/core/attic/made_run.h"

#include <optional>

#include "core/attic/run_writer.h"
#include "core/base/check.h"
#include "core/base/prng.h"

namespace coffer::attic {

Bytes content_of(std::uint64_t place, std::size_t size) {
  Bytes content(size);
  for (std::size_t i = 0; i < size; ++i) content[i] = static_cast<std::byte>((place >> (8 * (i % 8))) + i / 8);
  return content;
}

std::vector<Bytes> written(const RunHead& head, const std::vector<std::uint64_t>& hashes) {
  RunWriter writer(head);
  while (const std::optional<std::uint64_t> place = writer.wants_hash()) writer.add(hashes.at(*place - head.first));
  std::vector<Bytes> chunks;
  while (!writer.done()) {
    if (const std::optional<std::uint64_t> place = writer.wants_content()) {
      writer.put(content_of(*place, head.content_size));
    } else {
      chunks.push_back(writer.take_chunk());
    }
  }
  return chunks;
}

RunIndex opened(const RunHead& head, const std::vector<Bytes>& chunks) {
  RunIndex index(head);
  while (const std::optional<std::uint32_t> chunk = index.wants_chunk()) {
    check(index.feed(chunks.at(*chunk)).has_value(), "an index takes what a writer wrote");
  }
  return index;
}

Bytes joined(const std::vector<Bytes>& chunks) {
  Bytes all;
  for (const Bytes& chunk : chunks) all.insert(all.end(), chunk.begin(), chunk.end());
  return all;
}

std::vector<std::uint64_t> spread_hashes(std::size_t count, std::uint64_t seed) {
  Prng prng(seed);
  std::vector<std::uint64_t> hashes(count);
  for (std::uint64_t& hash : hashes) hash = prng.next();
  return hashes;
}

}  // namespace coffer::attic
