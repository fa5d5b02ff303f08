//! Which style a run's series has: the same in every chart, in the window and in files, today and tomorrow.
//!
//! Colour and marker are the experiment's ([`Project::style_slots`]), the non-learned baselines have greys. Runs of one
//! experiment with other settings or data differ in their dash.

use std::collections::{BTreeMap, BTreeSet};

use super::words::{experiment_label, is_baseline};
use crate::plot::SeriesStyle;
use crate::project::Project;
use crate::results::{Results, RunResult};
use crate::run::{RunConfig, Status};

/// Something that is drawn as a series, with the style that it has in every chart.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Styled<'a, T> {
    pub item: &'a T,
    pub style: SeriesStyle,
}

/// The style that each run's line has in every chart of a project, by run id; of a run that is not finished with hollow
/// marks.
pub fn run_styles(project: &Project, results: &Results) -> BTreeMap<String, SeriesStyle> {
    let styled = |group: Group<'_>| {
        let style = |run: &RunResult| match run.status {
            Status::Finished => group.style,
            _ => group.style.unfinished(),
        };
        group.runs.iter().map(|run| (run.run.clone(), style(run))).collect::<Vec<_>>()
    };
    groups(project, results).into_iter().flat_map(styled).collect()
}

/// The style of each run's training curve, by run id: its line's colour, and a dash for each seed.
pub fn curve_styles(project: &Project, results: &Results) -> BTreeMap<String, SeriesStyle> {
    let mut numbers: BTreeMap<String, usize> = BTreeMap::new();
    let mut styles = BTreeMap::new();
    for mut group in groups(project, results) {
        group.runs.sort_by_key(|run| run.seed);
        for run in group.runs {
            let number = numbers.entry(experiment_label(run)).or_default();
            styles.insert(run.run.clone(), group.style.as_curve(*number));
            *number += 1;
        }
    }
    styles
}

/// Runs that one line is the mean of.
pub(super) struct Group<'a> {
    pub(super) name: String,
    pub(super) style: SeriesStyle,
    /// At least one.
    pub(super) runs: Vec<&'a RunResult>,
}

/// The runs by experiment, configuration and data: in the project's order, then what it has no longer, then the non-learned
/// baselines.
pub(super) fn groups<'r>(project: &Project, results: &'r Results) -> Vec<Group<'r>> {
    let mut by_experiment: BTreeMap<String, Vec<&RunResult>> = BTreeMap::new();
    for run in &results.runs {
        by_experiment.entry(experiment_label(run)).or_default().push(run);
    }
    let names = project.variants().unwrap_or_default().into_iter().map(|variant| variant.experiment.name);
    let order: BTreeMap<String, usize> = names.zip(0..).collect();
    let place = |name: &String| order.get(name).copied().unwrap_or(usize::MAX);
    let mut named: Vec<(String, Vec<&RunResult>)> = by_experiment.into_iter().collect();
    named.sort_by_key(|(name, runs)| (is_baseline(runs[0]), place(name)));
    let slots = project.style_slots();
    let styled = |(name, runs): (String, Vec<&'r RunResult>)| {
        let style = match runs[0].method.as_str() {
            "popularity" => SeriesStyle::baseline(0),
            "co_occurrence" => SeriesStyle::baseline(1),
            _ => SeriesStyle::method(slots.of(&name)),
        };
        let parts = split(project, name, runs).into_iter().enumerate();
        parts.map(move |(number, (name, runs))| Group { name, style: style.beside(number), runs }).collect::<Vec<_>>()
    };
    named.into_iter().flat_map(styled).collect()
}

/// Apart by configuration and data where there are several, each then named by its hashes; what the project asks for now is
/// first.
fn split<'r>(project: &Project, name: String, runs: Vec<&'r RunResult>) -> Vec<(String, Vec<&'r RunResult>)> {
    let made_of = |run: &RunResult| (run.config_hash.clone(), run.data_hash.clone());
    if runs.iter().all(|run| made_of(run) == made_of(runs[0])) {
        return vec![(name, runs)];
    }
    let datasets: BTreeSet<&str> = runs.iter().map(|run| run.data_hash.as_str()).collect();
    let mut parts: BTreeMap<(bool, &str, &str), Vec<&RunResult>> = BTreeMap::new();
    let now = RunConfig::hash_now(project, &name);
    for run in runs {
        let earlier = now.as_ref() != Some(&run.config_hash);
        parts.entry((earlier, &run.config_hash, &run.data_hash)).or_default().push(run);
    }
    let short = |hash: &str| hash.chars().take(8).collect::<String>();
    let part = |((_, config, data), runs): ((bool, &str, &str), _)| {
        let data = if datasets.len() > 1 { format!(", data {}", short(data)) } else { String::new() };
        (format!("{name} ({}{data})", short(config)), runs)
    };
    parts.into_iter().map(part).collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::plot::series_style::{Dash, Ink};
    use crate::project::edits::experiments::{moved_down, with_experiment, with_style, without_experiment};
    use crate::project::file::DEMO;
    use crate::project::styles::ExperimentStyle;

    fn project() -> Project {
        Project::parse(DEMO, Path::new("demo/project.ron")).unwrap()
    }

    fn run(experiment: &str, method: &str, seed: u64, config_hash: &str) -> RunResult {
        RunResult {
            run: format!("{experiment}-{seed}-{config_hash}"),
            experiment: experiment.to_owned(),
            method: method.to_owned(),
            seed,
            config_hash: config_hash.to_owned(),
            status: Status::Finished,
            ..RunResult::default()
        }
    }

    fn all() -> Vec<RunResult> {
        vec![
            run("Popularity", "popularity", 0, "h"),
            run("PESO", "peso", 1, "h"),
            run("Single evolving LoRA", "single", 1, "h"),
            run("Frozen", "frozen", 1, "h"),
            run("Left over", "peso", 1, "h"),
        ]
    }

    fn styles(project: &Project, runs: Vec<RunResult>) -> BTreeMap<String, SeriesStyle> {
        run_styles(project, &Results { runs, ..Results::default() })
    }

    #[test]
    fn a_style_is_the_same_whatever_else_is_there_and_in_whatever_order() {
        let project = project();
        let whole = styles(&project, all());
        for (index, alone) in all().into_iter().enumerate() {
            let id = alone.run.clone();
            assert_eq!(styles(&project, vec![alone])[&id], whole[&id], "{id} alone");
            let mut without = all();
            without.remove(index);
            without.reverse();
            for (id, style) in styles(&project, without) {
                assert_eq!(style, whole[&id], "{id} without the run {index}");
            }
        }
        let different: BTreeSet<String> = whole.values().map(|style| format!("{style:?}")).collect();
        assert_eq!(different.len(), whole.len(), "{different:?}");
    }

    #[test]
    fn edits_of_the_project_leave_the_styles_of_all_runs_as_they_are() {
        let before = project();
        let whole = styles(&before, all());
        let single =
            before.experiments.iter().position(|experiment| experiment.name == "Single evolving LoRA").unwrap();
        let removed = without_experiment(&before, single);
        let added = with_experiment(&removed, crate::method::MethodOptions::Single);
        for edited in [&removed, &added, &moved_down(&before, 0)] {
            let mut after = styles(edited, all());
            after.retain(|id, _| id != "Left over-1-h");
            assert!(after.iter().all(|(id, style)| whole[id] == *style), "{after:?}");
        }
        let set = with_style(&before, "PESO", ExperimentStyle::at(11));
        let after = styles(&set, all());
        assert_eq!(after["PESO-1-h"].ink, Ink::Colour(11));
        assert_eq!(after["Frozen-1-h"], whole["Frozen-1-h"]);
    }

    #[test]
    fn a_run_that_is_under_way_has_the_same_colour_and_marker_hollow() {
        let project = project();
        let [finished, mut running] = [1, 2].map(|seed| run("PESO", "peso", seed, "h"));
        running.status = Status::Running;
        let found = styles(&project, vec![finished.clone(), running.clone()]);
        assert_eq!(found[&running.run], found[&finished.run].unfinished());
        assert_eq!(found[&running.run].legend_name("PESO"), "PESO (unfinished)");
        assert_eq!(found[&finished.run].legend_name("PESO"), "PESO");
    }

    #[test]
    fn other_settings_of_an_experiment_have_its_colour_and_marker_and_another_dash() {
        let project = project();
        let now = RunConfig::hash_now(&project, "PESO").unwrap();
        // Another seed: nothing but the settings tells them apart.
        let runs = vec![run("PESO", "peso", 1, "0earlier"), run("PESO", "peso", 2, &now)];
        let found = styles(&project, runs.clone());
        let [earlier, current] = [&runs[0].run, &runs[1].run].map(|id| found[id]);
        assert_eq!(current, SeriesStyle::method(0));
        assert_eq!((earlier.ink, earlier.marker), (current.ink, current.marker));
        assert_ne!(earlier.dash, current.dash);
        let names: Vec<String> =
            groups(&project, &Results { runs, ..Results::default() }).into_iter().map(|group| group.name).collect();
        assert_eq!(names, [format!("PESO ({})", &now[..8]), "PESO (0earlier)".to_owned()]);
    }

    #[test]
    fn seeds_of_an_experiment_have_its_colour_in_curves_and_a_dash_each() {
        let runs = [2, 1, 3].map(|seed| run("Frozen", "frozen", seed, "h")).to_vec();
        let styles = curve_styles(&project(), &Results { runs, ..Results::default() });
        let inks: BTreeSet<String> = styles.values().map(|style| format!("{:?}", style.ink)).collect();
        assert_eq!(inks.len(), 1);
        assert_eq!(
            [1, 2, 3].map(|seed| styles[&format!("Frozen-{seed}-h")].dash),
            [Dash::Solid, Dash::Long, Dash::LongShort]
        );
    }
}
