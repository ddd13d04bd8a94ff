// What matters in a failing run, for people: the life of what the oracle names (transfers, an entry, accounts), and
// what leaders, disks and processes went through meanwhile. Looks on; single-threaded.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "sim/run/onlooker.h"
#include "sim/run/scenario.h"

namespace coffer::sim::shrink {

/// What the oracle's words name.
struct Subject {
  std::set<TransferId> transfers;
  std::set<std::string> accounts;
  std::optional<ShardId> shard;
  std::optional<Index> entry;  ///< of that shard
};
Subject subject_of(const std::string& reason);

struct Moment {
  std::int64_t ms = 0;  ///< since the fault phase began; before it: negative
  std::string what;
  bool of_subject = false;  ///< else it is what went on around it
};

class Chronicle : public Onlooker {
 public:
  explicit Chronicle(Subject subject) : subject_(std::move(subject)) {}

  void node(SimTime now, NodeId node, const TraceEvent& event) override;
  void phase(SimTime now, Phase phase) override;
  void machine(SimTime now, NodeId node, std::string_view what) override;
  void call(SimTime now, std::uint32_t client, std::uint64_t op, const router::Request& request) override;
  void told(SimTime now, std::uint32_t client, std::uint64_t op, const router::Reply& reply) override;

  /// In order, at most so many: what went on around goes first, then the middle.
  std::vector<Moment> moments(std::size_t most) const;

 private:
  struct Raw {
    SimTime at;
    std::string what;
    bool of_subject;
  };
  struct Call {
    std::vector<TransferId> items;
    std::string account;  ///< read
  };

  void add(SimTime now, std::string what, bool of_subject) { raw_.push_back({now, std::move(what), of_subject}); }
  bool names(const TransferId& id) const;
  bool covers(const TraceEvent& event) const;
  std::optional<std::string> of_transfer(NodeId node, const TraceEvent& event) const;
  std::optional<std::string> of_entry(NodeId node, const TraceEvent& event);
  std::optional<std::string> of_group(NodeId node, const TraceEvent& event) const;

  Subject subject_;
  std::vector<Raw> raw_;
  Phase phase_ = Phase::setup;
  SimTime running_since_;
  std::set<NodeId> booted_;
  std::set<TransferId> followed_;  ///< where the subject names none
  std::map<std::uint64_t, Call> calls_;
};

}  // namespace coffer::sim::shrink
