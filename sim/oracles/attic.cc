// O-L10. Rows that leave a shard's state, by the committed events and the durable bytes alone: they leave from the
// front, and nothing of them is still under way; an id is never bound again at its account, though its row has left; an
// attic file holds exactly the rows that left in the epoch that ends with the entry it names, each file's rows behind
// those of the one before, with what the log says of them; and a client is told of an id whose row had left what the
// log says: never that there is none, nor another outcome or position.
//
//   attic payload := (hash u64 | row 55 | link 28 or zeros){…} zeros to the next chunk, …, then what is not looked at
//   meta          := magic "CFA1" u32 | version u16 | content_size u16 | first u64 | end u64 | chunk_size u32
//                    | row_chunks u32 | filter_blocks u32
#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "core/base/codec.h"
#include "core/base/prng.h"
#include "sim/oracles/book.h"
#include "sim/oracles/calls.h"
#include "sim/oracles/sealed_decode.h"
#include "sim/oracles/state_decode.h"
#include "sim/oracles/state_fold.h"

namespace coffer::sim::oracles {

namespace {

constexpr std::uint32_t head_magic = 0x31414643;  // "CFA1"
constexpr std::uint16_t content_size = 83;

/// What an attic file says of itself.
struct RunHead {
  std::uint64_t first = 0;
  std::uint64_t end = 0;
  std::uint32_t chunk_size = 0;
  std::uint32_t row_chunks = 0;
};

std::optional<RunHead> decode_run_head(ByteView meta) {
  ByteReader in(meta);
  const bool ours = in.u32() == head_magic && in.u16() == 1 && in.u16() == content_size;
  RunHead head;
  head.first = in.u64();
  head.end = in.u64();
  head.chunk_size = in.u32();
  head.row_chunks = in.u32();
  in.u32();
  const bool fits = ours && in.done() && head.first <= head.end && head.chunk_size >= 8 + content_size;
  return fits ? std::optional(head) : std::nullopt;
}

struct Record {
  std::uint64_t hash = 0;
  DedupRow row;
};

Record decode_record(ByteView bytes) {
  ByteReader in(bytes);
  Record record;
  record.hash = in.u64();
  record.row = decode_dedup_row(in);
  return record;
}

std::uint64_t hash_of(const TransferId& id) {
  ByteReader in(std::as_bytes(std::span(id.bytes)));
  const std::uint64_t low = in.u64();
  const std::uint64_t high = in.u64();
  return mix64(mix64(low) ^ high);
}

class Attic final : public Oracle {
 public:
  explicit Attic(const Topology& topology) : book_(topology), shards_(topology.shards) {
    for (std::uint32_t s = 0; s < topology.shards; ++s) shards_[s].rows = empty_state(ShardId(s + 1));
  }
  std::string_view name() const override { return "O-L10"; }

  void on_phase(SimTime, Phase phase) override { calls_.phase(phase); }

  void on_committed(SimTime, NodeId, const CommittedEntry& committed) override {
    if (!violations().empty()) return;
    const std::optional<Entry> entry = book_.committed(committed);
    if (!entry) return;
    Shard& shard = shards_[committed.shard.value - 1];
    bind(committed.shard, shard, *entry);
    const std::size_t before = shard.leaving.left.size();
    fold(*entry, shard.rows, &shard.leaving);
    const std::string where = text(committed.shard) + " entry " + std::to_string(committed.index.value);
    if (!shard.leaving.breach.empty()) violated(where + " " + shard.leaving.breach);
    for (std::size_t place = before; place < shard.leaving.left.size(); ++place) {
      left(committed.shard, shard.leaving.left[place], where);
    }
    shard.left_at.resize(committed.index.value, before);
    shard.left_at.push_back(shard.leaving.left.size());
  }

  void on_durable(SimTime, NodeId node, std::string_view file, ByteView contents) override {
    const std::optional<SealedName> sealed = sealed_name(file);
    if (!violations().empty() || !sealed || sealed->kind != SealedKind::attic || !book_.knows(sealed->shard)) return;
    std::string why;
    const std::optional<SealedFile> whole = decode_sealed(*sealed, contents, why);
    if (!whole || runs_.contains(*sealed)) return;  // O-E3 looks at what is not whole, or not the same
    const std::string breach = judge(shards_[sealed->shard.value - 1], *whole, runs_[*sealed]);
    if (!breach.empty()) {
      violated("node " + std::to_string(node.value) + ": the attic file of " + text(sealed->shard) + " at entry " +
               std::to_string(sealed->last.value) + " " + breach);
    }
  }

  void on_call(SimTime, std::uint32_t, std::uint64_t op, const router::Request& request) override {
    calls_.called(op, request);
    called_at_[op] = facts_;
  }

  void on_return(SimTime, std::uint32_t, std::uint64_t op, const router::Reply& reply) override {
    const std::optional<Call> call = calls_.returned(op);
    const std::uint64_t since = called_at_[op];
    called_at_.erase(op);
    if (!call) return;
    if (call->kind == router::RequestKind::transfers) {
      const std::vector<Told> answers = answers_of(*call, reply);
      for (std::size_t i = 0; i < answers.size(); ++i) {
        const Fact* const fact = fact_of(call->items[i].key, since);
        if (fact == nullptr) continue;
        if (answers[i].outcome == Outcome::id_expired) contradicts(call->items[i].key, "that it has expired", *fact);
        if (answers[i].has_result && is_logged(answers[i].outcome)) {
          compare(call->items[i].key, answers[i].outcome, answers[i].result.position, *fact);
        }
      }
    } else if (call->kind == router::RequestKind::transfer_status) {
      told_status(*call, reply, since);
    }
  }

  void finish(SimTime) override {
    ShardId shard;
    std::uint64_t end = 0;
    for (const auto& [name, head] : runs_) {
      if (name.shard != shard) end = 0;
      shard = name.shard;
      if (head.first != end) {
        violated("the attic file of " + text(shard) + " at entry " + std::to_string(name.last.value) +
                 " begins at place " + std::to_string(head.first) + ", and those before it end at " +
                 std::to_string(end));
      }
      end = head.end;
    }
  }

 private:
  struct Fact {
    std::uint64_t since = 0;
    Outcome outcome = Outcome::pending;
    Position position;
  };
  struct Shard {
    StateRows rows;
    Leaving leaving;
    std::vector<std::size_t> left_at;  ///< rows that had left, by index
    std::set<std::pair<AccountNumber, TransferId>> bound;
  };

  void bind(ShardId id, Shard& shard, const Entry& entry) {
    for (const Event& event : entry.events) {
      const auto* change = std::get_if<AccountChanged>(&event);
      const Decided* const decided = decided_by(event);
      if (change == nullptr && decided == nullptr) continue;
      const AccountNumber home = change != nullptr ? change->account : decided->home;
      const TransferId& bound = change != nullptr ? change->id : decided->id;
      if (shard.bound.emplace(home, bound).second) continue;
      violated(text(id) + " binds the id " + text(bound) + " of account " + std::to_string(home.value) + " again");
    }
  }

  void left(ShardId id, const LeftRow& gone, const std::string& where) {
    if (gone.was_running) violated(where + " lets the row of " + text(gone.row.id) + " leave, which is still running");
    const ShardBook& book = book_.shard(id);
    const std::optional<std::string> account = book.account(gone.row.home);
    if (!account) return;
    const TenantId tenant = book.tenant_of(gone.row.home);
    facts_of_[Key{tenant, *account, gone.row.id}] = {++facts_, gone.row.outcome, gone.row.position};
    some_of_.try_emplace({tenant, gone.row.id}, Fact{facts_, gone.row.outcome, gone.row.position});
    if (gone.row.link) seen("left_with_a_leg");
  }

  /// Empty: the file is as the log says.
  static std::string judge(const Shard& shard, const SealedFile& file, RunHead& run) {
    const std::optional<RunHead> head = decode_run_head(file.meta);
    if (!head) return "has no head that follows the grammar";
    run = *head;
    const std::uint64_t index = file.name.last.value;
    if (index >= shard.left_at.size()) return "is of an entry that nobody has committed";
    if (head->end != shard.left_at[index]) {
      return "ends at place " + std::to_string(head->end) + ", and " + std::to_string(shard.left_at[index]) +
             " rows had left by then";
    }
    const std::uint64_t per_chunk = head->chunk_size / (8 + content_size);
    std::set<std::uint64_t> positions;
    for (std::uint64_t i = 0; i < head->end - head->first; ++i) {
      const std::uint64_t at = i / per_chunk * head->chunk_size + i % per_chunk * (8 + content_size);
      if (at + 8 + content_size > file.payload.size()) return "is shorter than its rows";
      const Record record = decode_record(file.payload.subspan(at, 8 + content_size));
      if (record.hash != hash_of(record.row.id)) return "has a row under another hash than its id's";
      const auto begin = shard.leaving.left.begin() + static_cast<std::ptrdiff_t>(head->first);
      const auto end = shard.leaving.left.begin() + static_cast<std::ptrdiff_t>(head->end);
      const auto found = std::lower_bound(begin, end, record.row.position, [](const LeftRow& gone, Position position) {
        return gone.row.position < position;
      });
      if (found == end || !(found->row == record.row)) {
        return "has a row of the id " + text(record.row.id) + " that did not leave like this in its epoch";
      }
      if (!positions.insert(record.row.position.value).second) return "has a row twice";
    }
    return {};
  }

  const Fact* fact_of(const Key& key, std::uint64_t since) const {
    const auto found = facts_of_.find(key);
    return found != facts_of_.end() && found->second.since <= since ? &found->second : nullptr;
  }

  void told_status(const Call& call, const router::Reply& reply, std::uint64_t since) {
    const Key key{call.tenant, call.account, call.id};
    const Fact* fact = fact_of(key, since);
    if (call.account.empty()) {
      const auto found = some_of_.find({call.tenant, call.id});
      fact = found != some_of_.end() && found->second.since <= since ? &found->second : nullptr;
    }
    if (fact == nullptr) return;
    if (reply.status == Outcome::transfer_not_found) contradicts(key, "that there is none", *fact);
    if (reply.status == Outcome::id_expired) contradicts(key, "that it has expired", *fact);
    const auto* const status = std::get_if<router::TransferStatusReply>(&reply.body);
    // Without the account it may be told of another home's.
    if (status == nullptr || call.account.empty()) return;
    compare(key, status->result.outcome, status->result.position, *fact);
  }

  void compare(const Key& key, Outcome outcome, Position position, const Fact& fact) {
    seen("told_of_one_that_had_left");
    if (outcome == fact.outcome && position == fact.position) return;
    contradicts(key, "'" + std::string(coffer::name(outcome)) + "' at position " + std::to_string(position.value),
                fact);
  }

  void contradicts(const Key& key, const std::string& told, const Fact& fact) {
    violated("of " + text(key) + ", whose row had left the state, a client was told " + told + ", and the log says '" +
             std::string(coffer::name(fact.outcome)) + "' at position " + std::to_string(fact.position.value));
  }

  Book book_;
  std::vector<Shard> shards_;  ///< by shard - 1
  Calls calls_;
  std::uint64_t facts_ = 0;
  std::map<std::uint64_t, std::uint64_t> called_at_;  ///< facts there were, by operation
  std::map<Key, Fact> facts_of_;
  std::map<std::pair<TenantId, TransferId>, Fact> some_of_;
  std::map<SealedName, RunHead> runs_;  ///< by shard and entry
};

}  // namespace

std::unique_ptr<Oracle> make_attic(const Topology& topology) { return std::make_unique<Attic>(topology); }

}  // namespace coffer::sim::oracles
