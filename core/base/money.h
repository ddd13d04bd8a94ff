// Money: a count of minor units in a currency. Nothing rounds, nothing is a float, arithmetic is checked.
// Source: ISO 4217 (exponents as listed in docs/ARCHITECTURE.md, "Amounts").
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace coffer {

/// An ISO 4217 alphabetic code, packed little-endian in the low 24 bits ('U' | 'S'<<8 | 'D'<<16). 0 is "none".
struct Currency {
  std::uint32_t packed = 0;
  constexpr auto operator<=>(const Currency&) const = default;
};

/// Reads a three-letter upper-case code. Nothing for unknown codes, XXX, XTS, metals and fund codes.
std::optional<Currency> parse_currency(std::string_view code);
/// Whether `packed` names a currency of the table (for decoders of untrusted bytes).
bool is_known(Currency currency);
/// "USD".
std::string to_string(Currency currency);
/// Number of decimal digits of the minor unit: 0 to 4. Requires: is_known(currency) (checked).
int exponent(Currency currency);
/// The packed form of a code known at compile time; the table is not consulted.
constexpr Currency currency_of(const char (&code)[4]) {
  return Currency{static_cast<std::uint32_t>(static_cast<unsigned char>(code[0])) |
                  static_cast<std::uint32_t>(static_cast<unsigned char>(code[1])) << 8 |
                  static_cast<std::uint32_t>(static_cast<unsigned char>(code[2])) << 16};
}

/// Minor units of one currency; may be negative (an issue account's balance).
struct Money {
  std::int64_t minor = 0;
  Currency currency;
  constexpr auto operator<=>(const Money&) const = default;
};

/// a + b and a - b, or nothing on overflow. Units: minor units.
std::optional<std::int64_t> checked_add(std::int64_t a, std::int64_t b);
std::optional<std::int64_t> checked_subtract(std::int64_t a, std::int64_t b);

enum class AmountError : std::uint8_t {
  invalid,      ///< not ^(0|[1-9][0-9]{0,18})(\.[0-9]{1,4})?$, or zero
  too_precise,  ///< more decimals than the currency has; never rounded
  too_large,    ///< beyond int64 minor units
};

struct ParsedAmount {
  std::optional<std::int64_t> minor;  ///< set on success
  AmountError error = AmountError::invalid;
};

/// Reads a positive decimal string ("12.50") as minor units. "1.0" and "1.00" are the same amount.
ParsedAmount parse_amount(std::string_view text, Currency currency);
/// "87.50", "-3.00", "0.00"; exponent digits always printed.
std::string format_amount(Money money);

}  // namespace coffer
