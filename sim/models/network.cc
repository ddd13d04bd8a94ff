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

/// Troubles that are decided when a packet is sent; the others are when it would arrive.
bool slows(Trouble trouble) {
  return trouble == Trouble::duplicate || trouble == Trouble::delay || trouble == Trouble::reorder;
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
    if (!slows(disturbance.trouble) || !way.prng.chance(disturbance.per_mille)) continue;
    if (disturbance.trouble == Trouble::duplicate) doubled = &disturbance;
    if (disturbance.trouble == Trouble::reorder) held = &disturbance;
    if (disturbance.trouble == Trouble::delay) {
      delay = delay + Duration{way.prng.exponential(disturbance.extra.nanos)};
      hit(disturbance);
    }
  }

  Arrivals arrivals;
  arrivals.connection = way.connection;
  if (held != nullptr) {
    arrivals.first = now + delay + Duration{way.prng.between(1, std::max<std::int64_t>(held->extra.nanos, 1))};
    if (way.held_by == 0 || arrivals.first > way.held_until) {
      way.held_until = arrivals.first;
      way.held_by = held->strike;
    }
  } else {
    arrivals.first = std::max(now + delay, way.last);
    way.last = arrivals.first;
    last_arrival_ = std::max(last_arrival_, way.last);
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

Fate Network::arrival(Endpoint from, Endpoint to, std::uint32_t connection) {
  Link& way = link(from, to);
  if (connection != way.connection) {
    hits_.push_back(way.reset_by);
    return Fate::lost;
  }
  bool clogged = false;
  bool corrupted = false;
  for (std::size_t place = 0; place < disturbances_.size(); ++place) {
    Disturbance& disturbance = disturbances_[place];
    if (!covers(disturbance, from, to)) continue;
    const bool lost = disturbance.trouble == Trouble::block ||
                      (disturbance.trouble == Trouble::drop && way.prng.chance(disturbance.per_mille));
    if (lost) {
      hit(disturbance);
      return Fate::lost;
    }
    if (disturbance.trouble == Trouble::clog) {
      hit(disturbance);
      clogged = true;
    }
    if (disturbance.trouble == Trouble::corrupt && !corrupted && disturbance.prng.chance(disturbance.per_mille)) {
      corrupted = true;
      corrupting_ = place;
    }
  }
  if (clogged) return Fate::held;
  if (!corrupted) return Fate::arrives;
  hit(disturbances_[corrupting_]);
  return Fate::corrupted;
}

void Network::flip(Bytes& bytes) {
  check(corrupting_ < disturbances_.size(), "bits are flipped while something corrupts");
  if (bytes.empty()) return;
  Prng& prng = disturbances_[corrupting_].prng;
  const std::uint64_t begin = prng.below(bytes.size() * 8);
  const std::uint64_t reach = prng.chance(500) ? 64 : bytes.size() * 8;  // close together, or anywhere
  const std::uint64_t flips = 1 + prng.below(8);
  std::vector<std::uint64_t> flipped;
  for (std::uint64_t i = 0; i < flips; ++i) {
    const std::uint64_t bit = (begin + (i == 0 ? 0 : prng.below(reach))) % (bytes.size() * 8);
    if (std::find(flipped.begin(), flipped.end(), bit) != flipped.end()) continue;  // not back again
    flipped.push_back(bit);
    bytes[bit / 8] ^= std::byte{1} << (bit % 8);
  }
}

void Network::reset(Endpoint one, Endpoint other, std::uint64_t strike) {
  for (Link* way : {&link(one, other), &link(other, one)}) {
    ++way->connection;
    way->reset_by = strike;
  }
}

bool Network::disturbed_by(std::uint64_t strike) const {
  return std::any_of(disturbances_.begin(), disturbances_.end(),
                     [&](const Disturbance& disturbance) { return disturbance.strike == strike; });
}

void Network::calm(std::uint64_t strike) {
  std::erase_if(disturbances_, [&](const Disturbance& disturbance) { return disturbance.strike == strike; });
}

bool Network::open(Endpoint from, Endpoint to) const {
  return std::none_of(disturbances_.begin(), disturbances_.end(), [&](const Disturbance& disturbance) {
    const bool stops = disturbance.trouble == Trouble::block || disturbance.trouble == Trouble::clog;
    return stops && covers(disturbance, from, to);
  });
}

bool Network::slow(SimTime now, Endpoint from, Endpoint to, Duration patience) const {
  const bool waits = links_[from * endpoints_ + to].last >= now + patience;
  return waits || std::any_of(disturbances_.begin(), disturbances_.end(), [&](const Disturbance& disturbance) {
           const bool slows = disturbance.trouble == Trouble::delay || disturbance.trouble == Trouble::reorder;
           return slows && disturbance.extra >= patience && covers(disturbance, from, to);
         });
}

std::vector<std::uint64_t> Network::take_hits() { return std::exchange(hits_, {}); }

}  // namespace coffer::sim
