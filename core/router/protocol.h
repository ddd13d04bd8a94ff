// What clients ask and what they are told: the bodies of client frames, the same for the binary listener, the HTTP
// edge, the simulator's clients and between proxies and leaders. Decoders never crash, never read past the end.
//
// A client frame (core/base/frame.h) has kind client_request or client_reply and payload: request_id u64 | body.
//
//   request := kind u8 | route u8 | zero u16 | shard u32 | patience_ms u32 | tenant u32 | principal u32 | rest
//     transfers       := count u32 | (operation u8 | currency u32 | amount i64 | id 16 | debit str | credit str){count}
//     open_account    := currency u32 | account str
//     balance         := consistency u8 | currency u32 | account str
//     transfer_status := id 16 | account str          (account empty: all shards are asked)
//     trial_balance   := nothing                      (shard 0: all shards are asked)
//     node_status     := nothing
//     reconfigure     := nodes                        (the voters there shall be; not empty)
//     transfer_leadership := to u32
//     change_account  := change u8 | id 16 | account str
//     account         := account str
//     place_hold      := currency u32 | amount i64 | id 16 | expires_in_ms u64 | account str
//     capture_hold    := currency u32 | amount i64 | id 16 | account str | credit str      (id and account: the hold's)
//     void_hold       := id 16 | account str
//     hold            := id 16 | account str
//     split           := currency u32 | id 16 | account str | parts u8 | (amount i64 | credit str){parts}
//                        (parts: 1 to 16)
//   reply   := kind u8 | status u8 | zero u16 | shard u32 | leader u32 | rest if status is success
//     transfers       := count u32 | result{count}
//     result          := outcome u8 | replayed u8 | zero u16 | shard u32 | position u64 | stamp i64
//                        | target u32 | target_position u64 | target_stamp i64
//                        (outcome id_gap: position is the number that is expected)
//     open_account    := already u8 | position u64
//     balance         := balance i64 | held i64 | shard u32 | position u64 | stamp i64
//     transfer_status := operation u8 | result | protocol u8 | count u8 | step{count}
//     step            := phase u8 | side u8 | state u8 | zero u8 | shard u32 | position u64 | stamp i64
//                        (protocol: 0 within one shard, else its number; phases, sides and states: core/base/phases.h)
//     trial_balance   := rows u32 | (shard u32 | currency u32 | customers i128 | issue i128 | transit i128){rows}
//     node_status     := node u32 | ready u8 | shards u32 | (shard u32 | role u8 | term u64 | leader u32 | commit u64
//                        | last u64 | position u64 | dedup_rows u64 | legs_unanswered u64 | base u64 | snapshot u64
//                        | in_doubt u64 | uncertain u8 | voters nodes | outgoing nodes | learners nodes){shards}
//     reconfigure     := finished u8
//     transfer_leadership := finished u8
//     change_account  := already u8 | position u64
//     account         := state u8 | position u64 | stamp i64
//     place_hold      := result | expires i64         (expires 0 after a refusal)
//     capture_hold    := transfer_id 16 | result
//     void_hold       := already u8 | position u64
//     hold            := state u8 | currency u32 | amount i64 | expires i64 | transfer 16 | position u64 | stamp i64
//                        (transfer: the nil id unless it was captured)
//     split           := result | refused u8 | parts u8 | (shard u32 | position u64 | stamp i64){parts}
//                        (refused: the part, from 0, that was refused, 0xFF where the debit was, or none; parts 0 where
//                        nobody was asked; a part's place: of its credit, or of its refusal, else 0)
//   str := u8 length + bytes; i128 := low u64 | high i64; nodes := count u8 (at most 63) | u32{count}, ascending, not 0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/ids.h"
#include "core/base/money.h"
#include "core/base/outcome.h"
#include "core/base/phases.h"
#include "core/base/result.h"
#include "core/base/time.h"

namespace coffer::router {

inline constexpr std::uint8_t client_request_frame = 16;
inline constexpr std::uint8_t client_reply_frame = 17;

enum class RequestKind : std::uint8_t {
  transfers = 1,
  open_account = 2,
  balance = 3,
  transfer_status = 4,
  trial_balance = 5,
  node_status = 6,
  reconfigure = 7,
  transfer_leadership = 8,
  change_account = 9,
  account = 10,
  place_hold = 11,
  capture_hold = 12,
  void_hold = 13,
  hold = 14,
  split = 20,
};
inline constexpr RequestKind last_request_kind = RequestKind::split;
/// 15 to 19 are nobody's.
constexpr bool is_request_kind(std::uint8_t number) {
  return (number >= static_cast<std::uint8_t>(RequestKind::transfers) &&
          number <= static_cast<std::uint8_t>(RequestKind::hold)) ||
         number == static_cast<std::uint8_t>(RequestKind::split);
}
/// Which alternative of RequestBody it has; of ReplyBody it is one further.
constexpr std::size_t body_index(RequestKind kind) {
  return kind == RequestKind::split ? 14 : static_cast<std::size_t>(kind) - 1;
}
/// Asks for an entry in the log of a shard.
constexpr bool is_ledger_write(RequestKind kind) {
  return kind == RequestKind::transfers || kind == RequestKind::open_account || kind == RequestKind::change_account ||
         kind == RequestKind::place_hold || kind == RequestKind::capture_hold || kind == RequestKind::void_hold ||
         kind == RequestKind::split;
}
/// For operators: changes who replicates or leads a shard, moves no money. Both may be repeated at will: asked for what
/// is so already, or under way already, they say so.
constexpr bool is_membership(RequestKind kind) {
  return kind == RequestKind::reconfigure || kind == RequestKind::transfer_leadership;
}

/// Who may serve the request.
enum class Route : std::uint8_t {
  proxied = 0,  ///< any node: its proxy splits, routes and retries
  direct = 1,   ///< only the leader of `shard` here and now; everyone else answers not_leader with a hint
};

enum class Consistency : std::uint8_t { linearizable = 1, eventual = 2 };

/// Same operations as ledger::Operation, same numbers. A split is no item of a transfers request; its status may be
/// asked.
enum class TransferOperation : std::uint8_t { transfer = 1, deposit = 2, withdrawal = 3, split = 8 };

/// Same changes as ledger::Operation, same numbers.
enum class AccountChange : std::uint8_t { freeze = 4, unfreeze = 5, close = 6 };
/// Same as ledger::AccountState.
enum class AccountState : std::uint8_t { open = 1, frozen = 2, closed = 3 };

struct RequestHeader {
  RequestKind kind = RequestKind::transfers;
  Route route = Route::proxied;
  ShardId shard;                     ///< direct requests; trial_balance; membership: which group
  std::uint32_t patience_ms = 5000;  ///< how long the client waits from the request's arrival; 0 is refused
  TenantId tenant;
  PrincipalId principal;
};

/// A deposit has an empty debit account, a withdrawal an empty credit account.
struct TransferItem {
  TransferOperation operation = TransferOperation::transfer;
  Currency currency;
  std::int64_t amount = 0;  ///< minor units, > 0
  TransferId id;
  std::string_view debit;
  std::string_view credit;

  /// The account that decides the shard and binds the id.
  std::string_view home() const { return operation == TransferOperation::deposit ? credit : debit; }
};

struct TransfersRequest {
  std::vector<TransferItem> items;
};
struct OpenAccountRequest {
  Currency currency;
  std::string_view account;
};
struct BalanceRequest {
  Consistency consistency = Consistency::linearizable;
  Currency currency;
  std::string_view account;
};
struct TransferStatusRequest {
  TransferId id;
  std::string_view account;
};
struct TrialBalanceRequest {};
struct NodeStatusRequest {};
/// Brings the group to these voters, over a joint configuration (Raft thesis, 4.3).
struct ReconfigureRequest {
  std::vector<NodeId> voters;  ///< ascending, 1 to nodes_in_list_max
};
/// Has the leader hand over (Raft thesis, 3.10).
struct TransferLeadershipRequest {
  NodeId to;
};

/// Freezes, unfreezes or closes an account, once for each id, however late an attempt arrives.
struct ChangeAccountRequest {
  AccountChange change = AccountChange::freeze;
  TransferId id;
  std::string_view account;
};
/// Its state, linearizably.
struct AccountRequest {
  std::string_view account;
};

/// Keeps part of a balance for a later capture, at most until it expires.
struct PlaceHoldRequest {
  Currency currency;
  std::int64_t amount = 0;          ///< minor units, > 0
  TransferId id;                    ///< bound to the account, as a transfer's
  std::uint64_t expires_in_ms = 0;  ///< from the stamp of its entry; > 0, at most hold_expires_in_ms_max
  std::string_view account;
};
inline constexpr std::uint64_t hold_expires_in_ms_max = std::uint64_t{31} * 24 * 3600 * 1000;
/// Ends a hold by taking at most what it keeps, in its currency. What is not taken is free again.
struct CaptureHoldRequest {
  Currency currency;
  std::int64_t amount = 0;   ///< minor units, > 0
  TransferId id;             ///< the hold's
  std::string_view account;  ///< the hold's
  std::string_view credit;
};
/// Ends a hold; nothing is taken.
struct VoidHoldRequest {
  TransferId id;
  std::string_view account;
};
/// What became of a hold, linearizably.
struct HoldRequest {
  TransferId id;
  std::string_view account;
};

/// Pays several payees from one account: all of them, or none.
struct SplitRequest {
  struct Part {
    std::int64_t amount = 0;  ///< minor units, > 0
    std::string_view credit;
  };
  Currency currency;
  TransferId id;  ///< bound to the account, as a transfer's
  std::string_view account;
  std::vector<Part> parts;  ///< 1 to split_parts_max
};
inline constexpr std::size_t split_parts_max = 16;

inline constexpr std::size_t nodes_in_list_max = 63;

using RequestBody =
    std::variant<TransfersRequest, OpenAccountRequest, BalanceRequest, TransferStatusRequest, TrialBalanceRequest,
                 NodeStatusRequest, ReconfigureRequest, TransferLeadershipRequest, ChangeAccountRequest, AccountRequest,
                 PlaceHoldRequest, CaptureHoldRequest, VoidHoldRequest, HoldRequest, SplitRequest>;

/// Views point into the decoded bytes.
struct Request {
  RequestHeader header;
  RequestBody body;
};

inline constexpr std::size_t transfers_max = 8192 * 4;  ///< items in one request; more are refused as malformed

struct TransferResult {
  Outcome outcome = Outcome::pending;
  bool replayed = false;
  ShardId shard;      ///< home shard
  Position position;  ///< after id_gap: the number that the id's source has to send first
  Stamp stamp;
  ShardId target;  ///< 0 within one shard
  Position target_position;
  Stamp target_stamp;
};

struct TransfersReply {
  std::vector<TransferResult> results;
};
struct OpenAccountReply {
  bool already = false;
  Position position;
};
struct BalanceReply {
  std::int64_t balance = 0;
  std::int64_t held = 0;  ///< minor units of the balance that holds keep: 0 <= held <= balance
  ShardId shard;
  Position position;
  Stamp stamp;
};
inline constexpr std::size_t steps_max = 2 + 2 * split_parts_max;  ///< of one transfer

struct TransferStatusReply {
  TransferOperation operation = TransferOperation::transfer;
  TransferResult result;              ///< outcome pending: still running
  std::uint8_t protocol = 0;          ///< ledger::Protocol; 0 within one shard
  std::vector<PhaseStep> steps = {};  ///< in the order they begin, at most steps_max
};
struct TrialBalanceReply {
  struct Row {
    ShardId shard;
    Currency currency;
    __int128 customers = 0;
    __int128 issue = 0;
    __int128 transit = 0;
  };
  std::vector<Row> rows;
};
struct NodeStatusReply {
  struct Shard {
    ShardId shard;
    std::uint8_t role = 0;  ///< shard::Role
    Term term;
    NodeId leader;
    Index commit;
    Index last;
    Position position;
    std::uint64_t dedup_rows = 0;
    std::uint64_t legs_unanswered = 0;
    Index base;                  ///< the log in memory stands on this entry
    Index snapshot;              ///< newest snapshot published here; 0: none
    std::uint64_t in_doubt = 0;  ///< credits prepared here whose decision is not known (two-phase commit)
    bool uncertain = false;      ///< may have lost what it acknowledged: asks its group before it votes
    // The latest configuration in this replica's log:
    std::vector<NodeId> voters;    ///< ascending; the new ones while joint
    std::vector<NodeId> outgoing;  ///< ascending; the old ones while joint, else empty
    std::vector<NodeId> learners;  ///< ascending
  };
  NodeId node;
  bool ready = false;
  std::vector<Shard> shards;
};

/// The change was begun, or goes on: ask again until it is finished. Other outcomes: change_under_way (one with another
/// goal), malformed (the node to lead is no voter), no_leader, not_leader, overloaded.
struct ReconfigureReply {
  bool finished = false;  ///< exactly these voters are in use and committed
};
struct TransferLeadershipReply {
  bool finished = false;  ///< the answering leader is the one that was wanted
};

struct ChangeAccountReply {
  bool already = false;  ///< it was so before this attempt, which changed nothing
  Position position;     ///< of the change, or of one with its id before
};
struct AccountReply {
  AccountState state = AccountState::open;
  Position position;  ///< the state of the account after it
  Stamp stamp;
};

/// `result.outcome` is success or a logged refusal; refusals without a trace are the reply's status.
struct PlaceHoldReply {
  TransferResult result;
  Stamp expires;  ///< 0 after a refusal
};
/// The hold has ended, and `result` says what became of the transfer that takes from it: a transfer as any other, under
/// an id of its own. While its outcome is pending nobody is told.
struct CaptureHoldReply {
  TransferId transfer;
  TransferResult result;
};
struct VoidHoldReply {
  bool already = false;  ///< it was voided before this attempt, which changed nothing
  Position position;     ///< the hold is voided after it
};
/// What became of a hold: one more than ledger::HoldEnd's numbers.
enum class HoldState : std::uint8_t { held = 1, captured = 2, voided = 3, expired = 4 };
struct HoldReply {
  HoldState state = HoldState::held;
  Currency currency;
  std::int64_t amount = 0;  ///< minor units, as placed
  Stamp expires;
  TransferId transfer;  ///< that captured it; the nil id if none did
  Position position;    ///< the state of the hold after it
  Stamp stamp;
};

inline constexpr std::uint8_t no_part = 0xFF;
/// `result.outcome` is success or a logged refusal; refusals without a trace are the reply's status. While it is
/// pending nobody is told. `result.target` is 0.
struct SplitReply {
  struct Part {
    ShardId shard;
    Position position;  ///< of the credit, or of the refusal; else 0
    Stamp stamp;
  };
  TransferResult result;
  std::uint8_t refused = no_part;  ///< the part, from 0, whose refusal it is; else the debit's, if it is one
  std::vector<Part> parts;         ///< in their order; none where nobody was asked
};

using ReplyBody =
    std::variant<std::monostate, TransfersReply, OpenAccountReply, BalanceReply, TransferStatusReply, TrialBalanceReply,
                 NodeStatusReply, ReconfigureReply, TransferLeadershipReply, ChangeAccountReply, AccountReply,
                 PlaceHoldReply, CaptureHoldReply, VoidHoldReply, HoldReply, SplitReply>;

/// `status` success carries a body of the same kind as the request; any other status carries none and speaks for the
/// whole request (account_not_found, transfer_not_found, malformed, currency_mismatch, not_leader, overloaded,
/// no_leader, wrong_shard, unknown …). A TransfersReply tells each item's outcome on its own.
struct Reply {
  RequestKind kind = RequestKind::transfers;
  Outcome status = Outcome::success;
  ShardId shard;
  NodeId leader;  ///< hint: who leads `shard`; nobody when unknown
  ReplyBody body;
};

Bytes encode(const Request& request);
/// malformed on unknown kinds, bad strings, amounts <= 0, unknown currencies, too many items, trailing bytes, patience
/// 0, lists of nodes that are not ascending, and membership requests without a shard.
Result<Request> decode_request(ByteView bytes);
Bytes encode(const Reply& reply);
Result<Reply> decode_reply(ByteView bytes);

}  // namespace coffer::router
