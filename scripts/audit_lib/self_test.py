"""Errors planted in copies of a project: an audit that does not notice them is worth nothing."""

import os
import shutil
import sqlite3
import struct
import tempfile
from pathlib import Path


def missed(passes, project):
    """The planted errors after which `passes(project)` still holds."""
    found = []
    for plant in (_rank, _metric, _adapter):
        with tempfile.TemporaryDirectory(prefix="peso-audit-") as folder:
            copy = Path(folder) / "project"
            shutil.copytree(project if project.is_dir() else project.parent, copy)
            what = plant(copy)
            if passes(copy if project.is_dir() else copy / project.name):
                found.append(what)
    return found


def _runs(project, file):
    """Runs with such a file; shared parts are no runs of their own."""
    runs = sorted(path for path in (project / "runs").iterdir() if not path.name.startswith("shared-"))
    return [run for run in runs if (run / file).is_file()]


def _change(run, statement):
    with sqlite3.connect(run / "run.sqlite") as database:
        changed = database.execute(statement).rowcount
    database.close()
    if changed != 1:
        raise ValueError(f"{run} has nothing to plant an error in")


def _rank(project):
    run = _runs(project, "run.sqlite")[0]
    first = "SELECT trained, tested, place FROM outcomes WHERE protocol = 0 AND trained > 1 AND rank BETWEEN 1 AND 9 LIMIT 1"
    where = f"protocol = 0 AND (trained, tested, place) = ({first})"
    _change(run, f"UPDATE outcomes SET rank = rank + 1, before = before + 1 WHERE {where}")
    return f"a rank of one test of {run.name}"


def _metric(project):
    run = _runs(project, "run.sqlite")[0]
    _change(run, "UPDATE metrics SET value = value + 1e-6 WHERE (protocol, trained, tested, name) = (0, 2, 2, 'ndcg@10')")
    return f"a metric of {run.name}"


def _adapter(project):
    """The report that `peso` keeps is of the old adapter where the file has the old size and time."""
    file = "adapters/stage_2/adapter_model.safetensors"
    path = _runs(project, file)[0] / file
    data = bytearray(path.read_bytes())
    about = path.stat()
    (value,) = struct.unpack("<f", data[-4:])
    data[-4:] = struct.pack("<f", value + 0.01)
    path.write_bytes(data)
    os.utime(path, ns=(about.st_atime_ns, about.st_mtime_ns))
    return f"a value of {path.parent}"
