//! What figures can be asked for with.

/// An option that a figure may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FigureOption {
    Metric,
    Module,
}

/// What figures are asked for with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FigureOptions {
    /// `ndcg@10_corrected`.
    pub metric: String,
    /// The end of a module's name; the one with the largest update where there is none.
    pub module: Option<String>,
    /// Id of the only run, or name of the only experiment, of figures that are one a run.
    pub run: Option<String>,
    /// Whether drift by stage has the moves of adapters beside it, for which every adapter of every run is read.
    pub adapter_moves: bool,
}
