"""nnrun check-gradients: what it prints, and its exit codes. The differences themselves are tested with the runtime."""

import json
import os

import harness
from harness import PLAIN, RICH

TEST_PLUGINS = os.environ["NNRUN_TEST_PLUGINS"]
WRONG = (
    "model.layers=[flatten, {dense: {units: 12}}, {name: middle, wrong_gradient: {dx: 1.1}}, relu, {dense: {units: 10}}]",
    "--plugin-path",
    TEST_PLUGINS,
)


class Gradients(harness.Case):
    def test_a_right_net(self):
        out = self.nnrun("check-gradients", RICH).stdout
        self.assertIn("32 training samples", out)
        self.assertIn("5.dense + relu", out)
        self.assertNotIn("FAILED", out)
        self.assertFalse((self.folder / "runs").exists())

    def test_json(self):
        document = json.loads(self.nnrun("check-gradients", PLAIN, "--json").stdout)
        self.assertTrue(document["passed"])
        self.assertEqual(document["samples"], 32)
        self.assertNotIn("fault", document)
        rows = {(row["layer"], row["tensor"]): row for row in document["gradients"]}
        self.assertEqual(len(rows), 6)
        for row in rows.values():
            self.assertEqual(row["verdict"], "ok")
            self.assertLess(row["relative_error"], 0.01)
        self.assertLess(rows["3.dense", "weights"]["relative_error_through_net"], 0.05)

    def test_a_wrong_layer_is_named(self):
        result = self.nnrun("check-gradients", PLAIN, *WRONG, code=1)
        self.assertRegex(result.stdout, r"middle +dx +FAILED")
        self.assertIn("error: middle: the gradient dx is wrong", result.stderr)
        self.assertIn("wrong_gradient: {dx: 1.1}", result.stderr)
        self.assertIn("^~", result.stderr)
        document = json.loads(self.nnrun("check-gradients", PLAIN, *WRONG, "--json", code=1).stdout)
        self.assertFalse(document["passed"])
        self.assertEqual(document["fault"], {"layer": "middle", "tensor": "dx"})

    def test_nets_that_have_no_gradients(self):
        (self.folder / "net.yaml").write_text("model: {input: [8], layers: [{dense: {units: 5}}]}\n")
        self.assertIn("no data", self.nnrun("check-gradients", "net.yaml", code=2).stderr)
        self.nnrun("check-gradients", "missing.yaml", code=2)
        self.nnrun("check-gradients", code=2)


if __name__ == "__main__":
    harness.main()
