// Which cluster a verb talks to: a directory of `coffer local`, or nodes named by address.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "net/client/client.h"

namespace CLI {
class App;
}

namespace coffer::cli {

struct ConnectionOptions {
  std::string directory;             ///< of a local cluster
  std::vector<std::string> servers;  ///< "127.0.0.1:7081": `client` listeners
};

/// Adds `--dir` and `--server`.
void add_connection_options(CLI::App& verb, ConnectionOptions& options);
/// --server if given, else the cluster in --dir. Error: neither says whom to ask.
Result<net::ClientConfig> connection(const ConnectionOptions& options);

}  // namespace coffer::cli
