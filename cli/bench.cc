// `coffer bench`: how many transfers a second, through real processes, files and syncs, and whether they are all there.
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <poll.h>
#include <stdlib.h>
#include <sys/vfs.h>

#include "cli/bench_load.h"
#include "cli/local_cluster.h"
#include "cli/verbs.h"
#include "net/client/client.h"
#include "net/client/http_get.h"
#include "net/driver/clock.h"
#include "net/http/json_text.h"
#include "net/http/strict_json.h"

namespace coffer::cli {

namespace {

struct Options {
  LocalOptions cluster;
  LoadOptions load;
  std::uint32_t seconds = 10;
  std::uint64_t min_rate = 0;
  std::string verify = "sample";
  bool keep = false;
  OutputFormat format = OutputFormat::text;
};

constexpr std::uint64_t sample_batches = 32;
constexpr long memory_file_system = 0x01021994;  // TMPFS_MAGIC: a sync there costs nothing, and proves nothing

std::string disk_directory() {
  if (const char* const wanted = ::getenv("TMPDIR")) {
    return wanted;
  }
  struct statfs about {};
  return ::statfs("/tmp", &about) == 0 && about.f_type == memory_file_system ? "/var/tmp" : "/tmp";
}

volatile std::sig_atomic_t signal_came = 0;

/// The first Ctrl-C ends the run in order; a second one ends the process.
void watch_signals() {
  for (const int signal : {SIGINT, SIGTERM}) {
    std::signal(signal, [](int number) {
      signal_came = 1;
      std::signal(number, SIG_DFL);
    });
  }
}

/// What the nodes have counted, summed.
struct Counted {
  std::int64_t syncs = 0;
  std::int64_t bytes_written = 0;
  std::int64_t processor_ms = 0;
};

Counted operator-(Counted a, const Counted& b) {
  return {a.syncs - b.syncs, a.bytes_written - b.bytes_written, a.processor_ms - b.processor_ms};
}

struct Report {
  LoadResult load;
  Counted nodes;
  Duration client_processor{};
  Duration opening{};
  bool verified = false;
  std::vector<std::string> errors;
};

class Bench {
 public:
  explicit Bench(const Options& options) : options_(options) {}
  int run();

 private:
  Result<void> start();
  bool wait_until_led(net::Client& client, const net::ClientConfig& config);
  Result<Counted> count() const;
  Result<void> load(Report& report);
  void verify(BenchLoad& load, Report& report);
  void progress(const std::string& text) const { std::fprintf(stderr, "bench: %s\n", text.c_str()); }
  void print(const Report& report) const;
  std::int64_t rate(const Report& report) const;

  Options options_;
  LocalCluster cluster_;
};

double percentile_ms(std::vector<std::int64_t> sorted, int percent) {
  if (sorted.empty()) {
    return 0;
  }
  const std::size_t at = (sorted.size() - 1) * static_cast<std::size_t>(percent) / 100;
  return static_cast<double>(sorted[at]) / 1e6;
}

std::string decimal(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2f", value);
  return text;
}

Result<void> Bench::start() {
  if (options_.cluster.directory.empty()) {
    std::string pattern = disk_directory() + "/coffer-bench-XXXXXX";
    if (::mkdtemp(pattern.data()) == nullptr) {
      return error(ErrorCode::io, pattern + " cannot be created; name a directory with --dir");
    }
    options_.cluster.directory = pattern;
  } else {
    options_.keep = true;
  }
  Result<void> good = cluster_.open(options_.cluster);
  for (const net::NodeSettings& node : cluster_.nodes()) {
    if (!good.has_error()) {
      good = cluster_.start(node.node);
    }
  }
  return good;
}

bool Bench::wait_until_led(net::Client& client, const net::ClientConfig& config) {
  const Instant deadline = net::monotonic_now() + seconds(20);
  while (net::monotonic_now() < deadline && signal_came == 0) {
    const auto seen = net::ask_status(client, config.targets, milliseconds(500));
    const bool led = std::all_of(seen.begin(), seen.end(), [](const auto& status) {
      return status && status->ready &&
             std::all_of(status->shards.begin(), status->shards.end(),
                         [](const auto& shard) { return shard.leader != nobody && shard.position != Position(); });
    });
    if (led) {
      return true;
    }
    ::poll(nullptr, 0, 20);
  }
  return false;
}

Result<Counted> Bench::count() const {
  Counted sum;
  for (const net::NodeSettings& node : cluster_.nodes()) {
    const Result<std::string> body = net::http_get(node.self().admin, "/v1/admin/node", seconds(5));
    if (body.has_error()) {
      return body.error();
    }
    const net::JsonDocument document = net::parse_json(*body);
    const auto number = [&](std::string_view key) {
      const net::JsonValue* value = document.root.find(key);
      return value == nullptr ? 0 : value->integer;
    };
    sum.syncs += number("syncs");
    sum.bytes_written += number("bytes_written");
    sum.processor_ms += number("processor_ms");
  }
  return sum;
}

Result<void> Bench::load(Report& report) {
  net::ClientConfig config{.targets = net::targets_of(cluster_.nodes().front()),
                           .shards = cluster_.nodes().front().shards,
                           .mode = router::Mode::to_leaders,
                           .attempt_timeout = seconds(5)};
  net::Client client(config);
  if (!wait_until_led(client, config)) {
    return error(ErrorCode::io, "no leader within 20 seconds; the nodes' logs are in " + options_.cluster.directory);
  }
  BenchLoad load(client, options_.load);
  progress("opening and funding " + std::to_string(options_.load.accounts) + " accounts");
  const Instant begun = net::monotonic_now();
  Result<void> good = load.open_accounts();
  if (!good.has_error()) {
    good = load.fund_accounts();
  }
  if (good.has_error()) {
    return good;
  }
  report.opening = net::monotonic_now() - begun;
  const Result<Counted> before = count();
  const Duration processor_before = net::processor_time();
  progress("transfers for " + std::to_string(options_.seconds) + " s, " + std::to_string(options_.load.in_flight) +
           " batches of " + std::to_string(options_.load.batch) + " in flight");
  report.load = load.run(seconds(options_.seconds));
  report.client_processor = net::processor_time() - processor_before;
  const Result<Counted> after = count();
  if (before.has_error() || after.has_error()) {
    return before.has_error() ? before.error() : after.error();
  }
  report.nodes = *after - *before;
  verify(load, report);
  return {};
}

void Bench::verify(BenchLoad& load, Report& report) {
  progress("checking");
  const auto check_one = [&](const Result<void>& result) {
    if (result.has_error()) {
      report.errors.push_back(result.error().what);
    }
  };
  if (options_.verify != "none") {
    check_one(load.verify_presence(options_.verify == "all" ? UINT64_MAX : sample_batches));
    check_one(load.verify_balances());
  }
  check_one(load.verify_sums());
  report.verified = report.errors.empty() && options_.verify != "none";
}

std::int64_t Bench::rate(const Report& report) const {
  return report.load.took.nanos == 0 ? 0
                                     : static_cast<std::int64_t>(static_cast<__int128>(report.load.transfers) *
                                                                 1'000'000'000 / report.load.took.nanos);
}

void Bench::print(const Report& report) const {
  std::vector<std::int64_t> sorted = report.load.batch_latencies_ns;
  std::sort(sorted.begin(), sorted.end());
  const std::string p50 = decimal(percentile_ms(sorted, 50));
  const std::string p99 = decimal(percentile_ms(sorted, 99));
  if (options_.format == OutputFormat::text) {
    std::printf("%lld transfers/s   batch p50 %s ms  p99 %s ms   %lld syncs   %s\n",
                static_cast<long long>(rate(report)), p50.c_str(), p99.c_str(),
                static_cast<long long>(report.nodes.syncs), report.verified ? "verified" : "NOT verified");
    for (const std::string& what : report.errors) {
      std::printf("error: %s\n", what.c_str());
    }
    return;
  }
  std::vector<std::string> errors;
  for (const std::string& what : report.errors) {
    errors.push_back(net::quoted(what));
  }
  say(net::JsonObject()
          .number("transfers_per_second", rate(report))
          .raw("p50_ms", p50)
          .raw("p99_ms", p99)
          .number("syncs", report.nodes.syncs)
          .number("transfers", report.load.transfers)
          .number("refused", report.load.refused)
          .number("unknown", report.load.unknown)
          .number("accounts", options_.load.accounts)
          .number("batch", options_.load.batch)
          .number("in_flight", options_.load.in_flight)
          .number("nodes", static_cast<std::uint32_t>(cluster_.nodes().size()))
          .number("shards", cluster_.nodes().empty() ? options_.cluster.shards : cluster_.nodes().front().shards)
          .number("measured_ms", report.load.took.millis())
          .number("bytes_written", report.nodes.bytes_written)
          .number("nodes_processor_ms", report.nodes.processor_ms)
          .number("client_processor_ms", report.client_processor.millis())
          .number("opening_ms", report.opening.millis())
          .boolean("verified", report.verified)
          .raw("errors", net::json_array(errors))
          .str());
}

int Bench::run() {
  Report report;
  watch_signals();
  options_.load.interrupted = [] { return signal_came != 0; };
  Result<void> good = start();
  int code = ok;
  if (good.has_error()) {
    report.errors.push_back(good.error().what);
    code = internal;
  } else {
    good = load(report);
    if (good.has_error()) {
      report.errors.push_back(good.error().what);
      code = unavailable_or_unknown;
    } else if (!report.errors.empty()) {
      code = audit_mismatch;
    } else if (static_cast<std::uint64_t>(rate(report)) < options_.min_rate) {
      report.errors.push_back("below --min-rate " + std::to_string(options_.min_rate));
      code = threshold_missed;
    }
  }
  if (signal_came != 0) {
    code = interrupted;
  }
  print(report);
  cluster_.stop();
  std::error_code ignored;
  if (!options_.keep && !options_.cluster.directory.empty()) {
    std::filesystem::remove_all(options_.cluster.directory, ignored);
  }
  return code;
}

}  // namespace

void add_bench_verb(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<Options>();
  options->cluster.shards = 1;
  CLI::App* verb = app.add_subcommand("bench", "transfers per second through real processes, files and syncs");
  verb->add_option("--nodes", options->cluster.nodes, "processes (default 3)")->check(CLI::Range(1, 9));
  verb->add_option("--shards", options->cluster.shards, "shards (default 1)")->check(CLI::Range(1, 64));
  verb->add_option("--accounts", options->load.accounts, "accounts (default 100000)")->check(CLI::Range(2, 9'999'999));
  verb->add_option("--batch", options->load.batch, "transfers per request (default 8192)")->check(CLI::Range(1, 32768));
  verb->add_option("--in-flight", options->load.in_flight, "requests not answered yet (default 4)")
      ->check(CLI::Range(1, 256));
  verb->add_option("--seconds", options->seconds, "how long to send (default 10)")->check(CLI::Range(1, 86400));
  verb->add_option("--seed", options->load.seed, "which transfers (default 1)");
  verb->add_option("--min-rate", options->min_rate, "exit code 9 below so many transfers per second");
  verb->add_option("--verify", options->verify, "which batches are asked for again: sample (default), all or none")
      ->check(CLI::IsMember({"sample", "all", "none"}));
  verb->add_option("--dir", options->cluster.directory, "where the nodes store (default: a fresh temporary directory)");
  verb->add_flag("--keep", options->keep, "leave the directory behind");
  add_output_option(*verb, options->format);
  verb->footer(
      "Every acknowledgement stands for a quorum's syncs. At the end the sums must be zero, a sample of the transfers "
      "is\n"
      "asked for again, and every balance is compared with the client's own book.\n"
      "Examples:\n  coffer bench\n  coffer bench --seconds 3 --shards 2 --output json\n"
      "Exit codes: 6 something acknowledged is not there, 7 no answers, 9 below --min-rate, 130 interrupted.");
  verb->callback([=, &exit_code] {
    // The cluster is founded for this run, so the numbers are always meant.
    options->cluster.nodes_given = true;
    options->cluster.shards_given = true;
    exit_code = Bench(*options).run();
  });
}

}  // namespace coffer::cli
