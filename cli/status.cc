// `coffer status`: every node asked for itself, and a table of nodes, shards and leaders.
#include <algorithm>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <poll.h>

#include "cli/connection.h"
#include "cli/verbs.h"
#include "core/router/protocol.h"
#include "net/client/client.h"
#include "net/http/json_text.h"
#include "net/http/shard_status.h"

namespace coffer::cli {

namespace {

struct Options {
  ConnectionOptions connection;
  OutputFormat format = OutputFormat::text;
  bool watch = false;
};

struct Seen {
  net::ClientTarget target;
  std::optional<router::NodeStatusReply> status;  ///< nothing: it did not answer
};

constexpr Duration patience = milliseconds(800);

/// "1,2,3", "1,3,4<-1,2,3" while joint, "1,2,3+4" with a learner, and what else an operator should see.
std::string members_text(const router::NodeStatusReply::Shard& shard) {
  const auto list = [](const std::vector<NodeId>& nodes) {
    std::string text;
    for (const NodeId node : nodes) {
      text += (text.empty() ? "" : ",") + std::to_string(node.value);
    }
    return text;
  };
  std::string text = list(shard.voters);
  text += shard.outgoing.empty() ? "" : "<-" + list(shard.outgoing);
  text += shard.learners.empty() ? "" : "+" + list(shard.learners);
  return (text.empty() ? "-" : text) + (shard.uncertain ? " uncertain" : "");
}

std::vector<Seen> look(net::Client& client, const net::ClientConfig& config) {
  std::vector<Seen> seen;
  std::vector<std::optional<router::NodeStatusReply>> answers = net::ask_status(client, config.targets, patience);
  for (std::size_t i = 0; i < answers.size(); ++i) {
    seen.push_back({.target = config.targets[i], .status = std::move(answers[i])});
  }
  return seen;
}

std::string to_json(const std::vector<Seen>& nodes) {
  std::vector<std::string> items;
  for (const Seen& seen : nodes) {
    net::JsonObject node;
    node.number("node", seen.status ? seen.status->node.value : seen.target.node.value)
        .text("client", to_string(seen.target.client))
        .boolean("up", seen.status.has_value())
        .boolean("ready", seen.status && seen.status->ready);
    std::vector<std::string> shards;
    if (seen.status) {
      for (const auto& shard : seen.status->shards) {
        shards.push_back(net::to_json(shard));
      }
    }
    items.push_back(node.raw("shards", net::json_array(shards)).str());
  }
  return net::JsonObject().raw("nodes", net::json_array(items)).str();
}

void print_table(const std::vector<Seen>& nodes) {
  std::printf("%-5s %-6s %-6s %-14s %6s %7s %9s %9s %10s %8s %9s %9s  %s\n", "node", "state", "shard", "role", "term",
              "leader", "commit", "last", "position", "legs", "base", "snapshot", "members");
  for (const Seen& seen : nodes) {
    if (!seen.status) {
      std::printf("%-5u down   (no answer at %s)\n", seen.target.node.value, to_string(seen.target.client).c_str());
      continue;
    }
    const char* state = seen.status->ready ? "up" : "starts";
    if (seen.status->shards.empty()) {
      std::printf("%-5u %s\n", seen.status->node.value, state);
    }
    for (const auto& s : seen.status->shards) {
      std::printf("%-5u %-6s %-6u %-14.14s %6llu %7u %9llu %9llu %10llu %8llu %9llu %9llu  %s\n",
                  seen.status->node.value, state, s.shard.value, std::string(net::role_name(s.role)).c_str(),
                  static_cast<unsigned long long>(s.term.value), s.leader.value,
                  static_cast<unsigned long long>(s.commit.value), static_cast<unsigned long long>(s.last.value),
                  static_cast<unsigned long long>(s.position.value), static_cast<unsigned long long>(s.legs_unanswered),
                  static_cast<unsigned long long>(s.base.value), static_cast<unsigned long long>(s.snapshot.value),
                  members_text(s).c_str());
    }
  }
  std::fflush(stdout);
}

int show(const Options& options) {
  const Result<net::ClientConfig> config = connection(options.connection);
  if (config.has_error()) {
    complain(config.error().what);
    return usage;
  }
  net::Client client(*config);
  for (;;) {
    const std::vector<Seen> nodes = look(client, *config);
    if (options.format == OutputFormat::json) {
      say(to_json(nodes));
    } else {
      if (options.watch) {
        std::printf("\x1b[H\x1b[2J");  // from the top of an empty screen
      }
      print_table(nodes);
    }
    if (!options.watch) {
      const bool all_up =
          std::all_of(nodes.begin(), nodes.end(), [](const Seen& seen) { return seen.status.has_value(); });
      return all_up ? ok : unavailable_or_unknown;
    }
    ::poll(nullptr, 0, 1000);
  }
}

}  // namespace

void add_status_verb(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<Options>();
  CLI::App* verb = app.add_subcommand("status", "nodes, shards and leaders as each node sees them");
  add_connection_options(*verb, options->connection);
  add_output_option(*verb, options->format);
  verb->add_flag("--watch", options->watch, "again every second, until Ctrl-C");
  verb->footer(
      "Examples:\n  coffer status --dir my-wallet\n  coffer status --watch --server 127.0.0.1:7081\n"
      "Exit code 7 when a node does not answer.");
  verb->callback([=, &exit_code] { exit_code = show(*options); });
}

}  // namespace coffer::cli
