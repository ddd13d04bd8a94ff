// A design of the ladder: processes that exchange messages, write records to disks that may lose what is not synced,
// and keep money in a book. Each rung's file says what its processes do; the small world (world.h) runs them.
//
// A process is input in, effects out: it sees time, its disk and the network only through its Context, and all it knows
// besides what its disk gives back is gone when it crashes. Single-threaded.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/base/prng.h"
#include "sim/ladder/book.h"
#include "sim/ladder/plan.h"
#include "sim/observe/sim_time.h"

namespace coffer::sim::ladder {

/// A process of a design, from 1.
using Node = std::uint32_t;
inline constexpr Node the_client = 0;

/// What travels, what is written, what a timer brings back: one shape for all. `verb` belongs to the design; 0 is a
/// client's request, `transfer` then says which. The content of a transfer goes with its number (Context::transfer).
struct Message {
  std::uint32_t verb = 0;
  std::uint32_t transfer = 0;
  std::uint32_t account = 0;
  std::uint32_t flag = 0;
  std::int64_t amount = 0;
  std::uint64_t number = 0;
  std::uint64_t term = 0;
  std::uint64_t entry_term = 0;
  std::uint64_t previous_term = 0;
  std::uint64_t commit = 0;
};
static_assert(sizeof(Message) == 64, "a message has no padding: its bytes are hashed");
inline constexpr std::uint32_t request_verb = 0;

enum class Answer : std::uint8_t { success, refused };

class World;

/// What a process may do, for the time of one call.
class Context {
 public:
  Context(World& world, Node self) : world_(world), self_(self) {}

  Node self() const { return self_; }
  SimTime now() const;
  const Transfer& transfer(std::uint32_t number) const;
  const Account& account(std::uint32_t account) const;
  Book& book();
  /// This process's own chance: another on every node.
  Prng& prng();
  /// Whether this machine has never run before: then, and only then, memory may be filled from the start.
  bool first_boot() const;

  void send(Node to, const Message& message);
  /// The same, not counted among the messages of transfers: heartbeats, renewals.
  void send_upkeep(Node to, const Message& message);
  void answer(std::uint32_t transfer, Answer answer);
  /// Actor::woken gets the note, unless the process has crashed.
  void wake(Duration after, const Message& note);
  /// Into the page cache, behind all earlier records.
  void write(const Message& record);
  /// Actor::synced gets the note when everything written so far is durable.
  void sync(const Message& note);

 private:
  World& world_;
  Node self_;
};

class Actor {
 public:
  virtual ~Actor() = default;
  /// The process starts. `log`: what its disk holds, durably, in the order written; a prefix of what was written.
  virtual void boot(Context& context, const std::vector<Message>& log) = 0;
  virtual void receive(Context& context, Node from, const Message& message) = 0;
  virtual void woken(Context& /*context*/, const Message& /*note*/) {}
  virtual void synced(Context& /*context*/, const Message& /*note*/) {}
};

enum class Delivery : std::uint8_t {
  in_order,   ///< as a connection delivers: nothing overtakes, nothing comes twice
  unordered,  ///< as the network delivers
};
enum class Floor : std::uint8_t {
  of_account,  ///< no balance below zero
  of_user,     ///< nor the sum over all accounts of a user
};

struct Traits {
  Delivery delivery = Delivery::in_order;
  Floor floor = Floor::of_account;
  /// Every local transaction balances, with what it calls in transit.
  bool balanced = false;
  /// Whom the fault `lost` may take away for good; nobody: the design does not claim to be about that.
  std::vector<Node> losable = {};
};

class Design {
 public:
  virtual ~Design() = default;
  /// What each node is, node 1 first.
  virtual std::vector<std::string> roles() const = 0;
  virtual Traits traits() const = 0;
  virtual std::unique_ptr<Actor> start(Node node) const = 0;
  /// Whom the client asks; `attempt` from 0.
  virtual Node entry(const Transfer& transfer, std::uint32_t attempt) const = 0;
  /// The nodes that hold the account; several are replicas of each other.
  virtual std::vector<Node> holders(std::uint32_t account) const = 0;
};

}  // namespace coffer::sim::ladder
