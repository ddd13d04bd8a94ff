// Changing who replicates and who leads a shard, from a client's side: ask the leader, and ask again until it is done.
// Every question may be repeated at will (core/router/protocol.h), so nothing is lost when an answer is.
// Threading: the Client's.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "core/base/result.h"
#include "net/client/client.h"

namespace coffer::net {

/// The shard as its leader sees it (of several that claim to lead, the one of the highest term); nothing while none
/// says so.
std::optional<router::NodeStatusReply::Shard> led_shard(Client& client, const std::vector<ClientTarget>& targets,
                                                        ShardId shard);

/// Asked between two attempts whether to make another.
using GoOn = std::function<bool()>;

/// Until exactly these voters are in use and committed. Error: refused for good, or given up (says what stood in the
/// way last).
Result<void> reconfigure(Client& client, ShardId shard, std::vector<NodeId> voters, const GoOn& go_on);
/// Until `to` leads.
Result<void> transfer_leadership(Client& client, ShardId shard, NodeId to, const GoOn& go_on);

/// `voters` with `gone` replaced by `coming`, ascending; either may be nobody, or already so.
std::vector<NodeId> replaced(std::vector<NodeId> voters, NodeId gone, NodeId coming);

}  // namespace coffer::net
