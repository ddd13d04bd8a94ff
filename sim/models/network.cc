#include "sim/models/network.h"

#include <algorithm>
#include <utility>

#include "core/base/check.h"
#include "sim/kernel/streams.h"

namespace coffer::sim {

namespace {

bool covers(const Disturbance& disturbance, Endpoint from, Endpoint to) {
  return disturbance.from.has(from) && disturbance.to.has(to);
}

}  // namespace

Network::Network(NetworkConfig config, std::uint32_t endpoints, std::uint64_t seed)
    : config_(config), endpoints_(endpoints + 1) {
  check(endpoints <= endpoints_max, "a set of endpoints is one word");
  links_.resize(static_cast<std::size_t>(endpoints_) * endpoints_);
  for (Endpoint from = 1; from <= endpoints; ++from) {
    for (Endpoint to = 1; to <= endpoints; ++to) link(from, to).prng = stream(seed, Domain::network, from, to);
  }
}

Arrivals Network::send(SimTime now, Endpoint from, Endpoint to) {
  Link& way = link(from, to);
  Duration delay = config_.delay_floor + Duration{way.prng.exponential(config_.delay_mean.nanos)};
  const Disturbance* held = nullptr;
  const Disturbance* doubled = nullptr;
  for (const Disturbance& disturbance : disturbances_) {
    if (!covers(disturbance, from, to)) continue;
    const bool wants = disturbance.trouble != Trouble::block && disturbance.trouble != Trouble::drop;
    if (!wants || !way.prng.chance(disturbance.per_mille)) continue;
    if (disturbance.trouble == Trouble::duplicate) doubled = &disturbance;
    if (disturbance.trouble == Trouble::reorder) held = &disturbance;
    if (disturbance.trouble == Trouble::delay) {
      delay = delay + Duration{way.prng.exponential(disturbance.extra.nanos)};
      hit(disturbance);
    }
  }

  Arrivals arrivals;
  if (held != nullptr) {
    arrivals.first = now + delay + Duration{way.prng.between(1, std::max<std::int64_t>(held->extra.nanos, 1))};
    if (way.held_by == 0 || arrivals.first > way.held_until) {
      way.held_until = arrivals.first;
      way.held_by = held->strike;
    }
  } else {
    arrivals.first = std::max(now + delay, way.last);
    way.last = arrivals.first;
    if (way.held_by != 0 && arrivals.first < way.held_until) hits_.push_back(way.held_by);  // it has been overtaken
    if (now >= way.held_until) way.held_by = 0;
  }
  if (doubled != nullptr) {
    arrivals.twice = true;
    arrivals.again = arrivals.first + Duration{way.prng.between(0, std::max<std::int64_t>(doubled->extra.nanos, 0))};
    hit(*doubled);
  }
  return arrivals;
}

bool Network::arrives(Endpoint from, Endpoint to) {
  Link& way = link(from, to);
  for (const Disturbance& disturbance : disturbances_) {
    if (!covers(disturbance, from, to)) continue;
    const bool lost = disturbance.trouble == Trouble::block ||
                      (disturbance.trouble == Trouble::drop && way.prng.chance(disturbance.per_mille));
    if (lost) {
      hit(disturbance);
      return false;
    }
  }
  return true;
}

void Network::calm(std::uint64_t strike) {
  std::erase_if(disturbances_, [&](const Disturbance& disturbance) { return disturbance.strike == strike; });
}

bool Network::open(Endpoint from, Endpoint to) const {
  return std::none_of(disturbances_.begin(), disturbances_.end(), [&](const Disturbance& disturbance) {
    return disturbance.trouble == Trouble::block && covers(disturbance, from, to);
  });
}

std::vector<std::uint64_t> Network::take_hits() { return std::exchange(hits_, {}); }

}  // namespace coffer::sim
