// Messages between the leader of a transfer's source shard and the leader of its target shard.
//
//   legs        := source u32 | target u32 | freed_through u64 | count u32 | leg{count} | steps
//   leg         := number u64 | tenant u32 | id 16 | source_position u64 | source_stamp i64 | currency u32 | amount i64
//                  | credit_account str
//   steps       := (step u8 | tried u64){count}      (absent where all are credits; tried is 0 but for second phases)
//   leg_answers := source u32 | target u32 | count u32 | answer{count}
//   answer      := number u64 | id 16 | outcome u8 | position u64 | stamp i64
//
// Legs travel in ascending number, all of them after freed_through; the target takes only the next one, so order and
// loss on the way do not matter. Counts are at most legs_per_message_max, numbers and positions raft::number_max,
// stamps 0 to stamp_max; amounts are positive, currencies are known, account names follow their grammar; an outcome is
// success or a refusal of the credit side.
#pragma once

#include <vector>

#include "core/base/codec.h"
#include "core/base/ids.h"
#include "core/txn/state_machine.h"

namespace coffer::shard {

struct LegsMessage {
  ShardId source;
  ShardId target;
  LegNumber freed_through;  ///< the source's log has committed the answers of all legs up to here
  std::vector<txn::LegRequest> legs;
};

struct LegAnswersMessage {
  ShardId source;
  ShardId target;
  std::vector<txn::LegAnswer> answers;
};

inline constexpr std::size_t legs_per_message_max = 4096;

/// Stamps later than this (in the year 2116) are refused as malformed, so that "+ 1" can never overflow.
inline constexpr std::int64_t stamp_max = std::int64_t{1} << 62;

void encode(const LegsMessage& message, ByteWriter& out);
void encode(const LegAnswersMessage& message, ByteWriter& out);
/// Mark `in` as failed when the bytes are no such message. Views point into the bytes.
LegsMessage decode_legs(ByteReader& in);
LegAnswersMessage decode_leg_answers(ByteReader& in);

}  // namespace coffer::shard
