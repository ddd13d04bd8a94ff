#include "core/ledger/dedup.h"

#include "core/base/check.h"
#include "core/ledger/row_codec.h"

namespace coffer::ledger {

DedupNumber Dedup::find(AccountNumber home, const TransferId& id) const {
  return by_id_.find(hash_of(id), [&](DedupNumber number) {
    const DedupRow& row = rows_[number];
    return row.home == home && row.id == id;
  });
}

const LegLink& Dedup::link(DedupNumber number) const { return links_[rows_[number].link]; }

DedupNumber Dedup::bind(DedupRow row) {
  check(rows_.end_number() < no_row, "dedup rows do not run out");
  const auto number = static_cast<DedupNumber>(rows_.end_number());
  check(find(row.home, row.id) == no_row, "an id is bound once");
  by_id_.add(hash_of(row.id), number);
  rows_.push_back(row);
  if (changes_account(row.operation)) ++account_changes_;
  if (row.operation == Operation::hold) ++holds_;
  return number;
}

DedupNumber Dedup::bind(DedupRow row, const LegLink& link) {
  row.link = static_cast<std::uint32_t>(links_.end_number());
  const DedupNumber number = bind(row);
  links_.push_back(link);
  if (link.protocol != Protocol::saga) ++links_of_others_;
  return number;
}

void Dedup::unbind_last(const TransferId& id) {
  const DedupRow row = rows_.back();
  check(row.id == id, "ids are unbound in reverse order");
  by_id_.remove(hash_of(id), static_cast<DedupNumber>(rows_.end_number() - 1));
  if (row.link != no_row) {
    check(row.link + 1 == links_.end_number(), "links are undone in reverse order");
    if (links_.back().protocol != Protocol::saga) --links_of_others_;
    links_.pop_back();
  }
  if (changes_account(row.operation)) --account_changes_;
  if (row.operation == Operation::hold) --holds_;
  rows_.pop_back();
}

void Dedup::finish(DedupNumber number, Outcome outcome, Position target_position, Stamp target_stamp) {
  DedupRow& row = rows_[number];
  check(row.outcome == Outcome::pending && is_logged(outcome), "a leg is answered once");
  row.outcome = outcome;
  LegLink& link = links_[row.link];
  link.target_position = target_position;
  link.target_stamp = target_stamp;
}

void Dedup::reopen(DedupNumber number) {
  DedupRow& row = rows_[number];
  check(is_logged(row.outcome), "only an answered leg is reopened");
  row.outcome = Outcome::pending;
  LegLink& link = links_[row.link];
  link.target_position = {};
  link.target_stamp = {};
}

void Dedup::relink(DedupNumber number, LegNumber from, LegNumber to) {
  LegLink& link = links_[rows_[number].link];
  check(link.leg == from, "a transfer is known by its latest leg");
  link.leg = to;
}

void Dedup::export_rows(ByteWriter& out) const {
  out.u64(rows_.size());
  for (std::uint64_t number = 0; number < rows_.end_number(); ++number) {
    const DedupRow& row = rows_[number];
    encode(row, row.link == no_row ? nullptr : &links_[row.link], out);
  }
}

std::uint64_t Dedup::export_size() const { return 8 + rows_.size() * dedup_bytes + links_.size() * link_bytes; }

bool Dedup::Frozen::write_next(ByteWriter& out) {
  if (!counted_) {
    counted_ = true;
    out.u64(rows_.size());
    return true;
  }
  std::uint64_t links_read = links_.begin_number();
  const bool wrote = rows_.take_page([&](const DedupRow& row) {
    encode(row, row.link == no_row ? nullptr : &links_[row.link], out);
    if (row.link != no_row) links_read = row.link + 1;  // links are numbered in the order of their rows
  });
  links_.release_before(links_read);
  return wrote;
}

bool Dedup::load(DedupRow row, const LegLink& link) {
  const bool is_late = rows_.empty() || rows_.back().position < row.position;
  if (rows_.end_number() >= no_row || !is_late || find(row.home, row.id) != no_row) return false;
  if (row.link == no_row) {
    bind(row);
  } else {
    bind(row, link);
  }
  return true;
}

}  // namespace coffer::ledger
