"""The nets for photographs, configs/catdog_*.yaml, in PyTorch, and what every peer of theirs starts from.

A layer's place in the Sequential is its place in the config. The fixture of a net is a folder with

    model.pt              the weights, PyTorch's way
    weights.f32           the same, nnrun's way: filters (F, K, K, C), dense (in, out), each with its bias behind it
    samples.f32           (128, 128, 128, 3): drawn, smooth like photographs, in 0..1
    labels.i32            (128)
    logits.f32            (64): of the first samples, in inference
    losses_NAME.f32       of the first steps with the config's optimizer at a constant rate, without dropout
    forward.npz           input, weights and logits under the names that `nnrun trace --against` knows
    backward.npz          the same with the weights' gradients of the logits' sum

Expected values are computed in float64.
"""

import pathlib
import sys
import typing

import numpy
import torch
from torch import nn
from torch.nn import functional

SAMPLES, LOGITS, TRACED = 128, 64, 4
SIDE = 128
EPSILON = 1e-5  # of batch norm
INFERENCE_BATCHES = (1, 16, 64)


def cnn():
    layers, channels = [], 3
    for filters in (32, 64, 128):
        layers += [nn.Conv2d(channels, filters, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
        channels = filters
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(16 * 16 * 128, 128), nn.ReLU(), nn.Linear(128, 1))


class GlobalAveragePool(nn.Module):
    def forward(self, x):
        return x.mean((2, 3))


def small():
    layers, channels = [], 3
    shapes = ((24, 5, 2, 0), (32, 3, 1, 1), (64, 3, 1, 1), (64, 3, 1, 0), (96, 3, 1, 1), (96, 3, 1, 0), (96, 3, 1, 0))
    for filters, kernel, stride, pools in shapes:
        layers += [nn.Conv2d(channels, filters, kernel, stride, kernel // 2, bias=False)]
        layers += [nn.BatchNorm2d(filters, eps=EPSILON), nn.ReLU()] + [nn.MaxPool2d(2)] * pools
        channels = filters
    return nn.Sequential(*layers, GlobalAveragePool(), nn.Dropout(0.2), nn.Linear(channels, 1))


class Net(typing.NamedTuple):
    make: typing.Callable
    batch: int
    optimizer: str
    make_optimizer: typing.Callable
    steps: int  # whose losses are compared
    tolerance: float  # of them, relative


NETS = {
    "catdog_cnn": Net(cnn, 16, "sgd", lambda parameters, **more: torch.optim.SGD(parameters, 0.01, **more), 4, 2e-4),
    # Adam's first step is as long for a gradient that is nothing but rounding as for any other.
    "catdog_small": Net(
        small, 64, "adamw", lambda parameters, **more: torch.optim.AdamW(parameters, 0.004, weight_decay=0.05, **more), 2, 2e-3
    ),
}


def without_dropout(model):
    for layer in model:
        if isinstance(layer, nn.Dropout):
            layer.p = 0.0
    return model


def drawn_samples():
    """Noise of three sizes: edges and surfaces. As photographs, they switch about half of the ReLUs off."""
    random = numpy.random.default_rng(42)
    samples = numpy.zeros((SAMPLES, SIDE, SIDE, 3), numpy.float32)
    for cells, weight in ((8, 0.6), (32, 0.25), (SIDE, 0.15)):
        noise = random.random((SAMPLES, cells, cells, 3), numpy.float32)
        samples += numpy.float32(weight) * noise.repeat(SIDE // cells, 1).repeat(SIDE // cells, 2)
    return samples, random.integers(0, 2, SAMPLES).astype(numpy.int32)


def as_input(samples):
    """(N, H, W, C) as PyTorch's (N, C, H, W), in channels-last memory; no copy."""
    return torch.from_numpy(samples).permute(0, 3, 1, 2)


def loss_of(model, x, labels):
    return functional.binary_cross_entropy_with_logits(model(x)[:, 0], labels)


# PyTorch pads a kernel of 5 with stride 2 by 2 in front and 1 behind, "same" by 1 and 2. Seen in a mirror, both in height and in width,
# the two are one: nnrun gets mirrored samples and filters, and must come to the same numbers.
def mirrored(pictures):
    return pictures[:, ::-1, ::-1]


def nnrun_arrays(model, of=lambda parameter: parameter.detach(), turn=lambda pictures: pictures):
    """{name in nnrun: array} of the weights, or of what `of` makes of them, in the order of the layers."""
    arrays, channels, flattened = {}, 0, False
    for index, layer in enumerate(model):
        if isinstance(layer, nn.Conv2d):
            arrays[f"{index}.conv2d.weights"] = turn(of(layer.weight).permute(0, 2, 3, 1).numpy())
            if layer.bias is not None:
                arrays[f"{index}.conv2d.bias"] = of(layer.bias).numpy()
            channels = layer.out_channels
        elif isinstance(layer, nn.BatchNorm2d):
            arrays[f"{index}.batchnorm.gamma"] = of(layer.weight).numpy()
            arrays[f"{index}.batchnorm.beta"] = of(layer.bias).numpy()
        elif isinstance(layer, nn.Linear):
            weights = of(layer.weight).numpy()
            if flattened:  # PyTorch's flat picture is (C, H, W), nnrun's (H, W, C)
                side = round((layer.in_features / channels) ** 0.5)
                weights = turn(weights.reshape(-1, channels, side, side).transpose(0, 2, 3, 1)).reshape(layer.out_features, -1)
                flattened = False
            arrays[f"{index}.dense.weights"] = weights.T
            arrays[f"{index}.dense.bias"] = of(layer.bias).numpy()
        flattened = flattened or isinstance(layer, nn.Flatten)
    return {name: numpy.ascontiguousarray(array, numpy.float32) for name, array in arrays.items()}


def least_margin(model, x):
    """How near any number comes to where a ReLU or a max-pool changes its mind, in terms of its layer's mean size."""
    margins = []
    with torch.no_grad():
        for layer in model:
            if isinstance(layer, nn.ReLU):
                margins.append(x.abs().min() / x.abs().mean())
            if isinstance(layer, nn.MaxPool2d):
                two = x.unfold(2, 2, 2).unfold(3, 2, 2).flatten(4).topk(2).values
                margins.append((two[..., 0] - two[..., 1])[two[..., 0] > 0].min() / x.abs().mean())
            x = layer(x)
    return min(margins).item()


def make_fixture(name, folder):
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    net = NETS[name]
    samples, labels = drawn_samples()
    samples.tofile(folder / "samples.f32")
    labels.tofile(folder / "labels.i32")
    torch.manual_seed(42)
    model = without_dropout(net.make())
    for layer in model:  # He and others 2015: activations keep their size
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            nn.init.kaiming_uniform_(layer.weight, nonlinearity="relu")
        if isinstance(layer, (nn.Conv2d, nn.Linear, nn.BatchNorm2d)) and layer.bias is not None:
            nn.init.uniform_(layer.bias, -0.1, 0.1)
    torch.save(model.state_dict(), folder / "model.pt")
    numpy.concatenate([array.reshape(-1) for array in nnrun_arrays(model).values()]).tofile(folder / "weights.f32")
    arrays = nnrun_arrays(model, turn=mirrored)

    model.double()
    x, targets = as_input(samples).double(), torch.from_numpy(labels).double()
    with torch.no_grad():
        model.eval()(x[:LOGITS])[:, 0].float().numpy().tofile(folder / "logits.f32")
    model.train()
    # Those samples whose gradients depend the least on how sums are rounded.
    candidates = [slice(begin, begin + TRACED) for begin in range(0, SAMPLES, TRACED)]
    traced = max(candidates, key=lambda rows: least_margin(model, x[rows]))
    reference = {"input": mirrored(samples[traced])} | arrays
    output = model(x[traced])
    output.sum().backward()
    reference[f"{len(model) - 1}.dense.output"] = output.detach().float().numpy()
    numpy.savez(folder / "forward.npz", **reference)
    gradients = nnrun_arrays(model, lambda parameter: parameter.grad, mirrored)
    reference |= {f"{name}.gradient": gradient for name, gradient in gradients.items()}
    numpy.savez(folder / "backward.npz", **reference)

    model.load_state_dict(torch.load(folder / "model.pt"))
    optimizer = net.make_optimizer(model.parameters())
    losses = []
    for step in range(net.steps):
        rows = slice(step * net.batch % SAMPLES, step * net.batch % SAMPLES + net.batch)
        loss = loss_of(model, x[rows], targets[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    numpy.array(losses, numpy.float32).tofile(folder / f"losses_{net.optimizer}.f32")


if __name__ == "__main__":
    for net_name in NETS:
        make_fixture(net_name, pathlib.Path(sys.argv[1]) / net_name)
