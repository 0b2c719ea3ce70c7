"""Hares and lynx: one measured run, and what can be said of it.

Pelts that the Hudson's Bay Company bought from 1900 to 1920. One run of 21 samples cannot tell a
law from an accident of its start, and the report says so. Lotka and Volterra's equations, fitted to
the growth rates, have the law V = δ H − γ log H + β L − α log L. The picture shows its level
curves, and that V moves nearly as far as its parts do: these counts follow the equations in outline
only.

    python examples/hare_and_lynx.py --out hare_and_lynx.png
"""

import argparse

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

import discovery


def growth(amount):
    """Return an amount at the years between the first and last, and its growth rate there."""
    return amount[1:-1], (np.log(amount[2:]) - np.log(amount[:-2])) / 2


def fitted(hare, lynx):
    """Return α, β, γ, δ of H′/H = α − β L and L′/L = δ H − γ, by least squares."""
    (h, h_rate), (p, p_rate) = growth(hare), growth(lynx)
    minus_beta, alpha = np.polyfit(p, h_rate, 1)
    delta, minus_gamma = np.polyfit(h, p_rate, 1)
    return alpha, -minus_beta, -minus_gamma, delta


def law(parameters, hare, lynx):
    """Return V."""
    alpha, beta, gamma, delta = parameters
    return delta * hare - gamma * np.log(hare) + beta * lynx - alpha * np.log(lynx)


def draw(years, hare, lynx, parameters, target):
    """Draw the years, the plane of both with V's level curves, and V beside its parts."""
    alpha, beta, gamma, delta = parameters
    figure, axes = plt.subplots(1, 3, figsize=(14, 4.2), constrained_layout=True)
    axes[0].plot(years, hare, "o-", label="hare")
    axes[0].plot(years, lynx, "s-", label="lynx")
    axes[0].set(title="Pelts", xlabel="year", ylabel="pelts, thousands")
    axes[0].set_xticks(range(1900, 1921, 5))
    axes[0].legend()
    h, p = np.meshgrid(np.geomspace(3, 150, 200), np.geomspace(2, 110, 200))
    levels = np.quantile(law(parameters, hare, lynx), [0.1, 0.5, 0.9])
    axes[1].contour(h, p, law(parameters, h, p), levels=levels, colors="0.6", linestyles="solid")
    axes[1].plot(hare, lynx, "o-", markersize=4)
    axes[1].plot(gamma / delta, alpha / beta, "k+", markersize=10, label="fixed point")
    axes[1].set(xscale="log", yscale="log", title="Level curves of the law V")
    axes[1].set(xlabel="hare H, thousands", ylabel="lynx L, thousands")
    axes[1].legend()
    parts = {
        "V": law(parameters, hare, lynx),
        "δ H − γ log H": delta * hare - gamma * np.log(hare),
        "β L − α log L": beta * lynx - alpha * np.log(lynx),
    }
    for name, values in parts.items():
        axes[2].plot(years, values - values.mean(), "o-", label=name, markersize=4)
    axes[2].set(title="V and its parts, about their means", xlabel="year")
    axes[2].set(ylabel="value less its mean, per year")
    axes[2].set_xticks(range(1900, 1921, 5))
    axes[2].legend(fontsize=8)
    figure.savefig(target, dpi=110)


def main():
    """Load, report, fit, draw."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", default="hare_and_lynx.png")
    options = parser.parse_args()
    print(discovery.datasets.info("hare_and_lynx"), "\n")
    runs = discovery.datasets.load("hare_and_lynx")
    print(discovery.ConservedQuantityFinder(random_state=0).fit(runs).report_, "\n")
    hare, lynx = runs.rows.T
    parameters = fitted(hare, lynx)
    print("fitted growth: α, β, γ, δ =", ", ".join(f"{p:.3f}" for p in parameters))
    draw(runs.row_times, hare, lynx, parameters, options.out)
    print("picture:", options.out)


if __name__ == "__main__":
    main()
