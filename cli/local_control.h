// The control socket of a running `coffer local`: one line in, one line out.
//   restart NODE   ->   "pid 4242", or "error: why"
//   adopt NODE     ->   the same; of a node whose settings came into the directory since (`coffer join`)
//   retire NODE    ->   "retired", or "error: why"; the node was replaced and is started no more
#pragma once

#include <functional>
#include <string>

#include "core/base/result.h"

namespace coffer::cli {

class ControlSocket {
 public:
  ControlSocket() = default;
  ~ControlSocket();
  ControlSocket(const ControlSocket&) = delete;
  ControlSocket& operator=(const ControlSocket&) = delete;

  Result<void> listen(const std::string& directory);
  int descriptor() const { return fd_; }
  /// Takes one waiting caller, if any, reads its line within a second, answers.
  void serve_one(const std::function<std::string(const std::string& line)>& answer);

 private:
  int fd_ = -1;
  std::string path_;
};

/// The caller's side. Error: nobody listens.
Result<std::string> ask_control(const std::string& directory, const std::string& line);

}  // namespace coffer::cli
