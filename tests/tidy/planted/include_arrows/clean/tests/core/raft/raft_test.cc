// A test of consensus.
#include <rapidcheck.h>

#include <catch2/catch.hpp>

#include "core/raft/raft.h"
#include "tests/core/raft/cluster.h"
