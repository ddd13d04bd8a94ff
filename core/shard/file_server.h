// The giving side of file transfer: answers what other members ask about this replica's sealed files, and offers
// snapshots to those who lag behind a leader's log. Sealed files hold committed data only, so any member may give them.
// Reads through the store; keeps nothing but what is under way. Single-threaded.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <vector>

#include "core/base/ids.h"
#include "core/base/io.h"
#include "core/base/time.h"
#include "core/base/trace.h"
#include "core/log/sealed_store.h"
#include "core/shard/file_messages.h"

namespace coffer::shard {

/// What moving files brings about in one step.
struct FileOutput {
  struct Message {
    NodeId to;
    Bytes bytes;  ///< an encoded FilesMessage
  };
  std::vector<Message> messages;
  std::vector<IoOp> io;
  std::vector<TraceEvent> trace;
};

class FileServer {
 public:
  /// Reads of the store with this bit in their tag are a FileServer's.
  static constexpr std::uint64_t tag_bit = std::uint64_t{1} << 63;
  static constexpr std::size_t reads_per_peer_max = 8;  ///< more are not answered: who asked asks again

  /// `in_use_for`: how long after its last question a peer is taken to go on fetching. The store outlives this.
  FileServer(ShardId group, Duration in_use_for, log::SealedStore& store);

  void receive(NodeId from, const AskFile& ask, FileOutput& out) const;
  void receive(Instant now, NodeId from, const WantChunk& want, FileOutput& out);
  /// Offers the newest snapshot, unless `to` is fetching one, or was offered this one a short while ago.
  void offer_snapshot(Instant now, NodeId to, FileOutput& out);
  /// What the store read. False: asked by somebody else.
  bool give(const log::SealedStore::ReadChunk& chunk, FileOutput& out);

  /// Snapshots that peers are fetching from here.
  std::set<Index> snapshots_in_use(Instant now) const;

 private:
  struct Reading {
    NodeId to;
    ChunkName name;
  };
  /// A snapshot a peer has been offered or asks chunks of.
  struct Following {
    Index snapshot;
    bool fetches = false;
    Instant until;
  };
  const log::SealedStore::File* find(const ChunkName& name) const;
  void send_offer(NodeId to, const AskFile& ask, const log::SealedStore::File* file, FileOutput& out) const;
  const log::SealedStore::File* next_file(const AskFile& ask) const;

  ShardId group_;
  Duration in_use_for_;
  log::SealedStore& store_;
  std::map<std::uint64_t, Reading> readings_;  ///< tag -> for whom
  std::uint64_t last_tag_ = 0;
  std::map<NodeId, Following> following_;
};

}  // namespace coffer::shard
