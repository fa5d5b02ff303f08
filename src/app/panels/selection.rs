//! What is looked at, the same in all views: a run, a stage, a module with a direction, a user.

use crate::subspace::Side;

/// What the views look at together. What nobody has chosen yet becomes, where a view first shows it, what it shows: a new
/// stage, run or user then never takes the place of what is being read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Selection {
    /// Id of a run.
    pub(crate) run: Option<String>,
    /// From 1.
    pub(crate) stage: Option<usize>,
    /// Its full name: `model.layers.0.mlp.down_proj`.
    pub(crate) module: Option<String>,
    pub(crate) side: Side,
    /// Place among a module's directions, from 0.
    pub(crate) direction: usize,
    /// Place in the dataset.
    pub(crate) user: Option<u32>,
    /// Name of the line that decisions are against; the usual one until one is chosen.
    pub(crate) baseline: Option<String>,
}

impl Selection {
    /// The stage that is looked at, of `there` in rising order, which is not empty; the last where the chosen one is not
    /// among them.
    pub(crate) fn stage(&mut self, there: &[usize]) -> usize {
        let last = there.last().copied().unwrap_or(1);
        let chosen = *self.stage.get_or_insert(last);
        if there.contains(&chosen) { chosen } else { last }
    }

    /// The run that is looked at, of those with the ids `there`: the first of `preferred` where the chosen one is not among
    /// them.
    pub(crate) fn run<'r>(&mut self, there: &[&'r str], preferred: impl Fn(&str) -> bool) -> Option<&'r str> {
        let first = there.iter().find(|id| preferred(id)).or(there.first()).copied()?;
        let chosen = self.run.get_or_insert_with(|| first.to_owned());
        Some(there.iter().find(|id| *id == chosen).copied().unwrap_or(first))
    }
}
