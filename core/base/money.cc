#include "core/base/money.h"

#include <array>

#include "core/base/check.h"

namespace coffer {

namespace {

// ISO 4217 list one, amendment 177 (2025). Left out because a wallet cannot hold them: XXX, XTS, the metals (XAG XAU
// XPD XPT) and the codes of funds and bond units (XDR XSU XUA XBA XBB XBC XBD).
constexpr std::string_view two_decimals =
    "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF CHW "
    "CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR "
    "ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV "
    "MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD "
    "SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG ";
constexpr std::string_view no_decimals = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF ";
constexpr std::string_view three_decimals = "BHD IQD JOD KWD LYD OMR TND ";
constexpr std::string_view four_decimals = "CLF UYW ";

constexpr std::size_t letters = 26;
constexpr std::int8_t unknown_code = -1;
constexpr std::size_t amount_length_max = 24;  ///< 19 digits, a point, 4 decimals

constexpr std::size_t row_of(unsigned a, unsigned b, unsigned c) { return (a * letters + b) * letters + c; }

/// The exponent of every three-letter code, or unknown_code.
using ExponentTable = std::array<std::int8_t, letters * letters * letters>;

constexpr void fill(ExponentTable& table, std::string_view codes, std::int8_t exponent) {
  for (std::size_t at = 0; at + 3 < codes.size(); at += 4) {
    const auto letter = [&](std::size_t i) { return static_cast<unsigned>(codes[at + i] - 'A'); };
    table[row_of(letter(0), letter(1), letter(2))] = exponent;
  }
}

constexpr ExponentTable exponents = [] {
  ExponentTable table{};
  for (std::int8_t& row : table) row = unknown_code;
  fill(table, two_decimals, 2);
  fill(table, no_decimals, 0);
  fill(table, three_decimals, 3);
  fill(table, four_decimals, 4);
  return table;
}();

constexpr std::int8_t lookup(Currency currency) {
  const unsigned a = (currency.packed & 0xFF) - 'A';
  const unsigned b = (currency.packed >> 8 & 0xFF) - 'A';
  const unsigned c = (currency.packed >> 16 & 0xFF) - 'A';
  if (a >= letters || b >= letters || c >= letters || currency.packed >> 24 != 0) return unknown_code;
  return exponents[row_of(a, b, c)];
}

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }

struct DecimalParts {
  std::string_view whole;
  std::string_view decimals;
};

/// ^(0|[1-9][0-9]{0,18})(\.[0-9]{1,4})?$
std::optional<DecimalParts> split_decimal(std::string_view text) {
  if (text.empty() || text.size() > amount_length_max) return std::nullopt;
  std::size_t point = 0;
  while (point < text.size() && is_digit(text[point])) ++point;
  if (point == 0 || point > 19 || (text[0] == '0' && point > 1)) return std::nullopt;
  if (point == text.size()) return DecimalParts{text, {}};
  const std::string_view decimals = text.substr(point + 1);
  if (text[point] != '.' || decimals.empty() || decimals.size() > 4) return std::nullopt;
  for (const char c : decimals) {
    if (!is_digit(c)) return std::nullopt;
  }
  return DecimalParts{text.substr(0, point), decimals};
}

}  // namespace

std::optional<Currency> parse_currency(std::string_view code) {
  if (code.size() != 3) return std::nullopt;
  Currency currency;
  for (std::size_t i = 0; i < code.size(); ++i) {
    currency.packed |= static_cast<std::uint32_t>(static_cast<unsigned char>(code[i])) << (8 * i);
  }
  return is_known(currency) ? std::optional(currency) : std::nullopt;
}

bool is_known(Currency currency) { return lookup(currency) != unknown_code; }

std::string to_string(Currency currency) {
  std::string code;
  for (unsigned shift = 0; shift < 24; shift += 8) {
    const char letter = static_cast<char>(currency.packed >> shift & 0xFF);
    code += letter >= 'A' && letter <= 'Z' ? letter : '?';
  }
  return code;
}

int exponent(Currency currency) {
  const std::int8_t found = lookup(currency);
  check(found != unknown_code, "only currencies of the table have an exponent");
  return found;
}

std::optional<std::int64_t> checked_add(std::int64_t a, std::int64_t b) {
  std::int64_t sum = 0;
  return __builtin_add_overflow(a, b, &sum) ? std::nullopt : std::optional(sum);
}

std::optional<std::int64_t> checked_subtract(std::int64_t a, std::int64_t b) {
  std::int64_t difference = 0;
  return __builtin_sub_overflow(a, b, &difference) ? std::nullopt : std::optional(difference);
}

ParsedAmount parse_amount(std::string_view text, Currency currency) {
  const auto places = static_cast<std::size_t>(exponent(currency));
  const std::optional<DecimalParts> parts = split_decimal(text);
  if (!parts) return {std::nullopt, AmountError::invalid};
  __int128 minor = 0;  // at most 23 digits
  for (const char c : parts->whole) minor = minor * 10 + (c - '0');
  for (const char c : parts->decimals) minor = minor * 10 + (c - '0');
  if (minor == 0) return {std::nullopt, AmountError::invalid};
  if (parts->decimals.size() > places) return {std::nullopt, AmountError::too_precise};
  for (std::size_t i = parts->decimals.size(); i < places; ++i) minor *= 10;
  if (minor > INT64_MAX) return {std::nullopt, AmountError::too_large};
  return {static_cast<std::int64_t>(minor), {}};
}

std::string format_amount(Money money) {
  const auto places = static_cast<std::size_t>(exponent(money.currency));
  const auto bits = static_cast<std::uint64_t>(money.minor);
  const std::uint64_t magnitude = money.minor < 0 ? 0 - bits : bits;
  std::string digits = std::to_string(magnitude);
  if (digits.size() <= places) digits.insert(0, places + 1 - digits.size(), '0');
  if (places > 0) digits.insert(digits.size() - places, 1, '.');
  return money.minor < 0 ? "-" + digits : digits;
}

}  // namespace coffer
