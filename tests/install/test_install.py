#!/usr/bin/env python3
"""An installed nnrun, as someone without the sources has it: plugins by other compilers, `nnrun new`, embedding, and every
command of docs/write-a-layer.md, write-a-kernel.md and x86-assembly.md.

usage: test_install.py BUILD_FOLDER SOURCE_FOLDER COMPILER...
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

BUILD, SOURCE = (pathlib.Path(word).resolve() for word in sys.argv[1:3])
COMPILERS = sys.argv[3:]
# What is enough to see that it trains.
SMALL = ["train.epochs=1", "data.source.drawn_digits.count=600"]
WARNINGS = "-DCMAKE_CXX_FLAGS=-Wall -Wextra -Wconversion -Wshadow"


class Install(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="nnrun_install_"))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        cls.prefix = cls.folder / "prefix"
        subprocess.run(["cmake", "--install", BUILD, "--prefix", cls.prefix], check=True, stdout=subprocess.DEVNULL)

    def run_there(self, *words, folder=None, code=0, **environment):
        """Runs a command with nothing of the sources or the build in its environment."""
        clean = {key: value for key, value in os.environ.items() if not key.startswith(("NNRUN_", "CMAKE_", "LD_"))}
        clean |= {"PATH": f"{self.prefix / 'bin'}:{os.environ['PATH']}", "CMAKE_PREFIX_PATH": str(self.prefix)} | environment
        result = subprocess.run([str(word) for word in words], cwd=folder or self.folder, env=clean, text=True, timeout=900,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        self.assertEqual(result.returncode, code, f"{' '.join(map(str, words))}\n{result.stdout}")
        return result.stdout

    def build(self, project, build, *options):
        self.run_there("cmake", "-S", project, "-B", build, "-G", "Ninja", *options)
        output = self.run_there("cmake", "--build", build)
        self.assertNotIn("warning", output)

    def example(self, name):
        """A copy of an example, out of sight of the source tree."""
        folder = pathlib.Path(tempfile.mkdtemp(prefix=name + "_", dir=self.folder))
        return pathlib.Path(shutil.copytree(SOURCE / "docs" / "examples" / name, folder / name))

    def test_layout(self):
        for path in ["bin/nnrun", "include/nnrun/plugin.hpp", "include/nnrun/nnrun.h", "include/nnrun/runtime.hpp",
                     "lib/nnrun/plugins/nnrun_layers.so", "share/nnrun/configs/mnist_mlp.yaml",
                     "share/nnrun/templates/layer/NAME.cpp"]:
            self.assertTrue((self.prefix / path).exists(), path)
        listed = self.run_there("nnrun", "plugins")
        self.assertNotIn("skipped", listed)
        self.assertNotIn(str(BUILD), listed)
        for file in self.prefix.rglob("*.cmake"):
            text = file.read_text()
            for place in [str(SOURCE), str(BUILD)]:
                self.assertNotIn(place, text, f"{file.name} points back to the sources or the build")

    def test_runtime_exports_its_interface_alone(self):
        library = next(self.prefix.rglob("libnnrun.so"))
        exported = subprocess.run(["nm", "-DC", "--defined-only", library], capture_output=True, text=True, check=True).stdout
        own = [line.split(" ", 2)[2] for line in exported.splitlines() if " T " in line]
        self.assertTrue(own)
        for symbol in own:
            self.assertRegex(symbol, r"^(typeinfo \w+ for |vtable for )?nnrun::(Runtime|Model|RuntimeError)\b")

    def test_layer_by_each_compiler(self):
        for compiler in COMPILERS:
            with self.subTest(compiler):
                project = self.example("swish")
                self.build(project, project / "build", f"-DCMAKE_CXX_COMPILER={compiler}", WARNINGS)
                tests = self.run_there("ctest", "--test-dir", project / "build", "--output-on-failure")
                self.assertIn("check_plugin_swish", tests)
                # By `plugins:` of the config, beside it; by --plugin-path; by NNRUN_PLUGIN_PATH.
                self.run_there("nnrun", "swish.yaml", *SMALL, folder=project)
                listed = ["plugins=[]", *SMALL]
                self.run_there("nnrun", "swish.yaml", *listed, "--plugin-path", project / "build", folder=project)
                self.run_there("nnrun", "swish.yaml", *listed, folder=project, NNRUN_PLUGIN_PATH=str(project / "build"))
                unknown = self.run_there("nnrun", "swish.yaml", *listed, folder=project, code=2)
                self.assertIn("unknown layer 'swish'", unknown)
                explained = self.run_there("nnrun", "explain", "swish", "--plugin-path", project / "build")
                self.assertIn("sharpness of the gate", explained)

    def test_one_layer_by_two_compilers_has_the_same_bits(self):
        # The formula has no room for choice but for exp(), which both take from libm; contraction to FMA is off on this target.
        hashes = set()
        for compiler in COMPILERS:
            project = self.example("swish")
            self.build(project, project / "build", f"-DCMAKE_CXX_COMPILER={compiler}",
                       "-DCMAKE_CXX_FLAGS=-ffp-contract=off -fno-tree-vectorize")
            self.run_there("nnrun", "swish.yaml", *SMALL, folder=project)
            metrics = next((project / "runs").rglob("metrics.jsonl")).read_text()
            hashes |= set(re.findall(r'"weights_sha256": ?"(\w+)"', metrics))
        self.assertEqual(len(hashes), 1, hashes)

    def test_embedding(self):
        for compiler in COMPILERS:
            with self.subTest(compiler):
                project = self.example("embed")
                self.build(project, project / "build", f"-DCMAKE_CXX_COMPILER={compiler}", WARNINGS)
                output = self.run_there(project / "build" / "embed", "embed.yaml", folder=project)
                self.assertRegex(output, r"trained: test loss \d")
                self.assertRegex(output, r"accuracy \d+\.\d %")
                self.assertRegex(output, r"a vertical stroke is taken for: \d \(")
                self.assertIn("error", self.run_there(project / "build" / "embed", "absent.yaml", folder=project, code=2))

    def test_new_projects(self):
        for kind in ["layer", "optimizer", "dataset", "kernels"]:
            with self.subTest(kind):
                folder = pathlib.Path(tempfile.mkdtemp(prefix="new_", dir=self.folder))
                name = "my_" + kind
                self.run_there("nnrun", "new", kind, name, folder=folder)
                project = folder / name
                self.build(project, project / "build", WARNINGS)
                tests = self.run_there("ctest", "--test-dir", project / "build", "--output-on-failure")
                self.assertIn("check_plugin_" + ("kernels_" if kind == "kernels" else "") + name, tests)
                self.assertIn(" train ", tests)
                # The config finds the library that was built beside it.
                self.run_there("nnrun", name + ".yaml", "train.epochs=1", folder=project)

    def test_kernels_by_each_compiler(self):
        for compiler in COMPILERS:
            with self.subTest(compiler):
                project = self.example("tall_sums")
                self.build(project, project / "build", f"-DCMAKE_CXX_COMPILER={compiler}", WARNINGS)
                self.run_there("ctest", "--test-dir", project / "build", "--output-on-failure")
                # On 2000 rows of 13; the other shapes have more columns or one range.
                checked = self.run_there("nnrun", "check-plugin", project / "build" / "nnrun_kernels_tall_sums.so")
                self.assertIn("as the scalar one, on 3 shapes", checked)
                planned = self.run_there("nnrun", "plan", "tall_sums.yaml", folder=project)
                self.assertEqual(planned.count("column_sum_f32 (tall_sums, tall)"), 2, planned)
                self.run_there("nnrun", "tall_sums.yaml", *SMALL, folder=project)
                # For all kernels: what it lacks is told.
                output = self.run_there("nnrun", "tall_sums.yaml", "run.kernels=tall_sums", *SMALL, folder=project)
                self.assertRegex(output, r"kernels 'tall_sums' lack some of what this net needs; plain ones run instead: .*gemm_f32 \(scalar\)")
                # 65 units are too many columns for it.
                wide = self.run_there("nnrun", "tall_sums.yaml", "model.layers[1].dense.units=65", folder=project, code=2)
                self.assertIn("supports this shape in the kernels 'tall_sums' that are asked for", wide)

    def run_commands_of(self, document, folder):
        """Every command in a page of docs, in its order, in one folder. `cd` counts for what follows."""
        text = (SOURCE / "docs" / document).read_text()
        blocks = re.findall(r"```sh\n(.*?)```", text, re.S)
        commands = [line.strip() for block in blocks for line in block.splitlines() if line.strip()]
        self.assertGreater(len(commands), 5)
        script = folder / "guide.sh"
        script.write_text("set -euo pipefail\n" + "\n".join(commands) + "\n")
        return self.run_there("bash", script, folder=folder)

    def test_commands_of_the_guides(self):
        for document in ["write-a-layer.md", "write-a-kernel.md"]:
            with self.subTest(document):
                self.run_commands_of(document, pathlib.Path(tempfile.mkdtemp(prefix="guide_", dir=self.folder)))

    @unittest.skipUnless(shutil.which("nasm") and os.uname().machine == "x86_64", "needs nasm and x86-64")
    def test_commands_of_the_page_on_assembly(self):
        # In what looks like a checkout.
        folder = pathlib.Path(tempfile.mkdtemp(prefix="guide_", dir=self.folder))
        for name in ["configs", "plugins", "docs"]:
            (folder / name).symlink_to(SOURCE / name)
        output = self.run_commands_of("x86-assembly.md", folder)
        self.assertIn("39 products: 77", output)
        self.assertIn("gemm_f32 (sse_asm)", output)

    def test_the_page_on_assembly_shows_the_source(self):
        def code(text):
            return [line for line in (line.split(";")[0].rstrip() for line in text.splitlines()) if line]

        page = (SOURCE / "docs" / "x86-assembly.md").read_text()
        shown = code("\n".join(re.findall(r"```nasm\n(.*?)```", page, re.S)))
        source = code((SOURCE / "plugins" / "kernels" / "sse_asm" / "dot_product.asm").read_text())
        begin = source.index("FUNCTION dot_product")
        self.assertEqual(shown, source[begin:source.index("FUNCTION dot_products")])

    def test_the_page_on_kernels_shows_the_source(self):
        page = (SOURCE / "docs" / "write-a-kernel.md").read_text()
        sources = [(SOURCE / path).read_text() for path in ["core/include/nnrun/kernels.h", "docs/examples/tall_sums/tall_sums.cpp"]]
        blocks = re.findall(r"```cpp\n(.*?)```", page, re.S)
        self.assertEqual(len(blocks), 2)
        for block in blocks:
            self.assertTrue(any(block in source for source in sources), block)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0]])
