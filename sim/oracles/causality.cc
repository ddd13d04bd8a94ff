// O-H5. Logical clocks tell the order of events. If event e happened before event f, e's Lamport time is less than f's;
// and e's own component is known to f's vector time if and only if e happened before f.
//
// The world shows which packets each step took in, and from which step of their sender: that is what happened before
// (Lamport 1978). A crash ends a process, and the next one of the same node remembers nothing. So a process surely
// knows only what it heard itself; but since both share one component, it may also speak for what the ones before it
// knew. What a node took in before it served it may or may not have read, and likewise what comes late from a process
// that has ended: who has heard its successor takes it for a disk of the past. Between what a step surely knows
// and what it can know lies what it tells. A process that has not read yet how far the ones
// before it had come tells no component of its own, and sends nothing; what it does meanwhile may have no time yet.
//
// Source: Lamport: Time, clocks, and the ordering of events (1978); Fidge (1988); Mattern (1988).
#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "sim/observe/observer.h"

namespace coffer::sim::oracles {

namespace {

/// The last step of a node that happened before; 0: none.
struct Reach {
  std::uint64_t surely = 0;
  std::uint64_t at_most = 0;
};

struct Past {
  std::vector<Reach> reach;   ///< by the node's number; what is beyond the end is none. One is kept for every step
  std::uint64_t lamport = 0;  ///< the highest of any event surely before
  bool counts = false;        ///< this process has told a component of its own

  Reach& of(NodeId node) {
    if (node.value >= reach.size()) reach.resize(node.value + 1);
    return reach[node.value];
  }
};

struct Process {
  Past now;
  std::vector<Past> steps;         ///< at the end of each, by number - 1
  std::vector<std::uint64_t> own;  ///< the component told for itself, likewise
  std::uint64_t ended = 0;         ///< the last step of the processes before
};

std::string at(NodeId node, std::uint64_t step) {
  return "step " + std::to_string(step) + " of node " + std::to_string(node.value);
}

class Causality final : public Oracle {
 public:
  explicit Causality(const Topology&) {}
  std::string_view name() const override { return "O-H5"; }

  void on_step(SimTime, NodeId node, const StepShown& shown) override {
    if (!violations().empty()) return;
    Process& process = processes_[node];
    for (const Heard& heard : shown.heard) hear(process.now, heard);
    if (!violations().empty()) return;
    const bool timed = process.now.counts || std::any_of(shown.vector_time.begin(), shown.vector_time.end(),
                                                         [node](const auto& told) { return told.first == node; });
    for (const TraceEvent& event : shown.events) {
      if (!timed && event.lamport == 0) continue;
      if (event.lamport <= process.now.lamport) {
        violated(at(node, shown.step) + ": " + std::string(coffer::name(event.kind)) + " has Lamport time " +
                 std::to_string(event.lamport) + ", and what happened before it " +
                 std::to_string(process.now.lamport));
        return;
      }
      process.now.lamport = event.lamport;
    }
    process.now.of(node) = {shown.step, shown.step};
    tell(node, process, shown);
    process.steps.resize(shown.step, process.now);
  }

  void on_crash(SimTime, NodeId node) override {
    Process& process = processes_[node];
    for (Reach& reach : process.now.reach) reach.surely = 0;
    process.now.lamport = 0;
    process.now.counts = false;
    process.ended = process.steps.size();
  }

 private:
  void hear(Past& now, const Heard& heard) {
    const Process& sender = processes_[heard.from];
    if (heard.step == 0 || heard.step > sender.steps.size()) return;
    const Past& past = sender.steps[heard.step - 1];
    if (!past.counts) {
      violated(at(heard.from, heard.step) + " sent something, and told no component of its own");
      return;
    }
    const bool surely = heard.surely && heard.step > sender.ended;
    if (now.reach.size() < past.reach.size()) now.reach.resize(past.reach.size());
    for (std::size_t node = 0; node < past.reach.size(); ++node) {
      Reach& mine = now.reach[node];
      mine.at_most = std::max(mine.at_most, past.reach[node].at_most);
      if (surely) mine.surely = std::max(mine.surely, past.reach[node].surely);
    }
    if (surely) now.lamport = std::max(now.lamport, past.lamport);
  }

  /// What `other` told for itself at the end of this step.
  std::uint64_t own(NodeId other, std::uint64_t step) {
    const std::vector<std::uint64_t>& told = processes_[other].own;
    return step == 0 || told.empty() ? 0 : told[std::min<std::size_t>(step, told.size()) - 1];
  }

  void tell(NodeId node, Process& process, const StepShown& shown) {
    const auto component = [&shown](NodeId of) -> std::uint64_t {
      for (const auto& [other, told] : shown.vector_time) {
        if (other == of) return told;
      }
      return 0;
    };
    const std::uint64_t before = process.own.empty() ? 0 : process.own.back();
    const std::uint64_t mine = component(node);
    process.now.counts = process.now.counts || mine > 0;
    if (process.now.counts && (mine < before || (mine == before && !shown.events.empty()))) {
      violated(at(node, shown.step) + " has events, and its own component went from " + std::to_string(before) +
               " to " + std::to_string(mine));
      return;
    }
    process.own.resize(shown.step, std::max(mine, before));
    for (auto& [other, its] : processes_) {
      if (other == node) continue;
      const Reach reach = process.now.of(other);
      const std::uint64_t least = own(other, reach.surely);
      const std::uint64_t most = own(other, reach.at_most);
      const std::uint64_t is = component(other);
      if (is >= least && is <= most) continue;
      violated(at(node, shown.step) + " tells " + std::to_string(is) + " of node " + std::to_string(other.value) +
               (is < least ? ", and has heard of " + std::to_string(least)
                           : ", and can have heard of " + std::to_string(most) + " only"));
      return;
    }
  }

  std::map<NodeId, Process> processes_;
};

}  // namespace

std::unique_ptr<Oracle> make_causality(const Topology& topology) { return std::make_unique<Causality>(topology); }

}  // namespace coffer::sim::oracles
