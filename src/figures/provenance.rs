//! Where a chart's numbers are from, said on the chart.

use crate::data::Protocol;
use crate::plot::Chart;

/// The [`Chart::note`] of everything that is drawn from generated data.
pub const SYNTHETIC: &str = "Synthetic data";

/// What a chart says of the data and the tests that its numbers are from.
pub trait Provenance {
    /// Notes that the data are generated, where they are.
    #[must_use]
    fn synthetic(self, synthetic: bool) -> Self;

    /// Says in the title by which protocol the tests were made, where it is not the usual one.
    #[must_use]
    fn under(self, protocol: Protocol) -> Self;
}

impl Provenance for Chart {
    fn synthetic(mut self, synthetic: bool) -> Self {
        self.note = synthetic.then(|| SYNTHETIC.to_owned());
        self
    }

    fn under(mut self, protocol: Protocol) -> Self {
        if protocol != Protocol::default() {
            self.title.push_str(&format!(", {}", protocol.key()));
        }
        self
    }
}
