// From what a directory holds to what the store knows of it: what counts, what is set aside, what is missed, what is
// only a remnant. All changes are renames and removals, made durable together before recovery ends; each of them may
// or may not have happened after a crash, and the next start comes to the same judgement.
#include <map>

#include "core/log/sealed_state.h"

namespace coffer::log {
namespace {

const std::string opening_subject = ".";

}  // namespace

void SealedStore::State::adopt_published(const OpenedFile& file, std::set<SealedName>& damaged) {
  const SealedName& name = file.found.name;
  const std::optional<Manifest>& manifest = opening.directory().manifest;
  bool sound = file.sound;
  if (sound && manifest) {
    const auto row = manifest->find(name);
    sound = row == manifest->end() || row->second == manifest_row(file.header);
  }
  const auto twin = files.find(name);
  if (sound && twin != files.end() && twin->second.header == file.header) {
    // Archived, and the old name came back or was never taken away: one of the two names is enough.
    steps.remove(opening_subject, file.file);
  } else if (sound && twin == files.end()) {
    files.emplace(name, File{file.header, file.table, {}, file.found.role == FileRole::archived, false});
  } else {
    steps.rename(opening_subject, file.file, damaged_name(file.file));
    damaged.insert(name);
    trace(TraceKind::file_damaged, name, static_cast<std::uint64_t>(name.kind), no_chunk);
  }
}

void SealedStore::State::adopt_part(const OpenedFile& file) {
  const SealedName& name = file.found.name;
  const auto row = lost_rows.find(name);
  const bool is_what_was_lost = row == lost_rows.end() || row->second == manifest_row(file.header);
  if (file.sound && !files.contains(name) && is_what_was_lost) {
    files.emplace(name, File{file.header, file.table, {}, false, true});
  } else {
    steps.remove(opening_subject, file.file);
  }
}

void SealedStore::State::miss_what_the_manifest_names(const std::set<SealedName>& damaged) {
  const std::optional<Manifest>& manifest = opening.directory().manifest;
  if (manifest) {
    for (const auto& [name, row] : *manifest) {
      if (files.contains(name)) continue;
      if (!damaged.contains(name)) {
        trace(TraceKind::file_damaged, name, static_cast<std::uint64_t>(name.kind), no_chunk);
      }
      miss(name, row);
    }
  }
  for (const SealedName& name : damaged) {
    if (!files.contains(name) && !lost.contains(name)) miss(name, std::nullopt);
  }
}

void SealedStore::State::remove_remnants() {
  for (const std::string& remnant : opening.directory().remnants) steps.remove(opening_subject, remnant);
  for (const SealedName& name : opening.directory().indexes) {
    if (!find_published(name)) steps.remove(opening_subject, index_file_name(name));
  }
}

void SealedStore::State::inspect_what_was_found() {
  std::map<ShardId, SealedName> newest_snapshots;
  for (const auto& [name, file] : files) {
    if (name.kind == SealedKind::snapshot && !file.partial) newest_snapshots[name.group] = name;
  }
  for (const auto& [group, name] : newest_snapshots) {
    // A chunk may have been repaired just before the process died: what is read now must not be lost again.
    steps.sync(opening_subject, file_name(name));
    inspect(Inspection(Inspection::Why::recovery, files.at(name).header, files.at(name).table, count_positions));
    ++to_inspect;
  }
  for (const auto& [name, file] : files) {
    if (!file.partial) continue;
    // Its sync may have failed, and then no later one writes what is read now: so it is written again, chunk by chunk.
    write_head_of_part(file);
    inspect(Inspection(Inspection::Why::resumption, file.header, file.table, count_positions));
    ++to_inspect;
  }
  for (const auto& [name, file] : files) {
    if (name.kind != SealedKind::history || file.partial) continue;
    if (file.header.last_position >= file.header.first_position) {
      by_position[{name.group, file.header.last_position}] = name;
    }
    if (!opening.directory().indexes.contains(name)) request_index(name);
  }
}

void SealedStore::State::settle() {
  settled = true;
  const OpenedDirectory& directory = opening.directory();
  std::set<SealedName> damaged;
  for (const OpenedFile& file : directory.files) {  // names ascending: "archive-…" before "history-…"
    if (file.is_there && file.found.role != FileRole::part) adopt_published(file, damaged);
  }
  miss_what_the_manifest_names(damaged);
  for (const OpenedFile& file : directory.files) {
    if (file.is_there && file.found.role == FileRole::part) adopt_part(file);
  }
  remove_remnants();
  inspect_what_was_found();
  // ... or got its name.
  steps.sync_dir(opening_subject);
  steps.reach(opening_subject, Milestone::opened);
  manifest_changed = directory.manifest.value_or(Manifest()) != manifest_now();
  if (directory.manifest_damaged) {
    manifest_changed = true;
    traces.push_back({.kind = TraceKind::file_damaged, .a = manifest_kind, .b = no_chunk});
  }
}

const std::string& SealedStore::State::current_failure() const {
  if (!failure.empty()) return failure;
  if (!steps.failure().empty()) return steps.failure();
  return derived.failure();
}

}  // namespace coffer::log
