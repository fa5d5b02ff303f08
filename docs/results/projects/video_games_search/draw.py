#!/usr/bin/env python3
"""Draws the configurations of the search: a Latin hypercube of four points, of which the first two are run.

Every option takes each of its values about equally often, in an order that the seed shuffles.
"""

import random

SEED, POINTS, RUN = 14, 4, 2
GRIDS = {
    "sasrec": {
        "width": [32, 64],
        "layers": [1, 2],
        "dropout": [0.2, 0.5],
        "batch": [64, 128, 256],
        "learning_rate": [5e-4, 1e-3, 2e-3],
    },
    "two_towers": {
        "width": [16, 32, 64],
        "negatives": [1, 10, 50],
        "batch": [256, 512],
        "learning_rate": [1e-3, 3e-3, 1e-2],
    },
    "language_model": {
        "base_model.epochs": [4, 6],
        "base_model.learning_rate": [1e-3, 2e-3, 4e-3],
        "base_model.dropout": [0.1, 0.2, 0.3],
        "training.learning_rate": [5e-4, 1e-3, 2e-3],
        "training.dropout": [0.0, 0.1, 0.2],
        "training.later_stage_epochs": [2, 4],
    },
}

for family, grid in GRIDS.items():
    order = random.Random(SEED)
    print(family)
    for option, values in grid.items():
        drawn = order.sample([values[point % len(values)] for point in range(POINTS)], POINTS)
        print(f"    {option}: {drawn[:RUN]}")
