// The network: for every directed link between endpoints (nodes and clients) when a packet arrives, whether it arrives,
// and how often. It carries opaque bytes and never looks into them. Undisturbed, a link delays each packet by a floor
// plus an exponential part and keeps the order of packets, like a stream connection; disturbances change that.
//
// Whether a packet is lost is decided when it would arrive, so that a partition also hits what is under way. Packets of
// a link that is clogged wait at its end: whoever carries them keeps them in order until the clog is gone. A packet
// belongs to the connection on which it was sent, and does not outlive it.
// Single-threaded; each link draws from a stream of its own; corruption draws from its strike's.
#pragma once

#include <cstdint>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/prng.h"
#include "core/base/time.h"
#include "sim/observe/sim_time.h"

namespace coffer::sim {

/// Node n is endpoint n (from 1); client c is endpoint nodes + 1 + c.
using Endpoint = std::uint32_t;
inline constexpr std::uint32_t endpoints_max = 63;

struct NetworkConfig {
  Duration delay_floor = microseconds(100);
  Duration delay_mean = microseconds(200);  ///< of the exponential part
};

/// A set of endpoints.
class EndpointSet {
 public:
  constexpr EndpointSet() = default;
  static constexpr EndpointSet all() { return EndpointSet(~std::uint64_t{0}); }
  static constexpr EndpointSet of(Endpoint endpoint) { return EndpointSet(std::uint64_t{1} << endpoint); }
  constexpr bool has(Endpoint endpoint) const { return (bits_ >> endpoint & 1) != 0; }
  constexpr bool empty() const { return bits_ == 0; }
  constexpr EndpointSet operator|(EndpointSet other) const { return EndpointSet(bits_ | other.bits_); }
  constexpr EndpointSet without(EndpointSet other) const { return EndpointSet(bits_ & ~other.bits_); }

 private:
  constexpr explicit EndpointSet(std::uint64_t bits) : bits_(bits) {}
  std::uint64_t bits_ = 0;
};

enum class Trouble : std::uint8_t {
  block,      ///< nothing arrives
  drop,       ///< a packet is lost with probability per_mille
  duplicate,  ///< a packet arrives again, up to `extra` later, with probability per_mille
  delay,      ///< a packet takes an exponential `extra` longer with probability per_mille; order is kept
  reorder,    ///< a packet is held back for up to `extra` while later ones pass, with probability per_mille
  clog,       ///< nothing arrives until this is calmed, then everything does, in order
  corrupt,    ///< some bits of a packet are flipped, with probability per_mille
};

/// Trouble on the links from one set to another, for as long as it stands.
struct Disturbance {
  std::uint64_t strike = 0;  ///< whose work it is
  Trouble trouble{};
  EndpointSet from;
  EndpointSet to;
  std::uint32_t per_mille = 0;
  Duration extra;
  Prng prng{0};  ///< corrupt: where its draws come from
};

/// What becomes of a packet at the end of its link.
enum class Fate : std::uint8_t {
  arrives,
  corrupted,  ///< arrives with flipped bits: see Network::flip
  lost,
  held,  ///< waits until a strike is calmed
};

/// When a packet sent now arrives: once, or twice.
struct Arrivals {
  SimTime first;
  SimTime again;
  bool twice = false;
  std::uint32_t connection = 0;  ///< on which it was sent
};

class Network {
 public:
  /// Requires: endpoints <= endpoints_max (checked).
  Network(NetworkConfig config, std::uint32_t endpoints, std::uint64_t seed);

  Arrivals send(SimTime now, Endpoint from, Endpoint to);
  /// Decided at the instant of arrival. `connection`: see Arrivals.
  Fate arrival(Endpoint from, Endpoint to, std::uint32_t connection);
  /// The bytes of the packet whose fate was `corrupted` last: one to eight bits are others.
  void flip(Bytes& bytes);

  void disturb(const Disturbance& disturbance) { disturbances_.push_back(disturbance); }
  /// Takes away everything this strike did.
  void calm(std::uint64_t strike);
  bool disturbed() const { return !disturbances_.empty(); }
  /// Whether this strike disturbs anything.
  bool disturbed_by(std::uint64_t strike) const;
  /// The connection between the two ends breaks: whatever is under way, in both directions, is lost.
  void reset(Endpoint one, Endpoint other, std::uint64_t strike);
  /// Whether packets pass in this direction, neither blocked nor clogged.
  bool open(Endpoint from, Endpoint to) const;
  /// Whether a packet sent now may be held up for `patience` or more, by trouble or behind what it has held up.
  bool slow(SimTime now, Endpoint from, Endpoint to, Duration patience) const;
  /// When the last packet of all that are under way in order arrives.
  SimTime last_arrival() const { return last_arrival_; }

  /// Strikes that hit a packet since the last call, in order of the hits, possibly repeated.
  std::vector<std::uint64_t> take_hits();

 private:
  struct Link {
    Prng prng{0};
    SimTime last;               ///< latest arrival given out to a packet that kept its place
    SimTime held_until;         ///< arrival of a packet that later ones may pass
    std::uint64_t held_by = 0;  ///< whose work that is; 0: nothing is held
    std::uint32_t connection = 0;
    std::uint64_t reset_by = 0;  ///< who broke the connection before this one
  };
  Link& link(Endpoint from, Endpoint to) { return links_[from * endpoints_ + to]; }
  void hit(const Disturbance& disturbance) { hits_.push_back(disturbance.strike); }

  NetworkConfig config_;
  std::uint32_t endpoints_;
  std::vector<Link> links_;
  SimTime last_arrival_;
  std::vector<Disturbance> disturbances_;
  std::size_t corrupting_ = 0;  ///< its place
  std::vector<std::uint64_t> hits_;
};

}  // namespace coffer::sim
