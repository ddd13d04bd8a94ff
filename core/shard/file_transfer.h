// File transfer of one replica: gets the sealed files it lacks from other members of its group, one file at a time, and
// gives them its own (core/shard/file_server.h). Whoever lacks something pulls.
//
//   what is fetched, the most urgent first:
//     a snapshot      a leader offers one because its log begins later than this replica's ends, or the replica needs
//                     one
//     what is begun   files with damaged chunks; fetches that a restart interrupted
//     history         while this replica's history ends before its newest snapshot: the next file, in order
//     attic           while its runs do not reach to the rows it has in memory: the next one, in order
//
//   asking ──offer──> fetching ──all chunks there──> published by the store
//     └── no offer, no answer in time ──> the next member
//                       └── no chunk in time, wrong bytes, not there ──> the same chunks from the next member
//   no member can help: rest, then again; a snapshot begun is given up when a newer one is begun.
//
// Deterministic, sans-io: the store has the io, the caller the messages. Single-threaded.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "core/base/ids.h"
#include "core/base/time.h"
#include "core/log/sealed_store.h"
#include "core/shard/file_messages.h"
#include "core/shard/file_server.h"

namespace coffer::shard {

/// A file on its way here.
struct FileFetch {
  log::SealedKind kind = log::SealedKind::snapshot;
  Index after;                             ///< of the question
  std::optional<ChunkName> file;           ///< once known; its `chunk` is not used
  NodeId from;                             ///< who is being asked
  std::optional<Instant> answer_by;        ///< of the question, once asked
  std::map<std::uint32_t, Instant> asked;  ///< chunk -> to be here by
  std::size_t refusals = 0;                ///< members in a row that could not help
};

/// Runs of the attic are missing (core/attic/coverage.h).
struct AtticGap {
  Index after;              ///< the last run of those without a gap; 0: none
  std::uint64_t place = 0;  ///< at which the next one begins
  bool operator==(const AtticGap&) const = default;
};

class FileTransfer {
 public:
  struct Config {
    ShardId group;
    NodeId self;
    Duration timeout;          ///< for an answer, and between two looks at what is damaged
    std::uint32_t window = 4;  ///< chunks asked for and not here yet
  };

  /// The store outlives this.
  FileTransfer(Config config, log::SealedStore& store);

  /// Who may be asked: the members of the group's configuration; self is left out.
  void set_members(const std::vector<NodeId>& members);
  /// The state is the fold of the log up to here at least: snapshots up to here are not needed.
  void set_reached(Index reached);
  /// The replica cannot go on without a snapshot behind set_reached()'s index: asks for one. `base`: what its log
  /// stands on.
  void need_snapshot(LogPlace base);
  /// What the attic lacks, if anything.
  void set_attic_gap(std::optional<AtticGap> gap) { attic_gap_ = gap; }
  /// No member could help with what is missing or damaged of the attic, or there is no other member.
  bool attic_is_helpless() const { return members_.empty() || attic_refused_; }
  /// What the log of another replica stands on that has asked for a snapshot since the last call.
  std::optional<LogPlace> take_told_base() { return std::exchange(told_base_, std::nullopt); }
  /// Leader: `to` needs what is no longer in the log. May be called at every heartbeat.
  void offer_snapshot(Instant now, NodeId to, FileOutput& out) { server_.offer_snapshot(now, to, out); }

  void receive(Instant now, NodeId from, const FilesMessage& message, FileOutput& out);
  /// What the store read. False: asked by somebody else.
  bool give(const log::SealedStore::ReadChunk& chunk, FileOutput& out) { return server_.give(chunk, out); }
  /// The store has published, or repaired, this file of the group.
  void published(Instant now, const log::SealedName& name);
  /// Called every step: does what is due.
  void tick(Instant now, FileOutput& out);
  Instant wake_at() const;

  /// A snapshot ahead of set_reached()'s index that has been fetched and published since the last call: to be
  /// installed. Comes again when a leader offers it again before that.
  std::optional<log::SealedName> take_snapshot();
  bool fetching_snapshot() const { return fetch_ && fetch_->kind == log::SealedKind::snapshot; }
  bool fetching() const { return fetch_.has_value(); }
  /// Every entry up to the newest snapshot is in history files here: the replica may vote (design, section 5).
  bool complete() const;
  std::set<Index> snapshots_in_use(Instant now) const { return server_.snapshots_in_use(now); }

 private:
  log::SealedName name_of(const ChunkName& file) const { return {file.kind, config_.group, file.last}; }

  void choose(FileOutput& out);
  bool choose_begun();
  bool begins_in_gap(const log::SealedHeader& header) const;
  void begin(const log::SealedHeader& header);
  void go_on(Instant now, FileOutput& out);
  void ask(Instant now, FileOutput& out);
  void want_chunks(Instant now, FileOutput& out);
  void next_member(Instant now, FileOutput& out);
  void nobody_helps(Instant now);
  void finish(Instant now);
  Index snapshot_begun() const;
  void drop_passed_snapshot(FileOutput& out);
  void abandon_snapshots(Index up_to, FileOutput& out);
  void take_offer(Instant now, NodeId from, const OfferFile& offer, FileOutput& out);
  bool is_usable(const OfferFile& offer) const;
  void take_chunk(Instant now, NodeId from, const GiveChunk& give, FileOutput& out);

  Config config_;
  log::SealedStore& store_;
  FileServer server_;
  std::vector<NodeId> members_;  ///< ascending, without self
  NodeId helper_;                ///< whom to ask first: who helped last
  Index reached_;
  LogPlace base_;
  std::optional<LogPlace> told_base_;
  bool snapshot_needed_ = false;
  std::optional<AtticGap> attic_gap_;
  bool attic_refused_ = false;
  bool settle_for_any_ = false;  ///< nobody had the snapshot begun, nor a newer one
  std::optional<FileFetch> fetch_;
  Instant look_at_;                          ///< when to look for what to fetch, while nothing is being fetched
  std::optional<log::SealedName> helpless_;  ///< begun, and no member could help: others first
  std::optional<log::SealedName> fetched_;
};

}  // namespace coffer::shard
