#include "hooks.h"

#include <algorithm>

namespace shrike::rule {

namespace {

struct Row {
  AppProtocol protocol;  ///< unknown: of all
  std::string_view name;
  Progress progress;
  Direction direction;
};

using App = AppProtocol;
using enum Direction;

constexpr Row rows[] = {
    {App::unknown, "request_started", Progress::started, to_server},
    {App::unknown, "request_complete", Progress::complete, to_server},
    {App::unknown, "response_started", Progress::started, to_client},
    {App::unknown, "response_complete", Progress::complete, to_client},
    {App::http1, "request_line", Progress::line, to_server},
    {App::http1, "request_headers", Progress::headers, to_server},
    {App::http1, "request_body", Progress::body, to_server},
    {App::http1, "request_trailer", Progress::trailer, to_server},
    {App::http1, "response_line", Progress::line, to_client},
    {App::http1, "response_headers", Progress::headers, to_client},
    {App::http1, "response_body", Progress::body, to_client},
    {App::http1, "response_trailer", Progress::trailer, to_client},
    {App::tls, "client_in_progress", Progress::started, to_server},
    {App::tls, "client_hello_done", Progress::line, to_server},
    {App::tls, "client_cert_done", Progress::headers, to_server},
    {App::tls, "client_handshake_done", Progress::trailer, to_server},
    {App::tls, "client_finished", Progress::complete, to_server},
    {App::tls, "server_in_progress", Progress::started, to_client},
    {App::tls, "server_hello", Progress::line, to_client},
    {App::tls, "server_cert_done", Progress::headers, to_client},
    {App::tls, "server_hello_done", Progress::body, to_client},
    {App::tls, "server_handshake_done", Progress::trailer, to_client},
    {App::tls, "server_finished", Progress::complete, to_client},
    {App::ssh, "request_in_progress", Progress::started, to_server},
    {App::ssh, "request_banner_done", Progress::line, to_server},
    {App::ssh, "request_finished", Progress::complete, to_server},
    {App::ssh, "response_in_progress", Progress::started, to_client},
    {App::ssh, "response_banner_done", Progress::line, to_client},
    {App::ssh, "response_finished", Progress::complete, to_client},
};

/// Rules for `http` meet two protocols whose steps differ, so that only those have names.
bool has_hooks(AppProtocol protocol) noexcept {
  return protocol != App::unknown && protocol != App::http;
}

bool is_of(const Row& row, AppProtocol protocol) noexcept {
  return row.protocol == App::unknown || row.protocol == protocol;
}

}  // namespace

std::optional<Hook> find_hook(AppProtocol protocol, std::string_view name) {
  const auto* const found = std::find_if(std::begin(rows), std::end(rows), [&](const Row& row) {
    return row.name == name && is_of(row, protocol);
  });
  if (found == std::end(rows) || !has_hooks(protocol)) return std::nullopt;
  return Hook{found->progress, found->direction};
}

bool is_untold_hook(AppProtocol protocol, std::string_view name) {
  return protocol == App::ssh &&
         (name == "request_banner_wait_eol" || name == "response_banner_wait_eol");
}

std::string hook_names(AppProtocol protocol) {
  std::string names;
  for (const Row& row : rows) {
    if (!is_of(row, protocol)) continue;
    names += names.empty() ? "" : ", ";
    names += row.name;
  }
  return names;
}

}  // namespace shrike::rule
