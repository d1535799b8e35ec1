#include "backend/transform_steps.h"

#include <algorithm>

#include "backend/program.h"

namespace shrike::rule {

namespace {

TransformStep::Kind kind_of(Transform::Kind kind) noexcept {
  using From = Transform::Kind;
  using To = TransformStep::Kind;
  switch (kind) {
    case From::dotprefix:
      return To::dotprefix;
    case From::domain:
      return To::domain;
    case From::tld:
      return To::tld;
    case From::strip_whitespace:
      return To::strip_whitespace;
    case From::compress_whitespace:
      return To::compress_whitespace;
    case From::to_lowercase:
      return To::to_lowercase;
    case From::to_uppercase:
      return To::to_uppercase;
    case From::to_md5:
      return To::to_md5;
    case From::to_sha1:
      return To::to_sha1;
    case From::to_sha256:
      return To::to_sha256;
    case From::pcrexform:
      return To::pcrexform;
    case From::url_decode:
      return To::url_decode;
    case From::xor_key:
      return To::xor_key;
    case From::header_lowercase:
      return To::header_lowercase;
    case From::strip_pseudo_headers:
      return To::strip_pseudo_headers;
    case From::from_base64:
      return To::from_base64;
    case From::gunzip:
      return To::gunzip;
    case From::zlib_deflate:
    case From::luaxform:
      return To::zlib_deflate;
  }
  return To::dotprefix;
}

}  // namespace

TransformStep step_of(const Transform& transform) {
  TransformStep step{};
  step.kind = kind_of(transform.kind);
  if (transform.kind == Transform::Kind::xor_key) {
    step.key.assign(transform.argument.begin(), transform.argument.end());
  }
  step.bytes = transform.bytes;
  step.offset = transform.offset;
  step.mode = transform.mode;
  return step;
}

uint32_t ProgramBuilder::known_transforms(const std::vector<Transform>& transforms) const {
  const auto at = std::find(transforms_.begin(), transforms_.end(), transforms);
  return static_cast<uint32_t>(at - transforms_.begin());
}

uint32_t ProgramBuilder::transforms_of(const std::vector<Transform>& transforms) {
  const uint32_t known = known_transforms(transforms);
  if (known != transforms_.size()) {
    return known;
  }
  std::vector<TransformStep> steps;
  for (const Transform& transform : transforms) {
    steps.push_back(step_of(transform));
    if (transform.kind == Transform::Kind::pcrexform) {
      steps.back().pcre = static_cast<uint32_t>(pcres_.size());
      pcres_.push_back({transform.argument, 0, {}});
    }
  }
  transforms_.push_back(transforms);
  tables_.transform_lists.push_back(std::move(steps));
  return known;
}

}  // namespace shrike::rule
