#include "core/log/records.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "core/base/codec.h"

namespace coffer::log {
namespace {

/// Any record, read but not judged.
struct Record {
  std::uint8_t kind = 0;
  std::uint8_t keeps = 0;
  ShardId group;
  std::vector<Entry> entries;
  Index from;
  LogPlace base;
  LogPlace last;
};

void put_head(ByteWriter& out, RecordKind kind, ShardId group, std::uint8_t keeps = 0) {
  out.u8(static_cast<std::uint8_t>(kind));
  out.u8(keeps);
  out.u16(0);
  out.id(group);
}

void put_place(ByteWriter& out, const LogPlace& place) {
  out.id(place.index);
  out.id(place.term);
}

LogPlace read_place(ByteReader& in) {
  LogPlace place;
  place.index = in.id<Index>();
  place.term = in.id<Term>();
  if (place.index.value > entry_number_max || place.term.value > entry_number_max) in.fail();
  return place;
}

Entry read_entry(ByteReader& in) {
  Entry entry;
  const LogPlace place = read_place(in);
  entry.index = place.index;
  entry.term = place.term;
  const std::uint8_t kind = in.u8();
  if (kind > static_cast<std::uint8_t>(EntryKind::configuration)) in.fail();
  entry.kind = static_cast<EntryKind>(kind);
  const ByteView payload = in.blob();
  if (!payload.empty()) {
    entry.payload = std::make_shared<const Bytes>(payload.begin(), payload.end());
  }
  return entry;
}

bool is_kind(const Record& record, RecordKind kind) { return record.kind == static_cast<std::uint8_t>(kind); }

/// Requires: bytes remain. After bytes against the grammar, in.ok() is false; an unknown kind reads as its head alone.
Record read_record(ByteReader& in) {
  Record record;
  record.kind = in.u8();
  record.keeps = in.u8();
  const bool reserved_is_zero = in.u16() == 0 && record.keeps <= (is_kind(record, RecordKind::restore) ? 1 : 0);
  record.group = in.id<ShardId>();
  if (!reserved_is_zero) in.fail();
  if (is_kind(record, RecordKind::entries)) {
    const std::uint32_t count = in.u32();
    for (std::uint32_t i = 0; i < count && in.ok(); ++i) {
      record.entries.push_back(read_entry(in));
    }
  } else if (is_kind(record, RecordKind::truncate)) {
    record.from = in.id<Index>();
  } else if (is_kind(record, RecordKind::restore)) {
    record.base = read_place(in);
  } else if (is_kind(record, RecordKind::standing)) {
    record.base = read_place(in);
    record.last = read_place(in);
    if (record.last.index < record.base.index) in.fail();
  }
  return record;
}

Error refusal(const Record& record, const std::string& what) {
  return error(ErrorCode::malformed, what + " of group " + std::to_string(record.group.value));
}

Result<void> fold_entries(Record& record, FoldedLog& log) {
  for (Entry& entry : record.entries) {
    if (entry.index != log.extent.last().index.next()) {
      return error(ErrorCode::malformed, "entry " + std::to_string(entry.index.value) + " of group " +
                                             std::to_string(record.group.value) + " does not follow the one before");
    }
    log.extent.append(entry.index, entry.term);
    log.entries.push_back(std::move(entry));
  }
  return boost::system::in_place_value;
}

Result<void> fold_truncate(const Record& record, FoldedLog& log) {
  if (record.from <= log.extent.base().index || record.from > log.extent.last().index.next()) {
    return refusal(record, "a truncation from " + std::to_string(record.from.value) + " outside of the log");
  }
  const std::uint64_t removed = log.extent.last().index.value - (record.from.value - 1);
  log.extent.truncate(record.from);
  log.entries.resize(log.entries.size() - std::min<std::uint64_t>(removed, log.entries.size()));
  log.absent_to = std::min(log.absent_to, log.extent.last().index);
  return boost::system::in_place_value;
}

Result<void> fold_restore(const Record& record, FoldedLog& log) {
  const LogPlace& base = record.base;
  const bool keeps = record.keeps == 1;
  const bool absent = log.has_gap() && base.index > log.extent.base().index && base.index <= log.absent_to;
  if (base.index < log.extent.base().index || (keeps && !absent && !log.extent.holds(base))) {
    return refusal(record, "a base at " + std::to_string(base.index.value) + " that does not fit the log");
  }
  if (!keeps) {
    log.entries.clear();
  } else {
    const auto is_behind = [&base](const Entry& entry) { return entry.index > base.index; };
    log.entries.erase(log.entries.begin(), std::find_if(log.entries.begin(), log.entries.end(), is_behind));
  }
  log.extent.restore(base, keeps);
  if (!keeps || log.absent_to <= base.index) {
    log.absent_to = Index();
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
    writer.u8(static_cast<std::uint8_t>(entry.kind));
    writer.blob(view(entry.payload));
  }
}

void append_truncate_record(Bytes& out, ShardId group, Index from) {
  ByteWriter writer(out);
  put_head(writer, RecordKind::truncate, group);
  writer.id(from);
}

void append_restore_record(Bytes& out, ShardId group, const LogPlace& base, bool keeps) {
  ByteWriter writer(out);
  put_head(writer, RecordKind::restore, group, keeps ? 1 : 0);
  put_place(writer, base);
}

void append_standing_record(Bytes& out, ShardId group, const Standing& standing) {
  const std::size_t before = out.size();
  ByteWriter writer(out);
  put_head(writer, RecordKind::standing, group);
  put_place(writer, standing.base);
  put_place(writer, standing.last);
  check(out.size() - before == standing_record_size, "the record has its documented size");
}

Result<bool> LogFold::apply(ByteView payload, std::uint64_t segment) {
  ByteReader in(payload);
  bool says_something = false;
  while (in.ok() && in.remaining() > 0) {
    Record record = read_record(in);
    if (!in.ok()) break;
    if (is_kind(record, RecordKind::standing)) {
      const Standing standing{record.base, record.last};
      if (!begun_ && !says_something && !logs_.contains(record.group)) {
        logs_[record.group] = {LogExtent(standing), record.last.index, {}};
      }
      const LogExtent& extent = logs_[record.group].extent;
      if (says_something || extent.base() != standing.base || extent.last().index != standing.last.index) {
        return refusal(record, "a segment that begins at another place than the one before ends: log");
      }
      continue;
    }
    says_something = true;
    FoldedLog& log = logs_[record.group];
    Result<void> folded = boost::system::in_place_value;
    if (is_kind(record, RecordKind::entries)) {
      folded = fold_entries(record, log);
    } else if (is_kind(record, RecordKind::truncate)) {
      folded = fold_truncate(record, log);
    } else if (is_kind(record, RecordKind::restore)) {
      folded = fold_restore(record, log);
    } else {
      const std::string kind = std::to_string(record.kind);
      return error(ErrorCode::unsupported, "a record of kind " + kind + " is unknown to this binary");
    }
    if (!folded) return folded.error();
  }
  if (!in.done()) {
    return error(ErrorCode::malformed, "a record breaks the grammar, or ends before its bytes do");
  }
  begun_ = true;
  for (auto& [group, log] : logs_) log.extent.settle(segment);
  return says_something;
}

bool begins_with_standing(ByteView payload) {
  ByteReader in(payload);
  return in.remaining() > 0 && is_kind(read_record(in), RecordKind::standing) && in.ok();
}

void note_places(ByteView payload, std::map<ShardId, LogPlace>& highest) {
  ByteReader in(payload);
  while (in.remaining() > 0) {
    const Record record = read_record(in);
    const bool known = record.kind >= static_cast<std::uint8_t>(RecordKind::entries) &&
                       record.kind <= static_cast<std::uint8_t>(RecordKind::standing);
    if (!in.ok() || !known) return;
    LogPlace& place = highest[record.group];
    const auto raise = [&place](const LogPlace& to) {
      if (!covers(place, to)) place = to;
    };
    raise(record.base);
    raise(record.last);
    for (const Entry& entry : record.entries) raise({entry.index, entry.term});
  }
}

}  // namespace coffer::log
