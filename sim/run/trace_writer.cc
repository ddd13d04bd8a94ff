#include "sim/run/trace_writer.h"

#include <ostream>
#include <string>
#include <utility>

#include "core/base/outcome.h"

namespace coffer::sim {

namespace {

constexpr char hex[] = "0123456789abcdef";

std::string spelled(const Uuid& id) {
  std::string text;
  for (std::size_t i = 0; i < id.bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    text += hex[id.bytes[i] >> 4];
    text += hex[id.bytes[i] & 15];
  }
  return text;
}

/// Account names come from scenario files: anything may stand in them.
std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte > 0x7e) {
      out += "\\u00";
      out += hex[byte >> 4];
      out += hex[byte & 15];
    } else {
      out += c;
    }
  }
  return out + "\"";
}

std::string_view name(router::RequestKind kind) {
  switch (kind) {
    case router::RequestKind::transfers:
      return "transfers";
    case router::RequestKind::open_account:
      return "open_account";
    case router::RequestKind::balance:
      return "balance";
    case router::RequestKind::transfer_status:
      return "transfer_status";
    case router::RequestKind::trial_balance:
      return "trial_balance";
    case router::RequestKind::node_status:
      return "node_status";
    case router::RequestKind::reconfigure:
      return "reconfigure";
    case router::RequestKind::transfer_leadership:
      return "transfer_leadership";
    case router::RequestKind::change_account:
      return "change_account";
    case router::RequestKind::account:
      return "account";
    case router::RequestKind::place_hold:
      return "place_hold";
    case router::RequestKind::capture_hold:
      return "capture_hold";
    case router::RequestKind::void_hold:
      return "void_hold";
    case router::RequestKind::hold:
      return "hold";
    case router::RequestKind::split:
      return "split";
  }
  return "?";
}

}  // namespace

std::string_view name(Phase phase) {
  switch (phase) {
    case Phase::setup:
      return "setup";
    case Phase::running:
      return "running";
    case Phase::healing:
      return "healing";
    case Phase::final_reads:
      return "final_reads";
    case Phase::over:
      return "over";
  }
  return "?";
}

void TraceWriter::event(SimTime now, std::uint64_t sequence, const Event& event) {
  *out_ << R"({"t":)" << now.nanos << R"(,"seq":)" << sequence << R"(,"kind":")" << name(event.kind) << '"';
  if (event.entity != 0) *out_ << R"(,"at":)" << event.entity;
  if (event.from != 0) *out_ << R"(,"from":)" << event.from;
  if (event.number != 0) *out_ << R"(,"number":)" << event.number;
  if (event.bytes) *out_ << R"(,"bytes":)" << event.bytes->size();
  *out_ << "}\n";
}

void TraceWriter::node(SimTime now, NodeId node, const TraceEvent& event) {
  *out_ << R"({"t":)" << now.nanos << R"(,"node":)" << node.value << R"(,"event":")" << name(event.kind) << '"';
  if (event.shard.value != 0) *out_ << R"(,"shard":)" << event.shard.value;
  if (event.term.value != 0) *out_ << R"(,"term":)" << event.term.value;
  if (event.index.value != 0) *out_ << R"(,"index":)" << event.index.value;
  if (event.a != 0) *out_ << R"(,"a":)" << event.a;
  if (event.b != 0) *out_ << R"(,"b":)" << event.b;
  if (event.c != 0) *out_ << R"(,"c":)" << event.c;
  if (event.lamport != 0) *out_ << R"(,"lamport":)" << event.lamport;
  if (event.transfer != TransferId{}) *out_ << R"(,"transfer":")" << spelled(event.transfer) << '"';
  *out_ << "}\n";
}

void TraceWriter::phase(SimTime now, Phase phase) {
  *out_ << R"({"t":)" << now.nanos << R"(,"phase":")" << name(phase) << "\"}\n";
}

void TraceWriter::machine(SimTime now, NodeId node, std::string_view what) {
  *out_ << R"({"t":)" << now.nanos << R"(,"node":)" << node.value << R"(,"machine":)" << quoted(what) << "}\n";
}

void TraceWriter::call(SimTime now, std::uint32_t client, std::uint64_t op, const router::Request& request) {
  *out_ << R"({"t":)" << now.nanos << R"(,"client":)" << client << R"(,"op":)" << op << R"(,"call":")"
        << name(request.header.kind) << '"';
  if (const auto* transfers = std::get_if<router::TransfersRequest>(&request.body)) {
    const char* separator = "";
    *out_ << R"(,"items":[)";
    for (const router::TransferItem& item : transfers->items) {
      *out_ << separator << R"({"id":")" << spelled(item.id) << R"(","from":)" << quoted(item.debit) << R"(,"to":)"
            << quoted(item.credit) << R"(,"amount":)" << item.amount << R"(,"currency":")" << to_string(item.currency)
            << "\"}";
      separator = ",";
    }
    *out_ << ']';
  }
  if (const auto* change = std::get_if<router::ReconfigureRequest>(&request.body)) {
    const char* separator = "";
    *out_ << R"(,"shard":)" << request.header.shard.value << R"(,"voters":[)";
    for (const NodeId voter : change->voters) *out_ << std::exchange(separator, ",") << voter.value;
    *out_ << ']';
  }
  if (const auto* transfer = std::get_if<router::TransferLeadershipRequest>(&request.body)) {
    *out_ << R"(,"shard":)" << request.header.shard.value << R"(,"to":)" << transfer->to.value;
  }
  if (const auto* status = std::get_if<router::TransferStatusRequest>(&request.body)) {
    *out_ << R"(,"id":")" << spelled(status->id) << '"';
  }
  if (const auto* balance = std::get_if<router::BalanceRequest>(&request.body)) {
    *out_ << R"(,"account":)" << quoted(balance->account);
  }
  if (const auto* hold = std::get_if<router::PlaceHoldRequest>(&request.body)) {
    *out_ << R"(,"id":")" << spelled(hold->id) << R"(","account":)" << quoted(hold->account) << R"(,"amount":)"
          << hold->amount << R"(,"expires_in_ms":)" << hold->expires_in_ms;
  }
  if (const auto* capture = std::get_if<router::CaptureHoldRequest>(&request.body)) {
    *out_ << R"(,"id":")" << spelled(capture->id) << R"(","account":)" << quoted(capture->account) << R"(,"to":)"
          << quoted(capture->credit) << R"(,"amount":)" << capture->amount;
  }
  if (const auto* voided = std::get_if<router::VoidHoldRequest>(&request.body)) {
    *out_ << R"(,"id":")" << spelled(voided->id) << R"(","account":)" << quoted(voided->account);
  }
  if (const auto* split = std::get_if<router::SplitRequest>(&request.body)) {
    *out_ << R"(,"id":")" << spelled(split->id) << R"(","account":)" << quoted(split->account) << R"(,"parts":[)";
    for (std::size_t i = 0; i < split->parts.size(); ++i) {
      *out_ << (i == 0 ? "" : ",") << R"({"to":)" << quoted(split->parts[i].credit) << R"(,"amount":)"
            << split->parts[i].amount << '}';
    }
    *out_ << ']';
  }
  if (const auto* read = std::get_if<router::HoldRequest>(&request.body)) {
    *out_ << R"(,"id":")" << spelled(read->id) << R"(","account":)" << quoted(read->account);
  }
  *out_ << "}\n";
}

void TraceWriter::told(SimTime now, std::uint32_t client, std::uint64_t op, const router::Reply& reply) {
  *out_ << R"({"t":)" << now.nanos << R"(,"client":)" << client << R"(,"op":)" << op << R"(,"told":")"
        << name(reply.status) << '"';
  if (const auto* transfers = std::get_if<router::TransfersReply>(&reply.body)) {
    const char* separator = "";
    *out_ << R"(,"outcomes":[)";
    for (const router::TransferResult& result : transfers->results) {
      *out_ << separator << '"' << name(result.outcome) << '"';
      separator = ",";
    }
    *out_ << ']';
  }
  if (const auto* status = std::get_if<router::TransferStatusReply>(&reply.body)) {
    *out_ << R"(,"outcome":")" << name(status->result.outcome) << '"';
  }
  if (const auto* balance = std::get_if<router::BalanceReply>(&reply.body)) {
    *out_ << R"(,"balance":)" << balance->balance;
    if (balance->held != 0) *out_ << R"(,"held":)" << balance->held;
  }
  if (const auto* placed = std::get_if<router::PlaceHoldReply>(&reply.body)) {
    *out_ << R"(,"outcome":")" << name(placed->result.outcome) << R"(","expires":)" << placed->expires.nanos;
  }
  if (const auto* captured = std::get_if<router::CaptureHoldReply>(&reply.body)) {
    *out_ << R"(,"outcome":")" << name(captured->result.outcome) << R"(","transfer":")" << spelled(captured->transfer)
          << '"';
  }
  if (const auto* split = std::get_if<router::SplitReply>(&reply.body)) {
    *out_ << R"(,"outcome":")" << name(split->result.outcome) << '"';
    if (split->refused != router::no_part) *out_ << R"(,"refused":)" << static_cast<int>(split->refused);
  }
  if (const auto* hold = std::get_if<router::HoldReply>(&reply.body)) {
    *out_ << R"(,"state":)" << static_cast<int>(hold->state);
  }
  const auto* changed = std::get_if<router::ReconfigureReply>(&reply.body);
  const auto* transferred = std::get_if<router::TransferLeadershipReply>(&reply.body);
  if (changed != nullptr || transferred != nullptr) {
    const bool finished = changed != nullptr ? changed->finished : transferred->finished;
    *out_ << R"(,"finished":)" << (finished ? "true" : "false");
  }
  *out_ << "}\n";
}

}  // namespace coffer::sim
