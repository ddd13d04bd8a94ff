// The small world: runs one design through one plan and says what came of it. The only inputs are the two; the same
// plan gives the same hash.
//
// Phases: work and faults until work_ends; every fault has ended at heal_at; then the world is left alone until end_at,
// and judged. Time, network and disks are the simulator's own models. The client never fails: it asks each transfer
// once, or until it is answered, and believes the first answer. Single-threaded.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/base/hash.h"
#include "sim/kernel/kernel.h"
#include "sim/ladder/design.h"
#include "sim/ladder/judge.h"
#include "sim/ladder/plan.h"
#include "sim/models/disk.h"
#include "sim/models/network.h"

namespace coffer::sim::ladder {

/// An answer in time (mission.md, A4).
inline constexpr Duration answer_in_time = seconds(2);

/// Sums, so that many runs add up.
struct Costs {
  std::uint64_t requests = 0;
  std::uint64_t answered = 0;
  std::uint64_t answered_in_time = 0;
  std::uint64_t messages = 0;  ///< between nodes; neither the client's nor upkeep
  std::uint64_t writes = 0;    ///< records appended to a log
  std::uint64_t syncs = 0;
  std::uint64_t held = 0;  ///< transfers that had locks, or money that was in no account
  Duration held_for;       ///< ... and for how long, together
  std::vector<std::int64_t> latencies_us = {};
  void add(const Costs& more);
};

struct Outcome {
  Finding finding;
  Hash128 hash;
  std::uint64_t events = 0;
  Costs costs;
  std::vector<std::string> chronicle = {};  ///< a line for everything that a story would tell; only if asked for
};

Outcome run(const Design& design, const Plan& plan, bool chronicle = false);

/// One run. Public for Context alone.
class World {
 public:
  World(const Design& design, const Plan& plan, bool chronicle);
  Outcome run();

 private:
  friend class Context;
  struct Process {
    std::unique_ptr<Actor> actor;
    Disk disk;
    Book book;
    Prng chance{0};
    Prng latency{0};
    Prng damage{0};
    std::uint64_t boot = 0;  ///< which start of the process; counts up when it ends, too
    std::uint32_t starts = 0;
    bool up = false;
    bool lost = false;
    std::uint32_t down_by = 0;  ///< number of the fault
    SimTime paused_until;
    std::uint64_t log_end = 0;
    std::uint64_t chain = 0;
    SimTime sync_ends;
  };
  struct Asked {
    const Transfer* transfer = nullptr;
    std::uint32_t attempts = 0;
    bool answered = false;
    SimTime unsettled_since;
    std::int64_t unsettled = 0;  ///< locks, and what its postings lack of zero
    std::int64_t locks = 0;
  };

  Process& process(Node node) { return processes_[node - 1]; }
  Endpoint client_endpoint() const { return static_cast<Endpoint>(processes_.size()) + 1; }
  SimTime at(Duration since_start) const { return SimTime{} + since_start; }

  void set_up();
  void handle(const Event& event);
  void deliver(const Event& event);
  void to_actor(Node node, const Event& event);
  void transmit(Endpoint from, Endpoint to, const Message& message);
  void ask(std::uint32_t transfer);
  void told(const Message& answer);

  void start(Node node);
  std::vector<Message> read_log(Process& process);
  void append(Process& process, const Message& record);
  void end_process(Node node, std::uint32_t fault);
  void cut_power(Node node, std::uint32_t fault);
  void settle(Node node);

  void strike(const Fault& fault);
  void heal(const Fault& fault);
  void trouble(const Fault& fault, Trouble trouble);
  Node node_of(std::uint32_t draw) const { return draw % static_cast<Node>(processes_.size()) + 1; }
  Node struck(const Fault& fault) const;
  Node other_of(const Fault& fault) const;

  void tell(const std::string& line);
  std::string role(Node node) const { return roles_[node - 1]; }
  std::string spelled(const Fault& fault) const;

  const Design& design_;
  const Plan& plan_;
  const Traits traits_;
  const std::vector<std::string> roles_;
  bool chronicle_;
  Kernel kernel_;
  std::vector<Process> processes_;
  Network network_;
  std::vector<SimTime> last_in_order_;
  std::map<std::uint32_t, Asked> asked_;
  Judge judge_;
  Outcome outcome_;
  bool over_ = false;
};

/// "a1": an account as stories name it.
std::string account_name(std::uint32_t account);
/// "1203.412 ms".
std::string spelled(Duration time);

}  // namespace coffer::sim::ladder
