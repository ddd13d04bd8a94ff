// What the verbs of `coffer sim` have in common: one world, many of them, and how they are told. Each verb is one file.
#pragma once

#include <atomic>
#include <cstdint>
#include <fstream>
#include <functional>
#include <optional>
#include <string>

#include "cli/verbs.h"
#include "core/base/check.h"
#include "sim/ladder/report.h"
#include "sim/models/cluster.h"
#include "sim/run/fuzz.h"
#include "sim/run/report.h"

namespace coffer::cli {

// Each adds its verb; the verb's run leaves its exit code.
void add_sim_run_verb(CLI::App& sim, int& exit_code);
void add_sim_fuzz_verb(CLI::App& sim, int& exit_code);
void add_sim_shrink_verb(CLI::App& sim, int& exit_code);
void add_sim_explain_verb(CLI::App& sim, int& exit_code);
void add_sim_availability_verb(CLI::App& sim, int& exit_code);
void add_sim_list_verb(CLI::App& sim, int& exit_code);
void add_sim_ladder_verb(CLI::App& sim, int& exit_code);

/// While it lives an interrupt is noted, and does not end the process.
class Interruptible {
 public:
  Interruptible();
  ~Interruptible();
  Interruptible(const Interruptible&) = delete;
  Interruptible& operator=(const Interruptible&) = delete;
  static const std::atomic<bool>& asked();
};

/// True until so much real time is over, or an interrupt was asked for.
std::function<bool()> for_so_long(Duration real_time);

/// On stdout, flushed.
void print(const std::string& text);
int exit_code_of(sim::Verdict verdict);

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

// Each throws a Refusal that says what to do.
sim::Scenario load(const std::string& file);
sim::ladder::SavedPlan load_plan(const std::string& file);
void save(const sim::Scenario& scenario, const std::string& file);
const sim::Profile& profile_named(const std::string& name);
/// Of an option such as `--for 10min`; above 0.
Duration duration_of(const std::string& option, const std::string& text);
/// Of something that is to be made smaller or explained.
void require_failure(const sim::RunResult& result);
/// Requires: `file` is not empty.
void open_for_writing(std::ofstream& out, const std::string& file);

/// One world: a scenario file, or what a seed draws.
struct OneWorld {
  std::string file;
  std::optional<std::uint64_t> seed;
  std::string profile = "default";

  void add_options(CLI::App& verb);
  /// With the seed it is to run with.
  sim::Scenario scenario() const;
};

/// A bar that is redrawn on a terminal, a line now and then elsewhere.
class Progress {
 public:
  /// `seeds`: 0 if nobody knows how many there will be.
  explicit Progress(std::uint64_t seeds);

  void show(const sim::FuzzReport& report);
  /// At once, in a line that stays: who watches a long run need not await its end.
  void tell_failure(const sim::RunResult& result) const;
  void end() const;

 private:
  std::string bar(const sim::FuzzReport& report) const;

  std::uint64_t seeds_;
  bool terminal_;
  bool colour_;
  std::int64_t told_ms_ = 0;
};

}  // namespace coffer::cli
