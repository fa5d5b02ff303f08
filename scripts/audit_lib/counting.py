"""The two baselines that only count, from a project's raw files."""

import math
from collections import Counter, defaultdict
from typing import NamedTuple

from folders import PROTOCOLS, Place

# Validation users of stage 1 that co-occurrence's options are chosen on, at most, and the cut-off of the NDCG that decides
_VALIDATION_USERS, _VALIDATION_K = 2000, 10


class Options(NamedTuple):
    """What co-occurrence counts and how it weighs it; the defaults are those of runs that do not say."""

    window: int = 3
    newest: int = 10
    decay: float = 0.9


class Popularity:
    """Items by how often they are training targets of a stage, equal ones in catalogue order."""

    def __init__(self, dataset, stage):
        counts = Counter(item for sequence in dataset.stages[stage] for item in sequence.training_targets())
        self.ranked = sorted(counts, key=lambda item: (-counts[item], item))

    def recommend(self, history, length, known=None):
        """The best items that are not in the history, and of known ones where these are given."""
        return _first((item for item in self.ranked if _may_be_listed(item, history, known)), length)


class CoOccurrence:
    """Items by how often they are training targets near those of the history, in all stages so far."""

    def __init__(self, dataset, stage, options):
        self.options, self.popularity = options, Popularity(dataset, stage)
        self.near = defaultdict(Counter)
        for sequence in (sequence for sequences in dataset.stages[: stage + 1] for sequence in sequences):
            targets = sequence.training_targets()
            for at, item in enumerate(targets):
                for other in targets[at + 1 : at + 1 + options.window]:
                    self.near[item][other] += 1
                    self.near[other][item] += 1

    def recommend(self, history, length, known=None):
        scores, weight = defaultdict(float), 1.0
        for item in history[::-1][: self.options.newest]:
            for other, count in self.near[item].items() if item in self.near else ():
                scores[other] += weight * count
            weight *= self.options.decay
        listed = (item for item in scores if _may_be_listed(item, history, known))
        ranked = sorted(listed, key=lambda item: (-scores[item], item))[:length]
        return ranked + self.popularity.recommend([*history, *ranked], length - len(ranked), known)


def _may_be_listed(item, history, known):
    return item not in history and (known is None or item in known)


def _first(items, length):
    return [item for item, _ in zip(items, range(length))]


def audit(report, own, dataset):
    """Holds every list that a non-learned baseline recorded against one that is counted again."""
    run, name = own.run, own.run.method.name
    length = run.project.get("evaluation").get("beams")
    options = _audit_options(report, own, dataset) if name == "CoOccurrence" else None
    tally = report.tally("counted lists")
    for trained in range(1, run.stages + 1):
        stage = trained - 1
        counted = Popularity(dataset, stage) if name == "Popularity" else CoOccurrence(dataset, stage, options)
        cells = sorted(cell for cell in own.outcomes if cell[1] == trained)
        for protocol, _, tested in cells:
            where = f"{run.name}, {PROTOCOLS[protocol]}, R[{trained}, {tested}]"
            by_user = {sequence.user: sequence for sequence in dataset.stages[tested - 1]}
            outcomes, known = own.outcomes[protocol, trained, tested], dataset.known(tested - 1)
            _audit_test_set(report, run, where, outcomes, by_user, protocol)
            for outcome in outcomes:
                test = by_user[outcome.user].test(protocol) if outcome.user in by_user else None
                found = [outcome.target, outcome.place, outcome.top, outcome.known]
                expected = None
                if test:
                    history, target = test
                    ranked = counted.recommend(history, length)
                    among_known = _place(counted.recommend(history, length, known), target) if outcome.known else None
                    expected = [target, _place(ranked, target), ranked[:10], among_known]
                tally.add(f"{where}, user {outcome.user}", int(found == expected), 1)


def _place(ranked, target):
    before = ranked.index(target) if target in ranked else None
    return Place(0, 0, 0) if before is None else Place(before + 1, before, 1)


def _audit_options(report, own, dataset):
    """The options that the run was counted with, and the NDCG on stage 1's validation targets that they were chosen by.

    That no other options of the program's search have a greater one is not looked into.
    """
    chosen = own.run.chosen_options()
    if chosen is None:
        return Options()
    options = Options(*(chosen[field] for field in Options._fields))
    validated = [found for found in (sequence.validation() for sequence in dataset.stages[0]) if found]
    count = min(len(validated), _VALIDATION_USERS)
    validated = [validated[place * len(validated) // count] for place in range(count)]
    counted, worth = CoOccurrence(dataset, 0, options), 0.0
    for history, target in validated:
        rank = _place(counted.recommend(history, _VALIDATION_K), target).rank
        worth += 1 / math.log2(rank + 1) if rank else 0.0
    tally = report.tally("co-occurrence's options")
    tally.add(f"{own.run.name}, validation users", chosen["validation_users"], count)
    tally.add(f"{own.run.name}, NDCG", chosen["validation_ndcg"], worth / count if count else 0.0)
    return options


def _audit_test_set(report, run, where, outcomes, by_user, protocol):
    """How many tests there are: all, or as many as are sampled. Which ones a sample takes is the program's own choice."""
    users = run.project.get("evaluation").get("users")
    asked = sum(sequence.test(protocol) is not None for sequence in by_user.values())
    asked = asked if users.name == "All" else min(asked, users.items[0])
    report.tally("test sets").add(where, len({outcome.user for outcome in outcomes}), asked)
