// TEST_CASE("commented out") {}
