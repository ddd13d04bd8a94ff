// How money crosses from one shard to another: the words that settings, legs, events and rows share.
#pragma once

#include <cstdint>

namespace coffer::ledger {

/// Who decides in which order what both sides do (core/txn/protocols.h has a row for each). Numbers are never reused.
enum class Protocol : std::uint8_t {
  saga = 1,  ///< orchestrated: debit first, then the credit; a refused credit is compensated
  tcc = 2,   ///< Try both sides, then Confirm or Cancel both
};

/// What a leg asks of its target.
enum class LegStep : std::uint8_t {
  credit = 1,      ///< saga: take the money, or say why not
  try_credit = 2,  ///< TC/C, Try of the credit side: say whether the money could be taken, and keep room for it
  confirm = 3,     ///< TC/C, second phase: take it
  cancel = 4,      ///< TC/C, second phase: forget about it
};

/// The second phase of a TC/C transaction: what the answers to both Tries say it is.
enum class SecondPhase : std::uint8_t { none = 0, confirm = 1, cancel = 2 };

constexpr Protocol protocol_of(LegStep step) { return step == LegStep::credit ? Protocol::saga : Protocol::tcc; }

}  // namespace coffer::ledger
