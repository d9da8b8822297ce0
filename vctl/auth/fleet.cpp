#include "auth/fleet.hpp"

#include <ostream>
#include <string>

#include <vipauth/local_copy.hpp>

#include "home.hpp"
#include "output.hpp"
#include "store.hpp"
#include "working.hpp"

namespace vipauth::vctl::auth {
namespace {

constexpr const char* kNoStore = "say between which store and the home: --store ADDRESS";

/// A missing file says nothing.
template <typename Content>
Result<Content> or_empty(Result<Content> content) {
  if (!content && content.error().code == ErrorCode::kNotFound) return Content();
  return content;
}

/// Of the home's own files, and not of a copy of what a store says: a push would make what one site adds the
/// fleet's.
Result<void> check_own_files(const Home& home) {
  return LocalCopy(home.path(), home.strict_modes()).check_edited_here();
}

}  // namespace

int push(const Context& context) {
  if (!context.store) return fail_usage(context, kNoStore);
  const auto home = Home::open(context);
  if (!home) return fail(context, home.error());
  if (const auto own = check_own_files(*home); !own) return fail(context, own.error());
  const auto policy = or_empty(home->auth_file().load());
  if (!policy) return fail(context, policy.error());
  const auto topics = or_empty(home->topics_file().load_document());
  if (!topics) return fail(context, topics.error());
  if (const auto problems = policy->problems(); !problems.empty()) {
    return fail(context, Error{ErrorCode::kInvalidArgument,
                               "the home holds what is not understood, and a fleet should not share it: " +
                                   problems.front().message,
                               problems.front().location});
  }
  bool has_told = false;
  const auto pushed = push_to_store(context, *policy, *topics, home->edit_options(),
                                    [&](std::size_t done, std::size_t total) {
                                      if (!context.env.is_watched || done == total) return;
                                      has_told = true;
                                      context.env.err << "\rpushed " << done << " of " << total << std::flush;
                                    });
  if (has_told) context.env.err << '\n' << std::flush;
  if (!pushed) return fail(context, pushed.error());
  if (context.options.json) {
    Json report = Json::Object{{"written", Json(pushed->written)}};
    report.set("keys", pushed->changed ? Json(static_cast<std::int64_t>(*pushed->changed)) : Json());
    report.set("resumed", Json(pushed->resumed));
    print_document(context, Json::Object{{"pushed", std::move(report)}});
    return kExitDone;
  }
  if (!pushed->written && !pushed->resumed) {
    context.env.out << "the store says so already\n";
    return kExitDone;
  }
  context.env.out << (pushed->resumed ? "finished a push that was broken off" : "pushed");
  if (pushed->changed) context.env.out << ": " << *pushed->changed << " changes";
  context.env.out << '\n';
  return kExitDone;
}

int pull(const Context& context) {
  if (!context.store) return fail_usage(context, kNoStore);
  const auto home = Home::open(context);
  if (!home) return fail(context, home.error());
  if (const auto own = check_own_files(*home); !own) return fail(context, own.error());
  const auto version =
      while_working(context, "reading the store", [&] { return context.store->load_version(); });
  if (!version) return fail(context, version.error());
  const auto edited = home->topics_file().replace_with(
      version->topics,
      [&] {
        return home->auth_file().edit(
            [&](Policy& present) -> Result<void> {
              present = version->policy;
              return {};
            },
            home->edit_options());
      },
      home->edit_options());
  if (!edited) return fail(context, edited.error());
  const bool written = edited->written;
  const std::size_t records = version->policy.allow().size() + version->policy.deny().size();
  if (context.options.json) {
    print_document(context,
                   Json::Object{{"pulled", Json::Object{{"written", Json(written)},
                                                        {"records", static_cast<std::int64_t>(records)}}}});
  } else {
    context.env.out << (written ? "pulled " : "the home says so already: ") << records << " records\n";
  }
  context.env.out.flush();
  for (const std::string& warning : edited->warnings) warn(context, warning);
  return kExitDone;
}

int unfollow(const Context& context) {
  const auto home = Home::open(context);
  if (!home) return fail(context, home.error());
  const LocalCopy copy(home->path(), context.options.strict_modes);
  const auto mark = copy.load();
  const auto removed = copy.remove();  // also of a mark that is not understood
  if (!removed) return fail(context, removed.error());
  const std::string store = mark && *mark ? (*mark)->store : std::string();
  if (context.options.json) {
    print_document(context, Json::Object{{"unfollowed", *removed ? Json(store) : Json()}});
  } else if (*removed) {
    context.env.out << "this home follows no store any more; its files stay\n";
  } else {
    context.env.out << "this home follows no store\n";
  }
  return kExitDone;
}

}  // namespace vipauth::vctl::auth
