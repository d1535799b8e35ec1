// Bodies of HTTP/1: codings, what rules see of them, and the files in them.
#include <algorithm>

#include "http.h"
#include "http_text.h"

namespace shrike::protocol {

using namespace http;

namespace {

/// Longer names of files are cut (Suricata: SC_FILENAME_MAX).
constexpr size_t file_name_bytes_max = 4096;

BodyLimits request_limits(const HttpOptions& options) noexcept {
  return {.bytes_max = options.request_body_bytes_max,
          .inspect_bytes_min = options.request_inspect_bytes_min,
          .window_bytes = options.request_window_bytes};
}

BodyLimits response_limits(const HttpOptions& options) noexcept {
  return {.bytes_max = options.response_body_bytes_max,
          .inspect_bytes_min = options.response_inspect_bytes_min,
          .window_bytes = options.response_window_bytes};
}

/// A coding by its usual names.
std::optional<ContentCoding> read_coding(Bytes name) noexcept {
  if (equals_without_nul(name, "gzip") || equals_without_nul(name, "x-gzip")) {
    return ContentCoding::gzip;
  }
  if (equals_without_nul(name, "deflate") || equals_without_nul(name, "x-deflate")) {
    return ContentCoding::deflate;
  }
  if (equals_without_nul(name, "br")) {
    return ContentCoding::brotli;
  }
  if (equals_without_nul(name, "inflate") || equals_without_nul(name, "none")) {
    return ContentCoding::none;
  }
  return std::nullopt;
}

}  // namespace

void HttpParser::set_decoder(HttpTransaction& transaction, Direction direction) {
  ContentDecoder& decoder = side(direction).decoder;
  decoder.clear();
  const HeaderList& headers = direction == Direction::to_server ? transaction.request_headers
                                                                : transaction.response_headers;
  const HeaderField* const field = headers.find_without_nul("content-encoding");
  if (field == nullptr) {
    return;
  }
  if (equals_without_nul(field->value, "lzma")) {
    raise(transaction, AppEvent::http_lzma_disabled);  // as Suricata is configured by default
    return;
  }
  const std::optional<ContentCoding> coding = read_coding(field->value);
  if (!coding) {
    add_codings(transaction, direction, field->value);
  } else if (*coding != ContentCoding::none) {
    decoder.add_layer(*coding);
  }
}

/// Several codings, or one that is not written as it should be.
void HttpParser::add_codings(HttpTransaction& transaction, Direction direction, Bytes value) {
  unsigned layers = 0;
  while (!value.empty()) {
    const auto end = std::find_if(value.begin(), value.end(),
                                  [](uint8_t byte) { return byte == ',' || byte == ' '; });
    const Bytes name = value.first(static_cast<size_t>(end - value.begin()));
    value = value.subspan(std::min(name.size() + 1, value.size()));
    if (name.empty()) {
      continue;
    }
    if (++layers > session_.options().http.decompression_layers_max) {
      raise(transaction, AppEvent::http_too_many_encoding_layers);
      return;
    }
    const std::string_view text = as_text(name);
    ContentCoding coding = ContentCoding::none;
    bool is_usual = text == "inflate" || text == "none" || text == "lzma";
    if (contains_without_nul(name, "gzip")) {
      coding = ContentCoding::gzip;
      is_usual = text == "gzip" || text == "x-gzip";
    } else if (contains_without_nul(name, "deflate")) {
      coding = ContentCoding::deflate;
      is_usual = text == "deflate" || text == "x-deflate";
    } else if (text == "br") {
      coding = ContentCoding::brotli;
      is_usual = true;
    }
    if (!is_usual) {
      raise(transaction, AppEvent::http_abnormal_ce_header);
    }
    if (coding != ContentCoding::none) {
      side(direction).decoder.add_layer(coding);
    }
  }
}

bool HttpParser::sink_request(void* parser, Bytes bytes) {
  auto& self = *static_cast<HttpParser*>(parser);
  return self.deliver_request(*self.request_, bytes);
}

bool HttpParser::sink_response(void* parser, Bytes bytes) {
  auto& self = *static_cast<HttpParser*>(parser);
  return self.deliver_response(*self.response_, bytes);
}

void HttpParser::take_request_body(HttpTransaction& transaction, Bytes bytes) {
  transaction.request_bytes += bytes.size();
  if (client_.decoder.is_empty()) {
    deliver_request(transaction, bytes);
  } else {
    client_.decoder.decode(bytes, {this, sink_request});
  }
}

void HttpParser::take_response_body(HttpTransaction& transaction, Bytes bytes) {
  transaction.response_bytes += bytes.size();
  if (server_.decoder.is_empty()) {
    deliver_response(transaction, bytes);
  } else {
    server_.decoder.decode(bytes, {this, sink_response});
  }
}

void HttpParser::skip_body(HttpTransaction& transaction, Direction direction, uint64_t gap_bytes) {
  const bool is_request = direction == Direction::to_server;
  ContentDecoder& decoder = side(direction).decoder;
  if (!decoder.is_empty()) {
    decoder.finish({this, is_request ? sink_request : sink_response});
    return;
  }
  (is_request ? transaction.request_bytes : transaction.response_bytes) += gap_bytes;
  File* const file = is_request ? transaction.request_file : transaction.response_file;
  if (file != nullptr && file->state == FileState::open) {
    transaction.skip_in_file(*file, gap_bytes);
  }
}

/// Raw rules see the stream as soon as the body is looked at for the first time.
void HttpParser::look_at_raw(const Body& body, Direction direction) {
  if (body.inspected_bytes == 0 && body.length() >= body.inspect_bytes_min) {
    session_.inspect_raw_now(direction);
  }
}

File& HttpParser::open_named(HttpTransaction& transaction, Direction direction, Bytes name) {
  if (name.size() > file_name_bytes_max) {
    raise(transaction, AppEvent::http_file_name_too_long);
    name = name.first(file_name_bytes_max);
  }
  const HttpOptions& options = session_.options().http;
  return transaction.open_file(
      direction, name,
      direction == Direction::to_server ? request_limits(options) : response_limits(options));
}

MultipartSink HttpParser::multipart_sink() {
  return {.context = this,
          .open_file =
              [](void* parser, Bytes name) {
                auto& self = *static_cast<HttpParser*>(parser);
                self.request_->request_file =
                    &self.open_named(*self.request_, Direction::to_server, name);
              },
          .append_file =
              [](void* parser, Bytes bytes) {
                HttpTransaction& transaction = *static_cast<HttpParser*>(parser)->request_;
                transaction.append_file(*transaction.request_file, bytes);
              },
          .close_file =
              [](void* parser, bool is_truncated) {
                HttpTransaction& transaction = *static_cast<HttpParser*>(parser)->request_;
                transaction.close_file(*transaction.request_file,
                                       is_truncated ? FileState::truncated : FileState::closed);
                transaction.request_file = nullptr;
              },
          .report =
              [](void* parser, MultipartSink::Fault fault) {
                auto& self = *static_cast<HttpParser*>(parser);
                switch (fault) {
                  case MultipartSink::Fault::generic:
                    self.raise(*self.request_, AppEvent::http_multipart_generic_error);
                    break;
                  case MultipartSink::Fault::no_file_data:
                    self.raise(*self.request_, AppEvent::http_multipart_no_filedata);
                    break;
                  case MultipartSink::Fault::invalid_header:
                    self.raise(*self.request_, AppEvent::http_multipart_invalid_header);
                    break;
                }
              }};
}

/// Whether the body has files in it, or is one: PUT and POST are (Suricata).
void HttpParser::begin_request_files(HttpTransaction& transaction) {
  has_request_files_ = true;
  if (transaction.method == HttpMethod::post) {
    const HeaderField* const type = transaction.request_headers.find("content-type");
    const Bytes boundary = type == nullptr ? Bytes{} : find_parameter(type->value, "boundary=");
    if (!boundary.empty()) {
      is_multipart_ = true;
      multipart_.begin(boundary);
      return;
    }
  }
  const bool is_file =
      transaction.method == HttpMethod::post || transaction.method == HttpMethod::put;
  if (is_file && !transaction.uri_path.empty()) {
    transaction.request_file = &open_named(transaction, Direction::to_server, transaction.uri_path);
  }
}

bool HttpParser::deliver_request(HttpTransaction& transaction, Bytes bytes) {
  const HttpOptions& options = session_.options().http;
  transaction.request_decoded_bytes += bytes.size();
  if (transaction.request_body == nullptr) {
    transaction.request_body = &transaction.add_body(Direction::to_server, Field::http_request_body,
                                                     request_limits(options));
  }
  Body& body = *transaction.request_body;
  const bool was_whole = body.is_whole;
  body.append(bytes);
  if (!has_request_files_) {
    begin_request_files(transaction);
  }
  if (was_whole) {
    if (transaction.request_file != nullptr && !is_multipart_) {
      transaction.close_file(*transaction.request_file, FileState::truncated);
    }
  } else if (is_multipart_) {
    multipart_.take(bytes, multipart_sink());
  } else if (transaction.request_file != nullptr) {
    transaction.append_file(*transaction.request_file, bytes);
  }
  look_at_raw(body, Direction::to_server);
  if (client_.decoder.is_empty() ||
      !CompressionBound{options.compression_bomb_bytes}.is_exceeded(
          transaction.request_bytes, transaction.request_decoded_bytes)) {
    return true;
  }
  raise(transaction, AppEvent::http_compression_bomb);
  return false;
}

/// Named by Content-Disposition, or else by the request's path.
void HttpParser::open_response_file(HttpTransaction& transaction) {
  Bytes name;
  if (const HeaderField* const field = transaction.response_headers.find("content-disposition")) {
    name = find_parameter(field->value, "filename=");
  }
  if (name.data() == nullptr) {
    name = transaction.uri_path;
  }
  if (name.data() != nullptr) {
    transaction.response_file = &open_named(transaction, Direction::to_client, name);
  }
}

/// A body without a status line is no file, but rules for file.data look into it.
void HttpParser::append_unnamed(HttpTransaction& transaction, Bytes bytes) {
  if (transaction.unnamed_body == nullptr) {
    transaction.unnamed_body = &transaction.add_body(Direction::to_client, Field::file_data,
                                                     response_limits(session_.options().http));
  }
  transaction.unnamed_body->append(bytes);
}

bool HttpParser::deliver_response(HttpTransaction& transaction, Bytes bytes) {
  const HttpOptions& options = session_.options().http;
  transaction.response_decoded_bytes += bytes.size();
  if (transaction.response_body == nullptr) {
    transaction.response_body = &transaction.add_body(
        Direction::to_client, Field::http_response_body, response_limits(options));
  }
  Body& body = *transaction.response_body;
  const bool was_whole = body.is_whole;
  body.append(bytes);
  if (was_whole) {
    if (transaction.response_file != nullptr) {
      transaction.close_file(*transaction.response_file, FileState::truncated);
    }
  } else if (transaction.has_status_line || transaction.is_0_9) {
    if (transaction.response_file == nullptr) {
      open_response_file(transaction);
    }
    if (transaction.response_file != nullptr) {
      transaction.append_file(*transaction.response_file, bytes);
    }
  } else {
    append_unnamed(transaction, bytes);
  }
  look_at_raw(body, Direction::to_client);
  if (server_.decoder.is_empty() ||
      !CompressionBound{options.compression_bomb_bytes}.is_exceeded(
          transaction.response_bytes, transaction.response_decoded_bytes)) {
    return true;
  }
  raise(transaction, AppEvent::http_compression_bomb);
  return false;
}

void HttpParser::finish_response_bodies(HttpTransaction& transaction) {
  for (Body* const body : {transaction.response_body, transaction.unnamed_body}) {
    if (body != nullptr) {
      body->finish();
    }
  }
}

void HttpParser::end_request_body(HttpTransaction& transaction) {
  if (!client_.decoder.is_empty()) {
    client_.decoder.finish({this, sink_request});
  }
  if (is_multipart_) {
    multipart_.finish(multipart_sink());
  }
  if (transaction.request_file != nullptr) {
    transaction.close_file(*transaction.request_file, FileState::closed);
  }
  if (transaction.request_body != nullptr) {
    transaction.request_body->finish();
  }
  transaction.reach(Direction::to_server, Progress::trailer);
}

void HttpParser::end_response_body(HttpTransaction& transaction) {
  if (!server_.decoder.is_empty()) {
    server_.decoder.finish({this, sink_response});
  }
  if (transaction.response_file != nullptr) {
    transaction.close_file(*transaction.response_file, FileState::closed);
  }
  finish_response_bodies(transaction);
  transaction.reach(Direction::to_client, Progress::trailer);
}

bool HttpParser::take_body_bytes(Cursor& cursor, Direction direction) {
  Side& from = side(direction);
  const Bytes rest = cursor.rest();
  const Bytes bytes =
      rest.first(static_cast<size_t>(std::min<uint64_t>(rest.size(), from.body_left)));
  if (bytes.empty()) {
    return false;
  }
  if (direction == Direction::to_server) {
    take_request_body(*request_, bytes);
  } else {
    take_response_body(*response_, bytes);
  }
  cursor.at += bytes.size();
  from.body_left -= bytes.size();
  return from.body_left == 0;
}

bool HttpParser::take_body_part(Cursor& cursor, Direction direction) {
  if (cursor.gap_bytes == 0) {
    return take_body_bytes(cursor, direction);
  }
  Side& from = side(direction);
  const uint64_t lost = std::min(cursor.gap_bytes, from.body_left);
  skip_body(direction == Direction::to_server ? *request_ : *response_, direction, lost);
  from.body_left -= lost;
  cursor.gap_bytes -= lost;
  return from.body_left == 0;
}

}  // namespace shrike::protocol
