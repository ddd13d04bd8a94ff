// A second clock.
auto now = std::chrono::steady_clock::now();
