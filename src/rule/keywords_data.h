#pragma once
#include "keyword.h"

/// Keywords that look things up in files: sets of values, reputations. Their rows stand with the
/// other keywords.
namespace shrike::rule {

void parse_dataset(Builder& builder, const Keyword& keyword, const Argument& argument);
void parse_datarep(Builder& builder, const Keyword& keyword, const Argument& argument);
void parse_iprep(Builder& builder, const Keyword& keyword, const Argument& argument);

}  // namespace shrike::rule
