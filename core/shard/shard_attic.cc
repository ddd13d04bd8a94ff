// Ids whose rows have left the state: which requests have to wait for the attic, and what it tells them
// (docs/decisions/0012-how-long-an-id-is-remembered.md, section 3, rules G5 to G7).
#include <algorithm>
#include <utility>

#include "core/base/check.h"
#include "core/shard/deciding.h"

namespace coffer::shard {

void Shard::trace_attic(Output& out, TraceKind kind, std::uint64_t a, std::uint64_t b, std::uint64_t c) const {
  TraceEvent event;
  event.kind = kind;
  event.shard = config_.shard;
  event.term = raft_.term();
  event.a = a;
  event.b = b;
  event.c = c;
  out.trace.push_back(event);
}

/// The ids that memory alone cannot tell of: not found there, and such as may have left; if the runs here reach far
/// enough (`is_covered`), only those that their filters do not rule out, which most new ids are. Without an account an
/// id is asked of all homes, of which some may be on disk.
std::vector<Attic::Sought> Shard::sought_ids(const router::Request& request, bool is_covered) const {
  std::vector<Attic::Sought> ids;
  const TenantId tenant = request.header.tenant;
  const auto add = [&](std::string_view account, const TransferId& id) {
    if (!ledger::Dedup::may_leave(id) || (is_covered && !files_.attic().may_have(id))) {
      return;
    }
    if (account.empty()) {
      ids.push_back({id});
      return;
    }
    const std::optional<AccountNumber> home = state_->account_number(tenant, account);
    if (home && !state_->is_in_memory(*home, id)) {
      ids.push_back({id, home});
    }
  };
  switch (request.header.kind) {
    case router::RequestKind::transfers:
      for (const router::TransferItem& item : std::get<router::TransfersRequest>(request.body).items) {
        add(item.home(), item.id);
      }
      break;
    case router::RequestKind::change_account: {
      const auto& asked = std::get<router::ChangeAccountRequest>(request.body);
      add(asked.account, asked.id);
      break;
    }
    case router::RequestKind::place_hold: {
      const auto& asked = std::get<router::PlaceHoldRequest>(request.body);
      add(asked.account, asked.id);
      break;
    }
    case router::RequestKind::split: {
      const auto& asked = std::get<router::SplitRequest>(request.body);
      add(asked.account, asked.id);
      break;
    }
    case router::RequestKind::transfer_status: {
      const auto& asked = std::get<router::TransferStatusRequest>(request.body);
      add(asked.account, asked.id);
      break;
    }
    case router::RequestKind::capture_hold:  // rows of holds and of captures do not leave
    case router::RequestKind::void_hold:
    case router::RequestKind::hold:
    case router::RequestKind::open_account:
    case router::RequestKind::balance:
    case router::RequestKind::account:
    case router::RequestKind::trial_balance:
    case router::RequestKind::node_status:
    case router::RequestKind::reconfigure:
    case router::RequestKind::transfer_leadership:
      break;
  }
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  return ids;
}

/// Whether the request cannot be decided yet: then it has been put aside. What was found for it counts while no row has
/// left memory since the filters were asked (G6).
bool Shard::has_to_wait(Queued& queued, Output& out) {
  const std::uint64_t from = state_->rows_in_memory_from();
  if (from == 0 || queued.sought_from == from) {
    return false;
  }
  const std::uint64_t held = files_.attic().held();
  std::vector<Attic::Sought> ids = sought_ids(queued.request, held >= from);
  queued.recalled.clear();
  queued.sought_from.reset();
  if (ids.empty()) {
    return false;
  }
  if (held < from) {
    trace_attic(out, TraceKind::attic_waits, held, from);
    queue_expires_ = std::min(queue_expires_, queued.deadline);
    seeking_.push_back({std::nullopt, std::move(queued)});
    return true;
  }
  queued.sought_from = from;
  std::uint64_t chunks = 0;
  const std::optional<Attic::Search> search = files_.attic().seek(std::move(ids), chunks);
  if (!search) {
    return false;
  }
  trace_attic(out, TraceKind::attic_sought, chunks);
  queue_expires_ = std::min(queue_expires_, queued.deadline);
  seeking_.push_back({search, std::move(queued)});
  return true;
}

/// A status without account is of the first of the tenant's that the id was bound at: the others, who may be very many,
/// are not needed.
std::vector<txn::LeftRow> Shard::what_is_asked(const router::Request& request, std::vector<txn::LeftRow> found) const {
  const auto* status = std::get_if<router::TransferStatusRequest>(&request.body);
  if (status == nullptr || !status->account.empty()) {
    return found;
  }
  std::erase_if(found,
                [&](const txn::LeftRow& left) { return state_->tenant_of(left.row.home) != request.header.tenant; });
  const auto first = std::min_element(
      found.begin(), found.end(),
      [](const txn::LeftRow& one, const txn::LeftRow& other) { return one.row.position < other.row.position; });
  return first == found.end() ? std::vector<txn::LeftRow>() : std::vector{*first};
}

/// What waited and can be decided now goes back in line.
void Shard::go_on_with_found(Output& out) {
  for (Attic::Found& found : files_.attic().take_found()) {
    const auto at = std::find_if(seeking_.begin(), seeking_.end(),
                                 [&found](const Seeking& seeking) { return seeking.search == found.search; });
    if (at == seeking_.end()) {
      continue;  // its caller has waited long enough
    }
    trace_attic(out, found.rows.empty() ? TraceKind::attic_missed : TraceKind::attic_found, found.rows.size());
    at->queued.recalled = what_is_asked(at->queued.request, std::move(found.rows));
    queue_.push_back(std::move(at->queued));
    seeking_.erase(at);
  }
  if (files_.attic().held() < state_->rows_in_memory_from()) {
    return;
  }
  for (auto at = seeking_.begin(); at != seeking_.end();) {
    if (at->search) {
      ++at;
      continue;
    }
    queue_.push_back(std::move(at->queued));
    at = seeking_.erase(at);
  }
}

void Shard::tend_attic(Now now, Output& out) {
  state_->let_go(files_.attic().held());
  files_.tend_attic(now.monotonic, *state_, file_out_);
  go_on_with_found(out);
}

/// As expire_queue: what waits for the attic was not decided.
void Shard::expire_seeking(Now now, Output& out) {
  for (Seeking& seeking : std::exchange(seeking_, {})) {
    const Queued& queued = seeking.queued;
    if (queued.deadline <= now.monotonic) {
      queue_bytes_ -= queued.body.size();
      if (seeking.search) {
        files_.attic().forget(*seeking.search);
      }
      refuse(queued.caller, queued.request.header.kind, Outcome::no_leader, out);
    } else {
      queue_expires_ = std::min(queue_expires_, queued.deadline);
      seeking_.push_back(std::move(seeking));
    }
  }
}

/// What a request was told of ids that had left.
void Shard::trace_recalled(const Deciding& batch, const Queued& queued, Output& out) const {
  if (queued.recalled.empty()) {
    return;
  }
  const router::Reply& reply = batch.requests.back().reply;
  const auto is_recalled = [&queued](const TransferId& id) {
    return std::any_of(queued.recalled.begin(), queued.recalled.end(),
                       [&id](const txn::LeftRow& row) { return row.row.id == id; });
  };
  if (const auto* transfers = std::get_if<router::TransfersReply>(&reply.body)) {
    const auto& items = std::get<router::TransfersRequest>(queued.request.body).items;
    for (std::size_t i = 0; i < items.size(); ++i) {
      const router::TransferResult& result = transfers->results[i];
      if (!is_recalled(items[i].id)) continue;
      if (result.outcome == Outcome::idempotency_payload_mismatch) trace_attic(out, TraceKind::attic_conflict);
      if (result.replayed) {
        trace_attic(out, TraceKind::attic_repeated, static_cast<std::uint64_t>(result.outcome));
      }
    }
  } else if (const auto* status = std::get_if<router::TransferStatusReply>(&reply.body)) {
    trace_attic(out, TraceKind::attic_status, static_cast<std::uint64_t>(status->result.outcome));
  } else if (reply.status == Outcome::idempotency_payload_mismatch) {
    trace_attic(out, TraceKind::attic_conflict);
  }
}

}  // namespace coffer::shard
