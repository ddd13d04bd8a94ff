// Walks the table.
void Router::all() {
  for (const auto& [slot, shards] : owners_) {
    use(slot);
  }
  for (auto it = seen_.begin(); it != seen_.end(); ++it) {
    use(*it);
  }
}
