//! Which runs a comparison is over: those on the project's own data, with the seeds that all lines have unless all are asked for.
//!
//! A mean over four seeds beside one over three compares two samples of seeds, not two methods.

use std::collections::{BTreeMap, BTreeSet};

use super::{Results, RunResult};
use crate::project::Project;
use crate::run::{RunConfig, Status};
use crate::text::counted;

/// Whose seeds count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SeedChoice {
    /// Those that all lines of the project have; seeds that it no longer asks for do not count.
    #[default]
    Shared,
    /// Each line's own, whatever the others have.
    All,
}

impl SeedChoice {
    /// As a switch has it.
    pub fn of(all: bool) -> Self {
        if all { Self::All } else { Self::Shared }
    }
}

/// What seeds a comparison was found to be over.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SeedBasis {
    pub choice: SeedChoice,
    /// The seeds that all lines have; empty where no seed is common to them.
    pub shared: Vec<u64>,
    /// Whether lines are put together over different seeds.
    pub uneven: bool,
    /// Finished runs that are left out.
    pub left_out: usize,
    /// Lines that are left out as a whole.
    pub lines_left_out: usize,
    /// Finished runs on other data than the project's own, which are never held against these.
    pub other_data: usize,
}

impl SeedBasis {
    /// What a reader must know of it; nothing where all lines have the same seeds anyway.
    pub fn words(&self) -> Option<String> {
        let data = (self.other_data > 0).then(|| {
            format!(
                "{} on swept data left out, which the map of regimes shows",
                counted(self.other_data, "finished run")
            )
        });
        match (self.words_on_seeds(), data) {
            (Some(seeds), Some(data)) => Some(format!("{seeds}. {data}")),
            (seeds, data) => seeds.or(data),
        }
    }

    fn words_on_seeds(&self) -> Option<String> {
        let seeds = || self.shared.iter().map(u64::to_string).collect::<Vec<_>>().join(", ");
        let left_out = || match self.lines_left_out {
            0 => format!("{} of other seeds left out", counted(self.left_out, "finished run")),
            lines => format!(
                "{} of other seeds left out, with {} that has no others",
                counted(self.left_out, "finished run"),
                counted(lines, "line")
            ),
        };
        match self.choice {
            SeedChoice::All if self.uneven => {
                Some("Lines differ in their seeds (marked *): each mean is over the line's own".to_owned())
            }
            SeedChoice::Shared if self.uneven => Some(match self.left_out {
                0 => "No seed is common to all lines: each mean is over the line's own".to_owned(),
                _ => format!("No seed is common to all lines: each mean is over the line's own; {}", left_out()),
            }),
            SeedChoice::Shared if self.left_out > 0 => {
                let noun = if self.shared.len() == 1 { "seed" } else { "seeds" };
                Some(format!("Over the {noun} that all lines have ({}); {}", seeds(), left_out()))
            }
            _ => None,
        }
    }
}

/// What keeps the runs of a line apart from those of another.
type LineKey = (String, String, String);

impl Results {
    /// The results on the project's own data over the seeds that `choice` says, and what these are. Runs that are not finished stay
    /// as far as the project asks for their seeds.
    #[must_use]
    pub fn over_seeds(mut self, project: &Project, choice: SeedChoice) -> (Self, SeedBasis) {
        let key =
            |run: &RunResult| -> LineKey { (run.experiment.clone(), run.config_hash.clone(), run.data_hash.clone()) };
        let learned = |run: &RunResult| !matches!(run.method.as_str(), "popularity" | "co_occurrence");
        let asked = Asked::of(project);
        let mut other_data = 0;
        self.runs.retain(|run| {
            let own = !asked.on_other_data.contains(&run.experiment);
            other_data += usize::from(!own && run.status == Status::Finished);
            own
        });
        let mut all: BTreeMap<LineKey, BTreeSet<u64>> = BTreeMap::new();
        for run in self.runs.iter().filter(|run| learned(run) && run.status == Status::Finished) {
            all.entry(key(run)).or_default().insert(run.seed);
        }
        let mut lines: BTreeMap<&LineKey, BTreeSet<u64>> = all
            .iter()
            .map(|(line, seeds)| (line, seeds.iter().copied().filter(|seed| asked.has(&line.0, *seed)).collect()))
            .filter(|(_, seeds): &(_, BTreeSet<u64>)| !seeds.is_empty())
            .collect();
        // Where nothing that is asked for is finished yet, what there is speaks.
        let as_asked = !lines.is_empty();
        if !as_asked {
            lines = all.iter().map(|(line, seeds)| (line, seeds.clone())).collect();
        }
        let current: Vec<&BTreeSet<u64>> =
            lines.iter().filter(|(line, _)| asked.has_line(line, &all)).map(|(_, seeds)| seeds).collect();
        let shared = common(if current.is_empty() { lines.values().collect() } else { current });
        if choice == SeedChoice::All {
            let uneven = all.values().collect::<BTreeSet<_>>().len() > 1;
            let shared = shared.into_iter().collect();
            return (self, SeedBasis { choice, shared, uneven, left_out: 0, lines_left_out: 0, other_data });
        }
        let kept = |line: &LineKey, seed: u64| match lines.get(line) {
            Some(seeds) if shared.is_empty() => seeds.contains(&seed),
            Some(seeds) => shared.is_subset(seeds) && shared.contains(&seed),
            None => false,
        };
        let uneven = shared.is_empty() && lines.values().collect::<BTreeSet<_>>().len() > 1;
        let lines_left_out = all.iter().filter(|(line, seeds)| !seeds.iter().any(|seed| kept(line, *seed))).count();
        let mut left_out = 0;
        self.runs.retain(|run| {
            if !learned(run) {
                return true;
            }
            if run.status != Status::Finished {
                return !as_asked || asked.has(&run.experiment, run.seed);
            }
            let kept = kept(&key(run), run.seed);
            left_out += usize::from(!kept);
            kept
        });
        let shared = shared.into_iter().collect();
        (self, SeedBasis { choice, shared, uneven, left_out, lines_left_out, other_data })
    }
}

/// What a project asks for.
struct Asked<'p> {
    project: &'p Project,
    /// The seeds of its experiments and points.
    seeds: BTreeMap<String, Vec<u64>>,
    /// Points that vary the data.
    on_other_data: BTreeSet<String>,
}

impl<'p> Asked<'p> {
    fn of(project: &'p Project) -> Self {
        let variants = project.variants().unwrap_or_default();
        let other = variants.iter().filter(|variant| !variant.is_on_data_of(project));
        let on_other_data = other.map(|variant| variant.experiment.name.clone()).collect();
        let seeds = variants.into_iter().map(|variant| {
            let seeds = project.seeds_of(&variant.experiment).to_vec();
            (variant.experiment.name, seeds)
        });
        Self { project, seeds: seeds.collect(), on_other_data }
    }

    /// Whether it asks for a seed of an experiment; of one that it has no longer, whether it asks for the seed at all.
    fn has(&self, experiment: &str, seed: u64) -> bool {
        self.seeds.get(experiment).unwrap_or(&self.project.seeds).contains(&seed)
    }

    /// Whether it asks for a line as it is now. Hashes are dear, and needed only where an experiment has several.
    fn has_line(&self, line: &LineKey, all: &BTreeMap<LineKey, BTreeSet<u64>>) -> bool {
        let several = all.keys().any(|other| other.0 == line.0 && other.1 != line.1);
        self.seeds.contains_key(&line.0)
            && (!several || RunConfig::hash_now(self.project, &line.0).is_some_and(|hash| hash == line.1))
    }
}

/// The seeds that are in all of the sets.
fn common(sets: Vec<&BTreeSet<u64>>) -> BTreeSet<u64> {
    let first = sets.first().copied().cloned().unwrap_or_default();
    sets.into_iter().fold(first, |shared, seeds| shared.intersection(seeds).copied().collect())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::project::file::DEMO;

    fn project(seeds: &str) -> Project {
        let text = DEMO.replace("seeds: [42],", &format!("seeds: {seeds},"));
        Project::parse(&text, Path::new("demo/project.ron")).unwrap()
    }

    fn runs(experiment: &str, method: &str, hash: &str, status: Status, seeds: &[u64]) -> Vec<RunResult> {
        let run = |&seed: &u64| RunResult {
            run: format!("{experiment}-{hash}-{seed}"),
            experiment: experiment.to_owned(),
            method: method.to_owned(),
            config_hash: hash.to_owned(),
            seed,
            status,
            ..RunResult::default()
        };
        seeds.iter().map(run).collect()
    }

    fn kept(results: &Results) -> Vec<&str> {
        results.runs.iter().map(|run| run.run.as_str()).collect()
    }

    fn results(runs: &[Vec<RunResult>]) -> Results {
        Results { runs: runs.concat(), ..Results::default() }
    }

    #[test]
    fn an_old_seed_beside_those_of_the_project_is_left_out_unless_all_are_asked_for() {
        let project = project("[1, 2, 3]");
        let all = results(&[
            runs("PESO", "peso", "a", Status::Finished, &[42, 1, 2, 3]),
            runs("Frozen", "frozen", "b", Status::Finished, &[1, 2, 3]),
            runs("Popularity", "popularity", "c", Status::Finished, &[0]),
        ]);
        let (shared, basis) = all.clone().over_seeds(&project, SeedChoice::Shared);
        let of = |experiment: &str| shared.runs.iter().filter(|run| run.experiment == experiment).count();
        assert_eq!([of("PESO"), of("Frozen"), of("Popularity")], [3, 3, 1]);
        assert_eq!((basis.shared.as_slice(), basis.left_out, basis.uneven), ([1, 2, 3].as_slice(), 1, false));
        assert_eq!(
            basis.words().unwrap(),
            "Over the seeds that all lines have (1, 2, 3); 1 finished run of other seeds left out"
        );
        let (own, basis) = all.clone().over_seeds(&project, SeedChoice::All);
        assert_eq!(own, all);
        assert!(basis.uneven && basis.words().unwrap().contains("marked *"));
    }

    #[test]
    fn runs_on_swept_data_are_never_held_against_those_on_the_projects_own() {
        let mut project = project("[1]");
        project.sweeps =
            vec![ron::from_str("(experiment: \"*\", options: [(option: \"dataset.drift\", values: [0.1])])").unwrap()];
        let all = results(&[
            runs("PESO", "peso", "a", Status::Finished, &[1]),
            runs("PESO (dataset.drift 0.1)", "peso", "b", Status::Finished, &[1, 2]),
            runs("PESO (dataset.drift 0.1)", "peso", "b", Status::Running, &[3]),
        ]);
        for choice in [SeedChoice::Shared, SeedChoice::All] {
            let (own, basis) = all.clone().over_seeds(&project, choice);
            assert_eq!((kept(&own), basis.other_data), (vec!["PESO-a-1"], 2));
            assert_eq!(
                basis.words().unwrap(),
                "2 finished runs on swept data left out, which the map of regimes shows"
            );
        }
    }

    #[test]
    fn lines_that_agree_need_no_words() {
        let all = results(&[
            runs("PESO", "peso", "a", Status::Finished, &[1, 2]),
            runs("Frozen", "frozen", "b", Status::Finished, &[2, 1]),
        ]);
        for choice in [SeedChoice::Shared, SeedChoice::All] {
            let (same, basis) = all.clone().over_seeds(&project("[1, 2]"), choice);
            assert_eq!((same, basis.words()), (all.clone(), None));
        }
    }

    #[test]
    fn a_line_that_is_behind_decides_until_it_has_caught_up() {
        let all = results(&[
            runs("PESO", "peso", "a", Status::Finished, &[1, 2, 3]),
            runs("Frozen", "frozen", "b", Status::Finished, &[2]),
            runs("Frozen", "frozen", "b", Status::Running, &[3]),
        ]);
        let (shared, basis) = all.over_seeds(&project("[1, 2, 3]"), SeedChoice::Shared);
        assert_eq!(kept(&shared), ["PESO-a-2", "Frozen-b-2", "Frozen-b-3"], "what is under way stays to be seen");
        assert!(basis.words().unwrap().starts_with("Over the seed that all lines have (2); 2 finished runs"));
    }

    #[test]
    fn earlier_settings_do_not_take_seeds_from_what_the_project_asks_for() {
        let project = project("[1, 2]");
        let now = RunConfig::hash_now(&project, "PESO").unwrap();
        let all = results(&[
            runs("PESO", "peso", &now, Status::Finished, &[1, 2]),
            runs("PESO", "peso", "earlier", Status::Finished, &[1]),
            runs("Removed", "ewc", "d", Status::Finished, &[1, 2]),
        ]);
        let (shared, basis) = all.over_seeds(&project, SeedChoice::Shared);
        let of = |hash: &str| shared.runs.iter().filter(|run| run.config_hash == hash).count();
        assert_eq!([of(&now), of("earlier"), of("d")], [2, 0, 2]);
        assert_eq!((basis.left_out, basis.lines_left_out), (1, 1));
    }

    #[test]
    fn where_nothing_that_is_asked_for_is_finished_what_there_is_speaks() {
        let all = results(&[
            runs("PESO", "peso", "a", Status::Finished, &[42]),
            runs("Frozen", "frozen", "b", Status::Finished, &[42]),
        ]);
        let (same, _) = all.clone().over_seeds(&project("[1, 2, 3]"), SeedChoice::Shared);
        assert_eq!(same, all);
    }

    #[test]
    fn without_a_common_seed_each_line_has_its_own_and_that_is_said() {
        let mut project = project("[1]");
        project.experiments[0].seeds = Some(vec![7]);
        let name = project.experiments[1].name.clone();
        let all = results(&[
            runs("PESO", "peso", "a", Status::Finished, &[7]),
            runs(&name, "single", "b", Status::Finished, &[1]),
        ]);
        let (same, basis) = all.clone().over_seeds(&project, SeedChoice::Shared);
        assert_eq!(same, all);
        assert!(basis.words().unwrap().starts_with("No seed is common to all lines"));
    }
}
