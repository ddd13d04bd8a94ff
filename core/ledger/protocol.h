// How money crosses from one shard to another: the words that settings, legs, events and rows share.
#pragma once

#include <cstdint>

namespace coffer::ledger {

/// Who decides in which order what both sides do (core/txn/protocols.h has a row for each). Numbers are never reused.
enum class Protocol : std::uint8_t {
  saga = 1,  ///< orchestrated: debit first, then the credit; a refused credit is compensated
};

}  // namespace coffer::ledger
