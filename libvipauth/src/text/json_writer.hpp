#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string_view>

#include "text/json_parts.hpp"

namespace vipauth {

/// Takes the next bytes. \return false  they could not be written: no more are wanted
using WriteBytes = std::function<bool(std::string_view)>;

/// Writes a document by blocks of 64 KiB, as Json::dump_pretty does: the bytes are the same, with a line end
/// behind them.
class JsonWriter : public JsonPartSink {
 public:
  explicit JsonWriter(const WriteBytes& write);
  ~JsonWriter() override;

  void on_begin(std::size_t members) override;
  void on_list(std::string_view name, std::size_t items) override;
  void on_object(std::string_view name, std::size_t members) override;
  void on_item(const Json& item) override;
  void on_member(std::string_view member, const Json& value) override;
  void on_close() override;
  void on_value(std::string_view name, const Json& value) override;
  void on_end() override;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace vipauth
