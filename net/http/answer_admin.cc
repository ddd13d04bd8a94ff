#include "net/http/answer_admin.h"

#include <map>
#include <string>
#include <vector>

#include "net/driver/clock.h"
#include "net/driver/settings.h"
#include "net/http/calls.h"
#include "net/http/json_text.h"
#include "net/http/shard_status.h"

namespace coffer::net {

namespace {

std::string shards_json(const router::NodeStatusReply& reply) {
  std::vector<std::string> shards;
  for (const router::NodeStatusReply::Shard& shard : reply.shards) {
    shards.push_back(to_json(shard));
  }
  return json_array(shards);
}

}  // namespace

std::string format_sum(__int128 minor, Currency currency) {
  const bool negative = minor < 0;
  unsigned __int128 rest = negative ? -static_cast<unsigned __int128>(minor) : static_cast<unsigned __int128>(minor);
  const int decimals = exponent(currency);
  std::string reversed;
  int digits = 0;
  do {
    reversed.push_back(static_cast<char>('0' + static_cast<int>(rest % 10)));
    rest /= 10;
    ++digits;
    if (digits == decimals) {
      reversed.push_back('.');
    }
  } while (rest != 0 || digits <= decimals);
  if (negative) {
    reversed.push_back('-');
  }
  return {reversed.rbegin(), reversed.rend()};
}

HttpResponse answer_trial_balance(const router::TrialBalanceReply& reply) {
  std::vector<std::string> rows;
  std::map<Currency, __int128> totals;
  bool balanced = true;
  for (const router::TrialBalanceReply::Row& row : reply.rows) {
    const __int128 total = row.customers + row.issue + row.transit;
    totals[row.currency] += total;
    balanced = balanced && total == 0;
    rows.push_back(JsonObject()
                       .number("shard", row.shard.value)
                       .text("currency", to_string(row.currency))
                       .text("customers", format_sum(row.customers, row.currency))
                       .text("issue", format_sum(row.issue, row.currency))
                       .text("transit", format_sum(row.transit, row.currency))
                       .text("total", format_sum(total, row.currency))
                       .str());
  }
  std::vector<std::string> sums;
  for (const auto& [currency, total] : totals) {
    sums.push_back(JsonObject().text("currency", to_string(currency)).text("total", format_sum(total, currency)).str());
  }
  HttpResponse response;
  response.body =
      JsonObject().boolean("balanced", balanced).raw("totals", json_array(sums)).raw("rows", json_array(rows)).str();
  return response;
}

HttpResponse answer_node(const router::NodeStatusReply& reply, const DriverCounters& counters) {
  HttpResponse response;
  response.body = JsonObject()
                      .number("node", reply.node.value)
                      .boolean("ready", reply.ready)
                      .number("syncs", counters.disk.syncs)
                      .number("bytes_written", counters.disk.bytes_written)
                      .number("steps", counters.steps)
                      .number("inputs", counters.inputs)
                      .number("requests", counters.requests)
                      .number("replies", counters.replies)
                      .number("frames_sent", counters.peers.frames_sent)
                      .number("frames_dropped", counters.peers.frames_dropped)
                      .number("hellos_refused", counters.peers.hellos_refused)
                      .number("processor_ms", processor_time().millis())
                      .raw("shards", shards_json(reply))
                      .str();
  return response;
}

HttpResponse answer_ready(const router::NodeStatusReply& reply, bool verbose) {
  bool ready = reply.ready;
  for (const router::NodeStatusReply::Shard& shard : reply.shards) {
    ready = ready && shard.leader != nobody;
  }
  HttpResponse response{.status = ready ? 200 : 503};
  JsonObject body;
  body.text("status", ready ? "ready" : "not ready");
  if (verbose) {
    body.boolean("recovered", reply.ready).raw("shards", shards_json(reply));
  }
  response.body = body.str();
  return response;
}

HttpResponse answer_cluster(const NodeSettings& settings) {
  NodeSettings told = settings;
  told.founders = settings.founding_members();
  told.nodes = settings.everybody();
  HttpResponse response;
  response.body = to_json(told);
  return response;
}

}  // namespace coffer::net
