// What can become of an operation, as the client sees it. Replicated, stored in the log and sent on the wire:
// numbers are for ever. The edge maps each to an HTTP status and problem code (docs/ARCHITECTURE.md, "Outcomes").
#pragma once

#include <cstdint>
#include <string_view>

namespace coffer {

enum class Outcome : std::uint8_t {
  pending = 0,  ///< recorded, not decided yet (a saga on its way); never told to a client
  success = 1,

  // Logged refusals: events. The same id gets the same answer for ever.
  insufficient_funds = 10,
  credit_account_not_found = 11,
  currency_mismatch = 12,  ///< an account exists, but has no pocket in this currency
  balance_overflow = 13,
  account_frozen = 14,
  account_closed = 15,
  limit_exceeded = 16,
  account_locked = 17,  ///< an account takes part in another transfer that is not decided yet (two-phase commit)

  // Unlogged refusals: they speak only for the attempt that got them and never use the id up.
  account_not_found = 40,  ///< the debit account of a transfer, or the account read
  same_account = 41,
  idempotency_payload_mismatch = 42,
  transfer_not_found = 43,
  malformed = 44,          ///< the request breaks the protocol's grammar or limits
  reserved_account = 45,   ///< `sys:` accounts are not open to clients
  in_flight = 46,          ///< the same id is still running and the caller's patience ended first
  change_under_way = 47,   ///< another change of the group's members or leader has to end first
  account_not_empty = 48,  ///< it is not closed while it holds money, or some is under way from it or to it
  hold_not_found = 49,     ///< no hold was placed under this id and account
  hold_captured = 50,      ///< it has ended: what it kept was taken
  hold_voided = 51,        ///< it has ended: it was let go
  hold_expired = 52,       ///< it has ended: its time was over
  hold_exceeded = 53,      ///< more is to be captured than the hold keeps
  id_in_future = 54,       ///< a UUIDv7 of later than now: it would have to be remembered for as long
  id_gap = 55,             ///< a number of its source before this one has not been decided at this account
  id_is_numbered = 56,     ///< the id is one of a source's numbers: for transfers of one account, told by that alone

  // Certainly not executed by this attempt; retry freely.
  not_leader = 60,
  overloaded = 61,
  no_leader = 62,
  wrong_shard = 63,  ///< the sender's shard map is stale
  draining = 64,
  account_busy = 65,  ///< what is held of it is not captured while a transfer that is not decided yet locks it

  unknown = 80,     ///< nobody knows: ask again with the same id
  id_expired = 81,  ///< nobody knows any more: the id's window or turn has passed. It will never execute again
};

/// Whether this outcome was decided in the log and therefore replays under its id.
constexpr bool is_logged(Outcome outcome) {
  return outcome == Outcome::success || (outcome >= Outcome::insufficient_funds && outcome <= Outcome::account_locked);
}

/// Whether the attempt that got this outcome certainly executed nothing and may simply be made again.
constexpr bool is_retryable(Outcome outcome) {
  return outcome >= Outcome::not_leader && outcome <= Outcome::account_busy;
}

/// The api's problem code in kebab case ("insufficient-funds"); "success" and "pending" for the rest.
std::string_view name(Outcome outcome);

}  // namespace coffer
