#include "sim/run/operator.h"

#include <algorithm>
#include <utility>

#include "core/base/check.h"
#include "core/router/protocol.h"

namespace coffer::sim {

namespace {

constexpr std::uint32_t patience_ms = 1000;
constexpr Duration pause_between = milliseconds(50);

router::Request request_of(const Order& order) {
  router::Request request;
  request.header.shard = order.shard;
  request.header.patience_ms = patience_ms;
  switch (order.kind) {
    case Order::Kind::reconfigure:
      request.header.kind = router::RequestKind::reconfigure;
      request.body = router::ReconfigureRequest{order.voters};
      break;
    case Order::Kind::transfer:
      request.header.kind = router::RequestKind::transfer_leadership;
      request.body = router::TransferLeadershipRequest{order.to};
      break;
  }
  return request;
}

bool is_finished(const router::Reply& reply) {
  if (const auto* reconfigured = std::get_if<router::ReconfigureReply>(&reply.body)) return reconfigured->finished;
  const auto* transferred = std::get_if<router::TransferLeadershipReply>(&reply.body);
  return transferred != nullptr && transferred->finished;
}

std::string text(const Order& order) {
  std::string text = "shard " + std::to_string(order.shard.value);
  if (order.kind == Order::Kind::transfer) return text + " shall be led by node " + std::to_string(order.to.value);
  text += " shall have the voters";
  for (const NodeId node : order.voters) text += " " + std::to_string(node.value);
  return text;
}

}  // namespace

Operator::Operator(Cluster& cluster, std::uint32_t number, Duration attempt_timeout, const router::ShardMap& map,
                   std::uint64_t seed, Orders& orders, Onlookers& onlookers)
    : cluster_(cluster),
      client_(cluster, number, attempt_timeout, map, seed),
      orders_(orders),
      onlookers_(onlookers),
      last_op_(static_cast<std::uint64_t>(number) << 32) {}

const Order& Operator::next() const {
  const auto& open = orders_.open();
  const auto later = std::find_if(open.begin(), open.end(), [&](const Order& order) { return order.number > asked_; });
  return later == open.end() ? open.front() : *later;
}

void Operator::go_on() {
  if (client_.state() != SimClient::State::idle || orders_.open().empty()) return;
  const Order& order = next();
  asked_ = order.number;
  client_.think({pause_between, ++last_op_, router::encode(request_of(order))});
}

void Operator::on_event(const Event& event) {
  switch (event.kind) {
    case EventKind::client_call: {
      const auto request = router::decode_request(client_.request());
      check(request.has_value(), "an operator's requests follow the grammar");
      onlookers_.call(cluster_.now(), client_.number(), client_.op(), *request);
      told(client_.call());
      break;
    }
    case EventKind::client_wake:
      told(client_.on_wake(event));
      break;
    case EventKind::client_disconnect:
      told(client_.on_disconnect(event));
      break;
    case EventKind::deliver:
      told(client_.on_packet(event));
      break;
    case EventKind::io_done:
    case EventKind::step:
    case EventKind::wake:
    case EventKind::boot:
    case EventKind::peer_up:
    case EventKind::peer_down:
    case EventKind::link_down:
    case EventKind::strike:
    case EventKind::heal:
    case EventKind::tick:
    case EventKind::effects:
      check(false, "what happens at the operator's endpoint happens to a client");
  }
}

void Operator::told(const SimClient::Answers& answers) {
  for (const Bytes& bytes : answers) {
    const auto reply = router::decode_reply(bytes);
    check(reply.has_value(), "a router's answers follow the grammar");
    onlookers_.told(cluster_.now(), client_.number(), client_.op(), *reply);
    if (reply->status == Outcome::success && is_finished(*reply)) orders_.finish(asked_);
    if (reply->status == Outcome::malformed) orders_.call_off(asked_);  // it has no vote, so it cannot lead
  }
}

std::string Operator::wants() const {
  std::string all;
  for (const Order& order : orders_.open()) all += (all.empty() ? "" : ", ") + text(order);
  return all;
}

}  // namespace coffer::sim
