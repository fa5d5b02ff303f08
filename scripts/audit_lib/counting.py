"""The two baselines that only count, from a project's raw files."""

from collections import Counter, defaultdict
from typing import NamedTuple

from ranking import PROTOCOLS


class Constants(NamedTuple):
    """What co-occurrence is counted with."""

    window: int = 3
    newest: int = 10
    decay: float = 0.9


class Popularity:
    """Items by how often they are training targets of a stage, equal ones in catalogue order."""

    def __init__(self, dataset, stage):
        counts = Counter(item for sequence in dataset.stages[stage] for item in sequence.training_targets())
        self.ranked = sorted(counts, key=lambda item: (-counts[item], item))

    def recommend(self, history, length):
        seen = set(history)
        return _first((item for item in self.ranked if item not in seen), length)


class CoOccurrence:
    """Items by how often they are training targets near those of the history, in all stages so far."""

    def __init__(self, dataset, stage, constants):
        self.constants, self.popularity = constants, Popularity(dataset, stage)
        self.near = defaultdict(Counter)
        for sequence in (sequence for sequences in dataset.stages[: stage + 1] for sequence in sequences):
            targets = sequence.training_targets()
            for at, item in enumerate(targets):
                for other in targets[at + 1 : at + 1 + constants.window]:
                    self.near[item][other] += 1
                    self.near[other][item] += 1

    def recommend(self, history, length):
        scores, weight = defaultdict(float), 1.0
        for item in history[::-1][: self.constants.newest]:
            for other, count in self.near[item].items() if item in self.near else ():
                scores[other] += weight * count
            weight *= self.constants.decay
        seen = set(history)
        ranked = sorted((item for item in scores if item not in seen), key=lambda item: (-scores[item], item))[:length]
        seen.update(ranked)
        return ranked + _first((item for item in self.popularity.ranked if item not in seen), length - len(ranked))


def _first(items, length):
    return [item for item, _ in zip(items, range(length))]


def audit(report, own, dataset):
    """Holds every list that a non-learned baseline recorded against one that is counted again."""
    run, name = own.run, own.run.method.name
    length = run.project.get("evaluation").get("beams")
    constants = Constants()
    tally = report.tally("counted lists")
    for trained in range(1, run.stages + 1):
        stage = trained - 1
        counted = Popularity(dataset, stage) if name == "Popularity" else CoOccurrence(dataset, stage, constants)
        cells = sorted(cell for cell in own.outcomes if cell[1] == trained)
        for protocol, _, tested in cells:
            where = f"{run.name}, {PROTOCOLS[protocol]}, R[{trained}, {tested}]"
            by_user = {sequence.user: sequence for sequence in dataset.stages[tested - 1]}
            _audit_test_set(report, run, where, own.outcomes[protocol, trained, tested], by_user, protocol)
            for outcome in own.outcomes[protocol, trained, tested]:
                test = by_user[outcome.user].test(protocol) if outcome.user in by_user else None
                expected = _expected(counted.recommend(test[0], length), test[1]) if test else None
                found = [outcome.target, outcome.rank, outcome.before, outcome.sharing, outcome.top]
                tally.add(f"{where}, user {outcome.user}", int(found == expected), 1)


def _expected(ranked, target):
    place = ranked.index(target) if target in ranked else None
    return [target, *((place + 1, place, 1) if place is not None else (0, 0, 0)), ranked[:10]]


def _audit_test_set(report, run, where, outcomes, by_user, protocol):
    """How many tests there are: all, or as many as are sampled. Which ones a sample takes is the program's own choice."""
    users = run.project.get("evaluation").get("users")
    asked = sum(sequence.test(protocol) is not None for sequence in by_user.values())
    asked = asked if users.name == "All" else min(asked, users.items[0])
    report.tally("test sets").add(where, len({outcome.user for outcome in outcomes}), asked)
