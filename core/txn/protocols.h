// The table of protocols: how a transfer whose two accounts live in different shards is carried out. Adding one is one
// new file with its row() and one row here (protocols.cc); a test fails if the row is forgotten. Which one a cluster
// uses is a setting of its nodes. It only says how transfers *begin*: each leg belongs to the protocol that began it,
// so nodes may differ in it for a while, and whatever runs ends as it began.
//
// What all have in common: the coordinator lives with the debit account; legs between two shards are numbered and taken
// in order (core/txn/phase_table.h, inbox.h); decide is pure; whatever is decided is an event of core/ledger/events.h,
// whose apply and undo stand in the protocol's own file and are each other's inverse.
//
//   source   start     the client's transfer           -> debit, id bound, first leg        (or a refusal: no leg)
//   target   receive   a leg                            -> its outcome
//   source   answer    the outcome of the leg in front  -> the end, or a further leg
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "core/base/phases.h"
#include "core/ledger/protocol.h"
#include "core/txn/shard_state.h"

namespace coffer::txn {

struct ProtocolRow {
  ledger::Protocol protocol;
  std::string_view name;  ///< as settings and scenarios write it
  std::string_view doc;   ///< one line
  /// Source: a transfer to `credit_account` on `target`, whose debit account is `decided.home`. Fills in `decided` as
  /// far as it resolves it.
  Plan (*start)(const ShardState& state, ledger::Decided& decided, ShardId target, std::string_view credit_account,
                Debit debit);
  /// Target: what to do with a leg. `stamp` is the stamp of the entry its event would stand in. What no correct source
  /// sends is a gap: ignored.
  Receipt (*receive)(const ShardState& state, ShardId source, const LegRequest& leg, LegNumber freed_through,
                     Stamp stamp);
  /// Source: what to log of an answer; nothing unless it is the answer to the first unanswered leg to `target`.
  std::optional<Settlement> (*answer)(const ShardState& state, ShardId target, const LegAnswer& answer, Stamp stamp);
  /// Source: the steps of a transfer it began (core/txn/phase_history.h).
  std::vector<PhaseStep> (*history)(const ShardState& state, ledger::DedupNumber number);
};

/// In the order of their numbers.
const std::vector<ProtocolRow>& protocols();
const ProtocolRow& row_of(ledger::Protocol protocol);
/// Null when there is no such protocol.
const ProtocolRow* find_protocol(std::string_view name);

}  // namespace coffer::txn
