#include "sim/workload/workload.h"

#include <algorithm>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/base/check.h"
#include "core/base/prng.h"
#include "core/ledger/commands.h"
#include "sim/workload/accounts.h"
#include "sim/workload/asks.h"
#include "sim/workload/holds.h"
#include "sim/workload/items.h"
#include "sim/workload/splits.h"
#include "sim/workload/upstream.h"
#include "sim/workload/visitors.h"

namespace coffer::sim::workload {

namespace {

constexpr std::uint64_t domain = 0x776f'726b;  // keeps the workload's draws apart from every other use of the seed
constexpr std::uint64_t draws_site = 1;
constexpr std::uint64_t ids_site = 2;
constexpr std::uint64_t think_site = 3;
constexpr std::uint64_t numbers_site = 4;

constexpr std::uint32_t opening_per_mille = 15;     ///< of calls in the running phase: another account, or one again
constexpr std::uint32_t ask_again_per_mille = 500;  ///< of open outcomes: soon; the others come back much later
constexpr std::uint32_t single_per_mille = 400;     ///< of transfers calls: one item, as a person would send
constexpr std::uint32_t taken_id_per_mille = 30;    ///< of placings and splits: under an id that a transfer has
constexpr std::uint32_t split_status_per_mille = 100;

/// A hold that expires soon is read once, so long after it must have expired: later than a leader without work may be.
constexpr Duration patience_with_leaders = milliseconds(3500);

constexpr std::size_t watched_items = 64;    ///< the latest
constexpr std::size_t watched_open = 6;      ///< of these, at most
constexpr std::uint32_t impatient_ms = 150;  ///< at most

/// How many of the latest items may well be under way.
std::size_t latest(std::size_t items) { return std::min<std::size_t>(items, 6); }

struct Client {
  Prng draws{0};
  Prng ids{0};
  Prng think{0};
  Prng numbers{0};
  Upstream upstream{1};
  std::uint32_t calls_left = 0;     ///< in the running phase
  std::uint32_t calls_made = 0;     ///< of all phases
  std::deque<Ask> due;              ///< setup, final reads: in order, each until it is settled
  std::vector<std::size_t> again;   ///< items whose outcome is open, to be asked again soon
  std::vector<Ask> open_openings;   ///< openings without a definite answer
  std::vector<Ask> open_changes;    ///< changes of accounts, writes of holds and splits without a definite answer
  std::vector<std::string> frozen;  ///< by this client, as far as it knows
  bool has_waited = false;          ///< for a hold to expire
  struct Outstanding {
    std::uint64_t op;
    Ask ask;
    bool due;  ///< the front of `due`
  };
  std::optional<Outstanding> outstanding;
};

}  // namespace

/// What the clients of one tenant play with.
struct Realm {
  TenantId tenant;
  Accounts accounts;
  Items items;
  std::set<std::pair<std::string, Currency>> opened;  ///< told open
  Holds holds;
  Visitors visitors;
  Splits splits;

  Realm(const Config& c, const router::ShardMap& map, TenantId t)
      : tenant(t),
        accounts(c, map, t),
        items(c, accounts),
        holds(c, accounts),
        visitors(c.account_change_per_mille > 0),
        splits(c, accounts) {}
};

struct Generator::State {
  Config config;
  router::ShardMap map;
  std::deque<Realm> realms;  ///< by tenant; each has a client
  std::vector<Client> clients;
  bool final_reads_planned = false;
  SimTime now;  ///< of the call being drawn

  State(const Config& c, const router::ShardMap& m, std::uint64_t seed) : config(c), map(m) {
    check(c.clients >= 1, "a workload has clients");
    check(c.tenants >= 1, "clients belong to a tenant");
    check(c.batch_max >= 1, "a call carries at least one transfer");
    for (std::uint32_t i = 0; i < std::min(c.tenants, c.clients); ++i) {
      realms.emplace_back(c, map, tenant_of(i, c.tenants));
    }
    for (std::uint32_t i = 0; i < c.clients; ++i) {
      Client client;
      client.draws = Prng(seed, domain, i, draws_site);
      client.ids = Prng(seed, domain, i, ids_site);
      client.think = think_stream(seed, i);
      client.numbers = Prng(seed, domain, i, numbers_site);
      client.upstream = Upstream(i + 1);
      client.calls_left = c.operations / c.clients + (i < c.operations % c.clients ? 1 : 0);
      clients.push_back(std::move(client));
    }
    plan_setup();
  }

  Realm& realm_of(std::uint32_t number) { return realms[number % config.tenants]; }
  /// A client of this realm: the next at each turn.
  std::uint32_t take_turn(std::size_t realm, std::size_t turn) const;
  void plan_setup();
  void plan_final_reads();
  void plan_reads_of(std::size_t realm, std::size_t& turn);
  std::optional<Ask> choose(std::uint32_t number, Phase phase);
  Ask draw(std::uint32_t number);
  Ask draw_read(std::uint32_t number);
  Ask draw_transfers(std::uint32_t number);
  std::size_t draw_item(std::uint32_t number);
  Ask draw_opening(std::uint32_t number);
  Ask draw_change(std::uint32_t number);
  Ask draw_hold(std::uint32_t number);
  Ask draw_split(std::uint32_t number);
  Ask draw_placing(std::uint32_t number);
  std::optional<Ask> awaited(std::uint32_t number);
  Ask draw_race(std::uint32_t number);
  Ask draw_watch(std::uint32_t number);
  Ask step_of(std::uint32_t number, const Visitors::Step& step);
  std::optional<Ask> unresolved(std::uint32_t number);
  Bytes encode(std::uint32_t number, const Ask& ask);
  void settle(std::uint32_t number, const Ask& ask, const router::Reply& reply);
  void settle_hold(Client& client, Holds& holds, const Ask& ask, const router::Reply& reply);
  bool is_settled(std::uint32_t number, const Ask& ask, const router::Reply& reply);
};

std::uint32_t Generator::State::take_turn(std::size_t realm, std::size_t turn) const {
  const std::size_t members = (clients.size() - realm + config.tenants - 1) / config.tenants;
  return static_cast<std::uint32_t>(realm + turn % members * config.tenants);
}

void Generator::State::plan_setup() {
  for (std::size_t r = 0; r < realms.size(); ++r) {
    std::size_t turn = 0;
    for (const Account& account : realms[r].accounts.all()) {
      const std::uint32_t number = take_turn(r, turn++);
      Client& client = clients[number];
      for (const Currency currency : account.currencies) {
        client.due.push_back(opening(account.name, currency));
        if (config.opening_balance <= 0) continue;
        Items& items = realms[r].items;
        client.due.push_back(transfers({items.deposit(number, account, currency, config.opening_balance, client.ids)}));
      }
    }
  }
}

void Generator::State::plan_final_reads() {
  final_reads_planned = true;
  for (Client& client : clients) {
    client.due.clear();
    if (client.outstanding) client.outstanding->due = false;
  }
  std::size_t turn = 0;
  Ask trial_balance;
  trial_balance.kind = router::RequestKind::trial_balance;
  clients[take_turn(0, turn++)].due.push_back(std::move(trial_balance));
  for (std::size_t r = 0; r < realms.size(); ++r) plan_reads_of(r, turn);
}

void Generator::State::plan_reads_of(std::size_t r, std::size_t& turn) {
  Realm& realm = realms[r];
  const auto give = [&](Ask ask) { clients[take_turn(r, turn++)].due.push_back(std::move(ask)); };
  for (const auto& [account, currency] : realm.opened) {
    give(balance(account, currency, router::Consistency::linearizable));
  }
  if (config.account_change_per_mille > 0) {
    for (const auto& [account, currency] : realm.opened) give(state_of(account));
  }
  std::set<std::pair<std::string, TransferId>> asked;
  for (std::size_t i = 0; i < realm.items.size(); ++i) {
    const Item& item = realm.items[i];
    if (asked.emplace(item.home(), item.id).second) give(status(item.home(), item.id));
  }
  std::set<std::pair<std::string, TransferId>> holds;
  for (std::size_t i = 0; i < realm.holds.size(); ++i) {
    const Hold& hold = realm.holds[i];
    if (holds.emplace(hold.account, hold.id).second) give(of_hold(router::RequestKind::hold, hold));
    const TransferId capture = ledger::capture_id_of(hold.id);
    if (!hold.captures.empty() && asked.emplace(hold.account, capture).second) give(status(hold.account, capture));
  }
  for (std::size_t i = 0; i < realm.splits.size(); ++i) {
    const Split& split = realm.splits[i];
    if (asked.emplace(split.account, split.id).second) give(status(split.account, split.id));
  }
}

Ask Generator::State::draw_read(std::uint32_t number) {
  Client& client = clients[number];
  auto& [tenant, accounts, items, opened, holds, visitors, splits] = realm_of(number);
  const std::uint64_t kind = client.draws.below(100);
  if (kind < 20 && items.size() > 0) {
    const Item& item = items[items.draw_earlier(client.draws)];
    return status(item.home(), item.id);
  }
  const Account& account = accounts.draw(client.draws);
  const Currency currency = account.currencies[static_cast<std::size_t>(client.draws.below(account.currencies.size()))];
  return balance(account.name, currency, kind < 45 ? router::Consistency::eventual : router::Consistency::linearizable);
}

Ask Generator::State::draw_transfers(std::uint32_t number) {
  Client& client = clients[number];
  const bool single = client.draws.chance(single_per_mille);
  const std::uint64_t count = single ? 1 : 1 + client.draws.below(config.batch_max);
  client.upstream.begin_call();
  Ask ask;
  for (std::uint64_t i = 0; i < count; ++i) ask.items.push_back(draw_item(number));
  return ask;
}

std::size_t Generator::State::draw_item(std::uint32_t number) {
  Client& client = clients[number];
  Realm& own = realm_of(number);
  const bool is_numbered = config.numbered_per_mille > 0 && client.numbers.chance(config.numbered_per_mille);
  if (is_numbered) return client.upstream.draw(number, own.items, client.numbers);
  if (realms.size() == 1) return own.items.draw(number, now, client.draws, client.ids);
  const bool borrows = client.draws.chance(config.other_tenant_per_mille);
  const std::size_t others = 1 + static_cast<std::size_t>(client.draws.below(realms.size() - 1));
  Items& lends = realms[(number % config.tenants + others) % realms.size()].items;
  if (!borrows || lends.size() == 0) return own.items.draw(number, now, client.draws, client.ids);
  return own.items.borrow(number, lends[lends.draw_earlier(client.draws)]);
}

/// An account opened while faults strike: a new one, or one that is there.
Ask Generator::State::draw_opening(std::uint32_t number) {
  Client& client = clients[number];
  const Accounts& accounts = realm_of(number).accounts;
  const bool late = client.draws.chance(500);
  if (late) {
    const std::uint64_t which = client.draws.below(late_accounts);
    return opening(late_account_prefix + std::to_string(which), accounts.all()[0].currencies[0]);
  }
  const Account& account = accounts.draw(client.draws);
  return opening(account.name, account.currencies[0]);
}

/// What this client has frozen it unfreezes before it freezes another, else nothing would move any more; mostly it is
/// an account of which money may be under way. Accounts opened late hold nothing, as a rule, and so can be closed.
Ask Generator::State::draw_change(std::uint32_t number) {
  Client& client = clients[number];
  auto& [tenant, accounts, items, opened, holds, visitors, splits] = realm_of(number);
  const std::uint64_t kind = client.draws.below(100);
  const TransferId id = draw_id(config, now, client.ids);
  if (kind < 10) return state_of(accounts.draw(client.draws).name);
  if (kind < 25) {
    const bool late = client.draws.chance(700);
    const std::string account = late ? late_account_prefix + std::to_string(client.draws.below(late_accounts))
                                     : accounts.draw(client.draws).name;
    return change(router::AccountChange::close, account, id);
  }
  if (!client.frozen.empty()) return change(router::AccountChange::unfreeze, client.frozen.front(), id);
  std::string account = accounts.draw(client.draws).name;
  if (items.size() > 0 && client.draws.chance(800)) {
    const Item& item = items[items.size() - 1 - static_cast<std::size_t>(client.draws.below(latest(items.size())))];
    account = item.debit.empty() || (!item.credit.empty() && client.draws.chance(500)) ? item.credit : item.debit;
  }
  if (holds.size() > 0 && client.draws.chance(500)) account = holds[holds.draw_earlier(client.draws, {})].account;
  client.frozen.push_back(account);
  return change(router::AccountChange::freeze, account, id);
}

/// A new hold, one asked for before, or (rarely) one under a transfer's id.
Ask Generator::State::draw_placing(std::uint32_t number) {
  Client& client = clients[number];
  Realm& realm = realm_of(number);
  const bool taken = client.draws.chance(taken_id_per_mille);
  if (!taken || realm.items.size() == 0) {
    const std::size_t drawn = realm.holds.draw(number, client.draws, client.ids);
    return of_hold(router::RequestKind::place_hold, realm.holds[drawn]);
  }
  const Item& item = realm.items[realm.items.draw_earlier(client.draws)];
  const std::size_t drawn = realm.holds.draw_under(number, item.home(), item.currency, item.id, client.draws);
  return of_hold(router::RequestKind::place_hold, realm.holds[drawn]);
}

/// What is frozen is what somebody would rather not see captured.
Ask Generator::State::draw_hold(std::uint32_t number) {
  Client& client = clients[number];
  Holds& holds = realm_of(number).holds;
  const std::uint64_t kind = client.draws.below(100);
  if (holds.size() == 0 || kind < 40) return draw_placing(number);
  if (kind < 78) {
    const std::size_t drawn = holds.draw_to_capture(client.draws, client.frozen);
    return capturing(holds[drawn], holds.draw_capture(drawn, client.draws));
  }
  const std::size_t drawn = holds.draw_earlier(client.draws, {});
  return of_hold(kind < 90 ? router::RequestKind::void_hold : router::RequestKind::hold, holds[drawn]);
}

/// The status of a transfer that another client waits for, as far as is known here.
Ask Generator::State::draw_watch(std::uint32_t number) {
  Client& client = clients[number];
  Items& items = realm_of(number).items;
  std::vector<std::size_t> open;
  for (std::size_t at = items.size(); at > 0 && items.size() - at < watched_items && open.size() < watched_open; --at) {
    if (items[at - 1].owner != number && !items[at - 1].resolved) open.push_back(at - 1);
  }
  if (open.empty()) return draw_transfers(number);
  const Item& item = items[open[static_cast<std::size_t>(client.draws.below(open.size()))]];
  Ask ask = status(item.home(), item.id);
  ask.at_once = true;
  return ask;
}

Ask Generator::State::step_of(std::uint32_t number, const Visitors::Step& step) {
  Client& client = clients[number];
  Realm& realm = realm_of(number);
  const Currency currency = realm.accounts.all()[0].currencies[0];
  const Account visitor{step.account, map.shard_of(realm.tenant, step.account), {currency}};
  Ask ask;
  switch (step.move) {
    case Visitors::Move::give:
      ask = transfers({realm.items.deposit(number, visitor, currency, step.amount, client.ids)});
      break;
    case Visitors::Move::open:
      ask = opening(step.account, currency);
      break;
    case Visitors::Move::empty:
      ask = transfers({realm.items.empty_out(number, visitor, step.amount, client.draws, client.ids)});
      break;
    case Visitors::Move::close:
      ask = change(router::AccountChange::close, step.account, draw_id(client.ids));
      break;
  }
  ask.at_once = step.move == Visitors::Move::empty || step.move == Visitors::Move::close;
  return ask;
}

/// What hangs on who comes first.
Ask Generator::State::draw_race(std::uint32_t number) {
  Client& client = clients[number];
  const std::uint64_t kind = client.draws.below(100);
  if (kind < 30) return draw_watch(number);
  if (kind < 60) {
    Ask ask = draw_transfers(number);
    ask.patience_ms = 1 + static_cast<std::uint32_t>(client.draws.below(impatient_ms));
    return ask;
  }
  const auto most = static_cast<std::uint64_t>(std::max<std::int64_t>(config.opening_balance / 8, 1));
  const auto amount = static_cast<std::int64_t>(1 + client.draws.below(most));
  return step_of(number, realm_of(number).visitors.next(number, amount));
}

/// A new one, one asked for before, or (rarely) one under a transfer's id; now and then its status.
Ask Generator::State::draw_split(std::uint32_t number) {
  Client& client = clients[number];
  Realm& realm = realm_of(number);
  const std::uint64_t kind = client.draws.below(1000);
  if (kind < taken_id_per_mille && realm.items.size() > 0) {
    const Item& item = realm.items[realm.items.draw_earlier(client.draws)];
    return splitting(realm.splits[realm.splits.draw_under(item.home(), item.currency, item.id, client.draws)]);
  }
  if (kind >= 1000 - split_status_per_mille && realm.splits.size() > 0) {
    const Split& split = realm.splits[static_cast<std::size_t>(client.draws.below(realm.splits.size()))];
    return status(split.account, split.id);
  }
  return splitting(realm.splits[realm.splits.draw(client.draws, client.ids)]);
}

Ask Generator::State::draw(std::uint32_t number) {
  Client& client = clients[number];
  if (config.race_per_mille > 0) {
    if (const auto step = realm_of(number).visitors.at_once(number)) return step_of(number, *step);
    if (client.draws.chance(config.race_per_mille)) return draw_race(number);
  }
  if (!client.again.empty()) return transfers(std::exchange(client.again, {}));
  const std::uint64_t kind = client.draws.below(1000);
  if (kind < config.read_per_mille) return draw_read(number);
  if (kind < config.read_per_mille + opening_per_mille) return draw_opening(number);
  const std::uint32_t not_holds = config.read_per_mille + opening_per_mille + config.account_change_per_mille;
  if (kind < not_holds) return draw_change(number);
  if (kind < not_holds + config.hold_per_mille) return draw_hold(number);
  if (kind < not_holds + config.hold_per_mille + config.split_per_mille) return draw_split(number);
  return draw_transfers(number);
}

/// The end of a hold that this client has placed and that expires soon: what an idle leader has to see to.
std::optional<Ask> Generator::State::awaited(std::uint32_t number) {
  Client& client = clients[number];
  const Holds& holds = realm_of(number).holds;
  const Hold* last = nullptr;
  for (std::size_t i = 0; i < holds.size() && !client.has_waited; ++i) {
    const Hold& hold = holds[i];
    if (hold.owner != number || !hold.placed || hold.ended || hold.expires_in_ms > Holds::soon_ms) continue;
    if (last == nullptr || last->expires_in_ms < hold.expires_in_ms) last = &hold;
  }
  if (last == nullptr) return std::nullopt;
  client.has_waited = true;
  Ask ask = of_hold(router::RequestKind::hold, *last);
  ask.pause = milliseconds(static_cast<std::int64_t>(last->expires_in_ms)) + patience_with_leaders;
  return ask;
}

/// Some of what this client still has to learn.
std::optional<Ask> Generator::State::unresolved(std::uint32_t number) {
  Client& client = clients[number];
  if (!client.open_openings.empty()) return client.open_openings.front();
  if (!client.open_changes.empty()) return client.open_changes.front();
  Items& items = realm_of(number).items;
  std::vector<std::size_t> some;
  for (std::size_t i = 0; i < items.size() && some.size() < config.batch_max; ++i) {
    if (items[i].owner == number && !items[i].resolved) some.push_back(i);
  }
  if (some.empty()) return awaited(number);
  return transfers(std::move(some));
}

std::optional<Ask> Generator::State::choose(std::uint32_t number, Phase phase) {
  Client& client = clients[number];
  switch (phase) {
    case Phase::running:
      if (client.calls_left == 0) return std::nullopt;
      --client.calls_left;
      return draw(number);
    case Phase::healing:
      return unresolved(number);
    case Phase::final_reads:
      if (!final_reads_planned) plan_final_reads();
      break;
    case Phase::setup:
      break;
    case Phase::over:
      return std::nullopt;
  }
  if (client.due.empty()) return std::nullopt;
  return client.due.front();
}

Bytes Generator::State::encode(std::uint32_t number, const Ask& ask) {
  Realm& realm = realm_of(number);
  router::RequestHeader header;
  header.patience_ms = ask.patience_ms > 0 ? ask.patience_ms : config.patience_ms;
  header.tenant = realm.tenant;
  header.principal = PrincipalId(number + 1);
  return workload::encode(ask, header, realm.items);
}

/// Whether the answer says all there was to learn.
bool Generator::State::is_settled(std::uint32_t number, const Ask& ask, const router::Reply& reply) {
  if (ask.kind == router::RequestKind::transfers) {
    Items& items = realm_of(number).items;
    return std::all_of(ask.items.begin(), ask.items.end(), [&](std::size_t item) { return items[item].resolved; });
  }
  return is_definite(outcome_of(reply));
}

void Generator::State::settle(std::uint32_t number, const Ask& ask, const router::Reply& reply) {
  Client& client = clients[number];
  Realm& realm = realm_of(number);
  const auto* results = std::get_if<router::TransfersReply>(&reply.body);
  for (std::size_t i = 0; i < ask.items.size(); ++i) {
    const bool has_result = results != nullptr && i < results->results.size();
    const Outcome outcome = has_result ? results->results[i].outcome : reply.status;
    Item& item = realm.items[ask.items[i]];
    item.resolved = item.resolved || is_definite(outcome);
    client.upstream.told(realm.items, ask.items[i], outcome);
    const bool soon = client.draws.chance(ask_again_per_mille);
    if (!item.resolved && soon) client.again.push_back(ask.items[i]);
    if (config.race_per_mille > 0 && is_definite(outcome) && item.operation == router::TransferOperation::deposit) {
      realm.visitors.told(Visitors::Move::give, item.credit, outcome == Outcome::success);
    }
  }
  if (ask.kind == router::RequestKind::open_account) {
    std::erase_if(client.open_openings, [&](const Ask& open) { return open.account == ask.account; });
    if (reply.status == Outcome::success) realm.opened.emplace(ask.account, ask.currency);
    realm.visitors.told(Visitors::Move::open, ask.account, reply.status == Outcome::success);
    if (!is_definite(reply.status)) client.open_openings.push_back(ask);
  }
  if (ask.kind == router::RequestKind::change_account) {
    std::erase(client.open_changes, ask);
    if (!is_definite(reply.status)) client.open_changes.push_back(ask);
    const bool success = reply.status == Outcome::success;
    const bool stays = ask.change == router::AccountChange::freeze  ? success
                       : ask.change == router::AccountChange::close ? !success
                                                                    : false;
    if (is_definite(reply.status) && !stays) std::erase(client.frozen, ask.account);
  }
  settle_hold(client, realm.holds, ask, reply);
}

void Generator::State::settle_hold(Client& client, Holds& holds, const Ask& ask, const router::Reply& reply) {
  const Outcome outcome = outcome_of(reply);
  if (ask.is_of_hold()) {
    std::erase(client.open_changes, ask);
    if (!is_definite(outcome)) client.open_changes.push_back(ask);
  }
  const auto* read = std::get_if<router::HoldReply>(&reply.body);
  const bool is_end = std::holds_alternative<router::CaptureHoldReply>(reply.body) ||
                      std::holds_alternative<router::VoidHoldReply>(reply.body) ||
                      (read != nullptr && read->state != router::HoldState::held);
  if (is_end) holds.ended(ask.account, ask.id);
  if (ask.kind != router::RequestKind::place_hold || outcome != Outcome::success) return;
  for (std::size_t i = 0; i < holds.size(); ++i) {
    Hold& hold = holds[i];
    const bool is_it = hold.account == ask.account && hold.id == ask.id && hold.amount == ask.amount &&
                       hold.currency == ask.currency && hold.expires_in_ms == ask.expires_in_ms;
    if (is_it) hold.placed = true;
  }
}

TenantId tenant_of(std::uint32_t client, std::uint32_t tenants) {
  return TenantId(default_tenant.value + client % tenants);
}

Prng think_stream(std::uint64_t seed, std::uint32_t client) { return Prng(seed, domain, client, think_site); }

Generator::Generator(Config config, router::ShardMap map, std::uint64_t seed)
    : state_(std::make_unique<State>(config, map, seed)) {}

Generator::~Generator() = default;

std::uint32_t Generator::clients() const { return static_cast<std::uint32_t>(state_->clients.size()); }

std::optional<Next> Generator::next(std::uint32_t number, Phase phase, SimTime now) {
  check(number < state_->clients.size(), "a client of this workload");
  state_->now = now;
  Client& client = state_->clients[number];
  check(!client.outstanding, "a client has one call outstanding at a time");
  std::optional<Ask> ask = state_->choose(number, phase);
  if (!ask) return std::nullopt;
  const bool hurried = phase == Phase::setup || phase == Phase::final_reads;
  const std::int64_t think = client.think.exponential(state_->config.think_mean.nanos);
  const std::uint64_t op = (static_cast<std::uint64_t>(number) << 32) + ++client.calls_made;
  const Duration thinks = std::max(nanoseconds(hurried || ask->at_once ? think / 16 : think), ask->pause);
  Next next{thinks, op, state_->encode(number, *ask)};
  client.outstanding = Client::Outstanding{op, std::move(*ask), hurried};
  return next;
}

void Generator::on_reply(std::uint32_t number, std::uint64_t op, const router::Reply& reply) {
  check(number < state_->clients.size(), "a client of this workload");
  Client& client = state_->clients[number];
  check(client.outstanding && client.outstanding->op == op, "an answer belongs to the outstanding call");
  const Client::Outstanding answered = std::move(*client.outstanding);
  client.outstanding.reset();
  state_->settle(number, answered.ask, reply);
  if (answered.due && state_->is_settled(number, answered.ask, reply)) client.due.pop_front();
}

}  // namespace coffer::sim::workload
