#!/usr/bin/env python3
"""Types what the pages say to type, and compares what comes out with what they show.

usage: type_pages.py ROOT BIN_DIR [PAGE...]

A block of "console" whose first line begins with "$ " is typed; of one page all are, one after the other, by one bash, in
a folder that holds `build/dev/bin` (BIN_DIR), the client of the README and, as `my_bus`, its server, and nothing else.
Lines that begin with "> " go on with the command above. The others are what it prints, on either output:

- "..." stands for any lines, and at the end of a line for any rest
- keys, hashes, UUIDs, times, temporary folders, port 22916 and the user "operator" stand for others of their kind
- a command that asks a running bus (ASKED_AGAIN) may be asked again until it says what the page shows
"""

import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from pages import read_page

PAGES = ["README.md", "docs/operating.md", "docs/migration.md"]
ASKED_AGAIN = re.compile(r"client\.py|remote list|audit show|audit verify|^cat |^grep |pending")
PATIENCE = 60  # seconds, of a command
END = "----- end of command -----"
RANDOM = [
    (r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "(uuid)"),
    (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?Z?", "(time)"),
    (r"SHA256:[A-Za-z0-9+/_=-]{20,}", "(fingerprint)"),
    (r"\b[0-9a-f]{64}\b", "(hash)"),
    (r"(?<![\w-])[A-Za-z0-9_-]{43}(?![\w-])", "(key)"),
    (rf"(/tmp|{re.escape(tempfile.gettempdir())})/[\w.]+", "(folder)"),
    (rf"\b(operator|{pwd.getpwuid(os.geteuid()).pw_name})\b", "(user)"),
    (r"-{3,}", "---"),  # below the heads of columns
]
root, bin_dir = (Path(argument).resolve() for argument in sys.argv[1:3])


class Shell:
    """One bash, which is asked one command at a time."""

    def __init__(self, folder, port):
        self.port = str(port)
        environment = {
            "PATH": f"/usr/bin:/bin:{os.environ['PATH']}",
            "HOME": str(folder),
            "LD_LIBRARY_PATH": str(bin_dir.parent / "libvipauth"),
            "VIPAUTH": str(root),
            "PYTHONDONTWRITEBYTECODE": "1",
            "LC_ALL": "C.UTF-8",
        }
        self.bash = subprocess.Popen(
            ["bash", "--norc"], cwd=folder, env=environment, text=True, start_new_session=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )

    def type(self, command):
        """What it prints."""
        command = command.replace("22916", self.port)
        self.bash.stdin.write(f"{{ {command}\n}} </dev/null\nlast=$?; echo; echo '{END}'; (exit $last)\n")
        self.bash.stdin.flush()
        watchdog = threading.Timer(PATIENCE, os.killpg, [self.bash.pid, signal.SIGKILL])
        watchdog.start()
        lines = []
        for line in self.bash.stdout:
            if line.rstrip("\n") == END:
                break
            lines.append(line.rstrip("\n"))
        else:
            sys.exit(f"FAIL: this does not end, or ends the shell: {command}\n" + "\n".join(lines))
        watchdog.cancel()
        if lines and lines[-1] == "":
            lines.pop()  # of the `echo` above
        return [line.replace(self.port, "22916") for line in lines]

    def close(self):
        os.killpg(self.bash.pid, signal.SIGKILL)
        self.bash.communicate()


def steps_of(block):
    """(line number, command, lines that the page shows)"""
    steps = []
    for number, line in enumerate(block.lines, block.line + 1):
        if line.startswith("$ "):
            steps.append((number, line[2:], []))
        elif (line + " ").startswith("> ") and not steps[-1][2]:
            steps[-1] = (steps[-1][0], steps[-1][1] + "\n" + line[2:], [])
        else:
            steps[-1][2].append(line)
    return steps


def plain(line):
    for pattern, name in RANDOM:
        line = re.sub(pattern, name, line)
    return re.sub(r"\s+", " ", line).strip()


def is_line(printed, shown):
    printed, shown = plain(printed), plain(shown)
    return printed.startswith(shown[:-3]) if shown.endswith("...") else printed == shown


def is_output(printed, shown):
    if not shown:
        return not printed
    if shown[0].strip() == "...":
        return any(is_output(printed[i:], shown[1:]) for i in range(len(printed) + 1))
    return bool(printed) and is_line(printed[0], shown[0]) and is_output(printed[1:], shown[1:])


def without_blank(lines):
    return [line for line in lines if line.strip()]


def check_step(shell, command, shown):
    """None, or what it printed instead."""
    end = time.monotonic() + PATIENCE
    while True:
        printed = shell.type(command)
        if is_output(without_blank(printed), without_blank(shown)):
            return None
        if not ASKED_AGAIN.search(command) or time.monotonic() > end:
            return printed
        time.sleep(0.1)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def type_page(path):
    """Number of commands, and what came out otherwise."""
    folder = Path(tempfile.mkdtemp())
    (folder / "build/dev").mkdir(parents=True)
    (folder / "build/dev/bin").symlink_to(bin_dir)
    (folder / "my_bus").symlink_to(bin_dir / "embedding")
    shutil.copy(root / "examples/python/client.py", folder)
    shell = Shell(folder, free_port())
    steps, problems = 0, []
    try:
        for block in read_page(path).blocks:
            if block.language != "console" or not block.lines or not block.lines[0].startswith("$ "):
                continue
            for number, command, shown in steps_of(block):
                steps += 1
                printed = check_step(shell, command, shown)
                if printed is not None:
                    problems.append(f"{path.name}:{number}: $ {command}\n" + "".join(f"    {p}\n" for p in printed))
    finally:
        shell.close()
        shutil.rmtree(folder)
    return steps, problems


def main():
    if subprocess.run(["/usr/bin/python3", "-c", "import zmq"], stderr=subprocess.DEVNULL).returncode != 0:
        print("skipped: python3-zmq is not installed")
        return 77
    failed = False
    for page in sys.argv[3:] or PAGES:
        steps, problems = type_page(root / page)
        print(f"== {page}: {steps} commands, {len(problems)} of them otherwise than the page says", flush=True)
        print("".join(problems), end="")
        failed = failed or bool(problems) or steps == 0
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
