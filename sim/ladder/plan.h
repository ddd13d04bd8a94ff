// What happens in a run of the ladder's small world, written out: which transfers are asked for, which faults strike.
// A seed draws a plan; everything after that reads the plan, so that a plan can be made smaller, saved and run again.
// The same plan is run against every design: a fault names the node it strikes by a number, which each design maps onto
// the nodes it has.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "core/base/time.h"

namespace coffer::sim::ladder {

/// Account a belongs to user a / 2 and, in a design with shards, to shard a mod their number.
inline constexpr std::uint32_t accounts_count = 6;
constexpr std::uint32_t sibling_of(std::uint32_t account) { return account ^ 1u; }

struct Account {
  std::int64_t balance = 0;  ///< at the start; minor units of the one currency
  bool barred = false;       ///< the regulator lets no money in
};

struct Transfer {
  std::uint32_t number = 0;  ///< its id; kept when others are dropped
  Duration at;
  std::uint32_t from = 0;
  std::uint32_t to = 0;
  std::int64_t amount = 0;
  bool patient = false;  ///< asks again with the same id until it is answered; else asks once
};

enum class FaultKind : std::uint8_t {
  crash,              ///< one process ends and starts again; its page cache survives
  power_cut,          ///< one machine: what was not synced may be gone
  power_cut_all,      ///< all at once
  partition,          ///< nothing passes between two nodes, or between one and everybody
  partition_one_way,  ///< nothing passes in one direction
  drop,               ///< messages are lost
  delay,              ///< messages are late, in order
  duplicate,          ///< messages come again, later
  reorder,            ///< messages are held back while later ones pass
  pause,              ///< one process does nothing while time goes on
  lost,               ///< one machine never comes back; only where a design claims to be about that
};
std::string_view name(FaultKind kind);
inline constexpr std::uint32_t fault_kinds = 11;

struct Fault {
  std::uint32_t number = 0;  ///< keys its own draws; kept when others are dropped
  FaultKind kind{};
  Duration at;
  Duration lasts;
  std::uint32_t one = 0;        ///< mapped onto the design's nodes
  std::uint32_t other = 0;      ///< mapped onto everybody (0), and the nodes besides `one`
  std::uint32_t per_mille = 0;  ///< of the messages: drop, delay, duplicate, reorder
  Duration extra;               ///< delay, duplicate, reorder
};

struct Plan {
  std::uint64_t seed = 0;  ///< of latencies and of what a power cut leaves
  std::vector<Account> accounts;
  std::vector<Transfer> transfers;
  std::vector<Fault> faults;
};

/// Faults begin before this, and all transfers but one; every fault has ended at heal_at; the run is judged at end_at.
inline constexpr Duration work_ends = seconds(8);
inline constexpr Duration heal_at = seconds(12);
inline constexpr Duration end_at = seconds(27);

/// The one suite of faults: swarm style, each seed draws which kinds exist and how violent they are.
Plan draw_plan(std::uint64_t seed);
/// The same work without faults.
Plan calm(Plan plan);

}  // namespace coffer::sim::ladder
