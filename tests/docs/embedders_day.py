#!/usr/bin/env python3
"""An embedder's day: does what the README says under "Embedding", as written, each time in an empty folder.

usage: embedders_day.py ROOT PREFIX VCTL CXX

ROOT: the sources; PREFIX: where vipauth is installed. Each block of commands of a section is typed in a folder that holds
the section's files and nothing else; its last line runs the server. Only the port is another one: one that is free. The
README's client then asks each server: its own key may publish, and may not, a stranger is not let in.
"""

import json
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from pages import read_page

SECTIONS = ["In C++", "In C", "In Python"]
PATIENCE = 60  # seconds, for what must happen
root, prefix, vctl, compiler = (Path(argument).resolve() for argument in sys.argv[1:5])
readme = read_page(root / "README.md")


def fail(text):
    sys.exit(f"FAIL: {text}")


def files_of(section):
    return {b.attributes["file"]: b.text for b in readme.blocks if b.heading == section and "file" in b.attributes}


def environment(work):
    lib = prefix / "lib"
    if not (lib / "libvipauth.so").exists():  # a distribution's folder
        lib = next(prefix.glob("lib/*/libvipauth.so")).parent
    tools = work / "tools"  # what is called g++ and cc in the README is the compiler of this build
    tools.mkdir()
    (tools / "g++").symlink_to(compiler)
    return {
        "PATH": f"{tools}:/usr/bin:/bin:{os.environ['PATH']}",  # Debian's python3, which has Debian's python3-zmq
        "HOME": str(work),
        "CXX": str(compiler),
        "CMAKE_PREFIX_PATH": str(prefix),
        "PKG_CONFIG_PATH": str(lib / "pkgconfig"),
        "LD_LIBRARY_PATH": str(lib),
        "VOLTTRON_HOME": str(work / "home"),
        "VIPAUTH": str(root),
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def make_home(work, env):
    (work / "home").mkdir(mode=0o700)
    for name in ["alice", "mallory"]:
        keys = subprocess.run([vctl, "auth", "keypair"], env=env, check=True, capture_output=True, text=True).stdout
        (work / f"{name}.key").write_text(keys)
    public = json.loads((work / "alice.key").read_text())["public"]
    for command in [
        ["add", "--user_id", "AliceAgent", "--credentials", public],
        ["topics", "add", "devices/b", "CAP_B"],
    ]:
        subprocess.run([vctl, "auth", *command], env=env, check=True, stdout=subprocess.DEVNULL)
    (work / "client.py").write_text(files_of("A client, to try it")["client.py"])


def first_line(server):
    ready, _, _ = select.select([server.stdout], [], [], PATIENCE)
    return server.stdout.readline() if ready else ""


def ask(work, env, server_line, topics):
    """What the client prints that has Alice's key."""
    command = ["/usr/bin/python3", "client.py", "alice.key", "AliceAgent", *server_line, *topics]
    done = subprocess.run(command, cwd=work, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=PATIENCE)
    return done.stdout


def check_server(work, env, server_line):
    allowed, refused = "devices/a: allowed\n", 'devices/b: to publish to topic "devices/b" requires capabilities'
    answer = ask(work, env, server_line, ["devices/a", "devices/b"])
    if not answer.startswith(allowed + refused):
        fail(f"the client was told {answer!r}")
    wait_for_stranger(work, env, server_line)


def wait_for_stranger(work, env, server_line):
    """Who is not known gets no answer, and is on the list of those who wait."""
    command = ["/usr/bin/python3", "client.py", "mallory.key", "Mallory", *server_line, "devices/a"]
    client = subprocess.Popen(command, cwd=work, env=env, stdout=subprocess.PIPE, text=True)
    public = json.loads((work / "mallory.key").read_text())["public"]
    end = time.monotonic() + PATIENCE
    try:
        while public not in (work / "home" / "pending.json").read_text():
            if time.monotonic() > end:
                fail("the stranger is not on the list")
            time.sleep(0.05)
    finally:
        client.kill()
        if client.communicate()[0]:
            fail("the stranger was answered")


def spend_a_day(work, env, section, block):
    folder = Path(tempfile.mkdtemp(dir=work))
    for name, text in files_of(section).items():
        (folder / name).write_text(text)
    commands = re.sub(r"tcp://127\.0\.0\.1:22916", "'tcp://127.0.0.1:*'", block.text)
    *build, run = commands.splitlines()
    begun = time.monotonic()
    done = subprocess.run(["sh", "-e", "-c", "\n".join(build)], cwd=folder, env=env, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode != 0:
        fail(f"{block.place}: {build}\n{done.stdout}")
    pending = work / "home" / "pending.json"
    pending.write_text('{"version": 1, "pending": [], "decided": []}\n')
    pending.chmod(0o600)
    server = subprocess.Popen(["sh", "-c", f"exec {run}"], cwd=folder, env=env, stdout=subprocess.PIPE, text=True,
                              start_new_session=True)
    try:
        line = first_line(server).split()
        if len(line) != 2:
            fail(f"{block.place}: {run}: printed {line} instead of an address and a key")
        check_server(work, env, line)
    finally:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()
    print(f"== {section}, {build[0].split()[0]}: {time.monotonic() - begun:.1f} s", flush=True)


def main():
    if subprocess.run(["/usr/bin/python3", "-c", "import zmq"], stderr=subprocess.DEVNULL).returncode != 0:
        print("skipped: python3-zmq is not installed")
        return 77
    work = Path(tempfile.mkdtemp())
    try:
        env = environment(work)
        make_home(work, env)
        for section in SECTIONS:
            blocks = [b for b in readme.blocks if b.heading == section and b.language == "sh"]
            if not blocks:
                fail(f'README.md: nothing to type under "{section}"')
            for block in blocks:
                spend_a_day(work, env, section, block)
    finally:
        shutil.rmtree(work)
    return 0


if __name__ == "__main__":
    sys.exit(main())
