#!/usr/bin/python3
"""Golden values of layers, losses and optimizers, from PyTorch. Run it with Debian's python3-torch:

    /usr/bin/python3 tests/golden/make_golden.py          rewrites the files beside it (not mnist_mlp_*.json)

Hold results against them with a tolerance of 1e-5 (absolute and relative). Inputs are exact float32 numbers; PyTorch
computes in float64, so the values carry no rounding of its own. Every array is {"shape": [...], "data": [...]}, row-major.

Layers: layer_NAME.json
    {"layer": "dense", "params": {"units": 5},          as a config writes them
     "behind": ["relu", ...],                           the layers that follow, as a config writes them; optional
     "training": true,                                  which pass: matters to batchnorm only
     "x": ..., "weights": {"weights": ..., "bias": ...},
     "y": ..., "dy": ..., "dx": ...,                    dx = d(sum(y * dy)) / dx
     "d_weights": {"weights": ..., "bias": ...},        in the same order and under the same names as "weights"
     "state": {...}, "state_after": {...}}              batchnorm: the running statistics
  Dense weights are (in, out), the transpose of PyTorch's. Tensors are channels last; flatten keeps the order of elements.
  Batchnorm: running = momentum * running + (1 - momentum) * batch. PyTorch's momentum is our 1 - momentum. The running
  variance takes the unbiased variance of the batch, the normalisation the biased one, both as in PyTorch.
  In inference there is no dy: nothing to propagate.

Losses: loss_NAME.json
    {"loss": ..., "params": {...}, "x": the net's outputs, "labels": classes, or an array of numbers or distributions,
     "targets": how many numbers a sample has, or 0 for classes,
     "value": the batch's mean, "losses": each row's, "dx": gradient of the mean}

Optimizers: optimizer_NAME.json (NAME may tell a variant)
    {"optimizer": "adam", "params": {...}, "w": before, "gradients": [one a step], "w_after": [after each step],
     "state_after": {"mean": ..., "square": ...}}       after the last step; for momentum {"velocity": ...}
"""

import json
import pathlib

import torch

FOLDER = pathlib.Path(__file__).parent
STEPS = 6


def numbers(shape, seed, scale=1.0):
    """Normal numbers rounded to float32, held in float64."""
    generator = torch.Generator().manual_seed(seed)
    return (torch.randn(shape, generator=generator) * scale).double()


def array(tensor):
    # Nine digits tell any two float32 numbers apart.
    return {"shape": list(tensor.shape), "data": [float(f"{value:.9g}") for value in tensor.detach().reshape(-1).tolist()]}


def write(name, document):
    rows = [f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in document.items()]
    (FOLDER / name).write_text("{\n" + ",\n".join(rows) + "\n}\n")


def pull_back(x, y, dy, weights):
    """Gradients of sum(y * dy): dx, and one a weight."""
    gradients = torch.autograd.grad(y, [x, *weights.values()], dy)
    return gradients[0], dict(zip(weights, gradients[1:]))


def write_layer(name, layer, params, x, weights, y, training=True, **more):
    document = {"layer": layer, "params": params, "training": training, "x": array(x)}
    document["weights"] = {key: array(w) for key, w in weights.items()}
    document["y"] = array(y)
    if training:
        dy = numbers(y.shape, seed=99)
        dx, d_weights = pull_back(x, y, dy, weights)
        document |= {"dy": array(dy), "dx": array(dx)}
        document["d_weights"] = {key: array(w) for key, w in d_weights.items()}
    write(f"layer_{name}.json", document | more)


def dense():
    x = numbers((4, 7), 1).requires_grad_()
    weights = {"weights": numbers((7, 5), 2, 0.5).requires_grad_(), "bias": numbers((5,), 3).requires_grad_()}
    y = torch.nn.functional.linear(x, weights["weights"].T, weights["bias"])
    write_layer("dense", "dense", {"units": 5}, x, weights, y)


def relu():
    x = numbers((3, 11), 4)
    x[0, 0] = 0.0  # the gradient there is 0
    x.requires_grad_()
    write_layer("relu", "relu", {}, x, {}, torch.relu(x))


def flatten():
    x = numbers((2, 3, 4, 2), 5).requires_grad_()
    write_layer("flatten", "flatten", {}, x, {}, torch.flatten(x, 1))


def windows(value):
    return tuple(value) if isinstance(value, list) else (value, value)


def channels_first(x):
    return x.permute(0, 3, 1, 2)


def channels_last(x):
    return x.permute(0, 2, 3, 1)


def conv2d(name, shape, params, seed):
    """Weights are (filters, height, width, channels of a group); PyTorch's are (filters, channels, height, width)."""
    groups = params.get("groups", 1)
    kernel = windows(params["kernel"])
    x = numbers(shape, seed).requires_grad_()
    weights = {"weights": numbers((params["filters"], *kernel, shape[3] // groups), seed + 1, 0.5).requires_grad_()}
    if params.get("bias", True):
        weights["bias"] = numbers((params["filters"],), seed + 2).requires_grad_()
    padding = params.get("padding", "valid")
    y = torch.nn.functional.conv2d(
        channels_first(x),
        channels_first(weights["weights"]),
        weights.get("bias"),
        stride=windows(params.get("stride", 1)),
        padding=padding if isinstance(padding, str) else windows(padding),
        dilation=windows(params.get("dilation", 1)),
        groups=groups,
    )
    write_layer(name, "conv2d", params, x, weights, channels_last(y))


def conv2ds():
    conv2d("conv2d", (2, 6, 5, 3), {"filters": 4, "kernel": 3, "padding": "same"}, 40)
    conv2d("conv2d_valid", (2, 7, 6, 2), {"filters": 3, "kernel": [3, 2], "stride": [2, 1], "bias": False}, 43)
    conv2d("conv2d_dilated", (1, 9, 8, 2), {"filters": 2, "kernel": 3, "dilation": [2, 1], "padding": [1, 2], "stride": 2}, 46)
    conv2d("conv2d_groups", (2, 5, 5, 6), {"filters": 4, "kernel": 3, "padding": 1, "groups": 2}, 49)
    conv2d("conv2d_depthwise", (2, 6, 6, 5), {"filters": 5, "kernel": 5, "padding": "same", "groups": 5}, 52)


def pools():
    functional = torch.nn.functional

    def pool(name, layer, shape, params, function, seed):
        x = numbers(shape, seed).requires_grad_()
        write_layer(name, layer, params, x, {}, channels_last(function(channels_first(x))))

    pool("maxpool2d", "maxpool2d", (2, 6, 7, 3), {"size": 2}, lambda x: functional.max_pool2d(x, 2), 55)
    pool(
        "maxpool2d_overlapping",
        "maxpool2d",
        (2, 7, 6, 2),
        {"size": 3, "stride": [2, 1], "padding": 1},
        lambda x: functional.max_pool2d(x, 3, (2, 1), 1),
        56,
    )
    pool("avgpool2d", "avgpool2d", (2, 7, 6, 3), {"size": [2, 3]}, lambda x: functional.avg_pool2d(x, (2, 3)), 57)
    pool(
        "avgpool2d_padded",
        "avgpool2d",
        (2, 7, 6, 2),
        {"size": 3, "stride": 2, "padding": 1},
        lambda x: functional.avg_pool2d(x, 3, 2, 1, count_include_pad=False),
        58,
    )
    x = numbers((3, 5, 4, 6), 59).requires_grad_()
    write_layer("global_avgpool", "global_avgpool", {}, x, {}, x.mean((1, 2)))


def batchnorm(training, pictures=False):
    momentum, epsilon = 0.9, 1e-5
    shape = (3, 4, 2, 5) if pictures else (9, 5)  # channels last
    x = (numbers(shape, 6) * 2 + 1).float().double().requires_grad_()
    gamma = (1 + numbers((5,), 7, 0.25)).float().double().requires_grad_()
    beta = numbers((5,), 8, 0.5).requires_grad_()
    running_mean = numbers((5,), 9, 0.5)
    running_variance = (1 + numbers((5,), 10).abs()).float().double()
    state = {"running_mean": array(running_mean), "running_variance": array(running_variance)}
    channels_first = torch.movedim(x, -1, 1)
    y = torch.nn.functional.batch_norm(
        channels_first, running_mean, running_variance, gamma, beta, training, 1 - momentum, epsilon
    )  # updates the running statistics in place when training
    state_after = {"running_mean": array(running_mean), "running_variance": array(running_variance)}
    write_layer(
        "batchnorm_" + ("pictures_" if pictures else "") + ("training" if training else "inference"),
        "batchnorm",
        {"momentum": momentum, "epsilon": epsilon},
        x,
        {"gamma": gamma, "beta": beta},
        torch.movedim(y, 1, -1),
        training,
        state=state,
        state_after=state_after,
    )


def batchnorm_relu_maxpool(pool):
    functional = torch.nn.functional
    x = (numbers((3, 7, 6, 5), 70) * 2 + 1).float().double().requires_grad_()
    gamma = numbers((5,), 71).requires_grad_()  # of either sign
    beta = numbers((5,), 72, 0.5).requires_grad_()
    running_mean, running_variance = torch.zeros(5).double(), torch.ones(5).double()
    y = torch.relu(functional.batch_norm(channels_first(x), running_mean, running_variance, gamma, beta, True, 0.1, 1e-5))
    write_layer(
        "batchnorm_relu" + ("_maxpool2d" if pool else ""),
        "batchnorm",
        {},
        x,
        {"gamma": gamma, "beta": beta},
        channels_last(functional.max_pool2d(y, 2) if pool else y),
        behind=["relu", {"maxpool2d": {"size": 2}}] if pool else ["relu"],
        state_after={"running_mean": array(running_mean), "running_variance": array(running_variance)},
    )


def activations():
    functional = torch.nn.functional
    functions = {
        "leaky_relu": ({"slope": 0.2}, lambda x: functional.leaky_relu(x, 0.2)),
        "sigmoid": ({}, torch.sigmoid),
        "tanh": ({}, torch.tanh),
        "gelu": ({}, functional.gelu),
        "gelu_tanh": ({"approximate": "tanh"}, lambda x: functional.gelu(x, approximate="tanh")),
        "silu": ({}, functional.silu),
    }
    for name, (params, function) in functions.items():
        x = numbers((3, 11), 4, 3.0)
        x[1, :4] = torch.tensor([0.0, -12.0, 12.0, -0.25])
        x.requires_grad_()
        write_layer(name, name.removesuffix("_tanh") if params else name, params, x, {}, function(x))


def write_loss(name, loss, params, x, labels, losses, targets=0):
    dx = torch.autograd.grad(losses.mean(), x)[0]
    write(
        f"loss_{name}.json",
        {
            "loss": loss,
            "params": params,
            "x": array(x),
            "labels": array(labels) if labels.is_floating_point() else labels.tolist(),
            "targets": targets,
            "value": float(f"{losses.mean().item():.9g}"),
            "losses": array(losses),
            "dx": array(dx),
        },
    )


def distributions(shape, seed):
    """Rows that add up to 1, rounded to float32."""
    shares = numbers(shape, seed).abs() + 0.05
    return (shares / shares.sum(1, keepdim=True)).float().double()


def softmax_cross_entropy():
    x = numbers((6, 10), 11, 3.0)
    x[5] *= 32  # large logits: a naive exp overflows; a power of two stays exact
    x.requires_grad_()
    labels = torch.tensor([3, 0, 9, 7, 7, 1])
    mixed = distributions((6, 10), 13)
    for name, target, smoothing in (
        ("softmax_cross_entropy", labels, 0.0),
        ("softmax_cross_entropy_smoothed", labels, 0.1),
        ("softmax_cross_entropy_mixed", mixed, 0.0),
        ("softmax_cross_entropy_mixed_smoothed", mixed, 0.2),
    ):
        losses = torch.nn.functional.cross_entropy(x, target, reduction="none", label_smoothing=smoothing)
        write_loss(name, "softmax_cross_entropy", {"label_smoothing": smoothing} if smoothing else {}, x, target, losses)


def sigmoid_losses():
    functional = torch.nn.functional
    labels = torch.tensor([1, 0, 0, 1, 1, 0])
    mixed = distributions((6, 2), 14)
    numbers_wanted = torch.sigmoid(numbers((6, 4), 15)).float().double()
    logits = {1: numbers((6, 1), 16, 3.0), 4: numbers((6, 4), 17, 3.0)}
    logits[1][0], logits[1][1] = -200.0, 200.0  # hopeless: a naive logarithm is infinite
    probabilities = {columns: torch.sigmoid(x.clamp(-8, 8)).float().double() for columns, x in logits.items()}
    probabilities[1][3] = 1.0
    for name, function, outputs in (
        ("sigmoid_cross_entropy", functional.binary_cross_entropy_with_logits, logits),
        ("binary_cross_entropy", functional.binary_cross_entropy, probabilities),
    ):
        for variant, columns, target, file_labels, targets in (
            ("", 1, labels.double().unsqueeze(1), labels, 0),
            ("_mixed", 1, mixed[:, 1:], mixed, 0),
            ("_numbers", 4, numbers_wanted, numbers_wanted, 4),
        ):
            x = outputs[columns].clone().requires_grad_()
            losses = function(x, target, reduction="none").mean(1)
            write_loss(name + variant, name, {}, x, file_labels, losses, targets)


def mean_squared_error():
    x, wanted = numbers((6, 3), 18).requires_grad_(), numbers((6, 3), 19)
    losses = torch.nn.functional.mse_loss(x, wanted, reduction="none").mean(1)
    write_loss("mean_squared_error", "mean_squared_error", {}, x, wanted, losses, targets=3)


def optimizer(name, kind, params, make, state_names):
    w = torch.nn.Parameter(numbers((17,), 12))
    gradients = [numbers((17,), 20 + step, 10.0 ** (step % 3 - 2)) for step in range(STEPS)]
    gradients[2][0] = 0.0
    document = {"optimizer": kind, "params": params, "w": array(w), "gradients": [array(g) for g in gradients]}
    stepper = make([w])
    document["w_after"] = []
    for gradient in gradients:
        w.grad = gradient.clone()
        stepper.step()
        document["w_after"].append(array(w))
    state = stepper.state[w]
    document["state_after"] = {ours: array(state[theirs]) for ours, theirs in state_names.items()}
    write(f"optimizer_{name}.json", document)


def optimizers():
    rate, decay = 0.05, 0.01
    velocity = {"velocity": "momentum_buffer"}
    moments = {"mean": "exp_avg", "square": "exp_avg_sq"}
    adam = {"learning_rate": 0.02, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-7}
    torch_adam = {"lr": 0.02, "betas": (0.9, 0.999), "eps": 1e-7}
    optim = torch.optim
    sgd = {"learning_rate": rate}
    optimizer("sgd", "sgd", sgd, lambda w: optim.SGD(w, rate), {})
    optimizer("sgd_decay", "sgd", sgd | {"weight_decay": decay}, lambda w: optim.SGD(w, rate, weight_decay=decay), {})
    momentum = {"learning_rate": rate, "beta": 0.95}
    optimizer("momentum", "momentum", momentum, lambda w: optim.SGD(w, rate, 0.95), velocity)
    nesterov = momentum | {"nesterov": True}
    optimizer("nesterov", "momentum", nesterov, lambda w: optim.SGD(w, rate, 0.95, nesterov=True), velocity)
    optimizer("adam", "adam", adam, lambda w: optim.Adam(w, **torch_adam), moments)
    decayed = adam | {"weight_decay": decay}
    optimizer("adam_decay", "adam", decayed, lambda w: optim.Adam(w, **torch_adam, weight_decay=decay), moments)
    decoupled = adam | {"weight_decay": 0.1}
    optimizer("adamw", "adamw", decoupled, lambda w: optim.AdamW(w, **torch_adam, weight_decay=0.1), moments)


if __name__ == "__main__":
    dense()
    relu()
    flatten()
    conv2ds()
    pools()
    batchnorm(training=True)
    batchnorm(training=False)
    batchnorm(training=True, pictures=True)
    batchnorm(training=False, pictures=True)
    batchnorm_relu_maxpool(pool=False)
    batchnorm_relu_maxpool(pool=True)
    activations()
    softmax_cross_entropy()
    sigmoid_losses()
    mean_squared_error()
    optimizers()
