// Reading sealed files: chunks and entries for readers, and inspections. Whatever is read is compared with the table;
// damage is marked where it is found, so that it is repaired before it is needed again.
#include <algorithm>
#include <utility>

#include "core/base/check.h"
#include "core/log/sealed_state.h"

namespace coffer::log {

// --- for readers ----------------------------------------------------------------------------------------------------

void SealedStore::read_chunk(const SealedName& name, std::uint32_t chunk, std::uint64_t tag, std::vector<IoOp>& out) {
  const File* const file = state_->find_published(name);
  if (!file || chunk >= file->table.size()) {
    state_->chunks_read.push_back({name, chunk, tag, nullptr, false});
    return;
  }
  state_->read({SealedRead::By::reader, name, chunk, tag}, file_name(name, file->archived),
               chunk_offset(file->header, chunk), chunk_length(file->header, chunk), out);
}

std::vector<SealedStore::ReadChunk> SealedStore::take_chunks() { return std::exchange(state_->chunks_read, {}); }

void SealedStore::read_entry(ShardId group, Index index, std::uint64_t tag, std::vector<IoOp>& out) {
  const auto found = state_->files.lower_bound({SealedKind::history, group, index});
  const bool holds_it = found != state_->files.end() && found->first.kind == SealedKind::history &&
                        found->first.group == group && !found->second.partial && found->second.header.first <= index;
  if (!holds_it) {
    state_->entries_read.push_back({tag, std::nullopt, {}});
    return;
  }
  state_->begin_lookup(tag, HistoryLookup(found->second.header, index), out);
}

void SealedStore::read_entry_at(ShardId group, Position position, std::uint64_t tag, std::vector<IoOp>& out) {
  const auto found = state_->by_position.lower_bound({group, position});
  const File* const file = found != state_->by_position.end() && found->first.first == group
                               ? state_->find_published(found->second)
                               : nullptr;
  if (!file || file->header.first_position > position) {
    state_->entries_read.push_back({tag, std::nullopt, {}});
    return;
  }
  state_->begin_lookup(tag, HistoryLookup(file->header, position), out);
}

std::vector<SealedStore::ReadEntry> SealedStore::take_entries() { return std::exchange(state_->entries_read, {}); }

std::uint64_t SealedStore::State::read(const SealedRead& what, const std::string& file, std::uint64_t offset,
                                       std::uint64_t length, std::vector<IoOp>& out) {
  reads.emplace(++last_read, what);
  steps.read(file, offset, length, last_read, out);
  return last_read;
}

void SealedStore::State::on_read(const PendingOp& op, IoStatus status, const SharedBytes& bytes,
                                 std::vector<IoOp>& out) {
  const auto found = reads.find(op.tag);
  check(found != reads.end(), "a read comes back once");
  const SealedRead read = found->second;
  reads.erase(found);
  switch (read.by) {
    case SealedRead::By::reader:
      answer_reader(read, status, bytes);
      break;
    case SealedRead::By::inspection:
      if (inspection_read != op.tag) break;  // cancelled meanwhile
      inspection_read = 0;
      feed(inspections.front(), status, bytes);
      break;
    case SealedRead::By::scrub:
      if (scrub_read != op.tag) break;
      scrub_read = 0;
      feed(*scrubbing, status, bytes);
      break;
    case SealedRead::By::lookup: {
      const auto lookup = lookups.find(read.tag);
      const File* const file = find_published(lookup->second.second.history());
      if (file) lookup->second.second.feed(view(bytes), file->table);
      advance_lookup(read.tag, out);
      break;
    }
  }
}

void SealedStore::State::answer_reader(const SealedRead& read, IoStatus status, const SharedBytes& bytes) {
  const File* const file = find_published(read.name);
  const ByteView chunk = view(bytes);
  const bool sound = file && status == IoStatus::ok && chunk.size() == chunk_length(file->header, read.chunk) &&
                     chunk_checksum(read.chunk, chunk) == file->table[read.chunk];
  chunks_read.push_back({read.name, read.chunk, read.tag, sound ? bytes : nullptr, sound});
  if (!file || sound || archiving.contains(read.name)) return;
  if (status == IoStatus::not_found) {
    vanish(read.name);
  } else {
    mark_damaged(read.name, read.chunk);
  }
}

void SealedStore::State::mark_damaged(const SealedName& name, std::uint32_t chunk) {
  std::vector<std::uint32_t>& bad = files.at(name).bad_chunks;
  const auto at = std::lower_bound(bad.begin(), bad.end(), chunk);
  if (at != bad.end() && *at == chunk) return;
  bad.insert(at, chunk);
  archive_changed = true;
  trace(TraceKind::file_damaged, name, static_cast<std::uint64_t>(name.kind), chunk);
}

/// A published file is not in the directory any more, and nobody here removed it.
void SealedStore::State::vanish(const SealedName& name) {
  const ManifestRow row = manifest_row(files.at(name).header);
  steps.drop(file_name(name));
  trace(TraceKind::file_damaged, name, static_cast<std::uint64_t>(name.kind), no_chunk);
  forget(name);
  miss(name, row);
}

void SealedStore::State::begin_lookup(std::uint64_t tag, HistoryLookup lookup, std::vector<IoOp>& out) {
  lookups.emplace(++last_lookup, std::pair(tag, std::move(lookup)));
  advance_lookup(last_lookup, out);
}

void SealedStore::State::advance_lookup(std::uint64_t number, std::vector<IoOp>& out) {
  const auto at = lookups.find(number);
  const HistoryLookup& lookup = at->second.second;
  const SealedName name = lookup.history();
  const File* const file = find_published(name);
  const std::optional<HistoryLookup::Range> range = file ? lookup.next() : std::nullopt;
  if (range) {
    const bool in_index = range->part == HistoryLookup::Part::index_block;
    read({SealedRead::By::lookup, name, lookup.chunk(), number},
         in_index ? index_file_name(name) : file_name(name, file->archived), range->offset, range->length, out);
    return;
  }
  entries_read.push_back({at->second.first, lookup.found(), lookup.last_position()});
  if (file && lookup.damaged() == HistoryLookup::Part::index_block) request_index(name);
  if (file && lookup.damaged() == HistoryLookup::Part::chunk && !archiving.contains(name)) {
    mark_damaged(name, lookup.chunk());
  }
  lookups.erase(at);
}

// --- inspections
// ------------------------------------------------------------------------------------------------------

void SealedStore::State::inspect(Inspection inspection) { inspections.push_back(std::move(inspection)); }

/// Reads a history through, and writes its index if the one on the disk is not the right one.
void SealedStore::State::request_index(const SealedName& name) {
  const bool under_way = std::any_of(inspections.begin(), inspections.end(), [&name](const Inspection& inspection) {
    return inspection.name() == name && inspection.why() == Inspection::Why::indexing;
  });
  if (under_way || derived.busy(index_file_name(name))) return;
  const File& file = files.at(name);
  inspect(Inspection(Inspection::Why::indexing, file.header, file.table, count_positions));
}

void SealedStore::State::cancel_inspections(const SealedName& name) {
  if (!inspections.empty() && inspections.front().name() == name) inspection_read = 0;
  for (const Inspection& inspection : inspections) {
    if (inspection.name() == name) conclude(inspection.why());
  }
  std::erase_if(inspections, [&name](const Inspection& inspection) { return inspection.name() == name; });
  if (scrubbing && scrubbing->name() == name) {
    scrubbing.reset();
    scrub_read = 0;
    scrubbed = name;
  }
}

void SealedStore::State::conclude(Inspection::Why why) {
  switch (why) {
    case Inspection::Why::recovery:
    case Inspection::Why::resumption:
      --to_inspect;
      break;
    case Inspection::Why::written:
    case Inspection::Why::publication:
    case Inspection::Why::indexing:
    case Inspection::Why::scrub:
      break;
  }
}

std::uint64_t SealedStore::State::read_for(const Inspection& inspection, SealedRead::By by, std::vector<IoOp>& out) {
  const SealedName& name = inspection.name();
  const std::optional<Inspection::Range> range = inspection.next();
  std::string file = part_name(name);
  if (!inspection.reads_part()) {
    file = range->part == Inspection::Part::index ? index_file_name(name) : file_name(name, files.at(name).archived);
  }
  return read({by, name, 0, 0}, file, range->offset, range->length, out);
}

void SealedStore::State::feed(Inspection& inspection, IoStatus status, const SharedBytes& bytes) {
  const SealedName name = inspection.name();
  const bool of_index = inspection.next()->part == Inspection::Part::index;
  if (status != IoStatus::not_found || of_index) {
    const std::uint64_t offset = inspection.next()->offset;
    const std::size_t bad_before = inspection.bad_chunks().size();
    inspection.feed(view(bytes));
    if (inspection.why() == Inspection::Why::resumption && inspection.bad_chunks().size() == bad_before) {
      const ByteView chunk = view(bytes);
      steps.write(file_name(name), part_name(name), offset, Bytes(chunk.begin(), chunk.end()));
    }
    return;
  }
  if (!inspection.reads_part()) {
    vanish(name);
  } else if (writings.contains(name)) {
    failure = part_name(name) + " vanished while it was written. Nothing else was changed. Start this node again.";
  } else {
    drop_part(name);
  }
}

bool SealedStore::State::advance_inspections(std::vector<IoOp>& out) {
  bool ended = false;
  while (!inspections.empty() && inspection_read == 0 && !failed()) {
    if (inspections.front().next()) {
      if (archiving.contains(inspections.front().name())) break;                             // its name is changing
      if (steps.writes(file_name(inspections.front().name())) >= writes_waiting_max) break;  // of chunks read before
      inspection_read = read_for(inspections.front(), SealedRead::By::inspection, out);
      break;
    }
    Inspection inspection = std::move(inspections.front());
    inspections.pop_front();
    on_inspected(inspection);
    ended = true;
  }
  return ended;
}

void SealedStore::State::on_inspected(Inspection& inspection) {
  conclude(inspection.why());
  if (inspection.reads_part()) {
    on_inspected_part(inspection);
  } else {
    on_inspected_published(inspection);
  }
}

void SealedStore::State::on_inspected_published(Inspection& inspection) {
  const SealedName name = inspection.name();
  const File& file = files.at(name);
  if (inspection.head_damaged()) {
    trace(TraceKind::file_damaged, name, static_cast<std::uint64_t>(name.kind), no_chunk);
    const std::string target = file_name(name, file.archived);
    const std::string subject = file_name(name);
    steps.write(subject, target, table_offset(file.header), encode_table(file.table));
    steps.write(subject, target, 0, encode(file.header));
    steps.sync(subject, target);
    steps.reach(subject, Milestone::rewritten);
  }
  for (const std::uint32_t chunk : inspection.bad_chunks()) mark_damaged(name, chunk);
  if (!inspection.contradiction().empty()) {
    quarantine(name);
  } else if (inspection.index_differs()) {
    if (!inspection.index_missing()) trace(TraceKind::file_damaged, name, index_kind, no_chunk);
    write_index(name, inspection.take_index());
  }
}

}  // namespace coffer::log
