// Walks an alias.
using Table = boost::unordered_flat_map<int, int>;
void walk(const Table& table) {
  for (const auto& row : table) {
    use(row);
  }
}
