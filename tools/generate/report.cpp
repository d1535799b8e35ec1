#include "report.h"

#include <fmt/format.h>

#include "shrike/base/json_writer.h"

namespace shrike::generate {

namespace {

double per_second(uint64_t count, double seconds) {
  return seconds > 0 ? static_cast<double>(count) / seconds : 0;
}

void add_totals(JsonWriter& json, const QueueTotals& totals) {
  json.number("packets", totals.frames);
  json.number("bytes", totals.bytes);
  json.number("refused", totals.refused);
}

}  // namespace

QueueTotals sum_of(const std::vector<QueueTotals>& queues) {
  QueueTotals sum;
  for (const QueueTotals& queue : queues) {
    sum.frames += queue.frames;
    sum.bytes += queue.bytes;
    sum.refused += queue.refused;
  }
  return sum;
}

std::string to_json(const Summary& summary) {
  const QueueTotals sum = sum_of(summary.queues);
  std::string line;
  JsonWriter json(line);
  json.begin_object();
  json.text("ending", summary.ending);
  add_totals(json, sum);
  json.members(fmt::format(R"("seconds":{:.6f})", summary.seconds));
  json.number("packets_per_second", static_cast<uint64_t>(per_second(sum.frames, summary.seconds)));
  json.number("bits_per_second", static_cast<uint64_t>(per_second(8 * sum.bytes, summary.seconds)));
  json.number("rounds", summary.rounds);
  json.number("too_long", summary.too_long);
  json.number("unsendable", summary.unsendable);
  json.begin_array("queues");
  for (const QueueTotals& queue : summary.queues) {
    json.begin_element_object();
    add_totals(json, queue);
    json.end_object();
  }
  json.end_array();
  json.begin_object("driver");
  json.number("packets", summary.driver.frames);
  json.number("bytes", summary.driver.bytes);
  json.number("errors", summary.driver.errors);
  json.end_object();
  json.end_object();
  return line;
}

std::string to_text(const Summary& summary) {
  const QueueTotals sum = sum_of(summary.queues);
  std::string text = fmt::format(
      "{}: {} packets, {} bytes in {:.3f} s, {:.0f}/s, {:.1f} Mbit/s; {} refused, {} too long, "
      "{} of other link types\n",
      summary.ending, sum.frames, sum.bytes, summary.seconds,
      per_second(sum.frames, summary.seconds), per_second(8 * sum.bytes, summary.seconds) / 1e6,
      sum.refused, summary.too_long, summary.unsendable);
  for (size_t index = 0; index < summary.queues.size() && summary.queues.size() > 1; ++index) {
    text += fmt::format("queue {}: {} packets, {} refused\n", index, summary.queues[index].frames,
                        summary.queues[index].refused);
  }
  return text;
}

}  // namespace shrike::generate
