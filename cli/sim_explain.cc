#include <CLI/CLI.hpp>

#include "cli/build_id.h"
#include "cli/sim_verbs.h"
#include "sim/shrink/explain.h"
#include "sim/shrink/story.h"

namespace coffer::cli {

namespace {

struct ExplainVerb {
  OneWorld world;
  std::string time = "60s";
  OutputFormat output = OutputFormat::text;

  int run() const;
};

int ExplainVerb::run() const {
  const sim::Scenario scenario = world.scenario();
  const Interruptible interruptible;
  const sim::shrink::Explanation told = sim::shrink::explain(scenario, for_so_long(duration_of("--for", time)));
  require_failure(told.result);
  const std::string replay = sim::replay_command(told.result, world.file, world.profile);
  print(output == OutputFormat::json ? sim::shrink::to_json(told, build_id(), replay)
                                     : sim::shrink::to_text(told, build_id(), replay));
  return Interruptible::asked().load() ? interrupted : ok;
}

}  // namespace

void add_sim_explain_verb(CLI::App& sim, int& exit_code) {
  CLI::App* verb = sim.add_subcommand("explain", "why a world fails: what is needed for it, and what happened");
  const auto options = std::make_shared<ExplainVerb>();
  options->world.add_options(*verb);
  verb->add_option("--for", options->time, "how long at most strikes are left out, in real time (60s)")
      ->type_name("TIME");
  add_output_option(*verb, options->output);
  verb->footer("Best of what `coffer sim shrink` has made small.\nExample:\n  coffer sim explain shrunk.json");
  verb->callback([options, &exit_code] { exit_code = attempt(options->output, [&] { return options->run(); }); });
}

}  // namespace coffer::cli
