#include "output.hpp"

#include <sstream>

#include "line_reader.hpp"
#include "support/catch.hpp"

namespace vipauth::test {

using vctl::format_table;
using vctl::Line;
using vctl::printable;
using vctl::read_line;

TEST_CASE("output: what a terminal would obey is escaped") {
  CHECK(printable("plain, é漢 'quoted' \\ \"text\"") == "plain, é漢 'quoted' \\ \"text\"");
  CHECK(printable("a\x1b[31mb\n\t\x7f") == "a\\x1b[31mb\\x0a\\x09\\x7f");
  CHECK(printable("\xc2\x9b"
                  "31m") == "\\x9b31m");
  CHECK(printable("a\u202eb\u2028c\ufeff") == "a\\u202eb\\u2028c\\ufeff");
  CHECK(printable("\xff\xc3(\xe2\x82") == "\\xff\\xc3(\\xe2\\x82");
  CHECK(printable(std::string("a\0b", 3)) == "a\\x00b");
  CHECK(printable("\U000e0041") == "\\U000e0041");
}

TEST_CASE("output: columns of a table are as wide as their widest cell") {
  CHECK(format_table({{"A", "B"}, {"long", "x"}, {"é漢", "y"}}) == "A    B\nlong x\né漢   y\n");
  CHECK(format_table({{"ROLE", "CAPABILITIES"}}) == "ROLE CAPABILITIES\n");
  CHECK(format_table({{"a\nb", "c"}}) == "a\\x0ab c\n");
}

TEST_CASE("line reader: lines come without their end, the last one with or without") {
  std::istringstream in("a\n\nb\r\nlast");
  for (const char* expected : {"a", "", "b\r", "last"}) {
    const Line line = read_line(in, 10);
    CHECK(line.kind == Line::Kind::kText);
    CHECK(line.text == expected);
  }
  CHECK(read_line(in, 10).kind == Line::Kind::kEnd);
}

TEST_CASE("line reader: a line beyond the limit is skipped as a whole") {
  std::istringstream in("12345\n123456\nx\n");
  CHECK(read_line(in, 5).text == "12345");
  CHECK(read_line(in, 5).kind == Line::Kind::kTooLong);
  CHECK(read_line(in, 5).text == "x");
  CHECK(read_line(in, 5).kind == Line::Kind::kEnd);
}

}  // namespace vipauth::test
