#include "net/driver/server.h"

#include <csignal>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "net/client/client_port.h"
#include "net/driver/driver.h"
#include "net/driver/founding.h"
#include "net/driver/journal.h"
#include "net/http/http_port.h"
#include "net/peer/known_peers.h"

namespace coffer::net {

namespace asio = boost::asio;

namespace {

/// Held as long as a process serves from a directory: two would destroy each other's log.
class DirectoryLock {
 public:
  DirectoryLock() = default;
  DirectoryLock(DirectoryLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  DirectoryLock& operator=(DirectoryLock&&) = delete;
  Result<void> take(const std::string& directory) {
    const std::string file = directory + "/lock";
    fd_ = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd_ < 0) {
      return error(ErrorCode::io, file + " cannot be opened for writing: " + ::strerror(errno) +
                                      "; a node needs a directory it may write to: remount the file system or change "
                                      "the owner, then start the node again");
    }
    if (::flock(fd_, LOCK_EX | LOCK_NB) != 0) {
      return error(ErrorCode::io,
                   directory + " is in use by another process; stop that one first (see `fuser " + file + "`)");
    }
    return {};
  }
  ~DirectoryLock() {
    if (fd_ >= 0) {
      ::close(fd_);
    }
  }

 private:
  int fd_ = -1;
};

/// The settings, and what the directory says beside them.
NodeSettings at_start(const NodeSettings& from_file) {
  NodeSettings settings = from_file;
  settings.learned = load_peers(settings);
  settings.may_found = founding_allowed(settings.directory);
  return settings;
}

}  // namespace

struct Server::State {
  State(const NodeSettings& s, DirectoryLock held)
      : settings(s),
        lock(std::move(held)),
        driver(io, settings),
        clients(io, driver),
        http(io, driver, HttpListener::clients),
        admin(io, driver, HttpListener::admin) {}

  Result<void> start() {
    Result<void> started = driver.start();
    if (!started.has_error()) started = clients.start(settings.self().client);
    if (!started.has_error()) started = http.start(settings.self().http);
    if (!started.has_error()) started = admin.start(settings.self().admin);
    return started;
  }
  void close() {
    clients.stop();
    http.stop();
    admin.stop();
    driver.stop();
  }

  NodeSettings settings;
  DirectoryLock lock;
  asio::io_context io{1};
  Driver driver;
  ClientPort clients;
  HttpPort http;
  HttpPort admin;
};

Server::Server(std::unique_ptr<State> state) : state_(std::move(state)) {}

Server::~Server() { state_->close(); }

Result<std::unique_ptr<Server>> Server::open(const NodeSettings& settings) {
  Result<void> good = check_not_lost(settings.directory, settings.node);
  DirectoryLock lock;
  if (!good.has_error()) {
    good = lock.take(settings.directory);
  }
  if (good.has_error()) {
    return good.error();
  }
  auto state = std::make_unique<State>(at_start(settings), std::move(lock));
  good = state->start();
  if (good.has_error()) {
    state->close();
    return good.error();
  }
  return std::unique_ptr<Server>(new Server(std::move(state)));
}

int Server::run(Signals signals) {
  State& state = *state_;
  asio::signal_set stopping(state.io);
  if (signals == Signals::stop_on_it) {
    stopping.add(SIGTERM);
    stopping.add(SIGINT);
    stopping.async_wait([this](const boost::system::error_code& cancelled, int) {
      if (!cancelled) {
        journal(Level::info, "stopping");
        stop();
      }
    });
  }
  const NodeAddress& self = state.settings.self();
  journal(Level::info, "node " + std::to_string(self.node.value) + " serves http " + to_string(self.http) + " client " +
                           to_string(self.client) + " peer " + to_string(self.peer) + " admin " +
                           to_string(self.admin) + " from " + state.settings.directory);
  const auto working = asio::make_work_guard(state.io);
  state.io.run();
  return state.driver.fatal().empty() ? 0 : 1;
}

void Server::stop() {
  asio::post(state_->io, [this] {
    state_->close();
    state_->io.stop();
  });
}

}  // namespace coffer::net
