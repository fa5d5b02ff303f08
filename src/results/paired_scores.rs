//! What the lines of a comparison recommended in the same tests, side by side, for paired statistics.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::seeds::{SeedBasis, SeedChoice};
use super::{not_measured, without_known_items};
use crate::data::Protocol;
use crate::error::InputError;
use crate::measure::statistics::{McNemar, Paired, Unanswerable};
use crate::measure::{Ranking, Slice, Slices, UserMetric, UserOutcome};
use crate::project::Project;
use crate::run::marks::MarksFile;
use crate::run::observer::CellIndex;
use crate::run::{EvaluationSummary, RunConfig, RunFolder, RunMethod, Status};
use crate::semantic_id::IdCounts;

/// The baselines that only count, which every project has beside its experiments.
pub(super) const COUNTED: [RunMethod; 2] = [RunMethod::Popularity, RunMethod::CoOccurrence];

/// What is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Selection {
    pub metric: UserMetric,
    pub protocol: Protocol,
    /// Only the tests of this slice; all where there is none.
    pub slice: Option<Slice>,
    pub seeds: SeedChoice,
}

/// One line of a comparison, test by test.
#[derive(Debug, Clone, PartialEq)]
pub struct UserScores {
    /// Name of the experiment.
    pub name: String,
    /// The seeds that are finished, in the project's order; empty for a non-learned baseline, which has none.
    pub seeds: Vec<u64>,
    /// Finished seeds that are left out, because other lines lack them.
    pub left_out: usize,
    /// Ids of its finished runs, those of seeds that are left out among them.
    pub runs: Vec<String>,
    /// What the places of its lists are.
    pub ranking: Ranking,
    /// The metric of `values`.
    pub metric: UserMetric,
    /// Whether shared ids have a part in the lists up to some target, so that the released count is another than the
    /// tie-corrected one.
    pub shared_ids: bool,
    /// How many items and ids the catalogue has, where the runs say so.
    pub catalogue: Option<IdCounts>,
    /// By seed (a non-learned baseline has one entry), by stage from 2 on, and by test: the metric of the newest model that may
    /// be asked. Of a slice, the tests of all stages stand together as those of one: a slice may have none in a stage.
    pub values: Vec<Vec<Vec<f64>>>,
}

/// The lines of a project as it is now: its experiments on its own data, then the non-learned baselines; those without a finished
/// run are left out, as are archived runs.
///
/// # Errors
/// A run folder cannot be read, a run has not measured the protocol or lists of known items, two runs were tested on different users, the lists are
/// shorter than the cut-off, or the slice has fewer than two tests.
pub fn user_scores(project: &Project, runs_dir: &Path, selection: Selection) -> Result<Vec<UserScores>, InputError> {
    let AllScores { mut lines, slices, .. } = all_scores(project, runs_dir, selection)?;
    if let Some(slice) = selection.slice.filter(|_| !lines.is_empty()) {
        let tests = slices.iter().filter(|slices| slices.contains(&slice)).count();
        if tests < 2 {
            return Err(InputError::new(
                runs_dir,
                format!("the slice \"{slice}\" has {tests} tests in the stages from 2 on"),
            )
            .advice("at least 2 are needed; `peso results --slices` counts them"));
        }
        lines = lines.iter().map(|line| line.of_slice(slice, &slices)).collect();
    }
    Ok(lines)
}

/// The lines of [`user_scores`] with all their tests.
pub(super) struct AllScores {
    pub lines: Vec<UserScores>,
    /// The slices of each test, stage after stage from 2 on; empty where they are not recorded.
    pub slices: Vec<Slices>,
    /// User and target of every test, by stage from 2 on.
    pub cases: TestCases,
}

/// Reads what [`user_scores`] makes its lines of.
pub(super) fn all_scores(
    project: &Project,
    runs_dir: &Path,
    Selection { metric, protocol, seeds: choice, .. }: Selection,
) -> Result<AllScores, InputError> {
    // Runs on other data were tested on other users.
    let own = project.variants()?.into_iter().filter(|variant| variant.is_on_data_of(project));
    let learned = own.map(|variant| {
        let project = Project { seeds: project.seeds_of(&variant.experiment).to_vec(), ..variant.project(project) };
        (variant.experiment.name, project, RunMethod::Learned(variant.experiment.method))
    });
    let counted = COUNTED.map(|method| (method.label().to_owned(), project.clone(), method));
    let archived = MarksFile::new(runs_dir).read()?;
    let shown = |path: &PathBuf| {
        let run = path.file_name().and_then(|name| name.to_str());
        path.is_dir() && !run.is_some_and(|run| archived.of(run).archived)
    };
    let (mut tests, mut slices, mut lines) = (Tests::default(), None, Vec::new());
    for (name, project, method) in learned.chain(counted) {
        let hash = RunConfig::hash_of(&project, &method)?;
        let seeds: &[u64] = if method.is_learned() { &project.seeds } else { &[0] };
        let path = |&seed: &u64| RunFolder::path_of(runs_dir, &RunConfig::id_of(&name, &method, seed, &hash));
        let paths: Vec<PathBuf> = seeds.iter().map(path).filter(shown).collect();
        let line = scores_of_runs(&name, &paths, metric, protocol, &mut tests)?;
        if let (None, Some(measured)) = (&slices, paths.iter().find(|_| !line.values.is_empty())) {
            slices = Some(slices_of(&RunFolder::open(measured)?, protocol)?);
        }
        if !line.values.is_empty() {
            lines.push(line);
        }
    }
    if choice == SeedChoice::Shared {
        keep_shared_seeds(&mut lines);
    }
    Ok(AllScores { lines, slices: slices.unwrap_or_default(), cases: tests.0.unwrap_or_default() })
}

/// Takes out of the lines the seeds that not all of them have, unless no seed is common to them.
fn keep_shared_seeds(lines: &mut [UserScores]) {
    let with_seeds = || lines.iter().filter(|line| !line.seeds.is_empty());
    let Some(first) = with_seeds().next() else { return };
    let in_all = |seed: &u64| with_seeds().all(|line| line.seeds.contains(seed));
    let shared: Vec<u64> = first.seeds.iter().copied().filter(in_all).collect();
    if shared.is_empty() {
        return;
    }
    for line in lines.iter_mut().filter(|line| !line.seeds.is_empty()) {
        line.left_out = line.seeds.iter().filter(|seed| !shared.contains(seed)).count();
        line.values = line.under(&shared);
        line.seeds.clone_from(&shared);
    }
}

/// What seeds lines are over.
pub fn basis_of(lines: &[UserScores], choice: SeedChoice) -> SeedBasis {
    let seeds: BTreeSet<BTreeSet<u64>> =
        lines.iter().filter(|line| !line.seeds.is_empty()).map(|line| line.seeds.iter().copied().collect()).collect();
    let uneven = seeds.len() > 1;
    let shared = if uneven { Vec::new() } else { seeds.into_iter().flatten().collect() };
    let left_out = lines.iter().map(|line| line.left_out).sum();
    SeedBasis { choice, shared, uneven, left_out, lines_left_out: 0, other_data: 0 }
}

/// One line of the runs in `paths`; those that are not finished are left out. All lines that are read with the same `tests`
/// were tested on the same users.
///
/// # Errors
/// As [`user_scores`].
pub fn scores_of_runs(
    name: &str,
    paths: &[PathBuf],
    metric: UserMetric,
    protocol: Protocol,
    tests: &mut Tests,
) -> Result<UserScores, InputError> {
    let mut line = UserScores {
        name: name.to_owned(),
        seeds: Vec::new(),
        left_out: 0,
        runs: Vec::new(),
        ranking: Ranking::default(),
        metric,
        shared_ids: false,
        catalogue: None,
        values: Vec::new(),
    };
    for path in paths {
        let folder = RunFolder::open(path)?;
        if folder.status() != Status::Finished {
            continue;
        }
        let outcomes = read(&folder, metric, protocol, tests)?;
        line.ranking = folder.config().method.ranking();
        line.catalogue = line.catalogue.or(folder.config().catalogue);
        line.shared_ids |= outcomes.iter().flatten().any(UserOutcome::has_shared_ids);
        line.runs.push(folder.config().run.clone());
        line.values.push(outcomes.iter().map(|users| users.iter().map(|o| metric.of(o)).collect()).collect());
        if folder.config().method.is_learned() {
            line.seeds.push(folder.config().seed);
        }
    }
    Ok(line)
}

impl UserScores {
    /// The values of both under the seeds that both have, paired. A non-learned baseline is the same under every seed.
    ///
    /// # Errors
    /// They have no seed in common, or cannot be compared otherwise.
    pub fn against(&self, baseline: &Self) -> Result<Paired, Unanswerable> {
        let common = self.common_seeds(baseline);
        let paired = Paired::of(&self.under(&common), &baseline.under(&common))?;
        Ok(if self.seeds.is_empty() && baseline.seeds.is_empty() { paired.without_seeds() } else { paired })
    }

    /// The tests of one slice, where `slices` has those of every test.
    #[must_use]
    pub(super) fn of_slice(&self, slice: Slice, slices: &[Slices]) -> Self {
        let chosen = |of_seed: &Vec<Vec<f64>>| {
            let tests = of_seed.iter().flatten().zip(slices).filter(|(_, slices)| slices.contains(&slice));
            vec![tests.map(|(&value, _)| value).collect()]
        };
        Self { values: self.values.iter().map(chosen).collect(), ..self.clone() }
    }

    /// The tests of one group, where `groups` has that of every test, by stage; they stand together as those of one stage.
    #[must_use]
    pub(super) fn of_tests(&self, groups: &[Vec<Option<usize>>], group: usize) -> Self {
        let chosen = |of_seed: &Vec<Vec<f64>>| {
            let tests = of_seed.iter().flatten().zip(groups.iter().flatten());
            vec![tests.filter(|(_, own)| **own == Some(group)).map(|(&value, _)| value).collect()]
        };
        Self { values: self.values.iter().map(chosen).collect(), ..self.clone() }
    }

    /// What each test loses of what the baseline has, at least 0, and nothing beside it: of hits, the *negative flips* (Yan et
    /// al., arXiv 2011.09161), of which each is 1. Of an id that items share it is the part of a hit that is lost.
    ///
    /// # Errors
    /// As [`Self::against`].
    pub fn flips_against(&self, baseline: &Self) -> Result<Paired, Unanswerable> {
        let common = self.common_seeds(baseline);
        let lost = |(new, old): (&f64, &f64)| (old - new).max(0.0);
        let by_stage = |(new, old): (&Vec<f64>, &Vec<f64>)| new.iter().zip(old).map(lost).collect::<Vec<_>>();
        let by_seed = |(new, old): (Vec<Vec<f64>>, Vec<Vec<f64>>)| new.iter().zip(&old).map(by_stage).collect();
        let lost: Vec<Vec<Vec<f64>>> =
            self.under(&common).into_iter().zip(baseline.under(&common)).map(by_seed).collect();
        let nothing = lost.iter().map(|of_seed| of_seed.iter().map(|stage| vec![0.0; stage.len()]).collect());
        let paired = Paired::of(&lost, &nothing.collect::<Vec<_>>())?;
        Ok(if self.seeds.is_empty() && baseline.seeds.is_empty() { paired.without_seeds() } else { paired })
    }

    /// By test, stage after stage: the value less the baseline's, as a mean over the common seeds of what `of` makes of it.
    pub(super) fn differences(&self, baseline: &Self, of: fn(f64) -> f64) -> Vec<f64> {
        let common = self.common_seeds(baseline);
        let (own, other) = (self.under(&common), baseline.under(&common));
        let mut sums: Vec<f64> = Vec::new();
        for (own, other) in own.iter().zip(&other) {
            let (own, other) = (own.concat(), other.concat());
            sums.resize(own.len(), 0.0);
            let differences = own.iter().zip(&other).map(|(own, other)| of(own - other));
            sums.iter_mut().zip(differences).for_each(|(sum, difference)| *sum += difference);
        }
        sums.into_iter().map(|sum| sum / common.len().max(1) as f64).collect()
    }

    /// Why the two must not be held against each other by their metric: the released count takes a whole id for one place of a
    /// list of ids, and single items for those of a list of items.
    pub fn incomparable(&self, baseline: &Self) -> Option<String> {
        let mixed = self.ranking != baseline.ranking && (self.shared_ids || baseline.shared_ids);
        if !(self.metric.is_released() && mixed) {
            return None;
        }
        let counts = self.catalogue.or(baseline.catalogue);
        let shared = counts.map_or_else(|| "items share ids".to_owned(), |counts| counts.to_string());
        Some(format!(
            "{shared}, and {} counts whole ids in the lists of language models and single items in other lists; compare by {}",
            self.metric,
            self.metric.tie_corrected(),
        ))
    }

    fn common_seeds(&self, baseline: &Self) -> Vec<u64> {
        match (self.seeds.is_empty(), baseline.seeds.is_empty()) {
            (false, false) => self.seeds.iter().copied().filter(|seed| baseline.seeds.contains(seed)).collect(),
            (false, true) => self.seeds.clone(),
            (true, false) => baseline.seeds.clone(),
            (true, true) => vec![0],
        }
    }

    pub(super) fn under(&self, seeds: &[u64]) -> Vec<Vec<Vec<f64>>> {
        let index = |seed| self.seeds.iter().position(|own| own == seed).unwrap_or(0);
        seeds.iter().map(|seed| self.values[index(seed)].clone()).collect()
    }

    /// McNemar's test under each common seed, of a metric that is 0 or 1.
    pub fn hits_against(&self, baseline: &Self) -> Vec<McNemar> {
        let pairs = |a: &Vec<Vec<f64>>, b: &Vec<Vec<f64>>| {
            let users = a.iter().flatten().zip(b.iter().flatten());
            McNemar::of(users.map(|(&a, &b)| (a > 0.5, b > 0.5)).collect::<Vec<_>>())
        };
        let common = self.common_seeds(baseline);
        self.under(&common).iter().zip(&baseline.under(&common)).map(|(a, b)| pairs(a, b)).collect()
    }
}

/// What all lines of one comparison are tested on; the first run that is read says it.
#[derive(Debug, Clone, Default)]
pub struct Tests(Option<TestCases>);

impl Tests {
    /// User and target of every test, by stage from 2 on; nothing before a run was read.
    pub(super) fn cases(&self) -> &[Vec<(u32, u32)>] {
        self.0.as_deref().unwrap_or_default()
    }
}

/// User and target of every test, by stage from 2 on.
pub(super) type TestCases = Vec<Vec<(u32, u32)>>;

/// The outcomes of a run by stage from 2 on, of the newest model that may be asked.
fn read(
    folder: &RunFolder,
    metric: UserMetric,
    protocol: Protocol,
    tests: &mut Tests,
) -> Result<Vec<Vec<UserOutcome>>, InputError> {
    let evaluation = &folder.config().project.evaluation;
    let longest = if folder.config().method.is_learned() { evaluation.beams } else { usize::MAX };
    if metric.k > longest {
        return Err(InputError::new(folder.path(), format!("{metric} needs lists of {} items", metric.k))
            .advice(format!("the lists have {longest} items, as many as there are beams")));
    }
    let reader = folder.reader()?;
    let cells = reader.evaluations()?;
    if cells.iter().all(|cell| cell.at.protocol != protocol) {
        return Err(not_measured(folder.path(), protocol));
    }
    let lacks = |cell: &EvaluationSummary| cell.at.protocol == protocol && cell.users > 0 && !cell.has_known_items();
    if metric.known && cells.iter().any(lacks) {
        return Err(without_known_items(folder.path()));
    }
    let newest = |stage| CellIndex { protocol, trained: protocol.newest(stage), tested: stage };
    let stages = (2..=folder.config().stages).map(|stage| reader.user_outcomes(newest(stage)));
    let stages = stages.collect::<Result<Vec<_>, _>>()?;
    let tested: TestCases = stages.iter().map(|users| users.iter().map(|o| (o.user, o.target)).collect()).collect();
    if *tests.0.get_or_insert_with(|| tested.clone()) != tested {
        return Err(InputError::new(folder.path(), "the run was tested on other users than the others")
            .advice("start it over with `--fresh`"));
    }
    Ok(stages)
}

/// The slices of each test of a run, stage after stage from 2 on; empty where they were not recorded.
pub(super) fn slices_of(folder: &RunFolder, protocol: Protocol) -> Result<Vec<Slices>, InputError> {
    let reader = folder.reader()?;
    let stages = (2..=folder.config().stages).map(|stage| reader.slices(protocol, stage));
    Ok(stages.collect::<Result<Vec<_>, _>>()?.concat())
}

#[cfg(test)]
pub(in crate::results) mod tests {
    use super::*;

    /// Scores of runs with these seeds: by run, stage and test.
    pub(in crate::results) fn scores(seeds: &[u64], values: Vec<Vec<Vec<f64>>>) -> UserScores {
        UserScores {
            name: String::new(),
            seeds: seeds.to_vec(),
            left_out: 0,
            runs: Vec::new(),
            ranking: Ranking::Ids,
            metric: UserMetric::default(),
            shared_ids: false,
            catalogue: None,
            values,
        }
    }

    #[test]
    fn lines_are_paired_by_the_seeds_that_both_have() {
        let stage = |values: [f64; 2]| vec![values.to_vec()];
        let a = scores(&[1, 2, 3], vec![stage([1.0, 0.0]), stage([1.0, 1.0]), stage([0.0, 0.0])]);
        let b = scores(&[3, 2], vec![stage([1.0, 0.0]), stage([0.0, 1.0])]);
        let counted = scores(&[], vec![stage([0.0, 1.0])]);
        assert_eq!(a.against(&b).unwrap().gain_of_seeds(), [0.5, -0.5], "seeds 2 and 3");
        assert_eq!(a.against(&counted).unwrap().gain_of_seeds(), [0.0, 0.5, -0.5]);
        assert_eq!(counted.against(&b).unwrap().seeds(), 2);
        assert_eq!(counted.against(&counted).unwrap().gain(), 0.0);
        let tests = a.hits_against(&b);
        assert_eq!(tests.iter().map(|t| (t.only_a, t.only_b)).collect::<Vec<_>>(), [(1, 0), (0, 1)]);
        assert!(a.against(&scores(&[9], vec![stage([0.0, 0.0])])).is_err(), "no seed in common");
    }

    #[test]
    fn seeds_that_not_all_lines_have_are_left_out() {
        let stage = |value: f64| vec![vec![value, value]];
        let four = scores(&[42, 1, 2, 3], [9.0, 1.0, 2.0, 3.0].map(stage).to_vec());
        let three = scores(&[1, 2, 3], [4.0, 5.0, 6.0].map(stage).to_vec());
        let mut lines = [four, three, scores(&[], vec![stage(0.0)])];
        keep_shared_seeds(&mut lines);
        assert_eq!((lines[0].seeds.as_slice(), lines[0].left_out), ([1, 2, 3].as_slice(), 1));
        assert_eq!(lines[0].values, [1.0, 2.0, 3.0].map(stage));
        assert_eq!(
            basis_of(&lines, SeedChoice::Shared).words().unwrap(),
            "Over the seeds that all lines have (1, 2, 3); 1 finished run of other seeds left out"
        );
        let mut apart = [scores(&[1], vec![stage(1.0)]), scores(&[2], vec![stage(2.0)])];
        keep_shared_seeds(&mut apart);
        assert_eq!(apart[0].seeds, [1], "nothing is taken where nothing would be left");
        assert!(basis_of(&apart, SeedChoice::Shared).words().unwrap().starts_with("No seed is common"));
    }

    #[test]
    fn a_count_of_ids_is_not_held_against_one_of_items() {
        let released = "hit@10".parse().unwrap();
        let line = |name: &str, ranking, metric| UserScores {
            name: name.to_owned(),
            ranking,
            metric,
            shared_ids: ranking == Ranking::Ids,
            catalogue: Some(IdCounts { items: 145, ids: 93 }),
            ..scores(&[1], Vec::new())
        };
        let peso = line("PESO", Ranking::Ids, released);
        let words = peso.incomparable(&line("Popularity", Ranking::Items, released)).unwrap();
        assert_eq!(
            words,
            "145 items have 93 ids, and hit@10 counts whole ids in the lists of language models and single items in other \
             lists; compare by hit@10_corrected"
        );
        assert_eq!(line("Popularity", Ranking::Items, released).incomparable(&peso), Some(words));
        assert_eq!(peso.incomparable(&line("Single", Ranking::Ids, released)), None);
        let corrected = UserMetric::hit(10);
        let [one, other] = [Ranking::Ids, Ranking::Items].map(|ranking| line("", ranking, corrected));
        assert_eq!(one.incomparable(&other), None);
        let unshared = UserScores { shared_ids: false, ..peso };
        assert_eq!(unshared.incomparable(&line("Popularity", Ranking::Items, released)), None);
    }
}
