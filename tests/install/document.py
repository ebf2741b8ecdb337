"""docs/install.md as a list of blocks, each with the marker that says what the test does with it."""
import dataclasses
import re

from support import check, equal

MARKER = re.compile(r"<!-- (run|checked|not run): ([^;]+?)(?:; (.+?))? -->")
HOW = {"run": {"debian", "here"}, "checked": None, "not run": None}
OPTIONS = {"network", "password"}
SUMMARY = "What was run"


@dataclasses.dataclass
class Block:
    way: str  # the heading of the second level that it stands below
    part: str  # the nearest heading, of whatever level
    kind: str  # run, checked, not run
    how: str  # run: where; else why it cannot be run
    options: set
    line: int
    text: str

    def __str__(self):
        return f"line {self.line} ({self.part})"


def marker_of(previous, line):
    found = MARKER.fullmatch(previous)
    check(found, f"line {line}: the sh block has no marker before it, but {previous!r}")
    kind, how, options = found[1], found[2], set((found[3] or "").split(", ")) - {""}
    check(HOW[kind] is None or how in HOW[kind], f"line {line}: nothing is run as {how!r}")
    check(options <= OPTIONS, f"line {line}: unknown options {options - OPTIONS}")
    return kind, how, options


def blocks_of(text):
    blocks, way, part, lines = [], "", "", text.splitlines()
    fence = None
    for number, line in enumerate(lines, 1):
        if fence is None and (heading := re.match(r"(#+) (.+)", line)):
            part = heading[2]
            way = part if heading[1] == "##" else way
        elif fence is None and line.lstrip().startswith("```"):
            fence = number
        elif fence is not None and line.strip() == "```":
            opening = lines[fence - 1]
            check(opening in ("```sh", "```yaml", "```text"), f"line {fence}: a block that opens with {opening!r}")
            if opening == "```sh":
                kind, how, options = marker_of(lines[fence - 2], fence)
                blocks.append(Block(way, part, kind, how, options, fence, "\n".join(lines[fence : number - 1])))
            fence = None
    check(fence is None, "a block has no end")
    markers = sum(1 for line in lines if MARKER.fullmatch(line))
    equal(markers, len(blocks), "markers with a block behind them")
    return blocks


def summary_is_true(text, blocks):
    """The table at the end says of each way what is run, and what is not and why: row by row what the markers say."""
    _, found, summary = text.partition(f"\n## {SUMMARY}\n")
    check(found, f"no section {SUMMARY!r}")
    rows = [tuple(cell.strip() for cell in line.strip("|").split("|")) for line in summary.splitlines()
            if line.startswith("|")]
    wanted = list(dict.fromkeys((block.way, block.kind, block.how) for block in blocks))
    equal(rows[2:], wanted, f"table of {SUMMARY!r}")
