// The only real clock.
auto now = std::chrono::steady_clock::now();
