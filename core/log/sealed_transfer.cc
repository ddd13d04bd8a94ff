// Writing, fetching, repairing and removing sealed files: what a caller asks for, turned into steps.
#include <algorithm>
#include <utility>

#include "core/base/check.h"
#include "core/log/sealed_state.h"

namespace coffer::log {
// --- own writing ----------------------------------------------------------------------------------------------------

bool SealedStore::create(const SealedName& name, std::vector<IoOp>& out) {
  check(recovered(), "nothing is written before recovery has ended");
  const auto found = state_->files.find(name);
  if (writing(name) || state_->publishing.contains(name) || (found != state_->files.end() && !found->second.partial)) {
    return false;
  }
  if (found != state_->files.end()) state_->drop_part(name);
  state_->writings.emplace(name, SealedWriting());
  state_->advance(out);
  return true;
}

bool SealedStore::wants_chunk(const SealedName& name) const {
  return !paused() && state_->steps.writes(file_name(name)) < writes_waiting_max;
}

void SealedStore::append_chunk(const SealedName& name, Bytes bytes, std::vector<IoOp>& out) {
  const auto found = state_->writings.find(name);
  check(found != state_->writings.end(), "a chunk is appended to a file that was created");
  SealedWriting& writing = found->second;
  check(!writing.ended && !writing.header, "nothing follows the last chunk");
  check(!bytes.empty() && bytes.size() <= state_->limits.chunk_size, "a chunk has its size");
  writing.ended = bytes.size() < state_->limits.chunk_size;
  const auto chunk = static_cast<std::uint32_t>(writing.table.size());
  writing.table.push_back(chunk_checksum(chunk, bytes));
  const std::uint64_t offset = block_size + writing.payload_size;
  writing.payload_size += bytes.size();
  state_->steps.write(file_name(name), part_name(name), offset, std::move(bytes));
  state_->advance(out);
}

void SealedStore::seal(const SealedName& name, SealedHeader header, std::vector<IndexedEntry> indexed,
                       std::vector<IoOp>& out) {
  const auto found = state_->writings.find(name);
  check(found != state_->writings.end() && !found->second.header, "a file is sealed once, after it was created");
  check(header.name == name, "a header names its file");
  SealedWriting& writing = found->second;
  header.cluster = state_->cluster;
  header.payload_size = writing.payload_size;
  header.chunk_size = state_->limits.chunk_size;
  header.table_checksum = checksum_of_table(writing.table);
  check(state_->joins_neighbours(header), "a history continues the chain of the one before");
  const std::string subject = file_name(name);
  state_->steps.write(subject, part_name(name), table_offset(header), encode_table(writing.table));
  state_->steps.write(subject, part_name(name), 0, encode(header));
  writing.header = std::move(header);
  writing.indexed = std::move(indexed);
  state_->fill(name);
  state_->advance(out);
}

bool SealedStore::writing(const SealedName& name) const { return state_->writings.contains(name); }

// --- fetching and repairing
// -------------------------------------------------------------------------------------------

bool SealedStore::begin_fetch(const SealedHeader& header, std::vector<std::uint64_t> table, std::vector<IoOp>& out) {
  check(recovered(), "nothing is fetched before recovery has ended");
  const SealedName& name = header.name;
  if (!well_formed(header) || header.cluster != state_->cluster || table.size() != chunk_count(header) ||
      checksum_of_table(table) != header.table_checksum) {
    return false;
  }
  if (writing(name)) return true;
  const auto found = state_->files.find(name);
  const bool same = found != state_->files.end() && found->second.header == header;
  if (found != state_->files.end() && (same || !found->second.partial)) return same;
  if (state_->publishing.contains(name)) return false;
  const auto row = state_->lost_rows.find(name);
  if (row != state_->lost_rows.end() && row->second != manifest_row(header)) return false;
  if (!state_->joins_neighbours(header)) return false;
  if (found != state_->files.end()) state_->drop_part(name);
  File file{header, std::move(table), {}, false, true};
  for (std::uint32_t chunk = 0; chunk < chunk_count(header); ++chunk) file.bad_chunks.push_back(chunk);
  state_->write_head_of_part(file);
  const bool complete = file.bad_chunks.empty();
  state_->files.emplace(name, std::move(file));
  if (complete) state_->fill(name);
  state_->advance(out);
  return true;
}

std::vector<std::uint32_t> SealedStore::missing(const SealedName& name) const {
  const auto found = state_->files.find(name);
  if (found == state_->files.end()) return {};
  std::vector<std::uint32_t> chunks = found->second.bad_chunks;
  if (const auto repairing = state_->repairing.find(name); repairing != state_->repairing.end()) {
    std::erase_if(chunks, [&repairing](std::uint32_t chunk) { return repairing->second.contains(chunk); });
  }
  return chunks;
}

bool SealedStore::put_chunk(const SealedName& name, std::uint32_t chunk, Bytes bytes, std::vector<IoOp>& out) {
  const auto found = state_->files.find(name);
  if (found == state_->files.end()) return false;
  File& file = found->second;
  const std::vector<std::uint32_t> wanted = missing(name);
  if (!std::binary_search(wanted.begin(), wanted.end(), chunk) || bytes.size() != chunk_length(file.header, chunk) ||
      chunk_checksum(chunk, bytes) != file.table[chunk]) {
    return false;
  }
  const std::string subject = file_name(name);
  const std::string target = file.partial ? part_name(name) : file_name(name, file.archived);
  state_->steps.write(subject, target, chunk_offset(file.header, chunk), std::move(bytes));
  if (file.partial) {
    std::erase(file.bad_chunks, chunk);
    if (file.bad_chunks.empty()) state_->fill(name);
  } else {
    state_->repairing[name].insert(chunk);
    state_->steps.sync(subject, target);
    state_->steps.reach(subject, Milestone::repaired, chunk);
  }
  state_->advance(out);
  return true;
}

void SealedStore::abandon(const SealedName& name, std::vector<IoOp>& out) {
  const auto found = state_->files.find(name);
  const bool fetching = found != state_->files.end() && found->second.partial;
  if (state_->publishing.contains(name) || (!fetching && !writing(name))) return;
  state_->drop_part(name);
  state_->advance(out);
}

void SealedStore::remove(const SealedName& name, std::vector<IoOp>& out) {
  check(recovered(), "nothing is removed before recovery has ended");
  const File* const file = state_->find_published(name);
  if (!file) return;
  const std::string subject = file_name(name);
  // A repair that waits for space must not hold up what makes space; an archive's rename decides which name is removed.
  if (!state_->archiving.contains(name)) state_->steps.drop(subject);
  state_->steps.remove(subject, file_name(name, file->archived));
  state_->steps.sync_dir(subject);
  state_->steps.reach(subject, Milestone::removed);
  state_->forget(name);
  state_->advance(out);
}

// --- transitions
// --------------------------------------------------------------------------------------------------------

void SealedStore::State::fill(const SealedName& name) {
  steps.sync(file_name(name), part_name(name));
  steps.reach(file_name(name), Milestone::filled);
}

void SealedStore::State::rename_part(const SealedName& name) {
  publishing.insert(name);
  steps.rename(file_name(name), part_name(name), file_name(name));
  steps.sync_dir(file_name(name));
  steps.reach(file_name(name), Milestone::published);
}

void SealedStore::State::write_head_of_part(const File& file) {
  const std::string subject = file_name(file.header.name);
  const std::string part = part_name(file.header.name);
  steps.write(subject, part, table_offset(file.header), encode_table(file.table));
  steps.write(subject, part, 0, encode(file.header));
  steps.sync(subject, part);
  steps.sync_dir(subject);
}

/// A temporary file was read back.
void SealedStore::State::on_inspected_part(Inspection& inspection) {
  const SealedName name = inspection.name();
  const auto own = writings.find(name);
  if (own != writings.end() && !inspection.bad_chunks().empty()) {
    // Its table stands: what did not get to the disk as it was given can come from a peer.
    files.emplace(name, File{*own->second.header, own->second.table, {}, false, true});
    writings.erase(own);
  }
  if (const auto fetch = files.find(name); fetch != files.end()) fetch->second.bad_chunks = inspection.bad_chunks();
  if (inspection.why() == Inspection::Why::resumption) {
    const File& file = files.at(name);
    trace(TraceKind::fetch_resumed, name, file.table.size() - file.bad_chunks.size());
    if (file.bad_chunks.empty()) fill(name);
    return;
  }
  if (!inspection.contradiction().empty()) {
    drop_part(name);
  } else if (inspection.bad_chunks().empty()) {
    if (own == writings.end()) {
      ready_indexes[name] = inspection.take_index();
    } else {
      Result<Bytes> index = encode_index(*own->second.header, own->second.indexed);
      check(index.has_value(), "a history written here holds what its header says");
      ready_indexes[name] = std::move(*index);
    }
    rename_part(name);
  }
}

void SealedStore::State::drop_part(const SealedName& name) {
  const std::string subject = file_name(name);
  cancel_inspections(name);
  steps.drop(subject);
  steps.remove(subject, part_name(name));
  steps.sync_dir(subject);
  writings.erase(name);
  files.erase(name);
}

void SealedStore::State::quarantine(const SealedName& name) {
  const std::string file = file_name(name, files.at(name).archived);
  const std::string subject = file_name(name);
  steps.rename(subject, file, damaged_name(file));
  steps.sync_dir(subject);
  steps.reach(subject, Milestone::quarantined);
  trace(TraceKind::file_damaged, name, static_cast<std::uint64_t>(name.kind), no_chunk);
  forget(name);
  miss(name, std::nullopt);
}

/// Of a published file: nothing about it counts any more.
void SealedStore::State::forget(const SealedName& name) {
  const SealedHeader& header = files.at(name).header;
  if (name.kind == SealedKind::history) {
    by_position.erase({name.group, header.last_position});
    history_ends.erase(name.group);
    derived.drop(index_file_name(name));
    derived.remove(index_file_name(name), derived_part_name(index_file_name(name)));
    derived.remove(index_file_name(name), index_file_name(name));
  }
  files.erase(name);
  repairing.erase(name);
  cancel_inspections(name);
  manifest_changed = true;
  archive_changed = true;
}

/// A published file is gone. A snapshot is not missed when there is a newer one.
void SealedStore::State::miss(const SealedName& name, std::optional<ManifestRow> row) {
  if (name.kind == SealedKind::snapshot) {
    for (auto at = files.upper_bound(name);
         at != files.end() && at->first.kind == name.kind && at->first.group == name.group; ++at) {
      if (!at->second.partial) return;
    }
  }
  lost.insert(name);
  if (row) lost_rows[name] = *row;
}

bool SealedStore::State::joins_neighbours(const SealedHeader& header) const {
  if (header.name.kind != SealedKind::history) return true;
  const auto is_neighbour = [&header](const auto& file) {
    return file.first.kind == SealedKind::history && file.first.group == header.name.group &&
           file.first != header.name && !file.second.partial;
  };
  for (auto after = files.upper_bound(header.name); after != files.end(); ++after) {
    if (!is_neighbour(*after)) continue;
    const SealedHeader& next = after->second.header;
    if (next.first <= header.name.last) return false;
    if (next.first == header.name.last.next() && next.chain_before != header.chain_after) return false;
    break;
  }
  for (auto before = files.lower_bound(header.name); before != files.begin();) {
    --before;
    if (!is_neighbour(*before)) continue;
    const SealedHeader& previous = before->second.header;
    if (previous.name.last >= header.first) return false;
    return previous.name.last.next() != header.first || previous.chain_after == header.chain_before;
  }
  return header.first.value != 1 || header.chain_before == Hash256();
}

const SealedStore::File* SealedStore::State::find_published(const SealedName& name) const {
  const auto found = files.find(name);
  return found == files.end() || found->second.partial ? nullptr : &found->second;
}

Index SealedStore::State::history_end(ShardId group) {
  const auto known = history_ends.find(group);
  if (known != history_ends.end()) return known->second;
  Index end;
  for (auto at = files.lower_bound({SealedKind::history, group, Index(0)});
       at != files.end() && at->first.kind == SealedKind::history && at->first.group == group; ++at) {
    if (at->second.partial) continue;
    if (at->second.header.first != end.next()) break;
    end = at->first.last;
  }
  history_ends[group] = end;
  return end;
}

}  // namespace coffer::log
