//! The figures of a board, made anew from the folders of runs, and what their runs did since somebody last looked.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::context::FigureContext;
use super::spec::{Make, NamedChart};
use super::words::is_baseline;
use super::{FIGURES, find};
use crate::data::Protocol;
use crate::error::InputError;
use crate::plot::{Body, Chart};
use crate::project::Project;
use crate::project::board::PinnedFigure;
use crate::results::seeds::SeedChoice;
use crate::results::{Results, RunResult};
use crate::text::counted;

/// What the figures of a board are made of: runs of a project under each protocol, over each choice of seeds, read when a figure
/// asks for them. Archived runs are left out.
#[derive(Debug)]
pub struct Contexts<'p> {
    project: &'p Project,
    runs_dir: PathBuf,
    made: [[OnceCell<FigureContext<'p>>; 2]; Protocol::ALL.len()],
}

impl<'p> Contexts<'p> {
    /// Of the runs in `runs_dir`, none of which is read yet.
    pub fn new(project: &'p Project, runs_dir: &Path) -> Self {
        Self { project, runs_dir: runs_dir.to_path_buf(), made: Default::default() }
    }

    /// The context that a pinned figure asks for.
    pub fn of(&self, pinned: &PinnedFigure) -> &FigureContext<'p> {
        let all_seeds = pinned.options.all_seeds;
        let cell = &self.made[pinned.protocol as usize][usize::from(all_seeds)];
        cell.get_or_init(|| {
            let (results, _) = Results::read(self.project, &self.runs_dir, pinned.protocol);
            let seeds = SeedChoice::of(all_seeds);
            FigureContext::new(self.project, &self.runs_dir, results.side_by_side(), seeds)
        })
    }
}

/// The charts of a pinned figure under their own words; none where no run has what it shows.
///
/// # Errors
/// [`InputError`] where there is no figure of its name, or it cannot be [made](super::FigureSpec::make).
pub fn drawn(contexts: &Contexts<'_>, pinned: &PinnedFigure) -> Result<Vec<NamedChart>, InputError> {
    let spec = find(&pinned.figure).ok_or_else(|| {
        let names: Vec<&str> = FIGURES.iter().map(|spec| spec.name).collect();
        InputError::new(&contexts.runs_dir, format!("there is no figure \"{}\"", pinned.figure))
            .advice(format!("figures are {}", names.join(", ")))
    })?;
    let mut charts = spec.make(contexts.of(pinned), &pinned.options)?;
    for NamedChart { chart, .. } in &mut charts {
        let hidden = &pinned.options.hidden;
        match &mut chart.body {
            Body::Lines(lines) | Body::Dots(lines) | Body::Scatter(lines) => *lines = lines.without(hidden),
            Body::Forest(forest) => forest.rows.retain(|row| !hidden.contains(&row.name)),
            Body::Parallel(parallel) => parallel.lines.retain(|line| !hidden.contains(&line.name)),
            _ => {}
        }
    }
    Ok(charts)
}

/// The charts of a pinned figure under the words that it was given: its title instead of the chart's own, and its caption before
/// what the chart says of how it is read.
///
/// # Errors
/// Those of [`drawn`].
pub fn charts(contexts: &Contexts<'_>, pinned: &PinnedFigure) -> Result<Vec<NamedChart>, InputError> {
    let mut charts = drawn(contexts, pinned)?;
    let alone = charts.len() == 1;
    for NamedChart { chart, .. } in &mut charts {
        *chart = worded(chart.clone(), pinned, alone);
    }
    Ok(charts)
}

/// A chart of a pinned figure under the words that this was given; one that is not `alone` keeps its own title behind these.
pub fn worded(chart: Chart, pinned: &PinnedFigure, alone: bool) -> Chart {
    let title = match &pinned.title {
        Some(title) if alone => title.clone(),
        Some(title) => format!("{title}: {}", chart.title),
        None => chart.title.clone(),
    };
    let caption = match (pinned.caption.trim(), &chart.caption) {
        ("", own) => own.clone(),
        (told, None) => Some(told.to_owned()),
        (told, Some(own)) if told.ends_with(['.', '!', '?']) => Some(format!("{told} {own}")),
        (told, Some(own)) => Some(format!("{told}. {own}")),
    };
    Chart { title, caption, ..chart }
}

/// What the runs of a pinned figure did since someone last looked.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Changes {
    /// Runs that have finished stages more, or were started over.
    pub gone_on: usize,
    /// Runs that were not there, as people name them: `PESO, seed 43`.
    pub new: Vec<String>,
    /// Runs that are there no more.
    pub gone: usize,
}

impl Changes {
    /// In a sentence; none where nothing changed.
    pub fn words(&self) -> Option<String> {
        let have = |number: usize| if number == 1 { "has" } else { "have" };
        let mut parts = Vec::new();
        if self.gone_on > 0 {
            parts.push(format!(
                "{} {} gone on since this was pinned",
                counted(self.gone_on, "run"),
                have(self.gone_on)
            ));
        }
        match self.new.as_slice() {
            [] => {}
            [one] => parts.push(format!("{one} is new")),
            [one, other] => parts.push(format!("{one} and {other} are new")),
            many => parts.push(format!("{} are new", counted(many.len(), "run"))),
        }
        if self.gone > 0 {
            parts.push(format!(
                "{} {} there no more",
                counted(self.gone, "run"),
                if self.gone == 1 { "is" } else { "are" }
            ));
        }
        (!parts.is_empty()).then(|| parts.join("; "))
    }
}

/// The runs that a pinned figure shows, by id, with their finished stages: what it [has seen](PinnedFigure::seen) once somebody
/// has looked.
pub fn seen(pinned: &PinnedFigure, results: &Results) -> BTreeMap<String, usize> {
    shown(pinned, results).map(|run| (run.run.clone(), run.stages.len())).collect()
}

/// What changed of a pinned figure's runs. Nothing of one that has never been looked at.
pub fn changed(pinned: &PinnedFigure, results: &Results) -> Changes {
    let mut changes = Changes::default();
    if pinned.seen.is_empty() {
        return changes;
    }
    for run in shown(pinned, results) {
        match pinned.seen.get(&run.run) {
            None if is_baseline(run) => changes.new.push(run.experiment.clone()),
            None => changes.new.push(format!("{}, seed {}", run.experiment, run.seed)),
            Some(&stages) if stages != run.stages.len() => changes.gone_on += 1,
            Some(_) => {}
        }
    }
    let there = |id: &&String| results.runs.iter().any(|run| run.run == **id);
    changes.gone = pinned.seen.keys().filter(|id| !there(id)).count();
    changes
}

fn shown<'r>(pinned: &'r PinnedFigure, results: &'r Results) -> impl Iterator<Item = &'r RunResult> {
    let of_runs = find(&pinned.figure).is_some_and(|spec| !matches!(spec.make, Make::Data(_)));
    let options = &pinned.options;
    let named: Vec<&String> = [&options.run, &options.beside].into_iter().flatten().collect();
    let asked = move |run: &&RunResult| {
        let chosen = options.runs.is_empty() || options.runs.contains(&run.run);
        of_runs
            && chosen
            && (named.is_empty() || named.iter().any(|name| **name == run.run || **name == run.experiment))
    };
    results.runs.iter().filter(asked)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::FigureOptions;
    use crate::results::StageResult;

    fn run(experiment: &str, seed: u64, stages: usize) -> RunResult {
        RunResult {
            run: format!("{experiment}-s{seed}"),
            experiment: experiment.to_owned(),
            seed,
            stages: vec![StageResult::default(); stages],
            ..RunResult::default()
        }
    }

    fn pinned(figure: &str, run: Option<&str>) -> PinnedFigure {
        let options = FigureOptions { run: run.map(str::to_owned), ..FigureOptions::default() };
        PinnedFigure::new(figure, options, Protocol::default())
    }

    #[test]
    fn what_runs_did_since_is_told_until_it_is_taken_as_seen() {
        let results = |runs| Results { runs, ..Results::default() };
        let before = results(vec![run("PESO", 42, 3), run("Frozen", 42, 1)]);
        let after = results(vec![run("PESO", 42, 3), run("Frozen", 42, 2), run("PESO", 43, 1)]);
        let told = |figure: &str, of: Option<&str>| {
            let mut pinned = pinned(figure, of);
            pinned.seen = seen(&pinned, &before);
            let told = changed(&pinned, &after).words();
            pinned.seen = seen(&pinned, &after);
            assert_eq!(changed(&pinned, &after), Changes::default());
            told
        };
        let all = "1 run has gone on since this was pinned; PESO, seed 43 is new";
        assert_eq!(told("gains", None).as_deref(), Some(all));
        assert_eq!(told("matrix", Some("PESO")).as_deref(), Some("PESO, seed 43 is new"));
        assert_eq!(told("matrix", Some("PESO-s42")), None, "another run is none of its");
        assert_eq!(told("data-drift", None), None, "the data are no runs");
        let mut gone = pinned("gains", None);
        gone.seen = seen(&gone, &after);
        assert_eq!(
            changed(&gone, &before).words().as_deref(),
            Some("1 run has gone on since this was pinned; 1 run is there no more")
        );
    }

    #[test]
    fn own_words_stand_before_how_a_chart_is_read() {
        let chart = Chart { caption: Some("One seed each".to_owned()), ..Chart::empty("Gain in Hit@10", "") };
        let mut pinned = pinned("gains", None);
        assert_eq!(worded(chart.clone(), &pinned, true), chart);
        pinned.title = Some("PESO wins".to_owned());
        pinned.caption = "Ship it".to_owned();
        let told = worded(chart.clone(), &pinned, true);
        assert_eq!((told.title.as_str(), told.caption.as_deref()), ("PESO wins", Some("Ship it. One seed each")));
        assert_eq!(worded(chart, &pinned, false).title, "PESO wins: Gain in Hit@10");
    }
}
