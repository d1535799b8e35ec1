#include <fmt/format.h>

#include <string>

#include "apply.h"

namespace shrike::app {

namespace {

using protocol::ProtocolOptions;
using protocol::ProtocolSetting;
using Mode = ProtocolSetting::Mode;

constexpr std::string_view section = "app-layer.protocols.";

enum class EnabledWord : uint8_t { yes, no, identify_only };
constexpr Word<EnabledWord> enabled_words[] = {
    {"yes", EnabledWord::yes},
    {"no", EnabledWord::no},
    {"true", EnabledWord::yes},
    {"false", EnabledWord::no},
    {"on", EnabledWord::yes},
    {"off", EnabledWord::no},
    {"1", EnabledWord::yes},
    {"0", EnabledWord::no},
    {"True", EnabledWord::yes},
    {"False", EnabledWord::no},
    {"detection-only", EnabledWord::identify_only},
};

/// The name that the configuration uses for a protocol.
std::string_view config_name(AppProtocol protocol) {
  switch (protocol) {
    case AppProtocol::http1:
      return "http";
    case AppProtocol::unknown:
    case AppProtocol::failed:
    case AppProtocol::http:
    case AppProtocol::count_:
      return {};
    default:
      return to_text(protocol);
  }
}

void read_ports(const ConfigReader& config, const std::string& path, const rule::Options& rules,
                std::vector<uint16_t>& ports) {
  for (const ConfigNode& each : config.list(path)) {
    const auto text = expand_ports(each.text, rules, each.position(), config.diagnostics());
    const auto parsed = text ? parse_ports(*text) : std::nullopt;
    if (!parsed) {
      config.diagnostics().error(each.position(), "port", "'{}' is no port and no list of ports",
                                 each.text);
      continue;
    }
    ports.insert(ports.end(), parsed->begin(), parsed->end());
  }
}

void read_setting(const ConfigReader& config, const std::string& path, const rule::Options& rules,
                  ProtocolSetting& setting) {
  EnabledWord word = EnabledWord::yes;
  if (config.find_scalar(path + ".enabled") != nullptr) {
    config.word(path + ".enabled", word, enabled_words);
    setting.mode = word == EnabledWord::yes  ? Mode::on
                   : word == EnabledWord::no ? Mode::off
                                             : Mode::identify_only;
  }
  std::vector<uint16_t> ports;
  read_ports(config, path + ".detection-ports.dp", rules, ports);
  setting.server_ports.insert(setting.server_ports.end(), ports.begin(), ports.end());
  ports.clear();
  read_ports(config, path + ".detection-ports.sp", rules, ports);
  setting.client_ports.insert(setting.client_ports.end(), ports.begin(), ports.end());
}

void apply_settings(const ConfigReader& config, const rule::Options& rules,
                    ProtocolOptions& options) {
  for (size_t i = 0; i < options.protocols.size(); ++i) {
    const std::string_view name = config_name(static_cast<AppProtocol>(i));
    if (name.empty()) {
      continue;
    }
    const std::string path = fmt::format("{}{}", section, name);
    read_setting(config, path, rules, options.protocols[i]);
    for (const std::string_view transport : {"tcp", "udp"}) {  // dns.udp.detection-ports
      const std::string part = fmt::format("{}.{}", path, transport);
      if (config.find(part) != nullptr) {
        read_setting(config, part, rules, options.protocols[i]);
      }
    }
  }
}

void apply_http(const ConfigReader& config, protocol::HttpOptions& options) {
  const auto path = [](std::string_view key) {
    return fmt::format("{}http.libhtp.default-config.{}", section, key);
  };
  constexpr Bounds bytes{0, 1ull << 32};
  const auto size = [&](std::string_view key, uint32_t& value) {
    uint64_t wide = value;
    config.size(path(key), wide, {0, UINT32_MAX});
    value = static_cast<uint32_t>(wide);
  };
  config.size(path("request-body-limit"), options.request_body_bytes_max, bytes);
  config.size(path("response-body-limit"), options.response_body_bytes_max, bytes);
  size("request-body-minimal-inspect-size", options.request_inspect_bytes_min);
  size("request-body-inspect-window", options.request_window_bytes);
  size("response-body-minimal-inspect-size", options.response_inspect_bytes_min);
  size("response-body-inspect-window", options.response_window_bytes);
  config.number(path("response-body-decompress-layer-limit"), options.decompression_layers_max,
                {0, 255});
  config.size(path("compression-bomb-limit"), options.compression_bomb_bytes, bytes);
  config.flag(path("double-decode-path"), options.double_decode_path);
  config.flag(path("double-decode-query"), options.double_decode_query);
  config.flag(path("query-plusspace-decode"), options.query_plus_is_space);
  config.number(path("max-tx"), options.transactions_max, {1, 1u << 20});
}

void apply_smtp(const ConfigReader& config, protocol::SmtpOptions& options) {
  const auto path = [](std::string_view key) { return fmt::format("{}smtp.{}", section, key); };
  const auto size = [&](std::string_view key, uint32_t& value) {
    uint64_t wide = value;
    config.size(path(key), wide, {0, UINT32_MAX});
    value = static_cast<uint32_t>(wide);
  };
  config.flag(path("raw-extraction"), options.raw_extraction);
  config.flag(path("mime.decode-mime"), options.decode_mime);
  config.flag(path("mime.decode-base64"), options.decode_base64);
  config.flag(path("mime.decode-quoted-printable"), options.decode_quoted_printable);
  config.flag(path("mime.extract-urls"), options.extract_urls);
  config.flag(path("mime.body-md5"), options.body_md5);
  size("mime.header-value-depth", options.header_value_bytes_max);
  size("inspected-tracker.content-limit", options.content_bytes_max);
  size("inspected-tracker.content-inspect-min-size", options.inspect_bytes_min);
  size("inspected-tracker.content-inspect-window", options.window_bytes);
}

enum class FingerprintWord : uint8_t { yes, no };
constexpr Word<FingerprintWord> fingerprint_words[] = {
    {"auto", FingerprintWord::yes}, {"yes", FingerprintWord::yes}, {"true", FingerprintWord::yes},
    {"on", FingerprintWord::yes},   {"no", FingerprintWord::no},   {"false", FingerprintWord::no},
    {"off", FingerprintWord::no},
};

enum class EncryptedWord : uint8_t { track_only, bypass, full };
constexpr Word<EncryptedWord> encrypted_words[] = {
    {"track-only", EncryptedWord::track_only},
    {"default", EncryptedWord::track_only},
    {"bypass", EncryptedWord::bypass},
    {"full", EncryptedWord::full},
};

void apply_encrypted(const ConfigReader& config, ProtocolOptions& options) {
  const auto is_on = [&](std::string_view key, bool otherwise) {
    FingerprintWord word = otherwise ? FingerprintWord::yes : FingerprintWord::no;
    config.word(fmt::format("{}{}", section, key), word, fingerprint_words);
    return word == FingerprintWord::yes;
  };
  options.tls_fingerprints = is_on("tls.ja3-fingerprints", options.tls_fingerprints);
  options.tls_ja4_fingerprints = is_on("tls.ja4-fingerprints", options.tls_ja4_fingerprints);
  options.ssh_fingerprints = is_on("ssh.hassh", options.ssh_fingerprints);
  const auto handling = [&](std::string_view key) {
    EncryptedWord word = EncryptedWord::track_only;
    config.word(fmt::format("{}{}.encryption-handling", section, key), word, encrypted_words);
    return word;
  };
  const EncryptedWord tls = handling("tls");
  options.tls_encrypted_bypass = tls == EncryptedWord::bypass;
  options.tls_encrypted_full = tls == EncryptedWord::full;
  options.ssh_encrypted_bypass = handling("ssh") == EncryptedWord::bypass;
}

/// What only one parser knows goes to it under its own name.
void collect_others(const ConfigNode& node, const std::string& path, ProtocolOptions& options) {
  if (node.is_scalar()) {
    options.others.emplace_back(path, node.text);
    return;
  }
  for (const ConfigEntry& entry : node.entries) {
    collect_others(entry.value, path.empty() ? entry.name : path + "." + entry.name, options);
  }
}

}  // namespace

void apply_protocols(const ConfigReader& config, Settings& settings) {
  ProtocolOptions& options = settings.protocols;
  apply_settings(config, settings.rules, options);
  apply_http(config, options.http);
  apply_smtp(config, options.smtp);
  apply_encrypted(config, options);
  settings.rules.has_ja4 = options.tls_ja4_fingerprints;
  const ConfigNode* const protocols = config.find("app-layer.protocols");
  if (protocols != nullptr) {
    collect_others(*protocols, {}, options);
  }
}

}  // namespace shrike::app
