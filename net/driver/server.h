// One node with all its listeners: what `coffer serve` runs, and what tests run on a thread of their own.
#pragma once

#include <memory>
#include <string>

#include "core/base/result.h"
#include "net/driver/settings.h"

namespace coffer::net {

enum class Signals : unsigned char {
  leave,       ///< they belong to somebody else
  stop_on_it,  ///< SIGTERM and SIGINT end run()
};

class Server {
 public:
  /// Takes a directory that holds a node or may be founded, locks it, and listens everywhere. The error says what to
  /// do.
  static Result<std::unique_ptr<Server>> open(const NodeSettings& settings);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// Serves until stop() or a signal (returns 0), or until the node cannot continue (returns 1).
  int run(Signals signals);
  /// From any thread.
  void stop();

 private:
  struct State;
  explicit Server(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace coffer::net
