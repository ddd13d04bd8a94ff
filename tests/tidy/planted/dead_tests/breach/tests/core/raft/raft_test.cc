TEST_CASE("of a folder that is gone") {}
