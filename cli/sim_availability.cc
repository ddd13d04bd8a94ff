#include <cstdio>
#include <optional>

#include <CLI/CLI.hpp>

#include "cli/build_id.h"
#include "cli/sim_verbs.h"
#include "sim/faults/faults.h"
#include "sim/run/single_faults.h"

namespace coffer::cli {

namespace {

struct AvailabilityVerb {
  std::uint64_t days = 1;
  std::uint64_t first_day = 1;
  std::string fault;
  bool long_faults = false;
  double at_least = 99.99;
  std::uint32_t jobs = 1;
  OutputFormat output = OutputFormat::text;

  int run() const;
  sim::FuzzOptions options() const;
};

sim::FuzzOptions AvailabilityVerb::options() const {
  const std::uint64_t pieces = sim::pieces_of_a_day();
  sim::FuzzOptions options;
  options.profile = &profile_named(long_faults ? "single_faults_long" : "single_faults");
  options.first_seed = (first_day - 1) * pieces + 1;
  options.seeds = days * pieces;
  options.jobs = jobs;
  options.interrupted = &Interruptible::asked();
  if (fault.empty()) return options;
  const sim::faults::Row* row = sim::faults::find(fault);
  if (row == nullptr) throw Refusal{usage, "no fault \"" + fault + "\"; `coffer sim list faults` shows them"};
  options.slices = static_cast<std::uint32_t>(pieces);
  options.slice = static_cast<std::uint32_t>(row - sim::faults::table().data()) + 1;
  return options;
}

int AvailabilityVerb::run() const {
  const sim::FuzzOptions options = this->options();
  Progress progress(fault.empty() ? options.seeds : days);
  sim::FuzzListener listener;
  listener.on_progress = [&](const sim::FuzzReport& report) { progress.show(report); };
  const Interruptible interruptible;
  const sim::FuzzReport report = sim::fuzz(options, listener);
  progress.end();
  print(output == OutputFormat::json ? sim::availability_to_json(report, build_id())
                                     : sim::availability_to_text(report, build_id()));
  if (!report.failures.empty()) return exit_code_of(report.verdict);
  if (Interruptible::asked().load()) return interrupted;
  const auto served = static_cast<double>(report.availability.served);
  return served * 100.0 >= at_least * static_cast<double>(report.availability.requests) ? ok : threshold_missed;
}

}  // namespace

void add_sim_availability_verb(CLI::App& sim, int& exit_code) {
  CLI::App* verb = sim.add_subcommand(
      "availability", "which share of a steady load is served in time while each kind of fault strikes once a day");
  const auto options = std::make_shared<AvailabilityVerb>();
  verb->add_option("--days", options->days, "simulated days")
      ->type_name("N")
      ->check(CLI::Range(1, 10'000))
      ->capture_default_str();
  verb->add_option("--first-day", options->first_day, "the others follow")
      ->type_name("N")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  verb->add_option("--fault", options->fault, "only this kind")->type_name("NAME");
  verb->add_flag("--long", options->long_faults, "faults of up to half a minute, not of some seconds");
  verb->add_option("--at-least", options->at_least, "per cent, or the threshold is missed")
      ->type_name("PERCENT")
      ->check(CLI::Range(0.0, 100.0))
      ->capture_default_str();
  verb->add_option("--jobs", options->jobs, "how many pieces of days at once")
      ->type_name("N")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  add_output_option(*verb, options->output);
  verb->footer("Examples:\n  coffer sim availability --days 30 --jobs 2\n  coffer sim availability --fault pause");
  verb->callback([options, &exit_code] { exit_code = attempt(options->output, [&] { return options->run(); }); });
}

}  // namespace coffer::cli
