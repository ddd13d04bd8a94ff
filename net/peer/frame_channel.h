// One TCP connection that carries frames (core/base/frame.h) both ways: the part peers, client port and client share.
// Reads whole frames without copying large ones; writes whatever is queued in one gathered call.
//
// Invariants:
//  F1  No buffer is allocated for a length that was not checked against the limit.
//  F2  The queue of bytes not yet written is bounded: a frame that does not fit is refused, and never half-sent.
//  F3  After on_closed (exactly one, unless detach() came first) nothing more is reported.
// Threading: everything on the io_context's one thread. Handlers keep the channel alive; owners hold a shared_ptr.
#pragma once

#include <array>
#include <cstddef>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "core/base/bytes.h"

namespace coffer::net {

namespace asio = boost::asio;

struct FrameLimits {
  std::size_t frame_bytes_max;       ///< header included; a longer announcement closes the connection
  std::size_t send_queue_bytes_max;  ///< not yet written; one frame always fits an empty queue
};

class FrameChannel : public std::enable_shared_from_this<FrameChannel> {
 public:
  class Owner {
   public:
    /// A whole frame, header checked, checksum not. The channel may be closed from inside.
    virtual void on_frame(FrameChannel& channel, Bytes frame) = 0;
    virtual void on_closed(FrameChannel& channel, const std::string& reason) = 0;
    /// The send queue became empty.
    virtual void on_drained(FrameChannel&) {}

   protected:
    ~Owner() = default;
  };

  /// Takes a connected socket. Sets TCP_NODELAY.
  FrameChannel(asio::ip::tcp::socket socket, FrameLimits limits, Owner& owner);

  void start();
  /// False when the frame was refused: the queue is full or the connection closed.
  bool send(SharedBytes frame);
  /// Stops taking frames from the connection (the sender then feels it) until resume().
  void pause();
  void resume();
  /// From the next frame on; a connection is trusted with more once it has said who it is.
  void limit_frames(std::size_t frame_bytes_max) { limits_.frame_bytes_max = frame_bytes_max; }
  bool is_paused() const { return paused_; }
  std::size_t queued_bytes() const { return queued_bytes_; }
  bool is_open() const { return open_; }
  /// Closes and reports on_closed with this reason.
  void close(const std::string& reason);
  /// Closes without a word; the owner is not called any more.
  void detach();
  /// Writes what is queued, then closes (and reports). Nothing more is read.
  void close_when_drained(const std::string& reason);
  const std::string& remote() const { return remote_; }

 private:
  void read_some();
  void on_bytes(std::size_t size);
  /// Hands over every whole frame in the buffer. False when reading goes on elsewhere or not at all.
  bool take_frames();
  void read_rest(std::size_t frame_size);
  void write_queued();
  void deliver(Bytes frame);

  asio::ip::tcp::socket socket_;
  FrameLimits limits_;
  Owner* owner_;
  std::string remote_;
  bool open_ = true;
  bool paused_ = false;
  bool reading_ = false;
  bool draining_ = false;
  std::string close_reason_;

  std::vector<std::byte> buffer_;  // bytes [begin_, end_) are not taken yet
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  Bytes large_;  // a frame larger than the buffer, being filled

  std::deque<SharedBytes> queue_;
  std::vector<SharedBytes> writing_;
  std::size_t queued_bytes_ = 0;
};

}  // namespace coffer::net
