// The messages' grammar. Every number is little-endian; a u64 that is a term, an index, a round or a time is at most
// number_max.
//
//   message          := kind u8 | one of the following, by kind
//   vote_request     := 1: term u64 | pre bool | transfer bool | last_index u64 | last_term u64
//   vote_reply       := 2: term u64 | pre bool | granted bool
//   append_request   := 3: term u64 | prev_index u64 | prev_term u64 | commit u64 | round u64
//                       | sent u64 | unheard u64 | count u32 | entry[count]         (nanoseconds; unheard <= sent)
//   append_reply     := 4: term u64 | success bool | match u64 | round u64 | uncertain bool | complete bool
//   timeout_now      := 5: term u64
//   recovery_request := 6: term u64 | nonce u64                                     (a nonce is any u64)
//   recovery_reply   := 7: term u64 | nonce u64 | leads bool | uncertain bool | last_index u64 | last_term u64
//                       | configuration                                             (configuration.cc)
//   entry            := index u64 | term u64 | kind u8 | payload blob    (kind: 0 state, 1 configuration; an empty
//                                                                         payload of kind 0 is a new leader's no-op)
//   bool             := u8, 0 or 1
#include "core/raft/messages.h"

#include <memory>

namespace coffer::raft {
namespace {

enum class Kind : std::uint8_t {
  vote_request = 1,
  vote_reply = 2,
  append_request = 3,
  append_reply = 4,
  timeout_now = 5,
  recovery_request = 6,
  recovery_reply = 7,
};

constexpr std::size_t entry_size_min = 8 + 8 + 1 + 4;  // bytes

std::uint64_t number(ByteReader& in) {
  const std::uint64_t value = in.u64();
  if (value > number_max) {
    in.fail();
    return 0;
  }
  return value;
}

bool boolean(ByteReader& in) {
  const std::uint8_t value = in.u8();
  if (value > 1) {
    in.fail();
  }
  return value == 1;
}

Duration duration(ByteReader& in) { return nanoseconds(static_cast<std::int64_t>(number(in))); }

struct Encoder {
  ByteWriter& out;

  void operator()(const VoteRequest& m) const {
    begin(Kind::vote_request, m.term);
    out.u8(m.pre);
    out.u8(m.transfer);
    out.id(m.last_index);
    out.id(m.last_term);
  }
  void operator()(const VoteReply& m) const {
    begin(Kind::vote_reply, m.term);
    out.u8(m.pre);
    out.u8(m.granted);
  }
  void operator()(const AppendRequest& m) const {
    begin(Kind::append_request, m.term);
    out.id(m.prev_index);
    out.id(m.prev_term);
    out.id(m.commit);
    out.u64(m.round);
    out.u64(static_cast<std::uint64_t>(m.sign.sent.nanos));
    out.u64(static_cast<std::uint64_t>(m.sign.unheard.nanos));
    check(m.entries.size() <= UINT32_MAX, "an append's entries are counted in 32 bits");
    out.u32(static_cast<std::uint32_t>(m.entries.size()));
    for (const Entry& entry : m.entries) {
      encode(entry, out);
    }
  }
  void operator()(const AppendReply& m) const {
    begin(Kind::append_reply, m.term);
    out.u8(m.success);
    out.id(m.match);
    out.u64(m.round);
    out.u8(m.uncertain);
    out.u8(m.complete);
  }
  void operator()(const TimeoutNow& m) const { begin(Kind::timeout_now, m.term); }
  void operator()(const RecoveryRequest& m) const {
    begin(Kind::recovery_request, m.term);
    out.u64(m.nonce);
  }
  void operator()(const RecoveryReply& m) const {
    begin(Kind::recovery_reply, m.term);
    out.u64(m.nonce);
    out.u8(m.leads);
    out.u8(m.uncertain);
    out.id(m.last.index);
    out.id(m.last.term);
    encode(m.configuration, out);
  }

  void begin(Kind kind, Term term) const {
    out.u8(static_cast<std::uint8_t>(kind));
    out.id(term);
  }
};

VoteRequest decode_vote_request(ByteReader& in) {
  VoteRequest m;
  m.term = Term(number(in));
  m.pre = boolean(in);
  m.transfer = boolean(in);
  m.last_index = Index(number(in));
  m.last_term = Term(number(in));
  return m;
}

VoteReply decode_vote_reply(ByteReader& in) {
  VoteReply m;
  m.term = Term(number(in));
  m.pre = boolean(in);
  m.granted = boolean(in);
  return m;
}

AppendRequest decode_append_request(ByteReader& in) {
  AppendRequest m;
  m.term = Term(number(in));
  m.prev_index = Index(number(in));
  m.prev_term = Term(number(in));
  m.commit = Index(number(in));
  m.round = number(in);
  m.sign.sent = duration(in);
  m.sign.unheard = duration(in);
  const std::uint32_t count = in.u32();
  if (count > in.remaining() / entry_size_min) {  // before anything is reserved for a lie
    in.fail();
    return m;
  }
  m.entries.reserve(count);
  for (std::uint32_t i = 0; i < count && in.ok(); ++i) {
    m.entries.push_back(decode_entry(in));
  }
  return m;
}

AppendReply decode_append_reply(ByteReader& in) {
  AppendReply m;
  m.term = Term(number(in));
  m.success = boolean(in);
  m.match = Index(number(in));
  m.round = number(in);
  m.uncertain = boolean(in);
  m.complete = boolean(in);
  return m;
}

RecoveryRequest decode_recovery_request(ByteReader& in) {
  RecoveryRequest m;
  m.term = Term(number(in));
  m.nonce = in.u64();
  return m;
}

RecoveryReply decode_recovery_reply(ByteReader& in) {
  RecoveryReply m;
  m.term = Term(number(in));
  m.nonce = in.u64();
  m.leads = boolean(in);
  m.uncertain = boolean(in);
  m.last.index = Index(number(in));
  m.last.term = Term(number(in));
  m.configuration = decode_configuration(in);
  return m;
}

Message decode_fields(ByteReader& in) {
  const std::uint8_t kind = in.u8();
  switch (Kind{kind}) {
    case Kind::vote_request:
      return decode_vote_request(in);
    case Kind::vote_reply:
      return decode_vote_reply(in);
    case Kind::append_request:
      return decode_append_request(in);
    case Kind::append_reply:
      return decode_append_reply(in);
    case Kind::timeout_now:
      return TimeoutNow{Term(number(in))};
    case Kind::recovery_request:
      return decode_recovery_request(in);
    case Kind::recovery_reply:
      return decode_recovery_reply(in);
  }
  in.fail();
  return VoteReply{};
}

/// (0, 0) is the place before the first entry; everything else has both numbers.
bool names_a_place(Index index, Term term) { return (index.value == 0) == (term.value == 0); }

bool in_range(std::uint64_t value) { return value <= number_max; }

bool in_range(const SignOfLife& sign) {
  return sign.unheard >= Duration{} && sign.unheard <= sign.sent &&
         in_range(static_cast<std::uint64_t>(sign.sent.nanos));
}

struct Judge {
  bool operator()(const VoteRequest& m) const {
    return in_range(m.term.value) && in_range(m.last_index.value) && names_a_place(m.last_index, m.last_term) &&
           m.last_term < m.term && !(m.pre && m.transfer);
  }
  bool operator()(const VoteReply& m) const { return in_range(m.term.value); }
  bool operator()(const AppendRequest& m) const {
    if (!in_range(m.term.value) || !in_range(m.prev_index.value) || !in_range(m.commit.value) || !in_range(m.round) ||
        !in_range(m.sign) || m.term.value == 0 || !names_a_place(m.prev_index, m.prev_term)) {
      return false;
    }
    Index index = m.prev_index;
    Term term = m.prev_term;
    for (const Entry& entry : m.entries) {
      if (entry.index != index.next() || entry.term < term || entry.term.value == 0 || !in_range(entry.index.value) ||
          (entry.kind == EntryKind::configuration && !decode_configuration(view(entry.payload)))) {
        return false;
      }
      index = entry.index;
      term = entry.term;
    }
    return term <= m.term;
  }
  bool operator()(const AppendReply& m) const {
    return in_range(m.term.value) && in_range(m.match.value) && in_range(m.round);
  }
  bool operator()(const TimeoutNow& m) const { return in_range(m.term.value) && m.term.value > 0; }
  bool operator()(const RecoveryRequest& m) const { return in_range(m.term.value); }
  bool operator()(const RecoveryReply& m) const {
    return in_range(m.term.value) && in_range(m.last.index.value) && names_a_place(m.last.index, m.last.term) &&
           m.last.term <= m.term && well_formed(m.configuration);
  }
};

}  // namespace

bool well_formed(const Message& message) { return std::visit(Judge{}, message); }

void encode(const Message& message, ByteWriter& out) { std::visit(Encoder{out}, message); }

Message decode_message(ByteReader& in) {
  Message message = decode_fields(in);
  if (in.ok() && !well_formed(message)) {
    in.fail();
  }
  return message;
}

void encode(const Entry& entry, ByteWriter& out) {
  out.id(entry.index);
  out.id(entry.term);
  out.u8(static_cast<std::uint8_t>(entry.kind));
  out.blob(view(entry.payload));
}

Entry decode_entry(ByteReader& in) {
  Entry entry;
  entry.index = Index(number(in));
  entry.term = Term(number(in));
  const std::uint8_t kind = in.u8();
  if (kind > static_cast<std::uint8_t>(EntryKind::configuration)) {
    in.fail();
  }
  entry.kind = EntryKind{kind};
  const ByteView payload = in.blob();
  if (!payload.empty()) {
    entry.payload = std::make_shared<Bytes>(payload.begin(), payload.end());
  }
  return entry;
}

}  // namespace coffer::raft
