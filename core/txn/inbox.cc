#include "core/txn/inbox.h"

#include "core/base/check.h"

namespace coffer::txn {

const Inbox::Incoming* Inbox::look_up(ShardId source) const {
  const auto found = by_source_.find(source);
  return found == by_source_.end() ? nullptr : &found->second;
}

LegNumber Inbox::next(ShardId source) const {
  const Incoming* incoming = look_up(source);
  return LegNumber(incoming ? incoming->rows.end_number() : 1);
}

LegNumber Inbox::freed(ShardId source) const {
  const Incoming* incoming = look_up(source);
  return LegNumber(incoming ? incoming->freed : 0);
}

const ReceivedRow* Inbox::find(ShardId source, LegNumber number) const {
  const Incoming* incoming = look_up(source);
  if (!incoming || number.value <= incoming->freed || number.value >= incoming->rows.end_number()) return nullptr;
  return &incoming->rows[number.value];
}

void Inbox::receive(ShardId source, LegNumber number, const ReceivedRow& row, LegNumber freed_before,
                    LegNumber freed_after) {
  Incoming& incoming = by_source_[source];
  check(number.value == incoming.rows.end_number(), "legs are received in order");
  check(freed_before.value == incoming.freed && freed_before <= freed_after && freed_after < number,
        "outcomes are freed in order, and after their legs");
  incoming.rows.push_back(row);
  if (freed_after > freed_before) {
    incoming.uncommitted.push_back({row.position, freed_after.value});
    incoming.freed = freed_after.value;
  }
}

void Inbox::unreceive(ShardId source, LegNumber number, LegNumber freed_before, LegNumber freed_after) {
  const auto found = by_source_.find(source);
  check(found != by_source_.end() && number.value + 1 == found->second.rows.end_number(),
        "legs are undone in reverse order");
  Incoming& incoming = found->second;
  check(incoming.freed == freed_after.value, "freeing is undone in reverse order");
  if (freed_after > freed_before) {
    check(!incoming.uncommitted.empty() && incoming.rows.begin_number() <= freed_before.value + 1,
          "committed freeing is not undone");
    incoming.uncommitted.pop_back();
    incoming.freed = freed_before.value;
  }
  incoming.rows.pop_back();
  if (number.value == 1) by_source_.erase(found);
}

void Inbox::committed(Position position) {
  for (auto& [source, incoming] : by_source_) {
    std::size_t done = 0;
    while (done < incoming.uncommitted.size() && incoming.uncommitted[done].position <= position) ++done;
    if (done == 0) continue;
    incoming.rows.drop_before(incoming.uncommitted[done - 1].freed + 1);
    incoming.uncommitted.erase(incoming.uncommitted.begin(),
                               incoming.uncommitted.begin() + static_cast<std::ptrdiff_t>(done));
  }
}

void Inbox::export_rows(ByteWriter& out) const {
  out.u64(by_source_.size());
  for (const auto& [source, incoming] : by_source_) {
    out.id(source);
    out.u64(incoming.rows.end_number());
    out.u64(incoming.freed);
    for (std::uint64_t number = incoming.freed + 1; number < incoming.rows.end_number(); ++number) {
      const ReceivedRow& row = incoming.rows[number];
      out.uuid(row.id);
      out.id(row.position);
      out.i64(row.stamp.nanos);
      out.u8(static_cast<std::uint8_t>(row.outcome));
    }
  }
}

}  // namespace coffer::txn
