"""What is compared: nets, who runs each of them, and with which settings."""

import pathlib
import sys
import typing

import running

HERE = pathlib.Path(__file__).resolve().parent
NNRUN = "nnrun"

# glibc gives large blocks back and faults them in again at every step, unless told to keep them; huge pages help too.
KEEP_MEMORY = "glibc.malloc.hugetlb=1:glibc.malloc.mmap_threshold=4294967296:glibc.malloc.trim_threshold=4294967296"


def has_avx512():
    cpuinfo = pathlib.Path("/proc/cpuinfo")
    return cpuinfo.exists() and "avx512f" in cpuinfo.read_text()


# PyTorch 1.13 takes its AVX2 loops even where there is AVX-512; its square root is twice as fast with.
CAPABILITY = {"ATEN_CPU_CAPABILITY": "avx512"} if has_avx512() else {}


def tuned_for_products(threads):
    # Two teams of threads, OpenMP's and OpenBLAS', get in each other's way. Products are most of the work: OpenBLAS' it is.
    return {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": str(threads), "GLIBC_TUNABLES": KEEP_MEMORY} | CAPABILITY


def tuned_for_convolutions(threads):
    # Convolutions are oneDNN's, which has OpenMP's team. Spinning threads take the cores from whoever computes.
    settings = {"OMP_NUM_THREADS": str(threads), "OPENBLAS_NUM_THREADS": "1", "GLIBC_TUNABLES": KEEP_MEMORY}
    return settings | CAPABILITY | ({"OMP_WAIT_POLICY": "PASSIVE"} if threads > 1 else {})


def as_it_comes(threads):
    return {"OMP_NUM_THREADS": str(threads)}


def for_numpy(threads):
    return {"OPENBLAS_NUM_THREADS": str(threads), "GLIBC_TUNABLES": KEEP_MEMORY}


def for_onednn(threads):
    settings = {"OMP_NUM_THREADS": str(threads), "GLIBC_TUNABLES": KEEP_MEMORY}
    # Between two primitives are microseconds: too short to sleep and wake.
    return settings | ({"OMP_WAIT_POLICY": "ACTIVE", "OMP_PROC_BIND": "true"} if threads > 1 else {})


def for_onednn_avx2(threads):
    return for_onednn(threads) | {"ONEDNN_MAX_CPU_ISA": "AVX2"}


class Peer(typing.NamedTuple):
    settings: typing.Callable  # of a number of threads: its environment
    program: str  # a script beside this one, or a program of the build
    arguments: tuple = ()

    def measure(self, options, fixture, threads):
        if self.program.endswith(".py"):
            words = [sys.executable, HERE / self.program, "--fixture", fixture, "--threads", threads, "--seconds", options.seconds]
        else:
            words = [options.build / "bin" / self.program, fixture, threads, options.seconds]
        return running.run_json([*words, *self.arguments], self.settings(threads), threads)


class Workload(typing.NamedTuple):
    title: str
    fixture: str  # its folder's name
    config: str
    overrides: tuple  # of the config
    train: dict  # {optimizer: config that trains with it}
    batch: int  # of a training step
    inference: tuple  # batches
    peers: dict  # {name: Peer}
    # Overrides for comparing logits, and those for gradients, with the fixture's; None: it has none.
    agreement: tuple | None = None

    def rows(self):
        for optimizer in self.train:
            yield "train", optimizer, f"train, {optimizer}"
        for batch in self.inference:
            yield "inference", str(batch), f"infer, batch {batch}"

    def bench(self, options, config, threads, *more):
        words = ["bench", config, "--json", "--seconds", options.seconds, f"run.threads={threads}", *self.overrides, *more]
        return running.run_json([options.nnrun, *words], {}, threads)

    def measure_nnrun(self, options, threads):
        """nnrun bench, in the shape of the peers' documents."""
        result = {"peer": NNRUN, "threads": threads, "settings": {}, "train": {}, "inference": {}, "peak": []}
        for optimizer, config in (self.train or {None: self.config}).items():
            document = self.bench(options, config, threads)
            if optimizer:
                result["train"][optimizer] = document["train"]["samples_per_s"]
            result["settings"]["precision"] = document.get("precision")
            result["peak"].append(document["peak"]["gflops"])
        result["layers"] = document["layers"]
        rows = document["inference"]
        largest = max(self.inference, default=0)
        if largest and all(row["batch"] != largest for row in rows):
            rows = rows + self.bench(options, config, threads, f"train.batch={largest}")["inference"]
        for row in rows:
            if row["batch"] in self.inference:
                result["inference"].setdefault(str(row["batch"]), row["samples_per_s"])
        result["shares"] = {str(row["batch"]): row for row in rows}
        return result

    def demand_agreement(self, options):
        """nnrun's logits and gradients on the fixture's weights and samples; running.Failure where they differ."""
        if self.agreement is None:
            return
        folder = options.fixtures / self.fixture
        trace = [options.nnrun, "trace", self.config, "--fused", *self.overrides]
        for overrides, reference in zip(self.agreement, ("forward.npz", "backward.npz")):
            running.run([*trace, *overrides, "--against", folder / reference], {})


PICTURES = ("--net", "catdog_cnn")
SMALL = ("--net", "catdog_small")
MLP = {name: f"configs/mnist_mlp{suffix}.yaml" for name, suffix in (("sgd", "_sgd"), ("momentum", "_momentum"), ("adam", ""))}
MLP_PEERS = {
    "onednn": Peer(for_onednn, "onednn_mlp"),
    "numpy": Peer(for_numpy, "numpy_mlp.py"),
    "pytorch_by_hand": Peer(tuned_for_products, "pytorch_mlp.py", ("--settings", "by_hand")),
    "pytorch_best": Peer(tuned_for_products, "pytorch_mlp.py", ("--settings", "best")),
    "pytorch_default": Peer(as_it_comes, "pytorch_mlp.py", ("--settings", "default")),
}
WITHOUT_DROPOUT = "model.layers[25].dropout.rate=0"
AVX2 = ("run.kernels=avx2",)

WORKLOADS = {
    "catdog_cnn": Workload(
        "Cat or dog: configs/catdog_cnn.yaml, three convolutions and two dense layers, 128 x 128 pixels",
        "catdog_cnn",
        "configs/catdog_cnn.yaml",
        (),
        {"sgd": "configs/catdog_cnn.yaml"},
        16,
        (1, 16, 64),
        {
            "onednn": Peer(for_onednn, "onednn_cnn"),
            "numpy": Peer(for_numpy, "numpy_cnn.py"),
            "pytorch_best": Peer(tuned_for_convolutions, "pytorch_pictures.py", ("--settings", "best", *PICTURES)),
            "pytorch_default": Peer(as_it_comes, "pytorch_pictures.py", ("--settings", "default", *PICTURES)),
        },
        ((), ()),
    ),
    "catdog_cnn_bf16": Workload(
        "Cat or dog, bfloat16: nnrun's run.precision=bf16; oneDNN has pictures, their gradients and weights of products in bf16",
        "catdog_cnn",
        "configs/catdog_cnn.yaml",
        ("run.precision=bf16",),
        {"sgd": "configs/catdog_cnn.yaml"},
        16,
        (),
        {"onednn": Peer(for_onednn, "onednn_cnn", ("bf16",))},
    ),
    "catdog_small": Workload(
        "Cat or dog, small: configs/catdog_small.yaml, seven convolutions with batch norm, AdamW; with its augmentation",
        "catdog_small",
        "configs/catdog_small.yaml",
        (),
        {"adamw": "configs/catdog_small.yaml"},
        64,
        (1, 16, 64),
        {
            "pytorch_best": Peer(tuned_for_convolutions, "pytorch_pictures.py", ("--settings", "best", *SMALL)),
            "pytorch_default": Peer(as_it_comes, "pytorch_pictures.py", ("--settings", "default", *SMALL)),
        },
        # Behind so many layers, Winograd's rounding turns a ReLU or moves a maximum here and there, and a gradient with it.
        ((WITHOUT_DROPOUT,), (WITHOUT_DROPOUT, "run.exact=true")),
    ),
    "mnist_mlp": Workload(
        "MNIST: configs/mnist_mlp*.yaml, 784-256-128-64-10",
        "mnist_mlp",
        "configs/mnist_mlp.yaml",
        (),
        MLP,
        64,
        (1, 16, 64, 1024),
        MLP_PEERS,
    ),
    "mnist_128": Workload(
        "MNIST: 784-128-10, inference",
        "mnist_128",
        "configs/mnist_mlp.yaml",
        ("model.layers=[flatten, {dense: {units: 128}}, relu, {dense: {units: 10}}]",),
        {},
        64,
        (1, 64),
        MLP_PEERS,
    ),
    "catdog_cnn_avx2": Workload(
        "Cat or dog, AVX2 alone: nnrun's run.kernels=avx2, oneDNN's ONEDNN_MAX_CPU_ISA=AVX2",
        "catdog_cnn",
        "configs/catdog_cnn.yaml",
        AVX2,
        {"sgd": "configs/catdog_cnn.yaml"},
        16,
        (1, 16, 64),
        {"onednn": Peer(for_onednn_avx2, "onednn_cnn")},
        ((), ()),
    ),
    "mnist_mlp_avx2": Workload(
        "MNIST MLP, AVX2 alone",
        "mnist_mlp",
        "configs/mnist_mlp.yaml",
        AVX2,
        MLP,
        64,
        (1, 16, 64, 1024),
        {"onednn": Peer(for_onednn_avx2, "onednn_mlp")},
    ),
}
