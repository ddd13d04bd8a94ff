#include "core/base/money.h"

#include <cstdint>
#include <string>
#include <vector>

#include <catch2/catch.hpp>
#include <rapidcheck.h>

#include "core/base/check.h"

namespace {

using namespace coffer;

struct Row {
  const char* text;
  const char* currency;
  std::int64_t minor;
};

Currency currency_named(const char* code) {
  const std::optional<Currency> currency = parse_currency(code);
  REQUIRE(currency.has_value());
  return *currency;
}

void require_error(const char* text, const char* code, AmountError error) {
  CAPTURE(text, code);
  const ParsedAmount parsed = parse_amount(text, currency_named(code));
  REQUIRE_FALSE(parsed.minor.has_value());
  REQUIRE(parsed.error == error);
}

TEST_CASE("amounts are read as minor units of their currency (api, Amounts and names)") {
  const std::vector<Row> rows = {
      {"12.50", "USD", 1250},
      {"12.5", "USD", 1250},
      {"12", "USD", 1200},
      {"0.01", "USD", 1},
      {"0.1", "USD", 10},
      {"1.0", "USD", 100},
      {"1.00", "USD", 100},
      {"1", "JPY", 1},
      {"1000", "JPY", 1000},
      {"0.001", "KWD", 1},
      {"1.234", "BHD", 1234},
      {"0.0001", "CLF", 1},
      {"1.5", "UYW", 15000},
      {"9223372036854775807", "JPY", INT64_MAX},
      {"92233720368547758.07", "USD", INT64_MAX},
      {"9223372036854775.807", "TND", INT64_MAX},
      {"922337203685477.5807", "CLF", INT64_MAX},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text, row.currency);
    REQUIRE(parse_amount(row.text, currency_named(row.currency)).minor == row.minor);
  }
}

TEST_CASE("amounts outside the grammar are invalid (api, Amounts and names)") {
  for (const char* text : {"",
                           "0",
                           "0.0",
                           "0.00",
                           "00.1",
                           "01",
                           "1.",
                           ".5",
                           ".",
                           "1e3",
                           "1E3",
                           "+1",
                           "-1",
                           " 1",
                           "1 ",
                           "1,5",
                           "1.2.3",
                           "0x10",
                           "1.-1",
                           "١",
                           "1_000",
                           "1.5a",
                           "a1.5",
                           "NaN",
                           "inf",
                           "--1",
                           "1.00000",
                           "1\n",
                           "10000000000000000000",
                           "99999999999999999999999999999999999999999999999999999999999999"}) {
    require_error(text, "USD", AmountError::invalid);
  }
  REQUIRE_FALSE(parse_amount(std::string_view("1\0", 2), currency_of("USD")).minor.has_value());
  REQUIRE_FALSE(parse_amount(std::string_view("1.5\0", 4), currency_of("USD")).minor.has_value());
}

TEST_CASE("more decimals than the currency has are refused, never rounded (api, Amounts and names)") {
  require_error("1.000", "USD", AmountError::too_precise);
  require_error("1.001", "USD", AmountError::too_precise);
  require_error("1.0", "JPY", AmountError::too_precise);
  require_error("1.2345", "KWD", AmountError::too_precise);
  REQUIRE(parse_amount("1.2345", currency_of("CLF")).minor == 12345);
}

TEST_CASE("amounts beyond int64 minor units are too large (api, Amounts and names)") {
  require_error("9223372036854775808", "JPY", AmountError::too_large);
  require_error("9999999999999999999", "JPY", AmountError::too_large);
  require_error("92233720368547758.08", "USD", AmountError::too_large);
  require_error("9223372036854775807", "USD", AmountError::too_large);
  require_error("9999999999999999999.9999", "CLF", AmountError::too_large);
}

TEST_CASE("currencies have the exponents of ISO 4217") {
  const std::vector<std::pair<int, std::string>> table = {
      {0, "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"},
      {3, "BHD IQD JOD KWD LYD OMR TND"},
      {4, "CLF UYW"},
      {2, "USD EUR GBP CHF AED XCD XCG ZWG ZAR SLE VED MRU MGA BOV CHE CHW COU MXV USN"},
  };
  for (const auto& [places, codes] : table) {
    for (std::size_t at = 0; at < codes.size(); at += 4) {
      const std::string code = codes.substr(at, 3);
      CAPTURE(code);
      const std::optional<Currency> currency = parse_currency(code);
      REQUIRE(currency.has_value());
      REQUIRE(exponent(*currency) == places);
      REQUIRE(to_string(*currency) == code);
    }
  }
  REQUIRE(parse_currency("USD") == currency_of("USD"));
}

TEST_CASE("codes without money behind them are no currencies (api, Amounts and names)") {
  for (const char* code : {"XXX", "XTS", "XAG", "XAU", "XPD",  "XPT", "XDR", "XSU", "XUA", "XBA", "XBB",      "XBC",
                           "XBD", "usd", "Usd", "US",  "USDT", "",    "U D", "ZZZ", "HRK", "DEM", "\xC3\x84X"}) {
    CAPTURE(code);
    REQUIRE_FALSE(parse_currency(code).has_value());
  }
  REQUIRE_FALSE(parse_currency(std::string_view("US\0", 3)).has_value());
  REQUIRE_FALSE(is_known(Currency{}));
  REQUIRE_FALSE(is_known(Currency{currency_of("USD").packed | 1u << 24}));
  REQUIRE_THROWS_AS(exponent(Currency{}), CheckFailure);
}

TEST_CASE("the table holds each active code once") {
  int known = 0;
  for (char a = 'A'; a <= 'Z'; ++a) {
    for (char b = 'A'; b <= 'Z'; ++b) {
      for (char c = 'A'; c <= 'Z'; ++c) {
        known += parse_currency(std::string{a, b, c}).has_value() ? 1 : 0;
      }
    }
  }
  REQUIRE(known == 165);
}

TEST_CASE("amounts are printed with all digits of the minor unit") {
  const std::vector<Row> rows = {
      {"87.50", "USD", 8750},
      {"-3.00", "USD", -300},
      {"0.00", "USD", 0},
      {"0.05", "USD", 5},
      {"-0.05", "USD", -5},
      {"7", "JPY", 7},
      {"0", "JPY", 0},
      {"0.007", "KWD", 7},
      {"0.0001", "CLF", 1},
      {"92233720368547758.07", "USD", INT64_MAX},
      {"-92233720368547758.08", "USD", INT64_MIN},
  };
  for (const Row& row : rows) {
    REQUIRE(format_amount(Money{row.minor, currency_named(row.currency)}) == row.text);
  }
}

TEST_CASE("sums and differences of minor units are checked") {
  REQUIRE(checked_add(1, 2) == 3);
  REQUIRE(checked_add(INT64_MAX, 0) == INT64_MAX);
  REQUIRE_FALSE(checked_add(INT64_MAX, 1).has_value());
  REQUIRE_FALSE(checked_add(INT64_MIN, -1).has_value());
  REQUIRE(checked_subtract(1, 2) == -1);
  REQUIRE_FALSE(checked_subtract(INT64_MIN, 1).has_value());
  REQUIRE_FALSE(checked_subtract(0, INT64_MIN).has_value());
}

TEST_CASE("property: a positive amount printed and read again is the same amount") {
  REQUIRE(rc::check("property: parse(format(money)) = money", [] {
    const auto minor = *rc::gen::inRange<std::int64_t>(1, INT64_MAX);
    const Currency currency =
        *rc::gen::element(currency_of("USD"), currency_of("JPY"), currency_of("KWD"), currency_of("CLF"));
    RC_ASSERT(parse_amount(format_amount({minor, currency}), currency).minor == minor);
  }));
}

TEST_CASE("property: no text makes the reader of amounts crash, and what it accepts prints back equal in value") {
  REQUIRE(rc::check("property: parse is total", [] {
    const auto text = *rc::gen::container<std::string>(rc::gen::element('0', '1', '9', '.', '-', 'e', '\0', ' '));
    const ParsedAmount parsed = parse_amount(text, currency_of("USD"));
    if (parsed.minor) {
      RC_ASSERT(*parsed.minor > 0);
      RC_ASSERT(format_amount({*parsed.minor, currency_of("USD")}).starts_with(text));
    }
  }));
}

}  // namespace
