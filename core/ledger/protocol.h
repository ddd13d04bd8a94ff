// How money crosses from one shard to another: the words that settings, legs, events and rows share.
#pragma once

#include <cstdint>

namespace coffer::ledger {

/// Who decides in which order what both sides do (core/txn/protocols.h has a row for each). Numbers are never reused.
enum class Protocol : std::uint8_t {
  saga = 1,              ///< orchestrated: debit first, then the credit; a refused credit is compensated
  tcc = 2,               ///< Try both sides, then Confirm or Cancel both
  two_phase_commit = 3,  ///< lock and prepare both sides, then commit or abort both
};
inline constexpr Protocol last_protocol = Protocol::two_phase_commit;

/// What a leg asks of its target.
enum class LegStep : std::uint8_t {
  credit = 1,      ///< saga: take the money, or say why not
  try_credit = 2,  ///< TC/C, Try of the credit side: say whether the money could be taken, and keep room for it
  confirm = 3,     ///< TC/C, second phase: take it
  cancel = 4,      ///< TC/C, second phase: forget about it
  prepare = 5,     ///< two-phase commit: as a Try, and lock the account until the decision is known
  commit = 6,      ///< two-phase commit, second phase: take it, and unlock
  abort = 7,       ///< two-phase commit, second phase: forget about it, and unlock
};
inline constexpr LegStep last_leg_step = LegStep::abort;

/// The second phase of a protocol that asks first: what the answers of both sides say it is.
enum class SecondPhase : std::uint8_t { none = 0, confirm = 1, cancel = 2, commit = 3, abort = 4 };
inline constexpr SecondPhase last_second_phase = SecondPhase::abort;

/// Whether both sides had agreed.
constexpr bool accepts(SecondPhase phase) { return phase == SecondPhase::confirm || phase == SecondPhase::commit; }

/// Requires: a protocol that asks first.
constexpr SecondPhase second_phase_of(Protocol protocol, bool both_agree) {
  if (protocol == Protocol::tcc) return both_agree ? SecondPhase::confirm : SecondPhase::cancel;
  return both_agree ? SecondPhase::commit : SecondPhase::abort;
}

/// None for what begins a transfer.
constexpr SecondPhase second_phase_of(LegStep step) {
  switch (step) {
    case LegStep::credit:
    case LegStep::try_credit:
    case LegStep::prepare:
      return SecondPhase::none;
    case LegStep::confirm:
      return SecondPhase::confirm;
    case LegStep::cancel:
      return SecondPhase::cancel;
    case LegStep::commit:
      return SecondPhase::commit;
    case LegStep::abort:
      return SecondPhase::abort;
  }
  return SecondPhase::none;
}

constexpr Protocol protocol_of(LegStep step) {
  if (step == LegStep::credit) return Protocol::saga;
  return step <= LegStep::cancel ? Protocol::tcc : Protocol::two_phase_commit;
}

/// Requires: not none.
constexpr Protocol protocol_of(SecondPhase phase) {
  return phase <= SecondPhase::cancel ? Protocol::tcc : Protocol::two_phase_commit;
}

/// What the leg of a transfer by `protocol` asks, in its second phase or (none) at its beginning.
constexpr LegStep step_of(Protocol protocol, SecondPhase phase) {
  switch (phase) {
    case SecondPhase::none:
      break;
    case SecondPhase::confirm:
      return LegStep::confirm;
    case SecondPhase::cancel:
      return LegStep::cancel;
    case SecondPhase::commit:
      return LegStep::commit;
    case SecondPhase::abort:
      return LegStep::abort;
  }
  if (protocol == Protocol::saga) return LegStep::credit;
  return protocol == Protocol::tcc ? LegStep::try_credit : LegStep::prepare;
}

}  // namespace coffer::ledger
