"""Recomputes what PESO Workbench prints of a project from its run folders and raw data (docs/results/second-opinion.md)."""

import argparse
import json
import subprocess
import sys
from pathlib import Path

import numpy as np

import counting
import dataset
import gains
import ranking
import ron
import self_test
import subspaces
from folders import PROTOCOLS, Run
from tally import Report

# What cannot be audited, said in every report
_NEVER = {
    "peso retention, peso interpret, peso subspace --truth": "they take the model itself",
    "time, memory, losses": "measured while the run trained",
}


class Unusable(Exception):
    """Why there is nothing to audit."""


class Peso:
    """The program that is audited."""

    def __init__(self, path):
        self.path = path

    def json(self, *arguments):
        """What it prints, or None and its error where it refuses."""
        done = subprocess.run([self.path, *arguments], capture_output=True, text=True, encoding="utf-8")
        return (json.loads(done.stdout), None) if done.returncode == 0 else (None, done.stderr.strip().splitlines()[:1])


def main():
    arguments = _arguments()
    try:
        report = Report()
        audit(report, Peso(arguments.peso), Path(arguments.project), arguments.out)
    except (Unusable, OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(json.dumps(report.as_json(), indent=2) if arguments.json else report.as_text())
    if report.passed and arguments.self_test:
        missed = self_test.missed(lambda project: _passes(arguments, project), Path(arguments.project))
        print("\n".join(f"NOT NOTICED: {what}" for what in missed) or "Every error that was planted is noticed")
        return 1 if missed else 0
    return 0 if report.passed else 1


def _arguments():
    parser = argparse.ArgumentParser(prog="scripts/audit", description=__doc__.split(" (docs")[0])
    parser.add_argument("project", help="a project file, or a folder with `project.ron`; its runs must be finished")
    parser.add_argument("--peso", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--out", help="folder of the runs, instead of `runs` beside the project file")
    parser.add_argument("--json", action="store_true", help="the report as JSON")
    parser.add_argument(
        "--self-test",
        action="store_true",
        help="also plant errors in copies of the project, and fail where one goes unnoticed",
    )
    return parser.parse_args()


def _passes(arguments, project):
    report = Report()
    audit(report, Peso(arguments.peso), project, None)
    return report.passed


def audit(report, peso, project, out=None):
    """Holds everything that `peso` prints of a project against what its run folders and raw files give."""
    folder = project if project.is_dir() else project.parent
    runs_dir = Path(out) if out else folder / "runs"
    options = ["--out", str(out)] if out else []
    # What `peso compare` takes of the runs that lie there
    seeds = ron.parse(_project_file(project).read_text(encoding="utf-8")).get("seeds")
    measured = {}
    for number, protocol in enumerate(PROTOCOLS):
        printed, error = peso.json("results", str(project), "--json", "--protocol", protocol, *options)
        if printed is None:
            report.leave_out(protocol, " ".join(error))
            continue
        finished = [run for run in printed["runs"] if run["status"] == "finished"]
        for run in finished:
            if run["run"] not in measured:
                measured[run["run"]] = ranking.Measured(Run(runs_dir / run["run"]))
        ranking.audit(report, printed, number, measured)
        compared = [run for run in finished if run["seed"] in seeds or not measured[run["run"]].run.is_learned]
        _audit_gains(report, peso, [str(project), *options], number, compared, measured)
    if not measured:
        raise Unusable(f"{project} has no finished run; `peso run` makes them")
    _audit_counted(report, measured.values(), folder)
    for own in measured.values():
        _audit_subspaces(report, peso, own.run)
    for what, reason in _NEVER.items():
        report.leave_out(what, reason)


def _project_file(project):
    return project / "project.ron" if project.is_dir() else project


def _audit_gains(report, peso, project, protocol, finished, measured):
    by_name = {}
    for run in finished:
        by_name.setdefault(run["experiment"], []).append(run)
    for name, runs in by_name.items():
        if len({(run["config_hash"], run["data_hash"]) for run in runs}) > 1:
            report.leave_out(f"comparisons ({PROTOCOLS[protocol]})", f"runs of {name} are of several configurations")
            return
    lines = {name: gains.Line(name, [measured[run["run"]] for run in runs]) for name, runs in by_name.items()}
    measured_metrics = finished[0]["stages"][-1]["metrics"] if finished else {}
    known = [found for found in map(ranking.METRIC.match, measured_metrics) if found]
    cut_offs = {int(found["k"]) for found in known}
    k = 10 if 10 in cut_offs else max(cut_offs, default=0)
    random = np.random.default_rng(14)
    for metric in (found.string for found in known if int(found["k"]) == k):
        for baseline in lines:
            arguments = [*project, "--json", "--protocol", PROTOCOLS[protocol], "--baseline", baseline, "--metric", metric]
            printed, error = peso.json("compare", *arguments)
            if printed is None:
                # It refuses where there is no line to compare, and must not otherwise.
                others = [line for name, line in lines.items() if name != baseline]
                refused = all(gains.must_be_refused(line, lines[baseline], protocol, metric) for line in others)
                report.tally("refusals").add(f"{metric} against {baseline}: {error}", True, refused)
            else:
                gains.audit(report, printed, protocol, lines, random)


def _audit_counted(report, measured, folder):
    counted = [own for own in measured if not own.run.is_learned]
    if not counted:
        report.leave_out("non-learned baselines", "the project has no run of them")
        return
    try:
        data = dataset.read(counted[0].run.project.get("dataset"), folder)
    except (dataset.NotRead, OSError) as reason:
        report.leave_out("non-learned baselines", str(reason))
        return
    for own in counted:
        counting.audit(report, own, data)


def _audit_subspaces(report, peso, run):
    adapters = run.adapters()
    if not adapters:
        return
    printed, error = peso.json("subspace", str(run.path), "--json")
    if printed is None:
        report.tally("updates").add(f"{run.name}: {error}", "refused", None)
        return
    select = "SELECT stage, epoch, penalty, pull_ratio, learning_rate FROM steps WHERE phase = 1 ORDER BY id"
    steps = {stage: [] for stage in range(1, run.stages + 1)}
    for stage, *values in run.rows(select):
        steps[stage].append(dict(zip(("epoch", "penalty", "pull_ratio", "learning_rate"), values)))
    best_epochs = dict(run.rows("SELECT stage, best_epoch FROM stages"))
    peso_options = run.method if run.method.name == "Peso" else None
    subspaces.audit(report, printed, adapters, steps, best_epochs, peso_options)


if __name__ == "__main__":
    sys.exit(main())
