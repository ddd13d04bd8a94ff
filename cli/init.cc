// `coffer init`: allows the first start of a node whose settings were written by hand.
#include <memory>
#include <string>

#include <CLI/CLI.hpp>

#include "cli/verbs.h"
#include "net/driver/founding.h"
#include "net/driver/settings.h"

namespace coffer::cli {

namespace {

int init(const std::string& path) {
  const Result<net::NodeSettings> settings = net::load_settings(path);
  if (settings.has_error()) {
    complain(settings.error().what);
    return usage;
  }
  const Result<void> allowed = net::allow_founding(settings->directory);
  if (allowed.has_error()) {
    complain(allowed.error().what);
    return refused;
  }
  say("node " + std::to_string(settings->node.value) + " may be founded in " + settings->directory);
  return ok;
}

}  // namespace

void add_init_verb(CLI::App& app, int& exit_code) {
  CLI::App* verb = app.add_subcommand("init", "allow the first start of a node in its empty directory");
  auto path = std::make_shared<std::string>();
  verb->add_option("--config", *path, "the node's settings")->required();
  verb->footer(
      "Only for a new cluster whose settings were written by hand (`local` and `join` do this themselves). Never for "
      "a\n"
      "node whose disk was lost: it has lost votes, and a new node takes its place (`coffer join --replace`).\n"
      "Example:\n"
      "  coffer init --config node-1.json && coffer serve --config node-1.json");
  verb->callback([path, &exit_code] { exit_code = init(*path); });
}

}  // namespace coffer::cli
