//! The geometry of a run's adapters.

use std::sync::Arc;

use super::{Query, QueryContext, RunStamp};
use crate::analysis::clients::ClientOverlaps;
use crate::analysis::subspace_report::{
    Directions, ModuleDirections, Source, SubspaceReport, directions, module_directions, subspace_report,
};
use crate::error::InputError;
use crate::figures::directions::LEADING;
use crate::figures::rounds::stages_of;
use crate::figures::weights::update;
use crate::method::gradient_surgery::Meeting;
use crate::render::Field;
use crate::run::federation::Round;
use crate::subspace::Side;
use crate::train::rank_search::RankRecord;
use crate::train::stage_artifacts::read_meetings;

/// What moved in a run's adapters.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct AdapterMovement {
    pub(crate) run: RunStamp,
}

impl Query for AdapterMovement {
    type Answer = SubspaceReport;

    fn follows(&self, earlier: &Self) -> bool {
        self.run.follows(&earlier.run)
    }

    fn answer(&self, context: &QueryContext<'_>) -> Result<Option<SubspaceReport>, InputError> {
        subspace_report(&self.run.open()?, context.job.cancelled())
    }
}

/// How a stage's first gradient met the last stage's movement (stage from 1); empty where it started without surgery.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Conflicts {
    pub(crate) run: RunStamp,
    pub(crate) stage: usize,
}

impl Query for Conflicts {
    type Answer = Vec<Meeting>;

    fn follows(&self, earlier: &Self) -> bool {
        self.stage == earlier.stage && self.run.follows(&earlier.run)
    }

    fn answer(&self, _: &QueryContext<'_>) -> Result<Option<Vec<Meeting>>, InputError> {
        read_meetings(&self.run.open()?, self.stage).map(|meetings| Some(meetings.unwrap_or_default()))
    }
}

/// How much the changes of clients and server have in common in a stage's last round.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ClientDirections {
    pub(crate) run: RunStamp,
    /// From 1.
    pub(crate) stage: usize,
    pub(crate) side: Side,
}

impl Query for ClientDirections {
    /// None of a stage that no clients trained.
    type Answer = Option<ClientOverlaps>;

    fn answer(&self, _: &QueryContext<'_>) -> Result<Option<Self::Answer>, InputError> {
        ClientOverlaps::of_stage(&self.run.open()?, self.stage, self.side).map(Some)
    }
}

/// The stages of a run that clients trained, with their rounds.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Rounds {
    pub(crate) run: RunStamp,
}

impl Query for Rounds {
    type Answer = Vec<(usize, Vec<Round>)>;

    fn follows(&self, earlier: &Self) -> bool {
        self.run.follows(&earlier.run)
    }

    fn answer(&self, _: &QueryContext<'_>) -> Result<Option<Self::Answer>, InputError> {
        stages_of(&self.run.open()?).map(Some)
    }
}

/// The directions of one module in every stage.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct DirectionsByStage {
    pub(crate) run: RunStamp,
    pub(crate) module: String,
}

impl Query for DirectionsByStage {
    type Answer = ModuleDirections;

    fn follows(&self, earlier: &Self) -> bool {
        self.module == earlier.module && self.run.follows(&earlier.run)
    }

    fn answer(&self, _: &QueryContext<'_>) -> Result<Option<ModuleDirections>, InputError> {
        module_directions(&self.run.open()?, &self.module).map(Some)
    }
}

/// The leading directions of a module after stages of runs, in one space of three dimensions.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct LeadingDirections {
    /// Runs, each with a stage (from 1).
    pub(crate) of: Vec<(RunStamp, usize)>,
    pub(crate) module: String,
    pub(crate) side: Side,
}

impl Query for LeadingDirections {
    type Answer = Directions;

    fn answer(&self, context: &QueryContext<'_>) -> Result<Option<Directions>, InputError> {
        let runs = self.of.iter().map(|(run, _)| run.open()).collect::<Result<Vec<_>, _>>()?;
        let sources = runs.iter().zip(&self.of).map(|(run, (_, stage))| Source { run, stage: *stage });
        let sources: Vec<Source<'_>> = sources.collect();
        directions(&sources, std::slice::from_ref(&self.module), self.side, LEADING, context.job.cancelled())
    }
}

/// The whole update of a module after a stage; the difference to the one after an earlier stage, if there is one.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct WeightUpdate {
    pub(crate) run: RunStamp,
    pub(crate) module: String,
    pub(crate) stage: usize,
    pub(crate) since: Option<usize>,
}

impl Query for WeightUpdate {
    type Answer = Arc<Field>;

    fn answer(&self, _: &QueryContext<'_>) -> Result<Option<Arc<Field>>, InputError> {
        update(&self.run.open()?, &self.module, self.stage, self.since).map(Some)
    }
}

/// What the search for ranks of a run's stage 1 measured; none where its modules were given the same rank.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RankSearchOf {
    pub(crate) run: RunStamp,
}

impl Query for RankSearchOf {
    type Answer = Option<RankRecord>;

    fn follows(&self, earlier: &Self) -> bool {
        self.run.follows(&earlier.run)
    }

    fn answer(&self, _: &QueryContext<'_>) -> Result<Option<Self::Answer>, InputError> {
        RankRecord::read(&self.run.open()?.adapter(1)).map(Some)
    }
}
