//! What a way to update ids comes to after a stage, in figures.

use serde::Serialize;

use super::count_model::{Coded, CountModel};
use super::{Ids, Known, Way};
use crate::id_training::quality::Quality;

/// All ways after a stage.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StageFigures {
    /// From 1.
    pub stage: usize,
    /// Items that are known by then, and those that came in the stage.
    pub items: usize,
    pub new: usize,
    /// Tests of the stage whose item before is known.
    pub tests: usize,
    pub ways: Vec<WayFigures>,
}

/// One way after a stage.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WayFigures {
    pub way: Way,
    /// Share of the items that were there whose id is another one.
    pub ids_moved: f64,
    pub levels: Vec<Level>,
    /// Share of the items whose id another item has too.
    pub sharing: f64,
    /// Share of the vectors' variance that the ids tell, and what they leave over, a mean square.
    pub explained: f64,
    pub error: f64,
    /// Mean log-likelihood of the stage's next items, in nats an item, under the ids after the stage: of a count model that knows the
    /// ids before the stage, and of one that is fitted anew to the same interactions under the new ids. None without tests.
    pub old_model: Option<f64>,
    pub new_model: Option<f64>,
}

/// One way after a stage, on one level.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Level {
    /// Share of the items that were there with the code that they had on this level, and with the codes that they had up to it.
    pub code_kept: f64,
    pub prefix_kept: f64,
    /// Codes that some item has.
    pub used: usize,
    /// How often the codes so far tell an item's category.
    pub category: Option<f64>,
}

impl StageFigures {
    /// Log-likelihood of an item where all that are known are alike, in nats.
    pub fn alike(&self) -> f64 {
        -(self.items as f64).ln()
    }
}

impl WayFigures {
    pub(super) fn of(way: Way, last: &Ids, now: &Ids, known: &Known<'_>, codes: usize) -> Self {
        let levels = now.errors.len();
        let earlier = (last.ids.len() / levels).max(1) as f64;
        let kept = |same: &dyn Fn(&[u32], &[u32]) -> bool| {
            let both = last.ids.chunks(levels).zip(now.ids.chunks(levels));
            both.filter(|(last, now)| same(last, now)).count() as f64 / earlier
        };
        let quality = Quality::measure(&now.ids, &now.ids, codes, &now.errors, &known.categories);
        let level = |(level, quality): (usize, &crate::id_training::quality::LevelQuality)| Level {
            code_kept: kept(&|last, now| last[level] == now[level]),
            prefix_kept: kept(&|last, now| last[..=level] == now[..=level]),
            used: quality.used,
            category: quality.category,
        };
        let coded = |ids| Coded { ids, levels };
        let (before, after) = (coded(&last.ids), coded(&now.ids));
        // Of the items that a model has been told of.
        let there = coded(&now.ids[..last.ids.len()]);
        let likelihood = |model: CountModel<'_>| model.log_likelihood(after, &known.tests);
        Self {
            way,
            ids_moved: 1.0 - kept(&|last, now| last == now),
            levels: quality.levels.iter().enumerate().map(level).collect(),
            sharing: quality.after.items as f64 / quality.items.max(1) as f64,
            explained: now.explained,
            error: now.errors.last().copied().unwrap_or(0.0),
            old_model: likelihood(CountModel::fit(before, &known.pairs)),
            new_model: likelihood(CountModel::fit(there, &known.pairs)),
        }
    }

    /// What the move costs a model that knows the ids before, in nats an item.
    pub fn cost(&self) -> Option<f64> {
        Some(self.new_model? - self.old_model?)
    }
}
