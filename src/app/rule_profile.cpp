#include "rule_profile.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

#include "shrike/base/json_writer.h"
#include "terminal.h"

namespace shrike::app {

namespace {

using worker::CostSummary;
using worker::SignatureCost;

constexpr unsigned share_decimals = 6;

std::string line_of(double share, uint64_t cycles, const RuleCost* cost, std::string_view what) {
  const auto number = [&](uint64_t RuleCost::*value) {
    return cost == nullptr ? std::string() : with_commas(cost->*value);
  };
  const std::string average =
      cost == nullptr || cost->checks == 0 ? std::string() : with_commas(cycles / cost->checks);
  return fmt::format("{:>6.2f} % {:>18} {:>12} {:>12} {:>12} {:>14}  {}\n", share * 100,
                     with_commas(cycles), number(&RuleCost::checks), number(&RuleCost::matches),
                     average, number(&RuleCost::cycles_max), what);
}

void write_cost(JsonWriter& json, const RuleCost& cost, double share) {
  json.decimal("share", share, share_decimals);
  json.number("cycles", cost.cycles);
  json.number("checks", cost.checks);
  json.number("matches", cost.matches);
  json.number("cycles_per_check", cost.checks == 0 ? 0 : cost.cycles / cost.checks);
  json.number("cycles_max", cost.cycles_max);
}

void write_part(JsonWriter& json, std::string_view name, uint64_t cycles,
                const CostSummary& costs) {
  json.begin_object(name);
  json.decimal("share", costs.share_of(cycles), share_decimals);
  json.number("cycles", cycles);
  json.end_object();
}

}  // namespace

std::string profile_text(const CostSummary& costs) {
  const InspectionCost& inspection = costs.inspection;
  std::string text = fmt::format(
      "Rules against {} datagrams, in {} of {} batches; a cycle is a tick of the CPU's time stamp "
      "counter.\n\n",
      with_commas(inspection.datagrams), with_commas(inspection.batches_sampled),
      with_commas(inspection.batches));
  text += fmt::format("{:>8} {:>18} {:>12} {:>12} {:>12} {:>14}\n", "share", "cycles", "checks",
                      "matches", "cycles/check", "longest check");
  text += line_of(inspection.cycles == 0 ? 0 : 1, inspection.cycles, nullptr, "all of detection");
  text += line_of(costs.share_of(inspection.scan_cycles), inspection.scan_cycles, nullptr,
                  "scanning: the pattern groups");
  text += line_of(costs.share_of(costs.rules.cycles), costs.rules.cycles, &costs.rules,
                  fmt::format("rules: {} that were tried", with_commas(costs.rules_checked)));
  text += line_of(costs.share_of(costs.other_cycles()), costs.other_cycles(), nullptr,
                  "the rest: groups, order, alerts");
  text += '\n';
  for (const SignatureCost& each : costs.signatures) {
    text += line_of(costs.share_of(each.cost.cycles), each.cost.cycles, &each.cost,
                    fmt::format("{}:{}:{} {}", each.gid, each.sid, each.rev, each.message));
  }
  return text;
}

std::string profile_json(const CostSummary& costs) {
  const InspectionCost& inspection = costs.inspection;
  std::string text;
  JsonWriter json(text);
  json.begin_object();
  json.number("batches", inspection.batches);
  json.number("batches_sampled", inspection.batches_sampled);
  json.number("datagrams", inspection.datagrams);
  json.number("cycles", inspection.cycles);
  write_part(json, "scanning", inspection.scan_cycles, costs);
  json.begin_object("rules");
  json.number("checked", costs.rules_checked);
  write_cost(json, costs.rules, costs.share_of(costs.rules.cycles));
  json.end_object();
  write_part(json, "other", costs.other_cycles(), costs);
  json.begin_array("signatures");
  for (const SignatureCost& each : costs.signatures) {
    json.begin_element_object();
    json.number("gid", each.gid);
    json.number("sid", each.sid);
    json.number("rev", each.rev);
    json.text("signature", each.message);
    write_cost(json, each.cost, costs.share_of(each.cost.cycles));
    json.end_object();
  }
  json.end_array();
  json.end_object();
  return text + "\n";
}

void write_text(const std::string& path, const std::string& text, Diagnostics& diagnostics) {
  if (path == "-") {
    fmt::print("{}", text);
    return;
  }
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "w"),
                                                             std::fclose);
  if (file == nullptr || std::fwrite(text.data(), 1, text.size(), file.get()) != text.size() ||
      std::fflush(file.get()) != 0) {
    diagnostics.error({path}, "profile", "cannot write here: {}; name another file",
                      std::strerror(errno));
  }
}

}  // namespace shrike::app
