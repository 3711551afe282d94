"""The networks of the sign family. Input: (N, 3, 48, 48), pixels prepared as x / 127.5 - 1; output: logits."""

import torch
from torch import nn


def conv(inputs, outputs, stride=1, kernel=3, groups=1):
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False), nn.BatchNorm2d(outputs)
    )


class Residual(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.first = conv(width, width)
        self.second = conv(width, width)

    def forward(self, x):
        return torch.relu(x + self.second(torch.relu(self.first(x))))


class Narrow(nn.Module):
    """Halves the picture: a strided convolution beside a pooling, their channels joined."""

    def __init__(self, inputs, added):
        super().__init__()
        self.conv = conv(inputs, added, 2)
        self.pool = nn.MaxPool2d(3, 2, 1)

    def forward(self, x):
        return torch.relu(torch.cat([self.conv(x), self.pool(x)], 1))


class Separable(nn.Module):
    """A 3x3 convolution of every channel alone, then a 1x1 convolution across channels; added to its input if `stay`."""

    def __init__(self, inputs, outputs, stride, act, stay=False):
        super().__init__()
        self.depth = conv(inputs, inputs, stride, 3, inputs)
        self.point = conv(inputs, outputs, 1, 1)
        self.act = act()
        self.stay = stay

    def forward(self, x):
        y = self.act(self.point(self.act(self.depth(x))))
        return x + y if self.stay else y


def head(width, classes):
    return [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, classes)]


def trunk():
    """The stages that shape, colour and number share: 48 x 48 x 3 to 12 x 12 x 32."""
    return nn.Sequential(conv(3, 16, 2), nn.ReLU(), Residual(16), conv(16, 32, 2), nn.ReLU(), Residual(32))


def tail(task, classes):
    if task == 'colour':
        return nn.Sequential(conv(32, 48, 2), nn.ReLU(), Separable(48, 48, 1, nn.ReLU, True), *head(48, classes))
    width = 48 if task == 'number' else 40
    return nn.Sequential(conv(32, width, 2), nn.ReLU(), Residual(width), *head(width, classes))


def weather(classes):
    a = nn.ReLU6
    return nn.Sequential(
        conv(3, 24, 2), a(), Separable(24, 48, 1, a), Separable(48, 64, 2, a), Separable(64, 64, 1, a, True),
        Separable(64, 112, 2, a), Separable(112, 112, 1, a, True), *head(112, classes),
    )


def number_independent(classes):
    return nn.Sequential(
        conv(3, 16, 2), nn.ReLU(), Residual(16), Narrow(16, 16), Residual(32), Narrow(32, 24), Residual(56), *head(56, classes)
    )


def number_compact(classes):
    a = nn.Hardswish
    return nn.Sequential(
        conv(3, 8, 2), a(), Separable(8, 24, 2, a), Separable(24, 40, 1, a), Separable(40, 72, 2, a),
        Separable(72, 72, 1, a, True), Separable(72, 160, 2, a), *head(160, classes),
    )


def macs(network):
    """Multiply-accumulates of convolutions and fully connected layers for one picture."""
    total = 0

    def count(layer, _, output):
        nonlocal total
        per_output = layer.weight[0].numel()
        total += per_output * output[0].numel()

    hooks = [m.register_forward_hook(count) for m in network.modules() if isinstance(m, (nn.Conv2d, nn.Linear))]
    with torch.no_grad():
        network.eval()(torch.zeros(1, 3, 48, 48))
    for hook in hooks:
        hook.remove()
    return total
