// What goes on by itself: milestones of steps, derived files, the archive, scrubbing, and going on after a full disk.
#include <algorithm>
#include <utility>

#include "core/base/check.h"
#include "core/log/archive.h"
#include "core/log/sealed_state.h"

namespace coffer::log {
namespace {

constexpr std::size_t derived_write_max = 256u << 10;

}  // namespace

void SealedStore::maintain(Instant now, Stamp newest, std::vector<IoOp>& out, std::vector<TraceEvent>& trace) {
  if (recovered()) {
    if (!paused()) {
      state_->retry_at = now + state_->limits.retry_interval;
    } else if (now >= state_->retry_at) {
      state_->steps.retry(out);
      state_->derived.retry(out);
      state_->retry_at = now + state_->limits.retry_interval;
    }
    state_->archive_due(newest);
    if (state_->manifest_changed && !state_->derived.busy(manifest_file)) state_->write_manifest();
    state_->scrub(now, out);
    state_->advance(out);
  }
  trace.insert(trace.end(), state_->traces.begin(), state_->traces.end());
  state_->traces.clear();
}

Instant SealedStore::wake_at() const {
  if (!recovered()) return never;
  if (state_->manifest_changed && !state_->derived.busy(manifest_file)) return Instant{};
  Instant wake = state_->scrub_read != 0 ? never : state_->scrub_at;
  if (paused()) wake = std::min(wake, state_->retry_at);
  return wake;
}

bool SealedStore::paused() const { return state_->paused(); }

void SealedStore::State::trace(TraceKind kind, const SealedName& name, std::uint64_t a, std::uint64_t b) {
  traces.push_back({.kind = kind, .shard = name.group, .index = name.last, .a = a, .b = b});
}

void SealedStore::State::advance(std::vector<IoOp>& out) {
  bool moved = true;
  while (moved && !failed()) {
    steps.pump(out);
    derived.pump(out);
    std::vector<Reached> reached = steps.take_reached();
    for (Reached& of_derived : derived.take_reached()) reached.push_back(std::move(of_derived));
    for (const Reached& milestone : reached) on_reached(milestone);
    moved = !reached.empty();
    moved = advance_inspections(out) || moved;
  }
}

void SealedStore::State::on_reached(const Reached& reached) {
  const std::optional<FoundName> found = parse_file_name(reached.subject);
  switch (reached.milestone) {
    case Milestone::filled:
      if (found->name.kind != SealedKind::history) {
        rename_part(found->name);
      } else {
        const auto own = writings.find(found->name);
        const bool is_own = own != writings.end();
        const SealedHeader& header = is_own ? *own->second.header : files.at(found->name).header;
        const auto& table = is_own ? own->second.table : files.at(found->name).table;
        const auto why = is_own ? Inspection::Why::written : Inspection::Why::publication;
        inspect(Inspection(why, header, table, count_positions));
      }
      break;
    case Milestone::published:
      on_published(found->name);
      break;
    case Milestone::repaired:
      on_repaired(found->name, static_cast<std::uint32_t>(reached.number));
      break;
    case Milestone::archived:
      archiving.erase(found->name);
      trace(TraceKind::archived, found->name, static_cast<std::uint64_t>(found->name.kind));
      break;
    case Milestone::opened:
      names_durable = true;
      break;
    case Milestone::rewritten:
      trace(TraceKind::file_repaired, found->name, static_cast<std::uint64_t>(found->name.kind));
      break;
    case Milestone::quarantined:
    case Milestone::removed:
    case Milestone::derived:
      break;
  }
}

void SealedStore::State::on_published(const SealedName& name) {
  publishing.erase(name);
  if (const auto own = writings.find(name); own != writings.end()) {
    files.emplace(name, File{std::move(*own->second.header), std::move(own->second.table), {}, false, false});
    writings.erase(own);
  }
  File& file = files.at(name);
  file.partial = false;
  std::erase_if(lost, [&name](const SealedName& gone) {
    // A newer snapshot stands for the older ones.
    return gone == name ||
           (name.kind == SealedKind::snapshot && gone.kind == name.kind && gone.group == name.group && gone < name);
  });
  std::erase_if(lost_rows, [this](const auto& row) { return !lost.contains(row.first); });
  published.push_back(name);
  manifest_changed = true;
  archive_changed = true;
  const bool is_history = name.kind == SealedKind::history;
  const TraceKind told = is_history                       ? TraceKind::history_published
                         : name.kind == SealedKind::attic ? TraceKind::attic_published
                                                          : TraceKind::snapshot_published;
  traces.push_back({.kind = told,
                    .shard = name.group,
                    .term = file.header.last_term,
                    .index = name.last,
                    .a = is_history ? file.header.first.value : file.header.table_checksum});
  if (!is_history) return;
  history_ends.erase(name.group);
  if (file.header.last_position >= file.header.first_position) {
    by_position[{name.group, file.header.last_position}] = name;
  }
  if (const auto index = ready_indexes.find(name); index != ready_indexes.end()) {
    write_index(name, std::move(index->second));
    ready_indexes.erase(index);
  }
}

void SealedStore::State::on_repaired(const SealedName& name, std::uint32_t chunk) {
  const auto found = files.find(name);
  if (found == files.end()) return;  // quarantined meanwhile
  std::set<std::uint32_t>& chunks = repairing[name];
  chunks.erase(chunk);
  if (chunks.empty()) repairing.erase(name);
  std::erase(found->second.bad_chunks, chunk);
  if (!found->second.bad_chunks.empty()) return;
  trace(TraceKind::file_repaired, name, static_cast<std::uint64_t>(name.kind));
  published.push_back(name);
  archive_changed = true;
  if (name.kind == SealedKind::history) request_index(name);  // it could not be built while a chunk was damaged
}

// --- derived files --------------------------------------------------------------------------------------------------

void SealedStore::State::write_index(const SealedName& name, Bytes index) {
  const std::string file = index_file_name(name);
  const std::string part = derived_part_name(file);
  if (derived.busy(file)) return;  // the same bytes are under way
  derived.remove(file, part);
  for (std::size_t at = 0; at < index.size(); at += derived_write_max) {
    const ByteView piece = ByteView(index).subspan(at, std::min(derived_write_max, index.size() - at));
    derived.write(file, part, at, Bytes(piece.begin(), piece.end()));
  }
  derived.sync(file, part);
  derived.rename(file, part, file);
  derived.sync_dir(file);
  derived.reach(file, Milestone::derived);
}

Manifest SealedStore::State::manifest_now() const {
  Manifest manifest = lost_rows;
  for (const auto& [name, file] : files) {
    if (!file.partial) manifest[name] = manifest_row(file.header);
  }
  return manifest;
}

void SealedStore::State::write_manifest() {
  manifest_changed = false;
  const std::string file = manifest_file;
  const std::string part = derived_part_name(file);
  derived.remove(file, part);
  derived.write(file, part, 0, encode(manifest_now(), cluster));
  derived.sync(file, part);
  derived.rename(file, part, file);
  derived.sync_dir(file);
  derived.reach(file, Milestone::derived);
}

// --- archive and scrubbing ------------------------------------------------------------------------------------------

void SealedStore::State::archive_due(Stamp newest) {
  if (!archive_changed && newest < archive_at) return;
  archive_changed = false;
  archive_at = Stamp{INT64_MAX};
  std::vector<ArchiveCandidate> histories;
  for (const auto& [name, file] : files) {
    if (name.kind != SealedKind::history || file.partial || file.archived || !file.bad_chunks.empty()) continue;
    histories.push_back({name, sealed_size(file.header), file.header.last_stamp});
    const __int128 due = static_cast<__int128>(file.header.last_stamp.nanos) + limits.history_age_max.nanos + 1;
    if (due < archive_at.nanos) archive_at = Stamp{static_cast<std::int64_t>(due)};
  }
  for (const SealedName& name :
       due_for_archive(std::move(histories), {limits.history_bytes_max, limits.history_age_max}, newest)) {
    files.at(name).archived = true;
    archiving.insert(name);
    steps.rename(file_name(name), file_name(name), file_name(name, true));
    steps.sync_dir(file_name(name));
    steps.reach(file_name(name), Milestone::archived);
    archive_changed = true;  // archive_at is to be that of the rest
  }
}

void SealedStore::State::scrub(Instant now, std::vector<IoOp>& out) {
  if (scrub_read != 0 || now < scrub_at || (scrubbing && archiving.contains(scrubbing->name()))) return;
  scrub_at = now + limits.scrub_interval;
  if (!scrubbing) {
    auto at = scrubbed ? files.upper_bound(*scrubbed) : files.begin();
    while (at != files.end() && (at->second.partial || archiving.contains(at->first))) ++at;
    if (at == files.end()) {
      scrubbed.reset();
      scrub_at = now + limits.scrub_period;
      return;
    }
    scrubbing.emplace(Inspection::Why::scrub, at->second.header, at->second.table, count_positions);
  }
  if (scrubbing->next()) {
    scrub_read = read_for(*scrubbing, SealedRead::By::scrub, out);
    return;
  }
  Inspection inspection = std::move(*scrubbing);
  scrubbing.reset();
  scrubbed = inspection.name();
  on_inspected(inspection);
}

}  // namespace coffer::log
