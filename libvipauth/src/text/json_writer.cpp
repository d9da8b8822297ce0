#include "text/json_writer.hpp"

#include <array>

#include <rapidjson/prettywriter.h>

#include "text/json_write.hpp"

namespace vipauth {
namespace {

/// A stream for RapidJSON, which hands over whole blocks.
class BlockOutput {
 public:
  using Ch = char;

  explicit BlockOutput(const WriteBytes& write) : write_(write) {}

  void Put(Ch c) {
    if (size_ == block_.size()) hand_over();
    block_[size_++] = c;
  }
  // Only what is behind the document ends it.
  void Flush() {}  // NOLINT(readability-identifier-naming): RapidJSON's

  void hand_over() {
    if (!has_failed_ && size_ > 0) has_failed_ = !write_({block_.data(), size_});
    size_ = 0;
  }

 private:
  const WriteBytes& write_;
  std::array<char, std::size_t{64} * 1024> block_{};
  std::size_t size_ = 0;
  bool has_failed_ = false;
};

}  // namespace

struct JsonWriter::Impl {
  explicit Impl(const WriteBytes& write) : output(write), writer(output) { writer.SetIndent(' ', 2); }

  BlockOutput output;
  rapidjson::PrettyWriter<BlockOutput> writer;
  bool is_in_list = false;
};

JsonWriter::JsonWriter(const WriteBytes& write) : impl_(std::make_unique<Impl>(write)) {}
JsonWriter::~JsonWriter() = default;

void JsonWriter::on_begin(std::size_t /*members*/) { impl_->writer.StartObject(); }

void JsonWriter::on_list(std::string_view name, std::size_t /*items*/) {
  write_json_text(impl_->writer, name);
  impl_->writer.StartArray();
  impl_->is_in_list = true;
}

void JsonWriter::on_object(std::string_view name, std::size_t /*members*/) {
  write_json_text(impl_->writer, name);
  impl_->writer.StartObject();
  impl_->is_in_list = false;
}

void JsonWriter::on_item(const Json& item) { write_json(impl_->writer, item); }

void JsonWriter::on_member(std::string_view member, const Json& value) { on_value(member, value); }

void JsonWriter::on_close() {
  if (impl_->is_in_list) {
    impl_->writer.EndArray();
  } else {
    impl_->writer.EndObject();
  }
}

void JsonWriter::on_value(std::string_view name, const Json& value) {
  write_json_text(impl_->writer, name);
  write_json(impl_->writer, value);
}

void JsonWriter::on_end() {
  impl_->writer.EndObject();
  impl_->output.Put('\n');
  impl_->output.hand_over();
}

}  // namespace vipauth
