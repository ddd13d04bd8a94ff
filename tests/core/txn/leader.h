// What the tests of the state machine share: shards without consensus. A Leader makes entries in batches and keeps its
// log; slots are split evenly over the shards of a world.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/hash.h"
#include "core/txn/state_machine.h"

namespace coffer::txn::testing {

inline constexpr Currency usd = currency_of("USD");
inline constexpr Currency eur = currency_of("EUR");

inline TransferId id_of(std::uint64_t number) {
  TransferId id;
  for (std::size_t i = 0; i < 8; ++i) id.bytes[15 - i] = static_cast<std::uint8_t>(number >> 8 * i);
  return id;
}

/// The slots of shard `shard` of `shards`, 1-based.
inline std::vector<ledger::SlotRange> slots_of(std::uint32_t shard, std::uint32_t shards) {
  const std::uint32_t first = slot_count / shards * (shard - 1);
  const std::uint32_t end = shard == shards ? slot_count : slot_count / shards * shard;
  return {{Slot(static_cast<std::uint16_t>(first)), end}};
}

inline ShardId shard_of(TenantId tenant, std::string_view account, std::uint32_t shards) {
  const std::uint32_t shard = slot_of(tenant, account).value / (slot_count / shards) + 1;
  return ShardId(shard < shards ? shard : shards);
}

/// A name with this prefix whose slot belongs to `shard` of `shards`.
inline std::string name_on(std::uint32_t shard, std::uint32_t shards, const std::string& prefix) {
  std::string name = prefix;
  for (int i = 0; shard_of(default_tenant, name, shards) != ShardId(shard); ++i) name = prefix + std::to_string(i);
  return name;
}

inline ledger::TransferCommand transfer_of(std::uint64_t id, std::string_view debit, std::string_view credit,
                                           std::int64_t minor, Currency currency = usd,
                                           ShardId credit_shard = ShardId(1)) {
  ledger::TransferCommand command;
  command.id = id_of(id);
  command.debit_account = debit;
  command.credit_account = credit;
  command.amount = {minor, currency};
  command.credit_shard = credit_shard;
  return command;
}

inline ledger::TransferCommand deposit_of(std::uint64_t id, std::string_view account, std::int64_t minor,
                                          Currency currency = usd) {
  ledger::TransferCommand command = transfer_of(id, "", account, minor, currency);
  command.operation = ledger::Operation::deposit;
  return command;
}

inline ledger::TransferCommand withdrawal_of(std::uint64_t id, std::string_view account, std::int64_t minor,
                                             Currency currency = usd) {
  ledger::TransferCommand command = transfer_of(id, account, "", minor, currency);
  command.operation = ledger::Operation::withdrawal;
  return command;
}

inline Bytes exported(const StateMachine& state) {
  Bytes bytes;
  state.export_state(bytes);
  return bytes;
}

/// One shard's state, its log, and a batch for every call.
struct Leader {
  explicit Leader(std::uint32_t shard, std::uint32_t shards = 1, ledger::Protocol protocol_of = ledger::Protocol::saga)
      : state(ShardId(shard)), protocol(protocol_of) {
    Batch batch(state, stamp());
    batch.found(ShardId(shard), slots_of(shard, shards));
    log.push_back(batch.finish());
  }

  Stamp stamp() const { return Stamp{state.last_stamp().nanos + 10}; }

  /// Lets `work` fill a batch, and keeps its entry where there is one.
  template <class Work>
  auto entry(Work&& work, Stamp at) {
    Batch batch(state, at, protocol);
    auto result = work(batch);
    if (batch.events() > 0) log.push_back(batch.finish());
    return result;
  }
  Outcome open(std::string_view account, Currency currency = usd, TenantId tenant = default_tenant) {
    bool already = false;
    return entry(
        [&](Batch& batch) {
          return batch.open_account({tenant, PrincipalId(), account, currency}, already);
        },
        stamp());
  }
  Decision transfer(const ledger::TransferCommand& command) {
    return entry([&](Batch& batch) { return batch.transfer(command); }, stamp());
  }
  LegDecision receive(ShardId source, const LegRequest& leg, LegNumber freed_through = {}) {
    const Stamp after{std::max(stamp().nanos, leg.source_stamp.nanos + 1)};
    return entry([&](Batch& batch) { return batch.receive_leg(source, leg, freed_through); }, after);
  }
  bool answer(ShardId target, const LegAnswer& answer) {
    const Stamp after{std::max(stamp().nanos, answer.stamp.nanos + 1)};
    const AnswerDecision decision = entry([&](Batch& batch) { return batch.answer_leg(target, answer); }, after);
    return decision.kind != AnswerDecision::Kind::ignored;
  }
  std::int64_t balance(std::string_view account, Currency currency = usd) const {
    const std::optional<Money> money = state.balance(default_tenant, account, currency);
    check(money.has_value(), "the test asks for a pocket that exists");
    return money->minor;
  }
  /// Balance of a system pocket by its name, 0 when it was never opened.
  std::int64_t system(std::string_view name) const {
    for (const StateMachine::PocketRow& row : state.pockets()) {
      if (row.account == name) return row.balance;
    }
    return 0;
  }

  StateMachine state;
  ledger::Protocol protocol;
  std::vector<Bytes> log;
};

/// Folds a log from nothing.
inline StateMachine folded(ShardId shard, const std::vector<Bytes>& log) {
  StateMachine state(shard);
  for (const Bytes& payload : log) state.apply_entry(payload);
  return state;
}

}  // namespace coffer::txn::testing
