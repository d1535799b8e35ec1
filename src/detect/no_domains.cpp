#include "domains.h"
#include "shrike/detect.h"

/// In the place of domains.cpp where libpsl is not there: rules that need it are dormant.
namespace shrike::detect {

bool knows_public_suffixes() noexcept {
  return false;
}

Bytes domain_part(Bytes name, DomainPart, ByteScratch&) noexcept {
  return name.first(0);
}

}  // namespace shrike::detect
