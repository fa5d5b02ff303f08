//! Ways to update the tokenizer side by side, over the stages of a project's data. Nothing is written.

use serde::Serialize;

use super::Watcher;
use super::vectors::{Catalogue, Fitted, Reading, Wanted, rows};
use crate::data::Protocol;
use crate::device::DeviceChoice;
use crate::error::{InputError, RunError};
use crate::id_training::checkpoint::Checkpoint;
use crate::id_training::observer::{Observer, Step};
use crate::id_training::updates::{Comparison, Known, Pair, StageFigures};
use crate::id_training::{TrainIds, TrainedOn, VectorSource};
use crate::project::{Project, SemanticIds};

/// What each way to update ids comes to, stage by stage.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct IdUpdates {
    /// Whose tests the count models are asked.
    pub protocol: Protocol,
    /// Items of stage 1, whose ids all ways begin with.
    pub items: usize,
    /// Stages from 2 on.
    pub stages: Vec<StageFigures>,
}

impl Project {
    /// Compares ways to update the tokenizer, each from the same ids of stage 1; none where the project takes ids from elsewhere. What a
    /// stage's ids see is the items and the training interactions of that stage and those before.
    ///
    /// # Errors
    /// The data or vectors cannot be used; there is one stage alone; [`RunError::Stopped`] where `watcher` wanted that.
    pub fn compare_id_updates(
        &self,
        device: DeviceChoice,
        watcher: &mut dyn Watcher,
    ) -> Result<Option<IdUpdates>, RunError> {
        let SemanticIds::Train(options) = &self.semantic_ids else { return Ok(None) };
        let protocol = self.evaluation.protocol.first();
        let of_interactions = |source: &VectorSource| matches!(source, VectorSource::Interactions(_));
        if protocol == Protocol::NextBlock && options.source.each().into_iter().any(of_interactions) {
            let problem = "ids of interactions know those of their stage, which the next-block protocol tests";
            return Err(InputError::new(&self.folder, problem)
                .at("semantic_ids.source")
                .advice("measure `protocol: SameBlock`, or make ids of texts or vectors, `source: Words(256)`")
                .into());
        }
        let catalogue = self.catalogue(watcher)?;
        let stages = catalogue.stages.len();
        if stages < 2 {
            return Err(InputError::new(&self.folder, "the data have one stage, after which no ids are updated")
                .advice("cut them into more with `stages` in `prepare`")
                .into());
        }
        let order: Vec<usize> = catalogue
            .by_stage((0..catalogue.items.len()).collect())
            .into_iter()
            .filter_map(|(stage, items)| stage.map(|_| items))
            .flatten()
            .collect();
        let known = |stage: usize| {
            let count =
                order.iter().take_while(|&&item| catalogue.first_stage[item].is_some_and(|first| first <= stage));
            &order[..count.count()]
        };
        let trained = known(0);
        if trained.is_empty() {
            return Err(InputError::new(&self.folder, "no item occurs in stage 1, which the ids are trained on").into());
        }
        let mut listener = Listener(watcher);
        let reading = &mut Reading { device, observer: &mut listener };
        let options = &TrainIds { on: TrainedOn::All, ..options.clone() };
        let first = catalogue.until(0).fit(self, options, trained, reading)?;
        let Fitted { vectors, statistics } = first.ok_or(RunError::Stopped)?;
        let comparison = Comparison::begin(options, vectors, reading.observer)?;
        let mut comparison = comparison.ok_or(RunError::Stopped)?;
        let first_rows = rows(trained, catalogue.items.len());
        let mut found = Vec::with_capacity(stages - 1);
        for stage in 1..stages {
            let items = known(stage);
            let then = catalogue.until(stage);
            let wanted = Wanted { items, on: options.on, row_of: &|item| first_rows[item] };
            let placed = then.vectors(self, (&options.source, &statistics), &wanted, reading)?;
            let anew = then.fit(self, options, items, reading)?.ok_or(RunError::Stopped)?.vectors;
            let pairs = Pairs { catalogue: &catalogue, rows: rows(items, catalogue.items.len()) };
            let known = Known {
                placed: placed.ok_or(RunError::Stopped)?,
                anew,
                categories: catalogue.categories(items),
                pairs: pairs.trained_before(stage),
                tests: pairs.tests(stage, protocol),
            };
            found.push(comparison.update(&known, reading.observer)?.ok_or(RunError::Stopped)?);
        }
        Ok(Some(IdUpdates { protocol, items: trained.len(), stages: found }))
    }
}

/// Which item followed which, as rows of the items that are known.
struct Pairs<'c> {
    catalogue: &'c Catalogue,
    rows: Vec<Option<usize>>,
}

impl Pairs<'_> {
    fn pair(&self, last: u32, next: u32) -> Option<Pair> {
        Some(Pair { last: self.rows[last as usize]?, next: self.rows[next as usize]? })
    }

    /// The training targets of the stages before one (from 0), with the item before each.
    fn trained_before(&self, stage: usize) -> Vec<Pair> {
        let sequences = self.catalogue.stages[..stage].iter().flat_map(|stage| &stage.sequences);
        let of_user = |sequence: &crate::data::Sequence| {
            let targets = sequence.training_targets().filter(|&at| at > 0);
            targets.filter_map(|at| self.pair(sequence.items[at - 1], sequence.items[at])).collect::<Vec<_>>()
        };
        sequences.flat_map(of_user).collect()
    }

    fn tests(&self, stage: usize, protocol: Protocol) -> Vec<Pair> {
        let tests = protocol.tests(&self.catalogue.stages[stage]);
        tests.filter_map(|test| self.pair(*test.history.last()?, test.target)).collect()
    }
}

/// Tells the watcher, and keeps nothing.
pub(super) struct Listener<'a>(pub &'a mut dyn Watcher);

impl Observer for Listener<'_> {
    fn hear(&mut self, step: &Step) {
        // Levels of so many trainings would say little.
        if !matches!(step, Step::Level { .. }) {
            self.0.step(step);
        }
    }

    fn stopped(&mut self) -> bool {
        self.0.interrupted()
    }

    fn due(&mut self) -> bool {
        false
    }

    fn keep(&mut self, _: &Checkpoint) -> Result<(), InputError> {
        Ok(())
    }
}
