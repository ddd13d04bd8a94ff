// The story of every leg by the committed logs: started at the source, received at the target, answered at the source.
// A TC/C transaction is two legs: the Try of its credit, and its second phase, begun by the event that logs the answer
// to the first; so is one by two-phase commit, whose Try is called prepare. Judges each step against the steps before
// it; shared by the oracles of transactions across shards.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sim/oracles/book.h"

namespace coffer::sim::oracles {

struct Leg {
  enum class Step : std::uint8_t { credit, try_credit, confirm, cancel, prepare, commit, abort };

  Step step = Step::credit;
  LegStarted started;  ///< of a second phase: the Try's
  Position started_at;
  Stamp started_stamp;
  std::optional<LegReceived> received;  ///< of a second phase: with the pockets it names, always a success
  Position received_at;
  Stamp received_stamp;
  std::optional<LegAnswered> answered;  ///< of a second phase: always a success
  Position answered_at;
  LegNumber tried;   ///< of a second phase: the leg of its Try
  LegNumber second;  ///< of a Try: the leg of its second phase, once begun
  bool of_split = false;

  bool is_second() const { return step != Step::credit && step != Step::try_credit && step != Step::prepare; }
};

class Legs {
 public:
  struct Route {
    ShardId source;
    ShardId target;
    auto operator<=>(const Route&) const = default;
  };
  struct Flow {
    std::vector<Leg> legs;  ///< leg n at n - 1
    std::uint64_t received = 0;
    std::uint64_t answered = 0;

    /// Null where there is none.
    const Leg* find(LegNumber leg) const;
  };

  explicit Legs(const Topology& topology) : book_(topology) {}

  /// Returns what contradicts an earlier step; at most one reason per entry.
  std::optional<std::string> committed(const CommittedEntry& entry);
  const Book& book() const { return book_; }
  const std::map<Route, Flow>& flows() const { return flows_; }

 private:
  using Reason = std::optional<std::string>;
  struct At {
    ShardId shard;
    Position position;
    Stamp stamp;
  };
  Reason judge(const At& at, const Event& event);
  Reason started(const At& at, const LegStarted& event, Leg leg);
  Reason received(const At& at, const LegReceived& event, Leg::Step step);
  Reason second_received(const At& at, const SecondReceived& event);
  Reason answered(const At& at, const LegAnswered& event, Leg::Step step);
  Reason second_started(const At& at, const SecondStarted& event);
  Reason second_ended(const At& at, const SecondEnded& event);
  Reason split_started(const At& at, const SplitStarted& event);
  Reason split_decided(const At& at, const SplitDecided& event);

  Book book_;
  std::map<Route, Flow> flows_;
};

/// "leg 7 from s1 to s2".
std::string text(const Legs::Route& route, LegNumber leg);
/// "a credit", "a Try", "a Confirm", "a prepare", "an Abort".
std::string_view text(Leg::Step step);

}  // namespace coffer::sim::oracles
