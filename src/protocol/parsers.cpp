// The table of protocols. To add one: its files, its row here, its fields in model/field.h.
#include <array>

#include "dns.h"
#include "parser.h"
#include "tls.h"
#include "smtp.h"

namespace shrike::protocol {

namespace {

/// Each comes from its protocol's own file (declared in its header).
const std::array rows{
    dns_row,
    mdns_row,
    llmnr_row,
    tls_row,
    smtp_row,
};

}  // namespace

std::span<const ParserRow> parser_rows() noexcept {
  return rows;
}

const ParserRow* find_parser_row(AppProtocol protocol) noexcept {
  for (const ParserRow& row : rows) {
    if (row.protocol == protocol) {
      return &row;
    }
  }
  return nullptr;
}

}  // namespace shrike::protocol
