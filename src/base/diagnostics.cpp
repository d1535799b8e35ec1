#include "shrike/base/diagnostics.h"

namespace shrike {

namespace {

std::string_view word_of(Severity severity) {
  switch (severity) {
    case Severity::note:
      return "note";
    case Severity::warning:
      return "warning";
    case Severity::error:
      return "error";
  }
  return "";
}

}  // namespace

std::string Diagnostic::text() const {
  std::string place = file;
  if (line != 0) {
    place += fmt::format(":{}", line);
    if (column != 0) {
      place += fmt::format(":{}", column);
    }
  }
  if (!place.empty()) {
    place += ": ";
  }
  return fmt::format("{}{}[{}]: {}", place, word_of(severity), code, what);
}

std::string Diagnostics::text() const {
  std::string joined;
  for (const Diagnostic& diagnostic : all_) {
    if (!joined.empty()) {
      joined += '\n';
    }
    joined += diagnostic.text();
  }
  return joined;
}

void Diagnostics::add(Severity severity, const Position& at, std::string_view code,
                      std::string what) {
  errors_ += severity == Severity::error ? 1 : 0;
  warnings_ += severity == Severity::warning ? 1 : 0;
  all_.push_back(
      {severity, std::string(at.file), at.line, at.column, std::string(code), std::move(what)});
}

}  // namespace shrike
