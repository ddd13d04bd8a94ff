// The directory of a cluster on this machine: settings of each node, their logs, the control socket of `coffer local`.
//
//   D/node-1.json … D/node-N.json    settings; ports and identities are chosen once and kept
//   D/retired-K.json                 settings of a node that was replaced (`coffer join`); nobody starts it any more
//   D/node-1/ …                      what the node stores
//   D/node-1.log …                   what the node says
//   D/control                        where `coffer local restart` finds the running `coffer local`
//   D/lock                           held by the running `coffer local`
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "net/driver/settings.h"

namespace coffer::cli {

inline constexpr const char* default_directory = "coffer-data";

std::string settings_path(const std::string& directory, NodeId node);
std::string log_path(const std::string& directory, NodeId node);

/// What is there, one per node that is not retired, ascending; an empty list when no cluster was ever founded in this
/// directory (or its founding was interrupted: settings of a founder are missing).
Result<std::vector<net::NodeSettings>> load_cluster(const std::string& directory);
/// Every node that has settings in this directory, retired ones too, ascending.
std::vector<NodeId> nodes_made_in(const std::string& directory);
/// One node's settings. Its own directory is relative to D, and is marked as one that may be founded.
Result<void> write_node(const std::string& directory, const net::NodeSettings& settings);
/// The node was replaced: it is part of this cluster's directory no longer. Its data stays where it is.
Result<void> retire_node(const std::string& directory, NodeId node);
/// Free ports for one more node, near those of `others` where possible.
Result<net::NodeAddress> free_address(NodeId node, const std::vector<net::NodeAddress>& others);

/// A block of ports nobody else uses, kept for the life of this object.
class PortBlock {
 public:
  PortBlock() = default;
  ~PortBlock();
  PortBlock(const PortBlock&) = delete;
  PortBlock& operator=(const PortBlock&) = delete;

  /// The first block in which all ports for so many nodes are free. Error: there is none.
  Result<void> take_free(std::uint32_t nodes);
  /// The block these settings use. Error: it is in use.
  Result<void> take_again(const std::vector<net::NodeSettings>& cluster);
  std::uint16_t offset() const { return offset_; }

 private:
  bool reserve(std::uint16_t offset);
  int fd_ = -1;
  std::uint16_t offset_ = 0;
};

/// Chooses identities and the ports of `block`, and writes every node's settings.
Result<std::vector<net::NodeSettings>> found_cluster(const std::string& directory, std::uint32_t nodes,
                                                     std::uint32_t shards, ledger::Protocol protocol,
                                                     const PortBlock& block);

}  // namespace coffer::cli
