// A new node for a cluster that exists: what it has to know, its settings, and its way into every shard in the place of
// another. Each step may be repeated: whoever was interrupted goes on where it stopped.
#pragma once

#include <functional>
#include <string>

#include "core/base/result.h"
#include "net/client/membership.h"
#include "net/driver/settings.h"

namespace coffer::cli {

/// What members say of the cluster: `cluster_of` is the directory of a `coffer local` or the admin address of a node
/// ("127.0.0.1:6081"). At least one node must answer. `nodes` has everybody, `founders` is filled.
Result<net::NodeSettings> describe_cluster(const std::string& cluster_of);

/// The settings of the node that replaces `gone`: those in `home` if it was made before, else new ones with a number
/// and a uuid nobody ever had, written to `home`. Error: `gone` is not of this cluster.
Result<net::NodeSettings> make_replacement(const std::string& home, const net::NodeSettings& cluster, NodeId gone);

/// Has every shard take `settings.node` for `settings.replaces`. `say` gets a line per shard that is done. Blocking.
Result<void> take_over(const net::NodeSettings& settings, const net::GoOn& go_on,
                       const std::function<void(const std::string&)>& say);

}  // namespace coffer::cli
