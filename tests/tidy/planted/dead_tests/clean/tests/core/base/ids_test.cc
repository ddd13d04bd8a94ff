TEST_CASE("ids do not mix") {}
