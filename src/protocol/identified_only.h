#pragma once
#include "parser.h"

/// Protocols whose flows are told from others, but not parsed.
namespace shrike::protocol {

extern const ParserRow imap_row;
extern const ParserRow telnet_row;

}  // namespace shrike::protocol
