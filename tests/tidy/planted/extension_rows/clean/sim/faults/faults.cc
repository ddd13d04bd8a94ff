// The rows.
constexpr Row kRows[] = {{"crash", crash}, {"torn_write", torn_write}};
auto more = make_one_way();
