#pragma once
#include "app_transaction.h"
#include "shrike/base/json_writer.h"

/// What is known of files besides their bytes: digests, the kind that libmagic sees, and how
/// records show them. What of it is worked out, ProtocolOptions says.
namespace shrike::protocol {

/// Writes the member `files` of an alert: the files of one direction. Nothing where there are none.
/// Key names and order: Suricata 8, EveFileInfo.
void describe_files(const AppTransaction& transaction, Direction direction, JsonWriter& json);

/// Writes the member `fileinfo`: one file of either direction, which is returned.
Direction describe_file(const AppTransaction& transaction, size_t index, JsonWriter& json);

}  // namespace shrike::protocol
