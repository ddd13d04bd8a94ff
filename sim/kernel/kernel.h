// Virtual time. Events wait in one queue ordered by (time, sequence): two events of one instant happen in the order in
// which they were scheduled. Taking an event moves time to it and folds it into the trace hash.
//
// Invariants: time never goes back; nothing is scheduled in the past. Single-threaded.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "core/base/bytes.h"
#include "sim/kernel/trace_hash.h"
#include "sim/observe/sim_time.h"

namespace coffer::sim {

/// What can happen in a world. `entity` is the node or client it happens to; the comments name the other fields.
enum class EventKind : std::uint8_t {
  deliver,            ///< a packet reaches `entity`: from, connection, bytes, digest; number = a client's attempt, or
                      ///< the step of the node that sent it; generation = the receiver's boot
  io_done,            ///< an operation ends: number = its place in the node's order, generation = boot
  step,               ///< the process gets the processor: generation = boot
  wake,               ///< the node's own alarm: number = which alarm, generation = boot
  boot,               ///< a process starts: generation = the boot to follow
  peer_up,            ///< the node notices a link: from = peer, generation = boot
  peer_down,          ///< the node notices a lost link: from = peer, generation = boot
  link_down,          ///< the node gives up a link it hears nothing of: from = peer, number = strike, generation = boot
  client_call,        ///< an idle client has thought enough
  client_wake,        ///< the client's router wants time: number = which alarm
  client_disconnect,  ///< the client notices a lost connection: from = node
  strike,             ///< a fault begins: number = which
  heal,               ///< a fault ends: number = which strike
  tick,               ///< the judge looks at the world
  effects,            ///< never scheduled: folded for everything a step caused
};
std::string_view name(EventKind kind);

struct Event {
  EventKind kind{};
  std::uint32_t entity = 0;
  std::uint32_t from = 0;
  std::uint64_t number = 0;
  std::uint64_t generation = 0;
  std::uint64_t digest = 0;  ///< of `bytes`, computed once by the sender
  std::uint32_t connection = 0;
  SharedBytes bytes = {};
};

class Kernel {
 public:
  SimTime now() const { return now_; }
  /// Requires: at >= now() (checked). Returns the event's sequence number.
  std::uint64_t schedule(SimTime at, Event event);
  std::uint64_t schedule_after(Duration delay, Event event) { return schedule(now_ + delay, std::move(event)); }
  /// The next event, with time moved to it; nothing when nothing is left to happen.
  std::optional<Event> take();
  std::size_t pending() const { return heap_.size(); }
  /// Sequence number of the event taken last.
  std::uint64_t sequence() const { return taken_; }
  /// Events taken so far.
  std::uint64_t events() const { return events_; }

  /// Folds something that happened inside the present event.
  void note(std::uint32_t entity, EventKind kind, std::uint64_t digest);
  const TraceHash& hash() const { return hash_; }

 private:
  struct Slot {
    SimTime at;
    std::uint64_t sequence;
    std::uint32_t place;  ///< in waiting_
  };
  static bool later(const Slot& a, const Slot& b);

  SimTime now_;
  std::uint64_t next_sequence_ = 1;
  std::uint64_t taken_ = 0;
  std::uint64_t events_ = 0;
  std::vector<Slot> heap_;
  std::vector<Event> waiting_;
  std::vector<std::uint32_t> free_;
  TraceHash hash_;
};

}  // namespace coffer::sim
