// The domains of random streams in a simulated world. A stream is keyed by (seed, domain, node, site), so that removing
// one fault or one client does not reshuffle what all the others draw. Numbers are for ever: saved plans replay by
// them.
#pragma once

#include <cstdint>

#include "core/base/prng.h"

namespace coffer::sim {

enum class Domain : std::uint64_t {
  swarm = 1,      ///< what kind of world a seed is
  node_boot = 2,  ///< node: who boots, site: which boot
  process = 3,    ///< node: whose steps
  disk = 4,       ///< node: whose disk; site: latencies or damage
  network = 5,    ///< node: sender, site: receiver
  clock = 6,      ///< node: whose clock
  fault = 7,      ///< node: stream number of the fault, site: which strike
  client = 8,     ///< node: which client
  workload = 9,
  watch = 10,  ///< which replica an observer looks at, and when
  perturb = 11,
};

constexpr Prng stream(std::uint64_t seed, Domain domain, std::uint64_t node = 0, std::uint64_t site = 0) {
  return Prng(seed, static_cast<std::uint64_t>(domain), node, site);
}

}  // namespace coffer::sim
