#include "core/log/block.h"

#include <cstring>

#include "core/base/hash.h"

namespace coffer::log {

void seal_block(Bytes& body, std::uint64_t seed) {
  check(body.size() <= block_body_max, "a block's body leaves room for its checksum");
  body.resize(block_body_max);
  const std::uint64_t checksum = hash64(body, seed);
  ByteWriter(body).u64(checksum);
}

bool is_sealed(ByteView bytes, std::uint64_t seed) {
  if (bytes.size() < block_size) return false;
  const std::uint64_t checksum = ByteReader(bytes.subspan(block_body_max)).u64();
  return checksum == hash64(bytes.first(block_body_max), seed);
}

bool is_blank(ByteView bytes) {
  // Equal to itself one byte on, and beginning with zero: zero throughout.
  return bytes.empty() ||
         (bytes[0] == std::byte{0} && std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0);
}

void put_identity(ByteWriter& out, const FileIdentity& identity) {
  out.uuid(identity.cluster);
  out.uuid(identity.node);
  out.u32(identity.incarnation);
}

FileIdentity get_identity(ByteReader& in) {
  FileIdentity identity;
  identity.cluster = in.uuid();
  identity.node = in.uuid();
  identity.incarnation = in.u32();
  return identity;
}

bool same_identity(const FileIdentity& left, const FileIdentity& right) {
  return left.cluster == right.cluster && left.node == right.node && left.incarnation == right.incarnation;
}

}  // namespace coffer::log
