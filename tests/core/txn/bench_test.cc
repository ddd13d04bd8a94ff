// How fast decide and apply are. Hidden: run with `test_core_txn "[.bench]"` in a build made with -O3.
#include <ctime>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "core/base/hash.h"
#include "core/base/prng.h"
#include "core/txn/state_machine.h"
#include "tests/core/txn/leader.h"

namespace {

using namespace coffer;
using namespace coffer::txn;
using namespace coffer::txn::testing;

constexpr std::uint64_t account_count = 100'000;
constexpr std::uint64_t batch_count = 122;
constexpr std::uint64_t batch_transfers = 8'192;

/// Counts processor time of this process, so that others on the machine do not count.
class Stopwatch {
 public:
  std::uint64_t nanos_per(std::uint64_t count) const {
    const auto ticks = static_cast<std::uint64_t>(std::clock() - started_);
    return ticks * (1'000'000'000 / CLOCKS_PER_SEC) / count;
  }

 private:
  std::clock_t started_ = std::clock();
};

std::vector<std::string> open_all(Leader& leader) {
  std::vector<std::string> names;
  for (std::uint64_t i = 0; i < account_count; ++i) names.push_back("account-" + std::to_string(i));
  Batch batch(leader.state, leader.stamp());
  bool already = false;
  for (std::uint64_t i = 0; i < account_count; ++i) {
    batch.open_account({default_tenant, PrincipalId(), names[i], usd}, already);
    batch.transfer(deposit_of(i, names[i], 1'000'000));
  }
  leader.log.push_back(batch.finish());
  return names;
}

TEST_CASE("a million decisions a second on one core (design, Speed)", "[.bench]") {
  Leader leader(1);
  const std::vector<std::string> names = open_all(leader);
  StateMachine follower = folded(ShardId(1), leader.log);
  leader.log.clear();
  Prng prng(1);
  std::vector<ledger::TransferCommand> commands;
  std::string request;  // names stand one after the other, as in the bytes of requests
  request.reserve(batch_count * batch_transfers * 32);
  const auto written = [&](const std::string& name) {
    request += name;
    return std::string_view(request).substr(request.size() - name.size());
  };
  for (std::uint64_t i = 0; i < batch_count * batch_transfers; ++i) {
    const std::uint64_t from = prng.below(account_count);
    const std::uint64_t to = (from + 1 + prng.below(account_count - 1)) % account_count;
    const std::string_view debit = written(names[from]);
    commands.push_back(transfer_of(prng.next(), debit, written(names[to]), 1));
  }
  std::uint64_t checksum = 0;
  const Stopwatch deciding;
  for (std::uint64_t at = 0; at < commands.size(); at += batch_transfers) {
    Batch batch(leader.state, leader.stamp());
    for (std::uint64_t i = at; i < at + batch_transfers; ++i) {
      if (i % Batch::warm_max == 0) batch.warm(std::span(commands).subspan(i));
      checksum += static_cast<std::uint64_t>(batch.transfer(commands[i]).outcome);
    }
    leader.log.push_back(batch.finish());
    checksum ^= hash64(leader.log.back());
    leader.state.committed(leader.state.last_position());
  }
  const std::uint64_t decide_ns = deciding.nanos_per(commands.size());
  const Stopwatch applying;
  for (const Bytes& payload : leader.log) {
    follower.apply_entry(payload);
    follower.committed(follower.last_position());
  }
  const std::uint64_t apply_ns = applying.nanos_per(commands.size());
  WARN("decide + dedup + encode + checksum " << decide_ns << " ns, apply " << apply_ns << " ns per transfer ("
                                             << checksum << ")");
  REQUIRE(exported(follower) == exported(leader.state));
  REQUIRE(decide_ns < 1'000);
}

}  // namespace
