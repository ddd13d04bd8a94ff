// The bytes of rows in a state's canonical export: everything authoritative in a row, nothing derived.
//
//   account := tenant u32 | name short_string | state u8{with_state}
//              (state: 1 open, 2 frozen, 3 closed)
//   pocket  := account u32 | currency u32 | peer u32 | kind u8 | balance i64 | pending i64
//              (account 0xFFFFFFFF for system pockets; peer 0 but for transit pockets. The order of an account's
//              pockets follows from their numbers)
//   dedup   := home u32 | id 16 | digest 16 | position u64 | stamp i64 | operation u8 | outcome u8 | linked u8
//              | link{linked > 0}                      (linked: 0, or the number of the protocol the leg belongs to)
//   link    := target u32 | leg u64 | target_position u64 | target_stamp i64
//
// Rows stand in the order of their numbers, so that numbers need not be written. Readers mark `in` as failed when the
// bytes are no such row; what a row means beside others is for the table that takes it to judge.
#pragma once

#include <cstddef>

#include "core/base/codec.h"
#include "core/ledger/book.h"
#include "core/ledger/dedup.h"

namespace coffer::ledger {

inline constexpr std::size_t account_bytes = 4 + 1;  ///< without the name and the state
inline constexpr std::size_t pocket_bytes = 4 + 4 + 4 + 1 + 8 + 8;
inline constexpr std::size_t dedup_bytes = 4 + 16 + 16 + 8 + 8 + 3;  ///< without the link
inline constexpr std::size_t link_bytes = 4 + 8 + 8 + 8;
inline constexpr std::size_t window_head_bytes = 8 + 8 + 8;  ///< passed, first and count before the windowed rows

void encode(const AccountRow& row, AccountFormat format, ByteWriter& out);
void encode(const PocketRow& row, ByteWriter& out);
/// `link` is null unless the row has one.
void encode(const DedupRow& row, const LegLink* link, ByteWriter& out);

/// An account's row without pockets. The name points into the row.
AccountRow decode_account(ByteReader& in, AccountFormat format);
/// A customer's pocket has no older one yet.
PocketRow decode_pocket(ByteReader& in);
/// Whether there is a link, the row says by `link != no_row`; its number is the table's to give.
DedupRow decode_dedup(ByteReader& in, LegLink& link);

}  // namespace coffer::ledger
