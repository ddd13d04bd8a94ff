#include "sim/ladder/rungs.h"

#include <algorithm>

namespace coffer::sim::ladder {

const std::vector<Rung>& table() {
  static const std::vector<Rung> rows = {
      {"B1", "two bare writes, shards in memory", "a crash loses what is under way, a restart everything",
       Verdict::violation, b01_bare_writes},
      {"B2", "two bare writes, durable shards", "a crash between the two writes loses the money", Verdict::violation,
       b02_durable_writes},
      {"B4", "TC/C: Try takes, Confirm gives", "", Verdict::pass, b04_tcc},
      {"B5a", "TC/C: Try gives, Confirm takes", "what was given is spent before it is taken back", Verdict::violation,
       b05a_credit_first},
      {"B5b", "TC/C: Try takes and gives at once", "the credit lands and is spent while the debit fails",
       Verdict::violation, b05b_both_at_once},
      {"B6", "TC/C, unordered delivery, with the flag", "", Verdict::pass, b06_tcc_unordered},
      {"B6x", "TC/C, unordered delivery, no flag", "a Try behind its own Cancel takes money for ever",
       Verdict::violation, b06x_no_flag},
  };
  return rows;
}

const Rung* find(std::string_view id) {
  const auto row = std::find_if(table().begin(), table().end(), [&](const Rung& rung) { return rung.id == id; });
  return row == table().end() ? nullptr : &*row;
}

}  // namespace coffer::sim::ladder
