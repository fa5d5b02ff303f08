//! What every method recommended to one user, as a table.

use super::provenance::Provenance as _;
use crate::data::{Dataset, Protocol};
use crate::measure::churn::{Move, moves};
use crate::plot::listing::{Cell, Column};
use crate::plot::{Body, Chart, Listing};
use crate::results::churn::{Answers, StageTests};

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
