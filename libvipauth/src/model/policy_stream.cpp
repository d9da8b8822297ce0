#include "model/policy_stream.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "model/policy_parts.hpp"
#include "model/record_reader.hpp"
#include "model/whole_number.hpp"

namespace vipauth {
namespace {

class Parts : public JsonItemHandler {
 public:
  explicit Parts(PolicySink& sink) : sink_(sink) {}

  /// True where the file said that it is of the version that was read here.
  bool is_of_present_version() const {
    return major_ == Policy::kVersion.major && minor_ == Policy::kVersion.minor;
  }

  bool on_list(std::string_view name) override {
    index_ = 0;
    part_ = name == kAllow ? Part::kAllow : name == kDeny ? Part::kDeny : Part::kOther;
    return name != kRoles && name != kGroups && name != kVersion;
  }

  bool on_item(Json item) override {
    if (part_ == Part::kAllow) {
      hand_over_allow(make_entry(std::move(item), kAllow, index_), sink_);
    } else if (part_ == Part::kDeny) {
      hand_over_deny(make_entry(std::move(item), kDeny, index_), sink_);
    }
    ++index_;
    return true;
  }

  JsonEvents* item_events() override {
    if (part_ != Part::kAllow && part_ != Part::kDeny) return nullptr;
    reader_.begin();
    return &reader_;
  }

  bool on_item_end(std::string_view text) override {
    const AuthRecord* record = reader_.record();
    if (record == nullptr) {
      auto item = Json::parse(text);
      return item && on_item(*std::move(item));
    }
    part_ == Part::kAllow ? sink_.on_allow(*record) : sink_.on_deny(*record);
    ++index_;
    return true;
  }

  bool on_object(std::string_view name) override {
    part_ = name == kRoles     ? Part::kRoles
            : name == kGroups  ? Part::kGroups
            : name == kVersion ? Part::kVersion
                               : Part::kOther;
    return name != kAllow && name != kDeny;
  }

  bool on_member(std::string_view member, Json value) override {
    switch (part_) {
      case Part::kRoles: sink_.on_role(make_role(std::string(member), std::move(value))); break;
      case Part::kGroups: sink_.on_group(make_group(std::string(member), std::move(value))); break;
      case Part::kVersion: read_version(member, value); break;
      default: break;
    }
    return true;
  }

  bool on_value(std::string_view name, Json /*value*/) override {
    return name != kAllow && name != kDeny && name != kRoles && name != kGroups && name != kVersion;
  }

 private:
  static constexpr std::string_view kVersion = "version";
  enum class Part { kAllow, kDeny, kRoles, kGroups, kVersion, kOther };

  void read_version(std::string_view member, const Json& value) {
    if (member == "major") major_ = whole_number(&value).value_or(-1);
    if (member == "minor") minor_ = whole_number(&value).value_or(-1);
  }

  PolicySink& sink_;
  RecordReader reader_;
  Part part_ = Part::kOther;
  std::size_t index_ = 0;
  int major_ = -1;
  int minor_ = -1;
};

}  // namespace

bool stream_policy(const ReadBytes& read, PolicySink& sink) {
  Parts parts(sink);
  return read_json_items(read, parts) && parts.is_of_present_version();
}

}  // namespace vipauth
