#include "config.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace shrike::app {
namespace {

std::string text_at(const Config& config, std::string_view path) {
  const ConfigNode* const node = config.root().find(path);
  return node == nullptr ? "(none)" : node->text;
}

/// A folder that goes away with the test.
class Folder {
 public:
  Folder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "shrike-XXXXXX").string();
    path_ = mkdtemp(pattern.data());
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  std::string write(const std::string& name, const std::string& text) const {
    const std::filesystem::path path = path_ / name;
    std::ofstream(path) << text;
    return path.string();
  }

 private:
  std::filesystem::path path_;
};

TEST(Config, KeepsThePlaceOfEveryValue) {
  Diagnostics diagnostics;
  Config config;
  config.load_text("a.yaml", "stream:\n  midstream: yes\n  reassembly:\n    depth: 2mb\n",
                   diagnostics);
  EXPECT_EQ(diagnostics.text(), "");
  const ConfigNode* const depth = config.root().find("stream.reassembly.depth");
  ASSERT_NE(depth, nullptr);
  EXPECT_EQ(depth->text, "2mb");
  EXPECT_EQ(depth->file, "a.yaml");
  EXPECT_EQ(depth->line, 4U);
  EXPECT_EQ(depth->column, 12U);
}

TEST(Config, SetsValuesMapsAndListEntries) {
  Diagnostics diagnostics;
  Config config;
  config.load_text("a.yaml", "windows: [10.0.0.0/8, 10.1.0.0/16]\nstream: {inline: no}\n",
                   diagnostics);
  config.set("windows.0=0.0.0.0/0", diagnostics);
  config.set("windows.2=::1", diagnostics);
  config.set("stream.inline=auto", diagnostics);
  config.set("stream.reassembly.depth=0", diagnostics);
  config.set("action-order.0=alert", diagnostics);
  config.set("equals=a=b", diagnostics);
  EXPECT_EQ(diagnostics.text(), "");
  EXPECT_EQ(text_at(config, "windows.0"), "0.0.0.0/0");
  EXPECT_EQ(text_at(config, "windows.1"), "10.1.0.0/16");
  EXPECT_EQ(text_at(config, "windows.2"), "::1");
  EXPECT_EQ(text_at(config, "stream.inline"), "auto");
  EXPECT_EQ(text_at(config, "stream.reassembly.depth"), "0");
  EXPECT_EQ(text_at(config, "equals"), "a=b");
  EXPECT_EQ(config.root().find("action-order")->kind, ConfigNode::Kind::list);
}

TEST(Config, LaysAFileOverWhatItIncludes) {
  const Folder folder;
  folder.write("base.yaml", "stream: {midstream: no, inline: auto}\nvars: {a: 1}\n");
  const std::string top =
      folder.write("top.yaml", "%YAML 1.1\n---\nstream: {midstream: yes}\ninclude: base.yaml\n");
  Diagnostics diagnostics;
  Config config;
  config.load_file(top, diagnostics);
  EXPECT_EQ(diagnostics.text(), "");
  EXPECT_EQ(text_at(config, "stream.midstream"), "yes");
  EXPECT_EQ(text_at(config, "stream.inline"), "auto");
  EXPECT_EQ(text_at(config, "vars.a"), "1");
}

TEST(Config, EndsACircleOfIncludes) {
  const Folder folder;
  const std::string path = folder.write("a.yaml", "include: a.yaml\nx: 1\n");
  Diagnostics diagnostics;
  Config config;
  config.load_file(path, diagnostics);
  EXPECT_EQ(diagnostics.text(), path +
                                    ":1:10: error[include-depth]: files include each other more "
                                    "than 8 deep; is there a circle?");
  EXPECT_EQ(text_at(config, "x"), "1");
}

TEST(Config, BoundsWhatAliasesMultiply) {
  std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 8; ++i) {
    const std::string before = "*a" + std::to_string(i - 1);
    text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int k = 0; k < 10; ++k) {
      text += (k == 0 ? "" : ", ") + before;
    }
    text += "]\n";
  }
  Diagnostics diagnostics;
  Config config;
  config.load_text("bomb.yaml", text, diagnostics);
  ASSERT_EQ(diagnostics.errors(), 1U);
  EXPECT_EQ(diagnostics.all()[0].code, "config-size");
}

struct BrokenCase {
  const char* text;
  const char* error;
};

TEST(Config, SaysWhereAFileIsBroken) {
  const BrokenCase cases[] = {
      {"", ""},
      {"# nothing\n", ""},
      {"- a\n- b\n",
       "x.yaml:1:1: error[config-map]: a configuration is a map of keys; write for example "
       "\"stream:\""},
      {"a: [1, 2\nb: 3\n",
       "x.yaml:2:2: error[yaml]: end of sequence flow not found; this line is not YAML that can be "
       "understood"},
      {"a: *b\n",
       "x.yaml:1:4: error[yaml]: the referenced anchor is not defined; this line is not YAML "
       "that can be understood"},
  };
  for (const BrokenCase& test : cases) {
    SCOPED_TRACE(test.text);
    Diagnostics diagnostics;
    Config config;
    config.load_text("x.yaml", test.text, diagnostics);
    EXPECT_EQ(diagnostics.text(), test.error);
  }
}

TEST(Config, SaysWhatCannotBeReadOrSet) {
  Diagnostics diagnostics;
  Config config;
  config.load_file("/nowhere/x.yaml", diagnostics);
  config.load_file("/", diagnostics);
  config.set("stream.midstream", diagnostics);
  config.set("=1", diagnostics);
  EXPECT_EQ(diagnostics.text(),
            "error[file]: cannot read /nowhere/x.yaml: No such file or directory\n"
            "error[file]: / is a directory; name a file\n"
            "--set: error[set]: 'stream.midstream' sets nothing; write --set key.key=value\n"
            "--set: error[set]: '=1' sets nothing; write --set key.key=value");
}

TEST(Config, ListsWhatNobodyAskedFor) {
  Diagnostics diagnostics;
  Config config;
  config.load_text("x.yaml",
                   "stream: {midstream: yes, prealloc: 1}\napp-layer: {a: 1, b: 2}\n"
                   "outputs:\n  - eve-log: {types: [alert, dns]}\n  - lua: {a: 1}\n",
                   diagnostics);
  ASSERT_NE(config.root().find("stream.midstream"), nullptr);
  const ConfigNode* const eve = config.root().find("outputs")->entries[0].value.child("eve-log");
  eve->is_used = true;
  eve->find("types")->entries[0].value.is_used = true;
  std::vector<std::string> paths;
  for (const Config::Unused& unused : config.unused()) {
    paths.push_back(unused.path);
  }
  EXPECT_EQ(paths, (std::vector<std::string>{"stream.prealloc", "app-layer",
                                             "outputs.eve-log.types.dns", "outputs.lua"}));
}

}  // namespace
}  // namespace shrike::app
