// Runs one node on real hardware: collects what is ready as inputs, steps the node, executes its effects. Knows no
// routes, formats or protocols: those are the node's, or the listeners' that call in.
//
// Invariants:
//  V1  All inputs that are ready when a step begins go into it, up to a bound; bytes of inputs live until it ends.
//  V2  What a step wants sent after its sync leaves as net/driver/sync_gate.h says.
//  V4  A directory's mark that it may be founded is gone before the node's first word (net/driver/founding.h, I1).
//  V3  Once the node has declared itself unable to continue, no effect of it is executed any more.
// Threading: everything on the io_context's one thread, except the disk's own threads, whose results are posted to it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <boost/asio/io_context.hpp>

#include "core/base/bytes.h"
#include "core/base/ids.h"
#include "core/base/result.h"
#include "core/base/time.h"
#include "net/disk/disk.h"
#include "net/driver/settings.h"
#include "net/peer/peers.h"

namespace coffer::net {

/// Where the answers of one client go.
class ReplySink {
 public:
  /// `body`: an encoded router::Reply. Called from the driver's thread.
  virtual void on_reply(RequestId request, Bytes body) = 0;

 protected:
  ~ReplySink() = default;
};

struct DriverCounters {
  std::uint64_t steps = 0;
  std::uint64_t inputs = 0;
  std::uint64_t requests = 0;
  std::uint64_t replies = 0;
  DiskCounters disk;
  PeerCounters peers;
};

class Driver {
 public:
  /// Requires: the settings' directory exists (checked).
  Driver(boost::asio::io_context& io, const NodeSettings& settings);
  ~Driver();
  Driver(const Driver&) = delete;
  Driver& operator=(const Driver&) = delete;

  /// Starts recovery and the links to the peers. Error: the peer address cannot be listened on.
  Result<void> start();
  /// No step runs any more; what was given to the disk is finished.
  void stop();

  /// A new client; its replies go to `sink` until remove_client.
  ClientId add_client(ReplySink& sink);
  void remove_client(ClientId client);
  /// `holder` owns the bytes; the request's body is what follows its first `skip` bytes. An answer always comes, in a
  /// later event, while the client is there and the node lives.
  void request(ClientId client, RequestId request, Bytes holder, std::size_t skip = 0);

  /// Bytes of requests and messages waiting for a step: listeners stop reading while it is high.
  std::size_t waiting_bytes() const;
  bool ready() const;
  /// Why the node had to stop; empty while it did not.
  const std::string& fatal() const;
  DriverCounters counters() const;
  /// With the peers learned so far.
  const NodeSettings& settings() const;
  /// The time, for those who must not read clocks themselves.
  Now now() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace coffer::net
