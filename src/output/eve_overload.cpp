#include "eve.h"

namespace shrike::output {

namespace {

void write_amounts(JsonWriter& json, const OverloadReport::Share& share) {
  json.number("flows", share.flows);
  json.number("packets", share.packets);
  json.number("bytes", share.bytes);
}

}  // namespace

void write_overload_event(EveContext& eve, const OverloadReport& report) {
  OverloadReport::Share sum;
  for (const OverloadReport::Share& share : report.shares) {
    sum.flows += share.flows;
    sum.packets += share.packets;
    sum.bytes += share.bytes;
  }
  eve.json.begin_object();
  eve.json.text("timestamp", eve.times.iso(report.end_ns));
  eve.json.text("event_type", "overload");
  eve.json.begin_object("overload");
  eve.json.text("worker", report.worker);
  eve.json.text("state", report.is_overloaded ? "overloaded" : "normal");
  eve.json.text("start", eve.times.iso(report.start_ns));
  eve.json.text("end", eve.times.iso(report.end_ns));
  write_amounts(eve.json, sum);
  for (const OverloadReport::Share& share : report.shares) {
    eve.json.begin_object(share.cause);
    write_amounts(eve.json, share);
    eve.json.end_object();
  }
  eve.json.end_object();
  end_event(eve, {});
}

}  // namespace shrike::output
