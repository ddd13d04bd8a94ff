#include "sim/shrink/shrink.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "sim/shrink/hunt.h"

namespace coffer::sim::shrink {

namespace {

constexpr std::uint32_t neighbours = 3;
constexpr std::uint32_t neighbours_of_the_written = 8;
constexpr std::uint32_t neighbours_of_the_drawn = 11;
constexpr std::uint64_t runs_worth_of_draws = 24;

/// Fewer elements of a list of the scenario, down to `least`: none, only the last few, then without pieces of half, a
/// quarter, … of it, down to `finest`.
template <class Get>
bool fewer(Hunt& hunt, Get list, std::size_t least = 0, std::size_t finest = 1) {
  using Offset = std::ptrdiff_t;
  const auto size = [&] { return list(hunt.best()).size(); };
  const auto without = [&](std::size_t first, std::size_t count) {
    const std::size_t end = std::min(first + count, size());
    if (end <= first || size() - (end - first) < least) return false;
    return hunt.change([&](Scenario& s) {
      auto& all = list(s);
      all.erase(all.begin() + static_cast<Offset>(first), all.begin() + static_cast<Offset>(end));
    });
  };
  bool any = without(0, size());
  for (std::size_t last = 1; !any && last <= size() / 2; last *= 2) any = without(0, size() - last);
  for (std::size_t piece = (size() + 1) / 2; piece >= finest && hunt.may_go_on();
       piece = piece == 1 ? 0 : (piece + 1) / 2) {
    // From the end: what comes late hangs on what came before.
    for (std::size_t end = size(); end > 0;) {
      const std::size_t first = end > piece ? end - piece : 0;
      any = without(first, end - first) || any;
      end = first;
    }
  }
  return any;
}

bool fewer_faults(Hunt& hunt) {
  return fewer(
      hunt, [](auto& s) -> auto& { return s.faults; });
}

bool fewer_calls(Hunt& hunt) {
  if (hunt.best().script.empty()) return false;
  return fewer(
      hunt, [](auto& s) -> auto& { return s.script.calls; });
}

/// Of what is written out, only large pieces: what is left runs in less time, then.
bool far_fewer(Hunt& hunt) {
  if (hunt.best().script.empty()) return false;
  constexpr std::size_t parts = 8;
  const auto calls = [](auto& s) -> auto& { return s.script.calls; };
  const auto faults = [](auto& s) -> auto& { return s.faults; };
  const bool any = fewer(hunt, calls, 0, std::max<std::size_t>(calls(hunt.best()).size() / parts, 1));
  return fewer(hunt, faults, 0, std::max<std::size_t>(faults(hunt.best()).size() / parts, 1)) || any;
}

bool fewer_operations(Hunt& hunt) {
  if (!hunt.best().script.empty()) return false;
  const bool any = hunt.lower(
      [](auto& s) -> auto& { return s.workload.operations; }, 0);
  return hunt.lower(
             [](auto& s) -> auto& { return s.workload.batch_max; }, 1) ||
         any;
}

bool fewer_shards(Hunt& hunt) {
  if (hunt.best().shards > 2 && hunt.change([](Scenario& s) { s.shards = 1; })) return true;
  bool any = false;
  while (hunt.best().shards > 1 && hunt.change([](Scenario& s) { --s.shards; })) any = true;
  return any;
}

bool fewer_nodes(Hunt& hunt) {
  bool any = false;
  const auto without_spare = [](Scenario& s) {
    --s.nodes;
    --s.spares;
  };
  while (hunt.best().spares > 0 && hunt.change(without_spare)) any = true;
  while (hunt.best().nodes > hunt.best().spares + 1 && hunt.change([](Scenario& s) { --s.nodes; })) any = true;
  return any;
}

bool one_tenant(Hunt& hunt) {
  const Scenario& best = hunt.best();
  if ((best.script.empty() ? best.workload.tenants : best.script.tenants) == 1) return false;
  return hunt.change([](Scenario& s) { s.workload.tenants = s.script.tenants = 1; });
}

bool fewer_clients(Hunt& hunt) {
  if (one_tenant(hunt)) return true;
  if (hunt.best().script.empty()) {
    return hunt.lower(
        [](auto& s) -> auto& { return s.workload.clients; }, 1);
  }
  for (std::uint32_t clients = 1; clients < hunt.best().clients(); ++clients) {
    if (clients % hunt.best().script.tenants != 0) continue;  // each stays with its tenant
    const bool enough = hunt.change([&](Scenario& s) {
      s.script.clients = clients;
      for (Script::Account& account : s.script.accounts) account.client %= clients;
      for (ScriptedCall& call : s.script.calls) call.client %= clients;
    });
    if (enough) return true;
  }
  return false;
}

/// Those that nobody names first.
bool fewer_accounts(Hunt& hunt) {
  if (hunt.best().script.empty()) {
    return hunt.lower(
        [](auto& s) -> auto& { return s.workload.accounts; }, 2);
  }
  std::set<std::string> named;
  for (const ScriptedCall& call : hunt.best().script.calls) named.insert({call.from, call.to, call.account});
  const bool any = hunt.change([&](Scenario& s) {
    const std::vector<Script::Account> all = s.script.accounts;
    std::erase_if(s.script.accounts, [&](const Script::Account& one) { return !named.contains(one.account); });
    if (s.script.accounts.empty()) s.script.accounts.assign(all.begin(), all.begin() + 1);
  });
  return fewer(
             hunt, [](auto& s) -> auto& { return s.script.accounts; }, 1) ||
         any;
}

bool fewer_kinds(Hunt& hunt) {
  if (!hunt.best().script.empty()) return false;
  bool any = false;
  for (const auto kind :
       {&workload::Config::cross_shard_per_mille, &workload::Config::overdraft_per_mille,
        &workload::Config::missing_account_per_mille, &workload::Config::wrong_currency_per_mille,
        &workload::Config::duplicate_per_mille, &workload::Config::other_body_per_mille,
        &workload::Config::read_per_mille, &workload::Config::deposit_per_mille,
        &workload::Config::withdrawal_per_mille, &workload::Config::account_change_per_mille,
        &workload::Config::hold_per_mille, &workload::Config::split_per_mille, &workload::Config::race_per_mille,
        &workload::Config::odd_time_per_mille, &workload::Config::late_per_mille, &workload::Config::hot_accounts}) {
    any = hunt.change([&](Scenario& s) { s.workload.*kind = 0; }) || any;
  }
  return hunt.change([](Scenario& s) { s.workload.currencies = 1; }) || any;
}

/// Without what came in the first part of the phase in which faults strike: the rest begins at once. Short runs first.
bool only_the_end(Hunt& hunt) {
  const Scenario& whole = hunt.best();
  const bool drawn = std::any_of(whole.faults.begin(), whole.faults.end(),
                                 [](const faults::FaultSpec& one) { return one.when != faults::When::at; });
  if (drawn || whole.script.empty()) return false;
  const Duration length = whole.limits.running_min;
  for (std::int64_t parts = 16; parts >= 2; parts /= 2) {
    const Duration from = length - length / parts;
    const bool enough = hunt.change([from](Scenario& s) {
      const auto is_over = [from](const faults::FaultSpec& one) {
        return one.at + one.lasts_max < from && !one.forever;
      };
      std::erase_if(s.faults, is_over);
      std::erase_if(s.script.calls, [from](const ScriptedCall& one) { return one.at < from; });
      for (faults::FaultSpec& fault : s.faults) fault.at = std::max(fault.at - from, Duration{});
      for (ScriptedCall& call : s.script.calls) call.at = call.at - from;
      s.limits.running_min = s.limits.running_min - from;
    });
    if (enough) return true;
  }
  return false;
}

template <class Change>
void each_time(Scenario& scenario, Change make) {
  for (faults::FaultSpec& fault : scenario.faults) make(fault.at);
  for (ScriptedCall& call : scenario.script.calls) make(call.at);
}

/// The phase in which faults strike becomes short, what happens in it early and at round times.
bool less_time(Hunt& hunt) {
  bool any = hunt.change([](Scenario& s) { s.limits.running_min = {}; });
  const auto half = [](Scenario& s) { s.limits.running_min = milliseconds(s.limits.running_min.millis() / 2); };
  while (hunt.best().limits.running_min >= milliseconds(2) && hunt.change(half)) any = true;
  any = hunt.change([](Scenario& s) { s.limits.running_min = milliseconds(s.limits.running_min.millis()); }) || any;

  const auto all_drawn = [](const Scenario& s) { return s.faults.empty() && s.script.calls.empty(); };
  const auto from_the_start = [](Scenario& s) {
    Duration first = seconds(3600);
    each_time(s, [&](Duration& at) { first = std::min(first, at); });
    each_time(s, [&](Duration& at) { at = at - first; });
  };
  if (all_drawn(hunt.best())) return any;
  any = hunt.change(from_the_start) || any;
  const auto sooner = [](Scenario& s) {
    each_time(s, [](Duration& at) { at = at / 2; });
    s.limits.running_min = s.limits.running_min / 2;
  };
  for (int times = 0; times < 6 && hunt.change(sooner); ++times) any = true;
  return hunt.change([](Scenario& s) { each_time(s, [](Duration& at) { at = milliseconds(at.millis()); }); }) || any;
}

/// Shorter, on fewer nodes.
bool lesser_faults(Hunt& hunt) {
  bool any = false;
  for (std::size_t i = 0; i < hunt.best().faults.size(); ++i) {
    while (hunt.best().faults[i].count > 1 && hunt.change([&](Scenario& s) { --s.faults[i].count; })) any = true;
    const auto shorter = [i](Scenario& s) {
      s.faults[i].lasts_max = milliseconds((s.faults[i].lasts_max / 2).millis());
      s.faults[i].lasts_min = std::min(s.faults[i].lasts_min, s.faults[i].lasts_max);
    };
    while (hunt.best().faults[i].lasts_max > milliseconds(1) && hunt.change(shorter)) any = true;
    any = hunt.change([i](Scenario& s) { s.faults[i].lasts_min = s.faults[i].lasts_max; }) || any;
  }
  return any;
}

bool less_money(Hunt& hunt) {
  if (hunt.best().script.empty()) return false;
  bool any = hunt.change([](Scenario& s) {
    for (ScriptedCall& call : s.script.calls) call.amount = 1;
  });
  for (std::int64_t least = 0; least <= 1000; least = least == 0 ? 1 : least * 10) {
    const bool enough = hunt.change([&](Scenario& s) {
      for (Script::Account& account : s.script.accounts) account.balance = std::min(account.balance, least);
    });
    if (enough) return true;
  }
  return any;
}

/// Ids count from 1; what is alone is in no batch; what is not written out thinks as long as it does in a script.
bool tidier(Hunt& hunt) {
  if (hunt.best().script.empty()) return false;
  const bool any = hunt.change([](Scenario& s) {
    std::map<std::uint32_t, std::uint32_t> ids = {{0, 0}};
    std::map<std::uint32_t, std::uint32_t> batches = {{0, 0}};
    const auto numbered = [](std::map<std::uint32_t, std::uint32_t>& numbers, std::uint32_t& number) {
      number = numbers.try_emplace(number, static_cast<std::uint32_t>(numbers.size())).first->second;
    };
    for (Script::Account& account : s.script.accounts) numbered(ids, account.id);
    std::vector<ScriptedCall>& calls = s.script.calls;
    for (ScriptedCall& call : calls) {
      const auto of_same_batch = [&](const ScriptedCall& other) { return other.batch == call.batch; };
      if (std::count_if(calls.begin(), calls.end(), of_same_batch) == 1) call.batch = 0;
      numbered(batches, call.batch);
      numbered(ids, call.id);
    }
  });
  return hunt.change([](Scenario& s) { s.script.think_mean = {}; }) || any;
}

/// Everything about the machines and their network that need not be special.
bool ordinary(Hunt& hunt) {
  bool any = hunt.change([](Scenario& s) {
    const auto protocol = s.tuning.protocol;  // which one fails is of the essence
    s.tuning = simulated_tuning();
    s.tuning.protocol = protocol;
  });
  any = hunt.change([](Scenario& s) { s.machine = {}; }) || any;
  any = hunt.change([](Scenario& s) { s.network = {}; }) || any;
  any = hunt.change([](Scenario& s) { s.client_outwait = {}; }) || any;
  return hunt.change([](Scenario& s) { s.client_attempt_timeout = Scenario{}.client_attempt_timeout; }) || any;
}

bool in_big_steps(Hunt& hunt) {
  bool any = false;
  for (const auto pass : {fewer_faults, fewer_calls, fewer_operations, fewer_shards, fewer_nodes, fewer_clients,
                          fewer_accounts, fewer_kinds}) {
    any = pass(hunt) || any;
  }
  return any;
}

bool in_small_steps(Hunt& hunt) {
  bool any = less_time(hunt);
  for (const auto pass : {lesser_faults, less_money, tidier, ordinary}) any = pass(hunt) || any;
  return any;
}

/// Much fewer at once, in as much less time.
bool far_fewer_operations(Hunt& hunt) {
  const auto divided = [](std::uint32_t parts) {
    return [parts](Scenario& s) {
      s.workload.operations /= parts;
      s.limits.running_min = s.limits.running_min / parts;
    };
  };
  bool any = hunt.change([](Scenario& s) { s.workload.operations = 0; });
  for (std::uint32_t parts = 16; parts > 1 && hunt.best().workload.operations > 1;) {
    const bool enough = hunt.change(divided(parts));
    any = any || enough;
    if (!enough) parts /= 2;
  }
  return hunt.change([](Scenario& s) { s.workload.batch_max = 1; }) || any;
}

/// What comes of many draws at once is lost whatever goes, for everything else then comes at another time; but it comes
/// again, for some other seed, in a smaller world of the same kind. That one is small enough to be taken apart.
void draw_smaller(Hunt& hunt) {
  if (!hunt.best().script.empty()) return;
  hunt.try_neighbours(neighbours_of_the_drawn);
  hunt.allow(runs_worth_of_draws);
  bool smaller = true;
  while (smaller && hunt.may_go_on()) {
    smaller = false;
    for (const auto pass : {far_fewer_operations, fewer_faults, fewer_shards, fewer_nodes}) {
      smaller = pass(hunt) || smaller;
    }
  }
  hunt.allow_all();
  hunt.try_neighbours(0);
}

}  // namespace

Report smallest(const Scenario& scenario, const Listener& listener) {
  Hunt hunt(scenario, listener);
  draw_smaller(hunt);
  bool smaller = hunt.write_out();
  bool finished = false;
  hunt.try_neighbours(neighbours);
  while (hunt.best().limits.running_min > seconds(1) && only_the_end(hunt)) continue;
  hunt.try_neighbours(0);
  while (hunt.may_go_on() && far_fewer(hunt)) continue;
  while (!finished && hunt.may_go_on()) {
    hunt.try_neighbours(0);
    smaller = in_big_steps(hunt);
    smaller = in_small_steps(hunt) || smaller;
    if (smaller) continue;
    hunt.try_neighbours(neighbours_of_the_written);
    smaller = hunt.write_out();
    hunt.try_neighbours(neighbours);
    smaller = in_big_steps(hunt) || smaller;
    finished = !smaller && hunt.may_go_on();
  }
  return hunt.finish(finished);
}

}  // namespace coffer::sim::shrink
