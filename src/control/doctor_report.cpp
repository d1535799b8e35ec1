#include <fmt/format.h>

#include <algorithm>

#include "shrike/base/json_writer.h"
#include "shrike/doctor.h"

namespace shrike::doctor {

namespace {

constexpr size_t columns_max = 100;
constexpr size_t indent = 10;  ///< behind the longest level and two blanks

/// Words of `text` in lines of at most columns_max; `label` stands before the first, blanks before
/// the others.
void append_wrapped(std::string& out, std::string_view label, std::string_view text) {
  out += fmt::format("{:<{}}", label, indent);
  size_t column = indent;
  while (!text.empty()) {
    const size_t end = std::min(text.find(' '), text.size());
    if (column > indent && column + 1 + end > columns_max) {
      out += '\n';
      out.append(indent, ' ');
      column = indent;
    } else if (column > indent) {
      out += ' ';
      ++column;
    }
    out += text.substr(0, end);
    column += end;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  out += '\n';
}

void append_finding(std::string& out, const Finding& finding) {
  append_wrapped(out, name_of(finding.level),
                 fmt::format("{}{}{}: {}", finding.topic, finding.subject.empty() ? "" : " ",
                             finding.subject, finding.seen));
  if (!finding.meaning.empty()) {
    append_wrapped(out, "", finding.meaning);
  }
  for (const std::string& line : finding.mend) {
    out += fmt::format("{:<{}}$ {}\n", "", indent, line);
  }
}

std::string verdict_text(const Verdict& verdict) {
  if (verdict.problems == 0) {
    return "ready";
  }
  return fmt::format("not yet: {} problem{}", verdict.problems, verdict.problems == 1 ? "" : "s");
}

void write_finding(JsonWriter& json, const Finding& finding) {
  json.begin_element_object();
  json.text("topic", finding.topic);
  json.text("subject", finding.subject);
  json.text("way", name_of(finding.way));
  json.text("level", name_of(finding.level));
  json.text("seen", finding.seen);
  json.text("meaning", finding.meaning);
  json.begin_array("mend");
  for (const std::string& line : finding.mend) {
    json.element(line);
  }
  json.end_array();
  json.end_object();
}

void write_verdict(JsonWriter& json, std::string_view way, const Verdict& verdict) {
  json.begin_object(way);
  json.boolean("wanted", verdict.is_wanted);
  json.boolean("ready", verdict.problems == 0);
  json.number("problems", verdict.problems);
  json.end_object();
}

}  // namespace

std::string as_text(const Report& report, bool all) {
  std::string out = report.machine + "\n\n";
  size_t well = 0;
  for (const Level level : {Level::problem, Level::warning, Level::note, Level::ok}) {
    for (const Finding& finding : report.findings) {
      if (finding.level != level) {
        continue;
      }
      if (level == Level::ok && !all) {
        ++well;
      } else {
        append_finding(out, finding);
      }
    }
  }
  if (well > 0) {
    out += fmt::format("{:<{}}{} more (--all shows them)\n", name_of(Level::ok), indent, well);
  }
  out += '\n';
  if (report.interface.is_wanted) {
    out += "Interface of the kernel (-i)   " + verdict_text(report.interface) + '\n';
  }
  if (report.port.is_wanted) {
    out += "Port of DPDK (PCI address)     " + verdict_text(report.port) + '\n';
  }
  return out;
}

std::string as_json(const Report& report) {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.text("machine", report.machine);
  json.boolean("problems", report.has_problems());
  write_verdict(json, name_of(Way::interface), report.interface);
  write_verdict(json, name_of(Way::port), report.port);
  json.begin_array("findings");
  for (const Finding& finding : report.findings) {
    write_finding(json, finding);
  }
  json.end_array();
  json.end_object();
  return out;
}

std::string_view name_of(Level level) noexcept {
  switch (level) {
    case Level::ok:
      return "ok";
    case Level::note:
      return "note";
    case Level::warning:
      return "warning";
    case Level::problem:
      return "problem";
  }
  return {};
}

std::string_view name_of(Way way) noexcept {
  switch (way) {
    case Way::every:
      return "every";
    case Way::interface:
      return "interface";
    case Way::port:
      return "port";
  }
  return {};
}

}  // namespace shrike::doctor
