#!/usr/bin/env python3
"""The tidy checks themselves: each planted fault is found, and nothing else."""
import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import floors  # noqa: E402
import text  # noqa: E402


class Floors(unittest.TestCase):
    def faults(self, path, source):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            file = root / path
            file.parent.mkdir(parents=True)
            (file.parent / "near.h").write_text("#pragma once\n")
            file.write_text(source)
            return [fault for _, fault in floors.faults_of(root, file.relative_to(root))]

    def test_allows_what_lies_below_and_what_is_ones_own(self):
        source = ('#include <vector>\n#include "near.h"\n#include "shrike/flow.h"\n'
                  '#include "shrike/model/stream.h"\n#include "shrike/base/ring.h"\n')
        self.assertEqual(self.faults("src/flow/x.cpp", source), [])
        self.assertEqual(self.faults("src/capture/x.cpp", "#include <rte_mbuf.h>\n"), [])
        self.assertEqual(self.faults("src/app/x.cpp", '#include "shrike/worker.h"\n'), [])
        self.assertEqual(self.faults("src/rule/x.cpp", "#include <hs/hs_compile.h>\n"), [])

    def test_finds_each_planted_fault(self):
        planted = {
            "src/flow/x.cpp": ('#include "shrike/decode.h"', "may not know decode"),
            "src/flow/y.cpp": ('#include "../near.h"', "private headers"),
            "src/flow/z.cpp": ('#include "decode/tunnel.h"', "private headers"),
            "src/flow/w.cpp": ('#include "missing.h"', "is not in src/flow"),
            "src/detect/x.cpp": ("#include <hs/hs_compile.h>", "only rule"),
            "src/rule/x.cpp": ("#include <hs/hs_runtime.h>", "only detect"),
            "src/output/x.cpp": ("#include <rte_ring.h>", "only capture"),
            "include/shrike/model/x.h": ('#include "shrike/flow.h"', "may not know flow"),
            "include/shrike/worker.h": ('#include <shrike/control.h>', "may not know control"),
            "src/base/x.cpp": ("#include <gtest/gtest.h>", "no place"),
            "src/new/x.cpp": ("#include <vector>", "no floor"),
        }
        for path, (line, expected) in planted.items():
            with self.subTest(path):
                faults = self.faults(path, line + "\n")
                self.assertEqual(len(faults), 1)
                self.assertIn(expected, faults[0])


class Text(unittest.TestCase):
    def faults(self, path, source):
        return [fault for _, fault in text.faults_of(path, source)]

    def test_is_silent_on_a_clean_file(self):
        self.assertEqual(self.faults("src/a.h", "#pragma once\nint x;\n" + "\n" * 798), [])
        self.assertEqual(self.faults("src/a.cpp", "// " + "x" * 97 + "\n"), [])
        self.assertEqual(self.faults("a.py", "# TO" + "DO after issue 7\n"), [])

    def test_finds_each_planted_fault(self):
        planted = [
            ("src/a.cpp", "\n" * 801, "801 lines"),
            ("src/a.cpp", "x" * 101 + "\n", "101 columns"),
            ("src/a.cpp", "int x; \n", "blanks at the end"),
            ("src/a.cpp", "\tint x;\n", "a tab"),
            ("src/a.cpp", "// TO" + "DO later\n", "unfinished"),
            ("src/a.h", "int x;\n", "#pragma once"),
            ("src/a.cpp", "int x;", "does not end"),
            ("include/shrike/model/limits.h", "#pragma once\nconstexpr int a = 1;\n", "reason"),
        ]
        for path, source, expected in planted:
            with self.subTest(expected):
                faults = self.faults(path, source)
                self.assertEqual(len(faults), 1)
                self.assertIn(expected, faults[0])

    def test_counts_characters_not_bytes(self):
        self.assertEqual(self.faults("src/a.cpp", "// " + "é" * 97 + "\n"), [])


if __name__ == "__main__":
    unittest.main()
