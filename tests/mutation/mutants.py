#!/usr/bin/env python3
"""Changes the engine in one small place at a time, and shows that the tests notice each.

usage: mutants.py BUILD [--list] [--sample N] [--seed S] [--quick] [--again] [--jobs N] [FILE...]

BUILD is a build folder that is configured. Without FILEs it takes all that decide. A mutant is compiled alone, linked
with the tests of the engine, and killed by a test that fails, crashes, or does not end. What survives must be in
equivalent.txt with a reason. Results are kept in BUILD/mutants/results.json: what has one there is not run again
(--again: survivors are). One that does not compile is none. --quick leaves out the tests that take long: what survives
may still be killed.

What takes most of the time is made once for each file: its headers, compiled, and all but itself, linked.
"""

import argparse
import hashlib
import json
import os
import random
import re
import resource
import shlex
import shutil
import signal
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock

ROOT = Path(__file__).resolve().parent.parent.parent
ENGINE = ROOT / "libvipauth/src/engine"
DECIDING = [
    "address_penalties", "authenticator", "call_binder", "capability_resolver", "declared_method", "grant",
    "grant_profiles", "identity_registry", "ipc_trust", "live_policy", "method_registry", "name_table", "named_key",
    "policy_index", "policy_snapshot", "record_table", "restriction_template", "session", "topic_index",
    "topic_memory", "topic_prefixes", "topic_protector", "topic_texts", "zap_authenticator",
]
# Recorded answers that no decision stands behind.
NOT_OF_ENGINE = ["AuthFile*", "CsrStore*", "CertificateAuthority*"]
# Whose tests are also those of a class that has few for itself.
TESTED_BY = {
    "grant": "capability_resolver", "grant_profiles": "capability_resolver", "live_policy": "session",
    "policy_index": "capability_resolver", "topic_prefixes": "topic_index", "topic_texts": "topic_index",
}
# Which tests, with how many worlds, and how many seconds of the processor they may take: what kills most in the least
# time first. OWN stands for the tests of the class that is changed.
OWN = ["OWN"]
# Only among the tests of their own class.
SLOW = ["Authenticator: whoever asks with a wrong password*", "MethodRegistry: declarations are bounded*"]
PASSWORDS = "model: the engine lets in by user name*"
QUICK = [
    ("own tests", OWN, 0, 10),
    ("model, quick", ["model:*", "~" + PASSWORDS], 25, 6),
    ("engine", ["~model:*", *("~" + name for name in ("AuthService*", *NOT_OF_ENGINE, *SLOW))], 0, 10),
]
LONG = [
    ("model", ["model:*", "~" + PASSWORDS], 100, 60),
    ("passwords", [PASSWORDS], 25, 60),
    ("service", ["AuthService*"], 0, 60),
]
# What the last two of these can notice.
ASKED_PASSWORDS = ["authenticator", "name_table", "policy_index", "record_table"]
SERVED = ["call_binder", "declared_method", "identity_registry", "live_policy", "method_registry", "policy_snapshot",
          "session"]
# Of which folders the tests are linked.
LINKED = ["unit_tests.dir/unit/engine/", "unit_tests.dir/unit/vectors/", "unit_tests.dir/support/",
          "unit_tests.dir/unit/service/method_registration_test", "model_tests.dir/model/", "model_tests.dir/worlds/"]
# It takes half the time of the compiler that made the rest.
CLANG = shutil.which("clang++-19")
SECONDS = 120
MEMORY = 3 << 30

SWAPS = [(" < ", " <= "), (" <= ", " < "), (" > ", " >= "), (" >= ", " > "), (" == ", " != "), (" != ", " == "),
         (" && ", " || "), (" || ", " && "), (" + 1", " + 0"), (" - 1", " - 0"), ("return true", "return false"),
         ("return false", "return true"), ("any_of(", "all_of("), ("all_of(", "any_of("), ("none_of(", "any_of("),
         ("std::min(", "std::max("), ("std::max(", "std::min("), ("continue;", ";"), ("break;", ";")]


def blanked(text):
    """The text with comments and what is quoted blanked out, at the same places."""
    quoted = r'//[^\n]*|/\*.*?\*/|R"\((?:.|\n)*?\)"|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'|#[^\n]*'
    return re.sub(quoted, lambda m: re.sub(r"[^\n]", " ", m.group()), text, flags=re.S)


def closing(code, at):
    """Behind the parenthesis that closes the one at `at`."""
    depth = 0
    for i in range(at, len(code)):
        depth += (code[i] in "([{") - (code[i] in ")]}")
        if depth == 0:
            return i + 1
    return len(code)


def operand_behind(code, at):
    depth = 0
    for i in range(at, len(code)):
        if depth == 0 and (code[i] in ")];,?{}" or code.startswith((" && ", " || ", " : "), i)):
            return at, i
        depth += (code[i] in "([{") - (code[i] in ")]}")
    return at, len(code)


def operand_before(code, at):
    depth = 0
    for i in range(at - 1, -1, -1):
        ends = code[i] in "([;,?{}" or code.endswith((" = ", " : ", "&&", "||", "return"), 0, i + 1)
        if depth == 0 and ends:
            begin = i + 1
            while code[begin] in " \n":
                begin += 1
            return begin, at
        depth += (code[i] in ")]}") - (code[i] in "([{")
    return 0, at


def changes(text):
    """Each change as (kind, begin, end, replacement)."""
    code = blanked(text)
    for old, new in SWAPS:
        for found in re.finditer(re.escape(old), code):
            yield f"{old.strip()} -> {new.strip()}", found.start(), found.end(), new
    for operator, neutral in ((" && ", "true"), (" || ", "false")):
        for found in re.finditer(re.escape(operator) + "?", code.replace("\n", " ")):
            if not found.group().strip():
                continue
            behind = operand_behind(code, found.start() + len(operator))
            for begin, end in (behind, operand_before(code, found.start())):
                if begin < end:
                    yield "condition dropped", begin, end, neutral
    for found in re.finditer(r"\bif (?:constexpr )?\(", code):
        begin = found.end() - 1
        end = closing(code, begin)
        inner = code[begin + 1:end - 1]
        semicolon = inner.rfind("; ")
        begin += 1 if semicolon < 0 else semicolon + 3
        yield "if negated", begin, end - 1, "!(" + text[begin:end - 1] + ")"
        early = re.match(r"\s*\{?\s*return\b", code[end:])
        if early:
            start = end + early.end() - len("return")
            stop = code.index(";", start) + 1
            yield "early return dropped", start, stop, ";"
    for found in re.finditer(r"(?<=[ (])!(?=[\w(*])", code):
        yield "! dropped", found.start(), found.end(), ""


class Mutant:
    def __init__(self, name, text, kind, begin, end, new):
        self.name, self.kind = name, kind
        self.text = text[:begin] + new + text[end:]
        self.line = text.count("\n", 0, begin) + 1
        first, last = text.rfind("\n", 0, begin) + 1, text.find("\n", end)
        if re.fullmatch(r"\s*(return \w+)?;", text[first:begin] + new + text[end:last]):
            first = text.rfind("\n", 0, first - 1) + 1  # of which there are others
        self.before = " ".join(text[first:last].split())
        self.after = " ".join((text[first:begin] + new + text[end:last]).split())
        self.key = hashlib.sha256((name + self.text).encode()).hexdigest()[:16]

    def __str__(self):
        return f"{self.name}.cpp:{self.line}: {self.kind}: {self.after}"


def mutants_of(names):
    out = {}
    for name in names:
        text = (ENGINE / f"{name}.cpp").read_text(encoding="utf-8")
        for change in changes(text):
            mutant = Mutant(name, text, *change)
            if mutant.text != text:
                out.setdefault(mutant.key, mutant)
    return list(out.values())


def own_tests(name):
    return ["--filenames-as-tags", ",".join(f"[#{file}_test]" for file in (name, TESTED_BY.get(name, name)))]


class Bench:
    """Compiles, links and tests mutants, in a folder of its own."""

    def __init__(self, build, number):
        self.build = build
        self.folder = build / f"mutants/{number}"
        self.folder.mkdir(parents=True, exist_ok=True)
        self.program = self.folder / "tests"
        self.rest = self.folder / "rest.o"
        self.library = self.folder / "library.a"
        self.prepared = None
        commands = json.loads((build / "compile_commands.json").read_text(encoding="utf-8"))
        self.commands = {c["file"]: c["command"] for c in commands}
        ninja = (build / "build.ninja").read_text(encoding="utf-8")
        link = re.search(r"\nbuild bin/model_tests\b[^\n]*\n((?:  [^\n]*\n)+)", ninja).group(1)
        libraries = shlex.split(re.search(r"LINK_LIBRARIES = (.*)", link).group(1))
        self.libraries = [str(self.library) if lib.endswith("libvipauth.a") else lib for lib in libraries]
        self.objects = re.findall(rf"^build (tests/CMakeFiles/(?:{'|'.join(LINKED)})[^/ ]*\.o): ", ninja, flags=re.M)

    def build_tests(self):
        command = ["cmake", "--build", self.build, "--target", "libvipauth/libvipauth.a", *self.objects]
        subprocess.run([*map(str, command)], check=True)

    def run(self, *command):
        done = subprocess.run([*map(str, command)], cwd=self.build, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"{command[0]}: {done.stderr[:3000]}")

    def compiler(self, name):
        command = shlex.split(self.commands[str(ENGINE / f"{name}.cpp")])
        command = [CLANG or command[0], *command[1:command.index("-o")]]
        return [a for a in command if not a.startswith(("-O", "-g", "-W", "-U_FORTIFY", "-D_FORTIFY"))] + ["-O0", "-w"]

    def prepare(self, name):
        """Compiles the headers of a file, and links all that is not changed with it."""
        if self.prepared == name:
            return
        headers = self.folder / "headers.hpp"
        original = (ENGINE / f"{name}.cpp").read_text(encoding="utf-8")
        headers.write_text("\n".join(re.findall(r"^#include .*", original, flags=re.M)) + "\n", encoding="utf-8")
        early = ["-fpch-instantiate-templates"] if CLANG else []
        self.run(*self.compiler(name), *early, "-x", "c++-header", "-o", f"{headers}.gch", headers)
        shutil.copy(self.build / "libvipauth/libvipauth.a", self.library)
        self.run("ar", "d", self.library, f"{name}.cpp.o")
        self.run("c++", "-r", "-nostdlib", "-Wl,-S", "-o", self.rest, *self.objects, self.library)
        self.prepared = name
        self.compile(Mutant(name, original, "nothing", 0, 0, ""))
        self.link()
        if by := self.killed(name, QUICK[:2]):
            sys.exit(f"mutants: the tests of {name} fail without any change: {by[1]}")

    def compile(self, mutant):
        source = self.folder / f"{mutant.name}.cpp"
        source.write_text(mutant.text, encoding="utf-8")
        try:
            self.run(*self.compiler(mutant.name), "-include", self.folder / "headers.hpp",
                     "-o", self.folder / "mutant.o", "-c", source)
        except RuntimeError:
            return False
        return True

    def link(self):
        gold = ["-fuse-ld=gold"] if shutil.which("ld.gold") else []
        self.run("c++", *gold, "-Wl,-s", "-o", self.program, self.folder / "mutant.o", self.rest, *self.libraries)

    def killed(self, name, runs):
        """(which tests, which test), or nothing."""
        for stage, tests, worlds, seconds in runs:
            if name not in {"passwords": ASKED_PASSWORDS, "service": SERVED}.get(stage, [name]):
                continue
            tests = own_tests(name) if tests == OWN else tests

            def limit(seconds=seconds):
                resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
                resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
                resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))

            command = [str(self.program), "--abort", *tests]
            parameters = {"RC_PARAMS": f"max_success={worlds} seed=7"}
            try:
                done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, errors="replace",
                                      timeout=SECONDS, preexec_fn=limit, env={**os.environ, **parameters}, check=False)
            except subprocess.TimeoutExpired:
                return stage, "does not end"
            if done.returncode in (-signal.SIGXCPU, -signal.SIGKILL):
                return stage, "does not end"
            if done.returncode != 0 and "No tests ran" not in done.stdout:
                named = re.search(r"^-{70,}\n(.+?)\n(?:  .*\n)*-{70,}", done.stdout, flags=re.M)
                return stage, named.group(1) if named else "crash"
        return None

    def judge(self, mutant, runs):
        result = {"file": mutant.name, "line": mutant.line, "kind": mutant.kind, "before": mutant.before,
                  "after": mutant.after, "status": "does not compile"}
        self.prepare(mutant.name)
        if self.compile(mutant):
            self.link()
            by = self.killed(mutant.name, runs)
            result["status"] = "killed" if by else "survived"
            result["runs"] = [stage for stage, *_ in runs]
            result["stage"], result["by"] = by or (None, None)
        return result


def equivalents():
    """(file, changed line) -> why nothing can notice it."""
    out = {}
    for line in Path(__file__).with_name("equivalent.txt").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            name, after, reason = line.split(" | ", 2)
            out[(name, after)] = reason
    return out


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=Path)
    parser.add_argument("files", nargs="*")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--sample", type=int)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--again", action="store_true")
    parser.add_argument("--jobs", type=int, default=1)
    options = parser.parse_intermixed_args()

    names = [Path(f).stem for f in options.files] or DECIDING
    mutants = mutants_of(names)
    if options.sample is not None:
        random.Random(options.seed).shuffle(mutants)
        mutants = mutants[:options.sample]
    if options.list:
        print(*mutants, sep="\n")
        print(f"{len(mutants)} mutants")
        return 0

    build = options.build.resolve()
    benches = [Bench(build, number) for number in range(options.jobs)]
    benches[0].build_tests()
    runs = QUICK if options.quick else QUICK + LONG
    results_file = build / "mutants/results.json"
    results = json.loads(results_file.read_text(encoding="utf-8")) if results_file.exists() else {}
    lock = Lock()

    def judged(mutant):
        with lock:
            bench = benches.pop()
        result = bench.judge(mutant, runs)
        with lock:
            benches.append(bench)
            results[mutant.key] = result
            results_file.write_text(json.dumps(results, indent=1), encoding="utf-8")
        return result

    def is_open(mutant):
        known = results.get(mutant.key)
        if known is None or known["status"] != "survived":
            return known is None
        return options.again or len(known["runs"]) < len(runs)

    known = equivalents()
    counts, stages = Counter(), Counter()
    with ThreadPoolExecutor(options.jobs) as pool:
        # Those of one file one after the other: their headers are compiled once.
        work = {m.key: pool.submit(judged, m) for m in sorted(mutants, key=lambda m: names.index(m.name)) if is_open(m)}
        for mutant in mutants:
            result = work[mutant.key].result() if mutant.key in work else results[mutant.key]
            status = result["status"]
            if status == "survived" and (f"{mutant.name}.cpp", mutant.after) in known:
                status = "equivalent"
            counts[status] += 1
            stages[result.get("stage")] += status == "killed"
            if status == "survived":
                print(f"survived: {mutant}\n     was: {mutant.before}", flush=True)
    for name, after in sorted(known.keys() - {(f"{m.name}.cpp", m.after) for m in mutants_of(DECIDING)}):
        print(f"equivalent.txt: there is no such change: {name} | {after}")
    print(", ".join(f"{counts[what]} {what}" for what in ("killed", "equivalent", "survived", "does not compile")))
    print("killed by: " + ", ".join(f"{stage} {stages[stage]}" for stage, *_ in runs))
    return 1 if counts["survived"] else 0


if __name__ == "__main__":
    sys.exit(main())
