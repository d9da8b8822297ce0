#include <vipauth/store_address.hpp>

#include <string>

#include "support/catch.hpp"

using namespace vipauth;
using Catch::Contains;

TEST_CASE("StoreAddress: reads members, prefix and site, and writes them again") {
  struct Case {
    std::string text;
    StoreAddress expected;
    std::string written;
  };
  using Edits = StoreAddress::Edits;
  const Case cases[] = {
      {"etcds://host/p", {true, {{"host", 2379}}, "p", "", Edits::kFleet}, "etcds://host/p"},
      {"etcd://host:2379/p", {false, {{"host", 2379}}, "p", "", Edits::kFleet}, "etcd://host/p"},
      {"etcds://a.example:1,b_2:65535,[2001:db8::7]:3,[::1]/vipauth/a-c.m~e_",
       {true,
        {{"a.example", 1}, {"b_2", 65535}, {"2001:db8::7", 3}, {"::1", 2379}},
        "vipauth/a-c.m~e_",
        "",
        Edits::kFleet},
       "etcds://a.example:1,b_2:65535,[2001:db8::7]:3,[::1]/vipauth/a-c.m~e_"},
      {"etcds://h/p?site=berlin",
       {true, {{"h", 2379}}, "p", "berlin", Edits::kSite},
       "etcds://h/p?site=berlin"},
      {"etcds://h/p?site=berlin&edit=fleet",
       {true, {{"h", 2379}}, "p", "berlin", Edits::kFleet},
       "etcds://h/p?site=berlin&edit=fleet"},
      {"etcds://h/p?edit=fleet&site=x",
       {true, {{"h", 2379}}, "p", "x", Edits::kFleet},
       "etcds://h/p?site=x&edit=fleet"},
      {"etcds://h/p?edit=fleet", {true, {{"h", 2379}}, "p", "", Edits::kFleet}, "etcds://h/p"},
      {"etcds://h/.../..a", {true, {{"h", 2379}}, ".../..a", "", Edits::kFleet}, "etcds://h/.../..a"},
  };
  for (const Case& one : cases) {
    INFO(one.text);
    const auto address = StoreAddress::parse(one.text);
    REQUIRE(address);
    CHECK(*address == one.expected);
    CHECK(address->to_string() == one.written);
    const auto again = StoreAddress::parse(one.written);
    REQUIRE(again);
    CHECK(*again == *address);
  }
}

TEST_CASE("StoreAddress: a site is no longer than what keys and guards hold of one") {
  const std::string longest(255, 's');
  const auto address = StoreAddress::parse("etcds://h/p?site=" + longest);
  REQUIRE(address);
  CHECK(address->site == longest);
  const auto longer = StoreAddress::parse("etcds://h/p?site=s" + longest);
  REQUIRE_FALSE(longer);
  CHECK_THAT(longer.error().message, Contains("255"));
}

TEST_CASE("StoreAddress: refuses everything else, and says why") {
  const std::pair<std::string, std::string> cases[] = {
      {"", "scheme"},
      {"etcd:/h/p", "scheme"},
      {"https://h/p", "scheme"},
      {"ETCD://h/p", "scheme"},
      {" etcd://h/p", "scheme"},
      {"etcd://", "no host"},
      {"etcd:///p", "no host"},
      {"etcd://h", "no prefix"},
      {"etcd://h/", "no prefix"},
      {"etcd://h?site=a", "no prefix"},
      {"etcd://h/p/", "ends with"},
      {"etcd://h//p", "a part of the prefix"},
      {"etcd://h/p//q", "a part of the prefix"},
      {"etcd://h/./p", "a part of the prefix"},
      {"etcd://h/p/..", "a part of the prefix"},
      {"etcd://h/p%2fq", "a part of the prefix"},
      {"etcd://h/p q", "a part of the prefix"},
      {std::string("etcd://h/p\0q", 12), "a part of the prefix"},
      {"etcd://h/p\xc3\xa4", "a part of the prefix"},
      {"etcd://h/p#x", "a part of the prefix"},
      {"etcd://a,/p", "comma"},
      {"etcd://,a/p", "a host is"},
      {"etcd://a,,b/p", "a host is"},
      {"etcd://a,b:2379,a:2379/p", "twice"},
      {"etcd://h:/p", "port"},
      {"etcd://h:0/p", "port"},
      {"etcd://h:65536/p", "port"},
      {"etcd://h:-1/p", "port"},
      {"etcd://h:2379x/p", "port"},
      {"etcd://h:99999999999999999999/p", "port"},
      {"etcd://2001:db8::7/p", "port"},
      {"etcd://[::1/p", "bracket"},
      {"etcd://[::g]/p", "IPv6"},
      {"etcd://[127.0.0.1]/p", "IPv6"},
      {"etcd://[fe80::1%eth0]/p", "IPv6"},
      {"etcd://[::1]x/p", "port"},
      {"etcd://h$/p", "a host is"},
      {"etcd://h\n/p", "a host is"},
      {"etcd://" + std::string(254, 'a') + "/p", "a host is"},
      {"etcd://h/" + std::string(2048, 'a'), "more than 2048 bytes"},
      {"etcd://h/p?", "a parameter is missing"},
      {"etcd://h/p?site=", "site"},
      {"etcd://h/p?site=a/b", "site"},
      {"etcd://h/p?site=..", "site"},
      {"etcd://h/p?site=a&site=a", "twice"},
      {"etcd://h/p?site=a&", "a parameter is missing"},
      {"etcd://h/p?site", "site"},
      {"etcd://h/p?edit=site", "edit"},
      {"etcd://h/p?edit=fleet&edit=fleet", "twice"},
      {"etcd://h/p?Site=a", "neither"},
      {"etcd://h/p?insecure-transport", "insecure-transport"},
      {"etcd://h/p?insecure-transport=false", "insecure-transport"},
      {"etcd://h/p?insecure-transport=true&insecure-transport=true", "twice"},
      {"etcds://h/p?insecure-transport=true", "TLS"},
      {"etcd://h/p?site=a?site=b", "site"},
  };
  for (const auto& [text, reason] : cases) {
    INFO(text);
    const auto address = StoreAddress::parse(text);
    REQUIRE_FALSE(address);
    CHECK(address.error().code == ErrorCode::kInvalidArgument);
    CHECK_THAT(address.error().message, Contains("in the one that is given") && Contains(reason));
  }
  std::string many = "etcd://h0";
  for (int i = 1; i < 33; ++i) many += ",h" + std::to_string(i);
  REQUIRE_FALSE(StoreAddress::parse(many + "/p"));
  CHECK(StoreAddress::parse(many.substr(0, many.rfind(',')) + "/p"));
}

TEST_CASE("StoreAddress: a password in it is refused, and not repeated") {
  for (const char* text : {"etcds://root:hunter2@h/p", "etcds://hunter2@h/p", "etcds://h/p?password=hunter2",
                           "etcds://h/p?site=a&user=root:hunter2", "hunter2://h/p", "etcds://h/hunter2 /p"}) {
    const auto address = StoreAddress::parse(text);
    REQUIRE_FALSE(address);
    CHECK_THAT(address.error().to_string(), !Contains("hunter2"));
  }
}

TEST_CASE("StoreAddress: says where plain HTTP may go to another host") {
  CHECK_FALSE(StoreAddress::parse("etcd://h/p")->allows_plain_network);
  for (const char* text : {"etcd://h/p?insecure-transport=true", "etcd://h/p?site=a&insecure-transport=true",
                           "etcd://h/p?site=a&edit=fleet&insecure-transport=true"}) {
    const auto address = StoreAddress::parse(text);
    REQUIRE(address);
    CHECK(address->allows_plain_network);
    CHECK(address->to_string() == text);
  }
}
