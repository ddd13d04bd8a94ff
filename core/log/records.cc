#include "core/log/records.h"

#include <memory>
#include <string>

#include "core/base/codec.h"

namespace coffer::log {
namespace {

void put_head(ByteWriter& out, RecordKind kind, ShardId group) {
  out.u8(static_cast<std::uint8_t>(kind));
  out.u8(0);
  out.u16(0);
  out.id(group);
}

Entry read_entry(ByteReader& in) {
  Entry entry;
  entry.index = in.id<Index>();
  entry.term = in.id<Term>();
  const ByteView payload = in.blob();
  if (!payload.empty()) {
    entry.payload = std::make_shared<const Bytes>(payload.begin(), payload.end());
  }
  return entry;
}

std::string of_group(ShardId group) { return " of group " + std::to_string(group.value); }

Result<void> read_entries(ByteReader& in, ShardId group, std::vector<Entry>& entries) {
  const std::uint32_t count = in.u32();
  for (std::uint32_t i = 0; i < count && in.ok(); ++i) {
    Entry entry = read_entry(in);
    if (!in.ok()) break;
    if (entry.index.value != entries.size() + 1 || entry.term.value > entry_number_max) {
      return error(ErrorCode::malformed,
                   "entry " + std::to_string(entry.index.value) + of_group(group) + " does not follow the one before");
    }
    entries.push_back(std::move(entry));
  }
  return boost::system::in_place_value;
}

Result<void> read_truncate(ByteReader& in, ShardId group, std::vector<Entry>& entries) {
  const std::uint64_t from = in.u64();
  if (in.ok() && (from == 0 || from > entries.size() + 1)) {
    return error(ErrorCode::malformed,
                 "truncation from " + std::to_string(from) + of_group(group) + " is beyond its end");
  }
  if (in.ok()) {
    entries.resize(from - 1);
  }
  return boost::system::in_place_value;
}

}  // namespace

void append_entries_record(Bytes& out, ShardId group, std::span<const Entry> entries) {
  ByteWriter writer(out);
  put_head(writer, RecordKind::entries, group);
  check(entries.size() <= UINT32_MAX, "a record's count fits 32 bits");
  writer.u32(static_cast<std::uint32_t>(entries.size()));
  for (const Entry& entry : entries) {
    writer.id(entry.index);
    writer.id(entry.term);
    writer.blob(view(entry.payload));
  }
}

void append_truncate_record(Bytes& out, ShardId group, Index from) {
  ByteWriter writer(out);
  put_head(writer, RecordKind::truncate, group);
  writer.id(from);
}

Result<void> LogFold::apply(ByteView payload) {
  ByteReader in(payload);
  while (in.ok() && in.remaining() > 0) {
    const std::uint8_t kind = in.u8();
    const bool reserved_is_zero = in.u8() == 0 && in.u16() == 0;
    const auto group = in.id<ShardId>();
    if (!in.ok() || !reserved_is_zero) {
      return error(ErrorCode::malformed, "a record's head is not one");
    }
    Result<void> read = boost::system::in_place_value;
    if (kind == static_cast<std::uint8_t>(RecordKind::entries)) {
      read = read_entries(in, group, logs_[group]);
    } else if (kind == static_cast<std::uint8_t>(RecordKind::truncate)) {
      read = read_truncate(in, group, logs_[group]);
    } else {
      return error(ErrorCode::unsupported, "a record of kind " + std::to_string(kind) + " is unknown to this binary");
    }
    if (!read) return read;
  }
  if (!in.done()) {
    return error(ErrorCode::malformed, "a record ends before its bytes do");
  }
  return boost::system::in_place_value;
}

}  // namespace coffer::log
