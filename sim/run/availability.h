// Which share of the requests of a well-behaved client gets a definite answer in time: measured, not judged.
//
// A request of the running phase is *served* when a definite answer to it arrives within two seconds of the call:
// success, or a refusal that depends on the request and not on the state of the system. "Unknown", "in flight" and
// "try again" are none. An *outage* lasts from the call of a request that is not served to the call of the next one
// that is.
#pragma once

#include <cstdint>
#include <map>

#include "core/base/outcome.h"
#include "core/router/protocol.h"
#include "sim/observe/observer.h"
#include "sim/run/run.h"

namespace coffer::sim {

/// How long a client may wait for a request to count as served.
inline constexpr Duration served_within = seconds(2);

/// Whether the answer says what has become of the request, for every item of it.
bool is_definite(const router::Reply& reply);

class Availability {
 public:
  void on_phase(SimTime now, Phase phase);
  void on_call(SimTime now, std::uint64_t op);
  void on_return(SimTime now, std::uint64_t op, const router::Reply& reply);
  /// The run is over. What is still open was not served.
  AvailabilityCounts counts() const;

 private:
  struct Request {
    SimTime called;
    bool served = false;
  };
  Phase phase_ = Phase::setup;
  std::map<std::uint64_t, Request> requests_;  ///< of the running phase, by op
};

}  // namespace coffer::sim
