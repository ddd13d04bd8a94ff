// `coffer sim ladder`: the designs of the source texts, each under the same faults.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <unistd.h>

#include "cli/build_id.h"
#include "cli/sim_verbs.h"
#include "sim/ladder/climb.h"
#include "sim/ladder/report.h"
#include "sim/run/report.h"

namespace coffer::cli {

namespace ladder = sim::ladder;

namespace {

/// A line that is redrawn on a terminal, one now and then elsewhere.
class LadderProgress {
 public:
  LadderProgress(std::size_t rungs, std::uint64_t seeds) : rungs_(rungs), seeds_(seeds) {}

  void show(const ladder::RungReport& report) {
    const auto now = std::chrono::steady_clock::now();
    if (now < told_ + std::chrono::milliseconds(terminal_ ? 200 : 5000)) return;
    told_ = now;
    std::ostringstream line;
    line << report.rung->id << ": " << report.seeds << " of " << seeds_ << " seeds, " << report.failing << " failing ("
         << rungs_ << " rungs)";
    std::fprintf(stderr, terminal_ ? "\r\x1b[K%s" : "%s\n", line.str().c_str());
    std::fflush(stderr);
  }
  void end() const {
    if (terminal_) std::fputs("\r\x1b[K", stderr);
  }

 private:
  std::size_t rungs_;
  std::uint64_t seeds_;
  bool terminal_ = isatty(STDERR_FILENO) == 1;
  std::chrono::steady_clock::time_point told_ = std::chrono::steady_clock::now();
};

struct LadderVerb {
  std::vector<std::string> rungs;
  std::uint64_t seeds = 3000;
  std::uint64_t first_seed = 1;
  std::optional<std::uint64_t> product_seeds;
  std::string plan;
  std::string write_plans;
  OutputFormat output = OutputFormat::text;

  int run() const;
  int climb() const;
  int run_plan() const;
};

/// Of the worst that was not expected.
int exit_code_of(const std::vector<ladder::RungReport>& reports) {
  int code = ok;
  for (const ladder::RungReport& report : reports) {
    if (report.as_expected()) continue;
    if (report.verdict == sim::Verdict::violation) return safety_violation;
    if (report.verdict == sim::Verdict::stuck) code = liveness_violation;
    if (code == ok) code = report.verdict == sim::Verdict::pass ? threshold_missed : unavailable_or_unknown;
  }
  return code;
}

int LadderVerb::climb() const {
  ladder::ClimbOptions options;
  for (const ladder::Rung& rung : ladder::table()) {
    const bool wanted = rungs.empty() || std::find(rungs.begin(), rungs.end(), rung.id) != rungs.end();
    if (wanted) options.rungs.push_back(&rung);
  }
  for (const std::string& id : rungs) {
    if (ladder::find(id) == nullptr) throw Refusal{usage, "no rung \"" + id + "\"; `coffer sim ladder` shows them all"};
  }
  options.first_seed = first_seed;
  options.seeds = seeds;
  if (product_seeds) options.product_seeds = *product_seeds;
  LadderProgress progress(options.rungs.size(), seeds);
  ladder::ClimbListener listener;
  listener.may_go_on = [&](const ladder::RungReport& so_far) {
    progress.show(so_far);
    return !Interruptible::asked().load();
  };
  const Interruptible interruptible;
  const std::vector<ladder::RungReport> reports = ladder::climb(options, listener);
  progress.end();
  for (const ladder::RungReport& report : reports) {
    if (write_plans.empty() || !report.story) continue;
    const std::string file = write_plans + "/" + std::string(report.rung->id) + ".json";
    std::ofstream out;
    open_for_writing(out, file);
    const std::string about = std::string(report.rung->idea) + ": " + std::string(report.rung->flaw);
    out << ladder::write_plan({std::string(report.rung->id), about, report.oracle, report.story->plan});
    if (!out.flush()) throw Refusal{internal, "cannot write " + file};
  }
  print(output == OutputFormat::json ? ladder::to_json(reports, build_id()) : ladder::to_text(reports));
  return Interruptible::asked().load() ? interrupted : exit_code_of(reports);
}

int LadderVerb::run_plan() const {
  const ladder::SavedPlan saved = load_plan(plan);
  const ladder::Rung* rung = ladder::find(saved.rung);
  if (rung == nullptr || rung->design == nullptr) {
    throw Refusal{usage, plan + ": no rung \"" + saved.rung + "\" takes a plan"};
  }
  const ladder::Outcome outcome = ladder::run(*rung->design(), saved.plan, true);
  const ladder::Finding& finding = outcome.finding;
  const std::string found = finding.verdict == sim::Verdict::pass ? "pass" : finding.oracle;
  if (output == OutputFormat::json) {
    print("{\n  \"rung\": " + sim::json_string(saved.rung) + ",\n  \"verdict\": " +
          sim::json_string(sim::name(finding.verdict)) + ",\n  \"oracle\": " + sim::json_string(finding.oracle) +
          ",\n  \"expected\": " + sim::json_string(saved.expect) +
          ",\n  \"reason\": " + sim::json_string(finding.reason) +
          ",\n  \"trace_hash\": " + sim::json_string(sim::hex_of(outcome.hash)) + "\n}\n");
  } else {
    for (const std::string& line : outcome.chronicle) say(line);
    say(std::string(sim::name(finding.verdict)) + (finding.reason.empty() ? "" : ", " + finding.oracle + ": ") +
        finding.reason);
  }
  if (found == saved.expect) return ok;
  complain("expected " + saved.expect + ", found " + found);
  if (finding.verdict == sim::Verdict::violation) return safety_violation;
  return finding.verdict == sim::Verdict::stuck ? liveness_violation : threshold_missed;
}

int LadderVerb::run() const { return plan.empty() ? climb() : run_plan(); }

}  // namespace

ladder::SavedPlan load_plan(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  if (!in || !(text << in.rdbuf())) throw Refusal{usage, "cannot read " + file};
  std::string mistake;
  const auto saved = ladder::read_plan(text.str(), mistake);
  if (!saved) throw Refusal{usage, file + ": " + mistake};
  return *saved;
}

void add_sim_ladder_verb(CLI::App& sim, int& exit_code) {
  CLI::App* verb = sim.add_subcommand("ladder", "the designs of the source texts, each under the same faults");
  const auto options = std::make_shared<LadderVerb>();
  verb->add_option("--rung", options->rungs, "only this one (may be repeated)")->type_name("ID");
  verb->add_option("--seeds", options->seeds, "how many plans of faults and transfers (3000)")->type_name("N");
  verb->add_option("--first-seed", options->first_seed, "the first of them (1)")->type_name("S");
  verb->add_option("--product-seeds", options->product_seeds, "at most, of the rungs that are the product itself (20)")
      ->type_name("N");
  verb->add_option("--plan", options->plan, "run one saved plan instead, and tell its story")->type_name("FILE");
  verb->add_option("--write-plans", options->write_plans, "where the smallest failing plans go, a file a rung")
      ->type_name("DIR");
  add_output_option(*verb, options->output);
  verb->footer(
      "Exit code 0: every rung shows the verdict that the walk expects of it.\nExamples:\n  coffer sim ladder\n  "
      "coffer "
      "sim ladder --rung B2 --seeds 1000\n  coffer sim ladder --plan scenarios/ladder/B2.json");
  verb->callback([options, &exit_code] { exit_code = attempt(options->output, [&] { return options->run(); }); });
}

}  // namespace coffer::cli
