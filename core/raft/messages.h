// Raft's messages. Vocabulary and fields of the Raft thesis, figure 3.1 and sections 9.6 (pre-vote), 6.4 (reads) and
// 3.10 (TimeoutNow); the questions of an uncertain replica are our own (docs/PROTOCOLS.md).
// Grammar on the wire in messages.cc; decoders never crash, never read past the end.
#pragma once

#include <cstdint>
#include <variant>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/codec.h"
#include "core/base/entry.h"
#include "core/base/ids.h"
#include "core/base/time.h"
#include "core/raft/configuration.h"

namespace coffer::raft {

/// RequestVote; with `pre` a question only: nobody's term or vote changes.
struct VoteRequest {
  Term term;  ///< the candidate's term; for a pre-vote the term it would have
  bool pre = false;
  bool transfer =
      false;  ///< the leader wished it: a voter that hears its leader answers all the same. Never with `pre`
  Index last_index;
  Term last_term;
};
struct VoteReply {
  Term term;
  bool pre = false;
  bool granted = false;
};
/// What an append tells of its sender, on the sender's clock (core/raft/pulse.h). No vote, commitment or read depends
/// on it.
struct SignOfLife {
  Duration sent;     ///< when it left: since the sender was elected
  Duration unheard;  ///< for how long the sender had not heard a quorum then; at most `sent`
};
/// AppendEntries; without entries a heartbeat.
struct AppendRequest {
  Term term;
  Index prev_index;
  Term prev_term;
  Index commit;
  std::uint64_t round = 0;  ///< read round: echoed by the reply, so that the leader knows which heartbeat was answered
  std::vector<Entry> entries;
  SignOfLife sign = {};
};
struct AppendReply {
  Term term;
  bool success = false;
  /// success: highest index known to match the leader's log; else a hint: the leader should continue at or below
  /// `match` + 1.
  Index match;
  std::uint64_t round = 0;
  bool uncertain = false;  ///< the follower may lack what it once acknowledged
  bool complete = true;    ///< the follower holds all sealed history: as a learner it may be promoted
};
/// The leader hands over: start an election now (section 3.10).
struct TimeoutNow {
  Term term;
};
/// An uncertain replica asks what it may have to hold before it votes again. Announces no term.
struct RecoveryRequest {
  Term term;
  std::uint64_t nonce = 0;  ///< of this start of the asker, and while it is bound of this question: answers to earlier
                            ///< ones say nothing
};
struct RecoveryReply {
  Term term;
  std::uint64_t nonce = 0;      ///< as asked
  bool leads = false;           ///< the answerer leads `term`
  bool uncertain = false;       ///< and is itself one that asks
  LogPlace last;                ///< where its log ends
  Configuration configuration;  ///< the one it uses
};

using Message =
    std::variant<VoteRequest, VoteReply, AppendRequest, AppendReply, TimeoutNow, RecoveryRequest, RecoveryReply>;

/// Terms and indexes beyond this are refused as malformed: no honest node gets there, and +1 can never overflow.
inline constexpr std::uint64_t number_max = std::uint64_t{1} << 62;

void encode(const Message& message, ByteWriter& out);
/// What an honest sender always satisfies: numbers within number_max, entries that continue prev_index without a gap in
/// terms that never fall, nothing later than the message's term, configurations that decode. The decoder refuses
/// everything else, and so does Raft.
bool well_formed(const Message& message);
/// Marks `in` as failed when the bytes are no well-formed message.
Message decode_message(ByteReader& in);
/// entry := index u64 | term u64 | kind u8 | payload blob. Shared with the stream's records and checked the same way.
void encode(const Entry& entry, ByteWriter& out);
Entry decode_entry(ByteReader& in);

}  // namespace coffer::raft
