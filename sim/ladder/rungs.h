// The rungs of the ladder, the designs that the source texts walk through: one row each. Adding one is one new file,
// its declaration and its row (rungs.cc); a test fails if the row is forgotten. They exist in the simulator alone:
// nothing that serves can select them.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "sim/ladder/design.h"
#include "sim/run/run.h"

namespace coffer::sim::ladder {

struct Rung {
  std::string_view id;    ///< the row of the walk; a letter behind it names a variant, x the flawed twin
  std::string_view idea;  ///< what the text proposes
  std::string_view flaw;  ///< what comes of it; empty: holds
  Verdict expected = Verdict::pass;
  /// Of the small world; null where the rung is the product itself.
  std::unique_ptr<Design> (*design)() = nullptr;
  /// The product's own world.
  Scenario (*scenario)(std::uint64_t seed) = nullptr;
};

/// In the order of the walk.
const std::vector<Rung>& table();
/// Nothing when there is no such rung.
const Rung* find(std::string_view id);

std::unique_ptr<Design> b01_bare_writes();
std::unique_ptr<Design> b02_durable_writes();
std::unique_ptr<Design> b03_two_phase_commit();
std::unique_ptr<Design> b03x_lone_coordinator();
std::unique_ptr<Design> b04_tcc();
std::unique_ptr<Design> b05a_credit_first();
std::unique_ptr<Design> b05b_both_at_once();
std::unique_ptr<Design> b06_tcc_unordered();
std::unique_ptr<Design> b06x_no_flag();
std::unique_ptr<Design> b07a_saga_backwards();
std::unique_ptr<Design> b07x_saga_forwards();
std::unique_ptr<Design> b08_choreography();
std::unique_ptr<Design> b09_message_compensation();
std::unique_ptr<Design> b10_one_node();
std::unique_ptr<Design> b11_replicated_commands();
std::unique_ptr<Design> b12_quorum();
std::unique_ptr<Design> b12a_async_replication();
std::unique_ptr<Design> b12b_unsynced();
std::unique_ptr<Design> b12c_synchronous_standby();
std::unique_ptr<Design> b13_remote_queue();
std::unique_ptr<Design> b14_fenced_lease();
std::unique_ptr<Design> b14x_unfenced_lease();
std::unique_ptr<Design> b16_serialisable();
std::unique_ptr<Design> b16x_write_skew();

Scenario b07_saga(std::uint64_t seed);
Scenario b15_raft_groups(std::uint64_t seed);
Scenario b17_final_design(std::uint64_t seed);
Scenario b17t_final_design_tcc(std::uint64_t seed);

}  // namespace coffer::sim::ladder
