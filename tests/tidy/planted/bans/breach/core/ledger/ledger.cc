// Everything the core may not say.
#define LIMIT 3
#ifdef NDEBUG
#endif
void all() {
  std::shuffle(a, b, g);
  std::uniform_int_distribution<int> d;
  std::mt19937_64 engine;
  auto t = std::chrono::system_clock::now();
  std::mutex m;
  std::function<void()> f;
  std::shared_ptr<int> p;
  double rate = 0.5;
  std::unordered_map<int, int> u;
  std::map<Node*, int> order;
  assert(p);
  throw 1;
  std::cout << 1;
  auto v = std::views::all;
  if (testing_) return;
}
