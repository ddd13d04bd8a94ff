#include "sim/models/effects_digest.h"

#include <span>

#include "core/base/hash.h"
#include "core/base/prng.h"

namespace coffer::sim {

namespace {

/// Order matters: each part is mixed with all before it.
struct Digest {
  std::uint64_t value = 0;

  void number(std::uint64_t n) { value = mix64(value ^ n); }
  void bytes(ByteView bytes) {
    number(bytes.size());
    value = hash64(bytes, value);
  }
  void add(const IoOp& op) {
    number(static_cast<std::uint64_t>(op.kind));
    number(op.token.value);
    number(op.offset);
    bytes(bytes_of(op.file));
    bytes(bytes_of(op.target));
    bytes(view(op.bytes));
  }
  void add(const node::Send& send) {
    number(send.to.value);
    bytes(view(send.frame));
  }
  void add(const node::Reply& reply) {
    number(reply.client.value);
    number(reply.request.value);
    bytes(reply.bytes);
  }
  void add(const node::Committed& entry) {
    number(entry.shard.value);
    number(entry.index.value);
    number(entry.term.value);
    bytes(view(entry.payload));
  }
  void add(const TraceEvent& event) {
    number(static_cast<std::uint64_t>(event.kind));
    number(event.shard.value);
    number(event.term.value);
    number(event.index.value);
    number(event.a);
    number(event.b);
    number(event.c);
    bytes(std::as_bytes(std::span(event.transfer.bytes)));
  }
  template <class T>
  void add(const std::vector<T>& list) {
    number(list.size());
    for (const T& element : list) add(element);
  }
};

}  // namespace

std::uint64_t digest_of(const node::Effects& effects) {
  Digest digest;
  digest.add(effects.io);
  digest.add(effects.send_now);
  digest.add(effects.send_after_sync);
  digest.add(effects.replies);
  digest.add(effects.committed);
  digest.add(effects.trace);
  digest.number(static_cast<std::uint64_t>(effects.wake_at.nanos));
  digest.bytes(bytes_of(effects.fatal));
  return digest.value;
}

}  // namespace coffer::sim
