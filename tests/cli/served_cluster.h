// A cluster of `coffer serve` processes whose files a test may lay hands on: settings with small segments and epochs,
// each node a child of the test, started one by one.
#pragma once

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <fcntl.h>
#include <sys/prctl.h>

#include "tests/cli/program.h"
#include "tests/net/http_exchange.h"

namespace coffer::test {

class ServedCluster {
 public:
  struct Ports {
    std::uint16_t http = 0, client = 0, peer = 0, admin = 0;
  };
  using NodePorts = std::map<int, Ports>;

  static NodePorts free_ports(int nodes) {
    NodePorts ports;
    for (int node = 1; node <= nodes; ++node) {
      ports[node] = {free_port(), free_port(), free_port(), free_port()};
    }
    return ports;
  }
  /// Takes what is in `home`; found() makes it.
  ServedCluster(std::string home, NodePorts ports) : home_(std::move(home)), ports_(std::move(ports)) {}
  ~ServedCluster() {
    for (const auto& [node, ports] : ports_) {
      stop(node, SIGKILL);
    }
  }
  ServedCluster(const ServedCluster&) = delete;
  ServedCluster& operator=(const ServedCluster&) = delete;

  bool found(int shards) {
    std::filesystem::create_directories(home_);
    bool good = true;
    for (const auto& [node, ports] : ports_) {
      std::ofstream(settings(node)) << settings_text(node, shards);
      good = run("init --config " + settings(node)).exit_code == 0 && good;
    }
    return good;
  }
  std::string settings(int node) const { return home_ + "/node-" + std::to_string(node) + ".json"; }
  std::string directory(int node) const { return home_ + "/node-" + std::to_string(node); }
  std::string log(int node) const { return content_of(home_ + "/node-" + std::to_string(node) + ".log"); }
  const Ports& ports(int node) const { return ports_.at(node); }
  std::vector<int> nodes() const {
    std::vector<int> all;
    for (const auto& [node, ports] : ports_) {
      all.push_back(node);
    }
    return all;
  }

  /// `prepare` runs in the child, before it becomes the node.
  void start(int node, const std::function<void(const std::string& directory)>& prepare = {}) {
    const std::string log_file = home_ + "/node-" + std::to_string(node) + ".log";
    const std::string config = settings(node);
    const std::string program = binary();
    const pid_t pid = ::fork();
    if (pid == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      const int log = ::open(log_file.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
      ::dup2(log, STDOUT_FILENO);
      ::dup2(log, STDERR_FILENO);
      if (prepare) {
        prepare(directory(node));
      }
      ::execl(program.c_str(), "coffer", "serve", "--config", config.c_str(), static_cast<char*>(nullptr));
      ::_exit(127);
    }
    pids_[node] = pid;
  }
  void start_all() {
    for (const int node : nodes()) {
      start(node);
    }
  }
  pid_t pid(int node) const { return pids_.at(node); }
  /// The exit code (128 + signal if it died of one); nothing when it had not been started.
  std::optional<int> stop(int node, int signal) {
    const auto found = pids_.find(node);
    if (found == pids_.end()) {
      return std::nullopt;
    }
    ::kill(found->second, signal);
    return wait(found->second, node, 0);
  }
  void stop_all(int signal) {
    for (const int node : nodes()) {
      stop(node, signal);
    }
  }
  /// Of a node that ends by itself.
  std::optional<int> exit_code_within(int node, int timeout_ms) {
    std::optional<int> code;
    eventually(
        [&] {
          code = wait(pids_.at(node), node, WNOHANG);
          return code.has_value();
        },
        timeout_ms);
    return code;
  }

  bool are_ready(const std::vector<int>& wanted) {
    return eventually([&] {
      return std::all_of(wanted.begin(), wanted.end(),
                         [&](int node) { return ask_http(ports(node).admin, get_text("/readyz")).status == 200; });
    });
  }
  /// What the node says of itself (`GET /v1/admin/node`); empty when it does not answer.
  std::string status(int node) const { return ask_http(ports(node).admin, get_text("/v1/admin/node")).body; }
  /// The commit index of each shard as the node knows it.
  std::vector<std::string> commits(int node) const {
    std::vector<std::string> found;
    const std::string body = status(node);
    constexpr std::string_view key = "\"commit\":";
    for (std::size_t at = body.find(key); at != std::string::npos; at = body.find(key, at + 1)) {
      found.push_back(body.substr(at + key.size(), body.find(',', at) - at - key.size()));
    }
    return found;
  }

 private:
  std::optional<int> wait(pid_t pid, int node, int options) {
    int status = 0;
    if (::waitpid(pid, &status, options) != pid) {
      return std::nullopt;
    }
    pids_.erase(node);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  std::string settings_text(int node, int shards) const {
    std::string text = R"({"cluster": "00000000-0000-4000-8000-00000000c1a5", "node": )" + std::to_string(node) +
                       R"(, "directory": "node-)" + std::to_string(node) + R"(", "shards": )" + std::to_string(shards) +
                       R"(, "nodes": [)";
    const char* separator = "";
    for (const auto& [number, p] : ports_) {
      const auto at = [](std::uint16_t port) { return "\"127.0.0.1:" + std::to_string(port) + "\""; };
      text += separator;
      text += R"({"node": )" + std::to_string(number) + R"(, "uuid": "00000000-0000-4000-8000-00000000000)" +
              std::to_string(number) + R"(", "http": )" + at(p.http) + R"(, "client": )" + at(p.client) +
              R"(, "peer": )" + at(p.peer) + R"(, "admin": )" + at(p.admin) + "}";
      separator = ", ";
    }
    return text + R"(], "tuning": {"election_timeout_ms": 200, "heartbeat_interval_ms": 40, "segment_size": 1048576,
      "epoch_bytes": 65536, "chunk_bytes": 4096}})";
  }

  std::string home_;
  NodePorts ports_;
  std::map<int, pid_t> pids_;
};

}  // namespace coffer::test
