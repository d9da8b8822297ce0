"""Tells how much of each layer tests reach, from what gcovr counted.

usage: report.py GCOVR.json EXPLAINED.txt

Prints a table by layer, then each line of the layers below that no test reached and that EXPLAINED.txt does not
explain; where there is one, the end is 1. A line of EXPLAINED.txt is "FILE: TEXT OF THE LINE ## WHY"; one that explains
nothing any more is told, too.
"""

import collections
import glob
import json
import re
import sys

WHOLE = ("engine", "store", "text")  # of which every line is reached, or explained
INTERNAL = re.compile(r"^libvipauth/src/([^/]+)/")
# Where a scope ends, what is counted is what an exception would do there.
BRACKETS = re.compile(r"^[\])};,]*$")
# Where a function gets a lambda, gcov counts the cleanup of the call alone.
LAMBDA = re.compile(r"\[[^\[\]]*\](\(.*\).*)?\{$")
PUBLIC = re.compile(r"^libvipauth/include/vipauth/(.+)\.hpp$")


def layer_of(name):
    """A public header belongs to the layer of the source of its name; one without a source counts as "headers"."""
    internal = INTERNAL.match(name)
    if internal:
        return internal.group(1)
    public = PUBLIC.match(name)
    if public:
        sources = glob.glob(f"libvipauth/src/*/{public.group(1)}.cpp")
        return INTERNAL.match(sources[0]).group(1) if sources else "headers"
    return name.split("/")[0]


def is_lambda_that_ran(text, following):
    """Whether a line begins a lambda of which the next line ran, so that it ran, too."""
    return bool(LAMBDA.search(text)) and following is not None and following["count"] > 0


def read_explained(path):
    out = collections.Counter()
    with open(path, encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            line = line.strip()
            if not line or line.startswith("#"):
                continue
            what, mark, why = line.partition(" ## ")
            if not mark or not why.strip():
                sys.exit(f"{path}:{number}: say why, after ' ## '")
            file, _, text = what.partition(": ")
            out[file, text.strip()] += 1
    return out


def main(counts, explained_path):
    with open(counts, encoding="utf-8") as file:
        files = json.load(file)["files"]
    explained = read_explained(explained_path)
    used = set()
    by_layer = collections.defaultdict(lambda: [0, 0, 0])
    missing = []
    for entry in files:
        name = entry["file"]
        key = layer_of(name)
        with open(name, encoding="utf-8") as source:
            texts = source.read().splitlines()
        lines = [line for line in entry["lines"] if not line.get("gcovr/noncode")]
        for line, following in zip(lines, lines[1:] + [None]):
            text = texts[line["line_number"] - 1].strip()
            if BRACKETS.match(text):
                continue
            row = by_layer[key]
            row[0] += 1
            if line["count"] > 0 or is_lambda_that_ran(text, following):
                row[1] += 1
                continue
            if (name, text) in explained:
                row[2] += 1
                used.add((name, text))
            elif key in WHOLE:
                missing.append(f"{name}:{line['line_number']}: {text}")
    print("| layer | lines | reached | explained |\n| --- | ---: | ---: | ---: |")
    for key in sorted(by_layer):
        lines, reached, reasons = by_layer[key]
        print(f"| {key} | {lines:,} | {100 * reached / lines:.1f} % | {reasons} |")
    for line in missing:
        print(f"no test reaches {line}")
    for file, text in sorted(set(explained) - used):
        print(f"reached, or gone: {file}: {text}")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
