// What a climb found, for people as one table and for programs as one document; its field names are a contract. Plans
// are written and read here too.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/ladder/climb.h"

namespace coffer::sim::ladder {

std::string to_text(const std::vector<RungReport>& reports);
std::string to_json(const std::vector<RungReport>& reports, std::string_view build_id);

/// A plan that somebody can read, with the rung it is for and what is expected of it.
struct SavedPlan {
  std::string rung;
  std::string about;   ///< for people
  std::string expect;  ///< an oracle, or "pass"
  Plan plan;
};
std::string write_plan(const SavedPlan& saved);
/// Nothing, and what is wrong in `mistake`, when the text is not such a plan.
std::optional<SavedPlan> read_plan(std::string_view text, std::string& mistake);

}  // namespace coffer::sim::ladder
