#include "sim/shrink/chronicle.h"

#include <algorithm>
#include <string_view>

#include "core/base/money.h"
#include "core/base/outcome.h"
#include "core/base/uuid.h"

namespace coffer::sim::shrink {

namespace {

constexpr std::size_t uuid_size = 36;

std::string of(NodeId node) { return "node " + std::to_string(node.value); }
std::string of(ShardId shard) { return "shard " + std::to_string(shard.value); }

/// The number a script gave it, or how it begins.
std::string number_of(const TransferId& id) {
  std::uint64_t number = 0;
  for (std::size_t i = 8; i < 16; ++i) number = number << 8 | id.bytes[i];
  number &= ~(std::uint64_t{0xc0} << 56);
  const bool scripted = id.bytes[0] == 0 && id.bytes[1] == 0 && id.bytes[6] == 0x80 && number <= 0xffff'ffff;
  return scripted ? std::to_string(number) : to_string(id).substr(0, 8);
}
std::string of(const TransferId& id) { return "transfer " + number_of(id); }
std::string of_hold(const TransferId& id) { return "hold " + number_of(id); }

std::string outcome_of(std::uint64_t number) { return std::string(name(static_cast<Outcome>(number))); }

/// The number that follows `word`, if any does.
std::optional<std::uint64_t> number_after(std::string_view text, std::string_view word) {
  for (std::size_t at = text.find(word); at != std::string_view::npos; at = text.find(word, at + 1)) {
    const bool begins = at == 0 || text[at - 1] == ' ' || text[at - 1] == '(';
    std::uint64_t number = 0;
    std::size_t digits = 0;
    for (std::size_t i = at + word.size(); i < text.size() && digits < 18 && text[i] >= '0' && text[i] <= '9'; ++i) {
      number = number * 10 + static_cast<std::uint64_t>(text[i] - '0');
      ++digits;
    }
    if (begins && digits > 0) return number;
  }
  return std::nullopt;
}

constexpr std::size_t items_told = 3;

/// "a, b, c and 4 more".
std::string listed(const std::vector<std::string>& items) {
  std::string text;
  for (std::size_t i = 0; i < std::min(items.size(), items_told); ++i) text += (text.empty() ? "" : ", ") + items[i];
  if (items.size() > items_told) text += " and " + std::to_string(items.size() - items_told) + " more";
  return text;
}

/// What a request wants of which hold; nothing for others.
struct OfHold {
  TransferId id;
  std::string_view what;
};
std::optional<OfHold> hold_of(const router::Request& request) {
  if (const auto* place = std::get_if<router::PlaceHoldRequest>(&request.body)) return OfHold{place->id, "placing"};
  if (const auto* capture = std::get_if<router::CaptureHoldRequest>(&request.body)) {
    return OfHold{capture->id, "the capture of"};
  }
  if (const auto* voided = std::get_if<router::VoidHoldRequest>(&request.body)) {
    return OfHold{voided->id, "the voiding of"};
  }
  if (const auto* read = std::get_if<router::HoldRequest>(&request.body)) return OfHold{read->id, "the state of"};
  return std::nullopt;
}

std::optional<std::string> of_life_of_hold(const std::string& here, const TraceEvent& event) {
  const std::string hold = here + of_hold(event.transfer);
  switch (event.kind) {
    case TraceKind::hold_placed:
      return hold + " keeps " + std::to_string(event.a);
    case TraceKind::hold_captured:
      return hold + " is captured";
    case TraceKind::capture_put_off:
      return hold + " is not captured yet: its account is locked";
    case TraceKind::hold_voided:
      return hold + " is voided";
    case TraceKind::hold_expired:
      return hold + " has expired";
    default:
      return std::nullopt;
  }
}

std::string spelled(const router::TransferItem& item) {
  const std::string sum = to_string(item.currency) + " " + std::to_string(item.amount);
  switch (item.operation) {
    case router::TransferOperation::transfer:
      return of(item.id) + " (" + sum + " from " + std::string(item.debit) + " to " + std::string(item.credit) + ")";
    case router::TransferOperation::deposit:
      return of(item.id) + " (a deposit of " + sum + " to " + std::string(item.credit) + ")";
    case router::TransferOperation::withdrawal:
      return of(item.id) + " (a withdrawal of " + sum + " from " + std::string(item.debit) + ")";
    case router::TransferOperation::split:
      break;  // has a request of its own
  }
  return "";
}

std::string spelled(const router::SplitRequest& split) {
  std::vector<std::string> parts;
  for (const router::SplitRequest::Part& part : split.parts) {
    parts.push_back(std::to_string(part.amount) + " to " + std::string(part.credit));
  }
  return of(split.id) + " (" + to_string(split.currency) + " from " + std::string(split.account) + ", " +
         listed(parts) + ")";
}

}  // namespace

Subject subject_of(const std::string& reason) {
  Subject subject;
  const std::string_view text = reason;
  for (std::size_t at = 0; at + uuid_size <= text.size(); ++at) {
    if (const auto id = parse_uuid(text.substr(at, uuid_size))) subject.transfers.insert(TransferId{*id});
  }
  constexpr std::string_view account = "account ";
  for (std::size_t at = text.find(account); at != std::string_view::npos; at = text.find(account, at + 1)) {
    const bool quoted = text.substr(at + account.size()).starts_with('\'');
    const std::size_t first = at + account.size() + (quoted ? 1 : 0);
    subject.accounts.emplace(text.substr(first, text.find(quoted ? '\'' : ' ', first) - first));
  }
  auto shard = number_after(text, "s");
  if (!shard) shard = number_after(text, "shard ");
  if (shard) subject.shard = ShardId(static_cast<std::uint32_t>(*shard));
  const auto entry = number_after(text, "entry ");
  if (shard && entry) subject.entry = Index(*entry);
  return subject;
}

/// Where the oracle names no transfer, all that were asked for while faults could strike matter.
bool Chronicle::names(const TransferId& id) const { return subject_.transfers.contains(id) || followed_.contains(id); }

bool Chronicle::covers(const TraceEvent& event) const {
  return subject_.entry && event.shard == *subject_.shard && event.index >= *subject_.entry;
}

std::optional<std::string> Chronicle::of_transfer(NodeId node, const TraceEvent& event) const {
  if (event.transfer == TransferId{} || !names(event.transfer)) return std::nullopt;
  const std::string here = of(node) + ", " + of(event.shard) + ": ";
  const std::string transfer = of(event.transfer);
  const std::string to = of(ShardId(static_cast<std::uint32_t>(event.a)));
  switch (event.kind) {
    case TraceKind::saga_started:
      return here + transfer + " is debited; its credit leaves for " + to;
    case TraceKind::leg_sent:
      return here + "the credit of " + transfer + " is sent to " + to;
    case TraceKind::leg_received:
      return here + "the credit of " + transfer + " from " + to + " is decided: " + outcome_of(event.c);
    case TraceKind::leg_answer:
      return here + "hears from " + to + " of the credit of " + transfer + ": " + outcome_of(event.c);
    case TraceKind::saga_done:
      return here + transfer + " is done";
    case TraceKind::saga_compensated:
      return here + transfer + " is compensated: the money goes back";
    case TraceKind::try_started:
      return here + transfer + " is tried: the money is held, " + to + " is asked for room";
    case TraceKind::confirm_started:
      return here + transfer + " is confirmed: both sides had said yes";
    case TraceKind::confirm_done:
      return here + transfer + " is done: " + to + " has confirmed";
    case TraceKind::cancel_started:
      return here + transfer + " is cancelled: " + outcome_of(event.c);
    case TraceKind::cancel_done:
      return here + transfer + " is done: " + to + " has cancelled";
    case TraceKind::prepare_started:
      return here + transfer + " is prepared: the debit is locked, " + to + " is asked to prepare the credit";
    case TraceKind::commit_started:
      return here + transfer + " is to be committed: both sides are prepared";
    case TraceKind::commit_done:
      return here + transfer + " is done: " + to + " has committed";
    case TraceKind::abort_started:
      return here + transfer + " is to be aborted: " + outcome_of(event.c);
    case TraceKind::abort_done:
      return here + transfer + " is done: " + to + " has aborted";
    case TraceKind::split_started:
      return here + transfer + " is begun: the money is taken, " + std::to_string(event.a) + " payees are asked";
    case TraceKind::split_answered:
    case TraceKind::split_ended:
      return here + "a part of " + transfer + " is answered by " + to + ": " + outcome_of(event.c);
    case TraceKind::split_confirming:
      return here + transfer + " is to be confirmed: all parts had said yes";
    case TraceKind::split_cancelling:
      return here + transfer + " is to be cancelled: not all parts had said yes";
    case TraceKind::split_confirmed:
      return here + transfer + " is done: all parts are credited";
    case TraceKind::split_cancelled:
      return here + transfer + " is done: all parts are cancelled";
    case TraceKind::refused:
      return here + transfer + " is refused: " + outcome_of(event.a);
    case TraceKind::dedup_hit:
      return here + transfer + " is known already: " + outcome_of(event.a);
    case TraceKind::dedup_conflict:
      return here + transfer + " is known with another body";
    default:
      return of_life_of_hold(here, event);
  }
}

std::optional<std::string> Chronicle::of_entry(NodeId node, const TraceEvent& event) {
  if (!subject_.entry || event.shard != *subject_.shard) return std::nullopt;
  const std::uint64_t entry = subject_.entry->value;
  const std::string what = "entry " + std::to_string(entry) + " of " + of(event.shard);
  const std::string of_term = " of term " + std::to_string(event.term.value);
  switch (event.kind) {
    case TraceKind::appended:
      if (event.index.value != entry) return std::nullopt;
      return of(node) + (event.b == 1 ? " proposes " : " appends ") + what + of_term;
    case TraceKind::recovered_entry:
      if (event.index.value != entry) return std::nullopt;
      return of(node) + " reads back " + what + of_term;
    case TraceKind::truncated:
      if (event.index.value > entry || event.index.value + event.a <= entry) return std::nullopt;
      return of(node) + " removes " + what;
    case TraceKind::committed:
      if (event.index.value < entry || event.a >= entry) return std::nullopt;
      return of(node) + " knows " + what + " committed";
    case TraceKind::restored:
      if (!covers(event)) return std::nullopt;
      return of(node) + " installs a snapshot that holds " + what;
    default:
      return std::nullopt;
  }
}

/// What leaders, logs and disks go through, of the shard in question or, where none is named, of all.
std::optional<std::string> Chronicle::of_group(NodeId node, const TraceEvent& event) const {
  if (subject_.shard && event.shard != ShardId(0) && event.shard != *subject_.shard) return std::nullopt;
  const std::string shard = of(event.shard);
  const std::string term = " in term " + std::to_string(event.term.value);
  switch (event.kind) {
    case TraceKind::became_leader:
      return of(node) + " leads " + shard + term + ", its log ends at " + std::to_string(event.a);
    case TraceKind::quorum_lost:
      return of(node) + " hears no majority of " + shard + " and steps down";
    case TraceKind::leader_lost_tail:
      return of(node) + " no longer leads " + shard + ", with " + std::to_string(event.a) + " uncommitted entries";
    case TraceKind::truncated:
      return of(node) + " removes " + std::to_string(event.a) + " entries of " + shard + " from " +
             std::to_string(event.index.value) + " on";
    case TraceKind::tail_uncertain:
      return of(node) + " may have lost what it acknowledged";
    case TraceKind::quarantined:
      return of(node) + " sets damaged frames aside";
    case TraceKind::corruption:
      return of(node) + " finds what it knew durable damaged";
    case TraceKind::recovery_bound:
      return of(node) + " has asked all members of " + shard + " and votes again";
    case TraceKind::recovery_settled:
      return of(node) + " is certain again of " + shard + " up to " + std::to_string(event.index.value);
    case TraceKind::configuration_changed:
      return of(node) + " uses another configuration of " + shard + " from " + std::to_string(event.index.value) +
             " on";
    case TraceKind::restored:
      return of(node) + " installs a snapshot of " + shard + " up to " + std::to_string(event.index.value);
    case TraceKind::file_damaged:
      return of(node) + " finds a sealed file of " + shard + " damaged";
    case TraceKind::failed:
      return of(node) + " gives up after an error of its disk";
    default:
      return std::nullopt;
  }
}

void Chronicle::node(SimTime now, NodeId node, const TraceEvent& event) {
  if (auto what = of_transfer(node, event)) return add(now, std::move(*what), true);
  if (auto what = of_entry(node, event)) return add(now, std::move(*what), true);
  if (auto what = of_group(node, event)) add(now, std::move(*what), false);
}

void Chronicle::phase(SimTime now, Phase phase) {
  phase_ = phase;
  if (phase == Phase::running) running_since_ = now;
  if (phase == Phase::healing) add(now, "faults end, everything is healed", false);
  if (phase == Phase::final_reads) add(now, "all is quiet, everything is read", false);
}

void Chronicle::machine(SimTime now, NodeId node, std::string_view what) {
  if (what == "booted" && booted_.insert(node).second) return;
  add(now, of(node) + " " + std::string(what == "booted" ? "is up again" : what), false);
}

void Chronicle::call(SimTime now, std::uint32_t client, std::uint64_t op, const router::Request& request) {
  std::string asked;
  std::vector<std::string> items;
  Call call;
  if (const auto* transfers = std::get_if<router::TransfersRequest>(&request.body)) {
    for (const router::TransferItem& item : transfers->items) {
      call.items.push_back(item.id);
      if (subject_.transfers.empty() && phase_ == Phase::running) followed_.insert(item.id);
      if (names(item.id)) items.push_back(spelled(item));
    }
    if (followed_.empty() || phase_ == Phase::running) asked = listed(items);
  }
  if (const auto hold = hold_of(request)) {
    call.items.push_back(hold->id);
    if (subject_.transfers.empty() && phase_ == Phase::running) followed_.insert(hold->id);
    if (names(hold->id)) asked = std::string(hold->what) + " " + of_hold(hold->id);
  }
  if (const auto* split = std::get_if<router::SplitRequest>(&request.body)) {
    call.items.push_back(split->id);
    if (subject_.transfers.empty() && phase_ == Phase::running) followed_.insert(split->id);
    if (names(split->id)) asked = spelled(*split);
  }
  if (const auto* balance = std::get_if<router::BalanceRequest>(&request.body)) {
    call.account = balance->account;
    if (subject_.accounts.contains(call.account)) asked = "the balance of " + call.account;
  }
  if (const auto* status = std::get_if<router::TransferStatusRequest>(&request.body)) {
    call.items.push_back(status->id);
    if (subject_.transfers.contains(status->id)) asked = "the status of " + of(status->id);
  }
  if (asked.empty()) return;
  add(now, "client " + std::to_string(client) + " asks for " + asked, true);
  calls_.emplace(op, std::move(call));
}

void Chronicle::told(SimTime now, std::uint32_t client, std::uint64_t op, const router::Reply& reply) {
  const auto call = calls_.find(op);
  if (call == calls_.end()) return;
  std::string told;
  std::vector<std::string> items;
  const auto* transfers = std::get_if<router::TransfersReply>(&reply.body);
  for (std::size_t i = 0; transfers != nullptr && i < transfers->results.size() && i < call->second.items.size(); ++i) {
    if (!names(call->second.items[i])) continue;
    items.push_back(of(call->second.items[i]) + ": " + std::string(name(transfers->results[i].outcome)));
  }
  told = listed(items);
  const auto* status = std::get_if<router::TransferStatusReply>(&reply.body);
  if (status != nullptr) told = of(call->second.items[0]) + " is " + std::string(name(status->result.outcome));
  const auto* placed = std::get_if<router::PlaceHoldReply>(&reply.body);
  if (placed != nullptr) told = of_hold(call->second.items[0]) + ": " + std::string(name(placed->result.outcome));
  const auto* captured = std::get_if<router::CaptureHoldReply>(&reply.body);
  if (captured != nullptr) told = of_hold(call->second.items[0]) + ": " + std::string(name(captured->result.outcome));
  const auto* split = std::get_if<router::SplitReply>(&reply.body);
  if (split != nullptr) told = of(call->second.items[0]) + ": " + std::string(name(split->result.outcome));
  const auto* balance = std::get_if<router::BalanceReply>(&reply.body);
  if (balance != nullptr) told = call->second.account + " has " + std::to_string(balance->balance);
  if (told.empty()) told = name(reply.status);
  add(now, "client " + std::to_string(client) + " is told: " + told, true);
  calls_.erase(call);
}

std::vector<Moment> Chronicle::moments(std::size_t most) const {
  std::vector<Moment> all;
  for (const Raw& raw : raw_) all.push_back({(raw.at - running_since_).millis(), raw.what, raw.of_subject});
  // What went on around it long before matters least.
  std::size_t around = static_cast<std::size_t>(
      std::count_if(all.begin(), all.end(), [](const Moment& moment) { return !moment.of_subject; }));
  const std::size_t too_many = all.size() > most ? all.size() - most : 0;
  std::size_t to_drop = std::min(too_many, around - std::min(around, most / 3));
  std::erase_if(all, [&](const Moment& moment) { return !moment.of_subject && to_drop > 0 && to_drop-- > 0; });
  if (all.size() <= most) return all;
  const std::size_t first = most / 3;
  const std::size_t left_out = all.size() - most + 1;
  const auto gap = all.begin() + static_cast<std::ptrdiff_t>(first);
  Moment more{gap->ms, std::to_string(left_out) + " more such events", false};
  all.erase(gap, gap + static_cast<std::ptrdiff_t>(left_out));
  all.insert(all.begin() + static_cast<std::ptrdiff_t>(first), std::move(more));
  return all;
}

}  // namespace coffer::sim::shrink
