#include "net/peer/known_peers.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "core/base/codec.h"
#include "core/base/frame.h"
#include "net/driver/journal.h"
#include "net/driver/small_file.h"

namespace coffer::net {

namespace {

constexpr const char* file_name = "peers.json";
constexpr std::size_t refusal_bytes_max = 1024;

using Listener = Endpoint NodeAddress::*;
constexpr std::array<Listener, 4> listeners = {&NodeAddress::http, &NodeAddress::client, &NodeAddress::peer,
                                               &NodeAddress::admin};

std::string number(NodeId node) { return std::to_string(node.value); }

std::string what_to_do(NodeId node) {
  return ". A lost or replaced disk never comes back under its old number: start node " + number(node) +
         " with the directory and settings it had, or let a new node take its place with `coffer join --replace " +
         number(node) + " --cluster-of DIRECTORY_OR_ADMIN_ADDRESS`";
}

bool same_place(const NodeAddress& a, const NodeAddress& b) {
  return std::all_of(listeners.begin(), listeners.end(), [&](Listener listener) {
    return (a.*listener).host == (b.*listener).host && (a.*listener).port == (b.*listener).port;
  });
}

}  // namespace

Hello hello_of(const NodeSettings& settings) {
  return {.protocol = peer_protocol,
          .cluster = settings.cluster,
          .sender = settings.self(),
          .epoch_bytes = settings.tuning.epoch_bytes,
          .chunk_bytes = settings.tuning.chunk_bytes};
}

Bytes encode(const Hello& hello) {
  Bytes frame(frame_header_size);
  ByteWriter out(frame);
  out.u32(hello.protocol);
  out.uuid(hello.cluster);
  out.id(hello.sender.node);
  out.uuid(hello.sender.uuid);
  out.u32(hello.sender.incarnation);
  for (const Listener listener : listeners) {
    out.short_string(to_string(hello.sender.*listener));
  }
  out.u64(hello.epoch_bytes);
  out.u32(hello.chunk_bytes);
  seal_frame(peer_hello_frame, frame);
  return frame;
}

Result<Hello> decode_hello(ByteView frame) {
  const Result<FrameView> opened = open_frame(frame);
  if (opened.has_error()) {
    return opened.error();
  }
  if (opened->kind != peer_hello_frame) {
    return error(ErrorCode::malformed, "the first frame is not a hello");
  }
  ByteReader in(opened->payload);
  Hello hello;
  hello.protocol = in.u32();
  if (in.ok() && hello.protocol != peer_protocol) {
    return hello;
  }
  hello.cluster = in.uuid();
  hello.sender.node = in.id<NodeId>();
  hello.sender.uuid = in.uuid();
  hello.sender.incarnation = in.u32();
  for (const Listener listener : listeners) {
    const Result<Endpoint> endpoint = parse_endpoint(in.short_string());
    if (in.ok() && endpoint.has_error()) {
      return error(ErrorCode::malformed, "the hello's address " + endpoint.error().what);
    }
    if (endpoint.has_value()) {
      hello.sender.*listener = *endpoint;
    }
  }
  hello.epoch_bytes = in.u64();
  hello.chunk_bytes = in.u32();
  if (!in.done() || hello.sender.node == nobody) {
    return error(ErrorCode::malformed, "the hello breaks its grammar");
  }
  return hello;
}

Bytes encode_refusal(const std::string& why) {
  Bytes frame(frame_header_size);
  ByteWriter out(frame);
  for (const char c : why.substr(0, refusal_bytes_max)) {
    out.u8(static_cast<std::uint8_t>(c));
  }
  seal_frame(peer_refusal_frame, frame);
  return frame;
}

Result<std::string> decode_refusal(ByteView frame) {
  const Result<FrameView> opened = open_frame(frame);
  if (opened.has_error() || opened->kind != peer_refusal_frame || opened->payload.size() > refusal_bytes_max) {
    return error(ErrorCode::malformed, "not a refusal");
  }
  std::string text;
  for (const std::byte byte : opened->payload) {
    const auto c = static_cast<unsigned char>(byte);
    text.push_back(c < 0x20 || c == 0x7F ? '?' : static_cast<char>(c));
  }
  return text;
}

std::string KnownPeers::refusal_of(const Hello& hello, NodeId expected) const {
  if (hello.protocol != peer_protocol) {
    return "it speaks protocol " + std::to_string(hello.protocol) + ", this node " + std::to_string(peer_protocol) +
           "; run the same version everywhere";
  }
  if (hello.cluster != settings_.cluster) {
    return "it belongs to cluster " + to_string(hello.cluster) + ", this node to " + to_string(settings_.cluster) +
           "; one of the two has the settings of another cluster";
  }
  const NodeAddress& sender = hello.sender;
  if (sender.node == settings_.node && sender.uuid == settings_.self().uuid) {
    return "it claims to be this very node; a directory that was copied must not be started beside its original";
  }
  if (expected != nobody && sender.node != expected) {
    return "it is node " + number(sender.node) + ", not node " + number(expected) +
           "; the address belongs to another node now";
  }
  const node::Tuning& own = settings_.tuning;
  if (hello.epoch_bytes != own.epoch_bytes || hello.chunk_bytes != own.chunk_bytes) {
    return "its settings say epoch_bytes " + std::to_string(hello.epoch_bytes) + " and chunk_bytes " +
           std::to_string(hello.chunk_bytes) + ", this node's " + std::to_string(own.epoch_bytes) + " and " +
           std::to_string(own.chunk_bytes) + "; both are the same on all nodes of a cluster, as it was founded";
  }
  const std::vector<NodeAddress> all = settings_.everybody();
  for (const NodeAddress& known : all) {
    if (known.node == sender.node && (known.uuid != sender.uuid || known.incarnation != sender.incarnation)) {
      return "replaced or foreign disk: node " + number(sender.node) + " comes with uuid " + to_string(sender.uuid) +
             " incarnation " + std::to_string(sender.incarnation) + ", known here with " + to_string(known.uuid) +
             " and " + std::to_string(known.incarnation) + what_to_do(sender.node);
    }
    if (known.node != sender.node && known.uuid == sender.uuid) {
      return "replaced or foreign disk: uuid " + to_string(sender.uuid) + " is node " + number(known.node) +
             "'s, and came as node " + number(sender.node) + what_to_do(known.node);
    }
  }
  const bool known = std::any_of(all.begin(), all.end(), [&](const NodeAddress& a) { return a.node == sender.node; });
  if (!known && all.size() >= nodes_max) {
    return "this node knows " + std::to_string(nodes_max) + " nodes already, and takes no more";
  }
  return {};
}

bool KnownPeers::learn(const Hello& hello) {
  const NodeAddress& sender = hello.sender;
  const auto less = [](const NodeAddress& a, const NodeAddress& b) { return a.node < b.node; };
  if (std::binary_search(settings_.nodes.begin(), settings_.nodes.end(), sender, less)) {
    return false;  // the settings say where it listens
  }
  std::vector<NodeAddress>& learned = settings_.learned;
  const auto place = std::lower_bound(learned.begin(), learned.end(), sender, less);
  if (place == learned.end() || place->node != sender.node) {
    learned.insert(place, sender);
    return true;
  }
  if (same_place(*place, sender)) {
    return false;
  }
  *place = sender;
  return true;
}

std::vector<NodeAddress> load_peers(const NodeSettings& settings) {
  const std::string path = settings.directory + "/" + file_name;
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    return {};
  }
  std::ostringstream text;
  text << file.rdbuf();
  Result<std::vector<NodeAddress>> peers = parse_addresses(text.str());
  if (peers.has_error()) {
    journal(Level::warning, path + ": " + peers.error().what +
                                "; set aside as peers.json.damaged: peers that joined "
                                "later introduce themselves again");
    if (const Result<void> aside = rename_durably(settings.directory, file_name, "peers.json.damaged");
        aside.has_error()) {
      journal(Level::warning, aside.error().what);
    }
    return {};
  }
  std::erase_if(*peers, [&](const NodeAddress& peer) {
    return std::any_of(settings.nodes.begin(), settings.nodes.end(),
                       [&](const NodeAddress& known) { return known.node == peer.node; });
  });
  return std::move(*peers);
}

Result<void> save_peers(const std::string& directory, const std::vector<NodeAddress>& learned) {
  return write_durably(directory, file_name, to_json(learned));
}

}  // namespace coffer::net
