#include "enip_fields.h"

#include "shrike/model/device_numbers.h"

namespace shrike::protocol {

namespace {

using Payload = EnipMessage::Payload;

/// Numbers that one message may add: services in a packet may overlap, so their paths and
/// attributes are no longer bounded by its size.
constexpr size_t numbers_max = 4096;

/// Adds the fields of a message. Suricata looks for the fields of a request and those of a response
/// in both directions, but for those that both have.
class FieldAdder {
 public:
  FieldAdder(EnipTransaction& transaction, Direction direction) noexcept
      : transaction_(transaction), direction_(direction) {}

  void own(Field field, uint64_t number) {
    if (added_ < numbers_max) {
      ++added_;
      transaction_.add_number(direction_, field, number);
    }
  }
  void both(Field field, uint64_t number) {
    if (added_ < numbers_max) {
      ++added_;
      transaction_.add_number(Direction::to_server, field, number);
      transaction_.add_number(Direction::to_client, field, number);
    }
  }
  void both(Field field, Bytes kept) {
    transaction_.add_kept(Direction::to_server, field, kept);
    transaction_.add_kept(Direction::to_client, field, kept);
  }

  void cip(const Cip& cip, bool is_request) {
    add_service(cip);
    if (is_request && !cip.is_response) {
      add_path(cip);
    } else if (!is_request && cip.is_response) {
      add_status(cip);
    }
  }

  void identity(const EnipIdentity& identity) {
    own(Field::enip_protocol_version, identity.version);
    both(Field::enip_vendor_id, identity.vendor);
    both(Field::enip_device_type, identity.device_type);
    both(Field::enip_product_code, identity.product);
    both(Field::enip_revision,
         static_cast<uint64_t>(identity.revision_major) << 8 | identity.revision_minor);
    both(Field::enip_identity_status, identity.status);
    both(Field::enip_serial, identity.serial);
    both(Field::enip_product_name, identity.name);
    both(Field::enip_state, identity.state);
  }

  void service(const EnipService& service) {
    own(Field::enip_protocol_version, service.version);
    both(Field::enip_capabilities, service.capabilities);
    both(Field::enip_service_name, service.name);
  }

 private:
  template <typename Visit>
  static void each_segment(const Cip& cip, uint8_t kind, Visit visit) {
    ByteReader path(cip.path);
    while (path.left() > 0) {
      const auto segment = take_cip_segment(path);
      if (!segment) return;
      if (segment->kind() == kind) visit(segment->value);
    }
  }
  template <typename Visit>
  static void each_attribute(const Cip& cip, Visit visit) {
    each_segment(cip, cip_attribute_segment, visit);
    for (size_t at = 0; at + 1 < cip.attributes.size(); at += 2) {
      visit(load_little16(cip.attributes.data() + at));
    }
  }

  void add_service(const Cip& cip) {
    own(Field::cip_service, cip_number::service(cip.service));
    each_segment(cip, cip_class_segment, [&](uint32_t a_class) {
      own(Field::cip_service, cip_number::service_class(cip.service, a_class));
      each_attribute(cip, [&](uint32_t attribute) {
        own(Field::cip_service,
            cip_number::service_class_attribute(cip.service, a_class, attribute));
      });
    });
  }
  void add_path(const Cip& cip) {
    each_segment(cip, cip_class_segment,
                 [&](uint32_t value) { both(Field::enip_cip_class, value); });
    each_segment(cip, cip_instance_segment,
                 [&](uint32_t value) { both(Field::enip_cip_instance, value); });
    each_attribute(cip, [&](uint32_t value) { both(Field::enip_cip_attribute, value); });
  }
  void add_status(const Cip& cip) {
    both(Field::enip_cip_status, cip.status);
    if (cip.extended_status.size() == 2) {
      both(Field::enip_cip_extendedstatus, load_little16(cip.extended_status.data()));
    }
  }

  EnipTransaction& transaction_;
  Direction direction_;
  size_t added_ = 0;
};

void add_cip(FieldAdder& adder, Bytes data, bool is_request) {
  const auto cip = read_cip(data);
  if (!cip) return;
  adder.cip(*cip, is_request);
  for (uint16_t i = 0; i < cip->services_count; ++i) {
    adder.cip(cip_service_in(*cip, i), is_request);
  }
}

}  // namespace

void add_enip_fields(EnipTransaction& transaction, Direction direction,
                     const EnipMessage& message) {
  const bool is_request = direction == Direction::to_server;
  FieldAdder adder(transaction, direction);
  adder.own(Field::enip_command, message.command);
  adder.own(Field::enip_status, message.status);
  switch (message.payload) {
    case Payload::session:
      adder.own(Field::enip_protocol_version, load_little16(message.data.data()));
      return;
    case Payload::cip:
      add_cip(adder, message.data, is_request);
      return;
    case Payload::services:
      if (const auto service = read_enip_service(message.data); service && !is_request) {
        adder.service(*service);
      }
      return;
    case Payload::identity:
      if (const auto identity = read_enip_identity(message.data); identity && !is_request) {
        adder.identity(*identity);
      }
      return;
    case Payload::interfaces:
    case Payload::none:
      return;
  }
}

}  // namespace shrike::protocol
