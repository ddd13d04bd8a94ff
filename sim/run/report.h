// Results as people and programs read them. The JSON is one document; its field names are a contract.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "sim/run/fuzz.h"
#include "sim/run/run.h"

namespace coffer::sim {

/// 32 hexadecimal digits.
std::string hex_of(const Hash128& hash);

/// With its quotes.
std::string json_string(std::string_view text);

/// How to see the same run again: "coffer sim run FILE --seed 7".
std::string replay_command(const RunResult& result, std::string_view file, std::string_view profile);

std::string run_to_json(const RunResult& result, bool expected, std::string_view build_id, std::string_view replay);
std::string run_to_text(const RunResult& result, bool expected, std::string_view build_id, std::string_view replay);
/// `file`: the scenario's; empty when a profile draws.
std::string fuzz_to_json(const FuzzReport& report, const FuzzOptions& options, std::string_view build_id,
                         std::string_view file);
std::string fuzz_to_text(const FuzzReport& report, const FuzzOptions& options, std::string_view build_id,
                         std::string_view file);

/// How available the wallet was under each fault, worst first.
std::string availability_to_json(const FuzzReport& report, std::string_view build_id);
std::string availability_to_text(const FuzzReport& report, std::string_view build_id);

}  // namespace coffer::sim
