// A cluster of processes on this machine: each node is this program again, with `serve`. Children die with their
// parent. Threading: one thread; signals SIGCHLD, SIGINT and SIGTERM are read from a descriptor while a cluster is
// watched.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <sys/types.h>

#include "cli/cluster_files.h"
#include "cli/verbs.h"
#include "core/base/result.h"
#include "net/driver/settings.h"

namespace coffer::cli {

struct LocalOptions {
  std::string directory;
  std::uint32_t nodes = 3;
  std::uint32_t shards = 4;
  ledger::Protocol protocol = ledger::Protocol::saga;  ///< how transfers across shards begin
  bool nodes_given = false;                            ///< then a directory founded with another number is a mistake
  bool shards_given = false;
  bool protocol_given = false;
};

/// "node 1 pid 4242 http 127.0.0.1:8081 client … peer … admin …", or the same as a JSON object.
std::string node_line(const net::NodeAddress& address, pid_t pid, OutputFormat format);

class LocalCluster {
 public:
  LocalCluster() = default;
  /// Stops what still runs.
  ~LocalCluster();
  LocalCluster(const LocalCluster&) = delete;
  LocalCluster& operator=(const LocalCluster&) = delete;

  /// Founds the directory or takes what is there, and locks it.
  Result<void> open(const LocalOptions& options);
  const std::vector<net::NodeSettings>& nodes() const { return nodes_; }
  pid_t pid_of(NodeId node) const;

  Result<void> start(NodeId node);
  /// A node whose settings came into the directory after open() (`coffer join`): started like the others. One that is
  /// known and runs is left alone.
  Result<void> adopt(NodeId node);
  /// Stops the node for good: it was replaced. Its settings are put aside.
  Result<void> retire(NodeId node);
  /// SIGTERM, and SIGKILL to those that do not go within five seconds. All when `node` is nobody.
  void stop(NodeId node = nobody);

  /// A child that ended by itself, or by somebody else's signal.
  struct Death {
    NodeId node;
    pid_t pid;
    std::string how;  ///< "exit code 1", "signal 9 (Killed)"
  };
  /// Ends that were not reported yet; never waits.
  std::vector<Death> take_deaths();
  /// From now on signals are read from signal_descriptor() instead of ending the process.
  void block_signals();
  /// Readable when a signal came.
  int signal_descriptor() const { return signals_; }
  /// The number of a signal that came; 0 when none did.
  int take_signal();

 private:
  struct Child {
    NodeId node;
    pid_t pid = -1;  ///< -1: not running
  };

  Result<void> lock_directory();
  Result<void> take_or_found(const LocalOptions& options);
  bool reap(Child& child, int options);
  Child* find(NodeId node);

  std::string directory_;
  std::vector<net::NodeSettings> nodes_;
  std::vector<Child> children_;
  std::vector<Death> deaths_;
  PortBlock ports_;
  int lock_ = -1;
  int signals_ = -1;
};

}  // namespace coffer::cli
