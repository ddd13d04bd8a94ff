// Who belongs to this node's cluster, as far as this node knows: the nodes of its settings, and peers that introduced
// themselves since. Says of every hello whether it is believed.
//
//   hello   := frame of kind peer_hello_frame with payload
//              protocol u32 | cluster 16 | node u32 | node uuid 16 | incarnation u32
//              | http str | client str | peer str | admin str                   where the sender listens
//              | epoch_bytes u64 | chunk_bytes u32
//   refusal := frame of kind peer_refusal_frame with payload: why, as text (UTF-8, at most 1 KiB)
//   str     := u8 length + bytes: "127.0.0.1:9081"
//
// Invariants:
//  K1  A number belongs to one uuid and incarnation for ever, and a uuid to one number: whoever says otherwise comes
//      with a replaced or foreign disk, and is refused.
//  K2  Only what is neither known by number nor by uuid is learned, and only of the same cluster.
//  K3  epoch_bytes and chunk_bytes are the same on all nodes: whoever has others would take other snapshots, and is
//      refused.
// Pure but for load and save. Single-threaded.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/result.h"
#include "net/driver/settings.h"

namespace coffer::net {

inline constexpr std::uint8_t peer_hello_frame = 240;
inline constexpr std::uint8_t peer_refusal_frame = 241;
/// Changes when nodes of two versions could not understand each other.
inline constexpr std::uint32_t peer_protocol = 3;

struct Hello {
  std::uint32_t protocol = peer_protocol;
  Uuid cluster;
  NodeAddress sender;
  std::uint64_t epoch_bytes = 0;
  std::uint32_t chunk_bytes = 0;
};
Hello hello_of(const NodeSettings& settings);
/// One whole frame.
Bytes encode(const Hello& hello);
/// malformed or corrupt unless the bytes are one whole hello frame. Of another protocol only the number is read.
Result<Hello> decode_hello(ByteView frame);

/// One whole frame.
Bytes encode_refusal(const std::string& why);
/// The text, fit to be printed; nothing unless the bytes are one whole refusal frame.
Result<std::string> decode_refusal(ByteView frame);

class KnownPeers {
 public:
  explicit KnownPeers(const NodeSettings& settings) : settings_(settings) {}

  /// Why this hello is not believed of `expected` (nobody: of whoever it says it is), and what to do; empty when it is.
  std::string refusal_of(const Hello& hello, NodeId expected) const;
  /// Takes a believed hello into account. True when it taught something: a new peer, or a learned one's new address.
  bool learn(const Hello& hello);

  const std::vector<NodeAddress>& learned() const { return settings_.learned; }
  const NodeSettings& settings() const { return settings_; }

 private:
  NodeSettings settings_;
};

/// The learned peers of an earlier life (`peers.json` in the node's directory; nobody when there is none). A file that
/// cannot be read is set aside with a word in the journal: peers introduce themselves again.
std::vector<NodeAddress> load_peers(const NodeSettings& settings);
/// Error: it could not be written; nothing is lost but that a restart will have to be told again.
Result<void> save_peers(const std::string& directory, const std::vector<NodeAddress>& learned);

}  // namespace coffer::net
