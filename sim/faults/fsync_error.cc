// A sync fails: what it was to make durable is not, though reads show it, and no later sync makes it so. The node
// must stop. It is started again when the strike is over, after a power cut, or, by the scenario's wish, as a process
// only: it then reads what a power cut would take away.
#include "sim/faults/disk_damage.h"
#include "sim/faults/faults.h"

namespace coffer::sim::faults {

Behaviour fsync_error() {
  Behaviour acts;

  acts.doc = "a sync of a disk fails, and what it was to make durable is lost with the power";
  acts.of_disk = true;
  acts.draw = [](Prng& prng, const Mood& mood) {
    FaultSpec spec = draw_disk_base(prng, mood);
    spec.how = How::power;
    return spec;
  };
  acts.strike = [](Arena& arena, Strike& strike) { return lie_in_wait(arena, strike, DiskTrouble::fail_sync); };
  acts.heal = [](Arena& arena, Strike& strike) {
    const FaultSpec& spec = *strike.spec;
    heal_disks(arena, strike);
    for (const Strike::Victim& victim : strike.victims) {
      Machine& machine = arena.cluster.machine(victim.node);
      if (machine.boot_number() != victim.boot || !machine.disk_failed()) continue;
      const DamagePolicy policy{spec.lose_per_mille, spec.tear_per_mille, arena.atlas.untorn(victim.node)};
      // It may not have come to stop by itself yet.
      if (machine.running()) arena.cluster.crash(victim.node, CrashKind::process, policy);
      if (machine.life() != Life::down) continue;
      if (spec.how != How::process) machine.cut_power(policy);
      arena.cluster.restart(victim.node);
    }
  };
  return acts;
}

}  // namespace coffer::sim::faults
