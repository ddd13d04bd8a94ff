#include "net/client/membership.h"

#include <algorithm>
#include <string>
#include <utility>

#include "core/shard/observation.h"

namespace coffer::net {

namespace {

constexpr Duration look_patience = milliseconds(800);
constexpr std::uint32_t ask_patience_ms = 2000;
constexpr Duration pause = milliseconds(100);

bool is_finished(const router::Reply& reply) {
  if (const auto* reconfigured = std::get_if<router::ReconfigureReply>(&reply.body)) {
    return reconfigured->finished;
  }
  const auto* transferred = std::get_if<router::TransferLeadershipReply>(&reply.body);
  return transferred != nullptr && transferred->finished;
}

std::string name_of(ShardId shard) { return "shard " + std::to_string(shard.value); }

/// Whether this answer may become another one by itself.
bool may_pass(Outcome status) {
  return is_retryable(status) || status == Outcome::success || status == Outcome::unknown ||
         status == Outcome::change_under_way;
}

std::string what_stands_in_the_way(Outcome status) {
  if (status == Outcome::success) {
    return "the change goes on: followers are still catching up";
  }
  if (status == Outcome::change_under_way) {
    return "another change of its members or leader has to end first, or a node named is not known there (see `coffer "
           "status`)";
  }
  return std::string(name(status));
}

std::string why_refused(Outcome status) {
  return status == Outcome::malformed
             ? "there is no such shard, or the node to lead is no voter of it (see `coffer status`)"
             : std::string(name(status));
}

Result<void> ask_until_finished(Client& client, const router::Request& request, const GoOn& go_on) {
  for (;;) {
    const router::Reply reply = client.ask(request);
    if (reply.status == Outcome::success && is_finished(reply)) {
      return {};
    }
    if (!may_pass(reply.status)) {
      return error(ErrorCode::unsupported, name_of(request.header.shard) + " refuses: " + why_refused(reply.status));
    }
    if (!go_on()) {
      return error(ErrorCode::io, name_of(request.header.shard) + ": " + what_stands_in_the_way(reply.status));
    }
    client.run_some(pause);
  }
}

router::RequestHeader header_for(router::RequestKind kind, ShardId shard) {
  return {.kind = kind,
          .route = router::Route::proxied,
          .shard = shard,
          .patience_ms = ask_patience_ms,
          .tenant = {},
          .principal = {}};
}

}  // namespace

std::optional<router::NodeStatusReply::Shard> led_shard(Client& client, const std::vector<ClientTarget>& targets,
                                                        ShardId shard) {
  std::optional<router::NodeStatusReply::Shard> led;
  for (const auto& node : ask_status(client, targets, look_patience)) {
    if (!node) {
      continue;
    }
    for (const router::NodeStatusReply::Shard& seen : node->shards) {
      const bool leads = seen.shard == shard && seen.role == static_cast<std::uint8_t>(shard::Role::leader);
      if (leads && (!led || led->term < seen.term)) {
        led = seen;
      }
    }
  }
  return led;
}

Result<void> reconfigure(Client& client, ShardId shard, std::vector<NodeId> voters, const GoOn& go_on) {
  return ask_until_finished(client,
                            {.header = header_for(router::RequestKind::reconfigure, shard),
                             .body = router::ReconfigureRequest{std::move(voters)}},
                            go_on);
}

Result<void> transfer_leadership(Client& client, ShardId shard, NodeId to, const GoOn& go_on) {
  return ask_until_finished(client,
                            {.header = header_for(router::RequestKind::transfer_leadership, shard),
                             .body = router::TransferLeadershipRequest{to}},
                            go_on);
}

std::vector<NodeId> replaced(std::vector<NodeId> voters, NodeId gone, NodeId coming) {
  std::erase(voters, gone);
  std::erase(voters, coming);
  if (coming != nobody) {
    voters.insert(std::lower_bound(voters.begin(), voters.end(), coming), coming);
  }
  return voters;
}

}  // namespace coffer::net
