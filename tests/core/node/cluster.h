// A cluster of nodes in one process for tests of the wiring: virtual time, a network and disks without latency, all of
// it deterministic and under the test's control. Frames go through the real codec. What must hold in every test is
// checked on the way: nothing that needs a sync leaves before it, no node spins, committed entries agree.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/hash.h"
#include "core/node/node.h"
#include "core/node/peer_frame.h"
#include "core/router/protocol.h"

namespace coffer::node {

inline constexpr Currency usd = currency_of("USD");

TransferId id_of(std::uint64_t number);

class Cluster {
 public:
  explicit Cluster(std::uint32_t shards, std::uint64_t seed = 1, const Tuning& tuning = {});

  // ---- time -------------------------------------------------------------------------------------------------------
  Now now() const;
  /// Lets time pass; whatever is due or has arrived is done on the way.
  void run(Duration duration);
  /// Stops as soon as `done`, at the latest after `limit`. Whether it became true.
  bool run_until(const std::function<bool()>& done, Duration limit = seconds(10));
  /// Until every shard has a leader that serves, and all running nodes agree on it.
  bool run_until_led(Duration limit = seconds(10));

  // ---- processes --------------------------------------------------------------------------------------------------
  /// As by kill -9: what was not executed on the disk is lost.
  void stop(NodeId node);
  void start(NodeId node);
  bool is_running(NodeId node) const { return member(node).node != nullptr; }
  const Node& node(NodeId node) const { return *member(node).node; }
  /// Why the node stopped itself; empty unless it did.
  const std::string& fatal(NodeId node) const { return member(node).fatal; }

  // ---- network ----------------------------------------------------------------------------------------------------
  /// Nothing passes between this node and the others, and nobody is told.
  void isolate(NodeId node);
  void heal();
  /// Sections for which this says true are lost on the way.
  std::function<bool(NodeId from, NodeId to, const Section& section)> loses;
  /// Changes frames on their way. From then on replicas may disagree, and requests may stay without an answer.
  std::function<void(Bytes& frame)> tampers;
  /// Puts a frame into a node's next step, as if `from` had sent it.
  void inject(NodeId from, NodeId to, Bytes frame);
  /// Steps whoever has inputs, until nobody has; time stands still.
  void settle();
  /// Keeps every frame that is sent, up to `frames_max`.
  void record_frames(std::size_t frames_max) { recorded_max_ = frames_max; }
  const std::vector<Bytes>& recorded() const { return recorded_; }
  std::uint64_t sent_after_sync() const { return sent_after_sync_; }

  // ---- disks ------------------------------------------------------------------------------------------------------
  /// Operations wait, unexecuted, until released.
  void hold_io(NodeId node) { member(node).holds_io = true; }
  void release_io(NodeId node);
  /// The next operation and all later ones fail.
  void fail_io(NodeId node) { member(node).fails_io = true; }
  /// While full, no file grows: operations that want it answer `no_space`.
  void set_full(NodeId node, bool full) { member(node).is_full = full; }

  /// The node's files as they are; while it is stopped, others may take their place.
  std::map<std::string, Bytes>& disk(NodeId node) { return member(node).files; }

  // ---- clients ----------------------------------------------------------------------------------------------------
  /// Hands a request to a node; returns its number.
  std::uint64_t ask(NodeId via, const router::Request& request);
  std::uint64_t ask(NodeId via, Bytes body);
  /// Nothing while unanswered.
  std::optional<router::Reply> reply(std::uint64_t number) const;
  /// Asks and runs until the answer is there. Requires: it comes (checked).
  router::Reply call(NodeId via, const router::Request& request);

  // ---- what tests look at -----------------------------------------------------------------------------------------
  const Config& config(NodeId node) const { return member(node).config; }
  /// Takes effect when the node starts next.
  Tuning& tuning(NodeId node) { return member(node).config.tuning; }
  std::vector<NodeId> nodes() const;
  ShardId shard_of(std::string_view account) const;
  /// A name with this prefix that lives on this shard.
  std::string name_on(ShardId shard, const std::string& prefix) const;
  /// The running node that leads the shard in the latest term and serves there; nobody if none.
  NodeId leader(ShardId shard) const;
  std::uint64_t traced(TraceKind kind) const;
  /// Every replica of every shard has the same state, money is conserved, and nothing is on its way. Says what is
  /// wrong.
  std::string settled_wrong() const;

 private:
  struct Arrived {
    Input input;
    Bytes bytes = {};  ///< what the input's view points into
  };
  struct Gated {
    std::uint64_t through;  ///< io tokens up to here must have returned ok
    std::vector<Send> sends;
  };
  struct Member {
    Config config;
    std::unique_ptr<Node> node;
    std::uint64_t starts = 0;
    Instant wake_at = never;
    std::vector<Arrived> inbox;
    Effects effects;
    std::map<std::string, Bytes> files;
    std::deque<IoOp> waiting_io;
    bool holds_io = false;
    bool fails_io = false;
    bool is_full = false;
    std::uint64_t last_token = 0;
    std::set<std::uint64_t> unfinished;  ///< io tokens that have not returned ok
    std::deque<Gated> gated;
    std::string fatal;
    std::set<std::uint64_t> asked;  ///< client requests without an answer
  };
  Member& member(NodeId node) { return members_.at(node); }
  const Member& member(NodeId node) const { return members_.at(node); }

  void step(NodeId id);
  void execute(NodeId id);
  void execute_io(Member& member);
  static bool grows(const Member& member, const IoOp& op, std::size_t bytes);
  IoInput execute(Member& member, const IoOp& op) const;
  void release_sends(NodeId id);
  void send(NodeId from, const Send& send);
  void note(NodeId id);
  static void check_may_leave_at_once(const Send& send);

  std::map<NodeId, Member> members_;
  std::set<std::pair<NodeId, NodeId>> cut_;
  Instant now_ = Instant{} + seconds(100);
  std::uint64_t seed_;
  std::uint64_t last_request_ = 0;
  std::map<std::uint64_t, router::Reply> replies_;
  std::map<TraceKind, std::uint64_t> traced_;
  std::map<std::pair<ShardId, Index>, Hash128> committed_;
  std::size_t recorded_max_ = 0;
  std::vector<Bytes> recorded_;
  std::uint64_t sent_after_sync_ = 0;
};

// ---- requests as clients make them
// ------------------------------------------------------------------------------------

/// Views in the request point to the arguments.
router::Request opening(std::string_view account);
router::Request deposit(std::uint64_t id, std::string_view account, std::int64_t minor);
router::Request withdrawal(std::uint64_t id, std::string_view account, std::int64_t minor);
router::Request transfer(std::uint64_t id, std::string_view debit, std::string_view credit, std::int64_t minor);
router::Request balance(std::string_view account, router::Consistency consistency = router::Consistency::linearizable);
router::Request transfer_status(std::uint64_t id, std::string_view account);
router::Request trial_balance();
/// The same request for the leader of `shard` on the asked node only.
router::Request direct(router::Request request, ShardId shard);

/// The only result of a reply to a request with one transfer.
router::TransferResult result_of(const router::Reply& reply);
/// The balance in a reply; minus one when it holds none.
std::int64_t balance_of(const router::Reply& reply);

}  // namespace coffer::node
