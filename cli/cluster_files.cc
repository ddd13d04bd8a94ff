#include "cli/cluster_files.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <filesystem>
#include <map>

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "net/driver/clock.h"
#include "net/driver/founding.h"
#include "net/driver/small_file.h"

namespace coffer::cli {

namespace {

constexpr std::uint16_t http_base = 8080;
constexpr std::uint16_t client_base = 7080;
constexpr std::uint16_t peer_base = 9080;
constexpr std::uint16_t admin_base = 6080;
constexpr std::uint16_t block_size = 20;  // ports of each kind: nodes 1 to 15
constexpr std::uint16_t blocks_max = 45;  // so that 900 ports of one kind do not reach the next kind's
constexpr std::uint16_t singles = block_size * blocks_max;  // behind the blocks: nodes that found theirs taken
constexpr std::uint16_t ports_per_kind = 1000;

bool is_free(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int yes = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const bool bound = ::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  ::close(fd);
  return bound;
}

bool block_is_free(std::uint16_t offset, std::uint32_t nodes) {
  for (const std::uint16_t base : {http_base, client_base, peer_base, admin_base}) {
    for (std::uint32_t node = 1; node <= nodes; ++node) {
      if (!is_free(static_cast<std::uint16_t>(base + offset + node))) {
        return false;
      }
    }
  }
  return true;
}

net::NodeAddress address_at(NodeId node, std::uint16_t place) {
  const auto at = [&](std::uint16_t base) {
    return net::Endpoint{"127.0.0.1", static_cast<std::uint16_t>(base + place)};
  };
  return {.node = node,
          .uuid = net::fresh_uuid(),
          .incarnation = 1,
          .http = at(http_base),
          .client = at(client_base),
          .peer = at(peer_base),
          .admin = at(admin_base)};
}

bool is_free(const net::NodeAddress& a) {
  return is_free(a.http.port) && is_free(a.client.port) && is_free(a.peer.port) && is_free(a.admin.port);
}

std::string settings_name(NodeId node) { return "node-" + std::to_string(node.value) + ".json"; }
std::string retired_name(NodeId node) { return "retired-" + std::to_string(node.value) + ".json"; }

/// The nodes with a file `prefix`K.json, ascending.
std::vector<NodeId> numbers(const std::string& directory, std::string_view prefix) {
  std::vector<NodeId> found;
  std::error_code failed;
  for (std::filesystem::directory_iterator at(directory, failed);
       !failed && at != std::filesystem::directory_iterator(); at.increment(failed)) {
    const std::string name = at->path().filename().string();
    std::uint32_t number = 0;
    const char* const digits = name.data() + std::min(prefix.size(), name.size());
    const auto [end, wrong] = std::from_chars(digits, name.data() + name.size(), number);
    if (name.rfind(prefix, 0) == 0 && wrong == std::errc() && std::string_view(end) == ".json") {
      found.push_back(NodeId(number));
    }
  }
  std::sort(found.begin(), found.end());
  return found;
}

net::NodeSettings settings_of(const net::NodeSettings& any, NodeId node) {
  net::NodeSettings settings = any;
  settings.node = node;
  settings.directory = "node-" + std::to_string(node.value);
  return settings;
}

/// Until every founder has its file the directory counts as empty.
Result<std::vector<net::NodeSettings>> write_cluster(const std::string& directory, const net::NodeSettings& any) {
  for (auto address = any.nodes.rbegin(); address != any.nodes.rend(); ++address) {
    const Result<void> written = write_node(directory, settings_of(any, address->node));
    if (written.has_error()) {
      return written.error();
    }
  }
  return load_cluster(directory);
}

}  // namespace

std::string settings_path(const std::string& directory, NodeId node) { return directory + "/" + settings_name(node); }

Result<void> write_node(const std::string& directory, const net::NodeSettings& settings) {
  const Result<void> allowed = net::allow_founding(directory + "/" + settings.directory);
  if (allowed.has_error()) {
    return allowed;
  }
  return net::write_durably(directory, settings_name(settings.node), net::to_json(settings));
}

std::vector<NodeId> nodes_made_in(const std::string& directory) {
  std::vector<NodeId> made = numbers(directory, "node-");
  const std::vector<NodeId> retired = numbers(directory, "retired-");
  made.insert(made.end(), retired.begin(), retired.end());
  std::sort(made.begin(), made.end());
  return made;
}

Result<void> retire_node(const std::string& directory, NodeId node) {
  return net::rename_durably(directory, settings_name(node), retired_name(node));
}

std::string log_path(const std::string& directory, NodeId node) {
  return directory + "/node-" + std::to_string(node.value) + ".log";
}

Result<std::vector<net::NodeSettings>> load_cluster(const std::string& directory) {
  std::vector<net::NodeSettings> cluster;
  const std::vector<NodeId> there = numbers(directory, "node-");
  const std::vector<NodeId> retired = numbers(directory, "retired-");
  for (const NodeId node : there) {
    Result<net::NodeSettings> settings = net::load_settings(settings_path(directory, node));
    if (settings.has_error()) {
      return settings.error();
    }
    if (settings->node != node) {
      return error(ErrorCode::malformed, settings_path(directory, node) + " is the file of node " +
                                             std::to_string(settings->node.value) +
                                             "; a node has one file, by its number");
    }
    cluster.push_back(std::move(*settings));
  }
  const auto is_missing = [&](NodeId founder) {
    return !std::binary_search(there.begin(), there.end(), founder) &&
           !std::binary_search(retired.begin(), retired.end(), founder);
  };
  if (!cluster.empty()) {
    const std::vector<NodeId> founders = cluster.front().founding_members();
    if (std::any_of(founders.begin(), founders.end(), is_missing)) {
      cluster.clear();
    }
  }
  return cluster;
}

Result<net::NodeAddress> free_address(NodeId node, const std::vector<net::NodeAddress>& others) {
  for (const net::NodeAddress& other : others) {
    const int place = other.http.port - http_base - static_cast<int>(other.node.value) + static_cast<int>(node.value);
    if (place > 0 && place < singles) {
      if (const net::NodeAddress address = address_at(node, static_cast<std::uint16_t>(place)); is_free(address)) {
        return address;
      }
    }
  }
  for (std::uint16_t place = singles; place < ports_per_kind; ++place) {
    if (const net::NodeAddress address = address_at(node, place); is_free(address)) {
      return address;
    }
  }
  return error(ErrorCode::io, "no free ports for one more node; see `ss -ltnp` for who uses them");
}

PortBlock::~PortBlock() {
  if (fd_ >= 0) {
    ::close(fd_);
  }
}

/// An abstract socket as the mark: it goes with the process, however that ends.
bool PortBlock::reserve(std::uint16_t offset) {
  const int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const int length = std::snprintf(address.sun_path + 1, sizeof address.sun_path - 1, "coffer-local-ports-%u",
                                   static_cast<unsigned>(offset));
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + static_cast<std::size_t>(length));
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&address), size) != 0) {
    ::close(fd);
    return false;
  }
  fd_ = fd;
  offset_ = offset;
  return true;
}

Result<void> PortBlock::take_free(std::uint32_t nodes) {
  for (std::uint16_t block = 0; block < blocks_max; ++block) {
    const auto offset = static_cast<std::uint16_t>(block * block_size);
    if (!reserve(offset)) {
      continue;
    }
    if (block_is_free(offset, nodes)) {
      return {};
    }
    ::close(fd_);
    fd_ = -1;
  }
  return error(ErrorCode::io, "no free ports between " + std::to_string(admin_base) + " and " +
                                  std::to_string(peer_base + 900) + "; see `ss -ltnp` for who uses them");
}

Result<void> PortBlock::take_again(const std::vector<net::NodeSettings>& cluster) {
  const std::uint16_t first = cluster.front().self().http.port;
  const bool ours = first > http_base && first < http_base + blocks_max * block_size;
  if (ours && !reserve(static_cast<std::uint16_t>((first - http_base) / block_size * block_size))) {
    return error(ErrorCode::io, "another `coffer local` uses the ports of this directory; stop it first");
  }
  for (const net::NodeSettings& settings : cluster) {
    const net::NodeAddress& a = settings.self();
    for (const net::Endpoint& endpoint : {a.http, a.client, a.peer, a.admin}) {
      if (!is_free(endpoint.port)) {
        return error(ErrorCode::io, to_string(endpoint) +
                                        " is in use by another process (see `ss -ltnp`); stop it, or "
                                        "change the port in every node-*.json of the directory");
      }
    }
  }
  return {};
}

Result<std::vector<net::NodeSettings>> found_cluster(const std::string& directory, std::uint32_t nodes,
                                                     std::uint32_t shards, ledger::Protocol protocol,
                                                     const PortBlock& block) {
  net::NodeSettings any;
  any.tuning.protocol = protocol;
  any.cluster = net::fresh_uuid();
  any.shards = shards;
  for (std::uint32_t node = 1; node <= nodes; ++node) {
    any.nodes.push_back(address_at(NodeId(node), static_cast<std::uint16_t>(block.offset() + node)));
  }
  return write_cluster(directory, any);
}

}  // namespace coffer::cli
