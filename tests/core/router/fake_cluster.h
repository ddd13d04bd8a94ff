// A cluster made from a seed that answers a router's attempts as badly as a real one may: leaders change, attempts and
// replies are lost, late or told twice, links break, entries of lost leaders are settled later. It knows the truth, and
// afterwards compares with it what the router told.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/base/prng.h"
#include "core/router/router.h"
#include "core/router/shard_map.h"

namespace coffer::router {

struct FakeWorld {
  std::uint64_t seed = 0;
  Mode mode = Mode::to_leaders;
  std::uint32_t loss_per_mille = 100;     ///< attempts and replies, each
  std::uint32_t trouble_per_mille = 150;  ///< overloaded, in_flight, unknown, and other nuisances
  std::int64_t delay_ms_max = 1500;
};

/// How often something worth having happened was seen.
struct FakeSightings {
  std::uint32_t succeeded = 0;
  std::uint32_t refused = 0;
  std::uint32_t not_executed = 0;  ///< told no_leader, overloaded or in_flight
  std::uint32_t unknown_done = 0;
  std::uint32_t unknown_not_done = 0;
  std::uint32_t account_not_found = 0;
  std::uint32_t withheld = 0;  ///< account_not_found was said by a node, and the transfer executed all the same
  std::uint32_t retried = 0;
};

class FakeCluster {
 public:
  explicit FakeCluster(const FakeWorld& world);
  /// Lets a few requests run to their end and every message arrive. Empty when all went well, else what went wrong.
  std::string run(FakeSightings& seen);

 private:
  enum class EventKind : std::uint8_t { submit, attempt, reply, settle, elect, open, disconnect };
  struct Event {
    explicit Event(EventKind of) : kind(of) {}
    EventKind kind;
    Ticket ticket = 0;          ///< submit
    NodeId node;                ///< attempt, disconnect, elect
    std::uint64_t attempt = 0;  ///< attempt, reply
    Bytes bytes;                ///< attempt, reply
    std::string name;           ///< open: the account; settle: the transfer's home
    TransferId id;              ///< settle
    ShardId shard;              ///< elect
  };
  struct Item {
    TransferId id;
    std::string home;
    bool same_account = false;
    bool bound_elsewhere = false;  ///< the id belongs to another body
    bool poor = false;             ///< when it executes, the log says insufficient_funds
    bool refused_once = false;     ///< a node has said account_not_found
    Outcome truth = Outcome::pending;
  };
  struct Asked {
    Bytes body;
    Instant deadline;
    std::vector<TransferId> ids;
    std::uint32_t done = 0;
    std::vector<TransferResult> told;
    Outcome told_status = Outcome::pending;
  };

  void later(std::int64_t ms_max, Event event);
  void plan();
  Bytes make_request(Asked& asked, std::uint32_t patience_ms);
  void happen(Event& event);
  void take_output();
  void take_attempt(const RouterOutput::Attempt& attempt);
  void take_done(const RouterOutput::Done& done);
  void serve(const Event& event);
  Reply answer(NodeId node, const Request& request);
  TransferResult answer_item(const TransferItem& item, ShardId shard);
  void execute(Item& item);
  bool trouble() { return prng_.chance(world_.trouble_per_mille); }
  void fail(const char* what);
  void compare(FakeSightings& seen);

  FakeWorld world_;
  Prng prng_;
  ShardMap map_;
  Router router_;
  RouterOutput out_;
  Instant now_{1'000'000'000};
  std::uint64_t sequence_ = 0;
  std::map<std::pair<Instant, std::uint64_t>, Event> events_;
  std::map<ShardId, NodeId> leaders_;
  std::map<std::string, bool> accounts_;  ///< whether they are open
  std::map<TransferId, Item> items_;
  std::map<Ticket, Asked> asked_;
  std::map<std::uint64_t, Ticket> attempts_;
  std::uint32_t retried_ = 0;
  std::string failure_;
};

}  // namespace coffer::router
