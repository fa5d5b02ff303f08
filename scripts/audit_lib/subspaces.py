"""Updates and what moved in them, and the proximal term, from saved adapters."""

import numpy as np
from scipy import linalg, optimize

from folders import layer_and_projection

# Singular values below this share of the largest are rounding of float32 factors, not directions.
_NOISE = 16 * np.finfo(np.float32).eps
_RELEASED_SMOOTHING = 1e-8
# Largest width of a matrix that is decomposed as a whole
_WHOLE = 512


class Spectrum:
    """The singular value decomposition of an update alpha/r B A: of its whole matrix, or of thin factors where it is large."""

    def __init__(self, adapter, module):
        pair, update = adapter.whole[module], adapter.update(module)
        if min(update.shape) <= _WHOLE:
            u, values, v = np.linalg.svd(update, full_matrices=False)
        else:
            (q, r), (p, s) = np.linalg.qr(adapter.scale * pair.b), np.linalg.qr(pair.a.T)
            u, values, v = np.linalg.svd(r @ s.T)
            u, v = q @ u, v @ p.T
        self.values = values[: pair.a.shape[0]]
        self.rank = int((self.values > _NOISE * self.values[0]).sum()) if self.values[0] > 0 else 0
        self.left, self.right = u[:, : self.rank], v[: self.rank].T

    def effective_rank(self):
        shares = self.values[self.values > 0] / self.values.sum() if self.values.sum() > 0 else []
        return float(np.exp(-sum(shares * np.log(shares)))) if len(shares) else 0.0

    def stable_rank(self):
        return float(((self.values / self.values[0]) ** 2).sum()) if self.values[0] > 0 else 0.0


def audit(report, printed, adapters, steps, best_epochs, peso):
    """Holds what `peso subspace --json` prints of a run against its saved adapters.

    `steps` has the records of training by stage, `best_epochs` the epoch that each stage kept, `peso` the method's
    options where it has a proximal term.
    """
    run = printed["run"]
    modules = {}
    for module in printed["modules"]:
        modules[module["name"]] = _Module(adapters, module["name"])
        _audit_module(report, f"{run}, {module['name']}", module, modules[module["name"]], adapters)
    report.tally("updates").add(f"{run}, modules", len(printed["modules"]), len(adapters[0].whole))
    for kind, key_of in (("layers", 0), ("projections", 1)):
        for group in printed[kind]:
            members = [own for name, own in modules.items() if layer_and_projection(name)[key_of] == group["key"]]
            _audit_group(report, f"{run}, {kind} {group['key']}", group, members, adapters)
    _audit_group(report, f"{run}, whole", printed["whole"], list(modules.values()), adapters)
    for rows in printed["rows"]:
        _audit_rows(report, f"{run}, {rows['name']}", rows, adapters)
    if peso is not None:
        for pull in printed["pull"]:
            _audit_pull(report, f"{run}, stage {pull['stage']}", pull, adapters, steps, peso)
        _audit_penalty(report, run, adapters, steps, best_epochs, peso)


class _Module:
    """One module after every stage."""

    def __init__(self, adapters, name):
        self.name = name
        self.updates = [adapter.update(name) for adapter in adapters]
        self.spectra = [Spectrum(adapter, name) for adapter in adapters]
        self.parameters = [_flat(adapter.trained[name]) for adapter in adapters]
        self.shape = self.updates[0].shape
        self.moves = [None] + [self._moved(at) for at in range(1, len(adapters))]

    def _moved(self, at):
        moved, before = self.updates[at] - self.updates[at - 1], self.spectra[at - 1]
        norm = np.linalg.norm(moved)
        # What is left of equal updates is rounding.
        if norm <= 64 * np.finfo(float).eps * (np.linalg.norm(self.updates[at]) + np.linalg.norm(self.updates[at - 1])):
            norm = 0.0
        share = lambda part: min(1.0, float(np.linalg.norm(part) / norm) ** 2) if norm > 0 else 0.0
        return {
            "norm": float(norm),
            "parameters": float(np.linalg.norm(self.parameters[at] - self.parameters[at - 1])),
            "inside_left": share(before.left.T @ moved),
            "inside_right": share(moved @ before.right),
            "inside_both": share(before.left.T @ moved @ before.right),
            "chance_left": before.rank / self.shape[0],
            "chance_right": before.rank / self.shape[1],
        }

    def angles(self, side, one, other):
        """Principal angles between the spaces of two stages, ascending.

        From sine and cosine at once: `scipy.linalg.subspace_angles` takes a small angle from its cosine where others are
        large, and loses it (1e-8 becomes 0).
        """
        small, large = sorted((getattr(self.spectra[at], side) for at in (one, other)), key=lambda space: space.shape[1])
        if small.shape[1] == 0:
            return []
        cosines = linalg.svdvals(large.T @ small)
        sines = linalg.svdvals(small - large @ (large.T @ small))[::-1]
        return np.arctan2(sines, cosines).tolist()


def _flat(pair):
    return np.concatenate([pair.a.ravel(), pair.b.ravel()])


def _grassmann(angles):
    return float(np.sqrt(np.square(angles).sum()))


def _audit_module(report, where, printed, own, adapters):
    tally = report.tally("updates")
    tally.add(f"{where}, shape", [printed["output"], printed["input"]], list(own.shape))
    for at, stage in enumerate(printed["stages"]):
        place, spectrum = f"{where}, stage {stage['stage']}", own.spectra[at]
        report.tally("singular values").add(place, stage["singular_values"], spectrum.values.tolist())
        expected = {
            "rank": spectrum.rank,
            "effective_rank": spectrum.effective_rank(),
            "stable_rank": spectrum.stable_rank(),
            "norm": float(np.linalg.norm(own.updates[at])),
            "parameters_norm": float(np.linalg.norm(own.parameters[at])),
        }
        for name, value in expected.items():
            tally.add(f"{place}, {name}", stage[name], value)
        _audit_moved(report, place, stage["moved"], own.moves[at])
        if at > 0:
            _audit_matches(report, place, stage["matches"], own.spectra[at - 1], spectrum)
    places = {adapter.stage: at for at, adapter in enumerate(adapters)}
    for pair in printed["pairs"]:
        _audit_pair(report, f"{where}, stages {pair['from']} and {pair['to']}", pair, own, places)


def _audit_moved(report, where, printed, expected):
    if printed is None or expected is None:
        report.tally("moves").add(where, printed, expected)
        return
    for name, value in expected.items():
        report.tally("moves").add(f"{where}, {name}", printed[name], value)


def _audit_pair(report, where, printed, own, places):
    one, other = (own.updates[places[printed[key]]] for key in ("from", "to"))
    lengths = np.linalg.norm(one) * np.linalg.norm(other)
    tally = report.tally("moves")
    tally.add(f"{where}, distance", printed["distance"], float(np.linalg.norm(other - one)))
    tally.add(f"{where}, cosine", printed["cosine"], float((one * other).sum() / lengths) if lengths > 0 else 0.0)
    for side in ("left", "right"):
        angles = own.angles(side, places[printed["from"]], places[printed["to"]])
        expected = {
            "radians": angles,
            "grassmann": _grassmann(angles),
            "chordal": _grassmann(np.sin(angles)),
            "overlap": float(np.square(np.cos(angles)).mean()) if angles else None,
        }
        for name, value in expected.items():
            report.tally("principal angles").add(f"{where}, {side}, {name}", printed[side][name], value)


def _audit_matches(report, where, printed, before, now):
    """Which direction continues which: the assignment with the largest sum of the cosines between u vᵀ."""
    tally = report.tally("directions")
    left, right = now.left.T @ before.left, now.right.T @ before.right
    weights = np.abs(left * right)
    rows, columns = optimize.linear_sum_assignment(weights, maximize=True)
    partners = dict(zip(rows.tolist(), columns.tolist()))
    tally.add(f"{where}, directions", len(printed), now.rank)
    # Vectors of nearly equal singular values turn into each other within rounding.
    least_gap = min(_relative_gap(before.values[: before.rank]), _relative_gap(now.values[: now.rank]))
    tolerance = max(1e-9, 1e-13 / max(least_gap, 1e-16))
    for index, match in enumerate(printed):
        partner = partners.get(index)
        if match is None or partner is None:
            tally.add(f"{where}, direction {index}", match, partner)
            continue
        tally.add(f"{where}, direction {index}, continues", match["previous"], partner)
        cosines = [left[index, partner], right[index, partner]]
        sign = -1.0 if sum(cosines) < 0 else 1.0
        tally.add(f"{where}, direction {index}", [match["left"], match["right"]], [sign * c for c in cosines], tolerance)


def _relative_gap(values):
    return float(-np.diff(values).max() / values[0]) if len(values) > 1 else 1.0


def _audit_group(report, where, printed, members, adapters):
    """Norms and moves of a group are those of its modules as one vector; ranks and distances are plain means over modules."""
    tally = report.tally("groups of modules")
    tally.add(f"{where}, modules", printed["modules"], len(members))
    root = lambda values: float(np.sqrt(np.square(list(values)).sum()))
    for at, stage in enumerate(printed["stages"]):
        place = f"{where}, stage {stage['stage']}"
        tally.add(f"{place}, norm", stage["norm"], root(np.linalg.norm(own.updates[at]) for own in members))
        tally.add(f"{place}, parameters", stage["parameters_norm"], root(np.linalg.norm(own.parameters[at]) for own in members))
        mean_rank = float(np.mean([own.spectra[at].effective_rank() for own in members]))
        tally.add(f"{place}, effective rank", stage["effective_rank"], mean_rank)
        if at == 0:
            tally.add(f"{place}, moved", stage["moved"], None)
            continue
        moves = [own.moves[at] for own in members]
        energies = np.square([moved["norm"] for moved in moves])
        for name, value in stage["moved"].items():
            of_modules = [moved[name] for moved in moves]
            if name in ("norm", "parameters"):
                expected = root(of_modules)
            else:
                expected = float(energies @ of_modules / energies.sum()) if energies.sum() > 0 else 0.0
            tally.add(f"{place}, {name}", value, expected)
        for name, other in (("grassmann", at - 1), ("grassmann_to_first", 0)):
            means = [np.mean([_grassmann(own.angles(side, other, at)) for own in members]) for side in ("left", "right")]
            tally.add(f"{place}, {name}", stage[name], [float(mean) for mean in means])


def _audit_rows(report, where, printed, adapters):
    tally = report.tally("token rows")
    by_stage = {adapter.stage: adapter.token_rows[printed["name"]] for adapter in adapters}
    first = by_stage[adapters[0].stage]
    for stage in printed["stages"]:
        now = by_stage[stage["stage"]]
        lengths = np.linalg.norm(now - by_stage[stage["stage"] - 1], axis=1)
        expected = {
            "norm": float(np.linalg.norm(now)),
            "moved": float(np.linalg.norm(lengths)),
            "moved_since_first": float(np.linalg.norm(now - first)),
            "mean_row": float(lengths.mean()),
            "largest_row": float(lengths.max()),
        }
        for name, value in expected.items():
            tally.add(f"{where}, stage {stage['stage']}, {name}", stage[name], value)
        most = np.sort(lengths)[::-1][: len(stage["most_moved"])]
        tally.add(f"{where}, stage {stage['stage']}, most moved", [length for _, length in stage["most_moved"]], most.tolist())


def _parameters(adapter):
    """A and B of every module by parameter name, as trained."""
    return {
        f"{name}.lora_{factor}.weight": matrix
        for name, pair in sorted(adapter.trained.items())
        for factor, matrix in (("A", pair.a), ("B", pair.b))
    }


def _anchors(peso, adapters, at):
    """The states that pull in the stage at an index: parameters by name."""
    past = [_parameters(adapter) for adapter in adapters[:at]]
    anchor = peso.get("anchor")
    if anchor is None or anchor.name == "Latest":
        return past[-1:]
    if anchor.name == "All":
        return past
    decay = np.float32(anchor.get("decay"))
    average = {name: values.astype(np.float32) for name, values in past[0].items()}
    for state in past[1:]:
        average = {name: decay * average[name] + (1 - decay) * state[name].astype(np.float32) for name in average}
    return [{name: values.astype(np.float64) for name, values in average.items()}]


def _groups(distance, name, matrix):
    """The groups that a parameter is: itself, or each rank's own values (a row of A, a column of B)."""
    if distance.name != "PerRankKl":
        return [matrix.ravel()]
    return list(matrix if name.endswith("lora_A.weight") else matrix.T)


def _softmax(values):
    weights = np.exp(values - values.max())
    return weights / weights.sum()


def _audit_pull(report, where, printed, adapters, steps, peso):
    """The strength of every group: lambda over the group's size for a softmax divergence."""
    tally = report.tally("lambda_eff")
    at = [adapter.stage for adapter in adapters].index(printed["stage"])
    anchors, distance = _anchors(peso, adapters, at), peso.get("distance")
    ratios = [step["pull_ratio"] for step in steps[printed["stage"]] if step["pull_ratio"] is not None]
    tally.add(f"{where}, ratios", printed["ratios"], ratios)
    tally.add(f"{where}, lambda", printed["lambda"], peso.get("lambda"))
    if ratios:
        tally.add(f"{where}, mean ratio", printed["ratio"]["mean"], float(np.mean(ratios)))
        tally.add(f"{where}, last ratio", printed["ratio"]["last"], ratios[-1])
    has_metric = distance.name in ("SoftmaxKl", "PerRankKl") or (distance.name == "L2" and distance.get("squared"))
    if len(anchors) != 1 or not has_metric:
        tally.add(f"{where}, groups", len(printed["groups"]), 0)
        return
    modules = len(adapters[0].trained) if peso.get("aggregation").name == "Mean" else 1
    groups = [(name, group) for name, matrix in anchors[0].items() for group in _groups(distance, name, matrix)]
    tally.add(f"{where}, groups", len(printed["groups"]), len(groups))
    for group, (name, values) in zip(printed["groups"], groups):
        tally.add(f"{where}, {name}, parameter", group["parameter"], name)
        tally.add(f"{where}, {name}, count", group["count"], values.size)
        if distance.name == "L2":
            strength = 1 / values.size if distance.get("per_element") else 1.0
        else:
            temperature = distance.get("temperature")
            strength = 1 / (values.size * temperature**2)
            shares = values.size * _softmax(values / temperature)
            tally.add(f"{where}, {name}, evenness", group["evenness"], [float(shares.min()), float(shares.max())])
        tally.add(f"{where}, {name}, lambda_eff", group["lambda_eff"], peso.get("lambda") * strength / modules)


def penalty(peso, current, anchors):
    """lambda times the distance of an adapter to the states that pull, as the project aggregates it."""
    distance, mean_over_modules = peso.get("distance"), peso.get("aggregation").name == "Mean"
    smoothing = _RELEASED_SMOOTHING if mean_over_modules else 0.0
    total = 0.0
    for state in anchors:
        for name, previous in state.items():
            if distance.name == "Orthogonal":
                moved = current[name] - previous
                overlap = moved @ previous.T if name.endswith("lora_A.weight") else previous.T @ moved
                total += np.abs(overlap).sum()
                continue
            for now, past in zip(_groups(distance, name, current[name]), _groups(distance, name, previous)):
                total += _distance(distance, now, past, smoothing)
    modules = len(anchors[0]) / 2 if mean_over_modules else 1.0
    return float(peso.get("lambda") * total / (len(anchors) * modules))


def _distance(distance, now, past, smoothing):
    if distance.name == "L2":
        norm = np.linalg.norm(now - past)
        value = 0.5 * norm**2 if distance.get("squared") else norm
        return value / now.size if distance.get("per_element") else value
    p, q = (_softmax(values / distance.get("temperature")) + smoothing for values in (now, past))
    p, q = p / p.sum(), q / q.sum()
    return float((p * np.log(p / q)).sum())


def _audit_penalty(report, run, adapters, steps, best_epochs, peso):
    """The penalty of every saved adapter against the one that training recorded there.

    A step records the penalty of the parameters that it starts from, computed in float32. Those of the epoch that is kept
    are where the next epoch's first step starts from. Where the last epoch is kept there is no such step: its own last
    step is one update before, each value of which is at most about the learning rate.
    """
    distance = peso.get("distance").name
    if distance in ("OutputKl", "None"):
        report.leave_out("penalty", f"{distance} is no distance of parameters")
        return
    for at, adapter in list(enumerate(adapters))[1:]:
        anchors, current = _anchors(peso, adapters, at), _parameters(adapter)
        expected = penalty(peso, current, anchors)
        kept = best_epochs[adapter.stage]
        later = [step for step in steps[adapter.stage] if step["epoch"] == kept + 1]
        where = f"{run}, stage {adapter.stage}"
        # As shares of the penalty, which is small itself
        if later:
            report.tally("penalty", 1e-6).add(where, later[0]["penalty"] / expected, 1.0)
            continue
        last = [step for step in steps[adapter.stage] if step["epoch"] == kept][-1]
        flat = lambda state: np.concatenate([state[name].ravel() for name in anchors[0]])
        moved = np.linalg.norm(flat(current) - flat(anchors[-1]))
        update = last["learning_rate"] * flat(current).size ** 0.5
        # As a share of what that update may change: the penalty is nearly a square of what moved.
        share = abs(last["penalty"] / expected - 1) / (1e-6 + 4 * update / moved)
        report.tally("penalty, in updates", 1.0).add(where, share, 0.0)
