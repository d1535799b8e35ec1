#include "enip_names.h"

#include <algorithm>
#include <span>

namespace shrike::protocol {

namespace {

struct Name {
  uint32_t number;
  std::string_view name;
};

constexpr Name commands[] = {
    {0, "nop"},
    {4, "list_services"},
    {0x63, "list_identity"},
    {0x64, "list_interfaces"},
    {0x65, "register_session"},
    {0x66, "unregister_session"},
    {0x6f, "send_r_r_data"},
    {0x70, "send_unit_data"},
    {0x72, "indicate_status"},
    {0x73, "cancel"},
};

constexpr Name statuses[] = {
    {0, "success"},
    {1, "invalid_cmd"},
    {2, "no_resources"},
    {3, "incorrect_data"},
    {0x64, "invalid_session"},
    {0x65, "invalid_length"},
    {0x69, "unsupported_prot_rev"},
    {0x6a, "encap_header_error"},
};

constexpr Name vendors[] = {
    {1, "Rockwell Automation/Allen-Bradley"},
    {2, "Namco Controls Corp."},
    {3, "Honeywell Inc."},
    {5, "Rockwell Automation/Reliance Elec."},
    {7, "SMC Corporation"},
    {8, "Molex Incorporated"},
    {0xc, "Banner Engineering Corp."},
    {0x1a, "Festo Corporation"},
    {0x28, "Wago Corporation"},
    {0x2b, "BALLUFF Inc."},
    {0x2e, "ABB Industrial Systems"},
    {0x2f, "Omron Corporation"},
    {0x30, "Turck Inc."},
    {0x39, "Pepperl + Fuchs"},
    {0x44, "Eaton Electrical"},
    {0x4d, "Rockwell Software Inc."},
    {0x51, "IXXAT Automation GmbH"},
    {0x5a, "HMS Industrial Networks AB"},
    {0x5e, "Advantech Co. Ltd."},
    {0x5f, "Square D Company"},
    {0x61, "Danfoss"},
    {0x6c, "Beckhoff Automation GmbH"},
    {0x6d, "National Instruments"},
    {0x91, "Siemens Energy & Automation/Drives"},
    {0xf3, "Schneider Automation Inc."},
    {0xfa, "Yokogawa Electric Corporation"},
    {0x11b, "Hilscher GmbH"},
    {0x13b, "SEW Eurodrive GmbH"},
    {0x142, "ifm efector, inc."},
    {0x159, "Endress + Hauser"},
    {0x164, "Fanuc Robotics America"},
    {0x16f, "Keyence Corporation"},
};

constexpr Name devices[] = {
    {0, "Generic Device (deprecated)"},
    {1, "Control Station (deprecated)"},
    {2, "AC Drive Device"},
    {3, "Motor Overload"},
    {4, "Limit Switch"},
    {5, "Inductive Proximity Switch"},
    {6, "Photoelectric Sensor"},
    {7, "General Purpose Discrete I/O"},
    {8, "Encoder (deprecated)"},
    {9, "Resolver"},
    {0xa, "General Purpose Analog I/O (deprecated)"},
    {0xc, "Communications Adapter"},
    {0xd, "Barcode Scanner (deprecated)"},
    {0xe, "Programmable Logic Controller"},
    {0x10, "Position Controller"},
    {0x11, "Weigh Scale (deprecated)"},
    {0x12, "Message Display (deprecated)"},
    {0x13, "DC Drive"},
    {0x14, "Servo Drives (deprecated)"},
    {0x15, "Contactor"},
    {0x16, "Motor Starter"},
    {0x17, "Softstart Starter"},
    {0x18, "Human-Machine Interface"},
    {0x19, "Pneumatic Valve(s) (deprecated)"},
    {0x1a, "Mass Flow Controller"},
    {0x1b, "Pneumatic Valve(s)"},
    {0x1c, "Vacuum Pressure Gauge"},
    {0x1d, "Process Control Value"},
    {0x1e, "Residual Gas Analyzer"},
    {0x1f, "DC Power Generator"},
    {0x20, "RF Power Generator"},
    {0x21, "Turbomolecular Vacuum Pump"},
    {0x22, "Encoder"},
    {0x23, "Safety Discrete I/O Device"},
    {0x24, "Fluid Flow Controller"},
    {0x25, "CIP Motion Drive"},
    {0x26, "CompoNet Repeater"},
    {0x27, "Mass Flow Controller Enhanced"},
    {0x28, "CIP Modbus Device"},
    {0x29, "CIP Modbus Translator"},
    {0x2a, "Safety Analog I/O Device"},
    {0x2b, "Generic Device (keyable)"},
    {0x2c, "Managed Ethernet Switch"},
    {0x2d, "CIP Motion Safety Drive Device"},
    {0x2e, "Safety Drive Device"},
    {0x2f, "CIP Motion Encoder"},
    {0x30, "CIP Motion Converter"},
    {0x31, "CIP Motion I/O"},
    {0x32, "ControlNet Physical Layer Component"},
    {0x64, "In-Sight 2000 Series"},
    {0x96, "PowerFlex 525"},
    {0xc8, "Embedded Component"},
    {0x305, "DataMan Series Reader"},
};

constexpr Name services[] = {
    {1, "Get Attributes All"},
    {2, "Set Attributes All"},
    {3, "Get Attribute List"},
    {4, "Set Attribute List"},
    {5, "Reset"},
    {6, "Start"},
    {7, "Stop"},
    {8, "Create"},
    {9, "Delete"},
    {0xa, "Multiple Service Packet"},
    {0xd, "Apply Attributes"},
    {0xe, "Get Attributes Single"},
    {0x10, "Set Attributes Single"},
    {0x11, "Find Next Object Instance"},
    {0x15, "Restore"},
    {0x16, "Save"},
    {0x17, "No Forward Open"},
    {0x18, "Get Member"},
    {0x19, "Set Member"},
    {0x1a, "Insert Member"},
    {0x1b, "Remove Member"},
    {0x1c, "Group Sync"},
    {0x1d, "Get Connection Point Member List"},
    {0x4b, "Execute PCCC Service"},
    {0x4c, "Read Data"},
    {0x4d, "Write Data"},
    {0x4e, "Read Write Modify Data"},
    {0x52, "Read Data Fragmented"},
    {0x53, "Write Data Fragmented"},
    {0x54, "Forward Open"},
};

constexpr Name classes[] = {
    {1, "Identity"},
    {2, "Message Router"},
    {3, "DeviceNet"},
    {4, "Assembly"},
    {5, "Connection"},
    {6, "Connection Manager"},
    {7, "Register"},
    {8, "Discrete Input Point"},
    {9, "Discrete Output Point"},
    {0xa, "Analog Input Point"},
    {0xb, "Analog Output Point"},
    {0xe, "Presence Sensing"},
    {0xf, "Parameter"},
    {0x10, "Parameter Group"},
    {0x12, "Group"},
    {0x1d, "Discrete Input Group"},
    {0x1e, "Discrete Output Group"},
    {0x1f, "Discrete Group"},
    {0x20, "Analog Input Group"},
    {0x21, "Analog Output Group"},
    {0x22, "Analog Group"},
    {0x23, "Position Sensor"},
    {0x24, "Position Controller Supervisor"},
    {0x25, "Position Controller"},
    {0x26, "Block Sequencer"},
    {0x27, "Command Block"},
    {0x28, "Motor Data"},
    {0x29, "Control Supervisor"},
    {0x2a, "AC/DC Drive"},
    {0x2b, "Acknowledge Handler"},
    {0x2c, "Overload"},
    {0x2d, "Softstart"},
    {0x2e, "Selection"},
    {0x30, "S-Device Supervisor"},
    {0x31, "S-Analog Sensor"},
    {0x32, "S-Analog Actuator"},
    {0x33, "S-Single Stage Controller"},
    {0x34, "S-Gas Calibration"},
    {0x35, "Trip Point"},
    {0x37, "File"},
    {0x38, "S-Partial Pressure"},
    {0x39, "Safety Supervisor"},
    {0x3a, "Safety Validator"},
    {0x3b, "Safety Discrete Output Point"},
    {0x3c, "Safety Discrete Output Group"},
    {0x3d, "Safety Discrete Input Point"},
    {0x3e, "Safety Discrete Input Group"},
    {0x3f, "Safety Dual Channel Output"},
    {0x40, "S-Sensor Calibration"},
    {0x41, "Event Log"},
    {0x42, "Motion Device Axis"},
    {0x43, "Time Sync"},
    {0x44, "Modbus"},
    {0x45, "Originator Connection List"},
    {0x46, "Modbus Serial Link"},
    {0x47, "Device Level Ring (DLR)"},
    {0x48, "QoS"},
    {0x49, "Safety Analog Input Point"},
    {0x4a, "Safety Analog Input Group"},
    {0x4b, "Safety Dual Channel Analog Input"},
    {0x4c, "SERCOS III Link"},
    {0x4d, "Target Connection List"},
    {0x4e, "Base Energy"},
    {0x4f, "Electrical Energy"},
    {0x50, "Non-Electrical Energy"},
    {0x51, "Base Switch"},
    {0x52, "SNMP"},
    {0x53, "Power Management"},
    {0x54, "RSTP Bridge"},
    {0x55, "RSTP Port"},
    {0x56, "PRP/HSR Protocol"},
    {0x57, "PRP/HSR Nodes Table"},
    {0x58, "Safety Feedback"},
    {0x59, "Safety Dual Channel Feedback"},
    {0x5a, "Safety Stop Functions"},
    {0x5b, "Safety Limit Functions"},
    {0x5c, "Power Curtailment"},
    {0x5d, "CIP Security"},
    {0x5e, "EtherNet/IP Security"},
    {0x5f, "Certificate Management"},
    {0x67, "PCCC Class"},
    {0xf0, "ControlNet"},
    {0xf1, "ControlNet Keeper"},
    {0xf2, "ControlNet Scheduling"},
    {0xf3, "Connection Configuration"},
    {0xf4, "Port"},
    {0xf5, "TCP/IP Interface"},
    {0xf6, "Ethernet Link"},
    {0xf7, "CompoNet"},
    {0xf8, "CompoNet Repeater"},
};

constexpr Name cip_statuses[] = {
    {0, "Success"},
    {1, "Connection Failure"},
    {2, "Resource Unavailable"},
    {3, "Invalid Parameter Value"},
    {4, "Path Segment Error"},
    {5, "Path Destination Unknown"},
    {6, "Partial Transfer"},
    {7, "Connection Lost"},
    {8, "Service Not Supported"},
    {9, "Invalid Attribute Value"},
    {0xa, "Attribute List Error"},
    {0xb, "Already In Requested Mode/State"},
    {0xc, "Object State Conflict"},
    {0xd, "Object Already Exists"},
    {0xe, "Attribute Not Settable"},
    {0xf, "Privilege Violation"},
    {0x10, "Device State Conflict"},
    {0x11, "Reply Data Too Large"},
    {0x12, "Fragmentation Of A Primitive Value"},
    {0x13, "Not Enough Data"},
    {0x14, "Attribute Not Supported"},
    {0x15, "Too Much Data"},
    {0x16, "Object Does Not Exist"},
    {0x17, "Service Fragmentation Sequence Not In Progress"},
    {0x18, "No Stored Attribute Data"},
    {0x19, "Store Operation Failure"},
    {0x1a, "Routing Failure, Request Packet Too Large"},
    {0x1b, "Routing Failure, Response Packet Too Large"},
    {0x1c, "Missing Attribute List Entry Data"},
    {0x1d, "Invalid Attribute Value List"},
    {0x1e, "Embedded Service Error"},
    {0x1f, "Vendor Specific Error"},
    {0x20, "Invalid Parameter"},
    {0x21, "Write-Once Value Or Medium Already Written"},
    {0x22, "Invalid Reply Received"},
    {0x23, "Buffer Overflow"},
    {0x24, "Invalid Message Format"},
    {0x25, "Key Failure In Path"},
    {0x26, "Path Size Invalid"},
    {0x27, "Unexpected Attribute In List"},
    {0x28, "Invalid Member ID"},
    {0x29, "Member Not Settable"},
    {0x2a, "Group 2 Only Server General Failure"},
    {0x2b, "Unknown Modbus Error"},
    {0x2c, "Attribute Not Gettable"},
    {0xff, "Still Processing"},
};

constexpr Name extended_statuses[] = {
    {0x100, "Connection in use or duplicate Forward Open"},
    {0x103, "Transport class and trigger combination not supported"},
    {0x106, "Ownership conflict"},
    {0x107, "Target connection not found"},
    {0x108, "Invalid network connection parameter"},
    {0x109, "Invalid connection size"},
    {0x110, "Target for connection not configured"},
    {0x111, "RPI not supported"},
    {0x112, "RPI value(s) not acceptable"},
    {0x113, "Out of connections"},
    {0x114, "Vendor ID or product code mismatch"},
    {0x115, "Device type mismatch"},
    {0x116, "Revision mismatch"},
    {0x117, "Invalid produced or consumed application path"},
    {0x118, "Invalid or inconsistent configuration application path"},
    {0x119, "Non-listen only connection not opened"},
    {0x11a, "Target object out of connections"},
    {0x11b, "RPI is smaller than the production inhibit time"},
    {0x11c, "Transport class not supported"},
    {0x11d, "Production trigger not supported"},
    {0x11e, "Direction not supported"},
    {0x203, "Connection timed out"},
    {0x204, "Unconnected request timed out"},
    {0x205, "Parameter error in unconnected request"},
    {0x206, "Message too large for UnconnectedSend"},
    {0x207, "Unconnected acknowledged without reply"},
    {0x301, "No buffer memory available"},
    {0x302, "Network bandwidth not available for data"},
    {0x311, "Port not available"},
    {0x312, "Link address not valid"},
    {0x315, "Invalid segment in connection path"},
    {0x316, "ForwardClose connection path mismatch"},
    {0x317, "Scheduling not specified"},
    {0x318, "Link address to self invalid"},
    {0x319, "Secondary resources unavailable"},
    {0x31a, "Rack connection already established"},
    {0x31b, "Module connection already established"},
    {0x31c, "Miscellaneous"},
    {0x31d, "Redundant connection mismatch"},
};

/// In tables that are sorted by number.
std::string_view name_of(std::span<const Name> names, uint32_t number) noexcept {
  const auto at =
      std::lower_bound(names.begin(), names.end(), number,
                       [](const Name& each, uint32_t wanted) { return each.number < wanted; });
  return at != names.end() && at->number == number ? at->name : std::string_view();
}

}  // namespace

std::string_view enip_command_name(uint16_t command) noexcept {
  return name_of(commands, command);
}

std::string_view enip_status_name(uint32_t status) noexcept {
  return name_of(statuses, status);
}

std::string_view enip_vendor_name(uint16_t vendor) noexcept {
  return name_of(vendors, vendor);
}

std::string_view enip_device_name(uint16_t type) noexcept {
  return name_of(devices, type);
}

std::string_view cip_service_name(uint8_t service) noexcept {
  return name_of(services, service);
}

std::string_view cip_class_name(uint32_t a_class) noexcept {
  return name_of(classes, a_class);
}

std::string_view cip_status_name(uint8_t status) noexcept {
  return name_of(cip_statuses, status);
}

std::string_view cip_extended_status_name(uint16_t status) noexcept {
  return name_of(extended_statuses, status);
}

}  // namespace shrike::protocol
