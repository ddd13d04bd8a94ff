// Commands: what clients and peers ask of a shard. Views point into the caller's bytes and live for one decision.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "core/base/hash.h"
#include "core/base/ids.h"
#include "core/base/money.h"
#include "core/base/outcome.h"
#include "core/base/time.h"

namespace coffer::ledger {

inline constexpr std::size_t account_name_max = 64;  ///< characters

/// Where the window of ids that carry their own time stands (core/ledger/dedup.h). State of a shard.
struct IdWindow {
  std::uint64_t passed_ms = 0;  ///< UUIDv7s made in this millisecond since 1970 or before have passed; 0: no window yet
  std::uint64_t first = 0;      ///< of the windowed rows, the first that is not forgotten
  constexpr bool operator==(const IdWindow&) const = default;
};
inline constexpr std::uint64_t id_time_ms_max = (std::uint64_t{1} << 48) - 1;

/// What an id is bound to. A TransferCommand's moves money; the others have commands of their own.
enum class Operation : std::uint8_t {
  transfer = 1,
  deposit = 2,
  withdrawal = 3,
  freeze = 4,
  unfreeze = 5,
  close = 6,
  hold = 7,
  split = 8,
};
inline constexpr Operation last_operation = Operation::split;
constexpr bool moves_money(Operation operation) { return operation <= Operation::withdrawal; }
constexpr bool changes_account(Operation operation) {
  return operation >= Operation::freeze && operation <= Operation::close;
}

/// Whether rows bound to it can be forgotten: those of holds and splits are named by what they began, which stays.
constexpr bool may_end(Operation operation) { return moves_money(operation) || changes_account(operation); }

/// What became of a hold: it ends once. Numbers are written.
enum class HoldEnd : std::uint8_t { live = 0, captured = 1, voided = 2, expired = 3 };
inline constexpr HoldEnd last_hold_end = HoldEnd::expired;
/// How long a hold may be asked for.
inline constexpr Duration hold_duration_max = milliseconds(std::int64_t{31} * 24 * 3600 * 1000);

/// A UUIDv7 this far ahead of its entry's stamp, or less, can have its row forgotten; one further ahead keeps it.
inline constexpr Duration id_ahead_max = seconds(300);

/// Of an account with all its pockets. Frozen: nothing new is taken from it or given to it; what was promised before
/// goes through. Closed: empty, and frozen for ever. Numbers are written.
enum class AccountState : std::uint8_t { open = 1, frozen = 2, closed = 3 };
/// The state after a freeze, unfreeze or close.
constexpr AccountState state_after(Operation change) {
  return change == Operation::freeze  ? AccountState::frozen
         : change == Operation::close ? AccountState::closed
                                      : AccountState::open;
}
/// What a new debit or credit is told: success of an open account.
constexpr Outcome refusal_of(AccountState state) {
  return state == AccountState::frozen   ? Outcome::account_frozen
         : state == AccountState::closed ? Outcome::account_closed
                                         : Outcome::success;
}

/// Moves money between two accounts. For a deposit the debit account is the home shard's sys:issue:CUR (named "" here),
/// for a withdrawal the credit account is. The *home* account (debit account; a deposit's credit account) decides the
/// shard, and binds the id: dedup key = (tenant, home account, id).
struct TransferCommand {
  Operation operation = Operation::transfer;
  TransferId id;
  TenantId tenant = default_tenant;
  PrincipalId principal{0};
  std::string_view debit_account;
  std::string_view credit_account;
  Money amount;            ///< > 0
  ShardId credit_shard{};  ///< owner of the credit account by the caller's shard map (a hint); self or another shard

  std::string_view home_account() const { return operation == Operation::deposit ? credit_account : debit_account; }
};

/// Digest of what the command means: operation, tenant, both accounts, minor units, currency. "1.0" and "1.00" agree.
Hash128 digest_of(const TransferCommand& command);

struct OpenAccountCommand {
  TenantId tenant = default_tenant;
  PrincipalId principal{0};
  std::string_view account;  ///< [A-Za-z0-9][A-Za-z0-9._:-]{0,63}, not starting with "sys:"
  Currency currency;
};

/// Freezes, unfreezes or closes an account. The id makes it happen once, however often it is asked and however late:
/// an attempt that was stuck somewhere must not undo what was ordered after it.
struct ChangeAccountCommand {
  Operation change = Operation::freeze;  ///< freeze, unfreeze or close
  TransferId id;                         ///< bound to the account, as a transfer's
  TenantId tenant = default_tenant;
  PrincipalId principal{0};
  std::string_view account;
};

inline constexpr std::size_t split_parts_max = 16;
inline constexpr std::uint8_t no_part = 0xFF;  ///< of a split: the debit was refused, or nobody

/// Pays several payees from one account: all of them, or none.
struct SplitCommand {
  struct Part {
    std::string_view credit_account;
    std::int64_t amount = 0;  ///< minor units, > 0
    ShardId credit_shard{};   ///< as a TransferCommand's
  };
  TransferId id;  ///< bound to the debit account, as a transfer's
  TenantId tenant = default_tenant;
  PrincipalId principal{0};
  std::string_view debit_account;
  Currency currency;
  std::span<const Part> parts;  ///< 1 to split_parts_max; a payee may be named twice
};

/// Digest of what the split means: tenant, debit account, currency, the parts in their order. Never that of a transfer.
Hash128 digest_of(const SplitCommand& command);

/// Keeps part of a balance for a later capture. The id is bound to the account, as a transfer's.
struct PlaceHoldCommand {
  TransferId id;
  TenantId tenant = default_tenant;
  PrincipalId principal{0};
  std::string_view account;
  Money amount;         ///< > 0
  Duration expires_in;  ///< > 0, at most hold_duration_max; counted from the stamp of its entry
};

/// Digest of what placing means: tenant, account, minor units, currency, duration. Never that of a transfer.
Hash128 digest_of(const PlaceHoldCommand& command);

/// Ends a hold and takes at most what it keeps, by a transfer with an id of its own: capture_id_of(id).
struct CaptureHoldCommand {
  TransferId id;  ///< the hold's
  TenantId tenant = default_tenant;
  PrincipalId principal{0};
  std::string_view account;  ///< the hold's
  std::string_view credit_account;
  Money amount;            ///< > 0, at most the hold's, in its currency
  ShardId credit_shard{};  ///< as a TransferCommand's

  /// What is taken.
  TransferCommand transfer() const;
};
/// The id of the transfer that captures a hold: a UUID of version 8, a digest of the hold's.
TransferId capture_id_of(const TransferId& hold);

/// Ends a hold; nothing is taken.
struct VoidHoldCommand {
  TransferId id;  ///< the hold's
  TenantId tenant = default_tenant;
  PrincipalId principal{0};
  std::string_view account;  ///< the hold's
};

/// Whether `name` follows the grammar for account ids, reserved ones included.
bool is_account_name(std::string_view name);
/// Whether `name` starts with the reserved prefix "sys:".
bool is_reserved(std::string_view name);

}  // namespace coffer::ledger
