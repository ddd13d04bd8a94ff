// A log kept by several replicas: terms, votes, one log, an entry committed when enough replicas hold it. A sketch of
// Raft (Ongaro 2014, figure 3.1), small enough to be told at a glance: no pre-vote, no snapshots, no change of members.
// What the text's weaker ways of replicating do otherwise is in the options; the defaults are the sound ones.
//
// A design derives from Replica: it hears of committed entries, in order, on every replica, and may propose on the one
// that leads. An entry that was told as committed can be taken back only under options that are not sound; then the
// design begins again from nothing and hears of the entries that stay.
#pragma once

#include <cstdint>
#include <vector>

#include "sim/ladder/design.h"

namespace coffer::sim::ladder {

struct QuorumOptions {
  enum class Committed : std::uint8_t {
    by_majority,
    by_leader,  ///< as soon as the leader holds it: asynchronous replication
    by_all,     ///< synchronous standby
  };
  Node replicas = 3;  ///< nodes 1 to this; 1: no replication at all
  Committed committed = Committed::by_majority;
  bool sync_first = true;    ///< before a replica says that it holds an entry
  bool ship_at_once = true;  ///< else with the next heartbeat
};

class Replica : public Actor {
 public:
  explicit Replica(const QuorumOptions& options) : options_(options) {}

  void boot(Context& context, const std::vector<Message>& log) final;
  void receive(Context& context, Node from, const Message& message) final;
  void woken(Context& context, const Message& note) final;
  void synced(Context& context, const Message& note) final;

 protected:
  /// What an entry says; its meaning is the design's.
  struct Entry {
    std::uint32_t kind = 0;
    std::uint32_t transfer = 0;
    std::uint32_t flag = 0;
    std::uint64_t term = 0;
  };
  /// Verbs below this are the design's.
  static constexpr std::uint32_t log_verbs = 100;

  /// Nothing is known yet: accounts as at the start.
  virtual void begin(Context& context) = 0;
  virtual void apply(Context& context, const Entry& entry) = 0;
  /// From now on it leads, and everything committed before has been applied.
  virtual void lead(Context& /*context*/) {}
  virtual void hear(Context& context, Node from, const Message& message) = 0;
  virtual void remind(Context& /*context*/, const Message& /*note*/) {}

  bool leads() const { return role_ == Role::leader && ready_; }
  /// Requires: leads() (checked).
  void propose(Context& context, const Entry& entry);
  /// A request that came to the wrong replica.
  void pass_on(Context& context, const Message& message) const;

 private:
  enum class Role : std::uint8_t { follower, candidate, leader };

  Node majority() const { return options_.replicas / 2 + 1; }
  std::uint64_t last() const { return log_.size(); }
  std::uint64_t term_at(std::uint64_t index) const { return index == 0 ? 0 : log_[index - 1].term; }

  void tick(Context& context);
  void stand(Context& context);
  void adopt(Context& context, std::uint64_t term, Node vote);
  void reset_patience(Context& context);
  void vote_asked(Context& context, Node from, const Message& message);
  void win(Context& context);
  void append(Context& context, const Entry& entry);
  void append_asked(Context& context, Node from, const Message& message);
  void appended(Context& context, Node from, const Message& message);
  void ship(Context& context, Node to, bool heartbeat);
  void holds(Context& context, std::uint64_t index);
  void put(Context& context, std::uint64_t index, const Entry& entry);
  void cut(Context& context, std::uint64_t from);
  void count_holders(Context& context);
  void advance(Context& context, std::uint64_t committed);

  QuorumOptions options_;
  std::uint64_t term_ = 0;
  Node voted_ = 0;
  std::vector<Entry> log_;
  std::uint64_t committed_ = 0;
  std::uint64_t applied_ = 0;
  Role role_ = Role::follower;
  bool ready_ = false;
  Node leader_ = 0;
  SimTime patience_;
  std::vector<bool> votes_;
  std::vector<std::uint64_t> next_;   // by replica, from 0
  std::vector<std::uint64_t> match_;  // its own included
  bool unsynced_ = false;
};

}  // namespace coffer::sim::ladder
