// The verbs of the command line, one file each, and what they have in common: exit codes and output formats.
// Data goes to stdout, progress and mistakes to stderr.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace coffer::cli {

enum ExitCode : int {
  ok = 0,
  internal = 1,
  usage = 2,
  safety_violation = 3,
  liveness_violation = 4,
  nondeterminism = 5,
  audit_mismatch = 6,
  unavailable_or_unknown = 7,
  refused = 8,
  threshold_missed = 9,
  interrupted = 130,
};

enum class OutputFormat : std::uint8_t { text, json };

/// A word of a table, and the number it stands for.
using Word = std::pair<std::string, int>;
/// Has the option take one of these words; what else is given is told all of them.
void take_one_of(CLI::Option& option, std::vector<Word> words);
/// Adds `--output text|json`.
void add_output_option(CLI::App& verb, OutputFormat& format);
/// One line on stderr: "coffer: …".
void complain(std::string_view what);
/// One line on stdout, flushed: whoever reads it may wait for it.
void say(std::string_view line);

// Each adds its verb; the verb's run leaves its exit code.
void add_local_verb(CLI::App& app, int& exit_code);
void add_init_verb(CLI::App& app, int& exit_code);
void add_join_verb(CLI::App& app, int& exit_code);
void add_serve_verb(CLI::App& app, int& exit_code);
void add_client_verb(CLI::App& app, int& exit_code);
void add_status_verb(CLI::App& app, int& exit_code);
void add_bench_verb(CLI::App& app, int& exit_code);

}  // namespace coffer::cli
