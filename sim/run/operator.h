// The operator of a run: carries out open orders (sim/models/orders.h) through the cluster's own requests, as `coffer
// client reconfigure` and `coffer client transfer-leadership` do: asks, and asks again until the answer says finished.
// One request at a time, the open orders in turn. Single-threaded.
#pragma once

#include <cstdint>
#include <string>

#include "sim/models/cluster.h"
#include "sim/models/orders.h"
#include "sim/run/onlooker.h"
#include "sim/run/sim_client.h"

namespace coffer::sim {

class Operator {
 public:
  /// `number`: of its client endpoint.
  Operator(Cluster& cluster, std::uint32_t number, Duration attempt_timeout, const router::ShardMap& map,
           std::uint64_t seed, Orders& orders, Onlookers& onlookers);

  bool is_at(Endpoint endpoint) const { return endpoint == cluster_.endpoint_of_client(client_.number()); }
  /// An event of a client, of its own endpoint.
  void on_event(const Event& event);
  /// Asks for the next open order, unless a request is under way. Called after every event.
  void go_on();
  bool idle() const { return client_.state() == SimClient::State::idle && orders_.open().empty(); }
  /// What it still wants; for people.
  std::string wants() const;

 private:
  void told(const SimClient::Answers& answers);
  /// Of the open orders, the one whose turn it is. Requires: there are some.
  const Order& next() const;

  Cluster& cluster_;
  SimClient client_;
  Orders& orders_;
  Onlookers& onlookers_;
  std::uint64_t asked_ = 0;  ///< number of the order asked for last
  std::uint64_t last_op_;
};

}  // namespace coffer::sim
