#include <CLI/CLI.hpp>

#include "cli/verbs.h"
namespace coffer::cli {
void add_bench_verb(CLI::App&, int&) {}
}  // namespace coffer::cli
