// A real node on a thread of the test: real files in a directory of its own, real sockets on free ports.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <thread>

#include <stdlib.h>

#include "net/driver/clock.h"
#include "net/driver/founding.h"
#include "net/driver/server.h"
#include "net/driver/settings.h"
#include "tests/net/http_exchange.h"

namespace coffer::test {

class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string pattern = std::filesystem::temp_directory_path().string() + "/coffer-test-XXXXXX";
    path_ = ::mkdtemp(pattern.data()) == nullptr ? "" : pattern;
  }
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

/// Settings for node 1 of `nodes`; only that one will be there.
inline net::NodeSettings first_of(std::uint32_t nodes, std::uint32_t shards, const std::string& directory) {
  net::NodeSettings settings;
  settings.cluster = net::fresh_uuid();
  settings.node = NodeId(1);
  settings.directory = directory;
  settings.shards = shards;
  settings.tuning.election_timeout = milliseconds(100);
  settings.tuning.heartbeat_interval = milliseconds(20);
  settings.tuning.segment_size = 4u << 20;
  for (std::uint32_t node = 1; node <= nodes; ++node) {
    settings.nodes.push_back({.node = NodeId(node),
                              .uuid = net::fresh_uuid(),
                              .incarnation = 1,
                              .http = {"127.0.0.1", free_port()},
                              .client = {"127.0.0.1", free_port()},
                              .peer = {"127.0.0.1", free_port()},
                              .admin = {"127.0.0.1", free_port()}});
  }
  return settings;
}

class ServedNode {
 public:
  explicit ServedNode(std::uint32_t nodes = 1, std::uint32_t shards = 1)
      : settings_(first_of(nodes, shards, directory_.path())) {
    found_and_start();
  }
  explicit ServedNode(const net::NodeSettings& settings) : settings_(settings) {
    settings_.directory = directory_.path();
    found_and_start();
  }
  ~ServedNode() { stop(); }
  ServedNode(const ServedNode&) = delete;
  ServedNode& operator=(const ServedNode&) = delete;

  void start() {
    Result<std::unique_ptr<net::Server>> opened = net::Server::open(settings_);
    mistake_ = opened.has_error() ? opened.error().what : "";
    if (opened.has_value()) {
      server_ = std::move(*opened);
      thread_ = std::thread([this] { exit_code_ = server_->run(net::Signals::leave); });
    }
  }
  void stop() {
    if (server_) {
      server_->stop();
      thread_.join();
      server_.reset();
    }
  }
  /// Until /readyz says so, or ten seconds.
  bool wait_until_ready() const {
    const Instant deadline = net::monotonic_now() + seconds(10);
    while (server_ && net::monotonic_now() < deadline) {
      if (ask_http(self().admin.port, get_text("/readyz")).status == 200) {
        return true;
      }
      ::poll(nullptr, 0, 5);
    }
    return false;
  }

  const net::NodeSettings& settings() const { return settings_; }
  const net::NodeAddress& self() const { return settings_.self(); }
  const std::string& mistake() const { return mistake_; }
  int exit_code() const { return exit_code_; }

 private:
  void found_and_start() {
    const Result<void> allowed = net::allow_founding(settings_.directory);
    mistake_ = allowed.has_error() ? allowed.error().what : "";
    start();
  }

  TemporaryDirectory directory_;
  net::NodeSettings settings_;
  std::unique_ptr<net::Server> server_;
  std::thread thread_;
  std::string mistake_;
  int exit_code_ = -1;
};

}  // namespace coffer::test
