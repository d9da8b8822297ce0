#!/usr/bin/env python3
"""How many instructions the hot paths take, counted by callgrind: a guard that a busy machine does not disturb.

usage: check_instructions.py HOT_PATHS [--record]

Compares with instructions.json, which --record writes: one that differs by more than 3 percent fails, in either
direction, so that the file tells what is so.
"""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

KNOWN = Path(__file__).with_name("instructions.json")
TIMES = 2000
TOLERANCE = 0.03


def count(program, name):
    with tempfile.TemporaryDirectory() as folder:
        command = ["valgrind", "--tool=callgrind", "--collect-atstart=no", "--toggle-collect=hot_path",
                   f"--callgrind-out-file={folder}/out", program, name, str(TIMES)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    found = re.search(r"Collected : (\d+)", done.stderr)
    if done.returncode != 0 or not found:
        sys.exit(f"check_instructions: {name}: {done.stderr}")
    return int(found.group(1)) / TIMES


def main():
    program = sys.argv[1]
    names = subprocess.run([program], capture_output=True, text=True, check=True).stdout.split()
    counted = {name: round(count(program, name)) for name in names}
    if sys.argv[2:] == ["--record"]:
        KNOWN.write_text(json.dumps(counted, indent=2) + "\n", encoding="utf-8")
        print(KNOWN.read_text(encoding="utf-8"), end="")
        return 0
    known = json.loads(KNOWN.read_text(encoding="utf-8"))
    differ = []
    for name in sorted(known.keys() | counted.keys()):
        before, now = known.get(name, 0), counted.get(name, 0)
        change = (now - before) / before if before else float("inf")
        print(f"{name:28} {before:10} {now:10} {100 * change:+7.1f} %")
        if abs(change) > TOLERANCE:
            differ.append(name)
    if differ:
        print(f"check_instructions: more than {100 * TOLERANCE:.0f} percent off: {', '.join(differ)}; "
              "where that is meant: ./dev bench --record", file=sys.stderr)
    return 1 if differ else 0


sys.exit(main())
