// The table of protocols. To add one: its files, its row here, its fields in model/field.h.
#include <array>

#include "bittorrent_dht.h"
#include "dcerpc.h"
#include "dhcp.h"
#include "dnp3.h"
#include "dns.h"
#include "enip.h"
#include "ftp_data.h"
#include "http.h"
#include "http2.h"
#include "identified_only.h"
#include "ike.h"
#include "krb5.h"
#include "ldap.h"
#include "modbus.h"
#include "mqtt.h"
#include "nfs.h"
#include "parser.h"
#include "pgsql.h"
#include "pop3.h"
#include "quic.h"
#include "rdp.h"
#include "rfb.h"
#include "sip.h"
#include "smb.h"
#include "smtp.h"
#include "snmp.h"
#include "ssh.h"
#include "tls.h"
#include "websocket.h"

namespace shrike::protocol {

namespace {

/// Each comes from its protocol's own file (declared in its header).
const std::array rows{
    dns_row,       mdns_row,   llmnr_row,
    tls_row,       ssh_row,    quic_row,
    smtp_row,      ftp_row,    ftp_data_row,
    pop3_row,      imap_row,   telnet_row,
    smb_row,       dcerpc_row, mqtt_row,
    dnp3_row,      rfb_row,    ldap_row,
    http_row,      http2_row,  doh2_row,
    websocket_row, sip_row,    krb5_row,
    snmp_row,      tftp_row,   ike_row,
    dhcp_row,      ntp_row,    modbus_row,
    enip_row,      rdp_row,    bittorrent_dht_row,
    pgsql_row,     nfs_row,
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
