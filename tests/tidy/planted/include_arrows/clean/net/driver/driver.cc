// The real world.
#include <sys/socket.h>

#include <boost/asio.hpp>
#include <chrono>

#include "core/node/node.h"
#include "net/peer/frame.h"
