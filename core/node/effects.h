// The seam: everything a node may learn (Input) and everything it may cause (Effects). Two drivers execute the same
// effects: net on sockets, files and clocks; sim in a world made from a seed. The node cannot tell which.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/entry.h"
#include "core/base/ids.h"
#include "core/base/io.h"
#include "core/base/time.h"
#include "core/base/trace.h"

namespace coffer::node {

/// A framed message from another node (core/base/frame.h). The driver has authenticated `from`.
struct MessageInput {
  NodeId from;
  ByteView bytes;  ///< one whole frame; valid until the step ends
};
/// The link to a peer came up or went down. Messages may be lost at every change.
struct PeerInput {
  NodeId peer;
  bool up;
};
/// A client's request: the payload of a client frame (core/router/protocol.h). A number that this client used before is
/// taken for a repetition on the way and ignored, so each request of a connection needs its own.
struct RequestInput {
  ClientId client;
  RequestId request;
  ByteView bytes;
};
/// A client's connection is gone: its replies may be dropped; its requests still run.
struct GoneInput {
  ClientId client;
};
/// The result of one io effect.
struct IoInput {
  IoToken token;
  IoStatus status;
  SharedBytes bytes = {};  ///< read only
};

using Input = std::variant<MessageInput, PeerInput, RequestInput, GoneInput, IoInput>;

/// One frame for one peer. Best effort: drivers may drop, and reconnect by themselves.
struct Send {
  NodeId to;
  SharedBytes frame;
};
/// The answer to one request: the payload of a client frame.
struct Reply {
  ClientId client;
  RequestId request;
  Bytes bytes;
};
/// One entry became committed on this replica, in index order: the golden source of read models and oracles.
struct Committed {
  ShardId shard;
  Index index;
  Term term;
  SharedBytes payload;
  EntryKind kind = EntryKind::state;
};

/// Out-parameter of Node::step; the driver executes, then clears it (capacity is kept).
struct Effects {
  std::vector<IoOp> io;  ///< executed in order within each lane (core/base/io.h)
  std::vector<Send> send_now;
  std::vector<Send> send_after_sync;  ///< only when all io of the stream lane (but reservations) up to this
                                      ///< step has returned ok
  std::vector<Reply> replies;
  std::vector<Committed> committed;
  std::vector<TraceEvent> trace;
  /// The node's vector time at the end of the step, ascending by node; the events of one step differ in Lamport time
  /// only. e happened before f iff e's own component is known to f's node (Fidge, Mattern 1988).
  std::vector<std::pair<NodeId, std::uint64_t>> vector_time;
  Instant wake_at = never;  ///< step again at this monotonic time even without input
  /// Set when the node can never continue (poisoned disk, corrupt files): the driver must stop it and tell the
  /// operator.
  std::string fatal;

  void clear() {
    io.clear();
    send_now.clear();
    send_after_sync.clear();
    replies.clear();
    committed.clear();
    trace.clear();
    vector_time.clear();
    wake_at = never;
    fatal.clear();
  }
};

}  // namespace coffer::node
