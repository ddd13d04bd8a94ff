// A leap second: some wall clocks repeat a second, others smear it over the time the strike lasts, so that they run
// slow and disagree until they have all lost it. The world's own time knows no leap seconds, so that in the end the
// second is given back at once.
#include "sim/faults/faults.h"

namespace coffer::sim::faults {

namespace {
constexpr std::int64_t million = 1'000'000;
constexpr Duration leap = seconds(1);
}  // namespace

Behaviour leap_second() {
  Behaviour acts;

  acts.doc = "a leap second: some wall clocks repeat a second, others smear it";
  acts.draw = [](Prng& prng, const Mood& mood) {
    FaultSpec spec = draw_base(prng, mood);
    spec.target = {Who::all, {}, {}};
    spec.per_mille = static_cast<std::uint32_t>(prng.between(0, 1000));
    spec.lasts_min = milliseconds(prng.between(1500, 3000));
    spec.lasts_max = spec.lasts_min * 2;
    return spec;
  };
  acts.strike = [](Arena& arena, Strike& strike) {
    if (!choose_victims(arena, strike)) return Struck::no;
    for (const Strike::Victim& victim : strike.victims) {
      Machine& machine = arena.cluster.machine(victim.node);
      if (strike.lasts > leap && strike.prng.chance(strike.spec->per_mille)) {
        machine.drift(static_cast<std::int32_t>(-leap.nanos * million / strike.lasts.nanos), 0);
      } else {
        machine.jump(leap * -1);
      }
    }
    strike.fired = true;
    return Struck::yes;
  };
  acts.heal = set_clocks_right;
  return acts;
}

}  // namespace coffer::sim::faults
