#include "core/base/trace.h"

#include <array>

#include "core/base/check.h"

namespace coffer {

namespace {

struct Row {
  TraceKind kind;
  std::string_view name;
};

// One row a kind, in the order of the enumeration. The letters a kind carries stand beside its name.
constexpr std::array rows = {
    Row{TraceKind::recovered, "recovered"},              // term; a = entries read back, b = vote
    Row{TraceKind::recovered_entry, "recovered_entry"},  // a = payload digest
    Row{TraceKind::tail_torn, "tail_torn"},              // a = frame number
    Row{TraceKind::corruption, "corruption"},            // a = frame number
    Row{TraceKind::synced, "synced"},                    // a = frame number
    Row{TraceKind::tail_uncertain, "tail_uncertain"},    // a = frame number
    Row{TraceKind::quarantined, "quarantined"},          // a = first frame, b = segment
    Row{TraceKind::segment_removed, "segment_removed"},  // a = segment
    Row{TraceKind::space_refused, "space_refused"},
    Row{TraceKind::space_regained, "space_regained"},
    Row{TraceKind::became_follower, "became_follower"},
    Row{TraceKind::became_pre_candidate, "became_pre_candidate"},
    Row{TraceKind::became_candidate, "became_candidate"},
    Row{TraceKind::became_leader, "became_leader"},        // a = last index at election
    Row{TraceKind::voted, "voted"},                        // a = candidate
    Row{TraceKind::appended, "appended"},                  // a = payload digest, b = 1 if proposed here
    Row{TraceKind::truncated, "truncated"},                // a = entries removed
    Row{TraceKind::committed, "committed"},                // a = commit index before
    Row{TraceKind::leader_lost_tail, "leader_lost_tail"},  // a = uncommitted entries
    Row{TraceKind::read_confirmed, "read_confirmed"},      // a = round
    Row{TraceKind::recovery_asked, "recovery_asked"},      // a = nonce
    Row{TraceKind::recovery_bound, "recovery_bound"},
    Row{TraceKind::recovery_settled, "recovery_settled"},  // a = 1 by a leader, 2 by all members, b = given up
    Row{TraceKind::quorum_lost, "quorum_lost"},
    Row{TraceKind::transfer_begun, "transfer_begun"},                        // a = to
    Row{TraceKind::configuration_changed, "configuration_changed"},          // a = voters, b = outgoing, c = learners
    Row{TraceKind::configuration_rolled_back, "configuration_rolled_back"},  // a = voters, b = outgoing, c = learners
    Row{TraceKind::snapshot_needed, "snapshot_needed"},                      // a = follower
    Row{TraceKind::restored, "restored"},                                    // a = last index before
    Row{TraceKind::compacted, "compacted"},
    Row{TraceKind::applied, "applied"},
    Row{TraceKind::undone, "undone"},
    Row{TraceKind::founded, "founded"},
    Row{TraceKind::dedup_hit, "dedup_hit"},  // a = outcome, c = bound under an earlier leader
    Row{TraceKind::dedup_conflict, "dedup_conflict"},
    Row{TraceKind::refused, "refused"},    // a = outcome
    Row{TraceKind::answered, "answered"},  // a = outcome
    Row{TraceKind::epoch_passed, "epoch_passed"},
    Row{TraceKind::epoch_dropped, "epoch_dropped"},
    Row{TraceKind::snapshot_published, "snapshot_published"},  // a = digest
    Row{TraceKind::history_published, "history_published"},    // a = first index
    Row{TraceKind::file_damaged, "file_damaged"},              // a = kind, b = chunk
    Row{TraceKind::file_repaired, "file_repaired"},            // a = kind
    Row{TraceKind::chunk_fetched, "chunk_fetched"},            // a = from, b = chunk, c = chunks
    Row{TraceKind::fetch_resumed, "fetch_resumed"},            // a = chunks there
    Row{TraceKind::archived, "archived"},
    Row{TraceKind::saga_started, "saga_started"},          // a = target, b = leg
    Row{TraceKind::leg_sent, "leg_sent"},                  // a = target, b = first leg, c = count
    Row{TraceKind::leg_received, "leg_received"},          // a = source, b = leg, c = outcome
    Row{TraceKind::leg_repeated, "leg_repeated"},          // a = source, b = leg
    Row{TraceKind::leg_answer, "leg_answer"},              // a = target, b = leg, c = outcome
    Row{TraceKind::saga_done, "saga_done"},                // a = target, b = leg
    Row{TraceKind::saga_compensated, "saga_compensated"},  // a = target, b = leg, c = outcome
    Row{TraceKind::saga_resumed, "saga_resumed"},          // a = target, b = first unanswered leg, c = count
    Row{TraceKind::request_routed, "request_routed"},      // a = client, b = request, c = shard
    Row{TraceKind::request_retried, "request_retried"},    // a = client, b = request, c = attempt
    Row{TraceKind::request_unknown, "request_unknown"},    // a = client, b = request
    Row{TraceKind::frame_rejected, "frame_rejected"},      // a = peer
    Row{TraceKind::disk_outdated, "disk_outdated"},        // a = peer, b = frame seen, c = frame here
    Row{TraceKind::failed, "failed"},
    Row{TraceKind::try_started, "try_started"},          // transfer; a = target shard, b = leg
    Row{TraceKind::confirm_started, "confirm_started"},  // transfer; a = target shard, b = leg, c = outcome
    Row{TraceKind::confirm_done, "confirm_done"},        // transfer; a = target shard, b = leg, c = outcome
    Row{TraceKind::cancel_started, "cancel_started"},    // transfer; a = target shard, b = leg, c = outcome
    Row{TraceKind::cancel_done, "cancel_done"},          // transfer; a = target shard, b = leg, c = outcome
    Row{TraceKind::prepare_started, "prepare_started"},  // transfer; a = target shard, b = leg
    Row{TraceKind::commit_started, "commit_started"},    // transfer; a = target shard, b = leg, c = outcome
    Row{TraceKind::commit_done, "commit_done"},          // transfer; a = target shard, b = leg, c = outcome
    Row{TraceKind::abort_started, "abort_started"},      // transfer; a = target shard, b = leg, c = outcome
    Row{TraceKind::abort_done, "abort_done"},            // transfer; a = target shard, b = leg, c = outcome
    Row{TraceKind::hold_placed, "hold_placed"},          // a = amount, b = expiry
    Row{TraceKind::hold_captured, "hold_captured"},      // a = amount taken, b = shard it is for
    Row{TraceKind::hold_voided, "hold_voided"},
    Row{TraceKind::hold_expired, "hold_expired"},          // a = amount, b = expiry
    Row{TraceKind::window_moved, "window_moved"},          // a = milliseconds passed, b = rows forgotten
    Row{TraceKind::split_started, "split_started"},        // a = parts, b = 1 if all was done at once
    Row{TraceKind::split_answered, "split_answered"},      // a = target shard, b = leg, c = outcome
    Row{TraceKind::split_confirming, "split_confirming"},  // a = target shard, b = leg, c = outcome
    Row{TraceKind::split_cancelling, "split_cancelling"},  // a = target shard, b = leg, c = outcome
    Row{TraceKind::split_ended, "split_ended"},            // a = target shard, b = leg, c = outcome
    Row{TraceKind::split_confirmed, "split_confirmed"},    // a = target shard, b = leg, c = outcome
    Row{TraceKind::split_cancelled, "split_cancelled"},    // a = target shard, b = leg, c = outcome
    Row{TraceKind::capture_put_off, "capture_put_off"},    // a = amount asked for
    Row{TraceKind::rows_left, "rows_left"},                // a = rows that have left, b = by this entry
    Row{TraceKind::attic_published, "attic_published"},    // index = the last entry of its epoch
    Row{TraceKind::attic_opened, "attic_opened"},          // a = first place, b = end
    Row{TraceKind::attic_waits, "attic_waits"},            // a = places held, b = places needed
    Row{TraceKind::attic_sought, "attic_sought"},          // a = chunks to be read
    Row{TraceKind::attic_found, "attic_found"},            // a = rows
    Row{TraceKind::attic_missed, "attic_missed"},
    Row{TraceKind::attic_repeated, "attic_repeated"},  // a = outcome
    Row{TraceKind::attic_conflict, "attic_conflict"},
    Row{TraceKind::attic_status, "attic_status"},    // a = outcome
    Row{TraceKind::attic_damaged, "attic_damaged"},  // a = chunk
    Row{TraceKind::attic_rebuilt, "attic_rebuilt"},
};

constexpr bool is_in_order() {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (static_cast<std::size_t>(rows[i].kind) != i) return false;
  }
  return true;
}
static_assert(is_in_order(), "a row's place is its kind");
static_assert(rows.back().kind == last_trace_kind, "every kind has a row");

}  // namespace

std::string_view name(TraceKind kind) {
  const auto at = static_cast<std::size_t>(kind);
  check(at < rows.size(), "a trace kind is one of the table");
  return rows[at].name;
}

}  // namespace coffer
