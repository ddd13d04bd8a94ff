#include "core/router/request_parts.h"

#include <algorithm>
#include <cstring>
#include <tuple>

#include "core/base/check.h"
#include "core/router/single_result.h"

namespace coffer::router {

namespace {

/// What is remembered of an item beside its result.
constexpr std::uint8_t resolved_mark = 1;
constexpr std::uint8_t doubtful_mark = 2;    ///< an attempt that carried it said unknown
constexpr std::uint8_t in_flight_mark = 4;   ///< another request with its id was running
constexpr std::uint8_t overloaded_mark = 8;  ///< the last answer

enum class Finality : std::uint8_t { always, when_alone, never };

Finality finality(Outcome outcome) {
  switch (outcome) {
    case Outcome::success:
    case Outcome::insufficient_funds:
    case Outcome::credit_account_not_found:
    case Outcome::currency_mismatch:
    case Outcome::balance_overflow:
    case Outcome::account_frozen:
    case Outcome::account_closed:
    case Outcome::limit_exceeded:
    case Outcome::account_locked:
    case Outcome::same_account:
    case Outcome::idempotency_payload_mismatch:
    case Outcome::malformed:
    case Outcome::reserved_account:
    case Outcome::change_under_way:
    case Outcome::hold_captured:
    case Outcome::hold_voided:
    case Outcome::hold_expired:
    case Outcome::hold_exceeded:
    case Outcome::id_expired:
      return Finality::always;
    case Outcome::account_not_found:
    case Outcome::transfer_not_found:
    case Outcome::account_not_empty:
    case Outcome::hold_not_found:
    case Outcome::id_in_future:
    case Outcome::id_gap:
    case Outcome::id_is_numbered:
      return Finality::when_alone;
    case Outcome::pending:
    case Outcome::in_flight:
    case Outcome::not_leader:
    case Outcome::overloaded:
    case Outcome::no_leader:
    case Outcome::wrong_shard:
    case Outcome::draining:
    case Outcome::account_busy:
    case Outcome::unknown:
      return Finality::never;
  }
  check_failed("decoders let only known outcomes pass");
}

bool is_final(Outcome outcome, bool other_open) {
  const Finality kind = finality(outcome);
  return kind == Finality::always || (kind == Finality::when_alone && !other_open);
}

bool leaves_doubt(Outcome outcome) { return outcome == Outcome::unknown || outcome == Outcome::pending; }

/// What the reply says of the whole request.
Outcome outcome_of(const Reply& reply) {
  const TransferResult* result = single_result(reply);
  return result != nullptr ? result->outcome : reply.status;
}

/// Where the id stands in a request that has one, behind the header; transfers have one per item.
std::optional<std::size_t> id_offset(RequestKind kind) {
  switch (kind) {
    case RequestKind::transfer_status:
    case RequestKind::void_hold:
    case RequestKind::hold:
      return 0;
    case RequestKind::change_account:
      return 1;
    case RequestKind::place_hold:
    case RequestKind::capture_hold:
      return 12;  // currency u32 | amount i64
    case RequestKind::split:
      return 4;  // currency u32
    case RequestKind::transfers:
    case RequestKind::open_account:
    case RequestKind::balance:
    case RequestKind::trial_balance:
    case RequestKind::node_status:
    case RequestKind::reconfigure:
    case RequestKind::transfer_leadership:
    case RequestKind::account:
      break;
  }
  return std::nullopt;
}

bool may_have_executed(const Part& part) { return part.doubtful || !part.open.empty(); }

}  // namespace

PendingRequest::PendingRequest(const RequestHeader& header, ByteView body)
    : body_(body.begin(), body.end()), header_(header) {}

std::optional<PendingRequest> PendingRequest::make(Mode mode, const ShardMap& map, ByteView body) {
  ByteReader in(body);
  const RequestHeader header = read_request_header(in);
  if (!in.ok() || header.kind == RequestKind::node_status) {
    return std::nullopt;
  }
  if (header.kind == RequestKind::transfers) {
    PendingRequest request(header, body);
    if (!request.plan_transfers(mode, map)) {
      return std::nullopt;
    }
    return request;
  }
  const Result<Request> decoded = decode_request(body);
  const bool names_shard =
      is_membership(header.kind) || (header.kind == RequestKind::trial_balance && header.shard != ShardId{0});
  const bool unknown_shard = names_shard && !std::binary_search(map.shards().begin(), map.shards().end(), header.shard);
  if (!decoded || (unknown_shard && mode == Mode::to_leaders)) {
    return std::nullopt;
  }
  PendingRequest request(header, body);
  request.plan(mode, map, *decoded);
  return request;
}

void PendingRequest::plan(Mode mode, const ShardMap& map, const Request& request) {
  std::vector<ShardId> shards;
  if (mode == Mode::to_proxies) {
    shards = {header_.shard};
  } else if (const auto* open = std::get_if<OpenAccountRequest>(&request.body)) {
    shards = {map.shard_of(header_.tenant, open->account)};
  } else if (const auto* change = std::get_if<ChangeAccountRequest>(&request.body)) {
    shards = {map.shard_of(header_.tenant, change->account)};
  } else if (const auto* account = std::get_if<AccountRequest>(&request.body)) {
    shards = {map.shard_of(header_.tenant, account->account)};
  } else if (const auto* placing = std::get_if<PlaceHoldRequest>(&request.body)) {
    shards = {map.shard_of(header_.tenant, placing->account)};
  } else if (const auto* capture = std::get_if<CaptureHoldRequest>(&request.body)) {
    shards = {map.shard_of(header_.tenant, capture->account)};
  } else if (const auto* voiding = std::get_if<VoidHoldRequest>(&request.body)) {
    shards = {map.shard_of(header_.tenant, voiding->account)};
  } else if (const auto* hold = std::get_if<HoldRequest>(&request.body)) {
    shards = {map.shard_of(header_.tenant, hold->account)};
  } else if (const auto* split = std::get_if<SplitRequest>(&request.body)) {
    shards = {map.shard_of(header_.tenant, split->account)};
  } else if (const auto* balance = std::get_if<BalanceRequest>(&request.body)) {
    shards = {map.shard_of(header_.tenant, balance->account)};
    any_replica_ = balance->consistency == Consistency::eventual;
  } else if (const auto* status = std::get_if<TransferStatusRequest>(&request.body)) {
    shards = status->account.empty() ? map.shards() : std::vector{map.shard_of(header_.tenant, status->account)};
  } else {
    shards = header_.shard == ShardId{0} ? map.shards() : std::vector{header_.shard};
  }
  for (const ShardId shard : shards) {
    parts_.emplace_back().shard = shard;
  }
}

/// Checks every item. One shard has them all, as a rule, and then there is nothing to note down.
bool PendingRequest::plan_transfers(Mode mode, const ShardMap& map) {
  ByteReader in(body_);
  in.raw(request_header_size);
  ItemReader items(in);
  items_ = items.count();
  parts_.emplace_back().shard = header_.shard;
  for (std::uint32_t at = 0; at < items_ && in.ok(); ++at) {
    const TransferItem item = items.next();
    if (mode == Mode::to_proxies || !in.ok()) {
      continue;
    }
    const ShardId shard = map.shard_of(header_.tenant, item.home());
    if (at == 0) {
      parts_.front().shard = shard;
    } else if (parts_.front().whole && shard != parts_.front().shard) {
      split_transfers(map, at);
    }
    if (!parts_.front().whole) {
      part_of(shard).items.push_back(at);
    }
  }
  std::erase_if(parts_, [](const Part& part) { return !part.whole && part.items.empty(); });
  return in.done();
}

/// The items so far go to the part of the shard that had them all.
void PendingRequest::split_transfers(const ShardMap& map, std::uint32_t items_before) {
  const ShardId first = parts_.front().shard;
  parts_.clear();
  for (const ShardId shard : map.shards()) {
    Part& part = parts_.emplace_back();
    part.shard = shard;
    part.whole = false;
    part.items.reserve(items_ / map.shards().size() + 1);
  }
  for (std::uint32_t item = 0; item < items_before; ++item) {
    part_of(first).items.push_back(item);
  }
}

Part& PendingRequest::part_of(ShardId shard) {
  const auto part = std::lower_bound(parts_.begin(), parts_.end(), shard,
                                     [](const Part& known, ShardId wanted) { return known.shard < wanted; });
  check(part != parts_.end() && part->shard == shard, "a part was made for every shard");
  return *part;
}

const std::vector<std::uint32_t>& PendingRequest::offsets() {
  if (offsets_.empty()) {
    offsets_ = item_offsets(body_);
  }
  return offsets_;
}

TransferId PendingRequest::first_id(const Part& part) {
  if (const std::optional<std::size_t> at = id_offset(header_.kind)) {
    return load<TransferId>(body_, request_header_size + *at);
  }
  if (header_.kind != RequestKind::transfers) {
    return {};
  }
  return load<TransferId>(body_, (part.whole ? items_at : offsets()[part.items.front()]) + item_id_at);
}

Bytes PendingRequest::attempt_body(const Part& part, Route route, std::uint32_t patience_ms) {
  Bytes bytes;
  if (part.whole) {
    bytes = body_;
  } else {
    const std::vector<std::uint32_t>& at = offsets();
    std::size_t size = items_at;
    for (const std::uint32_t item : part.items) {
      size += at[item + 1] - at[item];
    }
    bytes.resize(size);
    std::memcpy(bytes.data(), body_.data(), items_at);
    std::size_t to = items_at;
    for (const std::uint32_t item : part.items) {
      const std::size_t item_size = at[item + 1] - at[item];
      std::memcpy(bytes.data() + to, body_.data() + at[item], item_size);
      to += item_size;
    }
    store(bytes, request_header_size, static_cast<std::uint32_t>(part.items.size()));
  }
  store(bytes, request_route_at, static_cast<std::uint8_t>(route));
  store(bytes, request_shard_at, part.shard.value);
  store(bytes, request_patience_at, patience_ms);
  return bytes;
}

std::optional<Answer> PendingRequest::understand(const OpenAttempt& attempt, ByteView reply) const {
  ByteReader in(reply);
  const ReplyHeader header = read_reply_header(in);
  Answer answer{.header = header, .said = header.status, .results = {}, .bytes = reply};
  if (!in.ok() || answer.header.kind != header_.kind) {
    return std::nullopt;
  }
  if (answer.header.status == Outcome::success && header_.kind == RequestKind::transfers) {
    answer.results = ResultsView(reply);
    const std::size_t sent = attempt.items.empty() ? items_ : attempt.items.size();
    if (!answer.results.ok() || answer.results.size() != sent) {
      return std::nullopt;
    }
    return answer;
  }
  const Result<Reply> decoded = decode_reply(reply);
  if (!decoded) {
    return std::nullopt;
  }
  answer.said = outcome_of(*decoded);
  return answer;
}

PendingRequest::Progress PendingRequest::absorb(Part& part, const OpenAttempt& attempt, const Answer& answer) {
  check(!part.settled, "the attempts of a settled part are forgotten");
  switch (header_.kind) {
    case RequestKind::transfers:
      return absorb_transfers(part, attempt, answer);
    case RequestKind::open_account:
    case RequestKind::change_account:
    case RequestKind::place_hold:
    case RequestKind::capture_hold:
    case RequestKind::void_hold:
    case RequestKind::split:
    case RequestKind::reconfigure:
    case RequestKind::transfer_leadership:
      return absorb_write(part, answer);
    case RequestKind::balance:
    case RequestKind::transfer_status:
    case RequestKind::trial_balance:
    case RequestKind::account:
    case RequestKind::hold:
      return absorb_read(part, answer);
    case RequestKind::node_status:
      break;
  }
  check_failed("a node answers for its own status");
}

PendingRequest::Progress PendingRequest::absorb_transfers(Part& part, const OpenAttempt& attempt,
                                                          const Answer& answer) {
  const Outcome status = answer.header.status;
  const bool other_open = may_have_executed(part);
  if (is_retryable(status)) {
    part.overloaded = status == Outcome::overloaded;
    return Progress::again;
  }
  if (leaves_doubt(status)) {
    part.doubtful = true;
    return Progress::again;
  }
  if (part.whole && results_.empty()) {  // nothing but this reply is needed if it settles everything
    bool all_final = status == Outcome::success || is_final(status, other_open);
    for (std::size_t at = 0; at < answer.results.size() && all_final; ++at) {
      all_final = is_final(answer.results.outcome(at), other_open);
    }
    if (all_final) {
      part.settled = true;
      answer_.assign(answer.bytes.begin(), answer.bytes.end());
      return Progress::answered;
    }
  }
  start_results();
  part.overloaded = false;
  const std::size_t sent = attempt.items.empty() ? items_ : attempt.items.size();
  for (std::size_t at = 0; at < sent; ++at) {
    const auto item = attempt.items.empty() ? static_cast<std::uint32_t>(at) : attempt.items[at];
    TransferResult result;
    if (status == Outcome::success) {
      result = answer.results[at];
    } else {
      result.outcome = status;
      result.shard = part.shard;
    }
    absorb_item(item, result, other_open);
  }
  if (part.whole) {
    part.whole = false;
    for (std::uint32_t item = 0; item < items_; ++item) {
      part.items.push_back(item);
    }
  }
  std::erase_if(part.items, [this](std::uint32_t item) { return (marks_[item] & resolved_mark) != 0; });
  return part.items.empty() ? settle(part) : Progress::again;
}

void PendingRequest::absorb_item(std::uint32_t item, const TransferResult& result, bool other_open) {
  std::uint8_t& marks = marks_[item];
  if ((marks & resolved_mark) != 0) {
    return;
  }
  if (is_final(result.outcome, other_open || (marks & doubtful_mark) != 0)) {
    marks |= resolved_mark;
    results_[item] = result;
    return;
  }
  marks = static_cast<std::uint8_t>(marks & ~overloaded_mark);
  if (leaves_doubt(result.outcome)) {
    marks |= doubtful_mark;
  } else if (result.outcome == Outcome::in_flight) {
    marks |= in_flight_mark;
  } else if (result.outcome == Outcome::overloaded) {
    marks |= overloaded_mark;
  }
}

PendingRequest::Progress PendingRequest::absorb_write(Part& part, const Answer& answer) {
  if (is_final(answer.said, may_have_executed(part))) {
    part.settled = true;
    answer_.assign(answer.bytes.begin(), answer.bytes.end());
    return Progress::answered;
  }
  part.doubtful |= leaves_doubt(answer.said);
  part.in_flight |= answer.said == Outcome::in_flight;
  part.busy = answer.said == Outcome::account_busy;
  part.overloaded = answer.said == Outcome::overloaded;
  return Progress::again;
}

/// A read executes nothing: what an attempt says stands on its own, whatever became of the others.
PendingRequest::Progress PendingRequest::absorb_read(Part& part, const Answer& answer) {
  const Outcome status = answer.header.status;
  if (!is_final(status, false)) {
    part.overloaded = status == Outcome::overloaded;
    return Progress::again;
  }
  const bool is_nowhere_here =
      status == Outcome::transfer_not_found || status == Outcome::id_expired || status == Outcome::id_is_numbered;
  const bool may_be_elsewhere = is_nowhere_here && header_.kind == RequestKind::transfer_status;
  const bool is_a_share = status == Outcome::success && header_.kind == RequestKind::trial_balance;
  if (parts_.size() == 1 || (!may_be_elsewhere && !is_a_share)) {
    part.settled = true;
    answer_.assign(answer.bytes.begin(), answer.bytes.end());
    return Progress::answered;
  }
  if (status == Outcome::id_expired || status == Outcome::id_is_numbered) nowhere_ = status;
  if (is_a_share) {
    const Result<Reply> reply = decode_reply(answer.bytes);
    const auto& rows = std::get<TrialBalanceReply>(reply->body).rows;
    rows_.insert(rows_.end(), rows.begin(), rows.end());
  }
  return settle(part);
}

PendingRequest::Progress PendingRequest::settle(Part& part) {
  part.settled = true;
  if (!std::all_of(parts_.begin(), parts_.end(), [](const Part& each) { return each.settled; })) {
    return Progress::settled;
  }
  answer_ = merged();
  return Progress::answered;
}

void PendingRequest::start_results() {
  if (results_.empty()) {
    results_.resize(items_);
    marks_.resize(items_);
  }
}

Bytes PendingRequest::merged() {
  Reply reply;
  reply.kind = header_.kind;
  reply.shard = parts_.size() == 1 ? parts_.front().shard : ShardId{0};
  if (header_.kind == RequestKind::transfers) {
    reply.body = TransfersReply{std::move(results_)};
  } else if (header_.kind == RequestKind::trial_balance) {
    std::sort(rows_.begin(), rows_.end(), [](const auto& a, const auto& b) {
      return std::tie(a.shard, a.currency) < std::tie(b.shard, b.currency);
    });
    reply.body = TrialBalanceReply{std::move(rows_)};
  } else {
    check(header_.kind == RequestKind::transfer_status, "only these requests have several parts");
    reply.status = nowhere_;
  }
  return encode(reply);
}

Outcome PendingRequest::told_at_deadline(const Part& part, std::uint8_t marks) const {
  if (may_have_executed(part) || (marks & doubtful_mark) != 0) {
    return Outcome::unknown;
  }
  if ((marks & in_flight_mark) != 0) {
    return Outcome::in_flight;
  }
  if (part.busy) {
    return Outcome::account_busy;
  }
  return part.overloaded || (marks & overloaded_mark) != 0 ? Outcome::overloaded : Outcome::no_leader;
}

PendingRequest::GivenUp PendingRequest::give_up() {
  GivenUp given_up;
  if (header_.kind == RequestKind::transfers) {
    start_results();
    for (Part& part : parts_) {
      if (!part.settled) {
        give_up_items(part, given_up);
      }
    }
    given_up.reply = merged();
    return given_up;
  }
  Reply reply;
  reply.kind = header_.kind;
  reply.shard = parts_.size() == 1 ? parts_.front().shard : ShardId{0};
  if (is_ledger_write(header_.kind) || is_membership(header_.kind)) {
    reply.status = told_at_deadline(parts_.front(), parts_.front().in_flight ? in_flight_mark : std::uint8_t{0});
  } else {  // a read executes nothing: never unknown
    const bool busy = std::any_of(parts_.begin(), parts_.end(), [](const Part& part) { return part.overloaded; });
    reply.status = busy ? Outcome::overloaded : Outcome::no_leader;
  }
  given_up.unknown = reply.status == Outcome::unknown;
  given_up.shard = reply.shard;
  given_up.reply = encode(reply);
  return given_up;
}

void PendingRequest::give_up_items(Part& part, GivenUp& given_up) {
  const std::size_t unresolved = part.whole ? items_ : part.items.size();
  for (std::size_t at = 0; at < unresolved; ++at) {
    const std::size_t item = part.whole ? at : part.items[at];
    TransferResult& result = results_[item];
    result.outcome = told_at_deadline(part, marks_[item]);
    result.shard = part.shard;
    if (result.outcome == Outcome::unknown && !given_up.unknown) {
      given_up.unknown = true;
      given_up.shard = part.shard;
      given_up.transfer = load<TransferId>(body_, offsets()[item] + item_id_at);
    }
  }
  part.settled = true;
}

}  // namespace coffer::router
