// A few shards that exchange legs, by one protocol or by several mixed, over a network which loses, repeats and
// reorders them, driven by small numbers and compared with the reference model after every entry, and if wanted frozen,
// exported and loaded on the way. Each shard has a leader that batches and sometimes undoes, and a follower that folds
// the log.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/txn/state_machine.h"
#include "tests/core/txn/leader.h"
#include "tests/core/txn/model.h"

namespace coffer::txn::testing {

/// One thing that happens; every number is taken modulo what there is to choose from.
struct Step {
  std::uint8_t kind = 0;
  std::uint8_t shard = 0;
  std::uint8_t debit = 0;
  std::uint8_t credit = 0;
  std::uint8_t amount = 0;
  std::uint8_t id = 0;
};

class World {
 public:
  /// Batches take turns with the protocols.
  explicit World(std::uint32_t shards, std::vector<ledger::Protocol> protocols = {ledger::Protocol::saga});
  ~World();

  void step(const Step& step);
  /// Finishes batches, delivers everything, and compares what must hold once quiet.
  void settle();
  /// Undoes each shard's log to every earlier entry and folds it again.
  void unwind();
  /// Freezes each shard's state now and then from here on; every export is compared with what the state was.
  void freeze_often() { freezes_ = true; }
  /// Some of the steps to come are splits.
  void split_often() { kinds_ = 26; }
  /// Exports what is still frozen; each snapshot taken is loaded and lived on from there, forward and back.
  void thaw();
  std::uint64_t frozen() const { return frozen_; }
  /// How often each outcome was answered, by number.
  const std::array<std::uint64_t, 256>& outcomes() const { return outcomes_; }
  std::uint64_t undone() const { return undone_; }
  /// How often a target made each kind of decision.
  const std::array<std::uint64_t, 4>& legs() const { return legs_; }
  /// How often an answer meant what, by its kind.
  const std::array<std::uint64_t, 17>& answers() const { return answers_; }
  /// How many holds a batch found expired when it began.
  std::uint64_t expired() const { return expired_; }

 private:
  struct Shard;
  struct SentLeg {
    std::string credit_account;
    LegRequest leg;
  };

  Shard& shard_at(std::uint64_t number);
  Batch& batch_of(Shard& shard);
  void finish(Shard& shard, bool keep);
  void commit(Shard& shard, std::uint64_t draw);
  void compare(Shard& shard);
  void freeze(Shard& shard, std::uint64_t draw);
  void export_frozen(Shard& shard, std::size_t bytes);
  void live_on(const Shard& shard, std::size_t entries, ByteView snapshot);
  void unwind_leader(Shard& shard);
  void send_legs(Shard& shard);
  void open(Shard& shard, const Step& step);
  void change(Shard& shard, const Step& step);
  void transfer(Shard& shard, const Step& step);
  void place(Shard& shard, const Step& step);
  void end_hold(Shard& shard, const Step& step);
  void end_hold(Shard& shard, const Step& step, ledger::CaptureHoldCommand command);
  void split(Shard& shard, const Step& step);
  void deliver_some(Shard& source, Shard& target, std::uint64_t draw);
  void answer_some(Shard& source, Shard& target, std::uint64_t draw);
  void deliver(Shard& source, Shard& target, std::uint64_t number);
  void answer(Shard& source, Shard& target, std::uint64_t number);

  std::uint32_t shards_;
  std::vector<ledger::Protocol> protocols_;
  std::int64_t stamp_ = 0;
  std::vector<std::unique_ptr<Shard>> all_;
  std::array<std::uint64_t, 256> outcomes_{};
  std::array<std::uint64_t, 4> legs_{};
  std::uint64_t undone_ = 0;
  bool freezes_ = false;
  std::uint64_t frozen_ = 0;
  std::uint64_t expired_ = 0;
  std::array<std::uint64_t, 17> answers_{};
  std::uint8_t kinds_ = 21;  ///< of steps
};

}  // namespace coffer::txn::testing
