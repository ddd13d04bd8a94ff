#include "net/driver/settings.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "core/base/check.h"
#include "core/log/hard_state.h"
#include "core/log/sealed_file.h"
#include "core/txn/protocols.h"
#include "net/http/strict_json.h"

namespace coffer::net {

namespace {

Error wrong(std::string_view pointer, std::string_view what) {
  return error(ErrorCode::malformed,
               (pointer.empty() ? std::string("/") : std::string(pointer)) + ": " + std::string(what));
}

/// Reads the members of one object; the first mistake is remembered, the rest skipped.
class ObjectReader {
 public:
  ObjectReader(const JsonValue& value, std::string pointer) : value_(value), pointer_(std::move(pointer)) {
    if (value.type != JsonType::object) {
      fail(pointer_, "must be an object, not " + std::string(name(value.type)));
    }
  }

  const JsonValue* get(std::string_view key, JsonType type, bool optional = false) {
    seen_.emplace_back(key);
    const JsonValue* member = value_.find(key);
    if (member == nullptr) {
      if (!optional) {
        fail(pointer_to(pointer_, key), "is missing");
      }
      return nullptr;
    }
    if (member->type != type) {
      fail(pointer_to(pointer_, key),
           "must be " + std::string(name(type)) + ", not " + std::string(name(member->type)));
      return nullptr;
    }
    return member;
  }
  std::string text(std::string_view key) {
    const JsonValue* member = get(key, JsonType::string);
    return member == nullptr ? std::string() : member->text;
  }
  std::int64_t integer(std::string_view key, std::int64_t low, std::int64_t high, std::int64_t otherwise,
                       bool optional) {
    const JsonValue* member = get(key, JsonType::number, optional);
    if (member == nullptr) {
      return otherwise;
    }
    if (!member->is_integer || member->integer < low || member->integer > high) {
      fail(pointer_to(pointer_, key),
           "must be a whole number from " + std::to_string(low) + " to " + std::to_string(high));
      return otherwise;
    }
    return member->integer;
  }
  Uuid uuid(std::string_view key) {
    const Result<Uuid> parsed = parse_uuid(text(key));
    if (parsed.has_error()) {
      fail(pointer_to(pointer_, key), "must be a UUID such as \"6f1c2a52-1d0e-4b3c-9a61-0f9d3f1c7e21\"");
      return {};
    }
    return *parsed;
  }
  Endpoint endpoint(std::string_view key) {
    const Result<Endpoint> parsed = parse_endpoint(text(key));
    if (parsed.has_error()) {
      fail(pointer_to(pointer_, key), parsed.error().what);
      return {};
    }
    return *parsed;
  }
  void refuse_others() {
    for (const auto& [key, unused] : value_.members) {
      if (std::find(seen_.begin(), seen_.end(), key) == seen_.end()) {
        fail(pointer_to(pointer_, key), "is not a key known here");
      }
    }
  }
  void fail(const std::string& pointer, std::string_view what) {
    if (mistakes_.empty()) {
      mistakes_.push_back(wrong(pointer, what));
    }
  }
  const std::vector<Error>& mistakes() const { return mistakes_; }

 private:
  const JsonValue& value_;
  std::string pointer_;
  std::vector<std::string> seen_;
  std::vector<Error> mistakes_;
};

constexpr std::int64_t minute_ms = 60'000;
constexpr std::int64_t year_s = 365 * 86400;
constexpr std::int64_t rows_in_memory_max = 100'000'000;  ///< queued rows are numbered with 28 bits

Result<void> read_ids(const JsonValue& value, node::Tuning& t) {
  ObjectReader in(value, "/ids");
  const JsonValue* numbered = in.get("numbered", JsonType::boolean, true);
  t.numbered_ids = numbered != nullptr && numbered->boolean;
  const JsonValue* rows = in.get("rows_in_memory", JsonType::number, true);
  t.rows_in_memory = static_cast<std::uint32_t>(in.integer("rows_in_memory", 1000, rows_in_memory_max, 0, true));
  t.id_window = seconds(in.integer("window_s", 1, 10 * year_s, 0, numbered != nullptr || rows != nullptr));
  t.id_grace = seconds(in.integer("grace_s", 0, year_s, t.id_grace.nanos / 1'000'000'000, true));
  in.refuse_others();
  if (!in.mistakes().empty()) {
    return in.mistakes().front();
  }
  return {};
}

Result<node::Tuning> read_tuning(const JsonValue& value) {
  ObjectReader in(value, "/tuning");
  node::Tuning t;
  const auto ms = [&](std::string_view key, Duration& d) {
    d = milliseconds(in.integer(key, 1, minute_ms, d.millis(), true));
  };
  const auto count = [&](std::string_view key, std::uint32_t& n, std::int64_t high) {
    n = static_cast<std::uint32_t>(in.integer(key, 1, high, n, true));
  };
  ms("election_timeout_ms", t.election_timeout);
  ms("heartbeat_interval_ms", t.heartbeat_interval);
  ms("leg_resend_interval_ms", t.leg_resend_interval);
  ms("attempt_timeout_ms", t.attempt_timeout);
  count("entries_in_flight_max", t.entries_in_flight_max, 1024);
  count("append_bytes_max", t.append_bytes_max, 32 << 20);
  count("legs_in_flight_max", t.legs_in_flight_max, 1 << 20);
  count("requests_max", t.requests_max, 1 << 20);
  t.segment_size = static_cast<std::uint64_t>(
      in.integer("segment_size", 1 << 20, 1 << 30, static_cast<std::int64_t>(t.segment_size), true));
  const auto size = [&](std::string_view key, std::uint64_t& n, std::int64_t low, std::int64_t high) {
    n = static_cast<std::uint64_t>(in.integer(key, low, high, static_cast<std::int64_t>(n), true));
  };
  size("window_bytes_max", t.window_bytes_max, 1, 1 << 30);
  size("epoch_bytes", t.epoch_bytes, 1 << 16, std::int64_t{1} << 40);
  t.chunk_bytes = static_cast<std::uint32_t>(in.integer("chunk_bytes", 4096, 16 << 20, t.chunk_bytes, true));
  size("history_bytes_max", t.history_bytes_max, 1, std::int64_t{1} << 50);
  t.history_age_max =
      seconds(in.integer("history_age_max_s", 1, 20LL * 365 * 86400, t.history_age_max.nanos / 1'000'000'000, true));
  in.refuse_others();
  if (!in.mistakes().empty()) {
    return in.mistakes().front();
  }
  if (t.epoch_bytes > t.chunk_bytes * (log::sealed_chunks_max / 4)) {
    return wrong("/tuning/chunk_bytes", "is too small for this epoch_bytes: a sealed file has at most " +
                                            std::to_string(log::sealed_chunks_max) + " chunks");
  }
  return t;
}

Result<NodeAddress> read_address(const JsonValue& value, const std::string& pointer) {
  ObjectReader in(value, pointer);
  NodeAddress a;
  a.node = NodeId(static_cast<std::uint32_t>(in.integer("node", 1, 1'000'000, 0, false)));
  a.uuid = in.uuid("uuid");
  a.incarnation = static_cast<std::uint32_t>(in.integer("incarnation", 1, INT32_MAX, 1, true));
  a.http = in.endpoint("http");
  a.client = in.endpoint("client");
  a.peer = in.endpoint("peer");
  a.admin = in.endpoint("admin");
  in.refuse_others();
  if (!in.mistakes().empty()) {
    return in.mistakes().front();
  }
  return a;
}

Result<std::vector<NodeAddress>> read_addresses(const JsonValue& list) {
  std::vector<NodeAddress> nodes;
  for (std::size_t i = 0; i < list.items.size(); ++i) {
    const Result<NodeAddress> address = read_address(list.items[i], "/nodes/" + std::to_string(i));
    if (address.has_error()) {
      return address.error();
    }
    if (!nodes.empty() && !(nodes.back().node < address->node)) {
      return wrong("/nodes/" + std::to_string(i) + "/node", "nodes are listed once each, in ascending order");
    }
    nodes.push_back(*address);
  }
  if (nodes.size() > nodes_max) {
    return wrong("/nodes", "must list at most " + std::to_string(nodes_max) + " nodes");
  }
  return nodes;
}

bool is_listed(const std::vector<NodeAddress>& nodes, NodeId node) {
  return std::any_of(nodes.begin(), nodes.end(), [&](const NodeAddress& a) { return a.node == node; });
}

Result<std::vector<NodeId>> read_founders(const JsonValue* list, const std::vector<NodeAddress>& nodes) {
  std::vector<NodeId> founders;
  if (list == nullptr) {
    return founders;
  }
  for (std::size_t i = 0; i < list->items.size(); ++i) {
    const JsonValue& item = list->items[i];
    const NodeId node(item.is_integer && item.integer > 0 && item.integer <= 1'000'000
                          ? static_cast<std::uint32_t>(item.integer)
                          : 0);
    if (!is_listed(nodes, node) || (!founders.empty() && !(founders.back() < node))) {
      return wrong("/founders/" + std::to_string(i), "founders are numbers of nodes listed in /nodes, ascending");
    }
    founders.push_back(node);
  }
  if (founders.empty()) {
    return wrong("/founders", "must list at least one node");
  }
  return founders;
}

void write_address(std::ostream& out, const NodeAddress& a) {
  out << "    {\"node\": " << a.node.value << ", \"uuid\": \"" << to_string(a.uuid)
      << "\", \"incarnation\": " << a.incarnation << ", \"http\": \"" << to_string(a.http) << "\", \"client\": \""
      << to_string(a.client) << "\", \"peer\": \"" << to_string(a.peer) << "\", \"admin\": \"" << to_string(a.admin)
      << "\"}";
}

void write_addresses(std::ostream& out, const std::vector<NodeAddress>& nodes) {
  const char* separator = "\n";
  for (const NodeAddress& address : nodes) {
    out << separator;
    write_address(out, address);
    separator = ",\n";
  }
}

}  // namespace

const NodeAddress& NodeSettings::self() const {
  for (const NodeAddress& address : nodes) {
    if (address.node == node) {
      return address;
    }
  }
  check_failed("a node's own address is among its settings");
}

node::Config NodeSettings::config() const {
  node::Config config;
  config.identity = {.cluster = cluster, .node = node, .node_uuid = self().uuid, .incarnation = self().incarnation};
  for (const NodeAddress& address : everybody()) {
    config.nodes.push_back(address.node);
  }
  config.shards = node::even_shards(shards, founding_members());
  config.tuning = tuning;
  config.may_found = may_found;
  return config;
}

std::vector<NodeId> NodeSettings::founding_members() const {
  std::vector<NodeId> members = founders;
  for (const NodeAddress& address : nodes) {
    if (founders.empty()) {
      members.push_back(address.node);
    }
  }
  return members;
}

std::vector<NodeAddress> NodeSettings::everybody() const {
  std::vector<NodeAddress> all(nodes.size() + learned.size());
  std::merge(nodes.begin(), nodes.end(), learned.begin(), learned.end(), all.begin(),
             [](const NodeAddress& a, const NodeAddress& b) { return a.node < b.node; });
  return all;
}

Result<NodeSettings> parse_settings(std::string_view json) {
  const JsonDocument document = parse_json(json);
  if (document.error != JsonError::none) {
    return wrong(document.pointer, document.detail);
  }
  ObjectReader in(document.root, "");
  NodeSettings settings;
  settings.cluster = in.uuid("cluster");
  settings.node = NodeId(static_cast<std::uint32_t>(in.integer("node", 1, 1'000'000, 0, false)));
  settings.directory = in.text("directory");
  settings.shards = static_cast<std::uint32_t>(in.integer("shards", 1, log::hard_state_groups_max, 1, false));
  const JsonValue* nodes = in.get("nodes", JsonType::array);
  const JsonValue* founders = in.get("founders", JsonType::array, true);
  settings.replaces = NodeId(static_cast<std::uint32_t>(in.integer("replaces", 1, 1'000'000, 0, true)));
  const JsonValue* tuning = in.get("tuning", JsonType::object, true);
  const JsonValue* protocol = in.get("protocol", JsonType::string, true);
  const JsonValue* ids = in.get("ids", JsonType::object, true);
  in.refuse_others();
  if (!in.mistakes().empty()) {
    return in.mistakes().front();
  }
  const Result<std::vector<NodeAddress>> addresses = read_addresses(*nodes);
  if (addresses.has_error()) {
    return addresses.error();
  }
  settings.nodes = *addresses;
  const Result<std::vector<NodeId>> founded_by = read_founders(founders, settings.nodes);
  if (settings.nodes.empty() || founded_by.has_error()) {
    return settings.nodes.empty() ? wrong("/nodes", "must list at least one node") : founded_by.error();
  }
  settings.founders = *founded_by;
  if (tuning != nullptr) {
    const Result<node::Tuning> read = read_tuning(*tuning);
    if (read.has_error()) {
      return read.error();
    }
    settings.tuning = *read;
  }
  if (protocol != nullptr) {
    const txn::ProtocolRow* row = txn::find_protocol(protocol->text);
    if (row == nullptr) {
      return wrong("/protocol", "must be one of those `coffer sim list protocols` shows");
    }
    settings.tuning.protocol = row->protocol;
  }
  if (ids != nullptr) {
    const Result<void> read = read_ids(*ids, settings.tuning);
    if (read.has_error()) {
      return read.error();
    }
  }
  if (!is_listed(settings.nodes, settings.node)) {
    return wrong("/node", "node " + std::to_string(settings.node.value) + " is not listed in /nodes");
  }
  return settings;
}

Result<NodeSettings> load_settings(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (!file || !(text << file.rdbuf())) {
    return error(ErrorCode::io, path + " cannot be read; `coffer local` writes one per node");
  }
  Result<NodeSettings> settings = parse_settings(text.str());
  if (settings.has_error()) {
    return error(settings.error().code, path + ": " + settings.error().what);
  }
  const std::filesystem::path directory = settings->directory;
  settings->directory = (std::filesystem::absolute(path).parent_path() / directory).lexically_normal().string();
  return settings;
}

std::string to_json(const NodeSettings& settings) {
  std::ostringstream out;
  out << "{\n  \"cluster\": \"" << to_string(settings.cluster) << "\",\n  \"node\": " << settings.node.value
      << ",\n  \"directory\": " << quoted(settings.directory) << ",\n  \"shards\": " << settings.shards
      << ",\n  \"nodes\": [";
  write_addresses(out, settings.nodes);
  const node::Tuning& t = settings.tuning;
  out << "\n  ],\n";
  if (!settings.founders.empty()) {
    const char* separator = "  \"founders\": [";
    for (const NodeId founder : settings.founders) {
      out << separator << founder.value;
      separator = ", ";
    }
    out << "],\n";
  }
  if (settings.replaces != nobody) {
    out << "  \"replaces\": " << settings.replaces.value << ",\n";
  }
  out << "  \"protocol\": \"" << txn::row_of(t.protocol).name << "\",\n";
  if (t.id_window > Duration{} || t.numbered_ids || t.rows_in_memory > 0) {
    const char* separator = "";
    out << "  \"ids\": {";
    if (t.id_window > Duration{}) {
      out << "\"window_s\": " << t.id_window.nanos / 1'000'000'000
          << ", \"grace_s\": " << t.id_grace.nanos / 1'000'000'000;
      separator = ", ";
    }
    if (t.numbered_ids) {
      out << separator << "\"numbered\": true";
      separator = ", ";
    }
    if (t.rows_in_memory > 0) out << separator << "\"rows_in_memory\": " << t.rows_in_memory;
    out << "},\n";
  }
  out << "  \"tuning\": {\"election_timeout_ms\": " << t.election_timeout.millis()
      << ", \"heartbeat_interval_ms\": " << t.heartbeat_interval.millis()
      << ", \"leg_resend_interval_ms\": " << t.leg_resend_interval.millis()
      << ", \"attempt_timeout_ms\": " << t.attempt_timeout.millis()
      << ", \"entries_in_flight_max\": " << t.entries_in_flight_max
      << ",\n             \"append_bytes_max\": " << t.append_bytes_max
      << ", \"legs_in_flight_max\": " << t.legs_in_flight_max << ", \"requests_max\": " << t.requests_max
      << ", \"segment_size\": " << t.segment_size << ", \"window_bytes_max\": " << t.window_bytes_max
      << ",\n             \"epoch_bytes\": " << t.epoch_bytes << ", \"chunk_bytes\": " << t.chunk_bytes
      << ", \"history_bytes_max\": " << t.history_bytes_max
      << ", \"history_age_max_s\": " << t.history_age_max.nanos / 1'000'000'000 << "}\n}\n";
  return out.str();
}

Result<std::vector<NodeAddress>> parse_addresses(std::string_view json) {
  const JsonDocument document = parse_json(json);
  if (document.error != JsonError::none) {
    return wrong(document.pointer, document.detail);
  }
  ObjectReader in(document.root, "");
  const JsonValue* nodes = in.get("nodes", JsonType::array);
  in.refuse_others();
  if (!in.mistakes().empty()) {
    return in.mistakes().front();
  }
  return read_addresses(*nodes);
}

std::string to_json(const std::vector<NodeAddress>& nodes) {
  std::ostringstream out;
  out << "{\n  \"nodes\": [";
  write_addresses(out, nodes);
  out << "\n  ]\n}\n";
  return out.str();
}

std::string to_string(const Endpoint& endpoint) { return endpoint.host + ":" + std::to_string(endpoint.port); }

Result<Endpoint> parse_endpoint(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  const std::string_view host = text.substr(0, colon == std::string_view::npos ? 0 : colon);
  std::uint16_t port = 0;
  bool good = colon != std::string_view::npos && !host.empty();
  if (good) {
    const std::string_view digits = text.substr(colon + 1);
    const auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
    good = failed == std::errc() && end == digits.data() + digits.size() && port != 0;
  }
  if (!good) {
    return error(ErrorCode::malformed, "must be an address and a port such as \"127.0.0.1:8081\"");
  }
  // Plain text never leaves this machine: encryption belongs to a later version.
  if (host.substr(0, 4) != "127.") {
    return error(ErrorCode::unsupported, "only loopback addresses (127.x.y.z) are served without encryption");
  }
  return Endpoint{std::string(host), port};
}

Result<Uuid> parse_uuid(std::string_view text) {
  if (const std::optional<Uuid> uuid = coffer::parse_uuid(text)) {
    return *uuid;
  }
  return error(ErrorCode::malformed, "not a UUID");
}

}  // namespace coffer::net
