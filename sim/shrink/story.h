// What a failure tells: how large the world is, which strikes it needs, what was asked, what happened, what went wrong.
#pragma once

#include <string>
#include <string_view>

#include "sim/shrink/explain.h"
#include "sim/shrink/shrink.h"

namespace coffer::sim::shrink {

/// "5 nodes, 3 shards, 12 faults, 199 operations of 2 clients".
std::string size_of(const Scenario& scenario);

std::string to_text(const Report& report, std::string_view build_id, std::string_view replay);
/// One document; its field names are a contract.
std::string to_json(const Report& report, std::string_view build_id, std::string_view replay);

/// The story of a failure. Requires: it fails.
std::string to_text(const Explanation& explanation, std::string_view build_id, std::string_view replay);
std::string to_json(const Explanation& explanation, std::string_view build_id, std::string_view replay);

}  // namespace coffer::sim::shrink
