// A rule over several accounts: a user may overdraw one as long as all of the user's accounts together do not fall
// below zero. Stateless services run transactions on one database: read a snapshot, decide, commit. The database
// refuses a commit if somebody else has changed, since the snapshot, what it writes; whether also what it only read, is
// the rung.
#pragma once

#include <memory>

#include "sim/ladder/design.h"

namespace coffer::sim::ladder {

/// `serialisable`: a commit is refused also if what it has read has changed; else snapshot isolation.
std::unique_ptr<Design> isolation(bool serialisable);

}  // namespace coffer::sim::ladder
