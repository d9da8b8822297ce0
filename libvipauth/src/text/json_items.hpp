#pragma once

#include <cstddef>
#include <functional>
#include <string_view>

#include <vipauth/json.hpp>

namespace vipauth {

/// Takes a value in the order of its text. Strings are UTF-8; that no member is there twice is for who takes
/// it to see.
class JsonEvents {
 public:
  JsonEvents() = default;
  JsonEvents(const JsonEvents&) = delete;
  JsonEvents& operator=(const JsonEvents&) = delete;
  virtual ~JsonEvents() = default;

  virtual void on_null() = 0;
  virtual void on_bool(bool value) = 0;
  virtual void on_number(std::string_view digits) = 0;
  virtual void on_string(std::string_view text) = 0;
  virtual void on_object() = 0;
  virtual void on_key(std::string_view name) = 0;
  virtual void on_object_end() = 0;
  virtual void on_list() = 0;
  virtual void on_list_end() = 0;
};

/// Takes a JSON document whose root is an object, piece by piece, so that it need never be in memory as a
/// whole.
class JsonItemHandler {
 public:
  JsonItemHandler() = default;
  JsonItemHandler(const JsonItemHandler&) = delete;
  JsonItemHandler& operator=(const JsonItemHandler&) = delete;
  virtual ~JsonItemHandler() = default;

  // Each: \return false  stop reading

  /// A member of the root that is a list, or an object, begins; its items, or members, follow.
  virtual bool on_list(std::string_view name) = 0;
  virtual bool on_object(std::string_view name) = 0;
  virtual bool on_item(Json item) = 0;  ///< of the list
  /// Who takes those items of the list that are objects, event by event, in the place of on_item(); null:
  /// nobody.
  virtual JsonEvents* item_events() { return nullptr; }
  /// Such an item has ended. \param text  of it, from brace to brace: only well-formed in so far as events
  /// tell
  virtual bool on_item_end(std::string_view /*text*/) { return true; }
  virtual bool on_member(std::string_view member, Json value) = 0;  ///< of the object
  /// A member of the root that is neither.
  virtual bool on_value(std::string_view name, Json value) = 0;
};

/// The next bytes: how many were put into the buffer, 0 at the end, negative where they cannot be had.
using ReadBytes = std::function<std::ptrdiff_t(char* buffer, std::size_t size)>;

/// Reads a document by blocks.
/// \return false  not RFC 8259 (which Json::parse says better), members that are there twice, nested too deep, a
///                read that failed, or a handler that stopped. What the handler was given is worth nothing
///                then
bool read_json_items(const ReadBytes& read, JsonItemHandler& handler);

}  // namespace vipauth
