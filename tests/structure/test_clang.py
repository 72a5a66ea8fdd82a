"""clang accepts every C++ source, without a warning: the other compiler that the project builds with.

    test_clang.py BUILD

BUILD holds compile_commands.json. No code is made: what only a later stage of the compiler finds, a build with the preset `clang` tells.
"""

import concurrent.futures
import json
import os
import pathlib
import shlex
import subprocess
import sys

KEPT = ("-I", "-D", "-isystem", "-std=", "-m", "-W", "-fopenmp")


def clang_command(entry):
    words, kept, take_next = shlex.split(entry["command"]), [], False
    for word in words[1:]:
        if take_next:
            kept.append(word)
            take_next = False
        elif word.startswith(KEPT):
            kept.append(word)
            take_next = word in ("-isystem", "-I", "-D")
    # What clang does not know, and what the build asks of g++ alone.
    kept = [w for w in kept if w not in ("-Wno-restrict", "-Wno-uninitialized", "-Wno-maybe-uninitialized")]
    return ["clang++", "-fsyntax-only", "-Werror", *kept, entry["file"]]


def check(entry):
    ran = subprocess.run(clang_command(entry), cwd=entry["directory"], capture_output=True, text=True, check=False)
    return entry["file"], ran.returncode, ran.stderr


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    entries = json.loads((build / "compile_commands.json").read_text())
    # Once for each instruction set that it is built for; generated C++, and C, are left to the compiler that builds them.
    sources = {}
    for entry in entries:
        if entry["file"].endswith(".cpp") and not entry["file"].startswith(f"{build}/"):
            sources[entry["file"], *(word for word in shlex.split(entry["command"]) if word.startswith("-m"))] = entry
    assert len(sources) > 200, f"{len(sources)} sources in compile_commands.json"
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for file, status, text in pool.map(check, sources.values()):
            if status:
                failed += 1
                print(f"{file}:\n{text}", file=sys.stderr)
    print(f"{len(sources) - failed} of {len(sources)} sources accepted")
    return 1 if failed else 0


sys.exit(main())
