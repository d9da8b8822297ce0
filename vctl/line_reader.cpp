#include "line_reader.hpp"

#include <istream>

namespace vipauth::vctl {

Line read_line(std::istream& in, std::size_t limit) {
  // Straight from the buffer: a formatted read would flush the tied output each time.
  std::streambuf& buffer = *in.rdbuf();
  constexpr int kEnd = std::char_traits<char>::eof();
  Line line;
  int next = buffer.sbumpc();
  if (next == kEnd) return line;
  line.kind = Line::Kind::kText;
  for (; next != kEnd && next != '\n'; next = buffer.sbumpc()) {
    if (line.text.size() < limit) {
      line.text += static_cast<char>(next);
    } else {
      line.kind = Line::Kind::kTooLong;
    }
  }
  if (line.kind == Line::Kind::kTooLong) line.text.clear();
  return line;
}

}  // namespace vipauth::vctl
