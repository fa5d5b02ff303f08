//! The cells of a map: runs that are read and paired.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::RegimeQuestion;
use super::axes::{RegimeAxes, SweptOption, partner, setting};
use crate::data::DatasetSource;
use crate::error::InputError;
use crate::measure::statistics::{Aim, Bootstrap, Comparison, Paired};
use crate::project::Project;
use crate::project::sweep::Variant;
use crate::results::paired_scores::{Tests, UserScores, scores_of_runs};
use crate::run::marks::MarksFile;
use crate::run::{RunConfig, RunFolder, RunMethod};
use crate::schema::Setting;
use crate::text::counted;

/// Reads runs, each once.
pub(super) struct Reader<'p> {
    project: &'p Project,
    runs_dir: &'p Path,
    question: &'p RegimeQuestion,
    /// Ids of archived runs.
    archived: BTreeSet<String>,
    /// By name of the point.
    scores: BTreeMap<String, UserScores>,
    /// All runs on one dataset were tested on the same users.
    tests: Vec<(DatasetSource, Tests)>,
}

/// Seeds that a gain needs, so that something can be said of others.
const LEAST_SEEDS: usize = 2;

/// The cell before the gains of all are judged together.
pub(super) type Unjudged = (Result<Comparison, String>, Vec<String>);

impl<'p> Reader<'p> {
    pub(super) fn new(
        project: &'p Project,
        runs_dir: &'p Path,
        question: &'p RegimeQuestion,
    ) -> Result<Self, InputError> {
        let marks = MarksFile::new(runs_dir).read()?;
        let all = RunFolder::list(runs_dir);
        let ids = all.iter().map(|folder| folder.config().run.clone());
        let archived = ids.filter(|run| marks.of(run).archived).collect();
        Ok(Self { project, runs_dir, question, archived, scores: BTreeMap::new(), tests: Vec::new() })
    }

    pub(super) fn cell(
        &mut self,
        variants: &[Variant],
        axes: &RegimeAxes,
        at: [&Setting; 2],
    ) -> Result<Unjudged, InputError> {
        let held = axes.further.iter().filter_map(|(option, value)| Some((&option.path, value.as_ref()?)));
        let wanted: Vec<(&String, &Setting)> =
            [(&axes.x.path, at[0]), (&axes.y.path, at[1])].into_iter().chain(held).collect();
        let free = |option: &SweptOption, point: &Variant| {
            setting(self.project, point, &option.path).is_none_or(|value| option.values.contains(&value))
        };
        let is_here = |point: &&Variant| {
            point.of == axes.method
                && wanted.iter().all(|(path, value)| setting(self.project, point, path).as_ref() == Some(*value))
                && axes.further.iter().all(|(option, _)| free(option, point))
        };
        let points: Vec<&Variant> = variants.iter().filter(is_here).collect();
        let mut experiments = Vec::new();
        let mut pairs = Vec::new();
        for point in points {
            experiments.push(point.experiment.name.clone());
            let Some(other) = partner(self.project, variants, axes, point) else {
                let problem = format!("{} is not run on the same data with the same training", axes.baseline);
                return Ok((Err(problem), experiments));
            };
            experiments.push(other.experiment.name.clone());
            pairs.push((point.dataset.clone(), self.read(point)?, self.read(other)?));
        }
        Ok((paired(&pairs, axes), experiments))
    }

    fn read(&mut self, point: &Variant) -> Result<UserScores, InputError> {
        let name = &point.experiment.name;
        if let Some(there) = self.scores.get(name) {
            return Ok(there.clone());
        }
        let project = point.project(self.project);
        let method = RunMethod::Learned(point.experiment.method.clone());
        let hash = RunConfig::hash_of(&project, &method)?;
        let ids =
            self.project.seeds_of(&point.experiment).iter().map(|&seed| RunConfig::id_of(name, &method, seed, &hash));
        let shown = ids.filter(|id| !self.archived.contains(id));
        let paths: Vec<PathBuf> =
            shown.map(|id| RunFolder::path_of(self.runs_dir, &id)).filter(|path| path.is_dir()).collect();
        let place = self.tests.iter().position(|(dataset, _)| *dataset == point.dataset).unwrap_or_else(|| {
            self.tests.push((point.dataset.clone(), Tests::default()));
            self.tests.len() - 1
        });
        let tests = &mut self.tests[place].1;
        let scores = scores_of_runs(name, &paths, self.question.metric, self.question.protocol, tests)?;
        self.scores.insert(name.clone(), scores.clone());
        Ok(scores)
    }
}

/// The gain over all pairs of a cell, under the seeds that all of them have; or what is missing.
fn paired(pairs: &[(DatasetSource, UserScores, UserScores)], axes: &RegimeAxes) -> Result<Comparison, String> {
    let seeds = |scores: &UserScores| scores.seeds.iter().copied().collect::<BTreeSet<u64>>();
    let sets = pairs.iter().flat_map(|(_, method, baseline)| [seeds(method), seeds(baseline)]);
    let shared = sets.reduce(|shared, own| &shared & &own).ok_or("no point of the sweeps is here")?;
    let shared: Vec<u64> = shared.into_iter().collect();
    if shared.len() < LEAST_SEEDS {
        let finished = |scores: fn(&(DatasetSource, UserScores, UserScores)) -> &UserScores, name: &str| {
            let least = pairs.iter().map(|pair| scores(pair).seeds.len()).min().unwrap_or(0);
            format!("{name} has {}", counted(least, "finished seed"))
        };
        let [method, baseline] = [finished(|pair| &pair.1, &axes.method), finished(|pair| &pair.2, &axes.baseline)];
        return Err(format!("{method}, {baseline}; a gain needs {LEAST_SEEDS} seeds of both"));
    }
    let data = pairs.iter().fold(Vec::new(), |mut all: Vec<&DatasetSource>, (dataset, ..)| {
        if !all.contains(&dataset) {
            all.push(dataset);
        }
        all
    });
    let side = |scores: fn(&(DatasetSource, UserScores, UserScores)) -> &UserScores| {
        let on = |dataset: &DatasetSource| {
            let own = pairs.iter().filter(|pair| pair.0 == *dataset).map(scores);
            averaged(&own.map(|scores| scores.under(&shared)).collect::<Vec<_>>())
        };
        let mut all = vec![Vec::new(); shared.len()];
        for stages_by_seed in data.iter().map(|dataset| on(dataset)) {
            all.iter_mut().zip(stages_by_seed).for_each(|(all, stages)| all.extend(stages));
        }
        all
    };
    let paired = Paired::of(&side(|pair| &pair.1), &side(|pair| &pair.2)).map_err(|problem| problem.to_string())?;
    // It decides nothing here, and is not shown.
    let bootstrap = Bootstrap { resamples: 10, ..Bootstrap::new(0) };
    Comparison::of(&paired, &bootstrap, &Aim::default()).map_err(|problem| problem.to_string())
}

/// Values by seed, stage and test as their mean over points on the same data.
fn averaged(points: &[Vec<Vec<Vec<f64>>>]) -> Vec<Vec<Vec<f64>>> {
    let Some((first, others)) = points.split_first() else { return Vec::new() };
    let mut sum = first.clone();
    for other in others {
        for (sum, other) in sum.iter_mut().flatten().flatten().zip(other.iter().flatten().flatten()) {
            *sum += other;
        }
    }
    sum.iter_mut().flatten().flatten().for_each(|value| *value /= points.len() as f64);
    sum
}

#[cfg(test)]
mod tests {
    use super::super::axes::tests::{BLOCKS, asked, project, question};
    use super::*;
    use crate::results::paired_scores::tests::scores;

    #[test]
    fn points_on_the_same_data_are_averaged_and_other_data_weigh_as_much() {
        let axes = asked(&project(BLOCKS), &question()).unwrap().unwrap();
        let data = |seed| DatasetSource::Synthetic(crate::data::SyntheticOptions { seed, ..Default::default() });
        // Gains of one stage with two users, under seeds 1 and 2: 0.1 and 0.3 on the first data (two points), 0.6 on the second.
        let own = |gain: f64| scores(&[1, 2], vec![vec![vec![gain, gain + 0.1]], vec![vec![gain + 0.02, gain]]]);
        let zero = || own(0.0);
        let pairs = [(data(1), own(0.1), zero()), (data(1), own(0.3), zero()), (data(2), own(0.6), zero())];
        let found = paired(&pairs, &axes).unwrap();
        assert!((found.gain - (0.2 + 0.6) / 2.0).abs() < 1e-12, "{}", found.gain);
        assert_eq!((found.seeds, found.users), (2, 4));
        let short = [(data(1), own(0.1), scores(&[2], vec![vec![vec![0.0, 0.0]]]))];
        let missing = paired(&short, &axes).unwrap_err();
        assert_eq!(
            missing,
            "PESO has 2 finished seeds, Single evolving LoRA has 1 finished seed; a gain needs 2 seeds of both"
        );
    }
}
