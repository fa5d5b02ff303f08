//! What every method recommended to one user, as a table.

use super::options::FigureOption;
use super::provenance::Provenance as _;
use super::spec::{FigureSpec, Make, NamedChart};
use crate::data::{Dataset, Protocol};
use crate::error::InputError;
use crate::measure::churn::{Move, moves};
use crate::plot::listing::{Cell, Column};
use crate::plot::{Body, Chart, Listing};
use crate::project::board::FigureOptions;
use crate::results::churn::{Answers, StageTests};

pub static SPEC: FigureSpec = FigureSpec {
    name: "recommendations",
    aliases: &["user"],
    label: "Recommendations",
    title: "Recommendations to a user",
    summary: "What every method recommended to one user in a stage; to one whom methods serve differently where none is named",
    tooltip: "What every method recommended to one user, and what the user went for",
    options: &[FigureOption::Stage, FigureOption::User],
    alone: true,
    make: Make::Project(|context, options| {
        let runs = context.runs(&FigureOptions::default())?;
        let stages = runs.iter().map(|run| run.folder.config().stages).max().unwrap_or(0);
        // The last one that is tested, where none is asked for.
        for stage in options.stage.map_or((1..=stages).rev().collect(), |stage| vec![stage]) {
            let tests = context.stage_tests(stage)?;
            if tests.answers.is_empty() {
                continue;
            }
            let dataset = context.dataset()?;
            let test = test_of(dataset, &tests, options.user.as_deref())?;
            let name = |id: &str| runs.iter().find(|run| run.id() == id).map_or(id.to_owned(), |run| run.name.clone());
            let names: Vec<String> = tests.answers.iter().map(|answers| name(&answers.run)).collect();
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let of = TestOf { dataset, tests: &tests, protocol: context.results.protocol, stage, test };
            return Ok(vec![NamedChart::new("recommendations", recommendations(&of, &names, context.is_synthetic()))]);
        }
        Ok(Vec::new())
    }),
};

/// The test of the user of this name; the first that some method finds and another does not where there is no name.
fn test_of(dataset: &Dataset, tests: &StageTests, user: Option<&str>) -> Result<usize, InputError> {
    let finds = |answers: &Answers, test: usize| {
        let target = tests.tests[test].1;
        answers.now.get(test).is_some_and(|now| now.top.iter().any(|item| dataset.is_same(*item, target)))
    };
    let Some(name) = user else {
        let differ = |test: &usize| {
            let found = tests.answers.iter().filter(|answers| finds(answers, *test)).count();
            (1..tests.answers.len()).contains(&found)
        };
        return Ok((0..tests.tests.len()).find(differ).unwrap_or(0));
    };
    let is_it = |(user, _): &(u32, u32)| dataset.users.get(*user as usize).is_some_and(|found| found == name);
    tests.tests.iter().position(is_it).ok_or_else(|| {
        InputError::new("--user", format!("no test of this stage is of a user \"{name}\""))
            .advice("the window's Users view lists those who are tested in a stage")
    })
}

/// A user's test in a stage.
#[derive(Debug, Clone, Copy)]
pub struct TestOf<'a> {
    pub dataset: &'a Dataset,
    pub tests: &'a StageTests,
    pub protocol: Protocol,
    /// From 1.
    pub stage: usize,
    /// Place among the stage's tests.
    pub test: usize,
}

/// The lists of all runs, by the names `runs` in the order of [`StageTests::answers`], with what the user went for marked and what
/// changed since the model before.
pub fn recommendations(of: &TestOf<'_>, runs: &[&str], synthetic: bool) -> Chart {
    let (user, target) = of.tests.tests[of.test];
    let name = of.dataset.users.get(user as usize).map_or("", String::as_str);
    let title = format!("Recommendations to user {name} in stage {}", of.stage);
    let lists: Vec<Vec<String>> = of.tests.answers.iter().map(|answers| list(of, answers, target)).collect();
    let heading = [Column::numbers("Place")].into_iter().chain(runs.iter().map(|run| Column::words(*run)));
    let longest = lists.iter().map(Vec::len).max().unwrap_or(0);
    let row = |place: usize| {
        let cells = lists.iter().map(|list| Cell::from(list.get(place).cloned().unwrap_or_default()));
        [Cell::from((place + 1).to_string())].into_iter().chain(cells).collect()
    };
    let listing = Listing { columns: heading.collect(), rows: (0..longest).map(row).collect() };
    let subtitle = Some(format!("Went for: {}", of.dataset.item_words(target)));
    let caption = Some(
        "✓ what the user went for; new: entered the list since the model before; ▲ ▼: places up and down".to_owned(),
    );
    let chart = Chart { subtitle, caption, ..Chart::new(title, Body::Listing(listing)) };
    chart.synthetic(synthetic).under(of.protocol).of("user", name).of("stage", of.stage.to_string())
}

/// The items of a list in words, each with its marks.
fn list(of: &TestOf<'_>, answers: &Answers, target: u32) -> Vec<String> {
    let Some(now) = answers.now.get(of.test) else { return Vec::new() };
    let list = match answers.before.get(of.test) {
        Some(before) => moves(&before.top, &now.top).0,
        None => now.top.iter().map(|&item| (item, Move::Stayed)).collect(),
    };
    let words = |(item, moved): (u32, Move)| {
        let hit = if of.dataset.is_same(item, target) { "✓ " } else { "" };
        let change = match moved {
            Move::Entered => " (new)".to_owned(),
            Move::Up(places) => format!(" (▲ {places})"),
            Move::Down(places) => format!(" (▼ {places})"),
            Move::Stayed => String::new(),
        };
        format!("{hit}{}{change}", of.dataset.item_words(item))
    };
    list.into_iter().map(words).collect()
}
