//! What figures can be asked for with.

/// An option that a figure may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FigureOption {
    Metric,
    Module,
    Baseline,
    Stage,
}
