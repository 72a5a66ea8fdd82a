#!/usr/bin/python3
"""Nets in fixed point once more, in NumPy's 64-bit integers: what nnrun computes, to the bit, on every test image of MNIST.

    nnrun eval runs/mnist_riscv/1/int8.safetensors --outputs int8.npy
    nnrun export runs/mnist_riscv/1/int8.safetensors c99
    fixed_point.py runs/mnist_riscv/1/int8.safetensors int8.npy --c99 runs/mnist_riscv/1/int8-c99

Reads the checkpoint and the test images (t10k-images-idx3-ubyte, also .gz, in $NNRUN_DATA/mnist, or --data DIR) itself, runs the layers by the rules of
core/include/nnrun/fixed_kernels.h, and compares the outputs with nnrun's, all of them; and with those of the C that nnrun exported, which is
compiled here. Exit code 1 where one differs.
"""

import argparse
import ctypes
import gzip
import json
import os
import pathlib
import re
import struct
import subprocess
import sys
import tempfile

import numpy

DTYPES = {"F32": numpy.float32, "I32": numpy.int32, "I8": numpy.int8, "U8": numpy.uint8}


def read_checkpoint(path):
    raw = pathlib.Path(path).read_bytes()
    (length,) = struct.unpack("<Q", raw[:8])
    header = json.loads(raw[8 : 8 + length])
    config = header.pop("__metadata__")["config"]
    tensors = {}
    for name, entry in header.items():
        begin, end = (8 + length + offset for offset in entry["data_offsets"])
        tensors[name] = numpy.frombuffer(raw[begin:end], DTYPES[entry["dtype"]]).reshape(entry["shape"])
    return layers_of(config), tensors


def layers_of(config):
    """[(component, {parameter: text})] from the resolved config, which has one layer a line."""
    layers = []
    for line in re.search(r"\n  layers:\n((?:    - .*\n)+)", config).group(1).splitlines():
        component, _, params = line.strip()[2:].partition(": ")
        pairs = re.findall(r"(\w+): (\[[^\]]*\]|[^,}]+)", params)
        layers.append((component, {key: value.strip() for key, value in pairs}))
    return layers


def wrap32(x):
    return ((x + 2**31) % 2**32) - 2**31


def multiply_matrices(arithmetic, shift, x, w, bias):
    """x (N, K), w (F, K); numbers are int64, whose products wrap as the kernels' 64-bit ones do."""
    if arithmetic == "q16":
        return wrap32(((x @ w.T) >> 16) + bias)
    if arithmetic == "q16_low":
        sums = numpy.empty((len(x), len(w)), numpy.int64)
        for f, row in enumerate(w):
            sums[:, f] = (wrap32(x * row) >> 16).sum(axis=1)
        return wrap32(sums + bias)
    if arithmetic == "s32":
        return wrap32(x @ w.T + bias) >> shift
    return wrap32(x @ w.T + bias)


def numbers(text, count=2):
    values = [int(v) for v in text.strip("[]").split(",")]
    return values * count if len(values) == 1 else values


def padding_of(params, kernel, stride, size):
    text = params.get("padding", "valid")
    if text == "valid":
        return [(0, 0), (0, 0)]
    if text == "same":
        totals = [max(0, (-(-n // s) - 1) * s + k - n) for n, s, k in zip(size, stride, kernel)]
        return [(t // 2, t - t // 2) for t in totals]
    given = numbers(text)
    return [(given[0], given[0]), (given[1], given[1])] if len(given) == 2 else [(given[0], given[1]), (given[2], given[3])]


def windows_of(x, kernel, stride, padding, outside):
    x = numpy.pad(x, [(0, 0), *padding, (0, 0)], constant_values=outside)
    views = numpy.lib.stride_tricks.sliding_window_view(x, kernel, axis=(1, 2))[:, :: stride[0], :: stride[1]]
    return views.transpose(0, 1, 2, 4, 5, 3)  # N, rows, columns, kernel, kernel, channels


def run_layer(component, params, tensors, x):
    if component == "fixed_input":
        scaled = x * numpy.float32(float(params["scale"])) + numpy.float32(float(params["offset"]))
        low, high = (0, 255) if params["type"] == "u8" else (int(params["minimum"]), int(params["maximum"]))
        return numpy.clip(numpy.floor(scaled), low, high).astype(numpy.int64)
    if component == "fixed_widen":
        return x * int(params["factor"])
    if component == "flatten":
        return x.reshape(len(x), -1)
    if component == "fixed_relu":
        return numpy.maximum(x, 0)
    if component == "requantize":
        return numpy.clip((x * tensors["multiplier"].astype(numpy.int64)) >> tensors["shift"].astype(numpy.int64), 0, 255)
    if component == "fixed_output":
        return (x * float(params["scale"])).astype(numpy.float32)
    if component == "fixed_maxpool2d":
        kernel = numbers(params["size"])
        stride = kernel if params.get("stride", "size") == "size" else numbers(params["stride"])
        padding = padding_of(params, kernel, stride, x.shape[1:3])
        return windows_of(x, kernel, stride, padding, -(2**31)).max(axis=(3, 4))
    w, bias = tensors["weights"].astype(numpy.int64), tensors["bias"].astype(numpy.int64)
    arithmetic, shift = params["arithmetic"], int(params.get("shift", 0))
    if component == "fixed_dense":
        return multiply_matrices(arithmetic, shift, x, w, bias)
    if component == "fixed_conv2d":
        if numbers(params.get("dilation", "[1]")) != [1, 1] or int(params.get("groups", 1)) != 1:
            raise SystemExit("this reference knows no dilation and no groups")
        kernel, stride = numbers(params["kernel"]), numbers(params.get("stride", "[1]"))
        padding = padding_of(params, kernel, stride, x.shape[1:3])
        windows = windows_of(x, kernel, stride, padding, int(params.get("outside", 0)))
        rows = windows.reshape(-1, numpy.prod(windows.shape[3:]))
        return multiply_matrices(arithmetic, shift, rows, w.reshape(len(w), -1), bias).reshape(*windows.shape[:3], -1)
    raise SystemExit(f"this reference knows no layer {component}")


def run(layers, tensors, x):
    for index, (component, params) in enumerate(layers):
        prefix = f"{index}.{component}."
        own = {name[len(prefix) :]: tensor for name, tensor in tensors.items() if name.startswith(prefix)}
        x = run_layer(component, params, own, x)
    return x


def read_images(folder):
    path = pathlib.Path(folder) / "t10k-images-idx3-ubyte"
    raw = path.read_bytes() if path.exists() else gzip.decompress(pathlib.Path(f"{path}.gz").read_bytes())
    return numpy.frombuffer(raw, numpy.uint8, offset=16).reshape(-1, *struct.unpack(">II", raw[8:16]), 1)


def run_c99(folder, layers, pixels):
    """What the exported C makes of all images: its integers times the scale of the last layer."""
    with tempfile.TemporaryDirectory() as build:
        library = pathlib.Path(build) / "net.so"
        subprocess.run(["cc", "-std=c99", "-O2", "-shared", "-fPIC", pathlib.Path(folder) / "net.c", "-o", library], check=True)
        net = ctypes.CDLL(library).net_run
        inputs = run(layers[:1], {}, pixels)
        inputs = numpy.ascontiguousarray(inputs, numpy.uint8 if layers[0][1]["type"] == "u8" else numpy.int32)
        count = int(re.search(r"_OUTPUTS (\d+)", (pathlib.Path(folder) / "net.h").read_text()).group(1))
        outputs = numpy.empty((len(pixels), count), numpy.int32)
        for x, y in zip(inputs, outputs):
            best = net(x.ctypes.data_as(ctypes.c_void_p), y.ctypes.data_as(ctypes.c_void_p))
            if best != y.argmax():
                raise SystemExit(f"the exported C says class {best}, its outputs say {y.argmax()}")
    return run_layer("fixed_output", layers[-1][1], {}, outputs)


def compare(who, outputs, expected):
    if outputs.shape != expected.shape:
        raise SystemExit(f"{who}: outputs {outputs.shape}, NumPy's {expected.shape}")
    different = int((outputs.view(numpy.uint32) != expected.view(numpy.uint32)).any(axis=1).sum())
    print(f"{who}: {len(outputs):,} images, {different} with other bits than NumPy's")
    return different


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoint")
    parser.add_argument("outputs", help="what `nnrun eval --outputs` wrote")
    parser.add_argument("--c99", help="the folder that `nnrun export MODEL c99` wrote")
    parser.add_argument("--data", default=os.path.join(os.environ.get("NNRUN_DATA", "datasets"), "mnist"))
    options = parser.parse_args()
    layers, tensors = read_checkpoint(options.checkpoint)
    images = read_images(options.data)
    pixels = images * numpy.float32(1 / 255)
    expected = numpy.concatenate([run(layers, tensors, pixels[i : i + 500]) for i in range(0, len(pixels), 500)])
    different = compare(options.outputs, numpy.load(options.outputs), expected)
    if options.c99:
        different += compare(options.c99, run_c99(options.c99, layers, pixels), expected)
    sys.exit(1 if different else 0)


if __name__ == "__main__":
    main()
