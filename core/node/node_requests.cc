// Requests of clients and of other nodes' proxies: to the router or to a shard, and back.
#include <algorithm>
#include <optional>
#include <utility>

#include "core/base/check.h"
#include "core/node/node_state.h"
#include "core/router/peek.h"

namespace coffer::node {

void Node::State::take_request(Now now, const RequestInput& request, Effects& out) {
  const auto peeked = router::peek_header(request.bytes);
  if (peeked && peeked->kind == router::RequestKind::node_status) {
    out.replies.push_back({request.client, request.request, node_status()});
    return;
  }
  if (!requests_seen.first_time(request.client.value, request.request.value)) {
    return;
  }
  if (!serving) {
    router::Reply reply;
    reply.kind = peeked ? peeked->kind : router::RequestKind::transfers;
    reply.status = peeked ? Outcome::no_leader : Outcome::malformed;
    out.replies.push_back({request.client, request.request, router::encode(reply)});
    return;
  }
  if (peeked && peeked->route == router::Route::direct) {
    const shard::Caller caller{nobody, request.client, request.request.value};
    ask(caller, Bytes(request.bytes.begin(), request.bytes.end()), now);
    return;
  }
  const router::Ticket ticket = ++last_ticket;
  proxied.emplace(ticket, Proxied{request.client, request.request});
  router.submit(now.monotonic, ticket, request.bytes, router_out);
}

/// A direct request: this node's replica of the shard answers it, or says who leads.
void Node::State::ask(const shard::Caller& caller, Bytes body, Now now) {
  const auto peeked = router::peek_header(body);
  if (shard::Shard* shard = peeked ? find(peeked->shard) : nullptr) {
    shard->request(now, caller, std::move(body), shard_out);
    return;
  }
  router::Reply reply;
  reply.kind = peeked ? peeked->kind : router::RequestKind::transfers;
  const bool sleeps = peeked && asleep.contains(peeked->shard);
  reply.status = sleeps ? Outcome::no_leader : peeked ? Outcome::wrong_shard : Outcome::malformed;
  shard_out.answers.push_back({caller, std::move(reply)});
}

/// True when something new reached a shard or the router.
bool Node::State::pass_on_router(Now now, Effects& out) {
  router::RouterOutput made = std::exchange(router_out, {});
  name_clients(made.trace);
  for (router::RouterOutput::Attempt& attempt : made.attempts) {
    const NodeId self = config.identity.node;
    if (attempt.to == self) {
      ask({self, {}, attempt.attempt}, std::move(attempt.body), now);
    } else {
      now_frames.add_numbered(attempt.to, SectionKind::forward, attempt.attempt, attempt.body);
    }
  }
  for (router::RouterOutput::Done& done : made.done) {
    const auto found = proxied.find(done.ticket);
    check(found != proxied.end(), "the proxy answers each of its requests once");
    out.replies.push_back({found->second.client, found->second.request, std::move(done.reply)});
    proxied.erase(found);
  }
  out.trace.insert(out.trace.end(), made.trace.begin(), made.trace.end());
  return !made.attempts.empty() || !router_out.attempts.empty() || !router_out.done.empty();
}

/// The router knows tickets; whoever reads the trace wants the client and its request.
void Node::State::name_clients(std::vector<TraceEvent>& events) const {
  for (TraceEvent& event : events) {
    const auto found = proxied.find(event.b);
    if (found != proxied.end()) {
      event.a = found->second.client.value;
      event.b = found->second.request.value;
    }
  }
}

void Node::State::answer(Now now, const shard::Answer& answer, Effects& out) {
  const shard::Caller& caller = answer.caller;
  Bytes body = router::encode(answer.reply);
  if (caller.node == nobody) {
    out.replies.push_back({caller.client, RequestId(caller.id), std::move(body)});
  } else if (caller.node == config.identity.node) {
    router.on_reply(now.monotonic, caller.id, body, router_out);
  } else {
    now_frames.add_numbered(caller.node, SectionKind::forward_reply, caller.id, body);
  }
}

Bytes Node::State::node_status() const {
  router::NodeStatusReply status;
  status.node = config.identity.node;
  status.ready = serving;
  for (const auto& [id, shard] : shards) {
    const shard::Summary seen = shard.summary();
    router::NodeStatusReply::Shard& told = status.shards.emplace_back();
    told.shard = id;
    told.role = static_cast<std::uint8_t>(seen.role);
    told.term = seen.term;
    told.leader = seen.leader;
    told.commit = seen.commit;
    told.last = seen.last;
    told.position = seen.position;
    told.dedup_rows = seen.dedup_rows;
    told.legs_unanswered = seen.legs_unanswered;
    told.base = seen.base;
    told.snapshot = seen.snapshot;
    told.in_doubt = seen.in_doubt;
    told.uncertain = seen.uncertain;
    told.voters = seen.voters;
    told.outgoing = seen.outgoing;
    told.learners = seen.learners;
  }
  router::Reply reply;
  reply.kind = router::RequestKind::node_status;
  reply.body = std::move(status);
  return router::encode(reply);
}

}  // namespace coffer::node
