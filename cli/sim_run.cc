#include <fstream>
#include <utility>

#include <CLI/CLI.hpp>

#include "cli/build_id.h"
#include "cli/sim_verbs.h"
#include "sim/run/run.h"

namespace coffer::cli {

namespace {

struct RunVerb {
  OneWorld world;
  std::string trace;
  std::string write_scenario;
  bool check_determinism = false;
  OutputFormat output = OutputFormat::text;

  int run() const;
};

int RunVerb::run() const {
  const sim::Scenario scenario = world.scenario();
  if (!write_scenario.empty()) save(scenario, write_scenario);
  std::ofstream trace_file;
  sim::RunOptions options;
  if (!trace.empty()) {
    open_for_writing(trace_file, trace);
    options.trace_jsonl = &trace_file;
  }
  sim::RunResult result = sim::run(scenario, scenario.seed, options);
  if (!trace.empty() && !trace_file.flush()) throw Refusal{internal, "cannot write " + trace};
  if (check_determinism) result = sim::compare(std::move(result), sim::run(scenario, scenario.seed));
  const bool expected = sim::as_expected(scenario, result);
  const std::string replay = sim::replay_command(result, world.file, world.profile);
  print(output == OutputFormat::json ? sim::run_to_json(result, expected, build_id(), replay)
                                     : sim::run_to_text(result, expected, build_id(), replay));
  if (expected) return ok;
  if (result.verdict != sim::Verdict::pass) return exit_code_of(result.verdict);
  complain("expected " + scenario.expect + ", and the run passed");
  return threshold_missed;
}

}  // namespace

void add_sim_run_verb(CLI::App& sim, int& exit_code) {
  CLI::App* verb = sim.add_subcommand("run", "one world: a scenario file, or what a seed draws");
  const auto options = std::make_shared<RunVerb>();
  options->world.add_options(*verb);
  verb->add_option("--trace", options->trace, "write every event, one JSON object a line")->type_name("FILE");
  verb->add_option("--write-scenario", options->write_scenario, "write the scenario that is run")->type_name("FILE");
  verb->add_flag("--check-determinism", options->check_determinism, "run twice and compare the traces");
  add_output_option(*verb, options->output);
  verb->footer(
      "Examples:\n  coffer sim run scenarios/basics/happy_path.json\n  coffer sim run --seed 42 --trace run.jsonl");
  verb->callback([options, &exit_code] { exit_code = attempt(options->output, [&] { return options->run(); }); });
}

}  // namespace coffer::cli
