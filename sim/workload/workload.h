// What simulated clients do: accounts (some hot), transfers within and across shards, deposits, withdrawals, refusals
// on purpose, duplicates, the same id with another body, ids asked again after an unknown outcome through another
// proxy, balance and status reads; where a scenario wants it, changes of accounts, and holds. A pure function of
// (config, seed, replies).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "core/base/bytes.h"
#include "core/base/ids.h"
#include "core/base/prng.h"
#include "core/base/time.h"
#include "core/router/protocol.h"
#include "core/router/shard_map.h"
#include "sim/observe/observer.h"

namespace coffer::sim::workload {

/// Units as named; probabilities in per mille. Drawn by the swarm or written in a scenario.
struct Config {
  std::uint32_t clients = 4;
  std::uint32_t accounts = 16;
  std::uint32_t hot_accounts = 2;  ///< take half of the traffic
  std::uint32_t currencies = 1;    ///< of USD, JPY, KWD
  /// Each has so many accounts, of the same names; the clients belong to them in turn (tenant_of).
  std::uint32_t tenants = 1;
  std::uint32_t operations = 400;          ///< client calls in the running phase, all clients together
  std::uint32_t batch_max = 8;             ///< transfers in one call, 1..batch_max
  Duration think_mean = milliseconds(20);  ///< between a client's calls
  /// An open loop: while faults strike a client calls this long after its last call, or at once if that has not been
  /// answered by then. 0: it thinks.
  Duration period = {};
  std::uint32_t cross_shard_per_mille = 500;
  std::uint32_t overdraft_per_mille = 60;  ///< amounts that cannot be covered
  std::uint32_t missing_account_per_mille = 40;
  std::uint32_t wrong_currency_per_mille = 20;
  std::uint32_t duplicate_per_mille = 80;     ///< an earlier id again, same body
  std::uint32_t other_body_per_mille = 30;    ///< an earlier id again, other body
  std::uint32_t other_tenant_per_mille = 60;  ///< an earlier transfer of another tenant, word by word
  std::uint32_t read_per_mille = 150;
  std::uint32_t deposit_per_mille = 60;
  std::uint32_t withdrawal_per_mille = 60;
  std::uint32_t account_change_per_mille = 0;  ///< of calls: an account is frozen, unfrozen or (rarely) closed
  std::uint32_t hold_per_mille = 0;            ///< of calls: a hold is placed, captured, voided or read
  /// Of calls: a race with another client's: for the status of a transfer under way, in the life of an account that
  /// comes and goes (visitors.h), or against a patience of a few milliseconds.
  std::uint32_t race_per_mille = 0;
  std::uint32_t timed_id_per_mille = 0;  ///< of new transfers and changes: the id carries its own time (UUIDv7)
  std::uint32_t odd_time_per_mille = 0;  ///< of these: a time up to an hour ago, or still to come
  std::uint32_t late_per_mille = 0;      ///< of transfers: one of the older half, asked again
  std::uint32_t split_per_mille = 0;     ///< of calls: a payment is split among several payees
  std::uint32_t numbered_per_mille = 0;  ///< of transfers: the id carries the next number of its client (upstream.h)
  std::uint32_t patience_ms = 3000;
  std::int64_t opening_balance = 100'000;  ///< minor units deposited to each account at setup
};

struct Next {
  Duration think;    ///< wait this long, then call
  std::uint64_t op;  ///< unique in the run
  Bytes request;     ///< an encoded router::Request, Route::proxied
};

/// Whose accounts a client of a workload with so many tenants uses.
TenantId tenant_of(std::uint32_t client, std::uint32_t tenants);

/// From which a client of a run with this seed draws how long it thinks.
Prng think_stream(std::uint64_t seed, std::uint32_t client);

class Generator {
 public:
  Generator(Config config, router::ShardMap map, std::uint64_t seed);
  ~Generator();

  std::uint32_t clients() const;
  /// What an idle client does next in this phase (setup, running, healing, final_reads); nothing: it is done with it.
  /// In `healing`, ids with unknown outcomes are asked again, and holds that expire soon are waited for; in
  /// `final_reads`, every account and hold is read (linearizable), every transfer id's status is asked once, and the
  /// trial balance is taken. `now`: what the clients' clocks show, for ids that carry their own time.
  std::optional<Next> next(std::uint32_t client, Phase phase, SimTime now = {});
  /// The answer to that client's outstanding call.
  void on_reply(std::uint32_t client, std::uint64_t op, const router::Reply& reply);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace coffer::sim::workload
