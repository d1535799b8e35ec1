// Chunks that writes and reads carry: of files, or of pipes.
#include <algorithm>

#include "smb.h"

namespace shrike::protocol {

namespace {

constexpr std::string_view unknown_pipe = "suricata::dcerpc";
constexpr FileTransfer::Limits transfer_limits;

AppEvent event_of(FileTransfer::Start start, Direction direction) noexcept {
  const bool is_write = direction == Direction::to_server;
  switch (start) {
    case FileTransfer::Start::queue_bytes_exceeded:
      return is_write ? AppEvent::smb_write_queue_size_exceeded
                      : AppEvent::smb_read_queue_size_exceeded;
    case FileTransfer::Start::queue_chunks_exceeded:
      return is_write ? AppEvent::smb_write_queue_cnt_exceeded
                      : AppEvent::smb_read_queue_cnt_exceeded;
    case FileTransfer::Start::overlaps:
    case FileTransfer::Start::taken:
      break;
  }
  return AppEvent::smb_file_overlap;
}

/// Data that may be a DCERPC message, where nobody saw which tree it goes to.
bool looks_like_rpc(Bytes data) noexcept {
  const auto header = dcerpc::read_header(data);
  return header && header->version == 5 && header->version_minor < 3 &&
         header->fragment_bytes > 0 && header->type <= dcerpc::MessageType::rts;
}

}  // namespace

Bytes SmbParser::name_of(const smb::FileId& file, std::string_view if_unknown) noexcept {
  const PoolBytes* const name = names_by_file_.find(file);
  return name != nullptr ? Bytes(*name) : as_bytes(if_unknown);
}

/// Pipes of well-known services speak DCERPC.
bool SmbParser::is_rpc_pipe(const smb::FileId& file) noexcept {
  static constexpr std::string_view services[] = {"svcctl", "srvsvc",  "atsvc",  "lsarpc",
                                                  "samr",   "spoolss", "winreg", unknown_pipe};
  std::string_view name = as_text(name_of(file, ""));
  if (name.size() > 1 && name[0] == '\\') {
    name.remove_prefix(1);
  }
  return std::find(std::begin(services), std::end(services), name) != std::end(services);
}

SmbParser::Target SmbParser::target_of(const smb::Key& share, const Chunk& chunk) {
  const Tree* const tree = trees_.find(share);
  const bool is_known = tree != nullptr && (tree->is_pipe || !tree->name.empty());
  if (is_known && !tree->is_pipe) {
    return Target::file;
  }
  const bool is_rpc = is_rpc_pipe(chunk.file);
  if (is_known) {
    return is_rpc ? Target::rpc_pipe : Target::other_pipe;
  }
  if (!looks_like_rpc(chunk.data)) {
    return Target::file;
  }
  // Remembered, so that what follows is taken for the same.
  const Bytes name = as_bytes(unknown_pipe);
  trees_.put(share, {PoolBytes(name.begin(), name.end(), pool()), true});
  if (!is_rpc) {
    names_by_file_.put(chunk.file, PoolBytes(name.begin(), name.end(), pool()));
  }
  return Target::rpc_pipe;
}

SmbParser::Transaction& SmbParser::open_file(Direction direction, uint8_t version, uint16_t command,
                                             const smb::Key& share, const Chunk& chunk) {
  const Tree* const tree = trees_.find(share);
  // What names a file that nobody saw opened differs in Suricata by version and direction.
  const bool has_no_name = (version == 1 && direction == Direction::to_client) ||
                           (version == 2 && direction == Direction::to_server);
  const Bytes name = name_of(chunk.file, has_no_name ? "" : "<unknown>");
  smb::Key key = share;
  key.kind = smb::KeyKind::header;
  Transaction& file =
      open(Kind::file, version, command, version == 2 ? key : smb::Key{.kind = key.kind});
  file.file_id = chunk.file;
  file.name = file.keep(name);
  file.second_name = tree != nullptr ? file.keep(Bytes(tree->name)) : Bytes{};
  file.transfer.emplace(file, direction, name);
  return file;
}

void SmbParser::append_chunk(Transaction& file, Direction direction, const Chunk& chunk) {
  Side& side = side_of(direction);
  const auto start = file.transfer->begin_chunk(chunk.offset, chunk.bytes, 0, transfer_limits);
  file.idle_since_ns = 0;
  if (start != FileTransfer::Start::taken) {
    raise(event_of(start, direction));
  }
  if (start != FileTransfer::Start::taken && start != FileTransfer::Start::overlaps) {
    return;
  }
  file.transfer->append(chunk.data);
  if (missing_bytes_ != 0 && chunk.bytes > chunk.data.size()) {
    side.file = chunk.file;
    side.file_bytes = std::min(chunk.bytes - chunk.data.size(), missing_bytes_);
    side.skip_bytes = missing_bytes_ - side.file_bytes;
  }
}

/// A chunk of a file: false where it goes through a pipe instead.
bool SmbParser::write_chunk(Direction direction, uint8_t version, uint16_t command,
                            const smb::Key& share, const Chunk& chunk) {
  Transaction* file = find_file(chunk.file, direction, true);
  if (file == nullptr) {
    const bool is_file = version == 1 ? !is_pipe(share) : target_of(share, chunk) == Target::file;
    if (!is_file) {
      return false;
    }
    file = &open_file(direction, version, command, share, chunk);
  }
  append_chunk(*file, direction, chunk);
  return true;
}

void SmbParser::close_file(const smb::FileId& id, Direction direction, bool even_if_closed) {
  Transaction* const file = find_file(id, direction, false);
  if (file == nullptr) {
    return;
  }
  if (!file->is_done(Direction::to_server)) {
    file->transfer->close();
  } else if (!even_if_closed) {
    return;
  }
  file->complete();
}

}  // namespace shrike::protocol
