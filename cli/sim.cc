#include "cli/sim.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <unistd.h>

#include "cli/build_id.h"
#include "cli/verbs.h"
#include "core/base/check.h"
#include "sim/faults/faults.h"
#include "sim/models/cluster.h"
#include "sim/oracles/oracles.h"
#include "sim/run/fuzz.h"
#include "sim/run/report.h"
#include "sim/run/scenario_json.h"
#include "sim/run/units.h"
#include "sim/run/words.h"
#include "sim/shrink/shrink.h"
#include "sim/shrink/story.h"

namespace coffer::cli {

namespace {

std::atomic<bool> interrupt_asked{false};

void ask_for_interrupt(int) { interrupt_asked.store(true); }

void print(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

int exit_code_of(sim::Verdict verdict) {
  switch (verdict) {
    case sim::Verdict::pass:
      return ok;
    case sim::Verdict::violation:
      return safety_violation;
    case sim::Verdict::stuck:
      return liveness_violation;
    case sim::Verdict::nondeterministic:
      return nondeterminism;
    case sim::Verdict::unknown:
      return unavailable_or_unknown;
  }
  return internal;
}

/// What ends a verb before there is a result.
struct Refusal {
  int exit_code;
  std::string what;
};

/// Runs the verb; what it refuses is said on stderr and, where JSON was asked for, as a document too.
template <class Verb>
int attempt(OutputFormat output, Verb verb) {
  Refusal refusal{internal, ""};
  try {
    return verb();
  } catch (const Refusal& refused) {
    refusal = refused;
  } catch (const CheckFailure& broken) {
    refusal.what = "the simulator broke an invariant of its own: " + sim::describe(broken);
  }
  complain(refusal.what);
  if (output == OutputFormat::json) {
    print("{\n  \"error\": " + sim::json_string(refusal.what) +
          ",\n  \"exit_code\": " + std::to_string(refusal.exit_code) + "\n}\n");
  }
  return refusal.exit_code;
}

sim::Scenario load(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  if (!in || !(text << in.rdbuf())) {
    throw Refusal{usage, "cannot read " + file + ": name a scenario file; `coffer sim list scenarios` shows some"};
  }
  const auto scenario = sim::read_scenario(text.str());
  if (!scenario) throw Refusal{usage, file + ": " + scenario.error().what};
  return *scenario;
}

const sim::Profile& profile_named(const std::string& name) {
  const sim::Profile* profile = sim::find_profile(name);
  if (profile == nullptr) throw Refusal{usage, "no profile \"" + name + "\"; `coffer sim list profiles` shows them"};
  return *profile;
}

/// Requires: not empty.
void open_for_writing(std::ofstream& out, const std::string& file) {
  out.open(file, std::ios::binary);
  if (!out) throw Refusal{internal, "cannot write " + file};
}

void save(const sim::Scenario& scenario, const std::string& file) {
  std::ofstream out;
  open_for_writing(out, file);
  out << sim::write_scenario(scenario);
  if (!out.flush()) throw Refusal{internal, "cannot write " + file};
}

/// One world: a scenario file, or what a seed draws.
struct OneWorld {
  std::string file;
  std::optional<std::uint64_t> seed;
  std::string profile = "default";

  void add_options(CLI::App& verb) {
    verb.add_option("FILE", file, "scenario; without it, the seed draws one")->type_name("");
    verb.add_option("--seed", seed, "instead of the scenario's")->type_name("N");
    verb.add_option("--profile", profile, "what a seed may draw, without FILE")->type_name("NAME");
  }
  /// With the seed it is to run with.
  sim::Scenario scenario() const {
    sim::Scenario scenario = file.empty() ? profile_named(profile).draw(seed.value_or(1)) : load(file);
    scenario.seed = seed.value_or(scenario.seed);
    return scenario;
  }
};

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

/// A bar that is redrawn on a terminal, a line now and then elsewhere.
class Progress {
 public:
  explicit Progress(std::uint64_t seeds)
      : seeds_(seeds),
        terminal_(isatty(STDERR_FILENO) == 1),
        colour_(terminal_ && std::getenv("NO_COLOR") == nullptr) {}

  void show(const sim::FuzzReport& report) {
    if (!terminal_ && report.real_ms < told_ms_ + 5000) return;
    told_ms_ = report.real_ms;
    std::uint64_t faults = 0;
    for (const auto& [name, count] : report.faults) faults += count;
    const std::uint64_t per_second =
        report.seeds * 1000 / static_cast<std::uint64_t>(std::max<std::int64_t>(report.real_ms, 1));
    std::ostringstream line;
    if (terminal_ && seeds_ > 0) line << bar(report) << ' ';
    line << report.seeds;
    if (seeds_ > 0) line << " of " << seeds_;
    line << " seeds, " << per_second << "/s, " << report.simulated_ms / 1000 << " s simulated, " << faults
         << " faults, " << report.failures.size() << " failures";
    std::fprintf(stderr, terminal_ ? "\r\x1b[K%s" : "%s\n", line.str().c_str());
    std::fflush(stderr);
  }
  void end() const {
    if (terminal_) std::fputs("\r\x1b[K", stderr);
  }

 private:
  std::string bar(const sim::FuzzReport& report) const {
    constexpr std::uint64_t width = 24;
    const std::uint64_t full = std::min(width, report.seeds * width / seeds_);
    const char* colour = !colour_ ? "" : report.failures.empty() ? "\x1b[32m" : "\x1b[31m";
    return std::string(colour) + "[" + std::string(full, '=') + std::string(width - full, ' ') + "]" +
           (colour_ ? "\x1b[0m" : "");
  }

  std::uint64_t seeds_;
  bool terminal_;
  bool colour_;
  std::int64_t told_ms_ = 0;
};

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
  if (!time.empty()) {
    const auto parsed = sim::parse_duration(time);
    if (!parsed || *parsed <= Duration{}) throw Refusal{usage, "--for " + time + ": is not a duration such as 10min"};
    options.real_time = *parsed;
  }
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
  options.interrupted = &interrupt_asked;
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
  std::signal(SIGINT, ask_for_interrupt);
  const sim::FuzzReport report = sim::fuzz(options, listener);
  std::signal(SIGINT, SIG_DFL);
  progress.end();
  if (!hashes) {
    print(output == OutputFormat::json ? sim::fuzz_to_json(report, options, build_id(), file)
                                       : sim::fuzz_to_text(report, options, build_id(), file));
  }
  if (report.oracle == "O-H2") return threshold_missed;
  if (report.failures.empty()) return interrupt_asked.load() ? interrupted : ok;
  return report.verdict == sim::Verdict::pass ? threshold_missed : exit_code_of(report.verdict);
}

struct ShrinkVerb {
  OneWorld world;
  std::string time = "60s";
  std::string write_to = "shrunk.json";
  OutputFormat output = OutputFormat::text;

  int run() const;
};

int ShrinkVerb::run() const {
  const sim::Scenario scenario = world.scenario();
  const auto real_time = sim::parse_duration(time);
  if (!real_time || *real_time <= Duration{}) throw Refusal{usage, "--for " + time + ": is not a duration such as 60s"};
  const sim::RunResult whole = sim::run(scenario, scenario.seed);
  if (whole.verdict == sim::Verdict::pass || whole.verdict == sim::Verdict::unknown) {
    throw Refusal{usage, "this run does not fail (verdict: " + std::string(sim::name(whole.verdict)) + ")"};
  }
  if (output == OutputFormat::text) {
    print("before      " + sim::shrink::size_of(scenario) + "\nreason      " + whole.reason + "\n");
  }
  const bool terminal = isatty(STDERR_FILENO) == 1;
  sim::shrink::Listener listener;
  listener.on_smaller = [&](const sim::shrink::Report& so_far) {
    const std::string size = sim::shrink::size_of(so_far.scenario) + ", run " + std::to_string(so_far.runs);
    std::fprintf(stderr, terminal ? "\r\x1b[K%s" : "%s\n", size.c_str());
    std::fflush(stderr);
  };
  const auto until = std::chrono::steady_clock::now() + std::chrono::nanoseconds(real_time->nanos);
  listener.may_go_on = [until] { return std::chrono::steady_clock::now() < until && !interrupt_asked.load(); };
  std::signal(SIGINT, ask_for_interrupt);
  const sim::shrink::Report report = sim::shrink::smallest(scenario, listener);
  std::signal(SIGINT, SIG_DFL);
  if (terminal) std::fputs("\r\x1b[K", stderr);
  save(report.scenario, write_to);
  const std::string replay = "coffer sim run " + write_to;
  print(output == OutputFormat::json ? sim::shrink::to_json(report, build_id(), replay)
                                     : sim::shrink::to_text(report, build_id(), replay));
  return interrupt_asked.load() ? interrupted : ok;
}

struct Listed {
  std::string name;
  std::string about;
};

std::vector<Listed> scenario_files() {
  std::vector<Listed> files;
  std::error_code none;
  for (const auto& entry : std::filesystem::recursive_directory_iterator("scenarios", none)) {
    const std::string path = entry.path().generic_string();
    if (entry.path().extension() != ".json" || entry.path().filename() == "schema.json") continue;
    files.push_back({path, load(path).about});
  }
  std::sort(files.begin(), files.end(), [](const Listed& a, const Listed& b) { return a.name < b.name; });
  return files;
}

std::vector<Listed> listed(const std::string& what) {
  std::vector<Listed> rows;
  if (what == "faults") {
    for (const auto& row : sim::faults::table()) rows.push_back({std::string(row.name), std::string(row.acts.doc)});
  } else if (what == "oracles") {
    for (const auto& row : sim::oracles::table()) rows.push_back({std::string(row.name), std::string(row.property)});
    rows.push_back({"O-H1", "the same seed gives the same trace (judged by --twice and --check-determinism)"});
    rows.push_back({"O-H2", "a batch of seeds reaches every fault and every interesting state"});
    rows.push_back({"O-V1", "once healed, everything outstanding ends in time; else the verdict is stuck"});
    rows.push_back({"O-V2", "no node gives up while its disk does what it was told"});
    rows.push_back({"check", "no node breaks an invariant of its own"});
    std::sort(rows.begin(), rows.end(), [](const Listed& a, const Listed& b) { return a.name < b.name; });
  } else if (what == "triggers") {
    for (const std::string& kind : sim::words::trace_kinds()) rows.push_back({kind, ""});
  } else if (what == "profiles") {
    for (const auto& profile : sim::profiles()) rows.push_back({std::string(profile.name), std::string(profile.doc)});
  } else if (what == "protocols") {
    rows.push_back({"saga", "orchestrated, the coordinator beside the debit account"});
  } else {
    rows = scenario_files();
  }
  return rows;
}

int list(const std::string& what, OutputFormat output) {
  std::string text = output == OutputFormat::json ? "[" : "";
  const char* separator = "\n";
  for (const Listed& row : listed(what)) {
    if (output == OutputFormat::json) {
      text += separator + std::string("  {\"name\": ") + sim::json_string(row.name) +
              ", \"about\": " + sim::json_string(row.about) + "}";
      separator = ",\n";
    } else {
      text += row.name +
              std::string(row.about.empty()      ? 0
                          : row.name.size() < 20 ? 20 - row.name.size()
                                                 : 2,
                          ' ') +
              row.about + "\n";
    }
  }
  if (output == OutputFormat::json) text += "\n]\n";
  print(text);
  return ok;
}

void add_run_verb(CLI::App& sim, int& exit_code) {
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

void add_fuzz_verb(CLI::App& sim, int& exit_code) {
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

void add_shrink_verb(CLI::App& sim, int& exit_code) {
  CLI::App* verb =
      sim.add_subcommand("shrink", "makes a failing world smaller for as long as it fails in the same way");
  const auto options = std::make_shared<ShrinkVerb>();
  options->world.add_options(*verb);
  verb->add_option("--for", options->time, "how long at most, in real time (60s)")->type_name("TIME");
  verb->add_option("--write-scenario", options->write_to, "where the smallest goes (shrunk.json)")->type_name("FILE");
  add_output_option(*verb, options->output);
  verb->footer(
      "The smallest so far is kept, also on Ctrl-C.\nExamples:\n  coffer sim shrink failing.json\n  coffer sim "
      "shrink --profile storage --seed 42 --for 5min");
  verb->callback([options, &exit_code] { exit_code = attempt(options->output, [&] { return options->run(); }); });
}

void add_list_verb(CLI::App& sim, int& exit_code) {
  CLI::App* verb = sim.add_subcommand("list", "what there is to choose from");
  const auto what = std::make_shared<std::string>();
  const auto output = std::make_shared<OutputFormat>(OutputFormat::text);
  verb->add_option("WHAT", *what, "faults, oracles, protocols, scenarios, triggers or profiles")
      ->required()
      ->type_name("")
      ->check(CLI::IsMember({"faults", "oracles", "protocols", "scenarios", "triggers", "profiles"}));
  add_output_option(*verb, *output);
  verb->callback([what, output, &exit_code] { exit_code = attempt(*output, [&] { return list(*what, *output); }); });
}

}  // namespace

void add_sim_verbs(CLI::App& app, int& exit_code) {
  CLI::App* sim = app.add_subcommand("sim", "the same wallet in a world made from a seed, judged by oracles");
  sim->require_subcommand(1);
  add_run_verb(*sim, exit_code);
  add_fuzz_verb(*sim, exit_code);
  add_shrink_verb(*sim, exit_code);
  add_list_verb(*sim, exit_code);
}

}  // namespace coffer::cli
