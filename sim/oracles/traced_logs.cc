#include "sim/oracles/traced_logs.h"

#include <array>
#include <span>

#include "core/base/check.h"
#include "sim/oracles/book.h"

namespace coffer::sim::oracles {

namespace {

Hash128 chained(const Hash128& before, std::uint64_t a, std::uint64_t b) {
  const std::array<std::uint64_t, 4> all = {before.low, before.high, a, b};
  return hash128(std::as_bytes(std::span(all)));
}

}  // namespace

const LoggedEntry& TracedLog::at(std::uint64_t index) const {
  check(index >= base_ && index <= last(), "a log is asked about entries it holds");
  return entries_[static_cast<std::size_t>(index - base_)];
}

std::optional<std::string> TracedLogs::traced(NodeId node, const TraceEvent& event) {
  if (event.kind == TraceKind::appended || event.kind == TraceKind::recovered_entry) return appended(node, event);
  if (event.kind == TraceKind::recovered) return based(node, event.shard, event.index.value, false);
  if (event.kind == TraceKind::restored) return based(node, event.shard, event.index.value, true);
  if (event.kind == TraceKind::truncated) {
    TracedLog& log = logs_[{node, event.shard}];
    const std::uint64_t from = event.index.value;
    if (from > log.base_ && from <= log.last()) log.entries_.resize(static_cast<std::size_t>(from - log.base_));
  }
  return std::nullopt;
}

void TracedLogs::crashed(NodeId node) {
  for (auto& [replica, log] : logs_) {
    if (replica.first == node) log = TracedLog{};
  }
}

void TracedLogs::committed(const CommittedEntry& entry) {
  std::vector<LoggedEntry>& log = committed_[entry.shard];
  if (entry.index.value != log.size() + 1) return;
  const Hash128 before = log.empty() ? Hash128{} : log.back().terms_chain;
  log.push_back({entry.term, {}, chained(before, entry.term.value, 0)});
}

std::optional<Term> TracedLogs::term_at(NodeId node, ShardId shard, std::uint64_t index) {
  const TracedLog& log = logs_[{node, shard}];
  if (index > log.last()) return std::nullopt;
  return index < log.base() ? committed_[shard][index - 1].term : log.at(index).term;
}

/// A snapshot stands for everything up to `index`; what is behind stays if the log holds that very entry.
std::optional<std::string> TracedLogs::based(NodeId node, ShardId shard, std::uint64_t index, bool keeps_suffix) {
  TracedLog& log = logs_[{node, shard}];
  const std::vector<LoggedEntry>& committed = committed_[shard];
  if (index == 0) {
    log = TracedLog{};
    return std::nullopt;
  }
  if (index > committed.size()) {
    return "node " + std::to_string(node.value) + " starts from a snapshot of " + text(shard) + " at entry " +
           std::to_string(index) + ", and only " + std::to_string(committed.size()) + " had committed";
  }
  LoggedEntry at = committed[index - 1];
  at.chain = entries_[{shard, Index(index), at.term}].chain;
  std::vector<LoggedEntry> entries{at};
  if (keeps_suffix && index >= log.base() && index <= log.last() && log.at(index).term == at.term) {
    for (std::uint64_t i = index + 1; i <= log.last(); ++i) entries.push_back(log.at(i));
  }
  log.base_ = index;
  log.entries_ = std::move(entries);
  return std::nullopt;
}

std::optional<std::string> TracedLogs::appended(NodeId node, const TraceEvent& event) {
  TracedLog& log = logs_[{node, event.shard}];
  if (event.index.value != log.last() + 1) {
    return "node " + std::to_string(node.value) + " put entry " + std::to_string(event.index.value) + " behind entry " +
           std::to_string(log.last()) + " of " + text(event.shard);
  }
  const LoggedEntry& before = log.entries_.back();
  if (event.term < before.term) {
    return "node " + std::to_string(node.value) + " put an entry of term " + std::to_string(event.term.value) +
           " behind one of term " + std::to_string(before.term.value) + " in " + text(event.shard);
  }
  log.entries_.push_back(
      {event.term, chained(before.chain, event.term.value, event.a), chained(before.terms_chain, event.term.value, 0)});
  const Hash128& chain = log.entries_.back().chain;
  const auto [found, is_first] = entries_.try_emplace({event.shard, event.index, event.term}, Seen{chain, node});
  if (is_first || found->second.chain == chain) return std::nullopt;
  return "log matching: nodes " + std::to_string(found->second.by.value) + " and " + std::to_string(node.value) +
         " hold entry " + std::to_string(event.index.value) + " of term " + std::to_string(event.term.value) + " in " +
         text(event.shard) + ", and differ in it or in what is before it";
}

}  // namespace coffer::sim::oracles
