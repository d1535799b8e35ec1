#!/usr/bin/env python3
"""Fails where an #include climbs a floor, crosses between engines or opens a private header.

usage: floors.py ROOT

A file of module M may include its own module's headers, "shrike/..." headers of modules on lower
floors, and foreign headers that M owns. src/README.md has the picture.
"""
import pathlib
import re
import sys

FLOORS = [
    {"base"},
    {"model"},
    {"capture", "decode", "flow", "protocol", "rule", "detect", "output", "craft"},
    {"worker"},
    {"control"},
    {"app"},
]
# Front doors of libraries that share a folder: include/shrike/NAME.h opens src/FOLDER/NAME*.
DOORS = {
    "doctor": "control",
    "top": "control",
}
FLOOR_OF = {module: floor for floor, modules in enumerate(FLOORS) for module in modules}

# Foreign headers that only some modules may see, by how their path begins. What is not listed
# here (the C++ library, POSIX, fmt) is free for all.
OWNERS = {
    "rte_": {"capture"},
    "pcap": {"capture"},
    "zlib.h": {"capture", "detect", "protocol"},
    "brotli/": {"protocol"},
    "zstd.h": {"capture"},
    "hs/hs_compile.h": {"rule"},
    "hs_compile.h": {"rule"},
    "hs/hs_runtime.h": {"detect"},
    "hs_runtime.h": {"detect"},
    "hs/hs.h": set(),
    "hs.h": set(),
    "pcre2.h": {"rule", "detect"},
    "openssl/": {"protocol"},
    "nettle/": {"base"},
    "nghttp2/": {"protocol"},
    "magic.h": {"protocol"},
    "libpsl.h": {"detect"},
    "maxminddb.h": {"rule"},
    "yaml-cpp/": {"app"},
    "CLI/": {"app"},
    "nlohmann/": {"control"},
    "cap-ng.h": {"control"},
    "prometheus/": {"control"},
    "sqlite3.h": {"output"},
    "librdkafka/": {"output"},
    "gtest/": set(),
    "benchmark/": set(),
}
INCLUDE = re.compile(r'\s*#\s*include\s*([<"])([^>"]+)[>"]')


def module_of(path):
    """src/flow/x.cpp, include/shrike/flow.h and the header shrike/flow.h are all of "flow"."""
    parts = re.sub(r"^(src|include/shrike|shrike)/", "", path).split("/")
    name = parts[0].removesuffix(".h").removesuffix(".cpp")
    return DOORS.get(name, name)


def foreign_fault(module, header):
    """What is wrong with a foreign header, or nothing. The longest prefix in OWNERS decides."""
    prefixes = [prefix for prefix in OWNERS if header.startswith(prefix)]
    if not prefixes:
        return None
    owners = OWNERS[max(prefixes, key=len)]
    if module in owners:
        return None
    if not owners:
        return f"<{header}> has no place in the sensor"
    return f"only {' and '.join(sorted(owners))} may include <{header}>"


def own_fault(root, path, module, header):
    """What is wrong with a header of the project, or nothing."""
    if header.startswith("shrike/"):
        there = module_of(header)
        if there not in FLOOR_OF:
            return f"there is no module {there}"
        if there == module or FLOOR_OF[there] < FLOOR_OF[module]:
            return None
        return (f"{module} (floor {FLOOR_OF[module]}) may not know {there} "
                f"(floor {FLOOR_OF[there]})")
    if header.split("/")[0] in FLOOR_OF or ".." in header.split("/"):
        return "private headers stay in their folder"
    home = root / "src" / module
    if (root / path).parent.joinpath(header).exists() or (home / header).exists():
        return None
    return f'"{header}" is not in src/{module}'


def faults_of(root, path):
    """(line, fault) of every bad include of one file, `path` relative to `root`."""
    module = module_of(path.as_posix())
    if module not in FLOOR_OF:
        return [(1, f"there is no floor for {module}; add it to tests/tidy/floors.py")]
    faults = []
    for number, line in enumerate((root / path).read_text().splitlines(), 1):
        include = INCLUDE.match(line)
        if not include:
            continue
        quote, header = include.groups()
        ours = quote == '"' or header.startswith("shrike/")
        fault = own_fault(root, path, module, header) if ours else foreign_fault(module, header)
        if fault:
            faults.append((number, fault))
    return faults


def main():
    root = pathlib.Path(sys.argv[1])
    count = 0
    for top in ("src", "include"):
        for file in sorted((root / top).rglob("*")):
            if file.suffix not in (".h", ".cpp"):
                continue
            path = file.relative_to(root)
            for number, fault in faults_of(root, path):
                print(f"{path}:{number}:1: error[floors]: {fault}")
                count += 1
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main())
