#include "cli/sim.h"

#include <CLI/CLI.hpp>

#include "cli/sim_verbs.h"

namespace coffer::cli {

void add_sim_verbs(CLI::App& app, int& exit_code) {
  CLI::App* sim = app.add_subcommand("sim", "the same wallet in a world made from a seed, judged by oracles");
  sim->require_subcommand(1);
  sim->footer(
      "Examples:\n"
      "  coffer sim fuzz --seeds 100 --twice\n"
      "  coffer sim run scenarios/basics/happy_path.json\n"
      "  coffer sim list profiles\n"
      "`coffer sim VERB --help` tells more of each verb.");
  add_sim_run_verb(*sim, exit_code);
  add_sim_fuzz_verb(*sim, exit_code);
  add_sim_shrink_verb(*sim, exit_code);
  add_sim_explain_verb(*sim, exit_code);
  add_sim_availability_verb(*sim, exit_code);
  add_sim_list_verb(*sim, exit_code);
  add_sim_ladder_verb(*sim, exit_code);
}

}  // namespace coffer::cli
