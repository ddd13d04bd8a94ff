// A TCP connection as a client of any kind might hold it: raw bytes, deadlines, nothing clever.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

namespace coffer::test {

class PlainSocket {
 public:
  explicit PlainSocket(std::uint16_t port) {
    fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const timeval limit{.tv_sec = 10, .tv_usec = 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    const int yes = 1;
    ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    // Closing resets: thousands of connections leave nothing behind.
    const linger reset{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  }
  ~PlainSocket() { ::close(fd_); }
  PlainSocket(const PlainSocket&) = delete;
  PlainSocket& operator=(const PlainSocket&) = delete;

  bool connected() const { return connected_; }
  /// False when the other side does not take the bytes.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n <= 0) {
        return false;
      }
      bytes.remove_prefix(static_cast<std::size_t>(n));
    }
    return true;
  }
  void finish_sending() { ::shutdown(fd_, SHUT_WR); }
  /// What there is, waiting for something; empty at the end of the stream or after ten seconds.
  std::string receive_some() {
    std::string bytes(64u << 10, '\0');
    const ssize_t n = ::recv(fd_, bytes.data(), bytes.size(), 0);
    bytes.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
    return bytes;
  }
  /// Exactly `size` bytes, or fewer when the stream ends.
  std::string receive(std::size_t size) {
    while (buffer_.size() < size) {
      const std::string more = receive_some();
      if (more.empty()) {
        break;
      }
      buffer_ += more;
    }
    std::string taken = buffer_.substr(0, size);
    buffer_.erase(0, taken.size());
    return taken;
  }
  /// Whether the other side closes within the time limit; bytes on the way are thrown away.
  bool is_closed_within(int timeout_ms) {
    for (;;) {
      pollfd waiting{fd_, POLLIN, 0};
      if (::poll(&waiting, 1, timeout_ms) <= 0) {
        return false;
      }
      char bytes[4096];
      if (::recv(fd_, bytes, sizeof bytes, 0) <= 0) {
        return true;
      }
    }
  }
  bool has_bytes_within(int timeout_ms) {
    pollfd waiting{fd_, POLLIN, 0};
    return !buffer_.empty() || ::poll(&waiting, 1, timeout_ms) > 0;
  }

 private:
  int fd_ = -1;
  bool connected_ = false;
  std::string buffer_;
};

/// A port nobody listens on, below those the kernel gives to outgoing connections; each once per process.
inline std::uint16_t free_port() {
  constexpr std::uint16_t first = 20'000;
  constexpr std::uint16_t count = 10'000;
  static std::uint32_t next = static_cast<std::uint32_t>(::getpid()) * 127;
  for (;;) {
    const auto port = static_cast<std::uint16_t>(first + next++ % count);
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const bool is_free = ::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    ::close(fd);
    if (is_free) {
      return port;
    }
  }
}

}  // namespace coffer::test
