// The grammar of a configuration. Numbers are little-endian.
//
//   configuration := nodes nodes nodes                 voters, outgoing, learners
//   nodes         := count u8 | node u32 [count]       ascending, none 0
//
// Voters are not empty, learners are neither voters nor outgoing, and all together are at most members_max.
#include "core/raft/configuration.h"

#include <algorithm>

#include "core/base/check.h"

namespace coffer::raft {
namespace {

bool has(const std::vector<NodeId>& nodes, NodeId node) { return std::binary_search(nodes.begin(), nodes.end(), node); }

bool ascend(const std::vector<NodeId>& nodes) {
  const bool strictly =
      std::adjacent_find(nodes.begin(), nodes.end(), [](NodeId a, NodeId b) { return a >= b; }) == nodes.end();
  return strictly && (nodes.empty() || nodes.front() != nobody);
}

void encode(const std::vector<NodeId>& nodes, ByteWriter& out) {
  out.u8(static_cast<std::uint8_t>(nodes.size()));
  for (const NodeId node : nodes) {
    out.id(node);
  }
}

std::vector<NodeId> decode_nodes(ByteReader& in) {
  const std::uint8_t count = in.u8();
  if (count > members_max) {
    in.fail();
    return {};
  }
  std::vector<NodeId> nodes;
  nodes.reserve(count);
  for (std::uint8_t i = 0; i < count && in.ok(); ++i) {
    nodes.push_back(in.id<NodeId>());
  }
  return nodes;
}

}  // namespace

bool Configuration::is_voter(NodeId node) const { return has(voters, node) || has(outgoing, node); }

bool Configuration::contains(NodeId node) const { return is_voter(node) || has(learners, node); }

std::vector<NodeId> Configuration::members() const {
  std::vector<NodeId> all = voters;
  all.insert(all.end(), outgoing.begin(), outgoing.end());
  all.insert(all.end(), learners.begin(), learners.end());
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

bool well_formed(const Configuration& configuration) {
  const auto& learners = configuration.learners;
  return !configuration.voters.empty() && ascend(configuration.voters) && ascend(configuration.outgoing) &&
         ascend(learners) && configuration.members().size() <= members_max &&
         std::none_of(learners.begin(), learners.end(), [&](NodeId node) { return configuration.is_voter(node); });
}

void encode(const Configuration& configuration, ByteWriter& out) {
  check(well_formed(configuration), "only a well-formed configuration is written");
  encode(configuration.voters, out);
  encode(configuration.outgoing, out);
  encode(configuration.learners, out);
}

Bytes encode(const Configuration& configuration) {
  Bytes bytes;
  ByteWriter out(bytes);
  encode(configuration, out);
  return bytes;
}

Configuration decode_configuration(ByteReader& in) {
  Configuration configuration;
  configuration.voters = decode_nodes(in);
  configuration.outgoing = decode_nodes(in);
  configuration.learners = decode_nodes(in);
  if (!in.ok() || !well_formed(configuration)) {
    in.fail();
    return {};
  }
  return configuration;
}

Result<Configuration> decode_configuration(ByteView bytes) {
  ByteReader in(bytes);
  Configuration configuration = decode_configuration(in);
  if (!in.done()) {
    return error(ErrorCode::malformed, "the bytes are no configuration of a group");
  }
  return configuration;
}

}  // namespace coffer::raft
