#!/usr/bin/env python3
"""Broken plugins in front of the command line: exit codes and messages.

usage: test_library.py NNRUN FOLDER_OF_BROKEN_PLUGINS
"""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

NNRUN, BROKEN = (pathlib.Path(word).resolve() for word in sys.argv[1:3])

CONFIG = """\
seed: 1
{plugins}
data:
  source: {{drawn_digits: {{count: 60}}}}
  transforms: [{{scale: {{divide_by: 255}}}}]
model:
  layers:
    - flatten
    - dense: {{units: 4}}
    - {layer}
    - dense: {{units: 10}}
train:
  epochs: 1
  batch: 20
  loss: softmax_cross_entropy
  optimizer: sgd
run: {{observers: [], threads: 2}}
"""
LAYER_PLACE = "net.yaml:10:7: error: "


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="nnrun_library_"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def run_nnrun(self, *words, path="", user=None):
        environment = {key: value for key, value in os.environ.items() if not key.startswith("NNRUN_")}
        environment["NO_COLOR"] = "1"
        if path:
            environment["NNRUN_PLUGIN_PATH"] = str(path)
        return subprocess.run([NNRUN, *map(str, words)], cwd=self.folder, env=environment, capture_output=True, text=True,
                              timeout=120, user=user, check=False)

    def train(self, layer, plugins=None, path="", words=()):
        """Trains with a layer; `plugins` goes into the config, `path` into the environment."""
        listed = "" if plugins is None else "plugins: [" + ", ".join(str(plugin) for plugin in plugins) + "]"
        (self.folder / "net.yaml").write_text(CONFIG.format(layer=layer, plugins=listed))
        return self.run_nnrun("net.yaml", *words, path=path)

    def copied(self, name, to="plugins"):
        """A plugin alone in a folder of its own."""
        folder = self.folder / to
        folder.mkdir(exist_ok=True)
        shutil.copy(BROKEN / name, folder / name)
        return folder / name

    def expect(self, result, code, *texts):
        everything = result.stdout + result.stderr
        self.assertEqual(result.returncode, code, everything)
        for text in texts:
            self.assertIn(text, everything)


class Skipped(Case):
    """A library that cannot be used is skipped in a search folder, and an error where a config names it."""

    def check(self, file, *reasons):
        with self.subTest("in a search folder"):
            result = self.run_nnrun("plugins", "--json", "--plugin-path", file.parent)
            self.expect(result, 0)
            skipped = {pathlib.Path(entry["file"]).name: entry["reason"] for entry in json.loads(result.stdout)["skipped"]}
            self.assertEqual(list(skipped), [file.name])
            for reason in reasons:
                self.assertIn(reason, skipped[file.name])
        with self.subTest("behind an unknown name"):
            self.expect(self.train("swish", path=file.parent), 2, LAYER_PLACE + "unknown layer 'swish'",
                        f"note: {file.name} was skipped: ", *reasons)
        with self.subTest("named by the config"):
            self.expect(self.train("relu", plugins=[file]), 2,
                        f"net.yaml:2:11: error: the plugin {file} cannot be used: ", *reasons)
        with self.subTest("check-plugin"):
            self.expect(self.run_nnrun("check-plugin", file), 2, "cannot be loaded: ", *reasons)

    def test_wrong_major(self):
        self.check(self.copied("wrong_major.so"), "it needs ABI ", "this nnrun provides ", "build it again")

    def test_newer_minor(self):
        self.check(self.copied("newer_minor.so"), "it needs ABI ", "this nnrun provides only ", "use a newer nnrun")

    def test_older_minor(self):
        self.check(self.copied("older_minor.so"), "it was built for ABI ", "this nnrun provides ", "build it again")

    def test_no_symbol(self):
        self.check(self.copied("no_symbol.so"), "not an nnrun plugin: it does not export nnrun_plugin_v1")

    def test_undefined_symbol(self):
        self.check(self.copied("undefined_symbol.so"), "the dynamic linker refuses it: ", "nnrun_test_defined_nowhere")

    def test_absent_feature(self):
        self.check(self.copied("absent_feature.so"), "this CPU lacks amx_never")

    def test_text(self):
        file = self.copied("good.so")
        file.write_text("not a library\n")
        self.check(file, "not a shared library (no ELF header)")

    def test_empty(self):
        file = self.copied("good.so")
        file.write_bytes(b"")
        self.check(file, "not a shared library (no ELF header)")

    def test_cut_in_the_header(self):
        file = self.copied("good.so")
        file.write_bytes(file.read_bytes()[:40])
        self.check(file, "not a shared library (no ELF header)")

    def test_cut_behind_the_header(self):
        file = self.copied("good.so")
        file.write_bytes(file.read_bytes()[:100])
        self.check(file, "truncated: it has 100 bytes")

    def test_cut_in_the_middle(self):
        file = self.copied("good.so")
        whole = file.read_bytes()
        file.write_bytes(whole[:len(whole) // 2])
        self.check(file, f"truncated: it has {len(whole) // 2} bytes")

    def test_executable(self):
        (self.folder / "plugins").mkdir()
        file = self.folder / "plugins" / "program.so"
        shutil.copy(BROKEN / "executable", file)
        self.check(file, "the dynamic linker refuses it: ")

    def test_object(self):
        (self.folder / "plugins").mkdir()
        file = self.folder / "plugins" / "object.so"
        shutil.copy(BROKEN / "object.o", file)
        self.check(file, "an ELF file, but not a shared library")

    @unittest.skipUnless((BROKEN / "mxcsr.so").exists(), "x86 only")
    def test_floating_point_mode(self):
        self.check(self.copied("mxcsr.so"), "changed the floating-point mode of the whole program (MXCSR)", "without -ffast-math")

    def test_component_without_name(self):
        self.check(self.copied("nameless.so"), "it has a component without kind, name or table of functions")

    def test_parameter_without_description(self):
        self.check(self.copied("undocumented.so"), "layer 'undocumented' has a parameter without a name or a description")

    def test_world_writable_file(self):
        file = self.copied("good.so")
        file.chmod(0o666)
        self.check(file, "the file is writable for everyone: anyone could put code there; chmod o-w ")

    def test_world_writable_folder(self):
        file = self.copied("good.so")
        file.parent.chmod(0o777)
        self.check(file, "its folder is writable for everyone: anyone could put code there; chmod o-w ")

    def test_floating_point_mode_is_put_back(self):
        # What is trained beside a library that changes the mode has the same bits as without it.
        if not (BROKEN / "mxcsr.so").exists():
            self.skipTest("x86 only")
        hashes = []
        for path in ["", self.copied("mxcsr.so").parent]:
            self.expect(self.train("relu", path=path, words=["run.observers=[metrics]"]), 0)
            metrics = next((self.folder / "runs").rglob("metrics.jsonl"))
            hashes.append(re.findall(r'"weights_sha256": ?"(\w+)"', metrics.read_text()))
            shutil.rmtree(self.folder / "runs")
        self.assertEqual(len(hashes[0]), 1)
        self.assertEqual(hashes[0], hashes[1])


class Paths(Case):
    def test_missing_file(self):
        self.expect(self.train("relu", plugins=["absent.so"]), 2, "net.yaml:2:11: error: the plugin ",
                    "absent.so cannot be used: cannot be opened: ")
        self.expect(self.run_nnrun("check-plugin", "absent.so"), 2, "absent.so cannot be loaded: cannot be opened: ")

    def test_missing_folder(self):
        self.expect(self.train("swish", path=self.folder / "absent"), 2, LAYER_PLACE + "unknown layer 'swish'",
                    "absent was skipped: cannot be listed: ")
        self.expect(self.train("relu", path=self.folder / "absent"), 0)

    def test_folder_without_permission(self):
        user = None
        if os.geteuid() == 0:
            # root may read everything: as nobody, where nobody can reach the program.
            user = 65534
            try:
                self.folder.chmod(0o755)
                self.expect(self.run_nnrun("--version", user=user), 0)
            except (PermissionError, AssertionError):
                self.skipTest("this user may read every folder, and another cannot run the program")
        folder = self.copied("twin_a.so", "closed").parent
        folder.chmod(0)
        self.addCleanup(folder.chmod, 0o755)
        result = self.run_nnrun("plugins", "--plugin-path", folder, user=user)
        self.expect(result, 0, "closed: cannot be listed: Permission denied")

    def test_never_from_the_current_directory(self):
        shutil.copy(BROKEN / "twin_a.so", self.folder / "nnrun_twin.so")
        self.expect(self.train("twin"), 2, LAYER_PLACE + "unknown layer 'twin'")

    def test_each_way_to_find_a_plugin(self):
        file = self.copied("twin_a.so")
        self.expect(self.train("twin", path=file.parent), 0)
        self.expect(self.train("twin", plugins=["plugins/twin_a.so"]), 0)
        self.expect(self.train("twin", words=["--plugin-path", file.parent]), 0)
        # The same file by two roads is one plugin.
        link = self.folder / "link"
        link.symlink_to(file.parent)
        self.expect(self.train("twin", plugins=[file], path=link), 0)


class Duplicates(Case):
    def test_two_plugins_with_one_name(self):
        a, b = self.copied("twin_a.so"), self.copied("twin_b.so")
        self.expect(self.train("twin", path=a.parent), 2, LAYER_PLACE + "several plugins bring layer 'twin'",
                    f"note: twin_a/twin is in {a}", f"note: twin_b/twin is in {b}")
        self.expect(self.train("twin_a/twin", path=a.parent), 0)
        self.expect(self.train("twin_b/twin", path=a.parent), 0)
        self.expect(self.train("twin_c/twin", path=a.parent), 2, LAYER_PLACE + "unknown layer 'twin_c/twin'")


class Thrown(Case):
    """Whatever a component throws is an error at its place in the config."""

    texts = {"error": "an nnrun::Error out of {}", "standard": "a std::runtime_error out of {}",
             "integer": "an exception that is not a std::exception"}

    def test_all(self):
        plugin = BROKEN / "thrower.so"
        for place, code in {"create": 2, "plan": 2, "forward": 1, "parallel": 1, "backward": 1}.items():
            for what, text in self.texts.items():
                with self.subTest(place=place, what=what):
                    result = self.train("thrower: {place: %s, what: %s}" % (place, what), plugins=[plugin])
                    # nnrun::Error::at() names the parameter at fault; the others are placed at the layer.
                    column = 24 if what == "error" else 7
                    self.expect(result, code, f"net.yaml:10:{column}: error: ", "thrower", text.format(place))

    def test_none(self):
        self.expect(self.train("thrower", plugins=[BROKEN / "thrower.so"]), 0)


class CheckPlugin(Case):
    """`nnrun check-plugin` finds each fault, and blames the right component."""

    faults = {
        "layer wrong_gradient": ("gradients", "finite differences (step 2^-6) say"),
        "layer overrun": ("forward", "y: memory behind it was written to"),
        "layer scratch_overrun": ("forward", "scratch memory 0: memory behind it was written to (0 bytes behind its 100)"),
        "layer writes_input": ("forward", "x was written to in forward, without in_place()"),
        "layer leaves_rows": ("forward", "expected a finite number: it was not written"),
        "layer counts_threads": ("threads", "to the bit"),
        "layer forgets_needs": ("backward's memory", "does not say backward_needs_input()"),
        "layer ignores_batch": ("smaller batches", "a batch of 3 in a plan for 7: y: rows behind the batch were written to"),
        "layer not_in_place": ("in place", "to the bit"),
        "layer reads_given_up": ("gradient_ready", "with weights changed as gradient_ready() allows"),
        "layer wrong_default": ("parameters", "the default of 'rate' is out of its range"),
        "optimizer cut_dependent": ("slices", "in slices of 1, weights[0] is"),
        "dataset restless": ("samples", "is another one when read again"),
    }

    def test_faults(self):
        result = self.run_nnrun("check-plugin", BROKEN / "faulty.so")
        self.assertEqual(result.returncode, 1, result.stdout + result.stderr)
        failed = {}
        component = ""
        for line in result.stdout.splitlines():
            if line and not line.startswith(" "):
                component = line.split(":")[0]
            elif " FAILED " in line:
                check, detail = line.split(" FAILED ", 1)
                failed.setdefault(component, {})[check.strip()] = detail
        self.assertNotIn("layer right", failed)
        for component, (check, text) in self.faults.items():
            with self.subTest(component):
                self.assertIn(check, failed.get(component, {}))
                self.assertIn(text, failed[component][check])

    def test_good(self):
        self.expect(self.run_nnrun("check-plugin", BROKEN / "twin_a.so"), 0, "layer twin: y = x", " 0 failed")


class NewPlugin(Case):
    def test_refusals(self):
        self.expect(self.run_nnrun("new", "layr", "swish"), 2, "nnrun new knows no kind 'layr'", "did you mean 'layer'?")
        self.expect(self.run_nnrun("new", "layer"), 2, "expected one name behind the kind, got 0")
        for name in ["Swish", "1st", "a-b", "../a", "a__b", "a_", "", "x" * 41]:
            with self.subTest(name):
                self.expect(self.run_nnrun("new", "layer", name), 2, "a plugin's name is made of a-z, 0-9")
        self.expect(self.run_nnrun("new", "layer", "dense"), 2, "there is a component 'dense' of kind layer already")
        (self.folder / "mine").mkdir()
        self.expect(self.run_nnrun("new", "layer", "mine"), 2, "mine is there already")
        self.assertEqual(list((self.folder / "mine").iterdir()), [])

    def test_files(self):
        for kind in ["layer", "optimizer", "dataset", "kernels"]:
            with self.subTest(kind):
                name = "my_" + kind
                self.expect(self.run_nnrun("new", kind, name), 0, f"wrote {name}/")
                files = sorted(file.name for file in (self.folder / name).iterdir())
                self.assertEqual(files, sorted(["CMakeLists.txt", "README.md", name + ".cpp", name + ".yaml"]))
                for file in (self.folder / name).iterdir():
                    self.assertNotIn("@", file.read_text().replace("@@", ""), file.name)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0]])
