// The words of scenario files: names of targets, ways to crash, operations, protocols, trace events,
// verdicts.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/faults/fault.h"
#include "sim/run/scenario.h"

namespace coffer::sim::words {

/// Reads back what `spell` writes. Nothing when it is none of the words.
std::optional<TraceKind> trace_kind(std::string_view word);
std::vector<std::string> trace_kinds();
std::string spell(TraceKind kind);

std::optional<faults::How> how(std::string_view word);
std::vector<std::string> hows();
std::string spell(faults::How how);

std::optional<faults::Files> files(std::string_view word);
std::vector<std::string> file_kinds();
std::string spell(faults::Files files);

std::optional<CallKind> call_kind(std::string_view word);
std::vector<std::string> call_kinds();
std::string spell(CallKind kind);

std::optional<ledger::Protocol> protocol(std::string_view word);
std::vector<std::string> protocols();
std::string spell(ledger::Protocol protocol);

/// "any", "all", "self", "leader(shard 1)", "follower(shard 2)", "node 3".
std::optional<faults::Target> target(std::string_view word);
std::string spell(const faults::Target& target);

std::vector<std::string> fault_names();
/// What `expect` may say: verdicts and oracles.
std::vector<std::string> expectations();

}  // namespace coffer::sim::words
