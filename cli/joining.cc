#include "cli/joining.h"

#include <algorithm>
#include <filesystem>

#include "cli/cluster_files.h"
#include "net/client/http_get.h"
#include "net/driver/clock.h"

namespace coffer::cli {

namespace {

constexpr Duration answer_patience = seconds(2);

Result<net::NodeSettings> ask_member(const net::Endpoint& admin) {
  const Result<std::string> body = net::http_get(admin, "/v1/admin/cluster", answer_patience);
  return body.has_error() ? Result<net::NodeSettings>(body.error()) : net::parse_settings(*body);
}

/// What one member knows and the others do not is known too.
void merge(net::NodeSettings& all, const net::NodeSettings& more) {
  for (const net::NodeAddress& address : more.nodes) {
    const auto place = std::lower_bound(all.nodes.begin(), all.nodes.end(), address,
                                        [](const auto& a, const auto& b) { return a.node < b.node; });
    if (place == all.nodes.end() || place->node != address.node) {
      all.nodes.insert(place, address);
    }
  }
}

const net::NodeAddress* find(const std::vector<net::NodeAddress>& nodes, NodeId node) {
  const auto found = std::find_if(nodes.begin(), nodes.end(), [&](const auto& a) { return a.node == node; });
  return found == nodes.end() ? nullptr : &*found;
}

}  // namespace

Result<net::NodeSettings> describe_cluster(const std::string& cluster_of) {
  std::vector<net::Endpoint> members;
  if (const Result<net::Endpoint> address = net::parse_endpoint(cluster_of); address.has_value()) {
    members.push_back(*address);
  } else {
    const Result<std::vector<net::NodeSettings>> cluster = load_cluster(cluster_of);
    if (cluster.has_error()) {
      return cluster.error();
    }
    for (const net::NodeSettings& node : *cluster) {
      members.push_back(node.self().admin);
    }
  }
  if (members.empty()) {
    return error(ErrorCode::io, "there is no cluster in " + cluster_of +
                                    "; name the directory of a `coffer local`, or the admin address of a node that "
                                    "runs, such as 127.0.0.1:6081");
  }
  Result<net::NodeSettings> known = error(ErrorCode::io, "nobody was asked");
  for (const net::Endpoint& member : members) {
    Result<net::NodeSettings> told = ask_member(member);
    if (known.has_value() && told.has_value() && told->cluster == known->cluster) {
      merge(*known, *told);
    } else if (known.has_error()) {
      known = std::move(told);
    }
  }
  if (known.has_error()) {
    return error(known.error().code, "no node of " + cluster_of + " answers (" + known.error().what +
                                         "); a majority of the cluster must run for a node to join");
  }
  return known;
}

Result<net::NodeSettings> make_replacement(const std::string& home, const net::NodeSettings& cluster, NodeId gone) {
  const std::vector<NodeId> made = nodes_made_in(home);
  for (const NodeId node : made) {
    Result<net::NodeSettings> settings = net::load_settings(settings_path(home, node));
    if (settings.has_value() && settings->replaces == gone && settings->cluster == cluster.cluster) {
      return settings;
    }
  }
  if (find(cluster.nodes, gone) == nullptr) {
    return error(ErrorCode::malformed, "node " + std::to_string(gone.value) +
                                           " is not one of this cluster (see `coffer "
                                           "status`)");
  }
  NodeId last = cluster.nodes.back().node;
  last = made.empty() ? last : std::max(last, made.back());
  const Result<net::NodeAddress> address = free_address(last.next(), cluster.nodes);
  if (address.has_error()) {
    return address.error();
  }
  net::NodeSettings settings = cluster;
  settings.node = address->node;
  settings.directory = "node-" + std::to_string(address->node.value);
  settings.nodes.push_back(*address);
  settings.replaces = gone;
  settings.learned.clear();
  std::error_code failed;
  std::filesystem::create_directories(home, failed);
  const Result<void> written = write_node(home, settings);
  return written.has_error() ? Result<net::NodeSettings>(written.error())
                             : net::load_settings(settings_path(home, settings.node));
}

Result<void> take_over(const net::NodeSettings& settings, const net::GoOn& go_on,
                       const std::function<void(const std::string&)>& say) {
  net::ClientConfig config{.targets = net::targets_of(settings), .shards = settings.shards};
  net::Client client(config);
  for (std::uint32_t number = 1; number <= settings.shards; ++number) {
    const ShardId shard(number);
    std::optional<router::NodeStatusReply::Shard> led = net::led_shard(client, config.targets, shard);
    while (!led && go_on()) {
      client.run_some(milliseconds(100));
      led = net::led_shard(client, config.targets, shard);
    }
    if (!led || led->voters.empty()) {
      return error(ErrorCode::io, "shard " + std::to_string(number) + " has no leader that says who its voters are");
    }
    const Result<void> done =
        net::reconfigure(client, shard, net::replaced(led->voters, settings.replaces, settings.node), go_on);
    if (done.has_error()) {
      return done;
    }
    say("shard " + std::to_string(number) + ": node " + std::to_string(settings.node.value) +
        " votes instead of node " + std::to_string(settings.replaces.value));
  }
  return {};
}

}  // namespace coffer::cli
