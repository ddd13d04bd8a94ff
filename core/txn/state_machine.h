// The state of one shard: accounts, pockets, dedup rows, phase status table, both ends' marks of every leg. A fold of
// the shard's log; every transition has an inverse. decide → events → apply; undo takes them back.
//
// Single-threaded. Knows nothing of Raft: the caller says which entry to apply and which to undo, in order.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/hash.h"
#include "core/base/ids.h"
#include "core/base/money.h"
#include "core/base/outcome.h"
#include "core/base/phases.h"
#include "core/base/time.h"
#include "core/ledger/commands.h"
#include "core/ledger/dedup.h"
#include "core/ledger/events.h"
#include "core/ledger/protocol.h"

namespace coffer::txn {

/// Where a transfer stands: one row of dedup and phase status together, as clients may see it.
struct TransferRecord {
  Outcome outcome = Outcome::pending;  ///< pending while the answer of its leg is not logged
  ledger::Operation operation = ledger::Operation::transfer;
  Position position;  ///< of the debit's event (or of the refusal)
  Stamp stamp;        ///< of that event's entry
  ShardId target{};   ///< 0 for transfers inside this shard
  LegNumber leg{};
  Position target_position;  ///< of the credit's event; 0 until the answer is logged
  Stamp target_stamp;
  ledger::Protocol protocol = ledger::Protocol::saga;  ///< of transfers to other shards
  std::uint32_t row = 0;                               ///< its number in this state, for history()
};

/// What decide says of a transfer.
struct Decision {
  Outcome outcome = Outcome::pending;  ///< `pending`: a leg was started, or (replayed) is still running
  bool replayed = false;               ///< the id was bound before, with the same body: `record` is the recorded one
  TransferRecord record;               ///< valid when outcome is pending or is_logged(outcome)
  std::uint64_t expected = 0;          ///< after id_gap: the number to come
};

/// What decide says of a change of an account.
struct ChangeDecision {
  Outcome outcome = Outcome::success;
  bool already = false;  ///< it was in that state before this attempt, which changed nothing
  Position position;     ///< of the event, where it succeeded
};

/// What decide says of a hold to be placed.
struct PlaceDecision {
  Outcome outcome = Outcome::pending;
  bool replayed = false;  ///< the id was bound before, with the same body
  Position position;      ///< of the event, where outcome is logged
  Stamp stamp;            ///< of its entry
  Stamp expires;          ///< after success
};

/// A hold that has expired.
struct ExpiredHold {
  TransferId id;
  Money amount;
  Stamp expires;
};

/// What decide says of a capture.
struct CaptureDecision {
  Outcome status = Outcome::success;   ///< else: refused, without a trace but for the expiry below
  std::optional<ExpiredHold> expired;  ///< the hold's time was over, and nobody had said so yet
  TransferId transfer;                 ///< the id of what captures it
  Decision decision;                   ///< what became of that transfer, valid if status is success
};

/// What decide says of the voiding of a hold.
struct VoidDecision {
  Outcome outcome = Outcome::success;
  std::optional<ExpiredHold> expired;  ///< as a CaptureDecision's
  bool already = false;                ///< it was voided before this attempt, which changed nothing
  Position position;                   ///< the hold is voided after it, where that succeeded
};

/// Where a hold stands.
struct HoldRecord {
  ledger::HoldEnd end = ledger::HoldEnd::live;
  Money amount;
  Stamp expires;
  TransferId transfer;  ///< that captured it; the nil id if none did
  Position position;    ///< of its placing
  Stamp stamp;          ///< of that event's entry
};

/// One payee of a split.
struct SplitPartRecord {
  ShardId shard;
  Position position;  ///< of the credit's event after success, of the refusal where this part refused; else 0
  Stamp stamp;        ///< with it
};

/// Where a split stands.
struct SplitRecord {
  Outcome outcome = Outcome::pending;
  Position position;                       ///< of the debit's event, or of the refusal
  Stamp stamp;                             ///< of that event's entry
  std::uint32_t row = 0;                   ///< its number in this state; while it runs, what to wait for
  std::uint8_t refused = ledger::no_part;  ///< the part, from 0, whose refusal it is
  std::vector<SplitPartRecord> parts;      ///< none where it was refused before anybody was asked
};

/// What decide says of a split.
struct SplitDecision {
  Outcome outcome = Outcome::pending;  ///< `pending`: legs were started, or (replayed) are still running
  bool replayed = false;               ///< the id was bound before, with the same body
  SplitRecord record;                  ///< valid when outcome is pending or is_logged(outcome)
};

/// A leg as the source sends it. Strings point into the state or into the message.
struct LegRequest {
  LegNumber number;
  TenantId tenant;
  TransferId id;
  Position source_position;
  Stamp source_stamp;
  Money amount;
  std::string_view credit_account;
  ledger::LegStep step = ledger::LegStep::credit;
  LegNumber tried = {};  ///< of second phases: the leg of their question
};

/// A leg's recorded outcome as the target answers it.
struct LegAnswer {
  LegNumber number;
  TransferId id;
  Outcome outcome = Outcome::pending;
  Position position;
  Stamp stamp;
};

/// What the target made of a leg.
struct LegDecision {
  enum class Kind : std::uint8_t {
    decided,   ///< it was the next number: an event was made
    repeated,  ///< an older number: answered from the recorded outcome
    freed,     ///< so old that the source has already logged its answer: nothing to say
    gap,       ///< not the next number yet: ignored
  };
  Kind kind;
  LegAnswer answer;  ///< valid for decided and repeated
};

/// What the source made of an answer.
struct AnswerDecision {
  enum class Kind : std::uint8_t {
    ignored,           ///< it was not the answer to the first unanswered leg: no event
    done,              ///< saga: the transfer has succeeded
    compensated,       ///< saga: it is refused, and what was taken has come back
    confirming,        ///< TC/C: both Tries have succeeded, Confirm is on its way
    confirmed,         ///< TC/C: the transfer has succeeded
    cancelling,        ///< TC/C: it is refused, what was taken has come back, and Cancel is on its way
    cancelled,         ///< TC/C: nobody holds anything of it any more
    committing,        ///< two-phase commit: both sides are prepared, Commit is on its way
    committed,         ///< two-phase commit: the transfer has succeeded
    aborting,          ///< two-phase commit: it is refused, what was taken has come back, and Abort is on its way
    aborted,           ///< two-phase commit: nobody holds anything of it any more
    split_answered,    ///< split: the answer of one part is there, others are not
    split_confirming,  ///< split: all Tries have succeeded, every Confirm is on its way
    split_cancelling,  ///< split: it is refused, what was taken has come back, and every Cancel is on its way
    split_ended,       ///< split: the second phase of one part is done, others are not
    split_confirmed,   ///< split: it has succeeded
    split_cancelled,   ///< split: nobody holds anything of it any more
  };
  Kind kind = Kind::ignored;
  LegNumber further;      ///< of those on their way but splits': the leg that was started
  std::uint32_t row = 0;  ///< of splits: as its record's

  bool is_of_split() const { return kind >= Kind::split_answered; }
  /// What has become of a split is known.
  bool tells_split() const { return kind == Kind::split_confirmed || kind == Kind::split_cancelling; }

  /// The answer to `further` will tell what becomes of the transfer.
  bool continues() const { return kind == Kind::confirming || kind == Kind::committing; }
};

/// How ids are read, as the leader's settings say: how long those that carry their own time (UUIDv7) are taken and
/// remembered, and whether those that carry a number are ordered. Whatever comes of it stands in the log
/// (core/txn/windows.h, sources.h).
struct IdRules {
  Duration window = {};  ///< an id is taken for so long; 0: for ever
  Duration grace = {};   ///< ... and what became of it told for so much longer
  /// Between these it is now, say the clocks of a majority; where they do not agree nothing passes.
  struct Bounds {
    WallTime earliest;
    WallTime latest;
  };
  std::optional<Bounds> now = {};
  /// Ids that carry a number (UUIDv8) are taken in the order of their numbers (core/txn/sources.h).
  bool numbered = false;
  /// Queued rows kept in memory: what is beyond leaves for the attic (core/txn/leaving.h); 0: nothing does.
  std::uint64_t rows_in_memory = 0;
};

struct TrialBalanceRow {
  Currency currency;
  __int128 customers = 0;  ///< minor units
  __int128 issue = 0;
  __int128 transit = 0;
};

/// A row that has left, as the attic holds it.
struct LeftRow {
  ledger::DedupRow row;
  ledger::LegLink link;  ///< counts where row.link is not no_row
};

class FrozenState;
class StateMachine;
struct Plan;
struct ShardState;

/// One entry in the making: decides commands one after the other against the state and applies each event at once, so
/// that later commands see earlier ones. Requires: only one batch of a state machine at a time; finish() or the undo of
/// the finished payload ends it.
class Batch {
 public:
  /// `stamp` must be later than the stamp of every entry before (checked) and than every carried leg stamp.
  /// `protocol` is how transfers to other shards begin in it.
  Batch(StateMachine& state, Stamp stamp, ledger::Protocol protocol = ledger::Protocol::saga, const IdRules& ids = {});
  Batch(const Batch&) = delete;
  Batch& operator=(const Batch&) = delete;

  void found(ShardId shard, const std::vector<ledger::SlotRange>& ranges);
  /// Moves the window of ids on, if that is due. To be called before ids are decided.
  void move_window();
  /// Lets rows leave that are too many, if that is due: at most one event.
  void let_rows_leave();
  /// success (a new pocket), success with `already` set (it was there), wrong_shard, malformed, reserved_account,
  /// account_closed.
  Outcome open_account(const ledger::OpenAccountCommand& command, bool& already);
  ChangeDecision change_account(const ledger::ChangeAccountCommand& command);
  /// Ends what has expired by this batch's stamp, the earliest first, while the entry has at most `bytes_max` bytes. To
  /// be asked before anything else: what is left over neither is captured nor voided, but still held.
  std::vector<ExpiredHold> expire_holds(std::size_t bytes_max);
  /// success, logged refusals, wrong_shard, malformed, reserved_account, account_not_found,
  /// idempotency_payload_mismatch.
  PlaceDecision place_hold(const ledger::PlaceHoldCommand& command);
  /// status: wrong_shard, malformed, reserved_account, same_account, account_not_found, hold_not_found, hold_voided,
  /// hold_expired, currency_mismatch, hold_exceeded, idempotency_payload_mismatch, account_busy.
  CaptureDecision capture_hold(const ledger::CaptureHoldCommand& command);
  /// success, wrong_shard, malformed, reserved_account, account_not_found, hold_not_found, hold_captured, hold_expired.
  VoidDecision void_hold(const ledger::VoidHoldCommand& command);
  Decision transfer(const ledger::TransferCommand& command);
  /// success, pending, logged refusals, wrong_shard, malformed, reserved_account, same_account, account_not_found,
  /// idempotency_payload_mismatch, id_expired, id_in_future. By Try, Confirm and Cancel, whatever the protocol of this
  /// batch.
  SplitDecision split(const ledger::SplitCommand& command);
  /// Starts loading what deciding these commands will look at; changes nothing. Worth it for the next `warm_max` or so
  /// of many commands, before their transfer() calls; more are ignored.
  void warm(std::span<const ledger::TransferCommand> commands) const;
  static constexpr std::size_t warm_max = 32;
  /// Target side. `freed_through`: the source has logged the answers of all legs up to here.
  LegDecision receive_leg(ShardId source, const LegRequest& leg, LegNumber freed_through);
  /// Source side: logs an answer.
  AnswerDecision answer_leg(ShardId target, const LegAnswer& answer);

  std::uint32_t events() const { return count_; }
  std::size_t bytes() const { return payload_.size(); }
  /// The entry's payload. Requires: events() > 0 (checked).
  Bytes finish();

 private:
  template <class What>
  void record(const What& event);
  /// Records what a plan makes; its record, where it has one.
  Decision carry_out(const Plan& plan);
  void log_expiry(const TransferId& id);

  StateMachine& state_;
  Stamp stamp_;
  ledger::Protocol protocol_;
  IdRules ids_;
  std::uint32_t count_ = 0;
  Bytes payload_;
};

class StateMachine {
 public:
  explicit StateMachine(ShardId self);
  ~StateMachine();
  StateMachine(const StateMachine& other);  ///< deep copy; used by observers only
  StateMachine& operator=(const StateMachine&) = delete;

  /// Folds one committed or speculative entry (a null payload, a leader's no-op, changes nothing). Deterministic and
  /// total; a payload that does not apply is divergence and ends the process (check).
  void apply_entry(ByteView payload);
  /// The exact inverse. Requires: `payload` is the last entry applied (checked by position).
  void undo_entry(ByteView payload);
  /// Tells the state that everything up to `position` is committed: memory kept only for undo may be freed.
  void committed(Position position);

  ShardId self() const;
  bool is_founded() const;
  bool owns(Slot slot) const;
  Position last_position() const;  ///< of the last event applied; 0 at first
  Stamp last_stamp() const;

  /// Reads; nothing when the account or its pocket is missing (`account_exists` tells which).
  std::optional<Money> balance(TenantId tenant, std::string_view account, Currency currency) const;
  /// Of the balance, what holds keep.
  std::optional<Money> held(TenantId tenant, std::string_view account, Currency currency) const;
  bool account_exists(TenantId tenant, std::string_view account) const;
  std::optional<ledger::AccountState> account_state(TenantId tenant, std::string_view account) const;
  std::optional<TransferRecord> find_transfer(TenantId tenant, std::string_view home_account,
                                              const TransferId& id) const;
  /// Without the account: the first (by position) with this id in this shard, but for numbers of sources.
  std::optional<TransferRecord> find_transfer(TenantId tenant, const TransferId& id) const;
  /// The split in this row of this very state. Requires: there is one (checked).
  SplitRecord split(std::uint32_t row) const;
  /// Where a transfer found is a split, its record.
  std::optional<SplitRecord> find_split(const TransferRecord& found) const;
  std::optional<HoldRecord> find_hold(TenantId tenant, std::string_view account, const TransferId& id) const;
  /// The earliest expiry of a live hold: the first entry stamped later ends it.
  std::optional<Stamp> next_expiry() const;
  /// The steps of a transfer found in this very state, in the order they begin (core/txn/phase_history.h).
  std::vector<PhaseStep> history(const TransferRecord& found) const;
  std::vector<TrialBalanceRow> trial_balance() const;  ///< ascending by currency

  /// Outgoing legs. A leg is unanswered until leg_answered is applied. Shards are ascending.
  std::vector<ShardId> leg_targets() const;
  LegNumber first_unanswered(ShardId target) const;  ///< next_leg(target) when all are answered
  LegNumber next_leg(ShardId target) const;
  /// Requires: first_unanswered(target) <= number < next_leg(target) (checked).
  LegRequest leg(ShardId target, LegNumber number) const;
  /// Credits that are prepared here and wait for the decision of their coordinators.
  std::uint64_t in_doubt() const;
  /// Incoming legs: the next number expected from `source`.
  LegNumber next_expected(ShardId source) const;
  /// The recorded outcome of an incoming leg that was not freed yet.
  std::optional<LegAnswer> recorded_answer(ShardId source, LegNumber number) const;

  /// Canonical bytes of the whole authoritative state (not of derived indexes): equal states, equal bytes.
  void export_state(Bytes& out) const;
  /// The state as it is now, to be exported while the machine goes on (core/txn/frozen_state.h); may outlive it. Copies
  /// nothing at first. Requires: no batch is open (checked).
  std::unique_ptr<FrozenState> freeze();
  /// Bytes export_state writes: equal states, equal sizes. Costs a few additions per table and peer shard.
  std::uint64_t size_estimate() const;
  struct PocketRow {
    std::string account;
    Currency currency;
    std::int64_t balance;
    std::int64_t held;
    bool locked;
    ledger::PocketKind kind;
    bool operator==(const PocketRow&) const = default;
  };
  std::vector<PocketRow> pockets() const;  ///< in number order
  std::uint64_t dedup_rows() const;        ///< that are not forgotten
  const ledger::IdWindow& id_window() const;

  // --- the attic (core/ledger/dedup.h) ---
  bool has_attic() const;
  std::uint64_t rows_left() const;            ///< places before this one have left
  std::uint64_t rows_in_memory_from() const;  ///< the first place that is still in memory
  /// A row that has left and is still in memory. Requires: rows_in_memory_from() <= place < rows_left() (checked).
  LeftRow left_row(std::uint64_t place) const;
  /// The attic holds all rows before `place`: they may leave memory.
  void let_go(std::uint64_t place);
  /// Nothing: there is no such account.
  std::optional<AccountNumber> account_number(TenantId tenant, std::string_view account) const;
  TenantId tenant_of(AccountNumber account) const;  ///< requires: there is such an account (checked)
  /// Whether the id, of this home, is found in memory.
  bool is_in_memory(AccountNumber home, const TransferId& id) const;
  /// Lays what the attic told beside the state, for one question. No state: not exported, counted or undone.
  void recall(const LeftRow& row);
  void forget_recalled();
  /// Whether the id's time is over: if it is not bound, it may have been, and nobody knows.
  bool has_passed(const TransferId& id) const;
  /// What is told of a transfer that was not found, by id and home account (empty: not named): transfer_not_found,
  /// id_expired, id_is_numbered.
  Outcome why_not_found(TenantId tenant, std::string_view home_account, const TransferId& id) const;

 private:
  friend class Batch;
  friend class StateLoader;
  struct State;
  /// For the loader: what it fills, and that it is full: nothing before can be undone.
  ShardState& parts();
  void loaded();

  std::unique_ptr<State> state_;
};

}  // namespace coffer::txn
