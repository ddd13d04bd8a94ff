// The load of `coffer bench`: accounts, money, batches of transfers, and the client's own book of what must be true
// afterwards. Every transfer follows from (seed, batch, place), so that any of them can be asked for again.
// Threading: one thread.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "core/base/prng.h"
#include "core/base/result.h"
#include "core/base/time.h"
#include "core/router/protocol.h"
#include "net/client/client.h"

namespace coffer::cli {

struct LoadOptions {
  std::uint32_t accounts = 100'000;
  std::uint32_t batch = 8192;   ///< transfers per request
  std::uint32_t in_flight = 4;  ///< requests not answered yet
  std::uint64_t seed = 1;
  /// Asked now and then: whether to end early.
  bool (*interrupted)() = [] { return false; };
};

struct LoadResult {
  std::uint64_t transfers = 0;  ///< acknowledged as success
  std::uint64_t refused = 0;    ///< acknowledged as refused
  std::uint64_t unknown = 0;    ///< no definite answer within the patience; asked again later
  Duration took{};              ///< from the first request to the last answer
  std::vector<std::int64_t> batch_latencies_ns;
};

class BenchLoad {
 public:
  BenchLoad(net::Client& client, const LoadOptions& options);

  /// Error: some account could not be opened or funded.
  Result<void> open_accounts();
  Result<void> fund_accounts();
  LoadResult run(Duration how_long);

  /// Asks `batches` of those sent (all when larger) once more: each of their transfers must be there, with its answer.
  Result<void> verify_presence(std::uint64_t batches);
  /// Every account's balance against the book.
  Result<void> verify_balances();
  /// Per shard and over all of them zero; customers hold what was deposited.
  Result<void> verify_sums();

 private:
  /// What a transfer is, from its number alone.
  struct Planned {
    TransferId id;
    std::uint32_t from;
    std::uint32_t to;
    std::int64_t amount;
  };
  Planned planned(std::uint64_t batch, std::uint32_t place) const;
  Bytes request(std::uint64_t batch);
  void submit_next(LoadResult& result);
  /// Takes the answers of one batch into the book; those already known must be the same again.
  void note(std::uint64_t batch, const Bytes& reply);
  std::uint64_t count(Outcome outcome) const;
  /// Runs until at most so many requests are outstanding. False when interrupted.
  bool run_down_to(std::size_t outstanding);
  Result<void> ask_again(const std::vector<std::uint64_t>& batches);

  net::Client& client_;
  LoadOptions options_;
  std::vector<std::string> names_;
  std::vector<std::int64_t> book_;              ///< minor units per account
  std::vector<std::vector<Outcome>> outcomes_;  ///< per batch and place; pending: not known yet
  std::vector<router::TransferItem> items_;     ///< reused
  std::string first_mistake_;
};

}  // namespace coffer::cli
