#include "validate.h"

#include <algorithm>

namespace shrike::rule {

namespace {

using Node = Builder::Node;
using Operator = Comparison::Operator;

Word place(const Node& node) {
  return {{}, node.position};
}

template <typename Visit>
void for_each_content(Builder& builder, const Visit& visit) {
  for (Node& node : builder.nodes()) {
    if (const auto* const content = std::get_if<Content>(&node.check)) visit(*content, node);
  }
}

void check_fast_patterns(Builder& builder) {
  for_each_content(builder, [&](const Content& content, const Node& node) {
    if (!content.is_fast_pattern) return;
    const bool has_position =
        content.offset || content.depth || content.is_relative || content.starts_with;
    if (content.is_negated && has_position) {
      builder.report().error(place(node), "fast-pattern",
                             "a negated content with a position cannot be the fast pattern; choose "
                             "another content");
    }
    if (row_of(builder.lists()[node.list].field).fast_pattern_priority == 0) {
      builder.report().error(place(node), "fast-pattern",
                             "no content of {} can be the fast pattern; choose another content",
                             to_text(builder.lists()[node.list].field));
    }
  });
}

/// http.host is lower-cased before it is inspected.
void check_host_case(Builder& builder) {
  for_each_content(builder, [&](const Content& content, const Node& node) {
    const Builder::List& list = builder.lists()[node.list];
    if (list.field != Field::http_host || !list.transforms.empty()) return;
    const bool has_upper = std::any_of(content.bytes.begin(), content.bytes.end(),
                                       [](char letter) { return letter >= 'A' && letter <= 'Z'; });
    if (content.is_nocase) {
      builder.report().error(place(node), "host-case",
                             "http.host is in lower case already; remove nocase");
    } else if (has_upper) {
      builder.report().error(place(node), "host-case",
                             "http.host is in lower case and never matches this; write the content "
                             "in lower case");
    }
  });
}

/// How the buffer of a field writes its letters, so that contents are brought into that form.
/// Source: Suricata, the SetupCallback of each of these buffers.
enum class LetterForm : uint8_t { free, lower, upper };
struct FieldForm {
  Field field;
  LetterForm letters;
  size_t bytes;  ///< a content must have as many; 0: any
};
constexpr FieldForm field_forms[] = {
    {Field::tls_cert_fingerprint, LetterForm::lower, 59},
    {Field::ja3_hash, LetterForm::lower, 32},
    {Field::tls_cert_serial, LetterForm::upper, 0},
    {Field::ja3s_hash, LetterForm::lower, 32},
    {Field::ssh_hassh, LetterForm::lower, 32},
    {Field::ssh_hassh_server, LetterForm::lower, 32},
};

void settle_forms(Builder& builder) {
  for (Node& node : builder.nodes()) {
    auto* const content = std::get_if<Content>(&node.check);
    const Field field = builder.lists()[node.list].field;
    const auto* const form =
        std::find_if(std::begin(field_forms), std::end(field_forms),
                     [&](const FieldForm& each) { return each.field == field; });
    if (content == nullptr || form == std::end(field_forms)) continue;
    for (char& letter : content->bytes) {
      const bool is_upper = letter >= 'A' && letter <= 'Z';
      const bool is_lower = letter >= 'a' && letter <= 'z';
      if (form->letters == LetterForm::lower && is_upper) letter = static_cast<char>(letter | 32);
      if (form->letters == LetterForm::upper && is_lower) letter = static_cast<char>(letter & ~32);
    }
    if (form->bytes != 0 && content->bytes.size() != form->bytes) {
      builder.report().error(place(node), "never-matches",
                             "{} has {} bytes and never matches {} of them; write all of it",
                             to_text(field), form->bytes, content->bytes.size());
    }
  }
}

/// A method is a word. Source: Suricata, DetectHttpMethodValidateCallback.
void check_methods(Builder& builder) {
  for_each_content(builder, [&](const Content& content, const Node& node) {
    if (builder.lists()[node.list].field != Field::http_method || content.bytes.empty()) return;
    const auto is_space = [](char letter) { return letter == ' ' || letter == '\t'; };
    if (!is_space(content.bytes.front()) && !is_space(content.bytes.back())) return;
    builder.report().error(place(node), "never-matches",
                           "http.method has no blanks around it; remove them");
  });
}

/// The size beyond which Suricata refuses contents; one byte less than that is possible with '<'
/// and a range, but there Suricata loads the rule, and the linter warns of it.
std::optional<uint64_t> refused_above(const Comparison& comparison) {
  switch (comparison.op) {
    case Operator::equal:
    case Operator::less:
      return comparison.first;
    case Operator::between:
      return comparison.second;
    case Operator::less_or_equal:
    case Operator::not_equal:
    case Operator::greater:
    case Operator::greater_or_equal:
    case Operator::not_between:
    case Operator::masked_equal:
    case Operator::masked_not_equal:
      return std::nullopt;
  }
  return std::nullopt;
}

/// A content longer than the URI may be.
void check_uri_lengths(Builder& builder) {
  for (const Node& node : builder.nodes()) {
    const auto* const length = std::get_if<UriLength>(&node.check);
    const auto most = length != nullptr ? refused_above(length->comparison) : std::nullopt;
    if (!most) continue;
    for_each_content(builder, [&](const Content& content, const Node& other) {
      if (other.list != node.list || content.is_negated || content.bytes.size() <= *most) return;
      builder.report().error(place(other), "size-conflict",
                             "the content has {} bytes, but urilen allows {}; change one of them",
                             content.bytes.size(), *most);
    });
  }
}

/// Mails go to the server, and so do their attachments. Source: Suricata, DetectFiledataSetup.
void check_file_direction(Builder& builder) {
  const bool is_to_client = builder.facts().to_client && !builder.facts().to_server;
  if (builder.rule().header.app_protocol != AppProtocol::smtp || !is_to_client) return;
  for (size_t i = 1; i < builder.lists().size(); ++i) {
    if (builder.lists()[i].field != Field::file_data) continue;
    builder.report().error(builder.lists()[i].position, "direction-conflict",
                           "files of smtp go to the server, but the rule is to_client; change one "
                           "of them");
  }
}

void check_sizes(Builder& builder) {
  for (const Node& node : builder.nodes()) {
    const auto* const size = std::get_if<BufferSize>(&node.check);
    const auto most = size != nullptr ? refused_above(size->comparison) : std::nullopt;
    if (!most) continue;
    const uint64_t needed = required_bytes(builder, node.list);
    if (needed > *most) {
      builder.report().error(place(node), "size-conflict",
                             "the contents need {} bytes, but bsize allows {}; change one of them",
                             needed, *most);
    }
  }
  for (const PacketCheck& check : builder.rule().packet_checks) {
    const auto* const number = std::get_if<HeaderNumber>(&check);
    if (number == nullptr || number->what != HeaderNumber::What::payload_bytes) continue;
    const auto most = refused_above(number->comparison);
    const uint64_t needed = required_bytes(builder, Builder::payload_list);
    if (most && needed > *most) {
      builder.report().error(builder.rule().position, "size-conflict",
                             "the contents need {} bytes, but dsize allows {}; change one of them",
                             needed, *most);
    }
  }
}

/// A buffer that must be absent has nothing to look into.
void check_absent(Builder& builder) {
  auto& lists = builder.lists();
  for (const Node& node : builder.nodes()) {
    const auto* const absent = std::get_if<Absent>(&node.check);
    if (absent == nullptr) continue;
    const uint32_t others = lists[node.list].checks - 1;
    const Node* const begin = builder.nodes().data();
    const bool is_first =
        std::none_of(begin, &node, [&](const Node& earlier) { return earlier.list == node.list; });
    if (!is_first || absent->or_else != (others != 0)) {
      builder.report().error(place(node), "absent",
                             "'absent' stands alone in its buffer, 'absent:or_else' before other "
                             "checks of it; write it so");
    }
  }
}

void check_buffers_are_used(Builder& builder) {
  if (builder.has_pending_transforms()) {
    builder.report().error(builder.lists().back().position, "transform",
                           "nothing looks at the transformed buffer; add a content or remove the "
                           "transform");
    return;
  }
  for (size_t i = 1; i < builder.lists().size(); ++i) {
    const Builder::List& list = builder.lists()[i];
    if (list.checks != 0 || list.field == Field::base64_data) continue;
    builder.report().error(list.position, "buffer-empty",
                           "nothing looks into {}; add a content or remove it",
                           to_text(list.field));
  }
}

}  // namespace

uint64_t required_bytes(const Builder& builder, size_t list) {
  int64_t cursor = 0;
  int64_t needed = 0;
  const auto literal = [](const std::optional<Operand>& operand) {
    return operand && operand->variable < 0 ? operand->literal : 0;
  };
  for (const Builder::Node& node : builder.nodes()) {
    const auto* const content = std::get_if<Content>(&node.check);
    if (content == nullptr || node.list != list || content->is_negated) continue;
    const int64_t start =
        content->is_relative ? cursor + literal(content->distance) : literal(content->offset);
    cursor = std::max<int64_t>(start, 0) + static_cast<int64_t>(content->bytes.size());
    needed = std::max(needed, cursor);
  }
  return static_cast<uint64_t>(needed);
}

void validate(Builder& builder) {
  check_fast_patterns(builder);
  check_host_case(builder);
  settle_forms(builder);
  check_methods(builder);
  check_sizes(builder);
  check_uri_lengths(builder);
  check_file_direction(builder);
  check_absent(builder);
  check_buffers_are_used(builder);
}

}  // namespace shrike::rule
