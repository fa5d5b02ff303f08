"""Hit, NDCG, the result matrix and the continual measures, from every test's outcome."""

import math
import re

import numpy as np

from folders import PROTOCOLS

METRIC = re.compile(r"(?P<kind>hit|ndcg)@(?P<k>\d+)(?P<known>_known)?(?P<corrected>_corrected)?$")


def gain(metric, outcomes):
    """A metric of every outcome.

    The released count takes the place of the target's id in the list. The tie-corrected one takes the mean over the
    places that the target may have among the items of its id. With `_known`, both in the list of known items.
    """
    asked = METRIC.match(metric)
    k = int(asked["k"])
    worth = [1.0 if asked["kind"] == "hit" else 1.0 / math.log2(place + 1) for place in range(1, k + 1)]

    def of(place):
        if place is None:
            return math.nan
        if not asked["corrected"]:
            return worth[place.rank - 1] if 0 < place.rank <= k else 0.0
        return sum(worth[place.before : place.before + place.sharing]) / place.sharing if place.sharing else 0.0

    return np.array([of(outcome.known if asked["known"] else outcome.place) for outcome in outcomes])


def newest(protocol, stage):
    """The newest model that may be asked the tests of a stage."""
    return stage if PROTOCOLS[protocol] == "same-block" else stage - 1


class Measured:
    """A run's metrics, computed from its outcomes."""

    def __init__(self, run):
        self.run = run
        self.stored = run.cells()
        self.outcomes = {cell: run.outcomes(*cell) for cell in self.stored}
        self.metrics = {cell: self._metrics(cell) for cell in self.stored}

    def _metrics(self, cell):
        names = [name for name in self.stored[cell] if METRIC.match(name)]
        return {name: float(gain(name, self.outcomes[cell]).mean()) for name in names} if self.outcomes[cell] else {}

    def of_later_stages(self, protocol, metric):
        """By stage from 2 on: the metric of every test, of the newest model that may be asked."""
        return [gain(metric, self.outcomes[cell]) for cell in self._later_stages(protocol)]

    def outcomes_of_later_stages(self, protocol):
        """The outcomes of all these tests."""
        return [outcome for cell in self._later_stages(protocol) for outcome in self.outcomes[cell]]

    def _later_stages(self, protocol):
        return [(protocol, newest(protocol, stage), stage) for stage in range(2, self.run.stages + 1)]

    def matrix(self, protocol, metric):
        """R[i][j], None where a cell is not measured; a row for each stage up to the last that was measured."""
        trained = [cell[1] for cell in self.metrics if cell[0] == protocol and cell[1] > 0]
        of_cell = lambda i, j: self.metrics.get((protocol, i, j), {}).get(metric)
        stages = range(1, self.run.stages + 1)
        return [[of_cell(i, j) for j in stages] for i in range(1, max(trained, default=0) + 1)]


def continual(matrix, untrained):
    """Continual measures of a whole matrix, and of the metrics `untrained` of the model before any training on stages 2 to T."""
    last, stages = matrix[-1], len(matrix)
    earlier = range(stages - 1)
    mean = lambda values: sum(values) / len(values) if values else None
    known = all(value is not None for value in untrained)
    return {
        "plasticity": mean([matrix[j][j] for j in range(stages)]),
        "stability": mean([last[j] for j in earlier]),
        "average_accuracy": mean(last),
        "backward_transfer": mean([last[j] - matrix[j][j] for j in earlier]),
        "forward_transfer": mean([matrix[j][j + 1] - untrained[j] for j in earlier]) if known else None,
        "forgetting": mean([max(row[j] for row in matrix) - last[j] for j in earlier]),
    }


def audit(report, printed, protocol, measured):
    """Holds what `peso results --json` prints of a protocol against the outcomes; `measured` is by run id."""
    for run in printed["runs"]:
        own = measured.get(run["run"])
        if own is None:
            continue
        _audit_stored(report, run["run"], protocol, own)
        _audit_places(report, run["run"], protocol, own)
        for stage in run["stages"]:
            cell = (protocol, newest(protocol, stage["stage"]), stage["stage"])
            for metric, value in stage["metrics"].items():
                if METRIC.match(metric):
                    where = f"{run['run']}, stage {stage['stage']}, {metric}"
                    report.tally("metrics").add(where, value, own.metrics[cell].get(metric))
        for metric, matrix in run["matrix"].items():
            if METRIC.match(metric):
                report.tally("R[i, j]").add(f"{run['run']}, R of {metric}", matrix, own.matrix(protocol, metric))
        _audit_continual(report, run, protocol, own)


def _audit_stored(report, name, protocol, own):
    for cell, metrics in own.stored.items():
        for metric, value in metrics.items():
            if cell[0] != protocol:
                continue
            if METRIC.match(metric):
                where = f"{name}, R[{cell[1]}, {cell[2]}], {metric}"
                report.tally("metrics in records").add(where, value, own.metrics[cell].get(metric))
            elif metric == "invalid_rate":
                report.leave_out("invalid_rate", "the generated ids are not kept, only the items of the list's beginning")
            else:
                report.leave_out(metric, "a metric that this audit does not know")


def _audit_places(report, name, protocol, own):
    """The place that an outcome says against the list's first items that it has."""
    tally = report.tally("places in lists")
    lists_are_whole = own.run.ranks_items or own.run.is_constrained
    for cell, outcomes in own.outcomes.items():
        for index, o in enumerate(outcomes if cell[0] == protocol else []):
            rank, before, sharing = o.place
            places = range(before + 1, before + sharing + 1)
            listed = o.top.index(o.target) + 1 if o.target in o.top else None
            # Ranked items beyond those that are kept cannot be looked up, and an id that no item has takes a place in the
            # list without an item.
            fits = listed in places if listed and lists_are_whole else not places or places[-1] > len(o.top) or bool(listed)
            consistent = fits and (rank > 0) == (sharing > 0) and rank <= before + 1
            tally.add(f"{name}, R[{cell[1]}, {cell[2]}], test {index}", int(consistent), 1)


def _audit_continual(report, run, protocol, own):
    for metric, measures in run["continual"].items():
        if not METRIC.match(metric):
            continue
        where, matrix = f"{run['run']}, {metric}", own.matrix(protocol, metric)
        if len(matrix) != own.run.stages or any(value is None for row in matrix for value in row):
            report.tally("continual measures").add(where, measures, None)
            continue
        before = [own.metrics.get((protocol, 0, j), {}).get(metric) for j in range(2, own.run.stages + 1)]
        for name, value in continual(matrix, before).items():
            report.tally("continual measures").add(f"{where}, {name}", measures.get(name), value)
