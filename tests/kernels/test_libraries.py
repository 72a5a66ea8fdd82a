"""What the kernel libraries are as files. usage: test_libraries.py FOLDER"""

import pathlib
import subprocess
import sys
import unittest

FOLDER = pathlib.Path(sys.argv[1])
LIBRARIES = sorted(FOLDER.glob("libnnrun_kernels_*.so"))


def tool(*words):
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout


class Libraries(unittest.TestCase):
    def test_there_are_some(self):
        self.assertIn("libnnrun_kernels_scalar.so", [library.name for library in LIBRARIES])

    def test_they_export_the_plugin_alone(self):
        for library in LIBRARIES:
            with self.subTest(library.name):
                exported = [line.split()[1:] for line in tool("nm", "-D", "--defined-only", library).splitlines()]
                if "riscv" in library.name or "rvv" in library.name:
                    # C++ without flags for this CPU: what it instantiates of the standard library is everybody's ("u", "V", "W").
                    exported = [[kind, name] for kind, name in exported if kind not in "uVW"]
                # The others must not: code for one CPU's instructions would be called by libraries that run on any.
                self.assertEqual([name for kind, name in exported], ["nnrun_plugin_v1"])

    def test_no_address_is_written_into_code(self):
        for library in LIBRARIES:
            with self.subTest(library.name):
                self.assertNotIn("TEXTREL", tool("readelf", "-dW", library))

    def test_no_executable_stack_and_no_writable_code(self):
        for library in LIBRARIES:
            with self.subTest(library.name):
                segments = [line.split() for line in tool("readelf", "-lW", library).splitlines()]
                stack = [words for words in segments if words[:1] == ["GNU_STACK"]]
                self.assertEqual([words[6] for words in stack], ["RW"])
                for words in segments:
                    if words[:1] == ["LOAD"]:
                        flags = "".join(words[6:-1])
                        self.assertFalse("W" in flags and "E" in flags, words)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0]])
