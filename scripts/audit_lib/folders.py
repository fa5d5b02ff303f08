"""What a run folder holds, read without any code of PESO Workbench."""

import json
import re
import sqlite3
import struct
from collections import namedtuple
from pathlib import Path

import numpy as np

import ron

PROTOCOLS = ("same-block", "next-block")

# Marks of the measurements' file: "peso" and the layout that is read here
_APPLICATION, _VERSION = 0x7065736F, 2
_PREFIX, _A, _B = "base_model.model.", ".lora_A.weight", ".lora_B.weight"
_LARGEST_HEADER = 100 << 20

# Where the target's id stands in a list, from 1 (0: nowhere), the items before the id, and the items that share it
Place = namedtuple("Place", "rank before sharing")

# One test: the user, the item to be predicted, its place in the list, the first ten items of the list, and its place in the
# list that holds only items known by the tested stage (None where that was not made)
Outcome = namedtuple("Outcome", "user target place top known")

# The factors of one module's update, in float64: `a` [rank, in], `b` [out, rank]
Pair = namedtuple("Pair", "a b")


class Run:
    """A run folder, open for reading."""

    def __init__(self, path):
        self.path = Path(path)
        self.config = ron.parse((self.path / "run.ron").read_text(encoding="utf-8"))
        self.project = self.config.get("project")
        self.name = self.config.get("run")
        self.seed = self.config.get("seed")
        self.stages = self.config.get("stages")
        method = self.config.get("method")
        self.is_learned = method.name == "Learned"
        # The method of an experiment, or the name of a non-learned baseline
        self.method = method.items[0] if self.is_learned else method
        # Recommenders of their own rank items, language models ids.
        self.ranks_items = self.method.name in ("Popularity", "CoOccurrence", "SasRec", "TwoTower", "Hybrid")
        # Of language models: whether only ids of items are generated
        self.is_constrained = self.project.get("evaluation").get("decoding").name == "Trie"
        self._database = _open_database(self.path / "run.sqlite")

    def rows(self, select, *parameters):
        return self._database.execute(select, parameters).fetchall()

    def cells(self):
        """By (protocol, trained, tested): the metrics that the run recorded."""
        cells = {cell: {} for cell in self.rows("SELECT protocol, trained, tested FROM evaluations")}
        for protocol, trained, tested, name, value in self.rows("SELECT protocol, trained, tested, name, value FROM metrics"):
            cells.setdefault((protocol, trained, tested), {})[name] = value
        return cells

    def outcomes(self, protocol, trained, tested):
        """The outcome of every test of a cell, in the order of the test set."""
        select = """SELECT user, target, rank, before, sharing, top FROM outcomes
                    WHERE protocol = ? AND trained = ? AND tested = ? ORDER BY place"""
        rows, known = self.rows(select, protocol, trained, tested), {}
        if self.rows("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'known_outcomes'"):
            select = """SELECT place, rank, before, sharing FROM known_outcomes
                        WHERE protocol = ? AND trained = ? AND tested = ?"""
            known = {row[0]: Place(*row[1:]) for row in self.rows(select, protocol, trained, tested)}
        top = lambda row: np.frombuffer(row[5], "<u4").tolist()
        return [Outcome(*row[:2], Place(*row[2:5]), top(row), known.get(index)) for index, row in enumerate(rows)]

    def chosen_options(self):
        """What co-occurrence counts with and what that was chosen by; None where the run does not say."""
        found = self.rows("SELECT value FROM state WHERE key = 'co_occurrence'")
        return json.loads(found[0][0]) if found else None

    def adapters(self):
        """The adapter of every stage that has one, from stage 1 on without a gap."""
        found = []
        for stage in range(1, self.stages + 1):
            folder = self.path / "adapters" / f"stage_{stage}"
            if not (folder / "adapter_model.safetensors").is_file():
                break
            found.append(StageAdapter(stage, folder, self.project.get("training").get("lora").get("rank")))
        return found


class StageAdapter:
    """What a stage left: the update that predicts, the adapter that was trained, the trained token rows."""

    def __init__(self, stage, folder, rank):
        self.stage = stage
        peft = json.loads((folder / "adapter_config.json").read_text(encoding="utf-8"))
        self.scale = peft["lora_alpha"] / peft["r"]
        self.whole = _pairs(folder / "adapter_model.safetensors")
        # A method that predicts with two adapters has the one that goes on in a folder of its own.
        main = folder / "main" / "adapter_model.safetensors"
        trained = _pairs(main) if main.is_file() else self.whole
        # Past adapters that a method adds stand behind the trained one.
        self.trained = {name: Pair(pair.a[:rank], pair.b[:, :rank]) for name, pair in trained.items()}
        rows = folder / "token_rows.safetensors"
        self.token_rows = read_safetensors(rows) if rows.is_file() else {}

    def update(self, module):
        """The whole update alpha/r B A of a module, [out, in]."""
        pair = self.whole[module]
        return self.scale * (pair.b @ pair.a)


def _pairs(path):
    tensors = read_safetensors(path)
    names = [name[len(_PREFIX) : -len(_A)] for name in tensors if name.startswith(_PREFIX) and name.endswith(_A)]
    return {name: Pair(tensors[_PREFIX + name + _A], tensors[_PREFIX + name + _B]) for name in names}


def read_safetensors(path):
    """Tensors by name, in float64. Only float32 is read, which is all that run folders have."""
    data = Path(path).read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    if length > min(_LARGEST_HEADER, len(data) - 8):
        raise ValueError(f"{path} is cut off")
    header = json.loads(data[8 : 8 + length])
    header.pop("__metadata__", None)
    tensors = {}
    for name, about in header.items():
        if about["dtype"] != "F32":
            raise ValueError(f"{path}: `{name}` is {about['dtype']}, not F32")
        begin, end = about["data_offsets"]
        values = np.frombuffer(data[8 + length :][begin:end], "<f4")
        tensors[name] = values.reshape(about["shape"]).astype(np.float64)
    return tensors


def layer_and_projection(module):
    """`model.layers.3.self_attn.q_proj` is layer 3, `q_proj`."""
    found = re.match(r"model\.layers\.(\d+)\..*?([^.]+)$", module)
    return found.group(1), found.group(2)


def _open_database(path):
    # A finished run has no log beside its file. One that has would need it written back, which a reader must not do.
    log = path.with_name(path.name + "-wal")
    quiet = "" if log.exists() and log.stat().st_size else "&immutable=1"
    database = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro{quiet}", uri=True)
    # The file may come from anywhere: its schema must not call functions.
    database.execute("PRAGMA trusted_schema = OFF")
    marks = tuple(database.execute(f"PRAGMA {mark}").fetchone()[0] for mark in ("application_id", "user_version"))
    if marks != (_APPLICATION, _VERSION):
        raise ValueError(f"{path} is not the measurements of a run that is read here (marks {marks})")
    return database
