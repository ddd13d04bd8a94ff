// One client request on its way: its parts (one per shard asked; one in all when a proxy is asked), what the attempts
// of each part have said, and the answer made of it. Knows neither time nor nodes' choice: router.cc has those.
//
// What an answer means (docs/ARCHITECTURE.md, "Outcomes"):
//  - Logged outcomes are final whoever says them, however late.
//  - same_account, reserved_account and malformed depend on nothing but the request: no attempt can ever turn them into
//    success, so they are final too. So is idempotency_payload_mismatch: it says that the log has bound the id to
//    another body, which is for ever; had an earlier attempt executed, the id would be bound to *this* body.
//    And so is change_under_way: it speaks of a moment, and the operator who asked wants to know.
//    And so are hold_captured, hold_voided, hold_expired and hold_exceeded: a hold ends once, for ever, and its amount
//    never changes. Had an earlier attempt to capture or void it executed, this one would have been a repetition.
//    And so is id_expired: no attempt can execute any more, and what an earlier one did nobody knows.
//  - account_not_found, account_not_empty, hold_not_found, id_in_future, id_gap and id_is_numbered speak for their
//    attempt only. Each is final when no other attempt of the part is *open* (sent, and its fate not learned: under
//    way, timed out, cut off) and none said unknown; otherwise the item is asked again.
//  - Everything else is asked again until the deadline, account_busy among it: a lock goes as it came. Then an item
//    that an open attempt carries, or of which some attempt said unknown, is unknown; any other was certainly not
//    executed.
// A final answer is never replaced. Only items without one are sent again: an item already refused to the client must
// not get another chance to execute. `replayed` is what the attempt said that settled the item: after a retry it may
// mean that an earlier attempt of this same request had executed.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/ids.h"
#include "core/base/time.h"
#include "core/router/protocol.h"
#include "core/router/router.h"
#include "core/router/shard_map.h"
#include "core/router/targets.h"
#include "core/router/wire.h"

namespace coffer::router {

/// An attempt whose answer has not come.
struct OpenAttempt {
  std::uint64_t id = 0;
  NodeId to;
  Instant sent;
  std::vector<std::uint32_t> items;  ///< indices into the request, ascending; empty: the whole request
};

/// What is asked of one shard (or proxy), and how far that is.
struct Part {
  ShardId shard;
  bool whole = true;                 ///< all of the request, in order, is unresolved
  std::vector<std::uint32_t> items;  ///< otherwise: the unresolved items, ascending
  std::vector<OpenAttempt> open;     ///< oldest first
  bool doubtful = false;             ///< an attempt's fate will never be learned
  bool overloaded = false;           ///< the last definite refusal of the whole part said so
  bool in_flight = false;            ///< another request with the id of this one, a hold's, was running
  bool busy = false;                 ///< the last definite refusal said so: a capture met a lock
  bool settled = false;

  // The schedule, kept by router.cc.
  bool waiting = false;  ///< the newest open attempt is under way; otherwise resting
  Instant due;           ///< when the attempt times out, or the rest ends
  NodeId next;           ///< whom to ask after the rest, if no leader is known by then; nobody: no preference
  bool rotate = false;   ///< ask `next` even if a leader is known
  Suspicion suspicion;   ///< the node that let this part down last
  std::uint32_t attempts = 0;
  std::uint32_t hops = 0;   ///< attempts made without a rest between them
  std::uint32_t rests = 0;  ///< consecutive rests, for doubling
};

/// How a reply was understood.
struct Answer {
  ReplyHeader header;
  Outcome said = Outcome::unknown;  ///< of the whole request: the status, or the result of one hold
  ResultsView results;              ///< transfers with status success
  ByteView bytes;
};

class PendingRequest {
 public:
  /// Nothing when malformed, or not for a router.
  static std::optional<PendingRequest> make(Mode mode, const ShardMap& map, ByteView body);

  const RequestHeader& header() const { return header_; }
  std::vector<Part>& parts() { return parts_; }
  const std::vector<Part>& parts() const { return parts_; }
  /// Any replica may answer.
  bool any_replica() const { return any_replica_; }
  /// The part's first unresolved item's id; for traces.
  TransferId first_id(const Part& part);

  /// The encoded request for the part's unresolved items.
  Bytes attempt_body(const Part& part, Route route, std::uint32_t patience_ms);

  /// Reads a reply to `attempt`. Nothing when it breaks the grammar or answers something else.
  std::optional<Answer> understand(const OpenAttempt& attempt, ByteView reply) const;

  enum class Progress : std::uint8_t {
    again,     ///< the part must be asked again
    settled,   ///< the part has ended
    answered,  ///< the request has: answer() may be taken
  };
  /// Takes an answer into account. Requires: `attempt` was removed from part.open.
  Progress absorb(Part& part, const OpenAttempt& attempt, const Answer& answer);
  /// The reply for the client. Requires: absorb() returned answered.
  Bytes answer() { return std::move(answer_); }
  struct GivenUp {
    Bytes reply;
    bool unknown = false;  ///< something may have executed; the first of it is named:
    ShardId shard;
    TransferId transfer;
  };
  /// The reply for the client at the deadline.
  GivenUp give_up();

  Instant deadline;
  Instant wake;  ///< its place among the timers

 private:
  PendingRequest(const RequestHeader& header, ByteView body);
  void plan(Mode mode, const ShardMap& map, const Request& request);
  bool plan_transfers(Mode mode, const ShardMap& map);
  void split_transfers(const ShardMap& map, std::uint32_t items_before);
  Part& part_of(ShardId shard);
  void start_results();
  const std::vector<std::uint32_t>& offsets();

  Progress absorb_transfers(Part& part, const OpenAttempt& attempt, const Answer& answer);
  Progress absorb_write(Part& part, const Answer& answer);
  Progress absorb_read(Part& part, const Answer& answer);
  void absorb_item(std::uint32_t item, const TransferResult& result, bool other_open);
  Progress settle(Part& part);
  void give_up_items(Part& part, GivenUp& given_up);
  Bytes merged();
  Outcome told_at_deadline(const Part& part, std::uint8_t marks) const;

  Bytes body_;
  RequestHeader header_;
  bool any_replica_ = false;
  std::vector<Part> parts_;
  Bytes answer_;

  // transfers
  std::uint32_t items_ = 0;
  std::vector<std::uint32_t> offsets_;   ///< made when the items must be told apart
  std::vector<TransferResult> results_;  ///< made when one reply does not settle everything
  std::vector<std::uint8_t> marks_;      ///< one per result
  // trial_balance
  std::vector<TrialBalanceReply::Row> rows_;
  // transfer_status
  Outcome nowhere_ = Outcome::transfer_not_found;  ///< or why some shard cannot say that it has not had the id
};

}  // namespace coffer::router
