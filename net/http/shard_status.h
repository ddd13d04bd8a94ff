// What a node tells of one of its replicas, in words: the same over HTTP and from `coffer status`. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/router/protocol.h"

namespace coffer::net {

/// `role`: shard::Role; "?" of a newer node's.
std::string_view role_name(std::uint8_t role);
/// A JSON object.
std::string to_json(const router::NodeStatusReply::Shard& shard);

}  // namespace coffer::net
