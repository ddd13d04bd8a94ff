#include "sim/workload/workload.h"

#include <algorithm>
#include <deque>
#include <map>
#include <set>
#include <string>

#include <catch2/catch.hpp>

#include "core/base/prng.h"
#include "core/ledger/commands.h"

using namespace coffer;
using namespace coffer::sim;
using namespace coffer::sim::workload;

namespace {

router::ShardMap two_shards() {
  return router::ShardMap({{ShardId(1), Slot(0), slot_count / 2}, {ShardId(2), Slot(slot_count / 2), slot_count}});
}

/// A world without faults that answers every call at once, some of them with "unknown" and "overloaded".
class Answers {
 public:
  explicit Answers(std::uint32_t unknown_per_mille) : unknown_per_mille_(unknown_per_mille) {}

  router::Reply answer(const router::Request& request) {
    router::Reply reply;
    reply.kind = request.header.kind;
    if (prng_.chance(unknown_per_mille_)) {
      reply.status = prng_.chance(500) ? Outcome::unknown : Outcome::overloaded;
      return reply;
    }
    if (const auto* transfers = std::get_if<router::TransfersRequest>(&request.body)) {
      router::TransfersReply body;
      for (std::size_t i = 0; i < transfers->items.size(); ++i) {
        router::TransferResult result;
        result.outcome = prng_.chance(unknown_per_mille_) ? Outcome::unknown : Outcome::success;
        body.results.push_back(result);
      }
      reply.body = std::move(body);
    } else if (std::holds_alternative<router::PlaceHoldRequest>(request.body)) {
      router::PlaceHoldReply body;
      body.result.outcome = Outcome::success;
      reply.body = body;
    } else if (std::holds_alternative<router::CaptureHoldRequest>(request.body)) {
      reply.status = Outcome::hold_exceeded;
    } else if (std::holds_alternative<router::VoidHoldRequest>(request.body)) {
      reply.status = Outcome::hold_captured;
    } else if (std::holds_alternative<router::HoldRequest>(request.body)) {
      reply.body = router::HoldReply{};
    } else if (std::holds_alternative<router::TransferStatusRequest>(request.body)) {
      router::TransferStatusReply body;
      body.result.outcome = Outcome::success;
      reply.body = body;
    }
    return reply;
  }

 private:
  Prng prng_{99};
  std::uint32_t unknown_per_mille_;
};

struct Asked {
  Phase phase;
  std::uint32_t client;
  Duration think;
  std::uint64_t op;
  Bytes bytes;
};

constexpr std::size_t calls_max = 50'000;  ///< a phase that does not end would go on for ever

/// All phases of a workload, each client in turn, until every client is done with it.
std::vector<Asked> play(const Config& config, std::uint64_t seed, std::uint32_t unknown_per_mille) {
  Generator generator(config, two_shards(), seed);
  Answers answers(unknown_per_mille);
  std::vector<Asked> asked;
  for (const Phase phase : {Phase::setup, Phase::running, Phase::healing, Phase::final_reads}) {
    for (bool busy = true; busy && asked.size() < calls_max;) {
      busy = false;
      for (std::uint32_t client = 0; client < generator.clients(); ++client) {
        const std::optional<Next> next = generator.next(client, phase);
        if (!next) continue;
        busy = true;
        const Result<router::Request> request = router::decode_request(next->request);
        REQUIRE(request.has_value());
        generator.on_reply(client, next->op, answers.answer(*request));
        asked.push_back({phase, client, next->think, next->op, next->request});
      }
    }
  }
  REQUIRE(asked.size() < calls_max);
  return asked;
}

router::Request decoded(const Asked& asked) { return router::decode_request(asked.bytes).value(); }

/// Every transfer asked for in a phase, in order.
std::vector<std::pair<std::uint32_t, router::TransferItem>> transfers_of(const std::vector<Asked>& all, Phase phase) {
  std::vector<std::pair<std::uint32_t, router::TransferItem>> items;
  for (const Asked& asked : all) {
    if (asked.phase != phase) continue;
    const router::Request request = decoded(asked);
    const auto* transfers = std::get_if<router::TransfersRequest>(&request.body);
    if (transfers == nullptr) continue;
    for (const router::TransferItem& item : transfers->items) items.emplace_back(asked.client, item);
  }
  return items;
}

bool same_body(const router::TransferItem& a, const router::TransferItem& b) {
  return a.operation == b.operation && a.currency == b.currency && a.amount == b.amount && a.debit == b.debit &&
         a.credit == b.credit;
}

}  // namespace

TEST_CASE("a workload is a pure function of its config, seed and replies") {
  Config config;
  const std::vector<Asked> one = play(config, 7, 100);
  const std::vector<Asked> two = play(config, 7, 100);
  REQUIRE(one.size() == two.size());
  bool equal = true;
  for (std::size_t i = 0; i < one.size(); ++i) {
    equal = equal && one[i].op == two[i].op && one[i].think == two[i].think && one[i].bytes == two[i].bytes;
  }
  CHECK(equal);
  const std::vector<Asked> other = play(config, 8, 100);
  bool differs = false;
  for (std::size_t i = 0; i < std::min(one.size(), other.size()); ++i)
    differs = differs || one[i].bytes != other[i].bytes;
  CHECK(differs);
}

TEST_CASE("operation numbers are unique in a run") {
  const std::vector<Asked> all = play(Config{}, 3, 100);
  std::set<std::uint64_t> ops;
  for (const Asked& asked : all) ops.insert(asked.op);
  CHECK(ops.size() == all.size());
}

TEST_CASE("setup opens and funds every pocket before anything else is asked") {
  Config config;
  config.currencies = 3;
  const std::vector<Asked> all = play(config, 5, 200);
  std::set<std::pair<std::string, Currency>> opened;
  std::set<std::pair<std::string, Currency>> funded;
  for (const Asked& asked : all) {
    if (asked.phase != Phase::setup) continue;
    const router::Request request = decoded(asked);
    if (const auto* open = std::get_if<router::OpenAccountRequest>(&request.body)) {
      opened.emplace(std::string(open->account), open->currency);
    }
  }
  for (const auto& [client, item] : transfers_of(all, Phase::setup)) {
    CHECK(item.operation == router::TransferOperation::deposit);
    CHECK(item.amount == config.opening_balance);
    funded.emplace(std::string(item.credit), item.currency);
  }
  CHECK(opened.size() == 24);  // every other account has a second pocket
  CHECK(opened == funded);
}

TEST_CASE("the running phase asks for everything the config names, about as often as it says") {
  Config config;
  config.operations = 4000;
  config.currencies = 2;
  const router::ShardMap map = two_shards();
  const std::vector<Asked> all = play(config, 11, 0);
  std::map<std::string, std::size_t> kinds;
  std::map<TransferId, router::TransferItem> first_bodies;
  std::map<TransferId, std::uint32_t> first_clients;
  std::size_t total = 0;
  for (const auto& [client, item] : transfers_of(all, Phase::running)) {
    ++total;
    const auto [seen, is_first] = first_bodies.try_emplace(item.id, item);
    first_clients.try_emplace(item.id, client);
    if (!is_first && same_body(seen->second, item)) ++kinds["duplicate"];
    if (!is_first && same_body(seen->second, item) && first_clients[item.id] != client) ++kinds["duplicate by another"];
    if (!is_first && !same_body(seen->second, item)) ++kinds["other body"];
    if (!is_first) continue;
    if (item.operation == router::TransferOperation::deposit) ++kinds["deposit"];
    if (item.operation == router::TransferOperation::withdrawal) ++kinds["withdrawal"];
    if (item.operation != router::TransferOperation::transfer) continue;
    ++kinds["transfer"];
    if (item.debit == item.credit) ++kinds["to itself"];
    if (map.shard_of(default_tenant, item.debit) != map.shard_of(default_tenant, item.credit)) ++kinds["across"];
    if (item.amount > config.opening_balance) ++kinds["overdraft"];
    if (!item.credit.starts_with("a")) ++kinds["missing credit"];
    if (!item.debit.starts_with("a")) ++kinds["missing debit"];
    if (item.debit == "a0" || item.debit == "a1") ++kinds["hot"];
  }
  std::size_t calls = 0;
  for (const Asked& asked : all) {
    if (asked.phase != Phase::running) continue;
    ++calls;
    const router::Request request = decoded(asked);
    if (const auto* read = std::get_if<router::BalanceRequest>(&request.body)) {
      ++kinds[read->consistency == router::Consistency::linearizable ? "linearizable read" : "eventual read"];
    }
    if (std::holds_alternative<router::TransferStatusRequest>(request.body)) ++kinds["status"];
    if (std::holds_alternative<router::OpenAccountRequest>(request.body)) ++kinds["opening"];
  }
  CHECK(calls == config.operations);
  const auto per_mille = [&](const std::string& kind, std::size_t of) { return kinds[kind] * 1000 / of; };
  const auto about = [](std::size_t value, std::size_t low, std::size_t high) { return value >= low && value <= high; };
  CHECK(about(per_mille("duplicate", total), 60, 100));
  CHECK(about(per_mille("other body", total), 15, 45));
  CHECK(about(per_mille("deposit", total), 40, 75));
  CHECK(about(per_mille("withdrawal", total), 40, 75));
  CHECK(about(per_mille("across", kinds["transfer"]), 400, 600));
  CHECK(about(per_mille("overdraft", kinds["transfer"]), 40, 80));
  CHECK(about(per_mille("hot", kinds["transfer"]), 480, 640));
  CHECK(about(kinds["linearizable read"] * 1000 / calls, 50, 120));
  for (const char* kind :
       {"duplicate by another", "to itself", "missing credit", "missing debit", "eventual read", "status", "opening"}) {
    INFO(kind);
    CHECK(kinds[kind] > 0);
  }
}

TEST_CASE("clients race: one gives to an account that another opens, one empties it and another closes it") {
  Config config;
  config.operations = 2000;
  config.race_per_mille = 200;
  config.account_change_per_mille = 50;
  const std::vector<Asked> all = play(config, 11, 0);
  std::map<std::string, std::uint32_t> last;  // who took the last step, by account
  std::map<std::string, std::string> steps;   // so far
  std::size_t impatient = 0;
  bool by_another = true;
  const auto step = [&](const Asked& asked, const std::string& account, const char* what, bool races) {
    if (races) by_another = by_another && last.at(account) != asked.client;
    last[account] = asked.client;
    steps[account] += what;
  };
  for (const Asked& asked : all) {
    if (asked.phase != Phase::running) continue;
    const router::Request request = decoded(asked);
    impatient += request.header.patience_ms <= 150 ? 1 : 0;
    if (const auto* transfers = std::get_if<router::TransfersRequest>(&request.body)) {
      if (transfers->items.size() != 1) continue;
      const router::TransferItem& item = transfers->items[0];
      const std::string account(item.operation == router::TransferOperation::deposit ? item.credit : item.debit);
      if (!account.starts_with("visitor")) continue;
      const bool gives = item.operation == router::TransferOperation::deposit;
      if (steps[account].empty() == gives) step(asked, account, gives ? "give " : "empty ", false);
    } else if (const auto* open = std::get_if<router::OpenAccountRequest>(&request.body)) {
      if (open->account.starts_with("visitor")) step(asked, std::string(open->account), "open ", true);
    } else if (const auto* change = std::get_if<router::ChangeAccountRequest>(&request.body)) {
      if (change->account.starts_with("visitor")) step(asked, std::string(change->account), "close", true);
    }
  }
  CHECK(by_another);
  const auto whole =
      std::count_if(steps.begin(), steps.end(), [](const auto& one) { return one.second == "give open empty close"; });
  CHECK(whole >= 10);
  CHECK(impatient >= 60);
}

TEST_CASE("clients race: the status of what another client waits for is asked") {
  Config config;
  config.race_per_mille = 600;
  config.batch_max = 1;
  Generator generator(config, two_shards(), 5);
  Answers answers(0);
  // Setup, and then everybody but client 0 waits for a transfer for ever.
  for (bool busy = true; busy;) {
    busy = false;
    for (std::uint32_t client = 0; client < generator.clients(); ++client) {
      const std::optional<Next> next = generator.next(client, Phase::setup);
      if (!next) continue;
      busy = true;
      generator.on_reply(client, next->op, answers.answer(router::decode_request(next->request).value()));
    }
  }
  std::set<TransferId> waited_for;
  for (std::uint32_t client = 1; client < generator.clients(); ++client) {
    while (const std::optional<Next> next = generator.next(client, Phase::running)) {
      const router::Request request = router::decode_request(next->request).value();
      const auto* transfers = std::get_if<router::TransfersRequest>(&request.body);
      if (transfers != nullptr) {
        for (const router::TransferItem& item : transfers->items) waited_for.insert(item.id);
        break;
      }
      generator.on_reply(client, next->op, answers.answer(request));
    }
  }
  std::size_t watched = 0;
  for (std::optional<Next> next = generator.next(0, Phase::running); next; next = generator.next(0, Phase::running)) {
    const router::Request request = router::decode_request(next->request).value();
    const auto* status = std::get_if<router::TransferStatusRequest>(&request.body);
    watched += status != nullptr && waited_for.contains(status->id) ? 1 : 0;
    generator.on_reply(0, next->op, answers.answer(request));
  }
  CHECK(watched >= 5);
}

TEST_CASE("tenants have accounts of the same names, and sometimes ask for the very transfer another one asked for") {
  Config config;
  config.clients = 5;
  config.tenants = 2;
  config.operations = 800;
  const std::vector<Asked> all = play(config, 12, 0);
  std::map<TenantId, std::set<std::string>> opened;
  std::map<TransferId, std::set<TenantId>> askers;
  std::map<std::pair<TenantId, TransferId>, std::string> bodies;
  std::size_t word_by_word = 0;
  std::map<TenantId, std::size_t> final_reads;
  for (const Asked& asked : all) {
    const router::Request request = decoded(asked);
    const TenantId tenant = request.header.tenant;
    CHECK(tenant == tenant_of(asked.client, 2));
    if (const auto* open = std::get_if<router::OpenAccountRequest>(&request.body)) {
      if (asked.phase == Phase::setup) opened[tenant].emplace(open->account);
    }
    if (std::holds_alternative<router::BalanceRequest>(request.body) && asked.phase == Phase::final_reads) {
      ++final_reads[tenant];
    }
    const auto* transfers = std::get_if<router::TransfersRequest>(&request.body);
    if (transfers == nullptr || asked.phase != Phase::running) continue;
    for (const router::TransferItem& item : transfers->items) {
      const std::string body = std::string(item.debit) + ">" + std::string(item.credit) + std::to_string(item.amount);
      bodies.try_emplace({tenant, item.id}, body);
      const bool by_another = askers[item.id].insert(tenant).second && askers[item.id].size() > 1;
      const TenantId other(1 - tenant.value);
      if (by_another && bodies.at({other, item.id}) == body) ++word_by_word;
    }
  }
  CHECK(opened[TenantId(0)].size() == config.accounts);
  CHECK(opened[TenantId(0)] == opened[TenantId(1)]);
  CHECK(word_by_word > 20);
  CHECK(final_reads[TenantId(0)] >= config.accounts);
  CHECK(final_reads[TenantId(1)] >= config.accounts);
}

TEST_CASE("ids whose outcome is open are asked again until it is definite, with the same body") {
  const std::vector<Asked> all = play(Config{}, 13, 300);
  std::set<TransferId> running;
  for (const auto& [client, item] : transfers_of(all, Phase::running)) running.insert(item.id);
  std::size_t again = 0;
  for (const auto& [client, item] : transfers_of(all, Phase::healing)) again += running.contains(item.id) ? 1 : 0;
  CHECK(again > 0);
  CHECK(transfers_of(play(Config{}, 13, 0), Phase::healing).empty());
}

TEST_CASE("the final reads cover every account told open, every id and the trial balance, once where all answer") {
  const std::vector<Asked> all = play(Config{}, 17, 0);
  std::set<std::pair<std::string, Currency>> opened;
  std::set<std::pair<std::string, TransferId>> ids;
  for (const Phase phase : {Phase::setup, Phase::running}) {
    for (const auto& [client, item] : transfers_of(all, phase)) ids.emplace(std::string(item.home()), item.id);
  }
  std::multiset<std::pair<std::string, Currency>> read;
  std::multiset<std::pair<std::string, TransferId>> asked_again;
  std::size_t trial_balances = 0;
  for (const Asked& asked : all) {
    const router::Request request = decoded(asked);
    if (const auto* open = std::get_if<router::OpenAccountRequest>(&request.body)) {
      opened.emplace(std::string(open->account), open->currency);
    }
    if (asked.phase != Phase::final_reads) continue;
    if (const auto* balance = std::get_if<router::BalanceRequest>(&request.body)) {
      CHECK(balance->consistency == router::Consistency::linearizable);
      read.emplace(std::string(balance->account), balance->currency);
    }
    if (const auto* status = std::get_if<router::TransferStatusRequest>(&request.body)) {
      asked_again.emplace(std::string(status->account), status->id);
    }
    if (std::holds_alternative<router::TrialBalanceRequest>(request.body)) ++trial_balances;
  }
  CHECK(std::multiset<std::pair<std::string, Currency>>(opened.begin(), opened.end()) == read);
  CHECK(std::multiset<std::pair<std::string, TransferId>>(ids.begin(), ids.end()) == asked_again);
  CHECK(trial_balances == 1);
}

TEST_CASE("clients place, capture, void and read holds where the config says so, and read every one in the end") {
  Config config;
  config.operations = 2000;
  config.hold_per_mille = 500;
  config.account_change_per_mille = 40;
  const std::vector<Asked> all = play(config, 19, 0);
  std::map<std::string, std::size_t> kinds;
  std::map<std::pair<std::string, TransferId>, router::PlaceHoldRequest> placed;
  std::set<std::pair<std::string, TransferId>> read;
  std::set<TransferId> captured;
  std::set<TransferId> asked_again;
  for (const Asked& asked : all) {
    const router::Request request = decoded(asked);
    if (const auto* place = std::get_if<router::PlaceHoldRequest>(&request.body)) {
      const auto [known, is_new] = placed.try_emplace({std::string(place->account), place->id}, *place);
      const bool same = known->second.amount == place->amount && known->second.currency == place->currency &&
                        known->second.expires_in_ms == place->expires_in_ms;
      ++kinds[is_new ? "placed" : same ? "placed again" : "placed with another body"];
      if (place->expires_in_ms > 20'000) ++kinds["outlasts the run"];
      if (place->amount > config.opening_balance) ++kinds["not covered"];
    }
    if (const auto* capture = std::get_if<router::CaptureHoldRequest>(&request.body)) {
      const router::PlaceHoldRequest& hold = placed.at({std::string(capture->account), capture->id});
      const bool is_new = captured.insert(ledger::capture_id_of(capture->id)).second;
      ++kinds[is_new ? "captured" : "captured again"];
      if (capture->amount == hold.amount) ++kinds["all of it"];
      if (capture->amount < hold.amount) ++kinds["part of it"];
      if (capture->amount > hold.amount) ++kinds["more than it"];
    }
    if (std::holds_alternative<router::VoidHoldRequest>(request.body)) ++kinds["voided"];
    const auto* state = std::get_if<router::HoldRequest>(&request.body);
    if (state != nullptr && asked.phase == Phase::running) ++kinds["read"];
    if (asked.phase != Phase::final_reads) continue;
    if (state != nullptr) read.emplace(std::string(state->account), state->id);
    if (const auto* status = std::get_if<router::TransferStatusRequest>(&request.body)) asked_again.insert(status->id);
  }
  for (const char* kind : {"placed", "placed again", "placed with another body", "outlasts the run", "not covered",
                           "captured", "captured again", "all of it", "part of it", "more than it", "voided", "read"}) {
    INFO(kind);
    CHECK(kinds[kind] > 10);
  }
  std::set<std::pair<std::string, TransferId>> holds;
  for (const auto& [name, hold] : placed) holds.insert(name);
  CHECK(read == holds);
  for (const TransferId& capture : captured) CHECK(asked_again.contains(capture));
}

TEST_CASE("a hold that expires soon is waited for once faults have ended") {
  Config config;
  config.operations = 200;
  config.hold_per_mille = 800;
  std::size_t waits = 0;
  for (const Asked& asked : play(config, 23, 0)) {
    if (asked.phase != Phase::healing || decoded(asked).header.kind != router::RequestKind::hold) continue;
    CHECK(asked.think > milliseconds(3500));
    CHECK(asked.think <= milliseconds(7500));
    ++waits;
  }
  CHECK(waits == config.clients);  // each once, though nobody says that it has ended
}

TEST_CASE("every phase ends whatever share of the answers is open") {
  for (const std::uint32_t unknown_per_mille : {0u, 200u, 600u}) {
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
      Config config;
      config.clients = 1 + static_cast<std::uint32_t>(seed);
      config.operations = 100;
      config.accounts = 1 + static_cast<std::uint32_t>(seed);
      std::set<Phase> phases;
      for (const Asked& asked : play(config, seed, unknown_per_mille)) phases.insert(asked.phase);
      CHECK(phases.contains(Phase::final_reads));
    }
  }
}
