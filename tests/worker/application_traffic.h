#pragma once
#include <vector>

#include "shrike/craft.h"

namespace shrike::test {

/// What asks for the fields of the application layer in `application_traffic`, one alert a field
/// at least. Of every protocol and through transforms, lists and regular expressions.
extern const char* const application_rules;

/// `flows` conversations of each of HTTP/1 (with bodies that are chunked, compressed and forms),
/// TLS, DNS over UDP and TCP, SMTP with attachments, SMB with files and pipes, and SSH. All begin
/// within a second, so that hundreds of them are open at once.
[[nodiscard]] std::vector<craft::TimedFrame> application_traffic(unsigned flows);

}  // namespace shrike::test
