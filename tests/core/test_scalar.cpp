#include <catch2/catch.hpp>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>
#include <random>
#include <string>

#include "config/scalar.hpp"

using namespace nnrun::core;

namespace {

Node scalar(std::string text, bool quoted = false) {
  Node node;
  node.kind = Node::Kind::scalar;
  node.text = std::move(text);
  node.quoted = quoted;
  return node;
}

}  // namespace

TEST_CASE("integers are decimal") {
  const auto value = [](const char* text) { return parse_integer(scalar(text)).value; };
  CHECK(value("0") == 0);
  CHECK(value("-0") == 0);
  CHECK(value("42") == 42);
  CHECK(value("-7") == -7);
  CHECK(value("+7") == 7);
  CHECK(value("9223372036854775807") == std::numeric_limits<std::int64_t>::max());
  CHECK(value("-9223372036854775808") == std::numeric_limits<std::int64_t>::min());
  CHECK(value("1e3") == 1000);
  CHECK(value("1.5e3") == 1500);
  CHECK(value("10.0") == 10);
  for (const char* text : {"", "-", "+", "012", "00", "-01", "0x10", "0b11", "0o7", "1_000", "1.5", "1e-1", "1e30", "ten", "1 2", "--1",
                           "1e", "9223372036854775808", ".inf"}) {
    INFO(text);
    CHECK_FALSE(value(text));
  }
}

TEST_CASE("a number that is none here comes with what to write") {
  CHECK(parse_integer(scalar("012")).suggestion == "write 12");
  CHECK(parse_integer(scalar("-007")).suggestion == "write -7");
  CHECK(parse_integer(scalar("000")).suggestion == "write 0");
  CHECK(parse_integer(scalar("0x10")).suggestion == "write 16");
  CHECK(parse_integer(scalar("0o12")).suggestion == "write 10");
  CHECK(parse_integer(scalar("1_000")).suggestion == "write 1000");
  CHECK(parse_integer(scalar("10", true)).suggestion == "write 10 without quotes");
  CHECK(parse_number(scalar("0,5")).suggestion == "write 0.5");
  CHECK(parse_number(scalar("50%")).suggestion == "write 0.5");
  CHECK(parse_number(scalar("00.5")).suggestion == "write 0.5");
}

TEST_CASE("numbers are finite") {
  const auto value = [](const char* text) { return parse_number(scalar(text)).value; };
  CHECK(value("0.5") == 0.5);
  CHECK(value(".5") == 0.5);
  CHECK(value("5.") == 5.0);
  CHECK(value("1e-3") == 0.001);
  CHECK(value("-1E+2") == -100.0);
  for (const char* text : {".inf", "-.inf", ".nan", "inf", "nan", "1e999", "1e-999", ".", "e5", "1.2.3", "0x1p3", "infinity", "1f"}) {
    INFO(text);
    CHECK_FALSE(value(text));
  }
}

TEST_CASE("truth is true or false") {
  CHECK(parse_boolean(scalar("true")).value == true);
  CHECK(parse_boolean(scalar("false")).value == false);
  for (const char* text : {"yes", "on", "True", "TRUE", "y", "1"}) CHECK(parse_boolean(scalar(text)).suggestion == "write true");
  for (const char* text : {"no", "off", "False", "N", "0"}) CHECK(parse_boolean(scalar(text)).suggestion == "write false");
  CHECK_FALSE(parse_boolean(scalar("true", true)).value);
  CHECK_FALSE(parse_boolean(scalar("maybe")).value);
}

TEST_CASE("every double reads back as itself") {
  std::mt19937_64 random(1);
  for (int i = 0; i < 20000; ++i) {
    const std::uint64_t bits = random();
    double number = 0;
    std::memcpy(&number, &bits, sizeof number);
    if (!std::isfinite(number)) continue;
    const std::optional<double> again = parse_number(scalar(format_number(number))).value;
    REQUIRE(again.has_value());
    REQUIRE(std::memcmp(&*again, &number, sizeof number) == 0);
  }
}
