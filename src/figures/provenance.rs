//! Where a chart's numbers are from, said on the chart.

use crate::data::Protocol;
use crate::plot::{Body, Chart};
use crate::results::seeds::SeedBasis;

/// The [`Chart::note`] of everything that is drawn from generated data.
pub const SYNTHETIC: &str = "Synthetic data";

/// What a chart says of the data and the tests that its numbers are from.
pub trait Provenance {
    /// Notes that the data are generated, where they are.
    #[must_use]
    fn synthetic(self, synthetic: bool) -> Self;

    /// Says in the caption what seeds its means are over, where that needs words.
    #[must_use]
    fn over(self, seeds: &SeedBasis) -> Self;

    /// Says by which protocol the tests were made: in every file, and in the title where it is not the usual one.
    #[must_use]
    fn under(self, protocol: Protocol) -> Self;
}

impl Provenance for Chart {
    fn synthetic(mut self, synthetic: bool) -> Self {
        self.note = synthetic.then(|| SYNTHETIC.to_owned());
        self
    }

    fn over(mut self, seeds: &SeedBasis) -> Self {
        let drawn = !matches!(self.body, Body::Empty(_));
        if let Some(words) = seeds.words().filter(|_| drawn) {
            self.caption = Some(self.caption.map_or_else(|| words.clone(), |caption| format!("{caption}. {words}")));
        }
        self
    }

    fn under(mut self, protocol: Protocol) -> Self {
        if protocol != Protocol::default() {
            self.title.push_str(&format!(", {}", protocol.key()));
        }
        self.of("protocol", protocol.key())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::{Axis, Body, Lines, Point, Series, SeriesStyle, table};

    #[test]
    fn a_file_names_the_protocol_and_an_unusual_one_is_in_the_title_too() {
        let series =
            vec![Series { name: "PESO".to_owned(), points: vec![Point::new(1.0, 0.5)], style: SeriesStyle::method(0) }];
        let lines = Lines { x: Axis::whole("Stage"), y: Axis::new("Hit@10"), series, boundaries: Vec::new() };
        let chart = Chart::new("Hit@10 by stage", Body::Lines(lines));
        let usual = chart.clone().under(Protocol::SameBlock);
        assert_eq!(usual.title, "Hit@10 by stage");
        assert_eq!(table::csv(&usual), "protocol,series,Stage,Hit@10,note\nsame-block,PESO,1,0.5,\n");
        let other = chart.under(Protocol::NextBlock);
        assert_eq!(other.title, "Hit@10 by stage, next-block");
        assert!(table::csv(&other).contains("\nnext-block,PESO,1,0.5,"));
    }
}
