#pragma once
#include "builder.h"
#include "keyword.h"

/// Values of keywords about Modbus and CIP. The numbers are those of model/device_numbers.h.
namespace shrike::rule {

/// "unit <n>, function <n or category>, subfunction <n>" or "unit <n>, access read coils, address
/// <n>, value <n>". Source: Suricata user guide, "Modbus Keyword".
void parse_modbus(Builder& builder, const Keyword& keyword, const Argument& argument);
/// "<service>[,<class>[,<attribute>]]".
void parse_cip_service(Builder& builder, const Keyword& keyword, const Argument& argument);

}  // namespace shrike::rule
