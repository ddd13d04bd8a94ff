// The bytes of the events of splits.
#include "core/ledger/event_fields.h"

namespace coffer::ledger {

namespace {

constexpr std::size_t started_part_size = 4 + 8 + 4 + 4 + 8;  // without the name
constexpr std::size_t decided_part_size = 4 + 8 + 8 + 4 + 4 + 8;

/// The parts of a split, whose encoded size is at least `size` each: no memory for what is not there.
template <class Part, class ReadPart>
std::vector<Part> read_parts(ByteReader& in, std::size_t size, ReadPart&& read) {
  std::vector<Part> parts;
  const std::uint8_t count = in.u8();
  require(count <= split_parts_max && in.remaining() >= count * size, in);
  for (std::uint8_t i = 0; i < count && in.ok(); ++i) parts.push_back(read());
  return parts;
}

SplitStarted::Part read_started_part(ByteReader& in) {
  SplitStarted::Part part;
  part.target = in.id<ShardId>();
  part.leg = in.id<LegNumber>();
  part.transit = in.id<PocketNumber>();
  part.credit = in.id<PocketNumber>();
  part.amount = in.i64();
  part.credit_account = read_account_name(in);
  require(part.target.value != 0 && part.amount > 0, in);
  require((part.leg == LegNumber()) == (part.credit != no_pocket), in);
  return part;
}

/// Whether the amounts of the parts are `total`.
template <class Part>
bool sum_up(const std::vector<Part>& parts, std::int64_t total) {
  std::int64_t left = total;
  for (const Part& part : parts) {
    if (part.amount > left) return false;
    left -= part.amount;
  }
  return left == 0;
}

SplitDecided::Part read_decided_part(ByteReader& in) {
  SplitDecided::Part part;
  part.target = in.id<ShardId>();
  part.tried = in.id<LegNumber>();
  part.second = in.id<LegNumber>();
  part.transit = in.id<PocketNumber>();
  part.credit = in.id<PocketNumber>();
  part.amount = in.i64();
  const bool is_here = part.tried == LegNumber();
  require(part.target.value != 0 && part.amount > 0 && part.transit != no_pocket, in);
  require(is_here == (part.credit != no_pocket) && (is_here ? part.second == LegNumber() : part.second > part.tried),
          in);
  return part;
}

}  // namespace

SplitStarted read_split_started(ByteReader& in) {
  SplitStarted event;
  event.decided = read_any_decided(in);
  event.refused = in.u8();
  event.parts = read_parts<SplitStarted::Part>(in, started_part_size + 1 + 1, [&in] { return read_started_part(in); });
  const Decided& decided = event.decided;
  require(decided.operation == Operation::split && decided.credit == no_pocket, in);
  require(event.refused == no_part || event.refused < split_parts_max, in);
  if (decided.outcome != Outcome::pending && decided.outcome != Outcome::success) {
    require(is_logged(decided.outcome) && event.parts.empty(), in);
    return event;
  }
  const bool is_done = decided.outcome == Outcome::success;
  bool all_here = true;
  for (const SplitStarted::Part& part : event.parts) {
    all_here = all_here && part.leg == LegNumber();
    require(is_done == (part.transit == no_pocket), in);
  }
  require(event.refused == no_part && decided.debit != no_pocket && all_here == is_done, in);
  require(!event.parts.empty() && sum_up(event.parts, decided.amount.minor), in);
  return event;
}

SplitAnswered read_split_answered(ByteReader& in) {
  SplitAnswered event;
  event.outcome = read_logged_outcome(in);
  event.part = in.u8();
  read_answer(event, in);
  require(event.part < split_parts_max, in);
  return event;
}

SplitDecided read_split_decided(ByteReader& in) {
  SplitDecided event;
  event.outcome = read_logged_outcome(in);
  event.refused = in.u8();
  event.id = in.uuid();
  event.debit = in.id<PocketNumber>();
  event.currency = Currency{in.u32()};
  event.parts = read_parts<SplitDecided::Part>(in, decided_part_size, [&in] { return read_decided_part(in); });
  const bool agreed = event.outcome == Outcome::success;
  require(event.debit != no_pocket && is_known(event.currency) && !event.parts.empty(), in);
  require(agreed ? event.refused == no_part : event.refused < event.parts.size(), in);
  return event;
}

SplitEnded read_split_ended(ByteReader& in) {
  SplitEnded event;
  event.phase = read_phase(in);
  event.part = in.u8();
  read_answer(event, in);
  require(event.part < split_parts_max && protocol_of(event.phase) == Protocol::tcc, in);
  return event;
}

void encode(const SplitStarted& event, ByteWriter& out) {
  check(event.parts.size() <= split_parts_max, "a split has a few parts");
  Fields<1 + decided_size + 2> fields;
  fields.put(EventKind::split_started);
  put(fields, event.decided);
  fields.put(event.refused).put(static_cast<std::uint8_t>(event.parts.size())).write(out);
  for (const SplitStarted::Part& part : event.parts) {
    Fields<started_part_size> of_part;
    of_part.put(part.target).put(part.leg).put(part.transit).put(part.credit).put(part.amount).write(out);
    out.short_string(part.credit_account);
  }
}

void encode(const SplitAnswered& event, ByteWriter& out) {
  Fields<3 + 4 + 8 + 16 + 4 + 4 + 4 + 8 + 8 + 8> fields;
  fields.put(EventKind::split_answered).put(event.outcome).put(event.part).put(event.target).put(event.leg);
  fields.put(event.id).put(event.debit).put(event.transit).put(event.amount).put(event.target_position);
  fields.put(event.target_stamp).write(out);
}

void encode(const SplitDecided& event, ByteWriter& out) {
  check(event.parts.size() <= split_parts_max, "a split has a few parts");
  Fields<3 + 16 + 4 + 4 + 1> fields;
  fields.put(EventKind::split_decided).put(event.outcome).put(event.refused).put(event.id).put(event.debit);
  fields.put(event.currency).put(static_cast<std::uint8_t>(event.parts.size())).write(out);
  for (const SplitDecided::Part& part : event.parts) {
    Fields<decided_part_size> of_part;
    of_part.put(part.target).put(part.tried).put(part.second).put(part.transit).put(part.credit).put(part.amount);
    of_part.write(out);
  }
}

void encode(const SplitEnded& event, ByteWriter& out) {
  Fields<3 + 4 + 8 + 16 + 4 + 4 + 4 + 8 + 8 + 8> fields;
  fields.put(EventKind::split_ended).put(event.phase).put(event.part).put(event.target).put(event.leg).put(event.id);
  fields.put(event.debit).put(event.transit).put(event.amount).put(event.target_position).put(event.target_stamp);
  fields.write(out);
}

}  // namespace coffer::ledger
