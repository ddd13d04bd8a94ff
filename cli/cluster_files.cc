#include "cli/cluster_files.h"

#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "net/driver/clock.h"

namespace coffer::cli {

namespace {

constexpr std::uint16_t http_base = 8080;
constexpr std::uint16_t client_base = 7080;
constexpr std::uint16_t peer_base = 9080;
constexpr std::uint16_t admin_base = 6080;
constexpr std::uint16_t block_size = 20;  // ports of each kind: nodes 1 to 15
constexpr std::uint16_t blocks_max = 45;  // so that 900 ports of one kind do not reach the next kind's

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

/// Written whole or not at all.
bool write_file(const std::string& path, const std::string& text) {
  const std::string temporary = path + ".new";
  {
    std::ofstream file(temporary, std::ios::binary | std::ios::trunc);
    if (!(file << text) || !file.flush()) {
      return false;
    }
  }
  return std::rename(temporary.c_str(), path.c_str()) == 0;
}

net::NodeSettings settings_of(const net::NodeSettings& any, NodeId node) {
  net::NodeSettings settings = any;
  settings.node = node;
  settings.directory = "node-" + std::to_string(node.value);
  return settings;
}

Result<std::vector<net::NodeSettings>> write_cluster(const std::string& directory, const net::NodeSettings& any) {
  // The first node's file is written last: without it the directory counts as empty.
  std::vector<net::NodeSettings> cluster;
  for (auto address = any.nodes.rbegin(); address != any.nodes.rend(); ++address) {
    const std::string path = settings_path(directory, address->node);
    if (!write_file(path, net::to_json(settings_of(any, address->node)))) {
      return error(ErrorCode::io, path + " cannot be written: " + std::strerror(errno));
    }
  }
  return load_cluster(directory);
}

}  // namespace

std::string settings_path(const std::string& directory, NodeId node) {
  return directory + "/node-" + std::to_string(node.value) + ".json";
}

std::string log_path(const std::string& directory, NodeId node) {
  return directory + "/node-" + std::to_string(node.value) + ".log";
}

Result<std::vector<net::NodeSettings>> load_cluster(const std::string& directory) {
  std::vector<net::NodeSettings> cluster;
  if (!std::filesystem::exists(settings_path(directory, NodeId(1)))) {
    return cluster;
  }
  const Result<net::NodeSettings> first = net::load_settings(settings_path(directory, NodeId(1)));
  if (first.has_error()) {
    return first.error();
  }
  for (const net::NodeAddress& address : first->nodes) {
    Result<net::NodeSettings> settings = net::load_settings(settings_path(directory, address.node));
    if (settings.has_error()) {
      return settings.error();
    }
    cluster.push_back(std::move(*settings));
  }
  return cluster;
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
  const std::uint16_t first = cluster.front().nodes.front().http.port;
  const bool ours = first > http_base && first < http_base + blocks_max * block_size;
  if (ours && !reserve(static_cast<std::uint16_t>((first - http_base) / block_size * block_size))) {
    return error(ErrorCode::io, "another `coffer local` uses the ports of this directory; stop it first");
  }
  for (const net::NodeAddress& a : cluster.front().nodes) {
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
                                                     std::uint32_t shards, const PortBlock& block) {
  net::NodeSettings any;
  any.cluster = net::fresh_uuid();
  any.shards = shards;
  for (std::uint32_t node = 1; node <= nodes; ++node) {
    const auto at = [&](std::uint16_t base) {
      return net::Endpoint{"127.0.0.1", static_cast<std::uint16_t>(base + block.offset() + node)};
    };
    any.nodes.push_back({.node = NodeId(node),
                         .uuid = net::fresh_uuid(),
                         .incarnation = 1,
                         .http = at(http_base),
                         .client = at(client_base),
                         .peer = at(peer_base),
                         .admin = at(admin_base)});
  }
  return write_cluster(directory, any);
}

}  // namespace coffer::cli
