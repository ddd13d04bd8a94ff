// One replica under test, spoken to by hand: the test plays its peers, its disk and its clock.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/raft/raft.h"

namespace coffer::raft::test {

inline constexpr Duration election_timeout = milliseconds(1000);
inline constexpr Duration heartbeat_interval = milliseconds(100);

SharedBytes payload(std::string_view text);
std::string text(const Entry& entry);
/// Entries of these terms from index `first` on; each payload names its index and term ("3@2").
std::vector<Entry> entries(std::uint64_t first, std::initializer_list<std::uint64_t> terms);

VoteRequest vote_request(std::uint64_t term, std::uint64_t last_index, std::uint64_t last_term);
/// The same by the leader's wish: a voter that hears its leader answers all the same.
VoteRequest transfer_vote_request(std::uint64_t term, std::uint64_t last_index, std::uint64_t last_term);
VoteRequest pre_vote_request(std::uint64_t term, std::uint64_t last_index, std::uint64_t last_term);
/// Entries of `terms` follow prev_index.
AppendRequest append_request(std::uint64_t term, std::uint64_t prev_index, std::uint64_t prev_term,
                             std::initializer_list<std::uint64_t> terms, std::uint64_t commit = 0);
AppendReply accepted(std::uint64_t term, std::uint64_t match, std::uint64_t round = 0);
AppendReply refused(std::uint64_t term, std::uint64_t hint, std::uint64_t round = 0);
/// The same by a follower that may have lost what it had acknowledged.
AppendReply refused_uncertainly(std::uint64_t term, std::uint64_t hint);

using Numbers = std::vector<std::uint32_t>;
std::vector<NodeId> nodes(const Numbers& numbers);
Configuration configuration(const Numbers& voters, const Numbers& outgoing = {}, const Numbers& learners = {});
Entry configuration_entry(std::uint64_t index, std::uint64_t term, const Configuration& configuration);

class Replica {
 public:
  struct Start {
    std::uint32_t members = 3;  ///< voters 1..members, unless `voters` says otherwise
    Numbers voters = {};
    Numbers learners = {};
    std::uint32_t self = 1;
    std::uint64_t term = 0;
    std::uint32_t vote = 0;
    std::initializer_list<std::uint64_t> log = {};  ///< terms, from behind the base
    LogPlace base = {};
    bool uncertain = false;
    LogPlace evidence = {};
    std::uint32_t append_bytes_max = 1 << 20;
    std::uint32_t appends_in_flight_max = 8;
    std::uint64_t window_bytes_max = 1 << 20;
    std::uint64_t seed = 1;
  };

  explicit Replica(Start start);
  Replica() : Replica(Start()) {}

  // Each call clears `out` first.
  void receive(std::uint32_t from, Message message);
  /// An append that left so long ago, of a leader that had not heard a quorum for `unheard` then. All appends that
  /// receive() hands over left right now.
  void receive_late(std::uint32_t from, AppendRequest request, Duration late, Duration unheard = {});
  void wait(Duration duration);  ///< and tick
  /// Until there is something to do; a second if there never is.
  void time_out() { wait(raft.wake_at() == never ? seconds(1) : raft.wake_at() - now); }
  /// Completes every write handed out so far.
  void sync();
  std::optional<Index> propose(std::string_view text);
  bool read(std::uint64_t id);
  void reconnected(std::uint32_t peer);
  void disconnected(std::uint32_t peer);
  bool reconfigure(const Numbers& voters);
  bool transfer(std::uint32_t to);
  bool resign();
  bool restore(std::uint64_t index, std::uint64_t term, const Configuration& configuration);

  /// Through time-out, pre-votes and votes of all others to leadership of term() + 1.
  void win_election();
  /// The same, stopping as candidate.
  void stand();
  /// The whole log is durable here and on every other member, and known to be.
  void replicate_everywhere();
  /// The same on these members only, and here.
  void replicate_on(const Numbers& peers);
  /// A leader of term 1 of voters 1..members, its no-op committed everywhere.
  static Replica leading(std::uint32_t members = 3) { return leading(Start{.members = members}); }
  static Replica leading(Start start);

  std::vector<std::uint64_t> log_terms() const;  ///< behind the base
  HardState hard_state() const { return hard_state_; }

  /// The messages of this type in `out` for `to` (0: for anybody).
  template <class T>
  std::vector<T> sent(std::uint32_t to = 0) const {
    std::vector<T> found;
    for (const Outgoing& outgoing : out.messages) {
      if (to != 0 && outgoing.to != NodeId(to)) continue;
      if (const T* message = std::get_if<T>(&outgoing.message)) found.push_back(*message);
    }
    return found;
  }
  /// The only message in `out`, of type T. Requires that there is no other.
  template <class T>
  T answer() const {
    check(out.messages.size() == 1, "one answer was expected");
    return std::get<T>(out.messages.front().message);
  }
  std::size_t traced(TraceKind kind) const;
  const TraceEvent& trace_of(TraceKind kind) const;

  std::uint32_t members;
  Instant now{};
  Raft raft;
  Output out;

 private:
  void note();

  HardState hard_state_;  ///< as handed out last
};

}  // namespace coffer::raft::test
