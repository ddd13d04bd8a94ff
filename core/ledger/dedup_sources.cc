// Rows of sources: who numbers the transfers of an account has one, in place (docs/decisions/0012, section 2).
#include <utility>

#include "core/base/check.h"
#include "core/ledger/dedup.h"

namespace coffer::ledger {

namespace {

std::uint64_t number_in(const TransferId& id) { return bits_of_number(id).number; }
std::uint64_t source_in(const TransferId& id) { return bits_of_number(id).source; }

}  // namespace

DedupNumber Dedup::find_source(AccountNumber home, const TransferId& id) const {
  if (!has_sources()) return no_row;
  const std::optional<IdNumber> said = id_number_of(id);
  if (!said) return no_row;
  return by_source_.find(source_hash(home, said->source), [&](DedupNumber number) {
    const DedupRow& found = row(number);
    return found.home == home && source_in(found.id) == said->source;
  });
}

/// Whether a source's row is the one bound last, of those that can be unbound.
bool Dedup::is_source_latest() const {
  if (replaced_.empty()) return false;
  const Table& table = latest();
  return table.rows.empty() || table.rows[table.rows.end_number() - 1].position < replaced_.back().position;
}

/// Writes a row in place; the counters and the index go with it.
void Dedup::put_source(std::uint64_t place, const DedupRow& row, const LegLink& link) {
  const DedupNumber number = sources_.number_of(place);
  DedupRow& there = sources_.rows[place];
  LegLink& linked = sources_.links[place];
  const auto is_of_other = [](const DedupRow& of, const LegLink& its) {
    return of.link != no_row && its.protocol != Protocol::saga;
  };
  if (number_in(there.id) > 0) by_id_.remove(hash_of(there.id), number);
  if (there.link != no_row) --source_links_;
  if (is_of_other(there, linked)) --links_of_others_;
  there = row;
  linked = link;
  if (number_in(there.id) > 0) by_id_.add(hash_of(there.id), number);
  if (there.link != no_row) ++source_links_;
  if (is_of_other(there, linked)) ++links_of_others_;
}

DedupNumber Dedup::take_source(DedupNumber number, DedupRow row, const LegLink* link) {
  const std::uint64_t place = sources_.place_of(number);
  const DedupRow before = sources_.rows[place];
  check(moves_money(row.operation), "only transfers, deposits and withdrawals are numbered");
  check(number_in(row.id) == number_in(before.id) + 1, "a source's numbers are decided one after the other");
  check(before.outcome != Outcome::pending, "what is running keeps its row");
  check(find(row.home, row.id) == no_row, "an id is bound once");
  replaced_.push_back({row.position, number, before, sources_.links[place]});
  if (link != nullptr) row.link = static_cast<std::uint32_t>(place);
  put_source(place, row, link != nullptr ? *link : LegLink{});
  return number;
}

/// The inverse of taking it.
void Dedup::give_source_back(const TransferId& id) {
  const Replaced before = replaced_.back();
  check(row(before.number).id == id, "ids are unbound in reverse order");
  put_source(sources_.place_of(before.number), before.row, before.link);
  replaced_.pop_back();
}

void Dedup::open_source(AccountNumber home, std::uint64_t source, Position position, Stamp stamp) {
  check(source <= id_source_max, "a source has 60 bits");
  check(find_source(home, uuid_numbered({source, 1})) == no_row, "a source is opened once");
  check(sources_.rows.size() < source_rows_max - 1, "rows of sources do not run out");
  DedupRow row;
  row.id = uuid_numbered({source, 0});
  row.position = position;
  row.stamp = stamp;
  row.home = home;
  row.outcome = Outcome::success;
  by_source_.add(source_hash(home, source), sources_.number_of(sources_.rows.end_number()));
  sources_.rows.push_back(row);
  sources_.links.push_back(LegLink{});
}

void Dedup::close_source(AccountNumber home, std::uint64_t source) {
  check(has_sources(), "only a source that was opened is closed");
  const DedupRow row = std::as_const(sources_).rows[sources_.rows.end_number() - 1];
  check(row.home == home && row.id == uuid_numbered({source, 0}), "sources are closed in reverse order, unused");
  by_source_.remove(source_hash(home, source), sources_.number_of(sources_.rows.end_number() - 1));
  sources_.rows.pop_back();
  sources_.links.pop_back();
}

bool Dedup::load_source(DedupRow row, const LegLink& link) {
  const bool is_numbered = id_number_of(row.id).has_value() || row.id == uuid_numbered({source_in(row.id), 0});
  const bool is_empty = number_in(row.id) == 0;
  const bool fits = sources_.rows.size() < source_rows_max - 1 && is_numbered && moves_money(row.operation) &&
                    (!is_empty || (row.link == no_row && row.outcome == Outcome::success));
  if (!fits || find_source(row.home, uuid_numbered({source_in(row.id), 1})) != no_row) return false;
  if (!is_empty && find(row.home, row.id) != no_row) return false;
  const std::uint64_t place = sources_.rows.end_number();
  open_source(row.home, source_in(row.id), row.position, row.stamp);
  if (row.link != no_row) row.link = static_cast<std::uint32_t>(place);
  put_source(place, row, row.link != no_row ? link : LegLink{});
  return true;
}

}  // namespace coffer::ledger
