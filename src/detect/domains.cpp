#include "domains.h"

#include <libpsl.h>

#include <algorithm>

#include "shrike/detect.h"

namespace shrike::detect {

namespace {

/// The newest list there is: that of the package publicsuffix, or the library's own. Read once in
/// the life of the process; never freed, so that no core has to ask who uses it.
const psl_ctx_t* public_suffixes() noexcept {
  static const psl_ctx_t* const list = psl_latest(nullptr);
  return list;
}

/// Names on the wire are ASCII (RFC 5891), others would have libpsl allocate.
bool is_plain(uint8_t byte) noexcept {
  return byte != 0 && byte < 0x80;
}

}  // namespace

bool knows_public_suffixes() noexcept {
  return public_suffixes() != nullptr;
}

Bytes domain_part(Bytes name, DomainPart part, ByteScratch& scratch) noexcept {
  const Bytes nothing = name.first(0);
  char* const text = reinterpret_cast<char*>(scratch.take(name.size() + 1));
  if (text == nullptr || !std::all_of(name.begin(), name.end(), is_plain)) {
    return nothing;
  }
  std::transform(name.begin(), name.end(), text, [](uint8_t byte) {
    return static_cast<char>(byte >= 'A' && byte <= 'Z' ? byte | 0x20 : byte);
  });
  text[name.size()] = 0;
  const char* found = psl_registrable_domain(public_suffixes(), text);
  if (found != nullptr && part == DomainPart::suffix) {
    found = psl_unregistrable_domain(public_suffixes(), found);
  }
  return found == nullptr ? nothing : name.subspan(static_cast<size_t>(found - text));
}

}  // namespace shrike::detect
