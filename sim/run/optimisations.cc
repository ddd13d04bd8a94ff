#include "sim/run/optimisations.h"

namespace coffer::sim {

const std::vector<Optimisation>& optimisations() {
  static const std::vector<Optimisation> all = {
      {"append_packing", "several entries travel in one append",
       [](node::Tuning& tuning) { tuning.append_bytes_max = 1; }},
      {"append_pipelining", "appends are sent before those before them are answered",
       [](node::Tuning& tuning) { tuning.window_bytes_max = 1; }},
      {"batching", "what is ready together becomes one entry",
       [](node::Tuning& tuning) { tuning.entry_bytes_max = 1; }},
      {"early_success", "a success across shards is told as soon as it can no longer change",
       [](node::Tuning& tuning) { tuning.early_success = false; }},
      {"entry_pipelining", "entries are decided on state that has not committed yet",
       [](node::Tuning& tuning) { tuning.entries_in_flight_max = 1; }},
      {"leg_pipelining", "legs are sent before those before them are answered",
       [](node::Tuning& tuning) { tuning.legs_in_flight_max = 1; }},
  };
  return all;
}

}  // namespace coffer::sim
