// Seeds side by side, timed.
std::thread worker;
auto began = std::chrono::steady_clock::now();
