#include "core/txn/inbox.h"

#include "core/base/check.h"
#include "core/ledger/fields.h"

namespace coffer::txn {

namespace {

constexpr std::size_t source_bytes = 4 + 8 + 8;

void encode_source(ShardId source, std::uint64_t next, std::uint64_t freed, ByteWriter& out) {
  out.id(source);
  out.u64(next);
  out.u64(freed);
}

void encode(const ReceivedRow& row, ByteWriter& out) {
  ledger::Fields<received_row_bytes> fields;
  fields.put(row.id).put(row.position).put(row.stamp).put(row.outcome).write(out);
}

}  // namespace

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
    encode_source(source, incoming.rows.end_number(), incoming.freed, out);
    for (std::uint64_t number = incoming.freed + 1; number < incoming.rows.end_number(); ++number) {
      encode(incoming.rows[number], out);
    }
  }
}

std::uint64_t Inbox::export_size() const {
  std::uint64_t size = 8;
  for (const auto& [source, incoming] : by_source_) {
    size += source_bytes + (incoming.rows.end_number() - incoming.freed - 1) * received_row_bytes;
  }
  return size;
}

Inbox::Frozen::Frozen(Inbox& inbox) {
  for (auto& [source, incoming] : inbox.by_source_) sources_.emplace_back(source, incoming);
}

bool Inbox::Frozen::write_next(ByteWriter& out) {
  if (!counted_) {
    counted_ = true;
    out.u64(sources_.size());
    return true;
  }
  if (sources_.empty()) return false;
  Source& source = sources_.front();
  if (!source.begun) {
    source.begun = true;
    encode_source(source.shard, source.next, source.rows.begin_number() - 1, out);
  } else if (!source.rows.take_page([&out](const ReceivedRow& row) { encode(row, out); })) {
    sources_.pop_front();
  }
  return true;
}

bool Inbox::load(ShardId source, LegNumber next, LegNumber freed) {
  const bool is_next = by_source_.empty() || by_source_.rbegin()->first < source;
  if (!is_next || next.value < 2 || freed >= next || source == ShardId()) return false;
  Incoming& incoming = by_source_.try_emplace(source, freed.value + 1).first->second;
  incoming.freed = freed.value;
  return true;
}

void Inbox::load(const ReceivedRow& row) {
  check(!by_source_.empty(), "rows follow their source");
  by_source_.rbegin()->second.rows.push_back(row);
}

ReceivedRow decode_received_row(ByteReader& in) {
  ReceivedRow row;
  row.id = in.uuid();
  row.position = in.id<Position>();
  row.stamp = Stamp{in.i64()};
  row.outcome = static_cast<Outcome>(in.u8());
  if (!is_logged(row.outcome)) in.fail();
  return row;
}

}  // namespace coffer::txn
