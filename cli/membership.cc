// `coffer client reconfigure` and `transfer-leadership`: who replicates and who leads a shard.
#include "net/client/membership.h"

#include <algorithm>
#include <memory>

#include <CLI/CLI.hpp>

#include "cli/client.h"
#include "cli/verbs.h"
#include "net/driver/clock.h"

namespace coffer::cli {

namespace {

struct Wish {
  std::uint32_t shard = 0;
  std::vector<std::uint32_t> voters;
  std::uint32_t to = 0;
};

int run(const ClientOptions& options, const std::function<Result<void>(net::Client&, const net::GoOn&)>& ask) {
  const Result<net::ClientConfig> config = connection(options.connection);
  if (config.has_error()) {
    complain(config.error().what);
    return usage;
  }
  net::Client client(*config);
  const Instant deadline = net::monotonic_now() + seconds(options.wait_s);
  const Result<void> done = ask(client, [&] { return net::monotonic_now() < deadline; });
  if (!done.has_error()) {
    return ok;
  }
  complain(done.error().what);
  return done.error().code == ErrorCode::io ? unavailable_or_unknown : refused;
}

std::vector<NodeId> ascending(const std::vector<std::uint32_t>& numbers) {
  std::vector<NodeId> nodes;
  for (const std::uint32_t number : numbers) {
    nodes.push_back(NodeId(number));
  }
  std::sort(nodes.begin(), nodes.end());
  nodes.erase(std::unique(nodes.begin(), nodes.end()), nodes.end());
  return nodes;
}

}  // namespace

void add_membership_verbs(CLI::App& client, const std::shared_ptr<ClientOptions>& options, int& exit_code) {
  auto wish = std::make_shared<Wish>();
  CLI::App* reconfigure = client.add_subcommand("reconfigure", "who votes in a shard; returns when it is so");
  reconfigure->add_option("SHARD", wish->shard)->required()->check(CLI::Range(1, 1 << 20));
  reconfigure->add_option("VOTERS", wish->voters, "the numbers of the nodes that shall vote")
      ->required()
      ->check(CLI::Range(1, 1'000'000));
  reconfigure->callback([=, &exit_code] {
    exit_code = run(*options, [&](net::Client& asked, const net::GoOn& go_on) {
      return net::reconfigure(asked, ShardId(wish->shard), ascending(wish->voters), go_on);
    });
  });
  CLI::App* transfer = client.add_subcommand("transfer-leadership", "who leads a shard; returns when it does");
  transfer->add_option("SHARD", wish->shard)->required()->check(CLI::Range(1, 1 << 20));
  transfer->add_option("TO", wish->to, "the number of a voter")->required()->check(CLI::Range(1, 1'000'000));
  transfer->callback([=, &exit_code] {
    exit_code = run(*options, [&](net::Client& asked, const net::GoOn& go_on) {
      return net::transfer_leadership(asked, ShardId(wish->shard), NodeId(wish->to), go_on);
    });
  });
}

}  // namespace coffer::cli
