#include "sim/run/words.h"

#include <charconv>

#include "core/txn/protocols.h"
#include "sim/faults/faults.h"
#include "sim/oracles/oracles.h"

namespace coffer::sim::words {

namespace {

constexpr std::string_view hows_spelled[] = {"process", "power", "either"};
constexpr std::string_view files_spelled[] = {"any",   "stream",   "hard_state", "history",
                                              "index", "manifest", "snapshot",   "attic"};
constexpr std::string_view calls_spelled[] = {"transfer", "deposit", "withdrawal", "open",       "balance",
                                              "status",   "freeze",  "unfreeze",   "close",      "account",
                                              "hold",     "capture", "void",       "hold_state", "split"};

std::vector<TraceKind> all_kinds() {
  std::vector<TraceKind> kinds;
  for (unsigned i = 0; i <= static_cast<unsigned>(last_trace_kind); ++i) kinds.push_back(static_cast<TraceKind>(i));
  return kinds;
}

std::optional<std::uint32_t> number(std::string_view digits) {
  std::uint32_t value = 0;
  const auto [rest, problem] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (problem != std::errc() || rest != digits.data() + digits.size()) return std::nullopt;
  return value;
}

/// The number between `before` and `after`.
std::optional<std::uint32_t> number_in(std::string_view word, std::string_view before, std::string_view after) {
  if (!word.starts_with(before) || !word.ends_with(after) || word.size() < before.size() + after.size()) return {};
  return number(word.substr(before.size(), word.size() - before.size() - after.size()));
}

}  // namespace

std::optional<TraceKind> trace_kind(std::string_view word) {
  for (const TraceKind kind : all_kinds()) {
    if (name(kind) == word) return kind;
  }
  return std::nullopt;
}

std::vector<std::string> trace_kinds() {
  std::vector<std::string> names;
  for (const TraceKind kind : all_kinds()) names.emplace_back(name(kind));
  return names;
}

std::string spell(TraceKind kind) { return std::string(name(kind)); }

std::optional<faults::How> how(std::string_view word) {
  for (std::size_t i = 0; i < std::size(hows_spelled); ++i) {
    if (hows_spelled[i] == word) return static_cast<faults::How>(i);
  }
  return std::nullopt;
}

std::vector<std::string> hows() { return {std::begin(hows_spelled), std::end(hows_spelled)}; }

std::string spell(faults::How how) { return std::string(hows_spelled[static_cast<std::size_t>(how)]); }

std::optional<faults::Files> files(std::string_view word) {
  for (std::size_t i = 0; i < std::size(files_spelled); ++i) {
    if (files_spelled[i] == word) return static_cast<faults::Files>(i);
  }
  return std::nullopt;
}

std::vector<std::string> file_kinds() { return {std::begin(files_spelled), std::end(files_spelled)}; }

std::string spell(faults::Files files) { return std::string(files_spelled[static_cast<std::size_t>(files)]); }

std::optional<CallKind> call_kind(std::string_view word) {
  for (std::size_t i = 0; i < std::size(calls_spelled); ++i) {
    if (calls_spelled[i] == word) return static_cast<CallKind>(i + 1);  // they count from 1
  }
  return std::nullopt;
}

std::vector<std::string> call_kinds() { return {std::begin(calls_spelled), std::end(calls_spelled)}; }

std::string spell(CallKind kind) { return std::string(calls_spelled[static_cast<std::size_t>(kind) - 1]); }

std::optional<ledger::Protocol> protocol(std::string_view word) {
  const txn::ProtocolRow* row = txn::find_protocol(word);
  return row == nullptr ? std::nullopt : std::optional(row->protocol);
}

std::vector<std::string> protocols() {
  std::vector<std::string> names;
  for (const txn::ProtocolRow& row : txn::protocols()) names.emplace_back(row.name);
  return names;
}

std::string spell(ledger::Protocol protocol) { return std::string(txn::row_of(protocol).name); }

std::optional<faults::Target> target(std::string_view word) {
  using faults::Who;
  if (word == "any") return faults::Target{Who::any, {}, {}};
  if (word == "all") return faults::Target{Who::all, {}, {}};
  if (word == "self") return faults::Target{Who::self, {}, {}};
  if (const auto shard = number_in(word, "leader(shard ", ")")) return faults::Target{Who::leader, {}, ShardId(*shard)};
  if (const auto shard = number_in(word, "follower(shard ", ")")) {
    return faults::Target{Who::follower, {}, ShardId(*shard)};
  }
  if (const auto node = number_in(word, "node ", "")) return faults::Target{Who::node, NodeId(*node), {}};
  return std::nullopt;
}

std::string spell(const faults::Target& target) {
  switch (target.who) {
    case faults::Who::any:
      return "any";
    case faults::Who::all:
      return "all";
    case faults::Who::self:
      return "self";
    case faults::Who::node:
      return "node " + std::to_string(target.node.value);
    case faults::Who::leader:
      return "leader(shard " + std::to_string(target.shard.value) + ")";
    case faults::Who::follower:
      return "follower(shard " + std::to_string(target.shard.value) + ")";
  }
  return "any";
}

std::vector<std::string> fault_names() {
  std::vector<std::string> names;
  for (const faults::Row& row : faults::table()) names.emplace_back(row.name);
  return names;
}

std::vector<std::string> expectations() {
  std::vector<std::string> all = {"pass", "violation", "stuck", "unknown", "check", "O-V1", "O-V2"};
  for (const oracles::Row& row : oracles::table()) all.emplace_back(row.name);
  return all;
}

}  // namespace coffer::sim::words
