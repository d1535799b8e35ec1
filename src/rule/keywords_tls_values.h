#pragma once
#include "values.h"

/// Keywords about TLS and SSH that compare values in a way of their own. What the numbers are is
/// said by protocol/tls.h.
namespace shrike::rule {

/// "1.0" to "1.3" (with its drafts), or a number as on the wire: "0x0303".
void parse_tls_version(Builder& builder, const Keyword& keyword, const Argument& argument);
/// "sslv3", "tls1.0,tls1.1", "!tls1.3,tls1.2": one of these, or none of them.
void parse_ssl_version(Builder& builder, const Keyword& keyword, const Argument& argument);
/// "client_hello", "client_hello|server_hello", "!client_hello".
void parse_ssl_state(Builder& builder, const Keyword& keyword, const Argument& argument);
/// "2020-01-31", "<2020-01", ">1600000000", "2020<>2021-06-01T12": UTC; ends are included.
void parse_certificate_date(Builder& builder, const Keyword& keyword, const Argument& argument);
/// A fact that holds or not: its number is 1.
void parse_certificate_fact(Builder& builder, const Keyword& keyword, const Argument& argument);

/// "2.0", or "2_compat": any version that speaks version 2.
void parse_ssh_protoversion(Builder& builder, const Keyword& keyword, const Argument& argument);

}  // namespace shrike::rule
