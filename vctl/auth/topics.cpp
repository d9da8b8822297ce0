#include "auth/topics.hpp"

#include <ostream>
#include <utility>

#include <vipauth/python_repr.hpp>

#include "auth/advice.hpp"
#include "home.hpp"
#include "output.hpp"

namespace vipauth::vctl::auth {
namespace {

TopicList list_of(bool read) { return read ? TopicList::kReadProtect : TopicList::kWriteProtect; }

/// What a rule of the list protects from.
const char* protected_act(TopicList list) { return list == TopicList::kWriteProtect ? "publish" : "receive"; }

Json document(const std::string& topic, const std::vector<std::string>& capabilities) {
  return Json::Object{{"topic", topic}, {"capabilities", Json::strings(capabilities)}};
}

Json document(TopicList list, const std::string& topic, const std::vector<std::string>& capabilities) {
  return Json::Object{
      {"list", to_string(list)}, {"topic", topic}, {"capabilities", Json::strings(capabilities)}};
}

}  // namespace

int topics_list(const Context& context) {
  const auto home = Home::open(context);
  if (!home) return fail(context, home.error());
  const auto topics = home->load_topics();
  if (!topics) return fail(context, topics.error());

  Json shown((Json::Object()));
  std::vector<Row> rows{{"PROTECTS", "TOPIC", "CAPABILITIES"}, {"--------", "-----", "------------"}};
  for (const TopicList list : {TopicList::kWriteProtect, TopicList::kReadProtect}) {
    Json::Array rules;
    for (const TopicRule& rule : topics->rules(list)) {
      rules.push_back(document(rule.topic.text(), rule.capabilities));
      rows.push_back({protected_act(list), rule.topic.text(), python_repr(Json::strings(rule.capabilities))});
    }
    shown.set(to_string(list), std::move(rules));
  }
  constexpr std::size_t kHeadings = 2;
  if (context.options.json) {
    print_document(context, shown);
  } else if (rows.size() == kHeadings) {
    context.env.out << "No protected topics in " << printable(home->shown_topics_place()) << '\n';
  } else {
    context.env.out << format_table(rows);
  }
  return kExitDone;
}

int topics_add(const TopicsAddOptions& options, const Context& context) {
  if (options.capabilities.empty() != options.requires_nothing) {
    return fail_usage(context,
                      options.requires_nothing
                          ? "capabilities, or --requires-nothing: not both"
                          : "give the capabilities that the topic requires; a rule that requires none "
                            "is added by --requires-nothing");
  }
  const auto home = Home::open(context);
  if (!home) return fail(context, home.error());
  const TopicList list = list_of(options.read);
  const auto edited = home->edit_topics(
      [&](TopicDocument& topics) { return topics.add(list, options.topic, options.capabilities); });
  if (!edited) return fail(context, edited.error());

  if (context.options.json) {
    print_document(context, Json::Object{{"added", document(list, options.topic, options.capabilities)}});
  } else {
    context.env.out << "added topic \"" << printable(options.topic) << "\": to " << protected_act(list)
                    << " requires " << printable(python_repr(Json::strings(options.capabilities))) << '\n';
  }
  context.env.out.flush();
  for (const std::string& warning : edited->warnings) warn(context, warning);
  if (const auto hint = half_slash_hint(options.topic)) {
    warn(context, "topic '" + options.topic + "' is compared as plain text: " + *hint);
  }
  return kExitDone;
}

int topics_remove(const TopicsRemoveOptions& options, const Context& context) {
  const auto home = Home::open(context);
  if (!home) return fail(context, home.error());
  const TopicList list = list_of(options.read);
  std::vector<TopicRule> removed;
  const auto edited = home->edit_topics([&](TopicDocument& topics) -> Result<void> {
    auto rules = topics.remove(list, options.topic);
    if (!rules) return rules.error();
    removed = std::move(*rules);
    return {};
  });
  if (!edited) return fail(context, edited.error());

  Json::Array shown;
  for (const TopicRule& rule : removed) {
    shown.push_back(document(list, rule.topic.text(), rule.capabilities));
    if (!context.options.json) {
      context.env.out << "removed topic \"" << printable(rule.topic.text()) << "\": to "
                      << protected_act(list) << " required "
                      << printable(python_repr(Json::strings(rule.capabilities))) << '\n';
    }
  }
  if (context.options.json) print_document(context, Json::Object{{"removed", std::move(shown)}});
  context.env.out.flush();
  for (const std::string& warning : edited->warnings) warn(context, warning);
  return kExitDone;
}

}  // namespace vipauth::vctl::auth
