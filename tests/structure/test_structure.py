"""The walls of the house, as docs/ARCHITECTURE.md draws them."""

import pathlib
import re
import subprocess
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
SOURCES = ("*.cpp", "*.hpp", "*.h")


def sources(*folders):
    for folder in folders:
        for pattern in SOURCES:
            yield from sorted((ROOT / folder).rglob(pattern))


def includes(path):
    return re.findall(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', path.read_text(), re.MULTILINE)


def files_that_include(prefixes, *folders):
    return {str(p.relative_to(ROOT)) for p in sources(*folders) if any(i.startswith(prefixes) for i in includes(p))}


class OneFilePerDependency(unittest.TestCase):
    def test_core(self):
        for prefix, owner in {
            "yaml-cpp/": "core/src/config/yaml.cpp",
            "boost/": "core/src/plugins/library.cpp",
            "omp.h": "core/src/base/threads.cpp",
            "spdlog/": "core/src/base/log.cpp",
            "sha2.h": "core/src/base/sha256.cpp",
            "archive.h": "tools/nnrun/arrays.cpp",
        }.items():
            with self.subTest(prefix):
                self.assertEqual(files_that_include((prefix,), "core", "tools/nnrun"), {owner})

    def test_pictures(self):
        for prefix, owner in {"jpeglib.h": "jpeg.cpp", "stb/stb_image.h": "stb.cpp"}.items():
            with self.subTest(prefix):
                self.assertEqual(files_that_include((prefix,), "core", "plugins"), {"plugins/datasets/" + owner})

    def test_archives(self):
        # One plugin reads them, one writes them.
        self.assertEqual(files_that_include(("archive_entry.h",), "core", "plugins"), {"plugins/datasets/archive.cpp", "plugins/exporters/npz.cpp"})

    def test_preparing(self):
        for prefix, owner in {"jpeglib.h": "jpeg_writer.cpp", "archive.h": "tar_writer.cpp"}.items():
            with self.subTest(prefix):
                self.assertEqual(files_that_include((prefix,), "tools/prepare_catdog"), {"tools/prepare_catdog/" + owner})

    def test_observers(self):
        for prefix, owner in {"kainjow/": "observers/report_page.cpp", "stb/stb_image_write.h": "common/png.cpp"}.items():
            with self.subTest(prefix):
                self.assertEqual(files_that_include((prefix,), "core", "plugins"), {"plugins/" + owner})


class Rooms(unittest.TestCase):
    """Who may know whom in core/src; what stands in no room is the roof, which may know all."""

    BELOW = {
        "base": [],
        "config": ["base"],
        "plugins": ["base", "config"],
        "net": ["base", "config", "plugins"],
        "training": ["base", "config", "plugins", "net"],
        "inspection": ["base", "config", "plugins", "net", "training"],
        "deployment": ["base", "config", "plugins", "net", "training", "inspection"],
        "plugin_check": ["base", "config", "plugins", "net"],
    }

    def test_rooms_know_only_those_below(self):
        found = {p.name for p in (ROOT / "core/src").iterdir() if p.is_dir()}
        self.assertEqual(found, set(self.BELOW))
        for room, below in self.BELOW.items():
            for path in sources(f"core/src/{room}"):
                for name in includes(path):
                    if (ROOT / "core/src" / name).exists():
                        with self.subTest(f"{path.name} includes {name}"):
                            self.assertIn(name.split("/")[0], [room, *below])


class Border(unittest.TestCase):
    def test_plugins_know_nothing_of_core(self):
        core_headers = {p.name for p in (ROOT / "core/src").rglob("*.hpp")}
        for path in sources("plugins", "docs/examples"):
            own = {p.name for p in path.parent.glob("*")} | {p.name for p in path.parent.parent.rglob("*.hpp")}
            for name in includes(path):
                with self.subTest(f"{path.relative_to(ROOT)} includes {name}"):
                    self.assertFalse(pathlib.PurePath(name).name in core_headers and pathlib.PurePath(name).name not in own)

    def test_core_knows_no_component_by_name(self):
        names = set()
        for path in sources("plugins"):
            names.update(re.findall(r'static constexpr auto name = "(\w+)"', path.read_text()))
        self.assertIn("dense", names)
        # Words of the config's own sections, and of plain English.
        names -= {"scale", "step", "metrics", "accuracy", "constant", "ones", "console", "momentum", "precision"}
        names -= {"add"}  # what a residual ends in: docs/adr/0006
        for path in sources("core/src", "core/include"):
            if path.name in ("plugin.hpp", "runtime.hpp", "nnrun.h", "kernels.h", "fixed_kernels.h"):
                continue  # their examples name some
            text = re.sub(r"//[^\n]*|/\*.*?\*/", "", path.read_text(), flags=re.DOTALL)
            for name in names:
                with self.subTest(f"{path.name}: {name}"):
                    self.assertIsNone(re.search(rf'"{name}"', text))

    def test_kernels_have_no_work_at_load(self):
        # A constructor in code with ISA flags runs before the host has looked at the CPU.
        for path in sources("plugins/kernels"):
            with self.subTest(path.name):
                self.assertNotIn("__attribute__((constructor", path.read_text())


    def test_gcc_keeps_prefetches(self):
        # It leaves out calls of functions that do nothing else: see plugins/kernels/simd/prefetch.hpp.
        found = 0
        for path in sources("plugins/kernels"):
            functions = r"^( *)([^\n]*\bvoid (\w+)\([^;{]*\{)$(.*?)^\1\}"
            for _, line, name, body in re.findall(functions, path.read_text(), re.MULTILINE | re.DOTALL):
                if "__builtin_prefetch" not in body or re.search(r"\b(store|fma|load|add\w*|multiply_add|_mm\w+)\(", body):
                    continue
                found += 1
                with self.subTest(f"{path.name}: {name}"):
                    self.assertTrue("always_inline" in line or "prefetching_is_an_effect()" in body)
        self.assertGreaterEqual(found, 3)


class Packages(unittest.TestCase):
    """tools/packages.txt names what the build finds."""

    def test_every_find_package_is_listed(self):
        listed = set(re.findall(r"^[a-z][\w.+-]+$", (ROOT / "tools/packages.txt").read_text(), re.MULTILINE))
        provided_by = {
            "yaml-cpp": "libyaml-cpp-dev",
            "Boost": "libboost-dev",
            "OpenMP": "libomp-dev",
            "spdlog": "libspdlog-dev",
            "nlohmann_json": "nlohmann-json3-dev",
            "CLI11": "libcli11-dev",
            "ZLIB": "zlib1g-dev",
            "JPEG": "libjpeg62-turbo-dev",
            "LibArchive": "libarchive-dev",
            "Catch2": "catch2",
            "Python3": "python3",
            "Threads": "g++",
        }
        ours = {"NNRun"}
        for path in ROOT.glob("**/CMakeLists.txt"):
            if "build" in path.relative_to(ROOT).parts:
                continue
            if path.is_relative_to(ROOT / "docs") or "templates" in path.parts:
                continue
            for name, rest in re.findall(r"find_package\((\w[\w-]*)([^)]*)\)", path.read_text()):
                if name in ours or "QUIET" in rest:
                    continue
                with self.subTest(f"{path.relative_to(ROOT)}: {name}"):
                    self.assertIn(name, provided_by)
                    self.assertIn(provided_by[name], listed)


class Formatting(unittest.TestCase):
    def test_every_file_is_as_clang_format_leaves_it(self):
        ours = [p for p in sources("core", "plugins", "datasets", "tests", "tools", "docs")] + sorted(ROOT.glob("**/*.c"))
        ours = [str(p.relative_to(ROOT)) for p in ours if not {"build", "templates"} & set(p.relative_to(ROOT).parts)]
        self.assertGreater(len(ours), 400)
        found = subprocess.run(
            ["clang-format", "--dry-run", "--ferror-limit=1", "--Werror", *ours], cwd=ROOT, capture_output=True, text=True)
        differ = sorted(set(re.findall(r"^([^:\s]+):\d+:\d+: error", found.stderr, re.MULTILINE)))
        self.assertEqual(found.returncode, 0, f"run clang-format -i on: {' '.join(differ)}\n{found.stderr[:300]}")


if __name__ == "__main__":
    unittest.main()
