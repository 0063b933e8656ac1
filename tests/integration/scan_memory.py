#!/usr/bin/env python3
"""Look for byte patterns in the memory of a process, or in a core of it.

    scan_memory.py PID|FILE NAME=HEX...

Prints "NAME COUNT" for each, and where, on standard error."""
import os
import re
import sys

CHUNK = 1 << 22
patterns = {}
for argument in sys.argv[2:]:
    name, _, text = argument.partition("=")
    patterns[name] = bytes.fromhex(text)
    if len(patterns[name]) < 8:
        sys.exit(f"{name} is too short to be told from chance")
longest = max(map(len, patterns.values()))
counts = dict.fromkeys(patterns, 0)


def look(data, begin, fresh, where):
    """Count what ends in the last, fresh bytes of data."""
    for name, pattern in patterns.items():
        at = data.find(pattern, max(0, len(data) - fresh - len(pattern) + 1))
        while at >= 0:
            counts[name] += 1
            print(f"{name} at {begin + at:x} in {where}", file=sys.stderr)
            at = data.find(pattern, at + 1)


def scan(file, begin, end, where):
    tail = b""
    at = begin
    while at < end:
        try:
            file.seek(at)
            data = file.read(min(CHUNK, end - at))
        except (OSError, ValueError):
            return  # a hole: the kernel's own pages, guard pages
        if not data:
            return
        look(tail + data, at - len(tail), len(data), where)
        tail = (tail + data)[-(longest - 1):]
        at += len(data)


def regions(pid):
    for line in open(f"/proc/{pid}/maps"):
        found = re.match(r"([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ \S+ *(.*)", line)
        begin, end, rights, where = found.groups()
        if "r" in rights and where not in ("[vvar]", "[vsyscall]", "[vvar_vclock]"):
            yield int(begin, 16), int(end, 16), where or "anonymous"


if sys.argv[1].isdigit():
    scanned = 0
    with open(f"/proc/{sys.argv[1]}/mem", "rb", buffering=0) as memory:
        for begin, end, where in regions(sys.argv[1]):
            scan(memory, begin, end, where)
            scanned += end - begin
    print(f"{scanned >> 20} MiB", file=sys.stderr)
else:
    with open(sys.argv[1], "rb", buffering=0) as core:
        scan(core, 0, os.path.getsize(sys.argv[1]), "core")
for name, count in counts.items():
    print(name, count)
