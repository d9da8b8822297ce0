"""Markdown pages, as far as the tests need them: their fenced blocks, headings and links."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Block:
    """A fenced block: ```LANGUAGE NAME=VALUE..., and the lines up to the closing fence."""

    page: Path
    line: int  # of the opening fence
    heading: str  # the nearest above it
    language: str
    attributes: dict[str, str]
    lines: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "".join(line + "\n" for line in self.lines)

    @property
    def place(self) -> str:
        return f"{self.page.name}:{self.line}"


@dataclass
class Page:
    blocks: list[Block]
    headings: list[str]
    prose: list[tuple[int, str]]  # (line number, text) outside of blocks


def read_page(path: Path) -> Page:
    page = Page([], [], [])
    heading = ""
    block = None
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        stripped = line.strip()
        if block is not None:
            if stripped == "```":
                page.blocks.append(block)
                block = None
            else:
                block.lines.append(line[indent:] if not line[:indent].strip() else line)
        elif stripped.startswith("```"):
            indent = len(line) - len(line.lstrip())
            language, *attributes = stripped[3:].split() or [""]
            block = Block(path, number, heading, language, dict(a.split("=", 1) for a in attributes))
        else:
            if line.startswith("#"):
                heading = line.lstrip("#").strip()
                page.headings.append(heading)
            page.prose.append((number, line))
    if block is not None:
        raise ValueError(f"{block.place}: a block without an end")
    return page


def anchor_of(heading: str) -> str:
    """The anchor that GitHub gives a heading."""
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
    return re.sub(r"[^\w\- ]", "", text).replace(" ", "-")


def region(path: Path, name: str) -> str:
    """What stands in a source file between the comments [name] and [/name], without their indentation."""
    lines = path.read_text(encoding="utf-8").splitlines()
    comment = r"\s*(?://|#|/\*)\s*\[(/?[\w-]+)\]\s*(?:\*/)?"
    marks = {found[1]: i for i, line in enumerate(lines) if (found := re.fullmatch(comment, line))}
    inside = lines[marks[name] + 1 : marks["/" + name]]
    inside = [line for line in inside if not re.fullmatch(comment, line)]
    indent = min(len(line) - len(line.lstrip()) for line in inside if line.strip())
    return "".join(line[indent:] + "\n" for line in inside)
