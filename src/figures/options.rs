//! What figures can be asked for with.

/// An option that a figure may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FigureOption {
    Metric,
    Module,
    Baseline,
    Stage,
}

/// What figures are asked for with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FigureOptions {
    /// `ndcg@10_corrected`.
    pub metric: String,
    /// The end of a module's name; the one with the largest update where there is none.
    pub module: Option<String>,
    /// Name of the line that gains are over; the usual one where there is none.
    pub baseline: Option<String>,
    /// The only stage, from 1, of figures that can be of one.
    pub stage: Option<usize>,
    /// Id of the only run, or name of the only experiment, of figures that are one a run.
    pub run: Option<String>,
    /// Whether drift by stage has the moves of adapters beside it, for which every adapter of every run is read.
    pub adapter_moves: bool,
}
