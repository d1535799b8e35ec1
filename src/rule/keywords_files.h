#pragma once
#include "keyword.h"

/// Keywords about files. Their rows stand with those of HTTP.
namespace shrike::rule {

/// `filemd5`, `filesha1`, `filesha256`: a list of digests, one in hexadecimal at the start of each
/// line. The keyword's field tells which of them.
void parse_file_digest(Builder& builder, const Keyword& keyword, const Argument& argument);
/// `filestore`: true where the transaction carries a file, which is then to be stored.
void parse_filestore(Builder& builder, const Keyword& keyword, const Argument& argument);

}  // namespace shrike::rule
