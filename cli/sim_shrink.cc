#include <cstdio>

#include <CLI/CLI.hpp>
#include <unistd.h>

#include "cli/build_id.h"
#include "cli/sim_verbs.h"
#include "sim/run/run.h"
#include "sim/shrink/shrink.h"
#include "sim/shrink/story.h"

namespace coffer::cli {

namespace {

struct ShrinkVerb {
  OneWorld world;
  std::string time = "60s";
  std::string write_to = "shrunk.json";
  OutputFormat output = OutputFormat::text;

  int run() const;
};

int ShrinkVerb::run() const {
  const sim::Scenario scenario = world.scenario();
  const Duration real_time = duration_of("--for", time);
  const bool terminal = isatty(STDERR_FILENO) == 1;
  sim::shrink::Listener listener;
  listener.on_first = [&](const sim::RunResult& whole) {
    require_failure(whole);
    if (output != OutputFormat::text) return;
    print("before      " + sim::shrink::size_of(scenario) + "\nreason      " + whole.reason + "\n");
  };
  listener.on_smaller = [&](const sim::shrink::Report& so_far) {
    const std::string size = sim::shrink::size_of(so_far.scenario) + ", run " + std::to_string(so_far.runs);
    std::fprintf(stderr, terminal ? "\r\x1b[K%s" : "%s\n", size.c_str());
    std::fflush(stderr);
  };
  listener.may_go_on = for_so_long(real_time);
  const Interruptible interruptible;
  const sim::shrink::Report report = sim::shrink::smallest(scenario, listener);
  if (terminal) std::fputs("\r\x1b[K", stderr);
  save(report.scenario, write_to);
  const std::string replay = "coffer sim run " + write_to;
  print(output == OutputFormat::json ? sim::shrink::to_json(report, build_id(), replay)
                                     : sim::shrink::to_text(report, build_id(), replay));
  return Interruptible::asked().load() ? interrupted : ok;
}

}  // namespace

void add_sim_shrink_verb(CLI::App& sim, int& exit_code) {
  CLI::App* verb =
      sim.add_subcommand("shrink", "makes a failing world smaller for as long as it fails in the same way");
  const auto options = std::make_shared<ShrinkVerb>();
  options->world.add_options(*verb);
  verb->add_option("--for", options->time, "how long at most, in real time (60s)")->type_name("TIME");
  verb->add_option("--write-scenario", options->write_to, "where the smallest goes (shrunk.json)")->type_name("FILE");
  add_output_option(*verb, options->output);
  verb->footer(
      "The smallest so far is kept, also on Ctrl-C; `coffer sim explain` tells its story.\nExamples:\n  coffer sim "
      "shrink failing.json\n  coffer sim "
      "shrink --profile storage --seed 42 --for 5min");
  verb->callback([options, &exit_code] { exit_code = attempt(options->output, [&] { return options->run(); }); });
}

}  // namespace coffer::cli
