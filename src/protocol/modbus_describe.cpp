// What EVE shows of Modbus, in the names of Suricata 8.
#include <algorithm>
#include <iterator>

#include "modbus.h"

namespace shrike::protocol {

namespace {

using Shape = ModbusMessage::Shape;

struct BitName {
  uint8_t bits;
  std::string_view name;
};
constexpr BitName access_names[] = {
    {0x01, "READ"},      {0x02, "WRITE"},        {0x04, "DISCRETES"},
    {0x08, "COILS"},     {0x10, "INPUT"},        {0x20, "HOLDING"},
    {0x40, "SINGLE"},    {0x80, "MULTIPLE"},     {0x0c, "BIT_ACCESS_MASK"},
    {0x3c, "FUNC_MASK"}, {0x42, "WRITE_SINGLE"}, {0x82, "WRITE_MULTIPLE"}};
constexpr BitName category_names[] = {{0x01, "PUBLIC_ASSIGNED"},
                                      {0x02, "PUBLIC_UNASSIGNED"},
                                      {0x04, "USER_DEFINED"},
                                      {0x08, "RESERVED"}};
constexpr BitName fault_names[] = {{0x01, "DATA_VALUE"},
                                   {0x02, "DATA_LENGTH"},
                                   {0x04, "EXC_CODE"},
                                   {0x08, "FUNC_CODE"},
                                   {0x10, "PROTO_ID"}};

constexpr std::string_view function_names[] = {
    "Unknown",      "RdCoils",         "RdDiscreteInputs", "RdHoldRegs",        "RdInputRegs",
    "WrSingleCoil", "WrSingleReg",     "RdExcStatus",      "Diagnostic",        "Program484",
    "Poll484",      "GetCommEventCtr", "GetCommEventLog",  "ProgramController", "PollController",
    "WrMultCoils",  "WrMultRegs",      "ReportServerID",   "Program884",        "ResetCommLink",
    "RdFileRec",    "WrFileRec",       "MaskWrReg",        "RdWrMultRegs",      "RdFIFOQueue"};
constexpr std::string_view diagnostic_names[] = {"RetQueryData",
                                                 "RestartCommOpt",
                                                 "RetDiagReg",
                                                 "ChangeInputDelimiter",
                                                 "ForceListenOnlyMode",
                                                 "",
                                                 "",
                                                 "",
                                                 "",
                                                 "",
                                                 "ClearCtrDiagReg",
                                                 "RetBusMsgCount",
                                                 "RetBusCommErrCount",
                                                 "RetBusExcErrCount",
                                                 "RetServerMsgCount",
                                                 "RetServerNoRespCount",
                                                 "RetServerNAKCount",
                                                 "RetServerBusyCount",
                                                 "RetBusCharOverrunCount",
                                                 "RetOverrunErrCount",
                                                 "ClearOverrunCounterFlag",
                                                 "GetClearPlusStats"};
constexpr std::string_view exception_names[] = {"",
                                                "IllegalFunction",
                                                "IllegalDataAddr",
                                                "IllegalDataValue",
                                                "ServerDeviceFail",
                                                "Ack",
                                                "ServerDeviceBusy",
                                                "NegAck",
                                                "MemParityErr",
                                                "",
                                                "GatewayPathUnavailable",
                                                "GatewayTargetFailToResp"};

template <size_t count>
std::string_view name_in(const std::string_view (&names)[count], size_t code,
                         std::string_view other) noexcept {
  return code < count && !names[code].empty() ? names[code] : other;
}

std::string_view function_name(uint8_t code) noexcept {
  constexpr uint8_t mei = 43;
  return code == mei ? "MEI" : name_in(function_names, code, "Unknown");
}

template <size_t count>
void describe_bits(std::string_view key, const BitName (&names)[count], uint8_t bits,
                   JsonWriter& json) {
  char text[128];  // all names of the longest table take 116
  size_t size = 0;
  const auto append = [&](std::string_view part) {
    const size_t fits = std::min(part.size(), sizeof text - size);
    std::copy_n(part.data(), fits, text + size);
    size += fits;
  };
  for (const BitName& each : names) {
    if ((bits & each.bits) == each.bits) {
      append(size == 0 ? "" : " | ");
      append(each.name);
    }
  }
  json.text(key, size == 0 ? std::string_view("NONE") : std::string_view(text, size));
}

void describe_code(std::string_view key, const ModbusMessage& message, std::string_view name,
                   JsonWriter& json) {
  json.begin_object(key);
  json.number("raw", message.code);
  json.text("code", name);
  if (message.shape != Shape::exception) {
    json.text("data", as_text(message.data));
  }
  json.end_object();
}

void describe_read(const ModbusMessage& message, JsonWriter& json) {
  json.begin_object("read");
  if (message.shape == Shape::read_response) {
    json.text("data", as_text(message.data));
  } else {
    json.number("address", message.read_address);
    json.number("quantity", message.read_quantity);
  }
  json.end_object();
}

void describe_write(const ModbusMessage& message, JsonWriter& json) {
  json.begin_object("write");
  json.number("address", message.address);
  if (message.shape == Shape::write_mask) {
    json.number("and_mask", message.quantity);
    json.number("or_mask", message.or_mask);
  } else if (message.shape == Shape::write_other) {
    json.number("data", message.quantity);
  } else {
    json.number("quantity", message.quantity);
    json.text("data", as_text(message.data));
  }
  json.end_object();
}

void describe_shape(const ModbusMessage& message, JsonWriter& json) {
  switch (message.shape) {
    case Shape::exception:
      describe_code("exception", message, modbus_exception_name(message.code), json);
      return;
    case Shape::diagnostic:
      describe_code("diagnostic", message, modbus_diagnostic_name(message.code), json);
      return;
    case Shape::mei:
      describe_code("mei", message, modbus_mei_name(message.code), json);
      return;
    case Shape::read_request:
    case Shape::read_response:
      describe_read(message, json);
      return;
    case Shape::read_write:
      describe_read(message, json);
      describe_write(message, json);
      return;
    case Shape::write_values:
    case Shape::write_mask:
    case Shape::write_other:
      describe_write(message, json);
      return;
    case Shape::bytes:
      json.text("data", as_text(message.data));
      return;
    case Shape::empty:
      return;
  }
}

void describe_message(std::string_view key, const ModbusMessage& message, JsonWriter& json) {
  json.begin_object(key);
  json.number("transaction_id", message.transaction_id);
  json.number("protocol_id", message.protocol_id);
  json.number("unit_id", message.unit);
  json.number("function_raw", message.function_raw);
  json.text("function_code", function_name(message.function));
  describe_bits("access_type", access_names, message.access, json);
  describe_bits("category", category_names, message.category, json);
  describe_bits("error_flags", fault_names, message.faults, json);
  describe_shape(message, json);
  json.end_object();
}

}  // namespace

std::string_view modbus_diagnostic_name(uint16_t code) noexcept {
  return name_in(diagnostic_names, code, "Reserved");
}

std::string_view modbus_exception_name(uint16_t code) noexcept {
  return name_in(exception_names, code, "Unknown");
}

std::string_view modbus_mei_name(uint16_t code) noexcept {
  constexpr uint16_t can_open = 13;
  constexpr uint16_t device_id = 14;
  return code == can_open ? "CANOpenGenRefReqResp" : code == device_id ? "RdDevId" : "Unknown";
}

void ModbusParser::describe(const AppTransaction& transaction, JsonWriter& json) {
  const auto& both = static_cast<const ModbusTransaction&>(transaction);
  json.begin_object("modbus");
  json.number("id", both.id + 1);
  if (both.has_request) {
    describe_message("request", both.request, json);
  }
  if (both.has_response) {
    describe_message("response", both.response, json);
  }
  json.end_object();
}

}  // namespace shrike::protocol
