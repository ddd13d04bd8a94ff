// The file a node is started with (node.json): who it is, who the others are, where everybody listens. Read strictly:
// an unknown or repeated key is a mistake worth telling, not something to skip.
//
//   {"cluster": uuid, "node": 1, "directory": "node-1", "shards": 4,
//    "nodes": [{"node": 1, "uuid": uuid, "incarnation": 1, "http": "127.0.0.1:8081", "client": "127.0.0.1:7081",
//               "peer": "127.0.0.1:9081", "admin": "127.0.0.1:6081"}, …],
//    "founders": [1, 2, 3],                              (optional: the nodes every shard was founded with; else all)
//    "replaces": 2,                                      (optional: the node this one was made to replace)
//    "protocol": "saga",                                 (optional: how transfers across shards begin)
//    "ids": {"window_s": 86400, "grace_s": 600,          (optional: how long UUIDv7s are taken, and answered beyond;
//            "numbered": true,                            whether UUIDv8s are taken in the order of their numbers;
//            "rows_in_memory": 10000000},                 rows of ids kept for ever before older ones go to the disk)
//    "tuning": {"election_timeout_ms": 500, …}}          (optional, so is each of its keys)
// A relative directory is relative to the file's.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/ids.h"
#include "core/base/result.h"
#include "core/base/uuid.h"
#include "core/node/config.h"

namespace coffer::net {

struct Endpoint {
  std::string host;  ///< a numeric address; in this version a loopback one
  std::uint16_t port = 0;
};
/// "127.0.0.1:8081"
std::string to_string(const Endpoint& endpoint);
Result<Endpoint> parse_endpoint(std::string_view text);

struct NodeAddress {
  NodeId node;
  Uuid uuid;
  std::uint32_t incarnation = 1;
  Endpoint http;    ///< clients, JSON
  Endpoint client;  ///< clients, binary batches
  Endpoint peer;    ///< other nodes
  Endpoint admin;   ///< operators: /v1/admin, /livez, /readyz
};

struct NodeSettings {
  Uuid cluster;
  NodeId node;
  std::string directory;
  std::uint32_t shards = 1;
  std::vector<NodeAddress> nodes;  ///< ascending, `node` among them
  std::vector<NodeId> founders;    ///< ascending, among `nodes`; empty: all of them
  NodeId replaces = nobody;        ///< whose place this node was made to take
  node::Tuning tuning;

  // Not in the file: what the node's directory says at a start (net/driver/server.cc).
  std::vector<NodeAddress> learned = {};  ///< peers that introduced themselves, ascending, none of them in `nodes`
  bool may_found = false;                 ///< net/driver/founding.h

  const NodeAddress& self() const;
  /// Every shard has the founding members; slots are divided evenly.
  node::Config config() const;
  std::vector<NodeId> founding_members() const;
  /// `nodes` and `learned`, ascending.
  std::vector<NodeAddress> everybody() const;
};

/// The error names the JSON pointer, what was wrong and what would be right.
Result<NodeSettings> parse_settings(std::string_view json);
/// Reads the file and resolves its directory.
Result<NodeSettings> load_settings(const std::string& path);
std::string to_json(const NodeSettings& settings);

/// An object {"nodes": […]} of addresses as they stand in settings; may list nobody.
Result<std::vector<NodeAddress>> parse_addresses(std::string_view json);
std::string to_json(const std::vector<NodeAddress>& nodes);
inline constexpr std::size_t nodes_max = 63;  ///< members of a group at most

using coffer::to_string;  // of ids
/// As core/base/uuid.h reads one.
Result<Uuid> parse_uuid(std::string_view text);

}  // namespace coffer::net
