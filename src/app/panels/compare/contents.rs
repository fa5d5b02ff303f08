//! What the comparison's table is drawn from.

use super::lines::Lines;
use crate::results::comparison::Judged;

/// What the table is drawn from.
pub(super) struct TableContents<'a> {
    pub(super) lines: &'a Lines,
    pub(super) baseline: usize,
    /// The metric that gains are of, then the others that are shown.
    pub(super) metrics: &'a [String],
    /// Keys of the continual measures that are shown, of the first metric.
    pub(super) continual: &'a [&'static str],
    /// By line; none while they are being computed.
    pub(super) judged: Option<&'a [Judged]>,
    /// Whether a line is to be listed, by index.
    pub(super) wanted: &'a dyn Fn(usize) -> bool,
}
