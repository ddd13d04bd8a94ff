TEST_CASE("never built") {}
