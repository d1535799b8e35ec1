#!/usr/bin/env python3
"""Fails where a file of the project is too long, too wide, or leaves work lying about.

usage: text.py ROOT
"""
import pathlib
import re
import sys

FILE_LINES_MAX = 800
COLUMNS_MAX = 100
CODE = {".h", ".cpp", ".py", ".sh", ".build", ".txt", ".in", ".yaml"}
TOP_LEVEL = {"LICENSE", "README.md", "bench", "include", "meson.build", "meson_options.txt",
             "rules", "src", "tests", "tools"}
# Data that is what it is: inputs of fuzzers and golden tests.
DATA = re.compile(r"^tests/(fuzz/corpus|golden|scenarios)/")
# Spelt so that this file does not find itself.
UNFINISHED = re.compile(r"\b(TO[D]O|FIX[M]E|XX[X]|HA[C]K)\b")
ISSUE = re.compile(r"\bissue \d+")


def line_faults(number, line, suffix):
    if len(line) > COLUMNS_MAX:
        yield number, f"{len(line)} columns, {COLUMNS_MAX} at most"
    if line != line.rstrip():
        yield number, "blanks at the end of the line"
    if "\t" in line and suffix != ".tsv":
        yield number, "a tab; write blanks"
    if UNFINISHED.search(line) and not ISSUE.search(line):
        yield number, "unfinished work without an issue; write \"issue N\" beside it, or finish it"


def limits_faults(lines):
    """Every bound has a reason: a /// line before it or ///< behind it."""
    for number, line in enumerate(lines, 1):
        if "constexpr" not in line or "=" not in line:
            continue
        documented = "///" in line or (number > 1 and lines[number - 2].lstrip().startswith("///"))
        if not documented:
            yield number, "a limit without its reason; write /// before it"


def faults_of(path, text):
    """(line, fault) of one file; `path` is relative to the root, with slashes."""
    suffix = pathlib.PurePath(path).suffix
    lines = text.split("\n")
    if lines and lines[-1] == "":
        lines.pop()
    else:
        yield len(lines), "the last line does not end"
    if len(lines) > FILE_LINES_MAX:
        yield len(lines), f"{len(lines)} lines, {FILE_LINES_MAX} at most; cut the file"
    if suffix == ".h" and "#pragma once" not in text:
        yield 1, "a header without #pragma once"
    if path == "include/shrike/model/limits.h":
        yield from limits_faults(lines)
    for number, line in enumerate(lines, 1):
        yield from line_faults(number, line, suffix)


def is_ours(path):
    parts = path.split("/")
    return not any(part.startswith((".", "build")) and part != "." for part in parts[:-1])


def main():
    root = pathlib.Path(sys.argv[1])
    count = 0
    for entry in sorted(root.iterdir()):
        if entry.name not in TOP_LEVEL and not entry.name.startswith((".", "build")):
            print(f"{entry.name}: error[tidy]: does not belong at the top level")
            count += 1
    for top in sorted(TOP_LEVEL):
        for file in sorted((root / top).rglob("*")) if (root / top).is_dir() else [root / top]:
            path = file.relative_to(root).as_posix()
            is_code = file.suffix in CODE or file.name == "meson.build"
            if not is_code or DATA.match(path) or not is_ours(path) or not file.is_file():
                continue
            for number, fault in faults_of(path, file.read_text()):
                print(f"{path}:{number}:1: error[tidy]: {fault}")
                count += 1
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main())
