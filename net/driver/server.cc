#include "net/driver/server.h"

#include <csignal>
#include <filesystem>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "net/client/client_port.h"
#include "net/driver/driver.h"
#include "net/driver/journal.h"
#include "net/http/http_port.h"

namespace coffer::net {

namespace asio = boost::asio;

namespace {

/// Held as long as a process serves from a directory: two would destroy each other's log.
class DirectoryLock {
 public:
  Result<void> take(const std::string& directory) {
    const std::string file = directory + "/lock";
    fd_ = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd_ < 0 || ::flock(fd_, LOCK_EX | LOCK_NB) != 0) {
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

Result<void> make_directory(const std::string& directory) {
  std::error_code failed;
  std::filesystem::create_directories(directory, failed);
  if (failed) {
    return error(ErrorCode::io, directory + " cannot be created: " + failed.message());
  }
  return {};
}

}  // namespace

struct Server::State {
  explicit State(const NodeSettings& s)
      : settings(s),
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
  Result<void> good = make_directory(settings.directory);
  if (good.has_error()) {
    return good.error();
  }
  auto state = std::make_unique<State>(settings);
  good = state->lock.take(settings.directory);
  if (!good.has_error()) {
    good = state->start();
  }
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
