// The fields of a scenario, once: a reader and a writer of JSON walk the same list, so that neither forgets a key.
// A visitor has: duration, size, count, weight, span and option (a count, a duration and a flag that came later: 0 goes
// without saying, so that a scenario's hash is as it was before), number, flag, text, word, target, object, list (see
// scenario_json.cc).
#pragma once

#include <cstdint>
#include <limits>

#include "core/base/uuid_number.h"
#include "sim/run/scenario.h"

namespace coffer::sim::fields {

inline constexpr std::uint32_t u32_max = std::numeric_limits<std::uint32_t>::max();
inline constexpr std::int64_t made_ms_max = 400'000'000'000;  ///< a dozen years: no id is of before 1970

template <class V>
void visit(V& v, node::Tuning& t) {
  v.duration("election_timeout", t.election_timeout, milliseconds(10), seconds(60));
  v.duration("heartbeat_interval", t.heartbeat_interval, milliseconds(1), seconds(30));
  v.duration("leg_resend_interval", t.leg_resend_interval, milliseconds(1), seconds(60));
  v.duration("attempt_timeout", t.attempt_timeout, milliseconds(1), seconds(60));
  v.count("entries_in_flight_max", t.entries_in_flight_max, 1, 1024);
  v.size("entry_bytes_max", t.entry_bytes_max, 1, 3u << 20);
  v.size("append_bytes_max", t.append_bytes_max, 1, 64u << 20);
  v.count("legs_in_flight_max", t.legs_in_flight_max, 1, 1u << 20);
  v.count("requests_max", t.requests_max, 1, 1u << 20);
  v.size("segment_size", t.segment_size, 16u << 10, 1u << 28);
  v.size("window_bytes_max", t.window_bytes_max, 1, 1u << 30);
  v.size("epoch_bytes", t.epoch_bytes, 1u << 10, 1u << 30);
  v.size("chunk_bytes", t.chunk_bytes, 4u << 10, 16u << 20);
  v.size("history_bytes_max", t.history_bytes_max, 1, std::uint64_t{1} << 40);
  v.duration("history_age_max", t.history_age_max, milliseconds(1), seconds(20LL * 365 * 86400));
  v.flag("early_success", t.early_success);
  v.span("id_window", t.id_window, seconds(20LL * 365 * 86400));
  v.span("id_grace", t.id_grace, seconds(86400));
  v.option("numbered_ids", t.numbered_ids);
  v.weight("rows_in_memory", t.rows_in_memory, 0, 1'000'000);
}

template <class V>
void visit(V& v, workload::Config& w) {
  v.count("clients", w.clients, 1, clients_max);
  v.count("accounts", w.accounts, 1, 100'000);
  v.count("hot_accounts", w.hot_accounts, 0, 100'000);
  v.count("currencies", w.currencies, 1, 3);
  v.count("tenants", w.tenants, 1, 16);
  v.count("operations", w.operations, 0, 1'000'000);
  v.count("batch_max", w.batch_max, 1, 8192);
  v.duration("think_mean", w.think_mean, Duration{}, seconds(60));
  v.duration("period", w.period, Duration{}, seconds(60));
  v.count("cross_shard_per_mille", w.cross_shard_per_mille, 0, 1000);
  v.count("overdraft_per_mille", w.overdraft_per_mille, 0, 1000);
  v.count("missing_account_per_mille", w.missing_account_per_mille, 0, 1000);
  v.count("wrong_currency_per_mille", w.wrong_currency_per_mille, 0, 1000);
  v.count("duplicate_per_mille", w.duplicate_per_mille, 0, 1000);
  v.count("other_body_per_mille", w.other_body_per_mille, 0, 1000);
  v.count("other_tenant_per_mille", w.other_tenant_per_mille, 0, 1000);
  v.count("read_per_mille", w.read_per_mille, 0, 1000);
  v.count("deposit_per_mille", w.deposit_per_mille, 0, 1000);
  v.count("withdrawal_per_mille", w.withdrawal_per_mille, 0, 1000);
  v.weight("account_change_per_mille", w.account_change_per_mille, 0, 1000);
  v.weight("hold_per_mille", w.hold_per_mille, 0, 1000);
  v.weight("race_per_mille", w.race_per_mille, 0, 1000);
  v.weight("timed_id_per_mille", w.timed_id_per_mille, 0, 1000);
  v.weight("odd_time_per_mille", w.odd_time_per_mille, 0, 1000);
  v.weight("late_per_mille", w.late_per_mille, 0, 1000);
  v.weight("split_per_mille", w.split_per_mille, 0, 1000);
  v.weight("numbered_per_mille", w.numbered_per_mille, 0, 1000);
  v.count("patience_ms", w.patience_ms, 1, 600'000);
  v.number("opening_balance", w.opening_balance, 0, std::numeric_limits<std::int64_t>::max());
}

template <class V>
void visit(V& v, NetworkConfig& n) {
  v.duration("delay_floor", n.delay_floor, Duration{}, seconds(10));
  v.duration("delay_mean", n.delay_mean, Duration{}, seconds(10));
}

template <class V>
void visit_disk(V& v, MachineConfig& m) {
  v.duration("io_floor", m.io_floor, Duration{}, seconds(10));
  v.duration("write_mean", m.write_mean, Duration{}, seconds(10));
  v.duration("sync_floor", m.sync_floor, Duration{}, seconds(10));
  v.duration("sync_mean", m.sync_mean, Duration{}, seconds(10));
}

template <class V>
void visit_clocks(V& v, MachineConfig& m) {
  v.duration("wall_offset_max", m.wall_offset_max, Duration{}, seconds(100'000));
  v.number("wall_drift_ppm_max", m.wall_ppm_max, 0, 500'000);
  v.number("monotonic_drift_ppm_max", m.monotonic_ppm_max, 0, 500'000);
}

template <class V>
void visit(V& v, Limits& l) {
  v.duration("setup_max", l.setup_max, milliseconds(1), seconds(3600));
  v.duration("running_min", l.running_min, Duration{}, seconds(3600));
  v.duration("running_max", l.running_max, milliseconds(1), seconds(3600));
  v.duration("healing_max", l.healing_max, milliseconds(1), seconds(3600));
  v.duration("final_reads_max", l.final_reads_max, milliseconds(1), seconds(3600));
  v.number("events_max", l.events_max, 1, std::numeric_limits<std::int64_t>::max());
}

template <class V>
void visit(V& v, faults::Trigger& t) {
  v.word("event", t.event);
  v.target("node", t.node);
  v.number("shard", t.shard.value, 0, shards_max);
  v.count("nth", t.nth, 1, 1'000'000'000);
  v.flag("again", t.again);
  v.duration("after", t.after, Duration{}, seconds(3600));
}

template <class V>
void visit(V& v, faults::FaultSpec& f) {
  v.word("fault", f.fault);
  v.number("stream", f.stream, 0, std::numeric_limits<std::int64_t>::max());
  v.number("strike", f.strike, 0, 1'000'000'000);
  v.when(f);
  v.target("node", f.target);
  v.count("nodes", f.count, 1, nodes_max);
  v.lasts("for", f);
  v.word("how", f.how);
  v.flag("pending_io", f.pending_io);
  v.number("lose_per_mille", f.lose_per_mille, 0, 1000);
  v.number("tear_per_mille", f.tear_per_mille, 0, 1000);
  v.number("per_mille", f.per_mille, 0, 1000);
  v.duration("extra", f.extra, Duration{}, seconds(100'000));
  v.number("drift_ppm", f.drift_ppm, 0, 500'000);
  v.word("file", f.file);
  v.flag("crash", f.crash);
  v.number("times", f.times, 0, 1'000'000);
  v.duration("notice_after", f.notice_after, Duration{}, seconds(3600));
}

template <class V>
void visit(V& v, Script::Account& a) {
  v.text("account", a.account);
  v.text("currency", a.currency);
  v.number("balance", a.balance, 0, std::numeric_limits<std::int64_t>::max());
  v.number("client", a.client, 0, clients_max - 1);
  v.number("id", a.id, 0, u32_max);
  v.number("made_ms", a.made_ms, -made_ms_max, made_ms_max);
}

template <class V>
void visit(V& v, ScriptedPart& p) {
  v.text("to", p.to);
  v.number("amount", p.amount, 1, std::numeric_limits<std::int64_t>::max());
}

template <class V>
void visit(V& v, ScriptedCall& c) {
  v.number("client", c.client, 0, clients_max - 1);
  v.duration("at", c.at, Duration{}, seconds(3600));
  v.duration("think", c.think, Duration{}, seconds(3600));
  v.word("operation", c.operation);
  if (moves_money(c.operation)) {
    v.text("from", c.from);
    v.text("to", c.to);
    v.number("amount", c.amount, 1, std::numeric_limits<std::int64_t>::max());
    v.number("batch", c.batch, 0, u32_max);
  } else {
    v.text("account", c.account);
    if (c.operation == CallKind::capture) v.text("to", c.to);
    if (c.operation == CallKind::capture || c.operation == CallKind::hold) {
      v.number("amount", c.amount, 1, std::numeric_limits<std::int64_t>::max());
    }
    if (c.operation == CallKind::split) v.list("parts", c.parts, true);
    if (c.operation == CallKind::hold) v.duration("expires_in", c.expires_in, milliseconds(1), hold_longest);
  }
  if (c.operation == CallKind::balance) v.flag("eventual", c.eventual);
  if (names_pocket(c.operation)) v.text("currency", c.currency);
  if (names_id(c.operation)) v.number("id", c.id, 0, u32_max);
  if (names_id(c.operation)) v.number("made_ms", c.made_ms, -made_ms_max, made_ms_max);
  if (names_id(c.operation)) v.number("source", c.source, 0, static_cast<std::int64_t>(id_source_max));
  if (names_id(c.operation)) v.number("number", c.number, 0, static_cast<std::int64_t>(id_number_max));
  v.count("patience_ms", c.patience_ms, 1, 600'000);
}

template <class V>
void visit(V& v, Script& s) {
  v.number("clients", s.clients, 0, clients_max);
  v.count("tenants", s.tenants, 1, 16);
  v.duration("think_mean", s.think_mean, Duration{}, seconds(60));
  v.count("again_max", s.again_max, 1, 8192);
  v.count("patience_ms", s.patience_ms, 1, 600'000);
  v.list("accounts", s.accounts, true);
  v.list("calls", s.calls, true);
}

template <class V>
void visit(V& v, KnownFailure& k) {
  v.text("verdict", k.verdict);
  v.text("oracle", k.oracle);
  v.text("shape", k.shape);
  v.number("mutant", k.mutant, 0, u32_max);
}

template <class V>
void visit(V& v, Scenario& s) {
  v.text("$schema", v.schema);
  v.text("about", s.about);
  v.number("seed", s.seed, 0, std::numeric_limits<std::int64_t>::max());
  v.object("topology", [&](auto& o) {
    o.count("nodes", s.nodes, 1, nodes_max);
    o.count("spares", s.spares, 0, nodes_max - 1);
    o.count("shards", s.shards, 1, shards_max);
  });
  if (v.wants_protocol(s)) v.word("protocol", s.tuning.protocol);
  v.object("tuning", [&](auto& o) { visit(o, s.tuning); });
  if (v.wants_workload(s)) v.object("workload", [&](auto& o) { visit(o, s.workload); });
  if (v.wants_script(s)) v.object("script", [&](auto& o) { visit(o, s.script); });
  v.object("client", [&](auto& o) {
    o.duration("attempt_timeout", s.client_attempt_timeout, milliseconds(1), seconds(60));
    o.span("outwait", s.client_outwait, seconds(60));
  });
  v.object("network", [&](auto& o) { visit(o, s.network); });
  v.object("disk", [&](auto& o) { visit_disk(o, s.machine); });
  v.object("process", [&](auto& o) { o.duration("step_mean", s.machine.step_mean, Duration{}, seconds(10)); });
  v.object("clocks", [&](auto& o) { visit_clocks(o, s.machine); });
  v.object("limits", [&](auto& o) { visit(o, s.limits); });
  v.list("faults", s.faults, true);
  v.flag("fair", s.fair);
  v.word_of_verdict("expect", s.expect);
  if (v.wants_signature(s)) v.object("signature", [&](auto& o) { visit(o, s.signature); });
}

}  // namespace coffer::sim::fields
