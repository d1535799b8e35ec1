#include "command_line.h"

#include <gtest/gtest.h>

namespace shrike::app {
namespace {

using Words = std::vector<std::string>;

CommandLine parse(const Words& words, Diagnostics& diagnostics) {
  return parse_command_line(words, diagnostics);
}

CommandLine parse_well(const Words& words) {
  Diagnostics diagnostics;
  CommandLine line = parse(words, diagnostics);
  EXPECT_EQ(diagnostics.text(), "");
  return line;
}

TEST(CommandLine, ReadsSuricatasFlags) {
  const CommandLine line = parse_well({"-r",
                                       "a.pcap",
                                       "-S",
                                       "x.rules",
                                       "-S",
                                       "y/*.rules",
                                       "-s",
                                       "z.rules",
                                       "-l",
                                       "out",
                                       "-c",
                                       "suricata.yaml",
                                       "--set",
                                       "stream.midstream=yes",
                                       "-k",
                                       "none",
                                       "-v",
                                       "-v",
                                       "--set",
                                       "action-order.0=alert",
                                       "--init-errors-fatal",
                                       "--simulate-ips",
                                       "-T"});
  EXPECT_EQ(line.command, CommandLine::Command::run);
  EXPECT_EQ(line.captures, Words{"a.pcap"});
  EXPECT_EQ(line.only_rules, (Words{"x.rules", "y/*.rules"}));
  EXPECT_EQ(line.extra_rules, Words{"z.rules"});
  EXPECT_EQ(line.config_file, "suricata.yaml");
  EXPECT_EQ(line.sets,
            (Words{"stream.midstream=yes", "action-order.0=alert", "pcap-file.checksum-checks=no",
                   "simulate-ips=yes", "default-log-dir=out"}));
  EXPECT_EQ(line.verbosity, 2U);
  EXPECT_TRUE(line.init_errors_fatal);
  EXPECT_TRUE(line.test_only);
}

TEST(CommandLine, TurnsOwnOptionsIntoSettings) {
  const CommandLine line = parse_well({"-r", "-", "-j", "4", "--batch", "7", "--cache-dir", "/c",
                                       "--no-cache", "-k", "all", "--per-file", "--recursive"});
  EXPECT_EQ(line.captures, Words{"-"});
  EXPECT_EQ(line.sets,
            (Words{"shrike.workers=4", "shrike.batch-packets=7", "pcap-file.checksum-checks=yes",
                   "shrike.cache-directory=/c", "shrike.cache=no"}));
  EXPECT_TRUE(line.per_file);
  EXPECT_TRUE(line.recursive);
}

TEST(CommandLine, ProfilesRulesInEveryBatch) {
  const CommandLine line =
      parse_well({"-r", "a.pcap", "--profile-rules", "-", "--json", "--set", "x=y"});
  EXPECT_EQ(line.profile_file, "-");
  EXPECT_TRUE(line.profile_is_json);
  EXPECT_EQ(line.sets, (Words{"x=y", "shrike.profiling.sample-batches=1"}));
}

struct FilterCase {
  Words words;
  Words captures;
  const char* filter;
};

TEST(CommandLine, TellsCapturesFromAFilter) {
  const FilterCase cases[] = {
      {{"-r", "a.pcap", "-S", "x.rules", "tcp", "port", "80"}, {"a.pcap"}, "tcp port 80"},
      {{"-r", "a.pcap", "tcp", "port", "80"}, {"a.pcap"}, "tcp port 80"},
      {{"-r", "a.pcap", "b.pcapng", "c.pcap.gz", "-l", "out", "udp"},
       {"a.pcap", "b.pcapng", "c.pcap.gz"},
       "udp"},
      {{"-r", "a.pcap", "-r", "b.cap"}, {"a.pcap", "b.cap"}, ""},
      {{"-r", "odd-name", "not tcp"}, {"odd-name"}, "not tcp"},
  };
  for (const FilterCase& test : cases) {
    SCOPED_TRACE(testing::PrintToString(test.words));
    const CommandLine line = parse_well(test.words);
    EXPECT_EQ(line.captures, test.captures);
    EXPECT_EQ(line.filter, test.filter);
  }
}

struct FaultCase {
  Words words;
  const char* errors;
};

TEST(CommandLine, SaysEveryMistakeAtOnce) {
  const FaultCase cases[] = {
      {{"-r", "a", "--foo", "--per-files", "-k", "some", "-j", "0", "--batch", "65"},
       "command line: error[unknown-option]: '--foo' is no option; see shrike --help\n"
       "command line: error[unknown-option]: '--per-files' is no option; did you mean "
       "--per-file?\n"
       "command line: error[range]: '0' is not a value of -j; write 1 to 128\n"
       "command line: error[range]: '65' is not a value of --batch; write 1 to 64\n"
       "command line: error[checksums]: 'some' is not a value of -k; write none or all"},
      {{},
       "command line: error[captures]: there is nothing to read; write shrike -r CAPTURE -S RULES "
       "-l DIR, or live: shrike -i PORT -S RULES -l DIR, or shrike -c FILE with ports in it"},
      {{"-r", "a.pcap", "-S", "x.rules", "y.rules"},
       "command line: error[filter]: 'y.rules' stands where a filter is; write -S before each file "
       "of rules, or one pattern in quotes"},
      {{"-r", "a.pcap", "-F", "f.bpf", "tcp"},
       "command line: error[filter]: there are two filters, -F f.bpf and 'tcp'; give one"},
      {{"-i", "eth0", "--profile-rules", "x"},
       "command line: error[profile]: --profile-rules is for captures; live, write shrike top, or "
       "ask for rule-costs at the control socket"},
      {{"-r", "a.pcap", "--json"},
       "command line: error[profile]: --json is for --profile-rules; write both"},
      {{"rules"},
       "command line: error[command]: '' is no command; write shrike rules check, dump or "
       "list-keywords"},
      {{"rules", "check"},
       "command line: error[rules]: there are no rules; write shrike rules check FILES…"},
      {{"rules", "dump", "--stage", "cst", "--sid", "x", "a.rules"},
       "command line: error[stage]: 'cst' is no stage; write tokens, ast, ir, program or groups\n"
       "command line: error[sid]: 'x' is not a sid; write a number"},
  };
  for (const FaultCase& test : cases) {
    SCOPED_TRACE(testing::PrintToString(test.words));
    Diagnostics diagnostics;
    parse(test.words, diagnostics);
    EXPECT_EQ(diagnostics.text(), test.errors);
  }
}

TEST(CommandLine, ReadsSubCommands) {
  EXPECT_EQ(parse_well({"version"}).command, CommandLine::Command::version);
  EXPECT_EQ(parse_well({"-V"}).command, CommandLine::Command::version);
  EXPECT_EQ(parse_well({"rules", "list-keywords"}).command, CommandLine::Command::list_keywords);
  const CommandLine check = parse_well({"rules", "check", "a.rules", "b.rules", "-c", "x.yaml"});
  EXPECT_EQ(check.command, CommandLine::Command::check_rules);
  EXPECT_EQ(check.only_rules, (Words{"a.rules", "b.rules"}));
  const CommandLine dump =
      parse_well({"rules", "dump", "--stage", "program", "--sid", "2100498", "a.rules"});
  EXPECT_EQ(dump.command, CommandLine::Command::dump_rules);
  EXPECT_EQ(dump.stage, rule::Stage::program);
  EXPECT_EQ(dump.sid, 2100498U);
}

TEST(CommandLine, HelpTeachesWithExamples) {
  const CommandLine line = parse_well({"--help"});
  EXPECT_EQ(line.command, CommandLine::Command::help);
  for (const char* part : {"shrike -r capture.pcap -S my.rules", "--init-errors-fatal",
                           "shrike rules check", "Exit status"}) {
    EXPECT_NE(line.help.find(part), std::string::npos) << part;
  }
  EXPECT_NE(parse_well({"rules", "--help"}).help.find("rules dump"), std::string::npos);
}

}  // namespace
}  // namespace shrike::app
