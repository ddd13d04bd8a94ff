#include "net/driver/small_file.h"

#include <utility>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

namespace coffer::net {

namespace {

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) {
      ::close(fd_);
    }
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }
  bool good() const { return fd_ >= 0; }

 private:
  int fd_;
};

Error trouble(const std::string& directory, const std::string& name, const char* what) {
  return error(ErrorCode::io, directory + "/" + name + " " + what + ": " + ::strerror(errno));
}

bool sync_directory(const std::string& directory) {
  const Descriptor opened(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return opened.good() && ::fsync(opened.get()) == 0;
}

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = ::write(fd, text.data(), text.size());
    if (n < 0 && errno == EINTR) {
      continue;
    }
    if (n <= 0) {
      return false;
    }
    text.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

}  // namespace

Result<void> write_durably(const std::string& directory, const std::string& name, std::string_view text) {
  const std::string temporary = directory + "/" + name + ".new";
  const Descriptor file(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!file.good() || !write_all(file.get(), text) || ::fsync(file.get()) != 0) {
    return trouble(directory, name, "cannot be written");
  }
  return rename_durably(directory, name + ".new", name);
}

Result<void> rename_durably(const std::string& directory, const std::string& from, const std::string& to) {
  if (::rename((directory + "/" + from).c_str(), (directory + "/" + to).c_str()) != 0 || !sync_directory(directory)) {
    return trouble(directory, to, "cannot be given its name");
  }
  return {};
}

Result<void> remove_durably(const std::string& directory, const std::string& name) {
  if ((::unlink((directory + "/" + name).c_str()) != 0 && errno != ENOENT) || !sync_directory(directory)) {
    return trouble(directory, name, "cannot be removed");
  }
  return {};
}

}  // namespace coffer::net
