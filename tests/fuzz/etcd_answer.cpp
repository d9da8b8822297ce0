// What etcd's gateway answers: the input as each kind of answer, and as the stream of a watch that comes in
// pieces; and, its parts between bytes 0xFF as keys and values, what an honest etcd would say of these.
#include <cstdint>
#include <functional>
#include <limits>
#include <set>

#include "fleet/etcd_messages.hpp"
#include "fleet/etcd_watch.hpp"
#include "fuzz.hpp"
#include "web/base64.hpp"

using namespace vipauth;
using namespace vipauth::fuzz;
using namespace vipauth::fleet;

namespace {

constexpr std::string_view kPrefix = "/v/";
// What answers may hold of passwords and tokens: no error repeats it, in either form.
constexpr std::string_view kSecret = "hunter2-battery";
constexpr std::string_view kSecretBase64 = "aHVudGVyMi1iYXR0ZXJ5";
constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
constexpr std::size_t kMostShown = 300;

bool has_secret(std::string_view text) {
  return text.find(kSecret) != std::string_view::npos || text.find(kSecretBase64) != std::string_view::npos;
}

bool is_visible(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

void require_quiet(const Error& error, std::size_t size,
                   const std::source_location& place = std::source_location::current()) {
  require_good(error, size, place);
  require(is_visible(error.to_string()) && !has_secret(error.to_string()), error.to_string(), place);
}

// ---- What an honest etcd says ----

class Members {
 public:
  Members& number(std::string_view name, std::int64_t value) {
    return value == 0 ? *this : raw(name, "\"" + std::to_string(value) + "\"");
  }
  Members& bytes(std::string_view name, std::string_view value) {
    return value.empty() ? *this : raw(name, "\"" + web::to_base64(value) + "\"");
  }
  Members& text(std::string_view name, std::string_view value) {
    return value.empty() ? *this : raw(name, Json(value).dump());
  }
  Members& truth(std::string_view name, bool value) { return value ? raw(name, "true") : *this; }
  Members& raw(std::string_view name, const std::string& value) {
    out_ += (out_.empty() ? "\"" : ",\"") + std::string(name) + "\":" + value;
    return *this;
  }
  std::string object() const { return "{" + out_ + "}"; }

 private:
  std::string out_;
};

std::string listed(const std::vector<std::string>& items) {
  std::string out;
  for (const std::string& item : items) out += (out.empty() ? "" : ",") + item;
  return "[" + out + "]";
}

std::string text_of(const KeyValue& value) {
  return Members()
      .bytes("key", value.key)
      .number("create_revision", value.create_revision)
      .number("mod_revision", value.mod_revision)
      .bytes("value", value.value)
      .object();
}

std::string header(std::int64_t revision) { return Members().number("revision", revision).object(); }

std::string text_of(const RangeAnswer& answer) {
  std::vector<std::string> values;
  values.reserve(answer.values.size());
  for (const KeyValue& value : answer.values) values.push_back(text_of(value));
  Members out;
  out.raw("header", header(answer.revision));
  if (!values.empty()) out.raw("kvs", listed(values));
  return out.truth("more", answer.has_more).object();
}

std::string text_of(const WatchAnswer& answer) {
  std::vector<std::string> events;
  for (std::size_t i = 0; i < answer.events.size(); ++i) {
    const Mutation& event = answer.events[i];
    Members out;
    if (!event.value) out.text("type", "DELETE");
    out.raw("kv", text_of(KeyValue{event.key, event.value.value_or(""), 0, answer.revisions[i]}));
    events.push_back(out.object());
  }
  Members out;
  out.raw("header", header(answer.revision))
      .truth("created", answer.is_created)
      .truth("fragment", answer.is_fragment)
      .number("compact_revision", answer.compact_revision);
  if (!events.empty()) out.raw("events", listed(events));
  return Members().raw("result", out.object()).object();
}

// ---- Answers ----

void check_range(std::string_view text, const RangeQuestion& question) {
  const auto answer = parse_range(text, question);
  if (!answer) return require_quiet(answer.error(), text.size());
  require(answer->revision > 0 && answer->revision < kMost);
  require(question.limit == 0 || answer->values.size() <= static_cast<std::size_t>(question.limit));
  std::string_view last;
  for (const KeyValue& value : answer->values) {
    require(is_in_range(value.key, question.key, question.range_end) && value.key > last);
    require(value.create_revision >= 0 && value.create_revision <= value.mod_revision);
    require(value.mod_revision > 0 && value.mod_revision < kMost);
    last = value.key;
  }
  const std::string written = text_of(*answer);
  const auto again = parse_range(written, question);
  require(again.has_value(), written);
  require_same(text_of(*again), written);
}

void check_others(std::string_view text) {
  if (const auto txn = parse_txn(text)) {
    require(txn->revision > 0 && txn->revision < kMost);
    const auto again =
        parse_txn(Members().raw("header", header(txn->revision)).truth("succeeded", txn->succeeded).object());
    require(again && again->succeeded == txn->succeeded && again->revision == txn->revision);
  } else {
    require_quiet(txn.error(), text.size());
  }
  if (const auto status = parse_status(text)) {
    require(status->version.size() <= kMostShown && is_visible(status->version));
    require(!status->cluster_id.empty() &&
            status->cluster_id.find_first_not_of("0123456789") == std::string::npos);
  } else {
    require_quiet(status.error(), text.size());
  }
  if (const auto token = parse_token(text)) {
    require(!token->empty() && is_visible(*token) && token->find(' ') == std::string::npos);
    const auto again = parse_token(Members().text("token", *token).object());
    require(again.has_value());
    require_same(*again, *token);
  } else {
    require_quiet(token.error(), text.size());
  }
}

void check_refusal(std::string_view text) {
  const auto refusal = parse_refusal(text);
  if (refusal) {
    require(refusal->code > 0 && !refusal->message.empty() && refusal->message.size() <= kMostShown);
    const Error error = refusal->to_error();
    require_good(error, text.size());
    require(is_visible(error.to_string()), error.to_string());
    const auto again = parse_refusal(
        Members().raw("code", std::to_string(refusal->code)).text("message", refusal->message).object());
    require(again && again->code == refusal->code);
    require_same(again->message, refusal->message);
  }
  for (const int status : {200, 400, 401, 503}) {
    const Trouble trouble = trouble_of("https://[::1]:2379", status, text);
    require_good(trouble.error, text.size());
    require(is_visible(trouble.error.to_string()));
    // A transaction is only given up, or tried elsewhere, where nothing of it was done.
    const bool is_refused = refusal && refusal->is_without_leader();
    require(trouble.may_be_done || is_refused || EtcdClient::is_certain(trouble.error));
    require(refusal.has_value() || !has_secret(trouble.error.to_string()));
  }
}

void check_message(std::string_view text) {
  const auto answer = parse_watch(text);
  if (!answer) return require_quiet(answer.error(), text.size());
  require(answer->events.size() == answer->revisions.size());
  require(answer->events.empty() || !answer->refusal);
  if (answer->refusal) {
    require_good(answer->refusal->to_error(), text.size());
    require(is_visible(answer->refusal->to_error().to_string()));
    return;
  }
  const std::string written = text_of(*answer);
  const auto again = parse_watch(written);
  require(again.has_value(), written);
  require_same(text_of(*again), written);
}

// ---- Watches ----

std::string shown(const Mutation& event, std::int64_t revision) {
  return "@" + std::to_string(revision) + " " + Json(web::to_base64(event.key)).dump() + "=" +
         (event.value ? web::to_base64(*event.value) : "-") + "\n";
}

/// Reads the stream of a watch, looks at what is told, and remembers it.
class Watched {
 public:
  Watched(std::int64_t start, std::size_t most_calls)
      : most_calls_(most_calls),
        told_(start - 1),
        reader_(WatchPlan{std::string(kPrefix), prefix_end(kPrefix), start, &on_events_}) {}

  void read(std::string_view text, std::size_t piece) {
    while (!text.empty()) {
      if (!reader_.take(text.substr(0, piece))) break;
      text.remove_prefix(std::min(piece, text.size()));
    }
    reader_.finish();
    record += "end:";
    if (const auto& end = reader_.end()) {
      record += std::to_string(static_cast<int>(end->why)) + " " + std::to_string(end->compact_revision) +
                " " + end->error.to_string();
      if (end->why != WatchEnd::Why::kStopped) {
        require_good(end->error, text.size());
        require(is_visible(end->error.to_string()));
      }
    }
    record += reader_.is_standing() ? " stood" : "";
  }
  const WatchReader& reader() const { return reader_; }

  std::string events;  // alone
  std::string record;  // with the calls

 private:
  bool take(const WatchEvents& all) {
    require(all.events.size() == all.revisions.size());
    require(all.revision >= told_ && all.revision < kMost, "it goes back");
    std::int64_t last = told_;
    for (std::size_t i = 0; i < all.events.size(); ++i) {
      require(all.revisions[i] > told_, "a transaction comes in halves");
      require(all.revisions[i] >= last && all.revisions[i] <= all.revision);
      require(is_in_range(all.events[i].key, kPrefix, prefix_end(kPrefix)));
      last = all.revisions[i];
      events += shown(all.events[i], last);
      record += shown(all.events[i], last);
    }
    told_ = all.revision;
    record += "up to " + std::to_string(told_) + "\n";
    return ++calls_ < most_calls_;
  }

  std::size_t most_calls_;
  std::size_t calls_ = 0;
  std::int64_t told_;
  std::function<bool(const WatchEvents&)> on_events_ = [this](const WatchEvents& all) { return take(all); };
  WatchReader reader_;
};

void check_stream(std::string_view text) {
  for (const std::int64_t start : {0, 5}) {
    for (const std::size_t most_calls : {std::size_t{3}, SIZE_MAX}) {
      Watched whole(start, most_calls);
      whole.read(text, SIZE_MAX);
      for (const std::size_t piece : {std::size_t{1}, 2 + text.size() % 61}) {
        Watched cut(start, most_calls);
        cut.read(text, piece);
        require_same(cut.record, whole.record);
        require(cut.reader().answers() == whole.reader().answers());
      }
    }
  }
}

/// Keys, values and numbers, in turn.
void check_honest(std::string_view text) {
  const auto parts = parts_of(text, 60);
  std::set<std::string> keys;
  RangeAnswer range{7, {}, parts.size() % 2 == 0};
  std::vector<WatchAnswer> answers(1);
  std::int64_t revision = 5;
  std::string expected;
  for (std::size_t i = 0; i + 2 < parts.size(); i += 3) {
    const std::size_t number = number_in(parts[i + 2]);
    const bool goes = number % 5 == 4;
    const Mutation event{std::string(kPrefix) + std::string(parts[i]),
                         goes ? std::nullopt : std::optional(std::string(parts[i + 1])),
                         {}};
    const bool goes_on = i > 0 && number % 3 == 0;  // the transaction
    if (i > 0 && !goes_on) ++revision;
    if (number % 7 > 3 && !answers.back().events.empty()) {
      // As etcd 3.4 cuts them: the last that is of a revision has not the mark.
      answers.back().is_fragment = goes_on;
      answers.emplace_back();
    }
    answers.back().events.push_back(event);
    answers.back().revisions.push_back(revision);
    answers.back().revision = revision + static_cast<std::int64_t>(number % 2);
    expected += shown(event, revision);
    keys.insert(event.key);
  }
  for (const std::string& key : keys) {
    const auto at = static_cast<std::int64_t>(range.values.size());
    range.values.push_back({key, std::string(parts.back()), at, at + 1});
  }
  const RangeQuestion question{std::string(kPrefix), prefix_end(kPrefix)};
  const auto read = parse_range(text_of(range), question);
  require(read.has_value(), text_of(range));
  require_same(text_of(*read), text_of(range));
  require(read->values.size() == keys.size() && read->has_more == range.has_more);

  WatchAnswer created;
  created.is_created = true;
  created.revision = revision;
  std::string stream = text_of(created) + "\n";
  for (const WatchAnswer& answer : answers) {
    if (!answer.events.empty()) stream += text_of(answer) + "\n";
  }
  Watched watched(5, SIZE_MAX);
  watched.read(stream, 1 + text.size() % 97);
  require(watched.reader().is_standing() && !watched.reader().end(), watched.record);
  require_same(watched.events, expected);
}

// ---- Questions ----

void check_questions(std::string_view text) {
  const auto parts = parts_of(text, 3);
  const std::string key(parts.front());
  const std::string value(parts.back());
  const auto revision = static_cast<std::int64_t>(number_in(parts.back()) % 1000);
  for (const std::string& question :
       {range_text({key, value, revision, revision, revision, true}), watch_text(key, value, revision),
        txn_text({{key, Compare::Field::kModRevision, revision}}, {{key, value, {}}, {key, {}, value}})}) {
    const auto document = Json::parse(question);
    require(document.has_value() && document->dump() == question, question);
  }
  const std::string end = prefix_end(key);
  require(is_in_range(key + value, key, end), "a key that begins so is not in the range of all that do");
  require(!is_in_range(value, key, end) || value.starts_with(key));

  if (!is_valid_utf8(key) || !is_valid_utf8(value)) return;
  const std::string asked = authenticate_text(key, value);
  const auto document = Json::parse(asked);
  require(document.has_value(), asked);
  require_same(document->text_at("name"), key);
  require_same(document->text_at("password"), value);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = fuzz::text_of(data, size);
  const std::string key = std::string(kPrefix) + "a";
  check_range(text, {std::string(kPrefix), prefix_end(kPrefix)});
  check_range(text, {std::string(kPrefix), prefix_end(kPrefix), 1});
  check_range(text, {key});
  check_others(text);
  check_refusal(text);
  check_message(text);
  check_stream(text);
  check_honest(text);
  check_questions(text);
  return 0;
}
