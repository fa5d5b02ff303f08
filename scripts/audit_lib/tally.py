"""What was compared, how far apart it was, and what was left out."""

import math
from dataclasses import dataclass, field


@dataclass
class Tally:
    """Values of one kind: what `peso` prints beside what was computed again.

    A difference is measured against `tolerance` times the larger of 1 and the recomputed value, so that the same bound
    serves metrics, which are at most 1, and norms or counts, which are larger.
    """

    name: str
    tolerance: float
    values: int = 0
    absolute: float = 0.0
    relative: float = 0.0
    failures: int = 0
    worst: dict | None = None
    _worst_share: float = field(default=-1.0, repr=False)

    def add(self, where, printed, recomputed, tolerance=None):
        """Compares two numbers, or two lists of them; `None` stands for a value that does not exist, and equals only itself."""
        if isinstance(recomputed, (list, tuple)):
            if not isinstance(printed, list) or len(printed) != len(recomputed):
                return self._fail(where, printed, list(recomputed))
            for index, (one, other) in enumerate(zip(printed, recomputed)):
                self.add(f"{where}[{index}]", one, other, tolerance)
            return None
        self.values += 1
        if not (_is_number(printed) and _is_number(recomputed)):
            return None if _same(printed, recomputed) else self._fail(where, printed, recomputed, counted=True)
        difference = abs(printed - recomputed)
        size = max(abs(printed), abs(recomputed))
        self.absolute = max(self.absolute, difference)
        # Beside numbers that are themselves rounding no difference is small.
        self.relative = max(self.relative, difference / size if size > 1e-6 else 0.0)
        share = difference / ((self.tolerance if tolerance is None else tolerance) * max(1.0, abs(recomputed)))
        if share > 1.0:
            self.failures += 1
        if share > self._worst_share:
            self._worst_share = share
            self.worst = {"where": where, "printed": printed, "recomputed": float(recomputed)}
        return None

    def _fail(self, where, printed, recomputed, counted=False):
        self.values += 0 if counted else 1
        self.failures += 1
        self._worst_share = math.inf
        self.worst = {"where": where, "printed": printed, "recomputed": recomputed}

    def line(self):
        """The tally in a line."""
        differs = f"largest difference {self.absolute:.1e} (relative {self.relative:.1e})"
        text = f"{self.name:<22} {self.values:>8,} values   {differs}   bound {self.tolerance:.0e}"
        if self.failures:
            text += f"   {self.failures:,} DIFFER, worst: {self.worst['where']}: printed {self.worst['printed']}, "
            text += f"recomputed {self.worst['recomputed']}"
        return text

    def as_json(self):
        keys = ("name", "values", "absolute", "relative", "tolerance", "failures", "worst")
        return {key: getattr(self, key) for key in keys}


class Report:
    """All tallies, and what was not audited with the reason."""

    def __init__(self):
        self.tallies = {}
        self.left_out = {}

    def tally(self, name, tolerance=1e-9):
        return self.tallies.setdefault(name, Tally(name, tolerance))

    def leave_out(self, what, reason):
        """Says once that something was not audited."""
        self.left_out[what] = reason

    @property
    def passed(self):
        """Whether something was compared, and nothing differs."""
        values = sum(tally.values for tally in self.tallies.values())
        return values > 0 and not any(tally.failures for tally in self.tallies.values())

    def as_text(self):
        lines = [tally.line() for tally in self.tallies.values() if tally.values]
        lines += [f"not audited: {what}: {reason}" for what, reason in self.left_out.items()]
        lines.append("Everything agrees" if self.passed else "NOT EVERYTHING AGREES")
        return "\n".join(lines)

    def as_json(self):
        return {
            "passed": self.passed,
            "kinds": [tally.as_json() for tally in self.tallies.values() if tally.values],
            "not_audited": [{"what": what, "reason": reason} for what, reason in self.left_out.items()],
        }


def _is_number(value):
    return value is not None and not isinstance(value, (str, dict)) and math.isfinite(value)


def _same(one, other):
    """Whether two values agree of which one is no finite number; NaN is written as null."""
    absent = [value is None or (isinstance(value, float) and math.isnan(value)) for value in (one, other)]
    return all(absent) if any(absent) else one == other
