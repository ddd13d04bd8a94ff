#include "core/log/sealed_steps.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "core/base/check.h"

namespace coffer::log {
namespace {

constexpr int writes_under_way_max = 4;

bool is_sync(IoKind kind) { return kind == IoKind::sync || kind == IoKind::sync_dir; }

}  // namespace

void SealedSteps::add(const std::string& subject, IoKind kind, const std::string& file, const std::string& target,
                      std::uint64_t offset, SharedBytes bytes) {
  Step step;
  step.id = ++last_id_;
  step.subject = subject;
  step.op = {.kind = kind,
             .token = {},
             .file = file,
             .target = target,
             .offset = offset,
             .bytes = std::move(bytes),
             .lane = IoLane::background};
  steps_[subject].push_back(std::move(step));
}

void SealedSteps::write(const std::string& subject, const std::string& file, std::uint64_t offset, Bytes bytes) {
  add(subject, IoKind::write, file, {}, offset, std::make_shared<const Bytes>(std::move(bytes)));
}

void SealedSteps::sync(const std::string& subject, const std::string& file) { add(subject, IoKind::sync, file); }

void SealedSteps::sync_dir(const std::string& subject) { add(subject, IoKind::sync_dir, {}); }

void SealedSteps::rename(const std::string& subject, const std::string& from, const std::string& to) {
  add(subject, IoKind::rename, from, to);
}

void SealedSteps::remove(const std::string& subject, const std::string& file) { add(subject, IoKind::remove, file); }

void SealedSteps::reach(const std::string& subject, Milestone milestone, std::uint64_t number) {
  Step step;
  step.id = ++last_id_;
  step.subject = subject;
  step.milestone = Reached{subject, milestone, number};
  steps_[subject].push_back(std::move(step));
}

void SealedSteps::drop(const std::string& subject) {
  const auto found = steps_.find(subject);
  if (found == steps_.end()) return;
  for (const Step& step : found->second) {
    under_way_.erase(step.id);
    if (step.refused) --refused_;
  }
  steps_.erase(found);
}

std::size_t SealedSteps::writes(const std::string& subject) const {
  const auto found = steps_.find(subject);
  if (found == steps_.end()) return 0;
  return static_cast<std::size_t>(std::count_if(found->second.begin(), found->second.end(), [](const Step& step) {
    return !step.milestone && step.op.kind == IoKind::write && step.progress != Progress::done;
  }));
}

void SealedSteps::read(const std::string& file, std::uint64_t offset, std::uint64_t length, std::uint64_t tag,
                       std::vector<IoOp>& out) {
  io_.read_range(file, offset, length, tag, out);
}

void SealedSteps::start(Step& step, std::vector<IoOp>& out) {
  step.progress = Progress::under_way;
  under_way_.emplace(step.id, step.subject);
  io_.add(step.op, out, step.id);
}

void SealedSteps::pump(std::deque<Step>& steps, std::vector<IoOp>& out) {
  while (!steps.empty()) {
    Step& first = steps.front();
    if (first.milestone) {
      reached_.push_back(std::move(*first.milestone));
    } else if (first.progress != Progress::done) {
      break;
    }
    steps.pop_front();
  }
  int under_way = 0;
  for (Step& step : steps) {
    if (step.progress == Progress::done) continue;
    const bool is_write = !step.milestone && step.op.kind == IoKind::write;
    if (step.progress == Progress::under_way) {
      if (!is_write || ++under_way == writes_under_way_max) return;
      continue;
    }
    if (step.milestone || step.refused || (!is_write && under_way > 0) || (is_write && paused())) return;
    start(step, out);
    if (!is_write || ++under_way == writes_under_way_max) return;
  }
}

void SealedSteps::pump(std::vector<IoOp>& out) {
  if (!failure_.empty()) return;
  for (auto at = steps_.begin(); at != steps_.end();) {
    pump(at->second, out);
    at = at->second.empty() ? steps_.erase(at) : std::next(at);
  }
}

bool SealedSteps::on_io(IoToken token, IoStatus status, std::vector<IoOp>& out, std::optional<PendingOp>& read) {
  std::optional<PendingOp> op = io_.take(token);
  if (!op) return false;
  if (op->kind == IoKind::read || op->kind == IoKind::list) {
    if (status == IoStatus::failed || status == IoStatus::no_space) fail(*op, status);
    read = std::move(op);
    return true;
  }
  finish(*op, status);
  pump(out);
  return true;
}

void SealedSteps::finish(const PendingOp& op, IoStatus status) {
  const bool gone_already = status == IoStatus::not_found && op.kind == IoKind::remove;
  const bool refused = status == IoStatus::no_space && !is_sync(op.kind);
  const bool succeeded = status == IoStatus::ok || gone_already;
  if (!succeeded && !refused) fail(op, status);
  const auto subject = under_way_.find(op.tag);
  if (subject == under_way_.end()) return;  // dropped meanwhile
  std::deque<Step>& steps = steps_.at(subject->second);
  under_way_.erase(subject);
  const auto step =
      std::find_if(steps.begin(), steps.end(), [&op](const Step& candidate) { return candidate.id == op.tag; });
  check(step != steps.end(), "a step under way is waited for");
  step->progress = succeeded ? Progress::done : Progress::waiting;
  if (step->refused != refused) {
    refused_ = refused ? refused_ + 1 : refused_ - 1;
    step->refused = refused;
  }
  if (succeeded) step->op.bytes.reset();
}

void SealedSteps::fail(const PendingOp& op, IoStatus status) {
  if (failure_.empty()) failure_ = describe_failure(op, status);
}

std::vector<Reached> SealedSteps::take_reached() { return std::exchange(reached_, {}); }

void SealedSteps::retry(std::vector<IoOp>& out) {
  if (!failure_.empty() || !paused()) return;
  for (auto& [subject, steps] : steps_) {
    for (Step& step : steps) {
      if (step.refused && step.progress == Progress::waiting) start(step, out);
    }
  }
}

}  // namespace coffer::log
