// `coffer serve`: one node in the foreground.
#include <string>

#include <CLI/CLI.hpp>
#include <signal.h>

#include "cli/verbs.h"
#include "net/driver/server.h"
#include "net/driver/settings.h"

namespace coffer::cli {

namespace {

int serve(const std::string& path) {
  const Result<net::NodeSettings> settings = net::load_settings(path);
  if (settings.has_error()) {
    complain(settings.error().what);
    return usage;
  }
  Result<std::unique_ptr<net::Server>> server = net::Server::open(*settings);
  if (server.has_error()) {
    complain(server.error().what);
    return internal;
  }
  ::signal(SIGXFSZ, SIG_IGN);  // a limit on the size of files (`ulimit -f`) is a full disk, not the end
  return (*server)->run(net::Signals::stop_on_it);
}

}  // namespace

void add_serve_verb(CLI::App& app, int& exit_code) {
  CLI::App* verb = app.add_subcommand("serve", "run one node in the foreground (what `local` starts for each)");
  auto path = std::make_shared<std::string>();
  verb->add_option("--config", *path, "the node's settings, such as `coffer local` writes")->required();
  verb->footer(
      "Example:\n"
      "  coffer serve --config coffer-data/node-1.json\n"
      "SIGTERM and Ctrl-C stop it cleanly. Exit code 1: the node cannot continue; the log says why.");
  verb->callback([path, &exit_code] { exit_code = serve(*path); });
}

}  // namespace coffer::cli
