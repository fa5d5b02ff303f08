//! The figures: those of the board, or those that say most.

use super::Source;
use crate::data::Protocol;
use crate::error::InputError;
use crate::figures::board::charts;
use crate::figures::{self, FigureOptions, NamedChart};
use crate::plot::{Body, Chart};
use crate::project::board::{FigureSize, PinnedFigure};
use crate::report::document::{Block, Figure, Section};

/// What is shown where nobody chose.
const USUAL: [&str; 7] = ["gains", "comparison", "matrix", "affected", "data-drift", "river", "cost"];

/// The sections with the decision and the figures, as far as they can be made, and why others are missing.
pub(super) fn sections(source: &Source<'_>) -> (Vec<Section>, Vec<InputError>) {
    let mut figures = Figures { number: 0, problems: Vec::new() };
    let mut decision = Section::new("decision", "The decision");
    let mut shown = Section::new("figures", "Figures");
    let board = &source.project.board;
    if figures::find("decision").is_some() && board.iter().all(|pinned| pinned.figure != "decision") {
        figures.add(&mut decision, source, &leading("decision", source), Chosen::AsUsual);
    }
    if board.is_empty() {
        for name in USUAL {
            figures.add(&mut shown, source, &leading(name, source), Chosen::AsUsual);
        }
    }
    for pinned in board {
        figures.add(&mut shown, source, pinned, Chosen::ByPerson);
    }
    (vec![decision, shown], figures.problems)
}

/// A figure as it is where nobody chose anything else.
pub(super) fn usual(name: &str, protocol: Protocol) -> PinnedFigure {
    PinnedFigure { size: FigureSize::Page, ..PinnedFigure::new(name, FigureOptions::default(), protocol) }
}

/// The usual figure by the metric that decides, of the leading method where it is one a run.
fn leading(name: &str, source: &Source<'_>) -> PinnedFigure {
    let run = source.leader().and_then(|line| line.runs.first().cloned());
    let options = FigureOptions { metric: source.metric.clone(), run, ..FigureOptions::default() };
    PinnedFigure { options, ..usual(name, source.context.results.protocol) }
}

/// Who wants a figure.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Chosen {
    /// Nobody in particular: of its charts the first is shown, where that has something in it.
    AsUsual,
    /// Somebody pinned it, gets all of it, and is told what is missing.
    ByPerson,
}

/// Figures under way.
struct Figures {
    /// Of the last one.
    number: usize,
    problems: Vec<InputError>,
}

impl Figures {
    /// Adds the charts of a figure; where they cannot be made, why.
    fn add(&mut self, section: &mut Section, source: &Source<'_>, pinned: &PinnedFigure, chosen: Chosen) {
        let charts = match charts(source.contexts, pinned) {
            Ok(charts) => charts,
            Err(problem) => {
                section.say(format!("\"{}\" is left out: {problem}", pinned.title.as_ref().unwrap_or(&pinned.figure)));
                self.problems.push(problem);
                return;
            }
        };
        let drawn = |named: &NamedChart| chosen == Chosen::ByPerson || !matches!(named.chart.body, Body::Empty(_));
        let most = if chosen == Chosen::ByPerson { usize::MAX } else { 1 };
        for NamedChart { name, chart } in charts.into_iter().filter(drawn).take(most) {
            self.number += 1;
            let caption = chart.caption.clone();
            let chart = Chart { caption: None, ..chart };
            let figure = Figure { number: self.number, name, chart, caption, size: pinned.size };
            section.blocks.push(Block::Figure(Box::new(figure)));
        }
    }
}
