"""bench --tune and its file, choices for single layers, and runs that go on with them."""

import json

import harness
from harness import PLAIN

FORWARD = "1.dense/gemm_f32#1"


class Tuning(harness.Case):
    def write_choices(self, choices, more="", name="chosen.yaml"):
        lines = "".join(f'    "{request}": "{way}"\n' for request, way in choices.items())
        (self.folder / name).write_text(f"extends: {PLAIN}\nrun:\n{more}  kernels:\n{lines}")
        return name

    def choices_of(self, config):
        plan = json.loads(self.nnrun("plan", config, "--json").stdout)
        return {choice["request"]: choice for layer in plan["layers"] for choice in layer.get("choices", [])}

    def refusal(self, choices):
        return self.nnrun("plan", self.write_choices(choices), code=2).stderr

    def test_the_file_is_a_config(self):
        said = self.nnrun("bench", PLAIN, "--tune", "tuned.yaml", "--seconds", "0.02").stdout
        self.assertRegex(said, r"tuned.yaml: \d+ choice")
        text = (self.folder / "tuned.yaml").read_text()
        self.assertIn("tuned_on: ", text)
        measured = [line for line in text.splitlines() if "#" in line and "/" in line and line.startswith("    ")]
        plan = self.nnrun("plan", "tuned.yaml", "--why")
        self.assertNotIn("left out", plan.stderr)
        self.assertEqual(plan.stdout.count("run.kernels, for this layer"), len(measured))

    def test_why(self):
        choices = self.choices_of(self.write_choices({FORWARD: "scalar"}))
        self.assertEqual(choices[FORWARD]["kernel"], "scalar")
        self.assertEqual(choices[FORWARD]["why"], "run.kernels, for this layer")
        self.assertNotEqual(choices["3.dense/gemm_f32#1"]["why"], choices[FORWARD]["why"])
        forced = json.loads(self.nnrun("plan", PLAIN, "run.kernels=scalar", "--json").stdout)["layers"][1]["choices"]
        self.assertEqual({choice["why"] for choice in forced}, {"run.kernels: scalar"})

    def test_all_requests_of_a_layer(self):
        choices = self.choices_of(self.write_choices({"1.dense/gemm_f32": "scalar"}))
        dense = [choice for request, choice in choices.items() if request.startswith("1.dense/gemm_f32#")]
        self.assertGreater(len(dense), 1)
        self.assertEqual({choice["kernel"] for choice in dense}, {"scalar"})

    def test_a_run_goes_on_with_its_choices(self):
        config = self.write_choices({FORWARD: "scalar"})
        self.nnrun(config, "train.epochs=1")
        run = next((self.folder / "runs/chosen").iterdir())
        self.assertIn(f'"{FORWARD}": scalar', (run / "config.yaml").read_text())
        self.nnrun(config, "train.epochs=2", "--resume")
        self.write_choices({"3.dense/gemm_f32#1": "scalar"})
        refused = self.nnrun(config, "train.epochs=3", "--resume", code=1).stderr
        self.assertIn("run.kernels", refused)

    def test_choices_of_another_machine_are_left_out(self):
        config = self.write_choices({FORWARD: "scalar", "9.dense/no_such": "faster"}, "  tuned_on: \"a PDP-11, kernels 000000000000\"\n")
        plan = self.nnrun("plan", config, "--why")
        self.assertIn("left out: they were measured on a PDP-11", plan.stderr)
        self.assertNotIn("for this layer", plan.stdout)

    def test_bad_choices(self):
        for request, way, complaint in (
            ("1.dense/gemm_f32#0", "scalar", "a number from 1"),
            ("1.dense/gemm_f33#1", "scalar", "did you mean 'gemm_f32'"),
            (FORWARD, "skalar", "did you mean 'scalar'"),
            ("1.dens/gemm_f32#1", "scalar", "did you mean '1.dense'"),
            ("1.dense/gemm_f32#99", "scalar", "plan --why"),
            ("1.dense/adam_f32", "scalar", "asks for adam_f32 never"),
        ):
            with self.subTest(request=request, way=way):
                said = self.refusal({request: way})
                self.assertIn("chosen.yaml:4:", said)
                self.assertIn(complaint, said)

    def test_a_choice_that_does_not_fit_its_shape(self):
        kernels = json.loads(self.nnrun("kernels", "--json").stdout)["kernels"]
        if not any(p["table"] == "avx2" for kernel in kernels for p in kernel["providers"]):
            self.skipTest("no AVX2 here")
        (self.folder / "net.yaml").write_text(
            "model: {input: [8, 8, 3], layers: [{conv2d: {filters: 4, kernel: 5}}]}\n"
            'run: {kernels: {"0.conv2d/conv2d_forward_f32": "avx2, Winograd"}}\n'
        )
        self.assertIn("does not support its shape", self.nnrun("plan", "net.yaml", code=2).stderr)

    def test_tune_refuses_what_it_would_ignore(self):
        self.assertIn("--tune takes a config", self.nnrun("bench", PLAIN, "train.batch=2", "--tune", "t.yaml", code=2).stderr)
        config = self.write_choices({FORWARD: "scalar"})
        self.assertIn("leaves nothing to --tune", self.nnrun("bench", config, "--tune", "t.yaml", code=2).stderr)
        self.assertIn("cannot write", self.nnrun("bench", PLAIN, "--tune", "missing/t.yaml", "--seconds", "0.01", code=1).stderr)


if __name__ == "__main__":
    harness.main()
