// What a transfer has been through, step by step, as clients see it: the phase status table of the source text (Digital
// Wallet, chapter 12) for those who ask. Told on the wire: numbers are for ever.
#pragma once

#include <cstdint>
#include <string_view>

#include "core/base/ids.h"
#include "core/base/time.h"

namespace coffer {

/// What is done; which of them there are is the protocol's (docs/PROTOCOLS.md, "Transfers across shards").
enum class TransferPhase : std::uint8_t {
  execute = 1,     ///< within a shard, and a saga's: the money moves
  compensate = 2,  ///< saga: it comes back
  try_legs = 3,    ///< TC/C
  confirm = 4,
  cancel = 5,
  prepare = 6,  ///< two-phase commit
  commit = 7,
  abort = 8,
};
inline constexpr TransferPhase last_transfer_phase = TransferPhase::abort;

/// Whose account it is done to.
enum class Side : std::uint8_t {
  both = 1,  ///< one entry of one shard
  debit = 2,
  credit = 3,
};

enum class StepState : std::uint8_t {
  sent = 1,  ///< its leg is on the way, or the answer is: the debit's shard has not logged it
  done = 2,
  refused = 3,
};

struct PhaseStep {
  TransferPhase phase = TransferPhase::execute;
  Side side = Side::both;
  StepState state = StepState::sent;
  ShardId shard;      ///< whose log says so, or will
  Position position;  ///< of the event there; 0 where it is not known yet, or no longer (core/txn/phase_history.h)
  Stamp stamp;        ///< of that event's entry; 0 with it

  bool operator==(const PhaseStep&) const = default;
};

/// "execute", "try"; "debit", "entry"; "sent", "done".
std::string_view name(TransferPhase phase);
std::string_view name(Side side);
std::string_view name(StepState state);

}  // namespace coffer
