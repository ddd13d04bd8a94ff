#include "sim/kernel/kernel.h"

#include <algorithm>
#include <utility>

#include "core/base/check.h"
#include "core/base/prng.h"

namespace coffer::sim {

std::string_view name(EventKind kind) {
  switch (kind) {
    case EventKind::deliver:
      return "deliver";
    case EventKind::io_done:
      return "io_done";
    case EventKind::step:
      return "step";
    case EventKind::wake:
      return "wake";
    case EventKind::boot:
      return "boot";
    case EventKind::peer_up:
      return "peer_up";
    case EventKind::peer_down:
      return "peer_down";
    case EventKind::link_down:
      return "link_down";
    case EventKind::client_call:
      return "client_call";
    case EventKind::client_wake:
      return "client_wake";
    case EventKind::client_disconnect:
      return "client_disconnect";
    case EventKind::strike:
      return "strike";
    case EventKind::heal:
      return "heal";
    case EventKind::tick:
      return "tick";
    case EventKind::effects:
      return "effects";
  }
  return "?";
}

bool Kernel::later(const Slot& a, const Slot& b) { return a.at != b.at ? a.at > b.at : a.sequence > b.sequence; }

std::uint64_t Kernel::schedule(SimTime at, Event event) {
  check(at >= now_, "nothing is scheduled in the past");
  std::uint32_t place;
  if (free_.empty()) {
    place = static_cast<std::uint32_t>(waiting_.size());
    waiting_.push_back(std::move(event));
  } else {
    place = free_.back();
    free_.pop_back();
    waiting_[place] = std::move(event);
  }
  heap_.push_back({at, next_sequence_, place});
  std::push_heap(heap_.begin(), heap_.end(), later);
  return next_sequence_++;
}

std::optional<Event> Kernel::take() {
  if (heap_.empty()) return std::nullopt;
  std::pop_heap(heap_.begin(), heap_.end(), later);
  const Slot slot = heap_.back();
  heap_.pop_back();
  Event event = std::move(waiting_[slot.place]);
  free_.push_back(slot.place);

  check(slot.at >= now_, "time never goes back");
  now_ = slot.at;
  taken_ = slot.sequence;
  ++events_;
  const std::uint64_t digest =
      mix64(mix64(mix64(event.digest ^ event.number) ^ event.generation) ^ static_cast<std::uint64_t>(event.from));
  hash_.fold(now_, slot.sequence, event.entity, static_cast<std::uint32_t>(event.kind), digest);
  return event;
}

void Kernel::note(std::uint32_t entity, EventKind kind, std::uint64_t digest) {
  hash_.fold(now_, taken_, entity, static_cast<std::uint32_t>(kind), digest);
}

}  // namespace coffer::sim
