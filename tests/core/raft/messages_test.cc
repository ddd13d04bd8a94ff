// The messages' grammar: round trips on arbitrary messages, robustness on arbitrary bytes, and the bytes themselves.
#include "core/raft/messages.h"

#include <string>

#include <catch2/catch.hpp>
#include <rapidcheck.h>

#include "tests/core/raft/replica.h"

namespace coffer::raft::test {
namespace {

Bytes encoded(const Message& message) {
  Bytes bytes;
  ByteWriter out(bytes);
  encode(message, out);
  return bytes;
}

std::string hex(ByteView bytes) {
  const char* const digits = "0123456789abcdef";
  std::string text;
  for (const std::byte byte : bytes) {
    text += digits[std::to_integer<unsigned>(byte) >> 4];
    text += digits[std::to_integer<unsigned>(byte) & 15];
  }
  return text;
}

std::uint64_t arbitrary_number(std::uint64_t low) {
  const std::uint64_t wide = *rc::gen::inRange<std::uint64_t>(low, number_max + 1);
  const std::uint64_t narrow = *rc::gen::inRange<std::uint64_t>(low, low + 5);
  return *rc::gen::element(wide, narrow, low, number_max);
}

/// Each of a few nodes is nothing, a voter, outgoing, both, or a learner; at least one votes.
Configuration arbitrary_configuration() {
  Configuration made;
  const auto roles =
      *rc::gen::container<std::vector<int>>(*rc::gen::inRange<std::size_t>(1, 12), rc::gen::inRange(0, 5));
  for (std::size_t i = 0; i < roles.size(); ++i) {
    const NodeId node(static_cast<std::uint32_t>(i + 1));
    if (roles[i] == 1 || roles[i] == 3) made.voters.push_back(node);
    if (roles[i] == 2 || roles[i] == 3) made.outgoing.push_back(node);
    if (roles[i] == 4) made.learners.push_back(node);
  }
  if (made.voters.empty()) made.voters.push_back(NodeId(99));
  return made;
}

AppendRequest arbitrary_append() {
  AppendRequest m;
  m.prev_index = Index(*rc::gen::inRange<std::uint64_t>(0, number_max - 100));
  m.prev_term = Term(m.prev_index.value == 0 ? 0 : *rc::gen::inRange<std::uint64_t>(1, number_max / 2));
  m.commit = Index(arbitrary_number(0));
  m.round = arbitrary_number(0);
  const std::uint64_t sent = arbitrary_number(0);
  const std::uint64_t unheard = *rc::gen::inRange<std::uint64_t>(0, sent + 1);
  m.sign = {nanoseconds(static_cast<std::int64_t>(sent)), nanoseconds(static_cast<std::int64_t>(unheard))};
  Index index = m.prev_index;
  Term term(std::max<std::uint64_t>(m.prev_term.value, 1));
  for (const auto& bytes :
       *rc::gen::container<std::vector<std::vector<std::uint8_t>>>(rc::gen::arbitrary<std::vector<std::uint8_t>>())) {
    index = index.next();
    term = Term(term.value + *rc::gen::inRange<std::uint64_t>(0, 3));
    if (*rc::gen::inRange(0, 4) == 0) {
      m.entries.push_back(configuration_entry(index.value, term.value, arbitrary_configuration()));
      continue;
    }
    const auto view = std::as_bytes(std::span(bytes));
    m.entries.push_back({index, term, bytes.empty() ? nullptr : std::make_shared<Bytes>(view.begin(), view.end())});
  }
  m.term = Term(term.value + *rc::gen::inRange<std::uint64_t>(0, 3));
  return m;
}

RecoveryReply arbitrary_recovery_reply() {
  RecoveryReply m;
  m.term = Term(arbitrary_number(1));
  m.nonce = *rc::gen::arbitrary<std::uint64_t>();
  m.leads = *rc::gen::arbitrary<bool>();
  m.uncertain = *rc::gen::arbitrary<bool>();
  m.last.index = Index(arbitrary_number(0));
  m.last.term = Term(m.last.index.value == 0 ? 0 : *rc::gen::inRange<std::uint64_t>(1, m.term.value + 1));
  m.configuration = arbitrary_configuration();
  return m;
}

Message arbitrary_message() {
  switch (*rc::gen::inRange(0, 7)) {
    case 0: {
      VoteRequest m;
      m.term = Term(arbitrary_number(2));
      m.pre = *rc::gen::arbitrary<bool>();
      m.transfer = !m.pre && *rc::gen::arbitrary<bool>();
      m.last_index = Index(arbitrary_number(0));
      m.last_term = Term(m.last_index.value == 0 ? 0 : *rc::gen::inRange<std::uint64_t>(1, m.term.value));
      return m;
    }
    case 1:
      return VoteReply{Term(arbitrary_number(0)), *rc::gen::arbitrary<bool>(), *rc::gen::arbitrary<bool>()};
    case 2:
      return arbitrary_append();
    case 3:
      return TimeoutNow{Term(arbitrary_number(1))};
    case 4:
      return RecoveryRequest{Term(arbitrary_number(0)), *rc::gen::arbitrary<std::uint64_t>()};
    case 5:
      return arbitrary_recovery_reply();
    default:
      return AppendReply{Term(arbitrary_number(0)), *rc::gen::arbitrary<bool>(), Index(arbitrary_number(0)),
                         arbitrary_number(0),       *rc::gen::arbitrary<bool>(), *rc::gen::arbitrary<bool>()};
  }
}

TEST_CASE("property: a message read back is the message written (core/raft/messages.cc, grammar)") {
  REQUIRE(rc::check("decode after encode is the identity", [] {
    const Message message = arbitrary_message();
    RC_ASSERT(well_formed(message));
    const Bytes bytes = encoded(message);
    ByteReader in(bytes);
    const Message again = decode_message(in);
    RC_ASSERT(in.done());
    RC_ASSERT(again.index() == message.index());
    RC_ASSERT(encoded(again) == bytes);
    if (const auto* request = std::get_if<AppendRequest>(&message)) {
      const auto& read = std::get<AppendRequest>(again);
      RC_ASSERT(read.entries.size() == request->entries.size());
      for (std::size_t i = 0; i < read.entries.size(); ++i) {
        RC_ASSERT(read.entries[i].index == request->entries[i].index);
        RC_ASSERT(read.entries[i].term == request->entries[i].term);
        RC_ASSERT(read.entries[i].kind == request->entries[i].kind);
        RC_ASSERT(text(read.entries[i]) == text(request->entries[i]));
      }
      RC_ASSERT(read.prev_index == request->prev_index);
      RC_ASSERT(read.commit == request->commit);
      RC_ASSERT(read.sign.sent == request->sign.sent);
      RC_ASSERT(read.sign.unheard == request->sign.unheard);
    }
  }));
}

TEST_CASE("property: every proper prefix of a message is refused (core/raft/messages.cc, grammar)") {
  REQUIRE(rc::check("a short message fails", [] {
    const Bytes bytes = encoded(arbitrary_message());
    const auto length = *rc::gen::inRange<std::size_t>(0, bytes.size());
    ByteReader in(ByteView(bytes).first(length));
    decode_message(in);
    RC_ASSERT_FALSE(in.ok());
  }));
}

TEST_CASE("property: arbitrary bytes are refused or are exactly one message (core/raft/messages.cc, grammar)") {
  std::size_t accepted_count = 0;
  REQUIRE(rc::check("what decodes encodes to the same bytes and is well-formed", [&] {
    // Half of the inputs are messages with a few bytes changed: pure noise never gets past the first number.
    Bytes bytes;
    if (*rc::gen::arbitrary<bool>()) {
      bytes = encoded(arbitrary_message());
      for (int change = *rc::gen::inRange(0, 4); change > 0; --change) {
        bytes[*rc::gen::inRange<std::size_t>(0, bytes.size())] = std::byte{*rc::gen::arbitrary<std::uint8_t>()};
      }
    } else {
      for (const std::uint8_t byte : *rc::gen::arbitrary<std::vector<std::uint8_t>>()) bytes.push_back(std::byte{byte});
    }
    ByteReader in(bytes);
    const Message message = decode_message(in);
    if (in.ok()) {
      ++accepted_count;
      RC_ASSERT(well_formed(message));
      RC_ASSERT(encoded(message) == Bytes(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(in.position())));
    }
  }));
  CHECK(accepted_count > 0);
}

TEST_CASE("a count of entries that cannot be there is refused before anything is reserved (messages.cc, grammar)") {
  AppendRequest request = append_request(1, 0, 0, {});
  Bytes bytes = encoded(request);
  for (std::size_t i = bytes.size() - 4; i < bytes.size(); ++i) bytes[i] = std::byte{0xff};
  ByteReader in(bytes);
  decode_message(in);
  CHECK_FALSE(in.ok());
}

TEST_CASE("numbers beyond number_max, gaps and falling terms are refused (core/raft/messages.h)") {
  const auto refuses = [](const Message& message) {
    const Bytes bytes = encoded(message);
    ByteReader in(bytes);
    decode_message(in);
    return !in.ok() && !well_formed(message);
  };
  CHECK(refuses(vote_request(number_max + 1, 0, 0)));
  CHECK(refuses(vote_request(2, number_max + 1, 1)));
  CHECK(refuses(vote_request(2, 1, 2)));  // an entry of the term that is only being asked for
  CHECK(refuses(vote_request(2, 1, 0)));
  CHECK(refuses(vote_request(2, 0, 1)));
  CHECK(refuses(VoteReply{Term(number_max + 1), false, false}));
  CHECK(refuses(accepted(number_max + 1, 0)));
  CHECK(refuses(accepted(1, number_max + 1)));
  CHECK(refuses(accepted(1, 1, number_max + 1)));
  CHECK(refuses(append_request(0, 0, 0, {})));
  CHECK(refuses(append_request(1, 0, 0, {0})));
  CHECK(refuses(append_request(1, 1, 0, {})));
  CHECK(refuses(append_request(3, 1, 2, {1})));
  CHECK(refuses(append_request(3, 1, 4, {})));
  CHECK(refuses(append_request(3, 1, 2, {2, 4})));
  CHECK(refuses(append_request(3, number_max, 2, {2})));
  CHECK(refuses(append_request(3, 1, 2, {}, number_max + 1)));
  AppendRequest gap = append_request(3, 1, 2, {2, 2});
  gap.entries[1].index = Index(4);
  CHECK(refuses(gap));
  AppendRequest kind = append_request(3, 1, 2, {2});
  kind.entries[0].kind = EntryKind::configuration;  // of bytes that are none
  CHECK(refuses(kind));
  kind.entries[0] = configuration_entry(2, 2, configuration({1, 2}));
  CHECK_FALSE(refuses(kind));
  VoteRequest both = transfer_vote_request(3, 1, 1);
  both.pre = true;
  CHECK(refuses(both));
  AppendRequest early = append_request(3, 1, 2, {2});
  early.sign = {nanoseconds(4), nanoseconds(5)};  // it cannot have heard a quorum before its election
  CHECK(refuses(early));
  early.sign.sent = nanoseconds(5);
  CHECK_FALSE(refuses(early));
  CHECK(refuses(TimeoutNow{Term(0)}));
  CHECK(refuses(RecoveryRequest{Term(number_max + 1), 0}));
  CHECK(refuses(RecoveryReply{Term(3), 0, false, false, {Index(2), Term(4)}, configuration({1})}));
  CHECK(refuses(RecoveryReply{Term(3), 0, false, false, {Index(0), Term(3)}, configuration({1})}));
  CHECK_FALSE(refuses(append_request(3, 1, 2, {2, 3})));
}

TEST_CASE("the bytes of every message are what they were (core/raft/messages.cc, grammar)") {
  CHECK(hex(encoded(vote_request(3, 2, 1))) ==
        "01"
        "0300000000000000"
        "00"
        "00"
        "0200000000000000"
        "0100000000000000");
  CHECK(hex(encoded(transfer_vote_request(3, 2, 1))) ==
        "01"
        "0300000000000000"
        "00"
        "01"
        "0200000000000000"
        "0100000000000000");
  CHECK(hex(encoded(pre_vote_request(3, 2, 1))) ==
        "01"
        "0300000000000000"
        "01"
        "00"
        "0200000000000000"
        "0100000000000000");
  CHECK(hex(encoded(VoteReply{Term(3), true, true})) ==
        "02"
        "0300000000000000"
        "01"
        "01");
  AppendRequest append = append_request(3, 2, 1, {3}, 2);
  append.sign = {nanoseconds(7), nanoseconds(5)};
  CHECK(hex(encoded(append)) ==
        "03"
        "0300000000000000"
        "0200000000000000"
        "0100000000000000"
        "0200000000000000"
        "0000000000000000"
        "0700000000000000"
        "0500000000000000"
        "01000000"
        "0300000000000000"
        "0300000000000000"
        "00"
        "03000000"
        "334033");
  AppendRequest change = append_request(3, 2, 1, {});
  change.entries.push_back(configuration_entry(3, 3, configuration({1, 4}, {1, 2}, {5})));
  CHECK(hex(encoded(change)) ==
        "03"
        "0300000000000000"
        "0200000000000000"
        "0100000000000000"
        "0000000000000000"
        "0000000000000000"
        "0000000000000000"
        "0000000000000000"
        "01000000"
        "0300000000000000"
        "0300000000000000"
        "01"
        "17000000"
        "02"
        "01000000"
        "04000000"
        "02"
        "01000000"
        "02000000"
        "01"
        "05000000");
  CHECK(hex(encoded(accepted(3, 2, 1))) ==
        "04"
        "0300000000000000"
        "01"
        "0200000000000000"
        "0100000000000000"
        "00"
        "01");
  CHECK(hex(encoded(refused_uncertainly(3, 2))) ==
        "04"
        "0300000000000000"
        "00"
        "0200000000000000"
        "0000000000000000"
        "01"
        "01");
  CHECK(hex(encoded(TimeoutNow{Term(3)})) ==
        "05"
        "0300000000000000");
  CHECK(hex(encoded(RecoveryRequest{Term(3), 0xfedcba9876543210})) ==
        "06"
        "0300000000000000"
        "1032547698badcfe");
  CHECK(hex(encoded(RecoveryReply{Term(3), 7, true, false, {Index(2), Term(1)}, configuration({1, 2, 3})})) ==
        "07"
        "0300000000000000"
        "0700000000000000"
        "01"
        "00"
        "0200000000000000"
        "0100000000000000"
        "03"
        "01000000"
        "02000000"
        "03000000"
        "00"
        "00");
}

}  // namespace
}  // namespace coffer::raft::test
