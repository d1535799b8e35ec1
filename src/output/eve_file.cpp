#include "eve.h"

namespace shrike::output {

/// Source of the order: Suricata 7.0.10's output. The protocol's object stands before `app_proto`,
/// tx_id inside of `fileinfo`.
void write_file_event(EveContext& eve, const FileEvent& event) {
  const Record& record = event.record;
  begin_packet_event(eve, record, event.catalog, "fileinfo");
  eve.json.members(as_text(record.app_members));
  write_app_protocols(eve, record.app);
  eve.json.members(as_text(record.file_members));
  end_event(eve, event.capture_path);
}

}  // namespace shrike::output
