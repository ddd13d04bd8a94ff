// Consensus that looks into the ledger.
#pragma once

#include <boost/asio.hpp>
#include <thread>

#include "core/base/ids.h"
#include "core/ledger/ledger.h"
