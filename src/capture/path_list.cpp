#include "path_list.h"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "capture_reader.h"

namespace shrike::capture {

namespace {

namespace fs = std::filesystem;

/// What a directory holds besides captures.
struct Leftovers {
  std::vector<std::string> files;  ///< no captures
  size_t folders = 0;              ///< not entered
};

void add_named_file(const std::string& path, std::vector<std::string>& captures,
                    Diagnostics& diagnostics) {
  std::error_code fault;
  if (path != "-" && fs::is_regular_file(path, fault)) {
    CaptureReader reader(path);
    if (reader.begin() != Outcome::record) {
      diagnostics.error({.file = path}, reader.fault().code, "{}", reader.fault().what);
      return;
    }
  }
  captures.push_back(path);
}

/// All regular files below a directory, by name; with `recursive` by their whole path.
std::vector<std::string> files_below(const std::string& path, bool recursive, Leftovers& leftovers,
                                     std::error_code& fault) {
  std::vector<std::string> files;
  for (fs::recursive_directory_iterator at(path, fault), end; !fault && at != end;
       at.increment(fault)) {
    std::error_code ignored;  // a dangling link is neither a folder nor a file
    if (at->is_directory(ignored)) {
      leftovers.folders += recursive ? 0 : 1;
      if (!recursive) {
        at.disable_recursion_pending();
      }
    } else if (at->is_regular_file(ignored)) {
      files.push_back(at->path().string());
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::string first_names(const std::vector<std::string>& paths) {
  constexpr size_t names_max = 5;
  std::string text;
  for (size_t index = 0; index < std::min(paths.size(), names_max); ++index) {
    text += (index == 0 ? "" : ", ") + fs::path(paths[index]).filename().string();
  }
  return paths.size() > names_max ? fmt::format("{} and {} more", text, paths.size() - names_max)
                                  : text;
}

void add_directory(const std::string& path, bool recursive, std::vector<std::string>& captures,
                   Diagnostics& diagnostics) {
  Leftovers leftovers;
  std::error_code fault;
  size_t found = 0;
  for (const std::string& file : files_below(path, recursive, leftovers, fault)) {
    CaptureReader reader(file);
    if (reader.begin() == Outcome::record) {
      captures.push_back(file);
      ++found;
    } else if (reader.fault().code == "capture-format") {
      leftovers.files.push_back(file);
    } else {
      diagnostics.error({.file = file}, reader.fault().code, "{}", reader.fault().what);
    }
  }
  if (fault) {
    diagnostics.error({.file = path}, "capture-read", "cannot be listed: {}", fault.message());
    return;
  }
  if (!leftovers.files.empty()) {
    diagnostics.note({.file = path}, "capture-skipped", "{} file{} no capture: {}",
                     leftovers.files.size(), leftovers.files.size() == 1 ? " is" : "s are",
                     first_names(leftovers.files));
  }
  if (leftovers.folders != 0) {
    diagnostics.note({.file = path}, "capture-folders", "{} folder{} not entered",
                     leftovers.folders, leftovers.folders == 1 ? " was" : "s were");
  }
  if (found == 0) {
    diagnostics.error({.file = path}, "capture-none", "the folder holds no capture");
  }
}

}  // namespace

std::optional<std::vector<std::string>> list_captures(const FileSourceOptions& options,
                                                      Diagnostics& diagnostics) {
  std::vector<std::string> captures;
  const size_t errors_before = diagnostics.errors();
  if (options.paths.empty()) {
    diagnostics.error({}, "capture-none", "no capture is named");
  }
  for (const std::string& path : options.paths) {
    std::error_code fault;
    const fs::file_status status = fs::status(path, fault);
    if (path != "-" && status.type() == fs::file_type::not_found) {
      diagnostics.error({.file = path}, "capture-missing", "there is no such file or folder");
    } else if (path != "-" && fs::is_directory(status)) {
      add_directory(path, options.recursive, captures, diagnostics);
    } else {
      add_named_file(path, captures, diagnostics);
    }
  }
  if (diagnostics.errors() != errors_before) {
    return std::nullopt;
  }
  return captures;
}

}  // namespace shrike::capture
