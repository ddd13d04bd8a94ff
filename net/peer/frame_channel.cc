#include "net/peer/frame_channel.h"

#include <cstring>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>

#include "core/base/check.h"
#include "core/base/frame.h"

namespace coffer::net {

namespace {

constexpr std::size_t buffer_size = 64u << 10;
constexpr std::size_t gathered_max = 64;

std::string name_of(const asio::ip::tcp::socket& socket) {
  boost::system::error_code failed;
  const auto endpoint = socket.remote_endpoint(failed);
  return failed ? std::string("?") : endpoint.address().to_string() + ":" + std::to_string(endpoint.port());
}

}  // namespace

FrameChannel::FrameChannel(asio::ip::tcp::socket socket, FrameLimits limits, Owner& owner)
    : socket_(std::move(socket)), limits_(limits), owner_(&owner), remote_(name_of(socket_)), buffer_(buffer_size) {
  boost::system::error_code ignored;  // a socket that is gone already reports itself on the first read
  socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
}

void FrameChannel::start() { read_some(); }

void FrameChannel::pause() { paused_ = true; }

void FrameChannel::resume() {
  if (!paused_) {
    return;
  }
  paused_ = false;
  if (open_ && !reading_ && take_frames()) {
    read_some();
  }
}

void FrameChannel::read_some() {
  if (!open_ || reading_ || paused_ || draining_) {
    return;
  }
  if (begin_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  reading_ = true;
  socket_.async_read_some(asio::buffer(buffer_.data() + end_, buffer_.size() - end_),
                          [self = shared_from_this()](const boost::system::error_code& failed, std::size_t size) {
                            self->reading_ = false;
                            if (failed) {
                              self->close(failed.message());
                            } else {
                              self->on_bytes(size);
                            }
                          });
}

void FrameChannel::on_bytes(std::size_t size) {
  end_ += size;
  if (take_frames()) {
    read_some();
  }
}

bool FrameChannel::take_frames() {
  while (open_ && !paused_ && !draining_ && !reading_) {
    const ByteView rest = ByteView(buffer_).subspan(begin_, end_ - begin_);
    if (rest.size() < frame_header_size) {
      return true;
    }
    const Result<std::size_t> size = frame_size(rest);
    if (size.has_error()) {
      close(size.error().what);
      return false;
    }
    if (*size > limits_.frame_bytes_max) {
      close("a frame of " + std::to_string(*size) + " bytes is over the limit");
      return false;
    }
    if (*size > rest.size()) {
      if (*size > buffer_.size()) {
        read_rest(*size);
        return false;
      }
      return true;
    }
    begin_ += *size;
    deliver(Bytes(rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(*size)));
  }
  return false;
}

void FrameChannel::read_rest(std::size_t frame_size) {
  large_ = Bytes();
  large_.resize(frame_size);
  const std::size_t have = end_ - begin_;
  std::memcpy(large_.data(), buffer_.data() + begin_, have);
  begin_ = 0;
  end_ = 0;
  reading_ = true;
  asio::async_read(socket_, asio::buffer(large_.data() + have, large_.size() - have),
                   [self = shared_from_this()](const boost::system::error_code& failed, std::size_t) {
                     self->reading_ = false;
                     if (failed) {
                       self->close(failed.message());
                       return;
                     }
                     self->deliver(std::exchange(self->large_, {}));
                     self->read_some();
                   });
}

void FrameChannel::deliver(Bytes frame) {
  if (owner_ != nullptr && open_) {
    owner_->on_frame(*this, std::move(frame));
  }
}

bool FrameChannel::send(SharedBytes frame) {
  if (!open_ || draining_) {
    return false;
  }
  if (queued_bytes_ > 0 && queued_bytes_ + frame->size() > limits_.send_queue_bytes_max) {
    return false;
  }
  queued_bytes_ += frame->size();
  queue_.push_back(std::move(frame));
  if (writing_.empty()) {
    write_queued();
  }
  return true;
}

void FrameChannel::write_queued() {
  check(writing_.empty(), "one write of a connection at a time");
  std::vector<asio::const_buffer> buffers;
  while (!queue_.empty() && writing_.size() < gathered_max) {
    writing_.push_back(std::move(queue_.front()));
    queue_.pop_front();
    buffers.emplace_back(writing_.back()->data(), writing_.back()->size());
  }
  asio::async_write(socket_, buffers,
                    [self = shared_from_this()](const boost::system::error_code& failed, std::size_t size) {
                      self->writing_.clear();
                      if (failed) {
                        self->close(failed.message());
                        return;
                      }
                      self->queued_bytes_ -= size;
                      if (!self->open_) {
                        return;
                      }
                      if (!self->queue_.empty()) {
                        self->write_queued();
                      } else if (self->draining_) {
                        self->close(self->close_reason_);
                      } else if (self->owner_ != nullptr) {
                        self->owner_->on_drained(*self);
                      }
                    });
}

void FrameChannel::close(const std::string& reason) {
  if (!open_) {
    return;
  }
  open_ = false;
  boost::system::error_code ignored;
  socket_.shutdown(asio::ip::tcp::socket::shutdown_both, ignored);
  socket_.close(ignored);
  queue_.clear();
  if (owner_ != nullptr) {
    Owner* owner = std::exchange(owner_, nullptr);
    owner->on_closed(*this, reason);
  }
}

void FrameChannel::detach() {
  owner_ = nullptr;
  close("");
}

void FrameChannel::close_when_drained(const std::string& reason) {
  draining_ = true;
  close_reason_ = reason;
  if (writing_.empty() && queue_.empty()) {
    close(reason);
  }
}

}  // namespace coffer::net
