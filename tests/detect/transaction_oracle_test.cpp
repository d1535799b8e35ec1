#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "backend/backend.h"
#include "backend/dump.h"
#include "conversation.h"
#include "oracle.h"
#include "random_rules.h"

namespace shrike {
namespace {

using namespace rule;
using test::Chance;
using enum Direction;

constexpr std::array fields{Field::http_method,        Field::http_uri,    Field::http_user_agent,
                            Field::http_cookie,        Field::http_header, Field::http_host,
                            Field::http_request_header};

Field random_field(Chance& chance) {
  return fields[static_cast<size_t>(chance.number(0, fields.size() - 1))];
}

Rule random_rule(Chance& chance, uint32_t sid) {
  Rule rule;
  rule.info.sid = sid;
  rule.kind = RuleKind::app_transaction;
  rule.variable_names = {"value"};
  rule.header.ip_protocols.set(ip_protocol::tcp);
  rule.header.app_protocol = AppProtocol::http;
  FlowCheck flow;
  flow.to_server = true;
  flow.established = chance.one_in(2);
  rule.packet_checks.emplace_back(flow);
  bool has_mark = false;
  for (int left = chance.number(1, 3); left > 0; --left) {
    Buffer buffer;
    if (chance.one_in(10)) {
      buffer.checks.emplace_back(Absent{});
    } else {
      buffer = test::random_buffer(chance);
      has_mark = has_mark || test::mark_fast_pattern(chance, buffer);
    }
    buffer.field = random_field(chance);
    rule.buffers.push_back(std::move(buffer));
  }
  return rule;
}

/// Grows a transaction as a parser may: no value of a field that is final.
void grow(Chance& chance, test::MadeTransaction& made) {
  for (int left = chance.number(0, 3); left > 0; --left) {
    const Field field = random_field(chance);
    if (made.get().progress_in(to_server) < row_of(field).final_at) {
      made.add(to_server, field, chance.text(30));
    }
  }
  const auto step = static_cast<int>(made.get().progress_in(to_server));
  if (step < static_cast<int>(Progress::complete) && chance.one_in(2)) {
    made.reach(to_server,
               static_cast<Progress>(chance.number(step, static_cast<int>(Progress::complete))));
  }
}

class TransactionsAgainstOracle : public testing::TestWithParam<uint32_t> {};

TEST_P(TransactionsAgainstOracle, AgreeWhileTheyGrow) {
  const uint32_t seed = GetParam();
  Chance chance(seed);
  std::vector<Rule> rules;
  for (uint32_t sid = 1; sid <= 80; ++sid) {
    rules.push_back(random_rule(chance, sid));
  }
  Options options;
  options.compile_threads = 1;
  Diagnostics diagnostics;
  Report report;
  const RuleSet compiled(build_tables(rules, {}, options, diagnostics, report));
  ASSERT_EQ(diagnostics.errors(), 0u) << diagnostics.text();
  detect::Detector detector = test::make_detector({.alerts_per_packet_max = 1000});
  test::Oracle oracle(rules);
  const test::Batch batch({{.opened = true}, {}});
  size_t matches = 0;
  for (uint64_t id = 0; id < 60; ++id) {
    test::MadeTransaction made(AppProtocol::http1, id);
    const Transaction* const pointer = &made.get();
    AppView view;
    view.protocol = AppProtocol::http1;
    view.transactions = {&pointer, 1};
    view.has_changed = true;
    for (int round = 0; round < 8; ++round) {
      grow(chance, made);
      const Tracked& tracked = batch.tracked().all()[id == 0 && round == 0 ? 0 : 1];
      AlertBatch alerts;
      detector.inspect(compiled, tracked, {}, &view, alerts);
      std::vector<uint32_t> found;
      for (const Alert& alert : alerts.all()) {
        found.push_back(alert.rule_index);
      }
      const std::vector<uint32_t> expected = oracle.inspect(tracked, made.get());
      ASSERT_EQ(found, expected) << "seed " << seed << ", transaction " << id << ", round "
                                 << round;
      matches += expected.size();
    }
  }
  EXPECT_GT(matches, 50u) << "the generator makes rules that hardly ever match, seed " << seed;
}

INSTANTIATE_TEST_SUITE_P(Seeds, TransactionsAgainstOracle, testing::Range(1u, 31u));

}  // namespace
}  // namespace shrike
