"""--json: one document each, with the keys that are documented."""

import json

import harness
from harness import PLAIN


class Json(harness.Case):
    def document(self, *words):
        result = self.nnrun(*words, "--json")
        return json.loads(result.stdout)

    def test_plan(self):
        plan = self.document("plan", PLAIN)
        self.assertEqual(plan["input"], [28, 28, 1])
        self.assertEqual(plan["batch"], 32)
        self.assertEqual(plan["parameters"], 784 * 24 + 24 + 24 * 10 + 10)
        self.assertGreater(plan["training_bytes"], 0)
        self.assertEqual([layer["name"] for layer in plan["layers"]], ["0.flatten", "1.dense", "3.dense"])
        dense = plan["layers"][1]
        self.assertEqual(dense["absorbed"], ["relu"])
        self.assertEqual(dense["output"], [32, 24])
        self.assertEqual(dense["parameters"], 784 * 24 + 24)
        self.assertEqual(dense["bytes"], 32 * 24 * 4)
        self.assertEqual(dense["forward_flops"], 2 * 32 * 784 * 24)
        self.assertTrue(any("gemm_f32 (" in kernel for kernel in dense["kernels"]))
        scalar = self.document("plan", PLAIN, "run.kernels=scalar")
        self.assertIn("gemm_f32 (scalar)", scalar["layers"][1]["kernels"])

    def test_plan_without_data(self):
        (self.folder / "net.yaml").write_text("model: {input: [8, 8, 3], layers: [flatten, {dense: {units: 5}}]}\n")
        self.assertEqual(self.document("plan", "net.yaml")["parameters"], 192 * 5 + 5)

    def test_kernels(self):
        kernels = self.document("kernels")
        self.assertIsInstance(kernels["cpu_features"], list)
        names = [kernel["name"] for kernel in kernels["kernels"]]
        self.assertIn("gemm_f32", names)
        self.assertEqual(len(names), len(set(names)))
        for kernel in kernels["kernels"]:
            self.assertIn("scalar", [provider["table"] for provider in kernel["providers"]])
            scores = [provider["score"] for provider in kernel["providers"]]
            self.assertEqual(scores, sorted(scores, reverse=True))

    def test_plugins(self):
        plugins = self.document("plugins")
        self.assertEqual(plugins["skipped"], [])
        found = {(component["kind"], component["name"]) for plugin in plugins["plugins"] for component in plugin["components"]}
        self.assertLessEqual({("layer", "dense"), ("loss", "softmax_cross_entropy"), ("optimizer", "adam"), ("dataset", "idx"),
                              ("kernels", "scalar")}, found)
        for plugin in plugins["plugins"]:
            self.assertLessEqual({"name", "version", "build", "file"}, plugin.keys())

    def test_plugins_that_are_none(self):
        (self.folder / "plugins").mkdir(mode=0o755)
        (self.folder / "plugins/nnrun_broken.so").write_text("not a library")
        skipped = self.document("plugins", "--plugin-path", "plugins")["skipped"]
        self.assertTrue(any("nnrun_broken.so" in entry["file"] and entry["reason"] for entry in skipped), skipped)

    def test_bench(self):
        bench = self.document("bench", PLAIN, "--seconds", "0.05")
        self.assertLessEqual({"config", "threads", "precision", "train", "inference", "layers"}, bench.keys())
        self.assertGreater(bench["train"]["samples_per_s"], 0)
        self.assertGreater(bench["train"]["step_ms"], 0)
        self.assertGreater(bench["train"]["loading_ms"], 0)
        batches = [row["batch"] for row in bench["inference"]]
        self.assertLessEqual({1, 16, 64, 32}, set(batches))
        for row in bench["inference"]:
            self.assertGreater(row["samples_per_s"], 0)
            self.assertGreater(row["ms"], 0)
        self.assertEqual(len(bench["layers"]), 3)


if __name__ == "__main__":
    harness.main()
