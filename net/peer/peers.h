// Links between nodes. Each node opens one connection to every other node and sends only on those it opened; what
// arrives on connections others opened is handed up. Both ends say who they are before anything else passes (hello,
// net/peer/known_peers.h); whoever is not believed is told why.
//
// Invariants:
//  P1  No frame is handed up from a peer whose hello was not believed (K1, K2).
//  P2  At most one outgoing connection per peer, and one incoming: a newer one replaces an older one.
//  P3  What waits to be sent to a peer is bounded in bytes; newest frames are dropped. Frames may be lost, never mixed.
//  P4  A peer that introduced itself is connected to like any other, now and after every restart.
// Threading: everything on the io_context's one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include <boost/asio/io_context.hpp>

#include "core/base/bytes.h"
#include "core/base/ids.h"
#include "net/driver/settings.h"
#include "net/peer/known_peers.h"

namespace coffer::net {

struct PeerCounters {
  std::uint64_t frames_sent = 0;
  std::uint64_t bytes_sent = 0;
  std::uint64_t frames_dropped = 0;  ///< no connection, or its queue was full
  std::uint64_t hellos_refused = 0;
};

class Peers {
 public:
  struct Events {
    std::function<void(NodeId from, Bytes frame)> on_message;
    std::function<void(NodeId peer, bool up)> on_link;  ///< of the outgoing connection
  };

  /// `seed`: jitter of reconnection.
  Peers(boost::asio::io_context& io, const NodeSettings& settings, Events events, std::uint64_t seed);
  ~Peers();
  Peers(const Peers&) = delete;
  Peers& operator=(const Peers&) = delete;

  /// Listens and starts connecting. Error: the address cannot be listened on.
  Result<void> start();
  void stop();
  /// Best effort.
  void send(NodeId to, SharedBytes frame);
  PeerCounters counters() const;
  /// The settings, with the peers learned so far.
  const NodeSettings& settings() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace coffer::net
