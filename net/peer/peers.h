// Links between nodes. Each node opens one connection to every other node and sends only on those it opened; what
// arrives on connections others opened is handed up. Both ends say who they are before anything else passes.
//
//   hello := frame of kind peer_hello_frame with payload
//            protocol u32 | cluster 16 | node u32 | node uuid 16 | incarnation u32
//
// Invariants:
//  P1  No frame is handed up from a peer whose hello did not match the configuration in every field.
//  P2  At most one outgoing connection per peer, and one incoming: a newer one replaces an older one.
//  P3  What waits to be sent to a peer is bounded in bytes; newest frames are dropped. Frames may be lost, never mixed.
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

namespace coffer::net {

inline constexpr std::uint8_t peer_hello_frame = 240;
inline constexpr std::uint32_t peer_protocol =
    1;  ///< changes when nodes of two versions could not understand each other

struct Hello {
  std::uint32_t protocol = peer_protocol;
  Uuid cluster;
  NodeId node;
  Uuid node_uuid;
  std::uint32_t incarnation = 1;
};
/// One whole frame.
Bytes encode(const Hello& hello);
/// malformed or corrupt unless the bytes are one whole hello frame.
Result<Hello> decode_hello(ByteView frame);
/// Why this hello is not the one expected of `expected` (nobody: of any other node listed); empty when it is.
std::string refusal_of(const Hello& hello, const NodeSettings& settings, NodeId expected);

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

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace coffer::net
