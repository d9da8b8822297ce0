#pragma once

#include <cstddef>
#include <string_view>

#include <vipauth/json.hpp>

namespace vipauth {

/// Takes a JSON document whose root is an object, part by part, from where the parts are: nothing is copied
/// for it. What it is given stays until it has had all of it.
class JsonPartSink {
 public:
  JsonPartSink() = default;
  JsonPartSink(const JsonPartSink&) = delete;
  JsonPartSink& operator=(const JsonPartSink&) = delete;
  virtual ~JsonPartSink() = default;

  virtual void on_begin(std::size_t members) = 0;  ///< of the root
  /// A member of the root that is a list, or an object, begins: so many items, or members, follow, and
  /// on_close().
  virtual void on_list(std::string_view name, std::size_t items) = 0;
  virtual void on_object(std::string_view name, std::size_t members) = 0;
  virtual void on_item(const Json& item) = 0;                              ///< of the list
  virtual void on_member(std::string_view member, const Json& value) = 0;  ///< of the object
  virtual void on_close() = 0;                                             ///< of the list or the object
  virtual void on_value(std::string_view name, const Json& value) = 0;     ///< a whole member of the root
  virtual void on_end() = 0;                                               ///< of the root
};

}  // namespace vipauth
