// coffer: one program for everything. Each verb is in a file of its own.
#include <cstdio>
#include <cstdlib>
#include <exception>

#include <CLI/CLI.hpp>

#include "cli/build_id.h"
#include "cli/sim.h"
#include "cli/verbs.h"
#include "core/base/check.h"

namespace {

/// A broken invariant ends the process: what is known of it is said first.
[[noreturn]] void last_words() {
  if (const std::exception_ptr failure = std::current_exception()) {
    try {
      std::rethrow_exception(failure);
    } catch (const coffer::CheckFailure& broken) {
      std::fprintf(stderr, "coffer: broken invariant: %s (%s:%u, %s)\n", broken.why, broken.where.file_name(),
                   static_cast<unsigned>(broken.where.line()), broken.where.function_name());
    } catch (const std::exception& error) {
      std::fprintf(stderr, "coffer: unexpected: %s\n", error.what());
    } catch (...) {
      std::fprintf(stderr, "coffer: unexpected failure\n");
    }
  }
  std::abort();
}

}  // namespace

int main(int argc, char** argv) {
  std::set_terminate(last_words);
  int exit_code = coffer::cli::ok;
  CLI::App app("coffer, a digital wallet: the same wallet as a real cluster and in a simulated world", "coffer");
  app.set_version_flag("--version", std::string("coffer ") + std::string(coffer::cli::build_id()));
  app.require_subcommand(1);
  app.footer(
      "Examples:\n"
      "  coffer local --nodes 3 --shards 2 --dir my-wallet     a whole cluster on this machine\n"
      "  coffer client open alice USD                          then talk to it\n"
      "  coffer client deposit alice 100.00 USD\n"
      "  coffer status --watch\n"
      "  coffer sim fuzz --seeds 100                           the same wallet in a hundred simulated worlds\n"
      "`coffer VERB --help` tells more of each verb.");
  coffer::cli::add_local_verb(app, exit_code);
  coffer::cli::add_init_verb(app, exit_code);
  coffer::cli::add_join_verb(app, exit_code);
  coffer::cli::add_serve_verb(app, exit_code);
  coffer::cli::add_client_verb(app, exit_code);
  coffer::cli::add_status_verb(app, exit_code);
  coffer::cli::add_bench_verb(app, exit_code);
  coffer::cli::add_sim_verbs(app, exit_code);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& mistake) {
    for (const std::string& word : app.remaining(true)) {  // with these, what is missing is only half of it
      coffer::cli::complain("'" + word + "' is neither a verb nor an option here");
    }
    return app.exit(mistake) == 0 ? coffer::cli::ok : coffer::cli::usage;
  }
  return exit_code;
}
