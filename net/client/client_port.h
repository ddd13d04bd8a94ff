// The `client` listener: binary requests, many at once per connection, answered as they are decided.
//
// A frame of kind client_request or client_reply (core/router/protocol.h) has the payload request_id u64 | body.
//
// Invariants:
//  C1  A connection that breaks the framing, sends another kind, or fails a checksum is closed: what follows cannot be
//      trusted. A body that breaks the grammar is answered `malformed`, and the connection lives.
//  C2  Outstanding requests per connection, unsent replies and connections are bounded; beyond it nothing is read.
// Threading: everything on the io_context's one thread.
#pragma once

#include <cstdint>
#include <memory>

#include <boost/asio/io_context.hpp>

#include "core/base/frame.h"
#include "core/base/result.h"
#include "net/driver/driver.h"

namespace coffer::net {

inline constexpr std::size_t client_frame_bytes_max = 8u << 20;
inline constexpr std::size_t client_prefix_size = frame_header_size + sizeof(std::uint64_t);

/// A whole client frame. `body` is copied once.
Bytes make_client_frame(std::uint8_t kind, RequestId request, ByteView body);

class ClientPort {
 public:
  ClientPort(boost::asio::io_context& io, Driver& driver);
  ~ClientPort();
  ClientPort(const ClientPort&) = delete;
  ClientPort& operator=(const ClientPort&) = delete;

  Result<void> start(const Endpoint& endpoint);
  void stop();
  std::size_t connections() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace coffer::net
