#include "cli/local_control.h"

#include <cstdio>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

namespace coffer::cli {

namespace {

constexpr std::size_t line_max = 256;

/// Socket paths are short, directories need not be: both ends go through a descriptor of the directory.
class SocketAddress {
 public:
  explicit SocketAddress(const std::string& directory)
      : directory_(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
    address_.sun_family = AF_UNIX;
    std::snprintf(address_.sun_path, sizeof address_.sun_path, "/proc/self/fd/%d/control", directory_);
  }
  ~SocketAddress() {
    if (directory_ >= 0) {
      ::close(directory_);
    }
  }
  SocketAddress(const SocketAddress&) = delete;
  SocketAddress& operator=(const SocketAddress&) = delete;
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&address_); }
  static socklen_t size() { return sizeof(sockaddr_un); }

 private:
  int directory_;
  sockaddr_un address_{};
};

void limit_time(int fd, int seconds) {
  const timeval limit{.tv_sec = seconds, .tv_usec = 0};
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
}

/// Up to the end of the line or of the stream.
std::string read_line(int fd) {
  std::string line;
  char c = 0;
  while (line.size() < line_max && ::read(fd, &c, 1) == 1 && c != '\n') {
    line.push_back(c);
  }
  return line;
}

bool write_line(int fd, const std::string& line) {
  const std::string text = line + "\n";
  return ::send(fd, text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size());
}

}  // namespace

ControlSocket::~ControlSocket() {
  if (fd_ >= 0) {
    ::close(fd_);
    ::unlink(path_.c_str());
  }
}

Result<void> ControlSocket::listen(const std::string& directory) {
  path_ = directory + "/control";
  ::unlink(path_.c_str());  // of a process that is gone: the directory's lock is ours
  fd_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  const SocketAddress address(directory);
  if (fd_ < 0 || ::bind(fd_, address.get(), SocketAddress::size()) != 0 || ::listen(fd_, 8) != 0) {
    return error(ErrorCode::io, path_ + ": " + ::strerror(errno));
  }
  return {};
}

void ControlSocket::serve_one(const std::function<std::string(const std::string&)>& answer) {
  const int caller = ::accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC);
  if (caller < 0) {
    return;
  }
  limit_time(caller, 1);
  write_line(caller, answer(read_line(caller)));
  ::close(caller);
}

Result<std::string> ask_control(const std::string& directory, const std::string& line) {
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const SocketAddress address(directory);
  limit_time(fd, 15);
  std::string answer;
  if (fd >= 0 && ::connect(fd, address.get(), SocketAddress::size()) == 0 && write_line(fd, line)) {
    answer = read_line(fd);
  }
  if (fd >= 0) {
    ::close(fd);
  }
  if (answer.empty()) {
    return error(ErrorCode::io,
                 "no `coffer local` runs in " + directory + "; start it with: coffer local --dir " + directory);
  }
  return answer;
}

}  // namespace coffer::cli
