#include "core/shard/file_server.h"

#include <algorithm>
#include <utility>

namespace coffer::shard {

using log::SealedKind;
using log::SealedName;
using log::SealedStore;

FileServer::FileServer(ShardId group, Duration in_use_for, SealedStore& store)
    : group_(group), in_use_for_(in_use_for), store_(store) {}

/// The file an offer names; null if there is none.
const SealedStore::File* FileServer::next_file(const AskFile& ask) const {
  if (!store_.recovered()) return nullptr;
  if (ask.kind == SealedKind::snapshot) {
    const std::optional<SealedName> newest = store_.newest(SealedKind::snapshot, group_);
    return newest && newest->last > ask.after ? &store_.files().at(*newest) : nullptr;
  }
  for (auto at = store_.files().upper_bound({ask.kind, group_, ask.after}); at != store_.files().end(); ++at) {
    if (at->first.kind != ask.kind || at->first.group != group_) break;
    if (at->second.partial) continue;
    if (ask.kind == SealedKind::attic) return &at->second;  // there need not be one for every epoch
    return at->second.header.first <= ask.after.next() ? &at->second : nullptr;
  }
  return nullptr;
}

void FileServer::send_offer(NodeId to, const AskFile& ask, const SealedStore::File* file, FileOutput& out) const {
  OfferFile offer{ask.kind, ask.after, {}, {}};
  if (file != nullptr) {
    offer.header = file->header;
    offer.table = file->table;
  }
  out.messages.push_back({to, encode(FilesMessage{group_, std::move(offer)})});
}

void FileServer::receive(NodeId from, const AskFile& ask, FileOutput& out) const {
  send_offer(from, ask, next_file(ask), out);
}

void FileServer::offer_snapshot(Instant now, NodeId to, FileOutput& out) {
  const AskFile unasked{SealedKind::snapshot, Index()};
  const SealedStore::File* const file = next_file(unasked);
  if (file == nullptr) return;
  Following& following = following_[to];
  const bool is_recent = now < following.until;
  if (is_recent && (following.fetches || following.snapshot == file->header.name.last)) return;
  following = {file->header.name.last, false, now + in_use_for_};
  send_offer(to, unasked, file, out);
}

const SealedStore::File* FileServer::find(const ChunkName& name) const {
  if (!store_.recovered()) return nullptr;
  const auto found = store_.files().find({name.kind, group_, name.last});
  if (found == store_.files().end() || found->second.partial) return nullptr;
  const bool is_it =
      found->second.header.table_checksum == name.table_checksum && name.chunk < found->second.table.size();
  return is_it ? &found->second : nullptr;
}

void FileServer::receive(Instant now, NodeId from, const WantChunk& want, FileOutput& out) {
  if (find(want.name) == nullptr) {
    out.messages.push_back({from, encode(FilesMessage{group_, GiveChunk{want.name, {}}})});
    return;
  }
  if (want.name.kind == SealedKind::snapshot) following_[from] = {want.name.last, true, now + in_use_for_};
  const auto reads = std::count_if(readings_.begin(), readings_.end(),
                                   [from](const auto& reading) { return reading.second.to == from; });
  if (static_cast<std::size_t>(reads) >= reads_per_peer_max) return;
  const std::uint64_t tag = tag_bit | ++last_tag_;
  readings_.emplace(tag, Reading{from, want.name});
  store_.read_chunk({want.name.kind, group_, want.name.last}, want.name.chunk, tag, out.io);
}

bool FileServer::give(const SealedStore::ReadChunk& chunk, FileOutput& out) {
  const auto reading = readings_.find(chunk.tag);
  if (chunk.name.group != group_ || reading == readings_.end()) return false;
  GiveChunk give{reading->second.name, {}};
  if (chunk.sound) give.bytes.assign(view(chunk.bytes).begin(), view(chunk.bytes).end());
  out.messages.push_back({reading->second.to, encode(FilesMessage{group_, std::move(give)})});
  readings_.erase(reading);
  return true;
}

std::set<Index> FileServer::snapshots_in_use(Instant now) const {
  std::set<Index> in_use;
  for (const auto& [peer, following] : following_) {
    if (now < following.until) in_use.insert(following.snapshot);
  }
  return in_use;
}

}  // namespace coffer::shard
