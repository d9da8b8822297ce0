#!/usr/bin/env python3
"""The programs in the pages are the ones that are built and run, and the links lead somewhere.

usage: check_pages.py ROOT

A block with of=FILE is that file, one with of=FILE#NAME that region of it, byte for byte. In the pages of WHOLE each
block of a programming language says of which file it is. A test that a page of CITING names, as `CLASS: WHAT IT DOES`,
exists.
"""

import re
import sys
from pathlib import Path

from pages import anchor_of, read_page, region

WHOLE = {"README.md", "docs/embedding.md"}
CITING = {"docs/threat_model.md"}
LANGUAGES = {"c", "cpp", "python"}

root = Path(sys.argv[1])
problems = []


def check_block(block, page_name):
    of = block.attributes.get("of")
    if of is None:
        if page_name in WHOLE and block.language in LANGUAGES:
            problems.append(f"{block.place}: {block.language} that no test builds: say of=FILE")
        return
    name, _, part = of.partition("#")
    try:
        expected = region(root / name, part) if part else (root / name).read_text(encoding="utf-8")
    except (KeyError, OSError, ValueError) as problem:
        problems.append(f"{block.place}: {of}: {problem!r}")
        return
    if block.text != expected:
        problems.append(f"{block.place}: differs from {of}")


def check_links(page, path):
    for number, line in page.prose:
        for target in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"`[^`]*`", "", line)):
            if re.match(r"[a-z]+:", target):
                continue
            name, _, anchor = target.partition("#")
            file = (path.parent / name).resolve() if name else path
            if not file.exists():
                problems.append(f"{path.name}:{number}: leads nowhere: {target}")
            elif anchor and file.suffix == ".md" and anchor not in map(anchor_of, read_page(file).headings):
                problems.append(f"{path.name}:{number}: no such heading: {target}")


def check_tests(path):
    sources = "".join(file.read_text(encoding="utf-8") for file in root.glob("tests/**/*.cpp"))
    text = re.sub(r"\s+", " ", re.sub(r"^```.*?^```", "", path.read_text(encoding="utf-8"), flags=re.M | re.S))
    cited = re.findall(r"`([A-Za-z_]+(?: [a-z]+)?: [^`]+)`", text)
    for name in cited:
        if f'"{name}"' not in sources:
            problems.append(f"{path.name}: no such test: {name}")
    if not cited:
        problems.append(f"{path.name}: names no test")


paths = sorted(path for path in [*root.glob("*.md"), *root.glob("docs/**/*.md")])
blocks = 0
for path in paths:
    page = read_page(path)
    for block in page.blocks:
        check_block(block, str(path.relative_to(root)))
        blocks += "of" in block.attributes
    check_links(page, path)
    if str(path.relative_to(root)) in CITING:
        check_tests(path)
if blocks < 4:
    problems.append(f"only {blocks} blocks are of a file: the pages have another form than this test")
print("\n".join(problems) or f"pages: {len(paths)} read, {blocks} blocks are of a file")
sys.exit(bool(problems))
