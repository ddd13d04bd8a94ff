#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <optional>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/build_id.h"
#include "cli/sim_verbs.h"
#include "sim/shrink/explain.h"
#include "sim/shrink/shrink.h"
#include "sim/shrink/story.h"

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
  bool no_shrink = false;
  std::string shrink_time = "60s";
  std::string failures;  ///< folder to write scenarios of failing seeds to; empty: none
  OutputFormat output = OutputFormat::text;

  int run() const;
  sim::FuzzOptions options() const;
  sim::Scenario scenario_of(const sim::FuzzOptions& options, std::uint64_t seed) const;
  std::string file_of(std::uint64_t seed, const char* ending) const;
  void write_failures(const sim::FuzzOptions& options, const sim::FuzzReport& report) const;
  struct Told {
    std::uint64_t seed;
    std::string file;
    std::string replay;
    sim::shrink::Explanation explanation;
  };
  std::optional<Told> tell_first(const sim::FuzzOptions& options, const sim::FuzzReport& report) const;
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

sim::Scenario FuzzVerb::scenario_of(const sim::FuzzOptions& options, std::uint64_t seed) const {
  sim::Scenario scenario = options.scenario ? *options.scenario : options.profile->draw(seed);
  scenario.seed = seed;
  return scenario;
}

std::string FuzzVerb::file_of(std::uint64_t seed, const char* ending) const {
  const std::string world = file.empty() ? profile : std::filesystem::path(file).stem().string();
  return (std::filesystem::path(failures) / (world + "-" + std::to_string(seed) + ending)).string();
}

void FuzzVerb::write_failures(const sim::FuzzOptions& options, const sim::FuzzReport& report) const {
  if (failures.empty()) return;
  std::error_code problem;
  std::filesystem::create_directories(failures, problem);  // where it fails, the first file says so
  for (const sim::RunResult& failure : report.failures) {
    sim::Scenario scenario = scenario_of(options, failure.seed);
    scenario.expect = failure.oracle;
    save(scenario, file_of(failure.seed, ".json"));
  }
}

/// The first seed that failed, made smaller and explained. Nothing where none is to be, or can be.
std::optional<FuzzVerb::Told> FuzzVerb::tell_first(const sim::FuzzOptions& options,
                                                   const sim::FuzzReport& report) const {
  const auto failure = std::find_if(report.failures.begin(), report.failures.end(), [](const sim::RunResult& one) {
    return one.verdict == sim::Verdict::violation || one.verdict == sim::Verdict::stuck;
  });
  if (no_shrink || failure == report.failures.end() || Interruptible::asked().load()) return std::nullopt;
  sim::shrink::Listener listener;
  listener.may_go_on = for_so_long(duration_of("--shrink-for", shrink_time));
  const sim::shrink::Report shrunk = sim::shrink::smallest(scenario_of(options, failure->seed), listener);
  Told told{failure->seed, "", "", sim::shrink::explain(shrunk.scenario, for_so_long(seconds(10)))};
  const std::string whose = file.empty() ? "--profile " + profile : file;
  told.replay = "coffer sim shrink " + whose + " --seed " + std::to_string(failure->seed);
  if (failures.empty()) return told;
  told.file = file_of(failure->seed, ".shrunk.json");
  told.replay = "coffer sim run " + told.file;
  save(told.explanation.scenario, told.file);
  return told;
}

int FuzzVerb::run() const {
  duration_of("--shrink-for", shrink_time);
  const sim::FuzzOptions options = this->options();
  Progress progress(options.slices == 1 ? options.seeds : 0);
  sim::FuzzListener listener;
  listener.on_progress = [&](const sim::FuzzReport& report) { progress.show(report); };
  listener.on_result = [&](const sim::RunResult& result) {
    if (hashes) say(std::to_string(result.seed) + " " + sim::hex_of(result.trace_hash));
    if (result.verdict != sim::Verdict::pass) progress.tell_failure(result);
  };
  const Interruptible interruptible;
  const sim::FuzzReport report = sim::fuzz(options, listener);
  progress.end();
  if (!hashes) {
    write_failures(options, report);
    const bool text = output == OutputFormat::text;
    if (text) print(sim::fuzz_to_text(report, options, build_id(), file));
    const std::optional<Told> told = tell_first(options, report);
    if (text && told) {
      print("\nseed " + std::to_string(told->seed) + ", made smaller:\n" +
            sim::shrink::to_text(told->explanation, build_id(), told->replay));
    }
    if (!text) {
      auto document = nlohmann::ordered_json::parse(sim::fuzz_to_json(report, options, build_id(), file));
      if (told) {
        document["shrunk"] =
            nlohmann::ordered_json::parse(sim::shrink::to_json(told->explanation, build_id(), told->replay));
        document["shrunk"]["of_seed"] = told->seed;
        document["shrunk"]["scenario"] = told->file;
      }
      print(document.dump(2) + "\n");
    }
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
  verb->add_flag("--no-shrink", options->no_shrink, "leave the first failing seed as it is");
  verb->add_option("--shrink-for", options->shrink_time, "how long it is made smaller at most, in real time (60s)")
      ->type_name("TIME");
  verb->add_option("--write-failures", options->failures, "write scenarios of failing seeds there")->type_name("DIR");
  verb->add_flag("--hashes", options->hashes, "print `seed trace_hash` lines and nothing else");
  add_output_option(*verb, options->output);
  verb->footer(
      "Examples:\n  coffer sim fuzz --seeds 1000 --jobs 2 --twice\n  coffer sim fuzz --profile short_leaderships --for "
      "10min");
  verb->callback([options, &exit_code] { exit_code = attempt(options->output, [&] { return options->run(); }); });
}

}  // namespace coffer::cli
