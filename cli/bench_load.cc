#include "cli/bench_load.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <memory>

#include "net/driver/clock.h"

namespace coffer::cli {

namespace {

constexpr Currency usd = currency_of("USD");
constexpr std::int64_t funds = 1'000'000'00;  // minor units per account: nobody runs dry
constexpr std::uint32_t patience_ms = 20'000;
constexpr std::uint32_t openings_in_flight = 2'000;
constexpr std::uint32_t reads_in_flight = 2'000;
constexpr int asks_max = 5;
constexpr std::uint64_t plan_domain = 1;
constexpr std::uint64_t id_domain = 2;

router::RequestHeader header(router::RequestKind kind) {
  return {.kind = kind,
          .route = router::Route::proxied,
          .shard = {},
          .patience_ms = patience_ms,
          .tenant = {},
          .principal = {}};
}

TransferId id_of(std::uint64_t seed, std::uint64_t number) {
  TransferId id;
  const std::uint64_t high = mix64(seed ^ id_domain);
  const std::uint64_t low = mix64(high ^ number);
  std::memcpy(id.bytes.data(), &high, sizeof high);
  std::memcpy(id.bytes.data() + sizeof high, &low, sizeof low);
  return id;
}

Error interruption() { return error(ErrorCode::io, "interrupted"); }

Error mistake(const std::string& what) { return error(ErrorCode::corrupt, what); }

}  // namespace

BenchLoad::BenchLoad(net::Client& client, const LoadOptions& options) : client_(client), options_(options) {
  char name[16];
  for (std::uint32_t i = 0; i < options.accounts; ++i) {
    std::snprintf(name, sizeof name, "u%07u", i);
    names_.emplace_back(name);
  }
  book_.resize(options.accounts);
}

bool BenchLoad::run_down_to(std::size_t outstanding) {
  while (client_.outstanding() > outstanding && !options_.interrupted()) {
    client_.run_some(milliseconds(100));
  }
  return !options_.interrupted();
}

Result<void> BenchLoad::open_accounts() {
  std::uint32_t failed = 0;
  for (const std::string& name : names_) {
    client_.submit(router::encode(router::Request{.header = header(router::RequestKind::open_account),
                                                  .body = router::OpenAccountRequest{usd, name}}),
                   [&failed](Bytes bytes) {
                     const Result<router::Reply> reply = router::decode_reply(bytes);
                     failed += reply.has_value() && reply->status == Outcome::success ? 0 : 1;
                   });
    if (!run_down_to(openings_in_flight)) {
      return interruption();
    }
  }
  if (!run_down_to(0)) {
    return interruption();
  }
  if (failed > 0) {
    return mistake(std::to_string(failed) + " accounts could not be opened");
  }
  return {};
}

Result<void> BenchLoad::fund_accounts() {
  std::uint64_t failed = 0;
  for (std::uint32_t first = 0; first < options_.accounts; first += options_.batch) {
    const std::uint32_t last = std::min(first + options_.batch, options_.accounts);
    items_.clear();
    for (std::uint32_t i = first; i < last; ++i) {
      items_.push_back({.operation = router::TransferOperation::deposit,
                        .currency = usd,
                        .amount = funds,
                        .id = id_of(~options_.seed, i),
                        .debit = {},
                        .credit = names_[i]});
      book_[i] += funds;
    }
    client_.submit(router::encode(router::Request{.header = header(router::RequestKind::transfers),
                                                  .body = router::TransfersRequest{items_}}),
                   [&failed](Bytes bytes) {
                     const Result<router::Reply> reply = router::decode_reply(bytes);
                     const auto* results = reply ? std::get_if<router::TransfersReply>(&reply->body) : nullptr;
                     if (results == nullptr) {
                       ++failed;
                       return;
                     }
                     for (const router::TransferResult& result : results->results) {
                       failed += result.outcome == Outcome::success ? 0 : 1;
                     }
                   });
    if (!run_down_to(options_.in_flight - 1)) {
      return interruption();
    }
  }
  if (!run_down_to(0)) {
    return interruption();
  }
  if (failed > 0) {
    return mistake(std::to_string(failed) + " deposits failed");
  }
  return {};
}

BenchLoad::Planned BenchLoad::planned(std::uint64_t batch, std::uint32_t place) const {
  const std::uint64_t number = batch * options_.batch + place;
  Prng draw(options_.seed, plan_domain, 0, number);
  const auto from = static_cast<std::uint32_t>(draw.below(options_.accounts));
  const auto step = static_cast<std::uint32_t>(draw.below(options_.accounts - 1));
  return {.id = id_of(options_.seed, number),
          .from = from,
          .to = (from + 1 + step) % options_.accounts,
          .amount = draw.between(1, 100)};
}

Bytes BenchLoad::request(std::uint64_t batch) {
  items_.clear();
  for (std::uint32_t place = 0; place < options_.batch; ++place) {
    const Planned plan = planned(batch, place);
    items_.push_back({.operation = router::TransferOperation::transfer,
                      .currency = usd,
                      .amount = plan.amount,
                      .id = plan.id,
                      .debit = names_[plan.from],
                      .credit = names_[plan.to]});
  }
  router::Request request{.header = header(router::RequestKind::transfers),
                          .body = router::TransfersRequest{std::move(items_)}};
  Bytes bytes = router::encode(request);
  items_ = std::move(std::get<router::TransfersRequest>(request.body).items);
  return bytes;
}

void BenchLoad::submit_next(LoadResult& result) {
  const std::uint64_t batch = outcomes_.size();
  outcomes_.emplace_back(options_.batch, Outcome::pending);
  Bytes bytes = request(batch);
  const Instant begun = net::monotonic_now();
  client_.submit(std::move(bytes), [this, batch, begun, &result](Bytes reply) {
    result.batch_latencies_ns.push_back((net::monotonic_now() - begun).nanos);
    note(batch, reply);
  });
}

void BenchLoad::note(std::uint64_t batch, const Bytes& bytes) {
  const Result<router::Reply> reply = router::decode_reply(bytes);
  const auto* results = reply ? std::get_if<router::TransfersReply>(&reply->body) : nullptr;
  std::vector<Outcome>& known = outcomes_[batch];
  if (results == nullptr || results->results.size() != known.size()) {
    return;  // refused as a whole, or unknown: its transfers stay pending here
  }
  for (std::uint32_t place = 0; place < known.size(); ++place) {
    const router::TransferResult& result = results->results[place];
    if (!is_logged(result.outcome)) {
      continue;
    }
    if (known[place] == Outcome::pending) {
      known[place] = result.outcome;
      if (result.outcome == Outcome::success) {
        const Planned plan = planned(batch, place);
        book_[plan.from] -= plan.amount;
        book_[plan.to] += plan.amount;
      }
    } else if ((known[place] != result.outcome || !result.replayed) && first_mistake_.empty()) {
      first_mistake_ = "transfer " + std::to_string(place) + " of batch " + std::to_string(batch) +
                       " was acknowledged, and is now " + std::string(name(result.outcome)) +
                       (result.replayed ? " (replayed)" : " (decided anew)");
    }
  }
}

std::uint64_t BenchLoad::count(Outcome outcome) const {
  std::uint64_t n = 0;
  for (const std::vector<Outcome>& batch : outcomes_) {
    n += static_cast<std::uint64_t>(std::count(batch.begin(), batch.end(), outcome));
  }
  return n;
}

LoadResult BenchLoad::run(Duration how_long) {
  LoadResult result;
  const Instant begun = net::monotonic_now();
  const Instant end = begun + how_long;
  while (net::monotonic_now() < end && !options_.interrupted()) {
    if (client_.outstanding() < options_.in_flight) {
      submit_next(result);
      client_.run_some({});  // answers before the next request is made
    } else {
      client_.run_some(milliseconds(100));
    }
  }
  run_down_to(0);
  result.took = net::monotonic_now() - begun;
  result.transfers = count(Outcome::success);
  result.unknown = count(Outcome::pending);
  result.refused = outcomes_.size() * options_.batch - result.transfers - result.unknown;
  return result;
}

Result<void> BenchLoad::ask_again(const std::vector<std::uint64_t>& batches) {
  for (const std::uint64_t batch : batches) {
    client_.submit(request(batch), [this, batch](Bytes reply) { note(batch, reply); });
    if (!run_down_to(options_.in_flight - 1)) {
      return interruption();
    }
  }
  if (!run_down_to(0)) {
    return interruption();
  }
  if (!first_mistake_.empty()) {
    return mistake(first_mistake_);
  }
  return {};
}

Result<void> BenchLoad::verify_presence(std::uint64_t batches) {
  // First whatever is not known yet: asking again with the same ids settles it.
  for (int ask = 0; ask < asks_max && count(Outcome::pending) > 0; ++ask) {
    std::vector<std::uint64_t> open;
    for (std::uint64_t batch = 0; batch < outcomes_.size(); ++batch) {
      if (std::find(outcomes_[batch].begin(), outcomes_[batch].end(), Outcome::pending) != outcomes_[batch].end()) {
        open.push_back(batch);
      }
    }
    Result<void> asked = ask_again(open);
    if (asked.has_error()) {
      return asked;
    }
  }
  if (count(Outcome::pending) > 0) {
    return mistake(std::to_string(count(Outcome::pending)) + " transfers are still unknown after " +
                   std::to_string(asks_max) + " more asks");
  }
  // A sample spread over the whole run, its first and last batch included.
  const std::uint64_t sent = outcomes_.size();
  std::vector<std::uint64_t> sample;
  const std::uint64_t wanted = std::min(batches, sent);
  for (std::uint64_t i = 0; i < wanted; ++i) {
    sample.push_back(wanted == 1 ? sent - 1 : i * (sent - 1) / (wanted - 1));
  }
  return ask_again(sample);
}

Result<void> BenchLoad::verify_balances() {
  std::uint32_t wrong = 0;
  std::string first;
  for (std::uint32_t i = 0; i < options_.accounts; ++i) {
    client_.submit(router::encode(router::Request{
                       .header = header(router::RequestKind::balance),
                       .body = router::BalanceRequest{router::Consistency::linearizable, usd, names_[i]}}),
                   [this, i, &wrong, &first](Bytes bytes) {
                     const Result<router::Reply> reply = router::decode_reply(bytes);
                     const auto* balance = reply ? std::get_if<router::BalanceReply>(&reply->body) : nullptr;
                     if (balance != nullptr && balance->balance == book_[i]) {
                       return;
                     }
                     if (++wrong == 1) {
                       first = names_[i] + " holds " +
                               (balance == nullptr ? "an unknown amount" : format_amount({balance->balance, usd})) +
                               ", the client's book says " + format_amount({book_[i], usd});
                     }
                   });
    if (!run_down_to(reads_in_flight)) {
      return interruption();
    }
  }
  if (!run_down_to(0)) {
    return interruption();
  }
  if (wrong > 0) {
    return mistake(std::to_string(wrong) + " balances differ: " + first);
  }
  return {};
}

Result<void> BenchLoad::verify_sums() {
  const router::Reply reply =
      client_.ask({.header = header(router::RequestKind::trial_balance), .body = router::TrialBalanceRequest{}});
  const auto* trial = std::get_if<router::TrialBalanceReply>(&reply.body);
  if (trial == nullptr) {
    return mistake("no trial balance: " + std::string(name(reply.status)));
  }
  __int128 customers = 0;
  __int128 transit = 0;
  for (const router::TrialBalanceReply::Row& row : trial->rows) {
    if (row.customers + row.issue + row.transit != 0) {
      return mistake("the books of shard " + std::to_string(row.shard.value) + " do not balance");
    }
    customers += row.customers;
    transit += row.transit;
  }
  if (customers + transit != static_cast<__int128>(funds) * options_.accounts) {
    return mistake("the customers do not hold what was deposited");
  }
  return {};
}

}  // namespace coffer::cli
