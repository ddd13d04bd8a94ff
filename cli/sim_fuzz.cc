#include <cstdio>
#include <optional>

#include <CLI/CLI.hpp>

#include "cli/build_id.h"
#include "cli/sim_verbs.h"

namespace coffer::cli {

namespace {

struct FuzzVerb {
  std::string file;
  std::string profile = "default";
  std::optional<std::uint64_t> seeds;
  std::string time;
  std::uint64_t first_seed = 1;
  std::uint32_t jobs = 1;
  std::string slice;
  bool twice = false;
  bool hashes = false;
  OutputFormat output = OutputFormat::text;

  int run() const;
  sim::FuzzOptions options() const;
};

sim::FuzzOptions FuzzVerb::options() const {
  sim::FuzzOptions options;
  if (file.empty()) {
    options.profile = &profile_named(profile);
  } else {
    options.scenario = load(file);
  }
  if (!time.empty()) options.real_time = duration_of("--for", time);
  options.seeds = seeds.value_or(time.empty() ? 100 : 0);
  if (!slice.empty()) {
    char rest = 0;
    const bool read = std::sscanf(slice.c_str(), "%u/%u%c", &options.slice, &options.slices, &rest) == 2;
    if (!read || options.slice < 1 || options.slice > options.slices) {
      throw Refusal{usage, "--slice " + slice + ": is not I/N with I from 1 to N, such as 1/4"};
    }
  }
  options.first_seed = first_seed;
  options.jobs = jobs;
  options.twice = twice;
  options.interrupted = &Interruptible::asked();
  return options;
}

int FuzzVerb::run() const {
  const sim::FuzzOptions options = this->options();
  Progress progress(options.slices == 1 ? options.seeds : 0);
  sim::FuzzListener listener;
  listener.on_progress = [&](const sim::FuzzReport& report) { progress.show(report); };
  if (hashes) {
    listener.on_result = [](const sim::RunResult& result) {
      say(std::to_string(result.seed) + " " + sim::hex_of(result.trace_hash));
    };
  }
  const Interruptible interruptible;
  const sim::FuzzReport report = sim::fuzz(options, listener);
  progress.end();
  if (!hashes) {
    print(output == OutputFormat::json ? sim::fuzz_to_json(report, options, build_id(), file)
                                       : sim::fuzz_to_text(report, options, build_id(), file));
  }
  if (report.oracle == "O-H2") return threshold_missed;
  if (report.failures.empty()) return Interruptible::asked().load() ? interrupted : ok;
  return report.verdict == sim::Verdict::pass ? threshold_missed : exit_code_of(report.verdict);
}

}  // namespace

void add_sim_fuzz_verb(CLI::App& sim, int& exit_code) {
  CLI::App* verb = sim.add_subcommand("fuzz", "many worlds, one a seed");
  const auto options = std::make_shared<FuzzVerb>();
  auto* scenario = verb->add_option("--scenario", options->file, "run this one with every seed")->type_name("FILE");
  verb->add_option("--profile", options->profile, "what a seed may draw")->type_name("NAME")->excludes(scenario);
  verb->add_option("--seeds", options->seeds, "how many (100)")->type_name("N")->check(CLI::PositiveNumber);
  verb->add_option("--for", options->time, "how long in real time, such as 10min")->type_name("TIME");
  verb->add_option("--first-seed", options->first_seed, "the others follow (1)")->type_name("S");
  verb->add_option("--jobs", options->jobs, "how many at once (1)")->type_name("N")->check(CLI::Range(1, 256));
  verb->add_option("--slice", options->slice, "every N-th seed only, beginning at the I-th")->type_name("I/N");
  verb->add_flag("--twice", options->twice, "run each seed again, perturbed, and compare the traces");
  verb->add_flag("--hashes", options->hashes, "print `seed trace_hash` lines and nothing else");
  add_output_option(*verb, options->output);
  verb->footer(
      "Examples:\n  coffer sim fuzz --seeds 1000 --jobs 2 --twice\n  coffer sim fuzz --profile short_leaderships --for "
      "10min");
  verb->callback([options, &exit_code] { exit_code = attempt(options->output, [&] { return options->run(); }); });
}

}  // namespace coffer::cli
