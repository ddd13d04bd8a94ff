// `coffer join --replace`: a new node takes the place of one whose disk or machine is lost.
#include <atomic>
#include <charconv>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>

#include <CLI/CLI.hpp>
#include <unistd.h>

#include "cli/cluster_files.h"
#include "cli/joining.h"
#include "cli/local_cluster.h"
#include "cli/local_control.h"
#include "cli/verbs.h"
#include "net/driver/clock.h"
#include "net/driver/server.h"

namespace coffer::cli {

namespace {

struct Options {
  std::uint32_t replace = 0;
  std::string cluster_of;
  std::string home;
  std::uint32_t wait_s = 300;
  OutputFormat format = OutputFormat::text;
};

std::string number(NodeId node) { return std::to_string(node.value); }

/// The running `coffer local` of the directory starts the node like its own.
Result<pid_t> have_adopted(const std::string& home, NodeId node) {
  const Result<std::string> answer = ask_control(home, "adopt " + number(node));
  if (answer.has_error()) {
    return answer.error();
  }
  pid_t pid = 0;
  if (answer->rfind("pid ", 0) != 0 ||
      std::from_chars(answer->data() + 4, answer->data() + answer->size(), pid).ec != std::errc()) {
    return error(ErrorCode::io, *answer);
  }
  return pid;
}

/// The node's process is somebody else's: only the cluster is asked.
int join_local(const Options& options, const net::NodeSettings& settings, pid_t pid) {
  say(node_line(settings.self(), pid, options.format));
  const Instant deadline = net::monotonic_now() + seconds(options.wait_s);
  const Result<void> taken = take_over(
      settings, [&] { return net::monotonic_now() < deadline; }, complain);
  if (taken.has_error()) {
    complain(taken.error().what + "; the same command goes on where this one stopped");
    return unavailable_or_unknown;
  }
  const Result<std::string> retired = ask_control(options.home, "retire " + number(settings.replaces));
  if (retired.has_error() || retired->rfind("error: ", 0) == 0) {
    complain(retired.has_error() ? retired.error().what : *retired);
    return internal;
  }
  complain("node " + number(settings.replaces) + " is replaced; its directory may be deleted");
  return ok;
}

/// The node runs in this process, and asks the cluster until it belongs to it or is stopped.
int join_here(const Options& options, const net::NodeSettings& settings) {
  Result<std::unique_ptr<net::Server>> server = net::Server::open(settings);
  if (server.has_error()) {
    complain(server.error().what);
    return internal;
  }
  say(node_line(settings.self(), ::getpid(), options.format));
  std::atomic<bool> stopping = false;
  std::thread asking([&] {
    const Result<void> taken = take_over(
        settings, [&] { return !stopping.load(); }, complain);
    if (taken.has_error()) {
      complain(taken.error().what);
    } else {
      complain("node " + number(settings.replaces) +
               " is replaced; from now on start this node with: coffer serve --config " +
               settings_path(options.home, settings.node));
    }
  });
  const int code = (*server)->run(net::Signals::stop_on_it);
  stopping = true;
  asking.join();
  return code;
}

int join(Options options) {
  const bool is_directory = net::parse_endpoint(options.cluster_of).has_error();
  if (options.home.empty() && !is_directory) {
    complain("--directory is needed with an address: where shall the new node live?");
    return usage;
  }
  const bool same_home =
      is_directory && (options.home.empty() || std::filesystem::weakly_canonical(options.home) ==
                                                   std::filesystem::weakly_canonical(options.cluster_of));
  options.home = options.home.empty() ? options.cluster_of : options.home;
  const Result<net::NodeSettings> cluster = describe_cluster(options.cluster_of);
  if (cluster.has_error()) {
    complain(cluster.error().what);
    return unavailable_or_unknown;
  }
  const Result<net::NodeSettings> settings = make_replacement(options.home, *cluster, NodeId(options.replace));
  if (settings.has_error()) {
    complain(settings.error().what);
    return usage;
  }
  if (!same_home) {
    return join_here(options, *settings);
  }
  const Result<pid_t> adopted = have_adopted(options.home, settings->node);
  if (adopted.has_error()) {
    complain(adopted.error().what);
    return unavailable_or_unknown;
  }
  return join_local(options, *settings, *adopted);
}

}  // namespace

void add_join_verb(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<Options>();
  CLI::App* verb = app.add_subcommand("join", "a new node takes the place of one that is lost");
  verb->add_option("--replace", options->replace, "the number of the node whose place is taken")
      ->required()
      ->check(CLI::Range(1, 1'000'000));
  verb->add_option("--cluster-of", options->cluster_of,
                   "the directory of a running `coffer local`, or the admin address of any node that runs")
      ->required();
  verb->add_option("--directory", options->home,
                   "where the new node's settings and data go (default: the directory of --cluster-of)");
  verb->add_option("--wait", options->wait_s, "seconds until all shards have taken it (default 300)")
      ->check(CLI::Range(1, 86400));
  add_output_option(*verb, options->format);
  verb->footer(
      "The new node gets a number and a uuid nobody ever had, learns everything from the others, and only then votes;\n"
      "the lost one votes no more. In the directory of a running `coffer local` the node runs there; elsewhere it "
      "runs\n"
      "in the foreground like `serve`. Interrupted, the same command goes on where it stopped.\n"
      "Examples:\n"
      "  coffer join --replace 2 --cluster-of my-wallet\n"
      "  coffer join --replace 2 --cluster-of 127.0.0.1:6081 --directory new-home\n"
      "Exit code 7: the cluster does not answer, or is not done in time.");
  verb->callback([options, &exit_code] { exit_code = join(*options); });
}

}  // namespace coffer::cli
