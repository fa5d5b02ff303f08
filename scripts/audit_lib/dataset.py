"""Interactions in stages, from the raw files that a project names."""

import csv
import json
import re
from collections import Counter, defaultdict
from datetime import datetime, timezone
from typing import NamedTuple

import numpy as np

# Interactions that a user needs in a stage to be trained and tested on (same-block)
_MIN_INTERACTIONS = 3


class NotRead(Exception):
    """Why a dataset is not read by this audit."""


class Sequence(NamedTuple):
    """What a user did up to the end of a stage, and where the stage begins in it."""

    user: int
    items: list
    current_from: int

    def takes_part(self):
        return len(self.items) - self.current_from >= _MIN_INTERACTIONS

    def training_targets(self):
        """All of the stage but the validation and the test target."""
        return self.items[self.current_from : -2] if self.takes_part() else []

    def validation(self):
        """History and target of the user's validation; None where the user has none."""
        return (self.items[:-2], self.items[-2]) if self.takes_part() else None

    def test(self, protocol):
        """History and target of the user's test under same-block (0) or next-block (1); None where the user has none."""
        if protocol == 0:
            at = len(self.items) - 1 if self.takes_part() else None
        else:
            at = self.current_from if 0 < self.current_from < len(self.items) else None
        return None if at is None else (self.items[:at], self.items[at])


class Dataset(NamedTuple):
    """Sequences by stage; items are numbered by ascending id, users by first appearance."""

    items: int
    stages: list

    def known(self, stage):
        """The items of any interaction up to the end of the stage at an index."""
        return {item for sequences in self.stages[: stage + 1] for sequence in sequences for item in sequence.items}


def read(dataset, folder):
    """The dataset that a project's `dataset` says, its paths starting at `folder`. Raises NotRead with the reason."""
    if dataset.name == "PesoRelease":
        return _peso_release(folder / (dataset.get("path") or dataset.items[0]))
    if dataset.name == "Table":
        return _table(dataset, folder)
    if dataset.name == "Synthetic":
        raise NotRead("the generator's interactions cannot be had without its code")
    raise NotRead(f"this audit does not read the format {dataset.name}")


def _order(ids):
    """Numbers of ids in ascending order: by value where every id is a number, else by text."""
    ids = set(ids)
    numeric = all(re.fullmatch(r"\+?\d+", item) for item in ids)
    ordered = sorted(ids, key=(lambda item: (int(item), item)) if numeric else lambda item: item.encode())
    return {item: number for number, item in enumerate(ordered)}


def _peso_release(folder):
    blocks = {}
    for path in folder.glob("*.all.block_*.json"):
        blocks[int(re.search(r"block_(\d+)\.json$", path.name).group(1))] = path
    name = blocks[0].name.split(".all.block_")[0]
    (index,) = [path for path in folder.glob(f"{name}.index.*json")]
    numbers = _order(json.loads(index.read_text(encoding="utf-8")))
    users, stages = {}, []
    for _, path in sorted(blocks.items()):
        stage = []
        for user, blocks_of_user in json.loads(path.read_text(encoding="utf-8")).items():
            previous, current = (blocks_of_user[key] for key in ("previous_block", "current_block"))
            items = [numbers[str(item)] for item in previous + current]
            stage.append(Sequence(users.setdefault(user, len(users)), items, len(previous)))
        stages.append(stage)
    return Dataset(len(numbers), stages)


class _Interaction(NamedTuple):
    user: str
    item: str
    time: int | None
    rating: float | None


def _table(dataset, folder):
    prepare = dataset.get("prepare")
    option = lambda name, usual: usual if prepare is None else prepare.get(name, usual)
    kept = list(_rows(dataset, folder))
    # Sorting is stable: interactions of one time stay in file order.
    if dataset.get("columns").get("time"):
        kept.sort(key=lambda row: row.time)
    if option("deduplicate", True):
        seen = set()
        kept = [row for row in kept if (row[:2] not in seen, seen.add(row[:2]))[0]]
    if option("least_rating", None) is not None:
        kept = [row for row in kept if row.rating >= option("least_rating", None)]
    kept = _core(kept, option("core", 5))
    return _in_stages(_cut(kept, option("stages", None)))


def _rows(dataset, folder):
    path = folder / dataset.get("path")
    if path.suffix not in (".csv", ".tsv", ".txt"):
        raise NotRead(f"this audit reads plain CSV and TSV, not {path.name}")
    if dataset.get("header") is False:
        raise NotRead("this audit reads tables with a header")
    columns = dataset.get("columns")
    with open(path, newline="", encoding="utf-8") as file:
        first = file.readline()
        file.seek(0)
        separator = dataset.get("separator") or ("\t" if "\t" in first else ",")
        rows = csv.reader(file, delimiter=separator)
        header = [name.strip() for name in next(rows)]
        roles = {}
        for role in ("user", "item", "time", "rating"):
            name = columns.get(role)
            if name is not None and name not in header:
                raise NotRead(f"{path.name} has no column {name} between `{separator}`")
            roles[role] = None if name is None else header.index(name)
        for row in rows:
            interaction = _interaction(row, roles)
            if interaction:
                yield interaction


def _interaction(row, roles):
    """None for a row that lacks something, or has a time or rating that is none; such rows are skipped."""
    if len(row) <= max(at for at in roles.values() if at is not None):
        return None
    cell = lambda role: None if roles[role] is None else row[roles[role]].strip()
    try:
        time = None if cell("time") is None else _milliseconds(cell("time"))
        rating = None if cell("rating") is None else float(np.float32(cell("rating")))
    except ValueError:
        return None
    return _Interaction(cell("user"), cell("item"), time, rating) if cell("user") and cell("item") else None


def _milliseconds(text):
    """A time since 1970: a number, whose size tells its unit, or a date."""
    try:
        number = int(text)
    except ValueError:
        try:
            number = float(text)
        except ValueError:
            moment = datetime.fromisoformat(text)
            moment = moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
            return int(moment.timestamp() * 1000)
    for largest, factor in ((1e11, 1000), (1e14, 1), (1e17, 1e-3)):
        if abs(number) < largest:
            return int(number * factor // 1) if isinstance(number, int) else round(number * factor)
    return int(number // 1_000_000)


def _core(kept, core):
    """What is left when users and items with fewer interactions are left out, until nothing changes."""
    while core > 1:
        users, items = Counter(row.user for row in kept), Counter(row.item for row in kept)
        left = [row for row in kept if users[row.user] >= core and items[row.item] >= core]
        if len(left) == len(kept):
            break
        kept = left
    return kept


def _cut(kept, cuts):
    """The interactions of each stage."""
    name = "Fractions" if cuts is None else cuts.name
    if name == "Dates":
        times = [_milliseconds(date) for date in cuts.items[0]]
        stages = [[] for _ in range(len(times) + 1)]
        for row in kept:
            stages[sum(time <= row.time for time in times)].append(row)
        return stages
    if name in ("Fractions", "ByOrder"):
        base, later = (0.6, 4) if cuts is None else (cuts.get("base"), cuts.get("later"))
        shares = [base] + [(1 - base) / later] * later
    else:
        shares = cuts.items[0] if name == "Shares" else [1 / cuts.items[0]] * cuts.items[0]
    # A share like 0.7 may have come out a little lower than it is.
    ends = lambda count: [int(end * count + 1e-6) for end in np.cumsum(shares)[:-1]] + [count]
    if name != "ByOrder":
        marks = [0] + ends(len(kept))
        return [kept[first:last] for first, last in zip(marks, marks[1:])]
    counts, seen = Counter(row.user for row in kept), Counter()
    stages = [[] for _ in shares]
    for row in kept:
        stage = next(stage for stage, end in enumerate(ends(counts[row.user])) if seen[row.user] < end)
        stages[stage].append(row)
        seen[row.user] += 1
    return stages


def _in_stages(cut):
    numbers = _order(row.item for rows in cut for row in rows)
    users, histories, stages = {}, defaultdict(list), []
    for rows in cut:
        for row in rows:
            users.setdefault(row.user, len(users))
        before = {user: len(histories[user]) for user in users.values()}
        for row in rows:
            histories[users[row.user]].append(numbers[row.item])
        active = [user for user in users.values() if len(histories[user]) > before[user]]
        stages.append([Sequence(user, list(histories[user]), before[user]) for user in active])
    return Dataset(len(numbers), stages)
