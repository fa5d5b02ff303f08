//! A rank for each module: parts of one trained adapter by their validation loss, and what the base model's weights propose.

pub mod pareto;
pub mod record;
pub mod search;

use std::collections::BTreeMap;
use std::time::Instant;

use burn::tensor::Tensor;

pub use self::record::{Candidate, ModuleRecord, RANK_SEARCH_FILE, RankRecord};

use self::search::Search;
use super::Task;
use super::stage_data::StageData;
use super::trainer::mean_loss;
use crate::error::RunError;
use crate::linalg::{self, svd};
use crate::model::adapter::Matrix;
use crate::model::backend::TrainingBackend;
use crate::model::config::PROJECTIONS;
use crate::model::kernels::plain::float32;
use crate::model::ranks::{Configuration, RankSpace};
use crate::model::{Llama, LoraShape, RankSearch};
use crate::run::observer::{Control, Level, Observer, Phase, Progress};
use crate::subspace::noise::signal_rank;
use crate::{peak_memory, seeds};

/// Rows and columns of a weight that its spectrum is taken of; of larger ones every so manieth.
const SIDE: usize = 1024;

/// The search of a task: its ranks and what the base model's weights propose.
pub struct RankChoice {
    pub space: RankSpace,
    lora: LoraShape,
    /// By module, in the space's order: directions of its weight that are more than noise.
    signals: Vec<usize>,
    pub proposal: Configuration,
}

impl RankChoice {
    /// What the task has to choose; none where every module has the same rank.
    pub fn of<B: TrainingBackend>(task: &Task<'_>, model: &Llama<B>) -> Option<Self> {
        let lora = task.project.training.lora;
        if lora.search == RankSearch::Off {
            return None;
        }
        let space = RankSpace::of(&task.llama, lora);
        let signals = signals(model, &space);
        let proposal = proposed(&space, &signals, lora.budget);
        Some(Self { space, lora, signals, proposal })
    }

    /// Measures parts of the model's adapter on the stage's validation users, and chooses the one of least loss within the budget.
    /// It follows from model, data and seed, so that a run that was cut off finds the same.
    ///
    /// # Errors
    /// The user stops; the observer's.
    pub fn choose<B: TrainingBackend>(
        &self,
        task: &Task<'_>,
        model: &Llama<B>,
        data: &StageData,
        seed: u64,
        observer: &mut dyn Observer,
    ) -> Result<RankRecord, RunError> {
        let began = Instant::now();
        let model: Llama<B::InnerBackend> = model.clone().map(&|t: Tensor<B, 2>| t.inner());
        let (space, lora) = (&self.space, self.lora);
        let limit = if lora.search.is_measured() { lora.candidates.max(space.rungs.len() + 1) } else { 1 };
        let targets: usize = data.validation.iter().map(|sequence| sequence.branches.len()).sum();
        let mut done = 0;
        let mut evaluate = |configuration: &[usize]| -> Result<f64, RunError> {
            if observer.control() == Control::Stop {
                return Err(RunError::Stopped);
            }
            let part = model.clone().cut(&space.ranks(configuration));
            let loss = mean_loss(&part, &data.validation, task.project.training.temperature);
            done += 1;
            // In targets, as whoever tells how long the rest of the run takes wants it.
            let seconds = began.elapsed().as_secs_f64().max(1e-9) / done as f64;
            observer.progress(&Progress {
                phase: Phase::Train,
                stage: 1,
                stages: task.dataset.stages.len(),
                done: done as u64,
                total: limit as u64,
                rate: targets as f64 / seconds,
                eta_seconds: Some((limit - done.min(limit)) as f64 * seconds),
                memory_bytes: peak_memory::peak_bytes(),
            })?;
            Ok(loss)
        };
        let mut search = Search::new(space, limit, &mut evaluate);
        search.loss(&self.proposal)?;
        if lora.search.is_measured() {
            for rung in 0..space.rungs.len() {
                search.loss(&space.uniform(rung))?;
            }
        }
        match lora.search {
            RankSearch::Greedy => search.greedy()?,
            RankSearch::Evolution => search.evolution(seeds::derive(seed, &["rank search"]))?,
            RankSearch::Off | RankSearch::Spectrum => {}
        }
        let measured = search.measured();
        let record = self.record(&measured, targets);
        let chosen = &record.candidates[record.chosen];
        let words = format!(
            "stage 1: ranks for {} of {} modules, {} of {} parameters, validation loss {:.4}, out of {} adapters in {:.1} s",
            chosen.ranks.iter().filter(|rank| **rank > 0).count(),
            chosen.ranks.len(),
            chosen.parameters,
            record.whole,
            chosen.loss,
            record.candidates.len(),
            began.elapsed().as_secs_f64(),
        );
        observer.event(Level::Info, &words)?;
        Ok(record)
    }

    fn record(&self, measured: &[(Configuration, f64)], targets: usize) -> RankRecord {
        let space = &self.space;
        let whole = space.whole();
        let candidate = |(configuration, loss): &(Configuration, f64)| Candidate {
            ranks: configuration.iter().map(|&rung| space.rungs[rung]).collect(),
            parameters: space.parameters(configuration),
            loss: *loss,
        };
        let candidates: Vec<Candidate> = measured.iter().map(candidate).collect();
        let fits = |candidate: &Candidate| {
            candidate.parameters > 0 && candidate.parameters as f64 <= self.lora.budget * whole as f64
        };
        let cost = |index: &usize| (candidates[*index].loss, candidates[*index].parameters);
        let chosen = (0..candidates.len()).filter(|&index| fits(&candidates[index])).min_by(|one, other| {
            let ((loss, parameters), (other_loss, other_parameters)) = (cost(one), cost(other));
            loss.total_cmp(&other_loss).then(parameters.cmp(&other_parameters))
        });
        let alike = |ranks: &[usize]| ranks.iter().all(|rank| Some(rank) == ranks.first());
        RankRecord {
            search: self.lora.search,
            budget: self.lora.budget,
            whole,
            modules: space
                .modules
                .iter()
                .zip(&self.signals)
                .map(|(site, &signal)| ModuleRecord { name: site.name.clone(), signal })
                .collect(),
            // The proposal is measured first, and lies within the budget.
            chosen: chosen.unwrap_or(0),
            proposal: 0,
            uniform: (0..candidates.len()).filter(|&index| alike(&candidates[index].ranks)).collect(),
            candidates,
            targets,
        }
    }
}

/// The directions of each module's weight that are more than noise.
fn signals<B: TrainingBackend>(model: &Llama<B>, space: &RankSpace) -> Vec<usize> {
    let mut by_name = BTreeMap::new();
    for (i, layer) in model.layers.iter().enumerate() {
        for (linear, projection) in layer.projections().into_iter().zip(PROJECTIONS) {
            let weight = thinned(&Matrix::from_tensor(float32(linear.weight.clone().inner())));
            let values = svd(linalg::from_rows(weight.rows, weight.columns, &weight.values).as_ref()).values;
            let signal = signal_rank(&values, [weight.rows, weight.columns]);
            by_name.insert(format!("model.layers.{i}.{projection}"), signal);
        }
    }
    space.modules.iter().map(|site| by_name.get(&site.name).copied().unwrap_or(0)).collect()
}

/// At most [`SIDE`] rows and columns, evenly over the matrix.
fn thinned(matrix: &Matrix) -> Matrix {
    let kept = |count: usize| -> Vec<usize> {
        let side = count.min(SIDE);
        (0..side).map(|index| index * count / side).collect()
    };
    let (rows, columns) = (kept(matrix.rows), kept(matrix.columns));
    let row = |row: &usize| {
        let start = row * matrix.columns;
        columns.iter().map(move |column| matrix.values[start + column]).collect::<Vec<_>>()
    };
    Matrix { rows: rows.len(), columns: columns.len(), values: rows.iter().flat_map(row).collect() }
}

/// Ranks in proportion to the modules' signals, as high as the budget allows: of one factor on all signals, the largest under which
/// the adapter is within it, each module with the largest rank that it reaches. Where there is no signal at all they are alike.
fn proposed(space: &RankSpace, signals: &[usize], budget: f64) -> Configuration {
    let silent = signals.iter().all(|signal| *signal == 0);
    let mut reached: Vec<(f64, usize, usize)> = Vec::new();
    for (module, &signal) in signals.iter().enumerate().filter(|(_, signal)| silent || **signal > 0) {
        for rung in 1..space.rungs.len() {
            reached.push((space.rungs[rung] as f64 / signal.max(1) as f64, rung, module));
        }
    }
    reached.sort_by(|one, other| one.0.total_cmp(&other.0));
    let mut configuration = space.uniform(0);
    // What is reached at the same factor is taken together.
    for together in reached.chunk_by(|one, other| one.0 == other.0) {
        let mut next = configuration.clone();
        for &(_, rung, module) in together {
            next[module] = next[module].max(rung);
        }
        if space.parameters(&next) as f64 > budget * space.whole() as f64 {
            break;
        }
        configuration = next;
    }
    configuration
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ranks::tests::space;

    #[test]
    fn a_proposal_follows_the_signals_up_to_the_budget() {
        let mut space = space(4, &[0, 2, 4, 8]);
        space.modules.iter_mut().for_each(|site| site.width = 10);
        let parameters = |configuration: &[usize]| space.parameters(configuration) as f64 / space.whole() as f64;
        // 8 : 4 : 2 : 0 ranks at a factor of 1 are 14 of 32.
        let found = proposed(&space, &[8, 4, 2, 0], 0.5);
        assert_eq!(found, [3, 2, 1, 0]);
        assert!(parameters(&found) <= 0.5);
        assert_eq!(proposed(&space, &[8, 4, 2, 0], 0.25), [2, 1, 0, 0], "half the factor");
        assert_eq!(proposed(&space, &[80, 40, 20, 0], 0.5), found, "how strong they are together does not count");
        assert_eq!(proposed(&space, &[0, 0, 0, 0], 0.25), [1, 1, 1, 1], "nothing but noise");
        assert_eq!(proposed(&space, &[3, 3, 3, 3], 1.0), [3, 3, 3, 3]);
    }

    #[test]
    fn a_large_matrix_is_thinned_evenly() {
        let matrix = Matrix { rows: 2, columns: 3000, values: (0..6000).map(|value| value as f32).collect() };
        let thin = thinned(&matrix);
        assert_eq!((thin.rows, thin.columns), (2, SIDE));
        assert_eq!((thin.values[0], thin.values[1], thin.values[SIDE]), (0.0, 2.0, 3000.0));
        assert_eq!(thinned(&thin), thin);
    }

    #[test]
    fn the_chosen_one_has_the_least_loss_within_the_budget() {
        let mut space = space(2, &[0, 2, 4]);
        space.modules.iter_mut().for_each(|site| site.width = 10);
        let lora = LoraShape { search: RankSearch::Evolution, budget: 0.5, ..LoraShape::of(4, 8.0) };
        let choice = RankChoice { signals: vec![1, 2], proposal: vec![0, 1], lora, space };
        let measured = vec![
            (vec![0, 1], 3.0),
            (vec![0, 0], 0.5), // No adapter is no choice.
            (vec![1, 1], 2.0),
            (vec![2, 0], 2.0),
            (vec![1, 0], 2.0),
            (vec![2, 2], 1.0), // Beyond the budget.
        ];
        let record = choice.record(&measured, 7);
        assert_eq!(record.chosen, 4, "of equal losses the one of fewer parameters");
        assert_eq!(record.configuration(&choice.space), [1, 0]);
        assert_eq!((record.whole, record.uniform.clone()), (80, vec![1, 2, 5]));
        assert_eq!(record.front(), [1], "no adapter at all is best here, and cheapest");
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(RankRecord::read(folder.path()).unwrap(), None);
        record.write(folder.path()).unwrap();
        assert_eq!(RankRecord::read(folder.path()).unwrap(), Some(record.clone()));
        RankRecord { chosen: 6, ..record }.write(folder.path()).unwrap();
        assert!(RankRecord::read(folder.path()).unwrap_err().to_string().contains("missing"));
    }
}
