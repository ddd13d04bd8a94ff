#include "cli/sim_verbs.h"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <sstream>

#include <CLI/CLI.hpp>
#include <unistd.h>

#include "sim/run/scenario_json.h"
#include "sim/run/units.h"

namespace coffer::cli {

namespace {

std::atomic<bool> interrupt_asked{false};

void ask_for_interrupt(int) { interrupt_asked.store(true); }

}  // namespace

Interruptible::Interruptible() { std::signal(SIGINT, ask_for_interrupt); }
Interruptible::~Interruptible() { std::signal(SIGINT, SIG_DFL); }
const std::atomic<bool>& Interruptible::asked() { return interrupt_asked; }

std::function<bool()> for_so_long(Duration real_time) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::nanoseconds(real_time.nanos);
  return [until] { return std::chrono::steady_clock::now() < until && !interrupt_asked.load(); };
}

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

void require_failure(const sim::RunResult& result) {
  if (result.verdict != sim::Verdict::pass && result.verdict != sim::Verdict::unknown) return;
  throw Refusal{usage, "this run does not fail (verdict: " + std::string(sim::name(result.verdict)) + ")"};
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

Duration duration_of(const std::string& option, const std::string& text) {
  const auto parsed = sim::parse_duration(text);
  if (!parsed || *parsed <= Duration{}) {
    throw Refusal{usage, option + " " + text + ": is not a duration such as 10min"};
  }
  return *parsed;
}

void OneWorld::add_options(CLI::App& verb) {
  verb.add_option("FILE", file, "scenario; without it, the seed draws one")->type_name("");
  verb.add_option("--seed", seed, "instead of the scenario's")->type_name("N");
  verb.add_option("--profile", profile, "what a seed may draw, without FILE")->type_name("NAME");
}

sim::Scenario OneWorld::scenario() const {
  sim::Scenario scenario = file.empty() ? profile_named(profile).draw(seed.value_or(1)) : load(file);
  scenario.seed = seed.value_or(scenario.seed);
  return scenario;
}

Progress::Progress(std::uint64_t seeds)
    : seeds_(seeds), terminal_(isatty(STDERR_FILENO) == 1), colour_(terminal_ && std::getenv("NO_COLOR") == nullptr) {}

void Progress::show(const sim::FuzzReport& report) {
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
  line << " seeds, " << per_second << "/s, " << report.simulated_ms / 1000 << " s simulated, " << faults << " faults, "
       << report.failures.size() << " failures";
  std::fprintf(stderr, terminal_ ? "\r\x1b[K%s" : "%s\n", line.str().c_str());
  std::fflush(stderr);
}

void Progress::tell_failure(const sim::RunResult& result) const {
  end();
  std::ostringstream line;
  line << "seed " << result.seed << ": " << sim::name(result.verdict);
  if (!result.oracle.empty()) line << ' ' << result.oracle;
  if (!result.reason.empty()) line << ": " << result.reason;
  std::fprintf(stderr, "%s\n", line.str().c_str());
}

void Progress::end() const {
  if (terminal_) std::fputs("\r\x1b[K", stderr);
}

std::string Progress::bar(const sim::FuzzReport& report) const {
  constexpr std::uint64_t width = 24;
  const std::uint64_t full = std::min(width, report.seeds * width / seeds_);
  const char* colour = !colour_ ? "" : report.failures.empty() ? "\x1b[32m" : "\x1b[31m";
  return std::string(colour) + "[" + std::string(full, '=') + std::string(width - full, ' ') + "]" +
         (colour_ ? "\x1b[0m" : "");
}

}  // namespace coffer::cli
