#include "cli/connection.h"

#include <CLI/CLI.hpp>

#include "cli/cluster_files.h"

namespace coffer::cli {

void add_connection_options(CLI::App& verb, ConnectionOptions& options) {
  options.directory = default_directory;
  verb.add_option("--dir", options.directory, "the directory of a `coffer local` (default ./coffer-data)");
  verb.add_option("--server", options.servers, "a node's client address, such as 127.0.0.1:7081; may be repeated");
}

Result<net::ClientConfig> connection(const ConnectionOptions& options) {
  net::ClientConfig config;
  if (!options.servers.empty()) {
    for (const std::string& server : options.servers) {
      const Result<net::Endpoint> endpoint = net::parse_endpoint(server);
      if (endpoint.has_error()) {
        return error(endpoint.error().code, "--server " + server + ": " + endpoint.error().what);
      }
      config.targets.push_back(
          {.node = NodeId(static_cast<std::uint32_t>(config.targets.size() + 1)), .client = *endpoint});
    }
    return config;
  }
  const Result<std::vector<net::NodeSettings>> cluster = load_cluster(options.directory);
  if (cluster.has_error()) {
    return cluster.error();
  }
  if (cluster->empty()) {
    return error(ErrorCode::io, "there is no cluster in " + options.directory +
                                    "; start one with `coffer local`, or name a node with --server 127.0.0.1:7081");
  }
  for (const net::NodeSettings& node : *cluster) {
    config.targets.push_back({.node = node.node, .client = node.self().client});
  }
  config.shards = cluster->front().shards;
  return config;
}

}  // namespace coffer::cli
