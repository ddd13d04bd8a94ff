#include "tests/core/node/cluster.h"

#include <algorithm>

#include "core/base/check.h"
#include "core/base/codec.h"
#include "core/base/frame.h"
#include "core/raft/messages.h"
#include "core/router/shard_map.h"

namespace coffer::node {

namespace {

constexpr std::uint32_t node_count = 3;
constexpr WallTime wall_at_start{1'700'000'000'000'000'000};
constexpr int steps_per_instant_max = 20'000;

Uuid uuid_of(std::uint8_t number) {
  Uuid uuid;
  uuid.bytes[15] = number;
  return uuid;
}

router::Request request_of(router::RequestKind kind, router::RequestBody body) {
  router::Request request;
  request.header.kind = kind;
  request.body = std::move(body);
  return request;
}

router::Request one_transfer(router::TransferOperation operation, std::uint64_t id, std::string_view debit,
                             std::string_view credit, std::int64_t minor) {
  return request_of(router::RequestKind::transfers,
                    router::TransfersRequest{{{operation, usd, minor, id_of(id), debit, credit}}});
}

}  // namespace

TransferId id_of(std::uint64_t number) {
  TransferId id;
  for (std::size_t i = 0; i < 8; ++i) id.bytes[15 - i] = static_cast<std::uint8_t>(number >> 8 * i);
  return id;
}

Cluster::Cluster(std::uint32_t shards, std::uint64_t seed, const Tuning& tuning) : seed_(seed) {
  std::vector<NodeId> ids;
  for (std::uint32_t i = 1; i <= node_count; ++i) ids.push_back(NodeId(i));
  for (const NodeId id : ids) {
    Config& config = members_[id].config;
    config.identity = {uuid_of(1), id, uuid_of(static_cast<std::uint8_t>(100 + id.value)), 1};
    config.nodes = ids;
    config.shards = even_shards(shards, ids);
    config.tuning = tuning;
    config.tuning.segment_size = 1u << 20;
    config.may_found = true;
  }
  for (const NodeId id : ids) start(id);
}

// ---- time -----------------------------------------------------------------------------------------------------------

Now Cluster::now() const {
  const Duration since_start = now_ - Instant{};
  return {now_, WallTime{wall_at_start.nanos + since_start.nanos}, milliseconds(1)};
}

void Cluster::run(Duration duration) {
  run_until([] { return false; }, duration);
}

bool Cluster::run_until(const std::function<bool()>& done, Duration limit) {
  const Instant end = now_ + limit;
  for (;;) {
    settle();
    if (done()) return true;
    if (now_ >= end) return false;
    Instant next = end;
    for (const auto& [id, member] : members_) {
      if (member.node) next = std::min(next, member.wake_at);
    }
    now_ = next;
  }
}

bool Cluster::run_until_led(Duration limit) {
  return run_until(
      [&] {
        for (const ShardConfig& shard : members_.begin()->second.config.shards) {
          const NodeId leads = leader(shard.shard);
          for (const auto& [id, member] : members_) {
            const bool agrees = !member.node || member.node->observe(shard.shard).leader == leads;
            if (leads == nobody || !agrees) return false;
          }
        }
        return true;
      },
      limit);
}

void Cluster::settle() {
  for (int steps = 0;; ++steps) {
    check(steps < steps_per_instant_max, "nodes come to rest");
    NodeId ready = nobody;
    for (const auto& [id, member] : members_) {
      if (member.node && (!member.inbox.empty() || member.wake_at <= now_)) {
        ready = id;
        break;
      }
    }
    if (ready == nobody) return;
    step(ready);
  }
}

// ---- processes ------------------------------------------------------------------------------------------------------

void Cluster::stop(NodeId node) {
  Member& stopped = member(node);
  stopped.node.reset();
  stopped.inbox.clear();
  stopped.waiting_io.clear();
  stopped.unfinished.clear();
  stopped.gated.clear();
  stopped.asked.clear();
  stopped.wake_at = never;
  for (auto& [id, other] : members_) {
    if (other.node) other.inbox.push_back({PeerInput{node, false}});
  }
}

void Cluster::start(NodeId node) {
  Member& started = member(node);
  check(!started.node, "a node is stopped before it is started");
  started.holds_io = false;
  started.fails_io = false;
  started.fatal.clear();
  started.last_token = 0;
  started.node = std::make_unique<Node>(started.config, seed_ * 1'000'003 + node.value + 1'000 * started.starts++);
  started.wake_at = now_;
  for (auto& [id, other] : members_) {
    if (id == node || !other.node) continue;
    other.inbox.push_back({PeerInput{node, true}});
    started.inbox.push_back({PeerInput{id, true}});
  }
}

// ---- network --------------------------------------------------------------------------------------------------------

void Cluster::isolate(NodeId node) {
  for (const auto& [id, other] : members_) {
    cut_.insert({id, node});
    cut_.insert({node, id});
  }
}

void Cluster::heal() { cut_.clear(); }

void Cluster::inject(NodeId from, NodeId to, Bytes frame) {
  if (tampers) tampers(frame);
  Arrived arrived{MessageInput{from, {}}, std::move(frame)};
  std::get<MessageInput>(arrived.input).bytes = arrived.bytes;
  member(to).inbox.push_back(std::move(arrived));
}

void Cluster::send(NodeId from, const Send& send) {
  if (recorded_.size() < recorded_max_) recorded_.push_back(*send.frame);
  const auto to = members_.find(send.to);
  check(to != members_.end() && send.to != from, "frames go to other nodes");
  if (!to->second.node || cut_.contains({from, send.to})) return;
  if (!loses) {
    inject(from, send.to, *send.frame);
    return;
  }
  const Result<FrameView> frame = open_frame(*send.frame);
  check(frame.has_value(), "nodes send sound frames");
  bool ok = true;
  PeerFrames kept;
  for (const Section& section : split_sections(frame->payload, ok)) {
    if (!loses(from, send.to, section)) kept.add(send.to, section.kind, section.bytes);
  }
  std::vector<Send> sends;
  kept.finish(sends);
  for (const Send& one : sends) inject(from, one.to, *one.frame);
}

/// Votes, requests for real votes and answers to appends say that something is on the disk.
void Cluster::check_may_leave_at_once(const Send& send) {
  const Result<FrameView> frame = open_frame(*send.frame);
  check(frame.has_value(), "nodes send sound frames");
  bool ok = true;
  for (const Section& section : split_sections(frame->payload, ok)) {
    if (section.kind != SectionKind::raft) continue;
    ByteReader in(section.bytes);
    in.u32();
    const raft::Message message = raft::decode_message(in);
    check(in.done(), "nodes send well-formed messages");
    const auto* vote = std::get_if<raft::VoteRequest>(&message);
    const bool promises_nothing = std::holds_alternative<raft::AppendRequest>(message) ||
                                  std::holds_alternative<raft::RecoveryRequest>(message) ||
                                  std::holds_alternative<raft::TimeoutNow>(message);
    const bool may_leave = promises_nothing || (vote != nullptr && vote->pre);
    check(may_leave, "what depends on a sync waits for it");
  }
  check(ok, "nodes send well-formed frames");
}

// ---- one step -------------------------------------------------------------------------------------------------------

void Cluster::step(NodeId id) {
  Member& m = member(id);
  const std::vector<Arrived> arrived = std::exchange(m.inbox, {});
  std::vector<Input> inputs;
  for (const Arrived& one : arrived) inputs.push_back(one.input);
  m.effects.clear();
  m.node->step(now(), inputs, m.effects);
  m.wake_at = m.effects.wake_at;
  execute(id);
}

void Cluster::execute(NodeId id) {
  Member& m = member(id);
  note(id);
  if (!m.effects.fatal.empty()) {
    const std::string fatal = m.effects.fatal;
    check(m.effects.send_now.empty() && m.effects.send_after_sync.empty() && m.effects.replies.empty(),
          "a poisoned node says nothing");
    stop(id);
    m.fatal = fatal;
    return;
  }
  for (IoOp& op : m.effects.io) {
    m.last_token = std::max(m.last_token, op.token.value);
    m.unfinished.insert(op.token.value);
    m.waiting_io.push_back(std::move(op));
  }
  for (const Send& one : m.effects.send_now) {
    check_may_leave_at_once(one);
    send(id, one);
  }
  if (!m.effects.send_after_sync.empty()) {
    m.gated.push_back({m.last_token, std::move(m.effects.send_after_sync)});
  }
  for (const Reply& one : m.effects.replies) {
    check(m.asked.erase(one.request.value) == 1, "each request is answered once");
    const Result<router::Reply> decoded = router::decode_reply(one.bytes);
    check(decoded.has_value(), "replies are well formed");
    replies_[one.request.value] = *decoded;
  }
  execute_io(m);
  release_sends(id);
}

void Cluster::note(NodeId id) {
  Effects& effects = member(id).effects;
  for (const TraceEvent& event : effects.trace) ++traced_[event.kind];
  for (const Committed& entry : effects.committed) {
    Bytes bytes;
    ByteWriter out(bytes);
    out.id(entry.term);
    out.raw(view(entry.payload));
    const auto [known, fresh] = committed_.emplace(std::pair(entry.shard, entry.index), hash128(bytes));
    check(fresh || tampers || known->second == hash128(bytes),
          "what is committed is the same on every replica, for ever");
  }
}

void Cluster::execute_io(Member& m) {
  while (!m.holds_io && !m.waiting_io.empty()) {
    const IoOp op = std::move(m.waiting_io.front());
    m.waiting_io.pop_front();
    IoInput result = m.fails_io ? IoInput{op.token, IoStatus::failed} : execute(m, op);
    if (!m.fails_io) m.unfinished.erase(op.token.value);
    m.inbox.push_back({std::move(result)});
  }
}

bool Cluster::grows(const Member& m, const IoOp& op, std::size_t bytes) {
  const auto file = m.files.find(op.file);
  return file == m.files.end() || file->second.size() < op.offset + bytes;
}

IoInput Cluster::execute(Member& m, const IoOp& op) const {
  IoInput result{op.token, IoStatus::ok};
  switch (op.kind) {
    case IoKind::read: {
      const auto file = m.files.find(op.file);
      if (file == m.files.end()) {
        result.status = IoStatus::not_found;
      } else {
        const ByteView read = range_read(file->second, op);
        result.bytes = std::make_shared<const Bytes>(read.begin(), read.end());
      }
      break;
    }
    case IoKind::write: {
      const ByteView bytes = view(op.bytes);
      if (m.is_full && grows(m, op, bytes.size())) {
        result.status = IoStatus::no_space;
        break;
      }
      Bytes& file = m.files[op.file];
      file.resize(std::max<std::size_t>(file.size(), op.offset + bytes.size()));
      std::copy(bytes.begin(), bytes.end(), file.begin() + static_cast<std::ptrdiff_t>(op.offset));
      break;
    }
    case IoKind::reserve: {
      if (m.is_full && grows(m, op, 0)) {
        result.status = IoStatus::no_space;
        break;
      }
      Bytes& file = m.files[op.file];
      file.resize(std::max<std::size_t>(file.size(), op.offset));
      break;
    }
    case IoKind::sync:
    case IoKind::sync_dir:
      break;
    case IoKind::rename:
      m.files[op.target] = std::move(m.files.at(op.file));
      m.files.erase(op.file);
      break;
    case IoKind::remove:
      m.files.erase(op.file);
      break;
    case IoKind::list: {
      Bytes listing;
      for (const auto& [name, bytes] : m.files) append_name(listing, name);
      result.bytes = std::make_shared<const Bytes>(std::move(listing));
      break;
    }
  }
  return result;
}

void Cluster::release_io(NodeId node) {
  member(node).holds_io = false;
  execute_io(member(node));
  release_sends(node);
}

void Cluster::release_sends(NodeId id) {
  Member& m = member(id);
  while (!m.gated.empty() && (m.unfinished.empty() || *m.unfinished.begin() > m.gated.front().through)) {
    for (const Send& one : m.gated.front().sends) {
      ++sent_after_sync_;
      send(id, one);
    }
    m.gated.pop_front();
  }
}

// ---- clients --------------------------------------------------------------------------------------------------------

std::uint64_t Cluster::ask(NodeId via, const router::Request& request) { return ask(via, router::encode(request)); }

std::uint64_t Cluster::ask(NodeId via, Bytes body) {
  const std::uint64_t number = ++last_request_;
  Arrived arrived{RequestInput{ClientId(1), RequestId(number), {}}, std::move(body)};
  std::get<RequestInput>(arrived.input).bytes = arrived.bytes;
  member(via).asked.insert(number);
  member(via).inbox.push_back(std::move(arrived));
  return number;
}

std::optional<router::Reply> Cluster::reply(std::uint64_t number) const {
  const auto found = replies_.find(number);
  return found == replies_.end() ? std::nullopt : std::optional(found->second);
}

router::Reply Cluster::call(NodeId via, const router::Request& request) {
  const std::uint64_t number = ask(via, request);
  const bool answered = run_until([&] { return replies_.contains(number); }, seconds(60));
  check(answered, "a request is answered, at the latest when its patience ends");
  return replies_.at(number);
}

// ---- what tests look at ---------------------------------------------------------------------------------------------

std::vector<NodeId> Cluster::nodes() const {
  std::vector<NodeId> ids;
  for (const auto& [id, member] : members_) ids.push_back(id);
  return ids;
}

ShardId Cluster::shard_of(std::string_view account) const {
  const std::uint32_t slot = slot_of(default_tenant, account).value;
  for (const ShardConfig& shard : members_.begin()->second.config.shards) {
    if (slot >= shard.first_slot.value && slot < shard.slot_end) return shard.shard;
  }
  check_failed("every slot has an owner");
}

std::string Cluster::name_on(ShardId shard, const std::string& prefix) const {
  std::string name = prefix;
  for (int i = 0; shard_of(name) != shard; ++i) name = prefix + std::to_string(i);
  return name;
}

NodeId Cluster::leader(ShardId shard) const {
  NodeId leads = nobody;
  Term latest;
  for (const auto& [id, member] : members_) {
    if (!member.node || !member.node->ready()) continue;
    const shard::Observation seen = member.node->observe(shard);
    const bool serves = seen.role == shard::Role::leader && seen.position.value > 0 && seen.commit == seen.last;
    if (seen.term >= latest) {
      latest = seen.term;
      if (seen.role == shard::Role::leader) leads = serves ? id : nobody;
    }
  }
  return leads;
}

std::uint64_t Cluster::traced(TraceKind kind) const {
  const auto found = traced_.find(kind);
  return found == traced_.end() ? 0 : found->second;
}

std::string Cluster::settled_wrong() const {
  std::map<std::pair<std::uint32_t, std::uint32_t>, __int128> transit;  // by unordered pair of shards
  for (const ShardConfig& shard : members_.begin()->second.config.shards) {
    const std::string where = "shard " + std::to_string(shard.shard.value) + ": ";
    std::optional<shard::Observation> first;
    for (const auto& [id, member] : members_) {
      if (!member.node) continue;
      shard::Observation seen = member.node->observe(shard.shard);
      if (seen.applied != seen.last || seen.commit != seen.last) return where + "not everything is committed";
      if (!first)
        first = std::move(seen);
      else if (seen.state != first->state || seen.applied != first->applied)
        return where + "replicas differ";
    }
    if (!first) return where + "nobody runs";
    if (first->legs_unanswered > 0) return where + "legs are on their way";
    __int128 sum = 0;
    for (const shard::PocketObservation& pocket : first->pockets) {
      sum += pocket.balance;
      const std::string prefix = "sys:transit:USD:";
      if (pocket.account.starts_with(prefix)) {
        const auto peer = static_cast<std::uint32_t>(std::stoul(pocket.account.substr(prefix.size())));
        transit[std::minmax(peer, shard.shard.value)] += pocket.balance;
      }
    }
    if (sum != 0) return where + "the sum is not zero";
  }
  for (const auto& [pair, sum] : transit) {
    if (sum != 0) return "money is lost between two shards";
  }
  return {};
}

// ---- requests as clients make them ----------------------------------------------------------------------------------

router::Request opening(std::string_view account) {
  return request_of(router::RequestKind::open_account, router::OpenAccountRequest{usd, account});
}

router::Request deposit(std::uint64_t id, std::string_view account, std::int64_t minor) {
  return one_transfer(router::TransferOperation::deposit, id, "", account, minor);
}

router::Request withdrawal(std::uint64_t id, std::string_view account, std::int64_t minor) {
  return one_transfer(router::TransferOperation::withdrawal, id, account, "", minor);
}

router::Request transfer(std::uint64_t id, std::string_view debit, std::string_view credit, std::int64_t minor) {
  return one_transfer(router::TransferOperation::transfer, id, debit, credit, minor);
}

router::Request balance(std::string_view account, router::Consistency consistency) {
  return request_of(router::RequestKind::balance, router::BalanceRequest{consistency, usd, account});
}

router::Request transfer_status(std::uint64_t id, std::string_view account) {
  return request_of(router::RequestKind::transfer_status, router::TransferStatusRequest{id_of(id), account});
}

router::Request trial_balance() {
  return request_of(router::RequestKind::trial_balance, router::TrialBalanceRequest{});
}

router::Request direct(router::Request request, ShardId shard) {
  request.header.route = router::Route::direct;
  request.header.shard = shard;
  return request;
}

router::TransferResult result_of(const router::Reply& reply) {
  const auto* transfers = std::get_if<router::TransfersReply>(&reply.body);
  if (transfers == nullptr) {
    router::TransferResult none;
    none.outcome = reply.status;
    return none;
  }
  check(transfers->results.size() == 1, "the request had one transfer");
  return transfers->results.front();
}

std::int64_t balance_of(const router::Reply& reply) {
  const auto* balance = std::get_if<router::BalanceReply>(&reply.body);
  return balance == nullptr ? -1 : balance->balance;
}

}  // namespace coffer::node
