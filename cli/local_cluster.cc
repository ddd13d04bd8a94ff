#include "cli/local_cluster.h"

#include <algorithm>
#include <filesystem>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/txn/protocols.h"
#include "net/driver/clock.h"

namespace coffer::cli {

namespace {

constexpr Duration stop_patience = seconds(5);

/// In the child: becomes `coffer serve`. Only calls that are safe after a fork.
[[noreturn]] void become_node(const char* config, int log, pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) {
    ::_exit(internal);  // the parent died before the line above
  }
  ::setpgid(0, 0);  // Ctrl-C is for the parent, which stops the nodes in order
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  const int nothing = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  ::dup2(nothing, STDIN_FILENO);
  ::dup2(log, STDOUT_FILENO);
  ::dup2(log, STDERR_FILENO);
  ::execl("/proc/self/exe", "coffer", "serve", "--config", config, static_cast<char*>(nullptr));
  ::_exit(internal);
}

std::string how_it_ended(int status) {
  if (WIFSIGNALED(status)) {
    return "signal " + std::to_string(WTERMSIG(status)) + " (" + ::strsignal(WTERMSIG(status)) + ")";
  }
  return "exit code " + std::to_string(WEXITSTATUS(status));
}

}  // namespace

std::string node_line(const net::NodeAddress& a, pid_t pid, OutputFormat format) {
  const std::string node = std::to_string(a.node.value);
  switch (format) {
    case OutputFormat::text:
      return "node " + node + " pid " + std::to_string(pid) + " http " + to_string(a.http) + " client " +
             to_string(a.client) + " peer " + to_string(a.peer) + " admin " + to_string(a.admin);
    case OutputFormat::json:
      return "{\"node\":" + node + ",\"pid\":" + std::to_string(pid) + ",\"http\":\"" + to_string(a.http) +
             "\",\"client\":\"" + to_string(a.client) + "\",\"peer\":\"" + to_string(a.peer) + "\",\"admin\":\"" +
             to_string(a.admin) + "\"}";
  }
  return {};
}

LocalCluster::~LocalCluster() {
  stop();
  for (const int fd : {lock_, signals_}) {
    if (fd >= 0) {
      ::close(fd);
    }
  }
}

Result<void> LocalCluster::open(const LocalOptions& options) {
  std::error_code failed;
  const std::filesystem::path directory = std::filesystem::absolute(options.directory);
  std::filesystem::create_directories(directory, failed);
  if (failed) {
    return error(ErrorCode::io, directory.string() + " cannot be created: " + failed.message());
  }
  directory_ = directory.lexically_normal().string();
  Result<void> good = lock_directory();
  if (!good.has_error()) {
    good = take_or_found(options);
  }
  if (!good.has_error()) {
    for (const net::NodeSettings& node : nodes_) {
      children_.push_back({.node = node.node});
    }
  }
  return good;
}

Result<void> LocalCluster::lock_directory() {
  const std::string path = directory_ + "/lock";
  lock_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock_ < 0 || ::flock(lock_, LOCK_EX | LOCK_NB) != 0) {
    return error(ErrorCode::io, directory_ +
                                    " belongs to a running `coffer local`; stop that one first, or name another "
                                    "directory with --dir");
  }
  return {};
}

Result<void> LocalCluster::take_or_found(const LocalOptions& options) {
  Result<std::vector<net::NodeSettings>> there = load_cluster(directory_);
  if (there.has_error()) {
    return there.error();
  }
  if (there->empty()) {
    Result<void> ports = ports_.take_free(options.nodes);
    if (ports.has_error()) {
      return ports;
    }
    there = found_cluster(directory_, options.nodes, options.shards, options.protocol, ports_);
    if (there.has_error()) {
      return there.error();
    }
    nodes_ = *there;
    return {};
  }
  nodes_ = *there;
  const std::size_t nodes = nodes_.size();
  const std::uint32_t shards = nodes_.front().shards;
  if ((options.nodes_given && options.nodes != nodes) || (options.shards_given && options.shards != shards)) {
    return error(ErrorCode::malformed,
                 directory_ + " holds a cluster of " + std::to_string(nodes) + " nodes and " + std::to_string(shards) +
                     " shards; leave --nodes and --shards out to continue it, or name another directory with --dir");
  }
  const ledger::Protocol protocol = nodes_.front().tuning.protocol;
  if (options.protocol_given && options.protocol != protocol) {
    return error(ErrorCode::malformed,
                 directory_ + " holds a cluster that uses " + std::string(txn::row_of(protocol).name) +
                     "; leave --protocol out to continue it, or change \"protocol\" in every node-*.json of the "
                     "directory: what runs ends as it began");
  }
  return ports_.take_again(nodes_);
}

void LocalCluster::block_signals() {
  sigset_t set;
  ::sigemptyset(&set);
  for (const int signal : {SIGCHLD, SIGINT, SIGTERM, SIGHUP}) {
    ::sigaddset(&set, signal);
  }
  ::sigprocmask(SIG_BLOCK, &set, nullptr);
  signals_ = ::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

int LocalCluster::take_signal() {
  signalfd_siginfo info{};
  return ::read(signals_, &info, sizeof info) == sizeof info ? static_cast<int>(info.ssi_signo) : 0;
}

LocalCluster::Child* LocalCluster::find(NodeId node) {
  const auto found =
      std::find_if(children_.begin(), children_.end(), [&](const Child& child) { return child.node == node; });
  return found == children_.end() ? nullptr : &*found;
}

pid_t LocalCluster::pid_of(NodeId node) const {
  for (const Child& child : children_) {
    if (child.node == node) {
      return child.pid;
    }
  }
  return -1;
}

Result<void> LocalCluster::start(NodeId node) {
  Child* child = find(node);
  if (child == nullptr) {
    return error(ErrorCode::malformed, "there is no node " + std::to_string(node.value) + " in " + directory_);
  }
  const std::string config = settings_path(directory_, node);
  const std::string log_file = log_path(directory_, node);
  const int log = ::open(log_file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (log < 0) {
    return error(ErrorCode::io, log_file + ": " + ::strerror(errno));
  }
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid == 0) {
    become_node(config.c_str(), log, parent);
  }
  const int fork_error = errno;
  ::close(log);
  if (pid < 0) {
    return error(ErrorCode::io, std::string("no new process: ") + ::strerror(fork_error));
  }
  child->pid = pid;
  return {};
}

Result<void> LocalCluster::adopt(NodeId node) {
  if (find(node) == nullptr) {
    Result<net::NodeSettings> settings = net::load_settings(settings_path(directory_, node));
    if (settings.has_error()) {
      return settings.error();
    }
    if (settings->cluster != nodes_.front().cluster) {
      return error(ErrorCode::malformed, "node " + std::to_string(node.value) + " belongs to another cluster");
    }
    nodes_.push_back(std::move(*settings));
    children_.push_back({.node = node});
  }
  return pid_of(node) > 0 ? Result<void>() : start(node);
}

Result<void> LocalCluster::retire(NodeId node) {
  if (find(node) == nullptr) {
    return {};  // done before
  }
  stop(node);
  std::erase_if(children_, [&](const Child& child) { return child.node == node; });
  std::erase_if(nodes_, [&](const net::NodeSettings& settings) { return settings.node == node; });
  return retire_node(directory_, node);
}

bool LocalCluster::reap(Child& child, int options) {
  int status = 0;
  if (child.pid <= 0 || ::waitpid(child.pid, &status, options) != child.pid) {
    return false;
  }
  deaths_.push_back({.node = child.node, .pid = child.pid, .how = how_it_ended(status)});
  child.pid = -1;
  return true;
}

std::vector<LocalCluster::Death> LocalCluster::take_deaths() {
  for (Child& child : children_) {
    reap(child, WNOHANG);
  }
  return std::exchange(deaths_, {});
}

void LocalCluster::stop(NodeId node) {
  const auto meant = [&](const Child& child) { return child.pid > 0 && (node == nobody || child.node == node); };
  for (const Child& child : children_) {
    if (meant(child)) {
      ::kill(child.pid, SIGTERM);
      ::kill(child.pid, SIGCONT);  // a paused process would not hear it
    }
  }
  const Instant deadline = net::monotonic_now() + stop_patience;
  bool all_gone = false;
  while (!all_gone && net::monotonic_now() < deadline) {
    all_gone = true;
    for (Child& child : children_) {
      all_gone = (!meant(child) || reap(child, WNOHANG)) && all_gone;
    }
    if (!all_gone) {
      ::poll(nullptr, 0, 5);
    }
  }
  for (Child& child : children_) {
    if (meant(child)) {
      ::kill(child.pid, SIGKILL);
      reap(child, 0);
    }
  }
  deaths_.clear();  // asked for: nobody is told
}

}  // namespace coffer::cli
