"""`nnrun plan` on every bad config prints its golden message and exits with 2: the real command, registry and plugins.

bad/ fails the checks of the config itself (test_core runs them too, with components of its own); bad_nets/ fails when the net is planned or the data
opened. NNRUN_UPDATE_GOLDEN=1 writes the goldens of bad_nets/ anew.
"""

import os
import pathlib
import subprocess
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
NNRUN = pathlib.Path(sys.argv.pop(1)).resolve()
UPDATE = os.environ.get("NNRUN_UPDATE_GOLDEN") == "1"


def run(config):
    arguments = config.with_suffix(".args")
    overrides = arguments.read_text().splitlines() if arguments.exists() else []
    # Data roots differ between machines; messages that name one shall not.
    environment = {k: v for k, v in os.environ.items() if not k.startswith("NNRUN_")} | {"NNRUN_DATA": "/nonexistent"}
    words = [NNRUN, "plan" if config.parent.name == "bad" else "train", config.name, *overrides]
    return subprocess.run(words, cwd=config.parent, env=environment, capture_output=True, text=True)


class BadConfigs(unittest.TestCase):
    maxDiff = None

    def check(self, folder):
        configs = sorted((HERE / folder).glob("*.yaml"))
        self.assertTrue(configs)
        for config in configs:
            with self.subTest(config.name):
                done = run(config)
                golden = config.with_suffix(".txt")
                if UPDATE and folder == "bad_nets":
                    golden.write_text(done.stderr)
                self.assertEqual(done.stderr, golden.read_text())
                self.assertEqual(done.returncode, 2)
                self.assertFalse((config.parent / "runs").exists(), "a refused config left a run behind")

    def test_configs(self):
        self.check("bad")

    def test_nets(self):
        self.check("bad_nets")


if __name__ == "__main__":
    unittest.main()
