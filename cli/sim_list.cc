#include <algorithm>
#include <filesystem>
#include <vector>

#include <CLI/CLI.hpp>

#include "cli/sim_verbs.h"
#include "core/txn/protocols.h"
#include "sim/faults/faults.h"
#include "sim/oracles/oracles.h"
#include "sim/run/swarm.h"
#include "sim/run/words.h"

namespace coffer::cli {

namespace {

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
    const bool of_ladder = entry.path().parent_path().filename() == "ladder";
    files.push_back({path, of_ladder ? load_plan(path).about : load(path).about});
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
    for (const auto& row : txn::protocols()) rows.push_back({std::string(row.name), std::string(row.doc)});
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

}  // namespace

void add_sim_list_verb(CLI::App& sim, int& exit_code) {
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

}  // namespace coffer::cli
