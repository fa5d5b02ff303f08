//! How time and memory grow with what is worked on: costs at several sizes, each measured in a process of its own so that none
//! has the memory of another, and a power law through them.

mod chart;
mod index;
mod learning;
mod many;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::device::DeviceChoice;
use crate::error::RunError;
use crate::measure::statistics::{PowerLaw, quantile};
use crate::peak_memory;

pub use self::chart::chart;

/// What grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Axis {
    /// Training examples of an epoch.
    Examples,
    /// Test users of an evaluation.
    Users,
    /// Items of the catalogue, whose ids are simulated.
    Items,
    /// Stages of a whole run.
    Stages,
    /// Finished runs of a project.
    Runs,
}

impl Axis {
    pub const ALL: [Self; 5] = [Self::Examples, Self::Users, Self::Items, Self::Stages, Self::Runs];

    /// Its name on the command line.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Examples => "examples",
            Self::Users => "users",
            Self::Items => "items",
            Self::Stages => "stages",
            Self::Runs => "runs",
        }
    }

    /// Its name on a chart.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Examples => "Training examples",
            Self::Users => "Test users",
            Self::Items => "Items",
            Self::Stages => "Stages",
            Self::Runs => "Finished runs",
        }
    }

    /// The sizes that are measured where none are named; `quick` ones only show that all works.
    pub const fn sizes(self, quick: bool) -> &'static [usize] {
        match (self, quick) {
            (Self::Examples, false) => &[500, 1_000, 2_000, 4_000, 8_000],
            (Self::Examples, true) => &[40, 80, 160],
            (Self::Users, false) => &[100, 200, 400, 800, 1_600],
            (Self::Users, true) => &[10, 20, 40],
            (Self::Items, false) => &[10_000, 30_000, 100_000, 300_000, 1_000_000],
            (Self::Items, true) => &[500, 1_000, 2_000],
            (Self::Stages, false) => &[2, 4, 8, 16],
            (Self::Stages, true) => &[2, 3],
            (Self::Runs, false) => &[10, 30, 100, 300],
            (Self::Runs, true) => &[2, 4, 8],
        }
    }

    /// Smallest and largest size that can be asked for.
    pub const fn bounds(self) -> [usize; 2] {
        match self {
            Self::Examples => [1, 1_000_000],
            Self::Users => [1, 100_000],
            Self::Items => [100, 20_000_000],
            Self::Stages => [2, 40],
            Self::Runs => [2, 5_000],
        }
    }
}

impl FromStr for Axis {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let named = Self::ALL.into_iter().find(|axis| axis.key() == text);
        named.ok_or_else(|| format!("expected one of {} or all", Self::ALL.map(Self::key).join(", ")))
    }
}

/// Costs by name: seconds where it ends in `_seconds`, bytes where it ends in `_bytes`.
pub type Costs = BTreeMap<String, f64>;

/// What is measured with.
#[derive(Debug, Clone, Copy)]
pub struct Bench<'a> {
    pub device: DeviceChoice,
    /// The program, which trains whole runs.
    pub peso: &'a Path,
    /// Folder for projects, which is made and not there before; whoever asks removes it.
    pub work: &'a Path,
}

impl Bench<'_> {
    /// Measures one size in this process.
    ///
    /// # Errors
    /// The device cannot be used, or a file cannot be written.
    pub fn measure(&self, axis: Axis, size: usize) -> Result<Costs, RunError> {
        match axis {
            Axis::Examples => learning::examples(size, self.device),
            Axis::Users => learning::users(size, self.device),
            Axis::Items => index::items(size, self.device),
            Axis::Stages => many::stages(size, *self),
            Axis::Runs => many::runs(size, self.work),
        }
    }
}

/// What was measured along an axis.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Growth {
    /// Costs by size: the median of those that were measured more than once.
    pub measured: BTreeMap<usize, Costs>,
    /// The law of each cost that was measured at every size and is above 0 there.
    pub laws: BTreeMap<String, PowerLaw>,
}

impl Growth {
    /// The laws of what was measured.
    pub fn of(measured: BTreeMap<usize, Costs>) -> Self {
        let names: BTreeSet<&String> = measured.values().flat_map(Costs::keys).collect();
        let law = |name: &String| {
            let points = measured.iter().map(|(size, costs)| Some((*size as f64, *costs.get(name)?)));
            Some((name.clone(), PowerLaw::fit(&points.collect::<Option<Vec<_>>>()?)?))
        };
        let laws = names.into_iter().filter_map(law).collect();
        Self { measured, laws }
    }
}

/// The median of each cost over several measurements of one size.
pub fn medians(repeats: &[Costs]) -> Costs {
    let names: BTreeSet<&String> = repeats.iter().flat_map(Costs::keys).collect();
    let median = |name: &String| {
        let mut values: Vec<f64> = repeats.iter().filter_map(|costs| costs.get(name).copied()).collect();
        values.sort_by(f64::total_cmp);
        quantile(&values, 0.5)
    };
    names.into_iter().map(|name| (name.clone(), median(name))).collect()
}

/// Costs of these names and values.
fn costs<const N: usize>(named: [(&str, f64); N]) -> Costs {
    named.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// With the memory beyond the peak that the process had before, where it took more and the system tells.
fn with_memory(mut costs: Costs, before: u64) -> Costs {
    let added = peak_memory::peak_bytes().saturating_sub(before);
    if added > 0 {
        costs.insert("memory_bytes".to_owned(), added as f64);
    }
    costs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_are_of_each_cost_by_itself() {
        let repeats = [[3.0, 10.0], [1.0, 30.0], [2.0, 20.0]].map(|[a, b]| costs([("a_seconds", a), ("b_bytes", b)]));
        assert_eq!(medians(&repeats), costs([("a_seconds", 2.0), ("b_bytes", 20.0)]));
    }

    #[test]
    fn every_cost_that_grows_by_a_law_has_one() {
        let at = |size: usize| costs([("a_seconds", 0.1 * size as f64), ("b_bytes", 0.0)]);
        let growth = Growth::of([10, 20, 40].map(|size| (size, at(size))).into());
        assert_eq!(growth.laws.len(), 1, "nothing grows from 0");
        assert!((growth.laws["a_seconds"].exponent - 1.0).abs() < 1e-12);
        let mut measured = growth.measured;
        measured.get_mut(&10).unwrap().remove("a_seconds");
        assert!(Growth::of(measured).laws.is_empty(), "the smallest size lacks it, which the chart begins at");
    }

    #[test]
    fn sizes_are_within_their_bounds_and_rise() {
        for axis in Axis::ALL {
            assert_eq!(axis.key().parse(), Ok(axis));
            for quick in [false, true] {
                let ([least, most], sizes) = (axis.bounds(), axis.sizes(quick));
                assert!(sizes.is_sorted_by(|one, next| one < next), "{axis:?}");
                assert!(sizes.iter().all(|size| (least..=most).contains(size)), "{axis:?}");
            }
        }
        assert!("everything".parse::<Axis>().unwrap_err().contains("examples, users"));
    }
}
