// `coffer local`: a whole cluster on this machine in one command, and `coffer local restart`.
#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <map>
#include <memory>
#include <string>

#include <CLI/CLI.hpp>
#include <poll.h>
#include <signal.h>

#include "cli/local_cluster.h"
#include "cli/local_control.h"
#include "cli/verbs.h"
#include "core/txn/protocols.h"

namespace coffer::cli {

namespace {

struct Options {
  LocalOptions cluster;
  bool supervise = false;
  OutputFormat format = OutputFormat::text;
  std::uint32_t restart_node = 0;
};

/// A running cluster and its operator.
class Local {
 public:
  explicit Local(const Options& options) : options_(options) {}
  int run();

 private:
  int watch();
  void report_deaths();
  std::string obey(const std::string& line);
  std::string started(NodeId node, const Result<void>& result);
  void print(NodeId node);

  const Options& options_;
  LocalCluster cluster_;
  ControlSocket control_;
};

void Local::print(NodeId node) {
  for (const net::NodeSettings& settings : cluster_.nodes()) {
    if (settings.node == node) {
      say(node_line(settings.self(), cluster_.pid_of(node), options_.format));
    }
  }
}

int Local::run() {
  Result<void> good = cluster_.open(options_.cluster);
  if (good.has_error()) {
    complain(good.error().what);
    return usage;
  }
  cluster_.block_signals();
  good = control_.listen(options_.cluster.directory);
  for (const net::NodeSettings& settings : cluster_.nodes()) {
    if (!good.has_error()) {
      good = cluster_.start(settings.node);
    }
  }
  if (good.has_error()) {
    complain(good.error().what);
    return internal;
  }
  for (const net::NodeSettings& settings : cluster_.nodes()) {
    print(settings.node);
  }
  const std::string& directory = options_.cluster.directory;
  std::fprintf(stderr,
               "coffer: data and logs in %s; Ctrl-C stops all nodes. In another terminal:\n"
               "  coffer status --dir %s\n  coffer client --dir %s open alice USD\n",
               directory.c_str(), directory.c_str(), directory.c_str());
  return watch();
}

int Local::watch() {
  for (;;) {
    std::array<pollfd, 2> waiting{pollfd{cluster_.signal_descriptor(), POLLIN, 0},
                                  pollfd{control_.descriptor(), POLLIN, 0}};
    ::poll(waiting.data(), waiting.size(), -1);
    while (const int signal = cluster_.take_signal()) {
      if (signal != SIGCHLD) {
        std::fprintf(stderr, "coffer: stopping all nodes\n");
        cluster_.stop();
        return signal == SIGINT ? interrupted : ok;
      }
    }
    report_deaths();
    if ((waiting[1].revents & POLLIN) != 0) {
      control_.serve_one([this](const std::string& line) { return obey(line); });
    }
  }
}

void Local::report_deaths() {
  for (const LocalCluster::Death& death : cluster_.take_deaths()) {
    const std::string node = std::to_string(death.node.value);
    complain("node " + node + " (pid " + std::to_string(death.pid) + ") ended: " + death.how +
             "; its last words are in " + log_path(options_.cluster.directory, death.node));
    if (!options_.supervise) {
      complain("start it again with: coffer local restart " + node + " --dir " + options_.cluster.directory);
      continue;
    }
    ::poll(nullptr, 0, 500);  // a node that cannot live must not be born in a busy loop
    const Result<void> started = cluster_.start(death.node);
    if (started.has_error()) {
      complain(started.error().what);
    } else {
      print(death.node);
    }
  }
}

/// "restart 2", "adopt 4", "retire 2" (cli/local_control.h).
std::string Local::obey(const std::string& line) {
  const std::size_t space = std::min(line.find(' '), line.size());
  const std::string verb = line.substr(0, space);
  const char* const end = line.data() + line.size();
  std::uint32_t number = 0;
  const auto [stop, wrong] = std::from_chars(std::min(line.data() + space + 1, end), end, number);
  const NodeId node(number);
  if (wrong == std::errc() && stop == end) {
    if (verb == "restart") {
      cluster_.stop(node);
      return started(node, cluster_.start(node));
    }
    if (verb == "adopt") {
      return started(node, cluster_.adopt(node));
    }
    if (verb == "retire") {
      const Result<void> retired = cluster_.retire(node);
      complain("node " + std::to_string(number) + " is retired");
      return retired.has_error() ? "error: " + retired.error().what : "retired";
    }
  }
  return "error: not a command: " + line;
}

std::string Local::started(NodeId node, const Result<void>& result) {
  if (result.has_error()) {
    return "error: " + result.error().what;
  }
  const std::string pid = std::to_string(cluster_.pid_of(node));
  complain("node " + std::to_string(node.value) + " runs, pid " + pid);
  return "pid " + pid;
}

int restart(const Options& options) {
  const std::string& directory = options.cluster.directory;
  const Result<std::string> answer = ask_control(directory, "restart " + std::to_string(options.restart_node));
  if (answer.has_error()) {
    complain(answer.error().what);
    return unavailable_or_unknown;
  }
  pid_t pid = 0;
  if (answer->rfind("pid ", 0) != 0 ||
      std::from_chars(answer->data() + 4, answer->data() + answer->size(), pid).ec != std::errc()) {
    complain(*answer);
    return usage;
  }
  const Result<std::vector<net::NodeSettings>> cluster = load_cluster(directory);
  if (cluster.has_error()) {
    complain(cluster.error().what);
    return internal;
  }
  for (const net::NodeSettings& settings : *cluster) {
    if (settings.node.value == options.restart_node) {
      say(node_line(settings.self(), pid, options.format));
    }
  }
  return ok;
}

CLI::Option* add_protocol_option(CLI::App& verb, ledger::Protocol& protocol) {
  CLI::Option* option = verb.add_option(
      "--protocol", protocol, "how money crosses shards (default saga); `coffer sim list protocols` explains");
  std::vector<Word> words;
  for (const txn::ProtocolRow& row : txn::protocols()) {
    words.emplace_back(row.name, static_cast<int>(row.protocol));
  }
  take_one_of(*option, std::move(words));
  return option;
}

}  // namespace

void add_local_verb(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<Options>();
  options->cluster.directory = default_directory;
  CLI::App* verb = app.add_subcommand("local", "run a whole cluster on this machine, one process per node");
  CLI::Option* nodes =
      verb->add_option("--nodes", options->cluster.nodes, "how many nodes (default 3)")->check(CLI::Range(1, 9));
  CLI::Option* shards =
      verb->add_option("--shards", options->cluster.shards, "how many shards (default 4)")->check(CLI::Range(1, 64));
  CLI::Option* protocol = add_protocol_option(*verb, options->cluster.protocol);
  verb->add_option("--dir", options->cluster.directory, "data, settings and logs (default ./coffer-data); kept");
  verb->add_flag("--supervise", options->supervise, "start a node again when it dies");
  add_output_option(*verb, options->format);
  verb->footer(
      "Prints one line per node, then waits. A later start with the same --dir continues with the same ports and "
      "money.\n"
      "Examples:\n"
      "  coffer local --nodes 3 --shards 2 --dir my-wallet\n"
      "  coffer local --protocol two_phase_commit --dir locked-wallet\n"
      "  kill -9 PID; coffer local restart 2 --dir my-wallet");
  CLI::App* again = verb->add_subcommand("restart", "have a node of the running cluster started (again)");
  again->add_option("NODE", options->restart_node, "the node's number")->required();
  again->fallthrough();
  again->footer("Example:\n  coffer local restart 2 --dir my-wallet");
  verb->callback([=, &exit_code] {
    options->cluster.nodes_given = nodes->count() > 0;
    options->cluster.shards_given = shards->count() > 0;
    options->cluster.protocol_given = protocol->count() > 0;
    exit_code = again->parsed() ? restart(*options) : Local(*options).run();
  });
}

}  // namespace coffer::cli
