// A hand-made run of two shards, told to one oracle through the hooks a world would call. The steps keep the books
// honest by themselves; a test breaks one of them on purpose.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/ledger/events.h"
#include "core/router/protocol.h"
#include "sim/oracles/oracles.h"
#include "tests/sim/oracles/shown_disk.h"

namespace coffer::sim::oracles {

inline constexpr Currency usd = currency_of("USD");
inline constexpr ShardId s1{1};
inline constexpr ShardId s2{2};
inline constexpr NodeId n1{1};
inline constexpr NodeId n2{2};
inline constexpr NodeId n3{3};

TransferId id_of(std::uint8_t number);
/// Of the transfer that captures the hold of that id.
TransferId capture_of(std::uint8_t number);

/// Pockets as `found` opens them: the same numbers in both shards; accounts a and c live in s1, b and d in s2.
inline constexpr PocketNumber issue{0};
inline constexpr PocketNumber transit{1};
inline constexpr PocketNumber first{2};   ///< a in s1, b in s2
inline constexpr PocketNumber second{3};  ///< c in s1, d in s2

router::TransferItem transfer_item(std::uint8_t id, std::string_view debit, std::string_view credit,
                                   std::int64_t amount);
router::TransferItem deposit_item(std::uint8_t id, std::string_view account, std::int64_t amount);

ledger::Decided decided(const router::TransferItem& item, Outcome outcome, AccountNumber home, PocketNumber debit,
                        PocketNumber credit);

/// What the legs of one story share: leg `number` from s1 to s2.
struct LegPlan {
  std::uint64_t number = 1;
  std::uint8_t id = 0;
  std::int64_t amount = 0;
  Position started;
  Stamp started_stamp;
  Position received;
  Stamp received_stamp;
  // TC/C: `number` is the Try's leg
  std::uint64_t second = 0;
  Position second_started;
  Stamp second_stamp;
  Position second_received;
  Stamp second_received_stamp;
};

class Story {
 public:
  /// Where ids that carry their own time are taken for `id_window`, and answered for `id_grace` more; and where those
  /// that carry a number are taken in their order.
  explicit Story(std::string_view oracle, Duration id_window = {}, Duration id_grace = {}, bool numbered_ids = false);

  Oracle& oracle() { return *oracle_; }
  /// The reasons of all violations so far.
  std::vector<std::string> reasons() const;
  /// finish(), then reasons().
  std::vector<std::string> end();

  // --- the log --------------------------------------------------------------------------------------------------
  /// One entry of these events at the shard's next index, committed on node n1; returns the first event's position.
  Position commit(ShardId shard, const std::vector<ledger::Event>& events);
  /// Any payload at the shard's next index, durable on all disks before.
  void commit_bytes(ShardId shard, const Bytes& payload);
  Stamp last_stamp(ShardId shard) const;
  Index last_index(ShardId shard) const;
  Bytes payload(ShardId shard, const std::vector<ledger::Event>& events);

  /// Opens all pockets and accounts in both shards.
  void found();
  ledger::Event local(const router::TransferItem& item, Outcome outcome, AccountNumber home, PocketNumber debit,
                      PocketNumber credit);
  ledger::Event leg_started(const LegPlan& plan, std::string_view credit_account = "b");
  ledger::Event leg_received(const LegPlan& plan, Outcome outcome, std::string_view credit_account = "b");
  ledger::Event leg_answered(const LegPlan& plan, Outcome outcome);
  ledger::Event try_started(const LegPlan& plan);
  ledger::Event try_received(const LegPlan& plan, Outcome outcome);
  ledger::Event second_started(const LegPlan& plan, Outcome outcome);
  ledger::SecondReceived second_received(const LegPlan& plan, ledger::SecondPhase phase);
  ledger::Event second_ended(const LegPlan& plan, ledger::SecondPhase phase);

  ledger::AccountChanged account_changed(std::uint8_t id, ledger::Operation change, ledger::AccountState before,
                                         PocketNumber pocket = first);

  /// Of account a, in the next entry of s1; holds are numbered as they are committed, refused ones left out.
  ledger::HoldPlaced hold_placed(std::uint8_t id, std::int64_t amount, Duration expires_in = hold_time,
                                 Outcome outcome = Outcome::success) const;
  ledger::HoldEnded hold_ended(std::uint32_t number, std::uint8_t id, std::int64_t amount, ledger::HoldEnd how) const;
  /// What captures a hold of account a for account c.
  ledger::Event capture(std::uint8_t id, std::int64_t amount, Outcome outcome = Outcome::success);
  Stamp next_stamp(ShardId shard) const;
  /// So long nothing is committed in s1: its next entry is stamped later.
  void wait(Duration duration);
  static constexpr Duration hold_time = seconds(10);

  /// Of true time.
  void time_passes(Duration duration) { now_ += duration.nanos; }

  // --- clients --------------------------------------------------------------------------------------------------
  void phase(Phase phase);
  std::uint64_t call(const router::RequestBody& body);
  void answer(std::uint64_t op, const router::Reply& reply);
  void answer(std::uint64_t op, Outcome status);
  void answer(std::uint64_t op, const router::TransferResult& result);
  std::uint64_t ask(const router::TransferItem& item);
  void read(std::string_view account, std::int64_t balance, ShardId shard, Position position,
            router::Consistency consistency = router::Consistency::linearizable, std::int64_t held = 0);
  router::TransferResult result(ShardId shard, Position position, Outcome outcome = Outcome::success);
  router::TransferResult result(const LegPlan& plan, Outcome outcome);
  void trial_balance(ShardId shard, std::int64_t customers, std::int64_t issue, std::int64_t transit);

  // --- whole steps, honest --------------------------------------------------------------------------------------
  /// Accounts opened and told, a and b funded with 1000 each (ids 1 and 2); then the running phase.
  void set_up();
  /// Of account a; told to its client, and its state read.
  void change_account(std::uint8_t id, ledger::Operation change, ledger::AccountState before);
  // Holds of account a, told to their client.
  void place_hold(std::uint8_t id, std::int64_t amount, Duration expires_in = hold_time);
  void capture_hold(std::uint32_t number, std::uint8_t id, std::int64_t amount, Outcome outcome = Outcome::success);
  void void_hold(std::uint32_t number, std::uint8_t id);
  void expire_hold(std::uint32_t number, std::uint8_t id);
  router::Reply hold_reply(std::uint8_t id, router::HoldState state) const;
  void deposit(std::uint8_t id, std::string_view account, std::int64_t amount);
  void transfer_within(std::uint8_t id, std::int64_t amount, Outcome outcome = Outcome::success);  ///< a to c
  LegPlan start_across(std::uint8_t id, std::int64_t amount);                                      ///< a to b
  void receive(LegPlan& plan, Outcome outcome);
  /// The whole saga; told to its client.
  LegPlan transfer_across(std::uint8_t id, std::int64_t amount, Outcome outcome = Outcome::success);
  // TC/C or two-phase commit, a to b, phase by phase
  ledger::Protocol asks_by = ledger::Protocol::tcc;
  LegPlan try_across(std::uint8_t id, std::int64_t amount);
  void receive_try(LegPlan& plan, Outcome outcome);
  void begin_second(LegPlan& plan, Outcome outcome);
  void receive_second(LegPlan& plan, ledger::SecondPhase phase);
  /// All of it; told to its client.
  LegPlan transfer_by_asking(std::uint8_t id, std::int64_t amount, Outcome outcome = Outcome::success);
  /// Reads every account, asks every id, takes the trial balance; ids as far as told by the steps above.
  void final_reads();

  /// A replica of a shard that holds what the steps so far say.
  shard::Observation replica(ShardId shard) const;

 private:
  void settle(ShardId shard, const ledger::Event& event);
  void settle_locks(ShardId shard, const ledger::Event& event);

  std::unique_ptr<Oracle> oracle_;
  std::vector<ShownDisk> disks_{ShownDisk(n1), ShownDisk(n2), ShownDisk(n3)};
  std::map<ShardId, std::vector<Bytes>> logs_;
  std::map<ShardId, Position> positions_;
  std::map<ShardId, Stamp> stamps_;
  std::map<ShardId, std::map<PocketNumber, std::int64_t>> balances_;
  std::map<ShardId, std::uint64_t> unanswered_;
  std::map<ShardId, std::uint64_t> ids_bound_;
  std::map<std::uint8_t, std::pair<ledger::HoldPlaced, router::HoldState>> holds_;  ///< by id: as placed, as told last
  std::map<std::uint8_t, router::TransferResult> captured_;                         ///< by hold's id: as told
  std::int64_t held_ = 0;
  std::set<std::pair<ShardId, PocketNumber>> locked_;
  std::uint64_t legs_ = 0;
  std::uint64_t ops_ = 0;
  std::int64_t now_ = 0;
  std::map<std::uint8_t, std::pair<std::string, router::TransferResult>> told_;  ///< by id: home, answer
};

/// A clean run with everything in it: successes and refusals within and across shards, reads, final reads.
void tell_clean_run(Story& story);

}  // namespace coffer::sim::oracles
