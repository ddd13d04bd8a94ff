// Looks up, and walks what has an order.
void Router::all() {
  auto found = owners_.find(slot);
  if (found != owners_.end()) use(found);
  for (const auto& [slot, shard] : ordered_) {
    use(owners_[slot]);
  }
}
