#!/usr/bin/env python3
"""Makes docs/performance.md of what the benchmarks wrote: a table of goals, and plots.

usage: report.py RESULTS PAGE OUTPUT COMMAND

RESULTS is a folder of JSON files, PAGE has blocks between `<!-- generated: NAME -->` and `<!-- end -->`, which are
replaced in OUTPUT; the plots go into the folder beside it that has its name. COMMAND is what was typed.
"""

import datetime
import json
import math
import os
import platform
import re
import statistics
import sys
from collections import defaultdict
from pathlib import Path

try:
    import matplotlib
except ModuleNotFoundError:
    print("report: no plots without python3-matplotlib", file=sys.stderr)
    sys.exit(77)

matplotlib.use("svg")
matplotlib.rcParams.update({
    "svg.hashsalt": "vipauth", "svg.fonttype": "none", "font.size": 9, "axes.grid": True, "grid.alpha": 0.3,
    "axes.spines.top": False, "axes.spines.right": False, "legend.frameon": False})
from matplotlib import pyplot  # noqa: E402

OURS = "#c0392b"
COLORS = {"ours": OURS, "session": "#e67e22", "absl": "#2c3e50", "by_hand": "#2c3e50", "rapidjson": "#2c3e50",
          "scan": "#95a5a6", "re2": "#7f8c8d", "re2_set": "#2980b9", "trivial": "#2c3e50",
          "czmq_any": "#16a085", "czmq_certs": "#16a085", "pyzmq_any": "#f1c40f", "pyzmq_certs": "#f1c40f"}
LABELS = {"ours": "vipauth", "session": "vipauth, by session", "absl": "map of Abseil", "by_hand": "written by hand",
          "rapidjson": "RapidJSON alone", "scan": "looking through all", "re2": "RE2, one by one", "re2_set": "RE2::Set",
          "trivial": "always yes", "none": "no ZAP handler", "czmq_any": "CZMQ, lets in all", "czmq_certs": "CZMQ",
          "pyzmq_any": "PyZMQ, lets in all", "pyzmq_certs": "PyZMQ"}


class Figure:
    """One thing measured: the median of its rounds, the quartiles, and their unit."""

    def __init__(self, median, low, high, unit, ratio=None):
        self.median, self.low, self.high, self.unit = median, low, high, unit
        self.ratio = ratio  # to the yardstick, where it was made round by round; more is better

    @classmethod
    def of(cls, values, unit):
        low, median, high = statistics.quantiles(values, n=4, method="inclusive") if values[1:] else values * 3
        return cls(median, low, high, unit)


class Figures:
    """All that was measured, by what, who and size."""

    def __init__(self, folder):
        self.figures = {}
        for path in sorted(folder.glob("*.json")):
            self._read(json.loads(path.read_text(encoding="utf-8")))

    def _read(self, document):
        rounds = defaultdict(list)
        for entry in document["benchmarks"]:
            if "median" in entry:
                self.figures[self._key(entry["name"])] = Figure(
                    entry["median"], entry["low"], entry["high"], entry["unit"], entry.get("ratio"))
            elif entry["run_type"] == "iteration":
                # What the machine does beside it disturbs the time of a processor less; threads need real time.
                is_threaded = "threads:" in entry["name"]
                rounds[self._key(entry["name"])].append(entry["real_time" if is_threaded else "cpu_time"])
        for key, values in rounds.items():
            self.figures[key] = Figure.of(values, "ns")

    @staticmethod
    def _key(name):
        name = re.sub(r"/min_time:[^/]*/real_time/threads:(\d+)$", r"/\1", name)
        what, who, size = name.split("/")
        return what, who, int(size)

    def get(self, what, who, size=None):
        """Of the largest size, unless told."""
        sizes = self.sizes(what, who)
        if not sizes or (size is not None and size not in sizes):
            return None
        return self.figures[what, who, sizes[-1] if size is None else size]

    def sizes(self, what, who):
        return sorted(size for w, p, size in self.figures if (w, p) == (what, who))

    def line(self, what, who):
        return [(size, self.figures[what, who, size]) for size in self.sizes(what, who)]


# ---- Text ----

def number(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def amount(value, unit):
    if unit == "ns" and value >= 1e6:
        return f"{value / 1e6:.3g} ms"
    if unit == "ns" and value >= 1000:
        return f"{value / 1000:.3g} us"
    if unit == "s" and value < 1:
        return f"{1000 * value:.3g} ms"
    return f"{number(value)} {unit}"


def shown(figure):
    if figure is None:
        return "-"
    spread = 100 * (figure.high - figure.low) / figure.median / 2 if figure.median else 0
    return f"{amount(figure.median, figure.unit)} ±{spread:.0f} %"


def row(goal, yardstick, ours, ratio, reached):
    mark = "-" if reached is None else "yes" if reached else "**no**"
    return f"| {goal} | {yardstick} | {ours} | {ratio} | {mark} |"


def by_ratio(figures, goal, yardstick, ours, bound, is_time=True, at_most=True):
    """A goal that is a ratio of two figures: of ours to theirs, or of their time to ours where it is to be large."""
    base, own = figures.get(*yardstick), figures.get(*ours)
    if base is None or own is None:
        return row(goal, shown(base), shown(own), "-", None)
    ratio = own.median / base.median
    if is_time and not at_most:
        ratio = 1 / ratio
    if not at_most and base.ratio == 1 and own.ratio:
        ratio = own.ratio
    return row(goal, shown(base), shown(own), f"{ratio:.2f}", ratio <= bound if at_most else ratio >= bound)


def by_amount(goal, yardstick, own, bound):
    return row(goal, shown(yardstick), shown(own), "-", None if own is None else own.median <= bound)


SHAPES = ("literals", "prefixes", "classes", "leading", "mixed")


def slowest(figures, what, who="ours"):
    found = [figure for shape in SHAPES if (figure := figures.get(f"{what}_{shape}", who))]
    return max(found, key=lambda figure: figure.median, default=None)


def reload_row(figures):
    quiet, own = figures.get("reload_longest", "quiet"), figures.get("reload_longest", "ours")
    usual = figures.get("reload_p99", "quiet")
    reached = None if own is None else own.median <= quiet.median + usual.median
    ratio = "-" if own is None else f"{own.median / quiet.median:.2f}"
    return row("longest stall of a decision while a policy is reloaded: at most its usual p99 more than without",
               shown(quiet), shown(own), ratio, reached)


def bare_row(figures):
    own, sizes = figures.get("publish_new_bare", "ours"), figures.sizes("publish_new_bare", "ours")
    bound = 200 * sizes[-1] if sizes else 0
    return by_amount("the same, rules without three characters in a row: <= 0.2 us a rule",
                     figures.get("publish_new_bare", "re2"), own, bound)


def memory_row(figures):
    one, own = figures.get("reload_memory", "one_policy"), figures.get("reload_memory", "ours")
    reached = None if own is None else own.median <= 2 * one.median + 16
    return row("memory while a policy is reloaded: <= 2x one policy + 16 MB", shown(one), shown(own),
               "-" if own is None else f"{own.median / one.median:.2f}", reached)


def goals(figures):
    rows = ["| goal | yardstick | ours | ratio | reached |", "| --- | ---: | ---: | ---: | --- |",
            by_ratio(figures, "CURVE connect and first reply, 50 clients at once: >= 0.93 of libzmq without a handler",
                     ("handshake", "none"), ("handshake", "ours"), 0.93, at_most=False)]
    for who, bound in (("trivial", 0.8), ("czmq_any", 3), ("pyzmq_certs", 10)):
        rows.append(by_ratio(figures, f"ZAP requests, 64 in flight: >= {bound}x {LABELS[who]}",
                             ("zap", who), ("zap", "ours"), bound, is_time=False, at_most=False))
    for end, name in (("hit", "a known key"), ("miss", "an unknown key")):
        rows.append(by_ratio(figures, f"authenticate(), {name}: <= 3x a map of Abseil",
                             (f"authenticate_{end}", "absl"), (f"authenticate_{end}", "ours"), 3))
    for kind in ("exact", "pattern"):
        rows.append(by_ratio(figures, f"authorize_call by user, {kind} parameter: <= 1.5x written by hand",
                             (f"call_{kind}", "by_hand"), (f"call_{kind}", "ours"), 1.5))
    rows += [
        by_amount("authorize_publish, a topic seen before, slowest shape: <= 100 ns", None,
                  slowest(figures, "publish_seen"), 100),
        by_amount("authorize_publish, a new topic, slowest shape: <= 7 us",
                  slowest(figures, "publish_new", "re2"), slowest(figures, "publish_new"), 7000),
        bare_row(figures),
        by_ratio(figures, "load auth.json: >= 0.8 of RapidJSON alone", ("load", "rapidjson"), ("load", "ours"), 0.8,
                 is_time=False, at_most=False),
        by_amount("memory of a record, index included: <= 200 bytes", None, figures.get("memory", "ours"), 200),
        by_amount("save auth.json, memory beyond the policy: <= 16 MB", None, figures.get("save_memory", "ours"), 16),
        by_ratio(figures, "`vctl auth list` of a small home: <= 3x the same libraries alone",
                 ("startup", "same_libraries"), ("startup", "ours"), 3),
        reload_row(figures),
        memory_row(figures)]
    return "\n".join(rows)


def table(figures, whats):
    rows = ["| what | who | size | median | quarter below | quarter above |", "| --- | --- | ---: | ---: | ---: | ---: |"]
    for (what, who, size), figure in sorted(figures.figures.items()):
        if re.fullmatch(whats, what):
            cells = (amount(value, figure.unit) for value in (figure.median, figure.low, figure.high))
            rows.append(f"| {what} | {LABELS.get(who, who)} | {size:,} | " + " | ".join(cells) + " |")
    return "\n".join(rows)


def machine(figures, command):
    sizes = [size for what, _, size in figures.figures if what == "load"]
    rules = [size for what, _, size in figures.figures if what.startswith("publish_")]
    models = re.findall(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(encoding="utf-8"), re.M)
    system = re.search(r'PRETTY_NAME="(.*)"', Path("/etc/os-release").read_text(encoding="utf-8"))
    pages = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    today = datetime.datetime.now(datetime.timezone.utc).date().isoformat()
    return (f"{os.cpu_count()} cores of {models[0] if models else platform.machine()}, {pages / 2**30:.0f} GiB, "
            f"{system.group(1) if system else platform.system()}; {today}; `{command}`, with up to "
            f"{max(sizes, default=0):,} records and {max(rules, default=0):,} rules for topics.")


# ---- Plots ----

def draw_line(axes, line, who, style="-", label=None, of=lambda figure: figure.median):
    if not line:
        return
    sizes = [size for size, _ in line]
    color = COLORS.get(who)
    axes.plot(sizes, [of(figure) for _, figure in line], style, marker="o", markersize=3, color=color,
              label=label or LABELS.get(who, who))
    if style == "-":
        lows, highs = [figure.low for _, figure in line], [figure.high for _, figure in line]
        if of(line[0][1]) == line[0][1].median:
            axes.fill_between(sizes, lows, highs, color=color, alpha=0.12, linewidth=0)


def finish(axes, title, x, y, log_y=True):
    axes.set_title(title)
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.set_xscale("log")
    values = [value for line in axes.get_lines() for value in line.get_ydata() if value > 0]
    if log_y and values:
        axes.set_yscale("log")
        axes.set_ylim(10 ** math.floor(math.log10(min(values))), 10 ** math.ceil(math.log10(max(values) * 1.01)))
    elif values:
        axes.set_ylim(bottom=0)
    axes.minorticks_off()
    if axes.get_legend_handles_labels()[0]:
        axes.legend(fontsize=7)


def panels(count, columns, height=3.0):
    lines = -(-count // columns)
    figure, axes = pyplot.subplots(lines, columns, figsize=(4.2 * columns, height * lines), squeeze=False)
    for spare in list(axes.flat)[count:]:
        spare.set_visible(False)
    return figure, list(axes.flat)


def plot_authenticate(figures):
    drawing, axes = panels(2, 2)
    for part, end, title in zip(axes, ("hit", "miss"), ("authenticate(), a known key", "an unknown key")):
        for who in ("ours", "absl", "scan"):
            draw_line(part, figures.line(f"authenticate_{end}", who), who)
        finish(part, title, "records", "ns")
    return drawing


def plot_calls(figures):
    drawing, axes = panels(4, 2)
    for part, kind in zip(axes, ("plain", "exact", "pattern")):
        for who in ("ours", "session", "by_hand"):
            draw_line(part, figures.line(f"call_{kind}", who), who)
        finish(part, f"authorize_call, {kind}", "records", "ns")
    draw_line(axes[3], figures.line("call_roles", "ours"), "ours")
    finish(axes[3], "authorize_call, a user with many roles", "roles of the user", "ns")
    return drawing


def plot_publish(figures):
    shapes = (*SHAPES, "bare")
    drawing, axes = panels(len(shapes), 3)
    for part, shape in zip(axes, shapes):
        draw_line(part, figures.line(f"publish_seen_{shape}", "ours"), "ours", "--", "vipauth, seen before")
        for who in ("ours", "re2", "re2_set"):
            draw_line(part, figures.line(f"publish_new_{shape}", who), who)
        finish(part, f"authorize_publish, {shape}", "rules", "ns")
    return drawing


def plot_threads(figures):
    drawing, (axes,) = panels(1, 1, 3.6)
    for what, who, label, color in (("exact", "ours", "vipauth, call, exact parameter", OURS),
                                    ("pattern", "ours", "vipauth, call, pattern", "#e67e22"),
                                    ("publish", "ours", "vipauth, publish, seen before", "#8e44ad"),
                                    ("pattern", "re2", "RE2 alone, one pattern", "#7f8c8d")):
        line = figures.line(f"threads_{what}", who)
        if line:
            axes.plot([size for size, _ in line], [1e3 / figure.median for _, figure in line], marker="o",
                      markersize=3, color=color, label=label)
    finish(axes, "Threads that ask at once", "threads", "millions of answers a second")
    axes.set_xscale("log", base=2)
    return drawing


def plot_zap(figures, axes):
    for who in ("ours", "czmq_certs", "pyzmq_certs"):
        draw_line(axes, figures.line("zap", who), who)
    for who in ("trivial", "czmq_any", "pyzmq_any"):
        figure = figures.get("zap", who)
        if figure:
            axes.axhline(figure.median, linestyle="--", linewidth=1, color=COLORS[who], label=LABELS[who])
    finish(axes, "ZAP requests, 64 in flight", "records", "answers a second")


def plot_handshakes(figures, axes):
    peers = [(who, size, figure) for (what, who, size), figure in figures.figures.items() if what == "handshake"]
    peers.sort(key=lambda peer: peer[2].median, reverse=True)
    for who, size, figure in peers:
        error = [[figure.median - figure.low], [figure.high - figure.median]]
        axes.barh(LABELS.get(who, who) + (f", {size:,}" if size else ""), figure.median, xerr=error, ecolor="#555555",
                  color=OURS if who == "ours" else "#95a5a6")
    axes.set_title("50 clients connect by CURVE: seconds")


def plot_peers(figures):
    drawing, axes = panels(2, 2, 3.4)
    plot_zap(figures, axes[0])
    plot_handshakes(figures, axes[1])
    return drawing


def plot_policy(figures):
    drawing, axes = panels(3, 3)
    for who in ("ours", "rapidjson"):
        draw_line(axes[0], figures.line("load", who), who)
        draw_line(axes[1], figures.line("save", who), who)
    draw_line(axes[2], figures.line("memory", "ours"), "ours")
    draw_line(axes[2], figures.line("memory_peak", "ours"), "ours", "--", "vipauth, while loading")
    finish(axes[0], "Load auth.json", "records", "MB/s", log_y=False)
    finish(axes[1], "Change one record of it", "records", "MB/s", log_y=False)
    finish(axes[2], "Memory", "records", "bytes a record")
    return drawing


PLOTS = {"peers": plot_peers, "authenticate": plot_authenticate, "calls": plot_calls, "publish": plot_publish,
         "threads": plot_threads, "policy": plot_policy}


def draw(figures, folder):
    folder.mkdir(parents=True, exist_ok=True)
    for name, plot in PLOTS.items():
        drawing = plot(figures)
        drawing.tight_layout()
        drawing.savefig(folder / f"{name}.svg", metadata={"Date": None})
        pyplot.close(drawing)


def fill(page, blocks):
    def replaced(match):
        return f"{match.group(1)}\n{blocks[match.group(2)]}\n{match.group(3)}"
    return re.sub(r"(<!-- generated: (\w+) -->)\n.*?(<!-- end -->)", replaced, page, flags=re.S)


def main():
    results, page, output, command = (*map(Path, sys.argv[1:4]), sys.argv[4])
    figures = Figures(results)
    blocks = {"machine": machine(figures, command), "table": goals(figures), "worst": table(figures, "worst_.*"),
              "reload": table(figures, "reload.*"), "threads": table(figures, "threads_.*"),
              "peers": table(figures, "zap|handshake|startup"), "policy": table(figures, "load.*|memory.*|save.*")}
    text = fill(page.read_text(encoding="utf-8"), blocks)
    draw(figures, output.with_suffix(""))
    output.write_text(text, encoding="utf-8")


main()
