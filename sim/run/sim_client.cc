#include "sim/run/sim_client.h"

#include <algorithm>
#include <utility>

#include "core/base/check.h"
#include "sim/kernel/streams.h"

namespace coffer::sim {

namespace {

constexpr Instant clock_origin{1'000'000'000};

router::RouterConfig config_of(const Cluster& cluster, Duration attempt_timeout, Duration outwait) {
  router::RouterConfig config;
  config.mode = router::Mode::to_proxies;
  for (std::uint32_t n = 1; n <= cluster.nodes(); ++n) config.nodes.emplace_back(n);
  config.attempt_timeout = attempt_timeout;
  config.outwait = outwait;
  return config;
}

}  // namespace

SimClient::SimClient(Cluster& cluster, std::uint32_t number, Duration attempt_timeout, const router::ShardMap& map,
                     std::uint64_t seed, Duration outwait)
    : cluster_(cluster),
      number_(number),
      router_(config_of(cluster, attempt_timeout, outwait), map, stream(seed, Domain::client, number)) {}

Instant SimClient::now() const { return clock_origin + Duration{cluster_.now().nanos}; }

void SimClient::think(workload::Next next) {
  check(state_ == State::idle, "a client thinks of one call at a time");
  state_ = State::thinking;
  next_ = std::move(next);
  Event event;
  event.kind = EventKind::client_call;
  event.entity = cluster_.endpoint_of_client(number_);
  cluster_.kernel().schedule_after(next_.think, std::move(event));
}

SimClient::Answers SimClient::call() {
  check(state_ == State::thinking, "a call follows a thought");
  state_ = State::waiting;
  called_at_ = cluster_.now();
  router_.submit(now(), next_.op, next_.request, out_);
  return pass_on();
}

SimClient::Answers SimClient::on_packet(const Event& event) {
  router_.on_reply(now(), event.number, view(event.bytes), out_);
  return pass_on();
}

SimClient::Answers SimClient::on_disconnect(const Event& event) {
  router_.on_disconnect(now(), NodeId(event.from), out_);
  return pass_on();
}

SimClient::Answers SimClient::on_wake(const Event& event) {
  if (event.number != alarm_) return {};
  alarm_at_ = never;
  router_.tick(now(), out_);
  return pass_on();
}

SimClient::Answers SimClient::pass_on() {
  for (router::RouterOutput::Attempt& attempt : out_.attempts) {
    cluster_.send_request(number_, attempt.to, attempt.attempt, std::move(attempt.body));
  }
  Answers answers;
  for (router::RouterOutput::Done& done : out_.done) {
    check(state_ == State::waiting && done.ticket == next_.op, "an answer belongs to the call under way");
    state_ = State::idle;
    answers.push_back(std::move(done.reply));
  }
  out_.attempts.clear();
  out_.done.clear();
  out_.trace.clear();

  const Instant wake_at = router_.wake_at();
  if (wake_at != alarm_at_) {
    alarm_at_ = wake_at;
    ++alarm_;
    if (wake_at != never) {
      Event event;
      event.kind = EventKind::client_wake;
      event.entity = cluster_.endpoint_of_client(number_);
      event.number = alarm_;
      cluster_.kernel().schedule_after(Duration{std::max<std::int64_t>((wake_at - now()).nanos, 0)}, std::move(event));
    }
  }
  return answers;
}

}  // namespace coffer::sim
