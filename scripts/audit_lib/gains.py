"""Gains over a baseline with their intervals and p-values, from every test's metric."""

import numpy as np
from scipy import integrate, optimize, stats

from folders import PROTOCOLS
from ranking import METRIC

LEVEL, ALPHA, POWER = 0.95, 0.05, 0.8

# Resamples of this audit's own bootstrap, and how many standard errors of the two Monte Carlo quantiles apart an end of
# `peso`'s interval may be: once in a million ends by chance
_RESAMPLES, _RESAMPLES_OF_PESO, _STANDARD_ERRORS = 20_000, 10_000, 5.0
# Discordant users from which McNemar's test is the chi-square approximation
_MANY_DISCORDANT = 25


class Line:
    """A line of a comparison: its finished runs, by seed; a non-learned baseline has one run and no seed."""

    def __init__(self, name, runs):
        self.name, self.runs = name, runs
        self.is_learned = runs[0].run.is_learned
        self.ranks_items = runs[0].run.ranks_items
        self.by_seed = {own.run.seed: own for own in runs}

    def under(self, seed, protocol, metric):
        own = self.by_seed[seed] if self.is_learned else self.runs[0]
        return own.of_later_stages(protocol, metric)


    def has_shared_ids(self, protocol):
        """Whether the place of some target among ids is not its place among items."""
        places = (outcome.place for own in self.runs for outcome in own.outcomes_of_later_stages(protocol))
        return any(place.rank > 0 and (place.sharing, place.before + 1) != (1, place.rank) for place in places)


def must_be_refused(line, baseline, protocol, metric):
    """The released count takes an id for one place where lists are of ids, and an item where they are of items."""
    is_released = METRIC.match(metric)["corrected"] is None
    mixed = line.ranks_items != baseline.ranks_items
    return is_released and mixed and (line.has_shared_ids(protocol) or baseline.has_shared_ids(protocol))


class Paired:
    """The differences of two lines, `stages[t][seed, user]`, on the same tests under the seeds that both have."""

    def __init__(self, line, baseline, protocol, metric):
        learned = [one for one in (line, baseline) if one.is_learned]
        self.has_seeds = bool(learned)
        common = [seed for seed in learned[0].by_seed if all(seed in one.by_seed for one in learned)] if learned else [0]
        values = [[one.under(seed, protocol, metric) for seed in common] for one in (line, baseline)]
        # [line or baseline, seed, stage]: the mean over the stage's users
        means = np.array([[[users.mean() for users in stages] for stages in of_line] for of_line in values])
        self.value, self.baseline = means.mean(axis=(1, 2))
        self.hits = [[np.concatenate(stages) for stages in of_line] for of_line in values]
        stages = range(len(values[0][0]))
        self.stages = [np.array([a[t] - b[t] for a, b in zip(*values)]) for t in stages]
        self.seeds = len(common)
        self.users = sum(stage.shape[1] for stage in self.stages)
        self.of_seeds = np.mean([stage.mean(axis=1) for stage in self.stages], axis=0)
        self.gain = float(self.of_seeds.mean())
        self.averaged = [stage.mean(axis=0) for stage in self.stages]
        # Two gains may differ by this much for being summed in another order.
        self.rounding = 1e-12 * sum(np.abs(stage).sum() for stage in self.stages) / self.users

    def over_stages(self, of_stage):
        """The variance of a mean over stages, from that of each stage."""
        return sum(of_stage(stage) for stage in self.stages) / len(self.stages) ** 2

    def variance_over_users(self):
        """Of the gain, with the seeds as they are."""
        return self.over_stages(lambda stage: stage.mean(axis=0).var(ddof=1) / stage.shape[1])

    def residual_variance(self):
        """The part of it that neither users nor seeds explain: two-way residuals, users by seeds."""

        def of_stage(stage):
            seeds, users = stage.shape
            rest = stage - stage.mean(axis=0) - stage.mean(axis=1, keepdims=True) + stage.mean()
            return (rest**2).sum() / ((seeds - 1) * (users - 1)) / (seeds * users)

        return self.over_stages(of_stage)


class Uncertainty:
    """The variance of a gain over users and seeds, and Student's quantile between both degrees of freedom."""

    def __init__(self, paired):
        self.gain = paired.gain
        self.freedom_of_users = paired.users - len(paired.stages)
        self.freedom_of_seeds = paired.seeds - 1
        self.of_users, self.of_seeds = paired.variance_over_users(), 0.0
        if paired.seeds > 1:
            self.of_users = max(0.0, self.of_users - paired.residual_variance())
            self.of_seeds = float(paired.of_seeds.var(ddof=1)) / paired.seeds
            # Of equal gains nothing is left but rounding.
            if self.of_seeds <= paired.rounding**2:
                self.of_seeds = 0.0
        self.error = (self.of_users + self.of_seeds) ** 0.5

    def critical(self, alpha):
        of_users = stats.t.isf(alpha / 2, self.freedom_of_users)
        if self.of_seeds == 0.0:
            return of_users
        of_seeds = stats.t.isf(alpha / 2, self.freedom_of_seeds)
        cube = (self.of_seeds / (self.of_seeds + self.of_users)) ** 3
        return (of_users**2 + (of_seeds**2 - of_users**2) * 9 * cube / (1 + 8 * cube)) ** 0.5

    def interval(self, level):
        half = self.critical(1 - level) * self.error if self.error > 0 else 0.0
        return self.gain - half, self.gain + half

    def p_value(self):
        """The alpha at which the interval's end is 0."""
        if self.gain == 0.0:
            return 1.0
        if self.error == 0.0:
            return 0.0
        distance = abs(self.gain) / self.error
        excess = lambda logarithm: self.critical(np.exp(logarithm)) - distance
        # Student's quantile of one degree of freedom is about 1 / alpha, and its square must be finite.
        lowest = np.log(1e-150)
        return 0.0 if excess(lowest) < 0 else float(np.exp(optimize.brentq(excess, lowest, 0.0, xtol=1e-14)))


def holm(p_values):
    """Corrected p-values (Holm 1979), in their order."""
    order = np.argsort(p_values, kind="stable")
    corrected, largest = [0.0] * len(p_values), 0.0
    for step, index in enumerate(order):
        largest = max(largest, min(1.0, (len(p_values) - step) * p_values[index]))
        corrected[index] = largest
    return corrected


def resampled(paired, random):
    """Sorted gains of resamples of users within each stage, with the seeds as they are."""
    gains = np.zeros(_RESAMPLES)
    for users in paired.averaged:
        # To draw users is to draw how often each distinct difference occurs.
        values, counts = np.unique(users, return_counts=True)
        draws = random.multinomial(len(users), counts / len(users), size=_RESAMPLES)
        gains += draws @ values / (len(users) * len(paired.stages))
    return np.sort(gains)


def standard_errors_apart(gains, end, share):
    """How far a quantile that another Monte Carlo run found is from the quantile of these gains, in standard errors of both."""
    # Rounding must not decide on which side of equal gains the end is.
    slack = 1e-12 * max(1.0, abs(end))
    below, up_to = (np.searchsorted(gains, end + sign * slack) / len(gains) for sign in (-1, 1))
    error = (share * (1 - share) * (1 / len(gains) + 1 / _RESAMPLES_OF_PESO)) ** 0.5
    return max(below - share, share - up_to, 0.0) / error


def mcnemar(a, b):
    """Users that only one of two methods hits, and the p-value."""
    only_a, only_b = int(((a > 0.5) & (b <= 0.5)).sum()), int(((a <= 0.5) & (b > 0.5)).sum())
    discordant = only_a + only_b
    if discordant == 0:
        return only_a, only_b, 1.0
    if discordant < _MANY_DISCORDANT:
        return only_a, only_b, stats.binomtest(only_a, discordant).pvalue
    statistic = max(abs(only_a - only_b) - 1, 0) ** 2 / discordant
    return only_a, only_b, stats.chi2.sf(statistic, 1)


def users_needed(paired):
    """Test cases that show such a gain with 80 % chance, by the normal approximation; in the stages' proportion."""
    if abs(paired.gain) <= paired.rounding:
        return None
    distance = stats.norm.isf(ALPHA / 2) + stats.norm.ppf(POWER)
    needed = paired.users * paired.variance_over_users() * (distance / paired.gain) ** 2
    return max(int(np.ceil(needed)), 2 * len(paired.stages))


def seeds_needed(paired):
    """Seeds with which the paired t-test shows such a gain with 80 % chance."""
    deviation = paired.of_seeds.std(ddof=1) if paired.seeds > 1 else 0.0
    if deviation == 0.0 or abs(paired.gain) <= 1e-12 * deviation:
        return None
    effect = abs(paired.gain) / deviation

    def power(seeds):
        """Of the noncentral t distribution, which is no number in SciPy for some large effects: over the spread's own chi."""
        critical, distance = stats.t.isf(ALPHA / 2, seeds - 1), effect * seeds**0.5
        spread = stats.chi(seeds - 1, scale=(seeds - 1) ** -0.5)
        missed = lambda s: spread.pdf(s) * (stats.norm.cdf(critical * s - distance) - stats.norm.cdf(-critical * s - distance))
        return 1.0 - integrate.quad(missed, spread.ppf(1e-14), spread.isf(1e-14), limit=200)[0]

    few, many = 1, 2
    while power(many) < POWER:
        few, many = many, 2 * many
    while many - few > 1:
        middle = (few + many) // 2
        few, many = (few, middle) if power(middle) >= POWER else (middle, many)
    return many


def audit(report, printed, protocol, lines, random):
    """Holds what `peso compare --json` prints against the outcomes; `lines` are by name."""
    metric, baseline = printed["metric"], lines[printed["baseline"]]
    refused = {line["name"] for line in printed.get("refused", [])}
    for name, line in lines.items():
        if name != baseline.name:
            where = f"{PROTOCOLS[protocol]}, {metric}, {name} against {baseline.name}"
            report.tally("refusals").add(where, name in refused, must_be_refused(line, baseline, protocol, metric))
    judged = []
    for line in printed["lines"]:
        where = f"{PROTOCOLS[protocol]}, {metric}, {line['name']} against {baseline.name}"
        paired = Paired(lines[line["name"]], baseline, protocol, metric)
        uncertainty = Uncertainty(paired)
        found = line["comparison"]
        _audit_gain(report, where, found, paired)
        if "uncertainty" not in found:
            report.leave_out("intervals and p-values", "this `peso` does not print what they are made of")
            continue
        _audit_interval(report, where, found, uncertainty)
        _audit_bootstrap(report, where, found, paired, random)
        if METRIC.match(metric)["kind"] == "hit" and not METRIC.match(metric)["corrected"]:
            _audit_mcnemar(report, where, line, paired)
        judged.append((where, line, paired, uncertainty))
    _audit_verdicts(report, judged)


def _audit_gain(report, where, found, paired):
    relative = paired.gain / paired.baseline if paired.baseline != 0 else None
    total = sum(stage.sum() for stage in paired.stages) / paired.seeds
    recomputed = {"value": paired.value, "baseline": paired.baseline, "gain": paired.gain, "relative": relative, "total": total}
    recomputed |= {"users": paired.users, "users_needed": users_needed(paired)}
    for name, value in recomputed.items():
        report.tally("gains").add(f"{where}, {name}", found[name], value)
    of_seeds = found["over_seeds"]
    needed = found["seeds_needed"]
    # Beyond a thousand the program takes an approximation in the end.
    if needed is None or needed <= 1000:
        report.tally("gains").add(f"{where}, seeds_needed", needed, seeds_needed(paired))
    if paired.seeds < 2:
        report.tally("t-test over seeds").add(where, of_seeds, None)
        return
    deviation = paired.of_seeds.std(ddof=1)
    add = lambda name, value, expected: report.tally("t-test over seeds").add(f"{where}, {name}", value, expected)
    add("mean", of_seeds["gain"]["mean"], paired.gain)
    add("standard deviation", of_seeds["gain"]["standard_deviation"], deviation)
    half = stats.t.ppf(0.5 + LEVEL / 2, paired.seeds - 1) * deviation / paired.seeds**0.5
    add("low", of_seeds["gain"]["interval"]["low"], paired.gain - half)
    add("high", of_seeds["gain"]["interval"]["high"], paired.gain + half)
    if of_seeds["p_value"] is not None:
        add("p", of_seeds["p_value"], stats.ttest_1samp(paired.of_seeds, 0.0).pvalue)


def _audit_interval(report, where, found, uncertainty):
    tally = report.tally("intervals")
    parts = found["uncertainty"]
    tally.add(f"{where}, variance over users", parts["users"]["variance"], uncertainty.of_users)
    tally.add(f"{where}, freedom of users", parts["users"]["freedom"], uncertainty.freedom_of_users)
    if uncertainty.freedom_of_seeds > 0:
        tally.add(f"{where}, variance over seeds", parts["seeds"]["variance"], uncertainty.of_seeds)
        tally.add(f"{where}, freedom of seeds", parts["seeds"]["freedom"], uncertainty.freedom_of_seeds)
    low, high = uncertainty.interval(found["interval"]["level"])
    tally.add(f"{where}, low", found["interval"]["low"], low)
    tally.add(f"{where}, high", found["interval"]["high"], high)
    report.tally("p-values").add(where, found["p_value"], uncertainty.p_value())


def _audit_bootstrap(report, where, found, paired, random):
    # Compared with the bound are standard errors, not the interval's ends.
    tally = report.tally("bootstrap, in errors", _STANDARD_ERRORS)
    gains = resampled(paired, random)
    for end, share in (("low", (1 - LEVEL) / 2), ("high", (1 + LEVEL) / 2)):
        tally.add(f"{where}, {end}", standard_errors_apart(gains, found["bootstrap"][end], share), 0.0)


def _audit_mcnemar(report, where, line, paired):
    tally = report.tally("McNemar")
    tally.add(f"{where}, seeds", len(line["mcnemar"]), paired.seeds)
    for seed, (printed, a, b) in enumerate(zip(line["mcnemar"], *paired.hits)):
        for name, value in zip(("only_a", "only_b", "p_value"), mcnemar(a, b)):
            tally.add(f"{where}, seed {seed}, {name}", printed[name], value)


def _audit_verdicts(report, judged):
    """Holm's correction over the lines of which something can be said of other seeds, and what it leads to."""
    copies = lambda paired: paired.seeds > 1 and all((stage == stage[0]).all() for stage in paired.stages)
    is_open = lambda paired: paired.has_seeds and (paired.seeds == 1 or copies(paired))
    family = [entry for entry in judged if not is_open(entry[2])]
    corrected = holm([uncertainty.p_value() for *_, uncertainty in family])
    for (where, line, _, uncertainty), p in zip(family, corrected):
        report.tally("Holm").add(where, line["p_corrected"], p)
        own = uncertainty.p_value()
        factor = p / own if own > 0 else len(family)
        low, high = uncertainty.interval(1 - ALPHA / factor)
        report.tally("Holm").add(f"{where}, low", line["interval_corrected"]["low"], low)
        report.tally("Holm").add(f"{where}, high", line["interval_corrected"]["high"], high)
        report.tally("verdicts").add(where, line["evidence"], "Significant" if p <= ALPHA else "NotSignificant")
        ends = line["interval_corrected"]
        report.tally("verdicts").add(f"{where}, 0 left out", int(not ends["low"] <= 0 <= ends["high"]), int(p <= ALPHA))
    for where, line, paired, _ in judged:
        if is_open(paired):
            expected = "IdenticalSeeds" if paired.seeds > 1 else {"NotEnoughSeeds": {"seeds": 1}}
            report.tally("verdicts").add(where, line["evidence"], expected)
            report.tally("verdicts").add(f"{where}, p corrected", line["p_corrected"], None)
