//! InfLoRA: only B is trained; A spans directions that the stage's inputs use and earlier stages' did not.
//!
//! Before a stage, A is made of the leading directions of the second moment of the module's inputs, projected away from
//! what earlier stages used (or onto what they left), divided by √3 as the published code has it. After it, the memory
//! of what is used grows by DualGPM: of the used space and its complement, the smaller is kept.
//!
//! Source: InfLoRA (CVPR 2024), arXiv 2404.00228, and its code; DualGPM: Liang & Li, arXiv 2307.06680. Modules that
//! read the same input share a memory and an A.

use faer::{Mat, MatRef};
use serde::{Deserialize, Serialize};

use super::plan::{Ended, Matrices, StatisticsRequest};
use super::sum_lora::{INHERIT, PAST};
use super::{AdapterMethod, Card, Family, Method, Part, Past, Plan, Stage};
use crate::linalg::{self, svd};
use crate::model::adapter::Matrix;
use crate::model::llama::input_site;
use crate::schema::{Field, Kind};

pub const CARD: Card = Card {
    key: "inf_lora",
    name: "InfLoRA",
    sentence: "Only B is trained, on inputs' directions that earlier stages did not use; past adapters are added",
    formula: "W + α/r · (B·A + Σ B′·A′),  A = leading directions of E[x·x^T] outside the memory, / √3",
    source: "InfLoRA, arXiv 2404.00228, with DualGPM, arXiv 2307.06680",
    family: Family::AddedAdapters,
    fields: &[
        PAST,
        INHERIT,
        Field {
            path: "lamb",
            label: "Threshold, first",
            help: "Share of the inputs' energy that counts as used after stage 1",
            kind: Kind::Number { min: 0.0, max: 1.0 },
        },
        Field {
            path: "lame",
            label: "Threshold, last",
            help: "The same after the last stage; it grows in between",
            kind: Kind::Number { min: 0.0, max: 1.0 },
        },
        Field {
            path: "examples",
            label: "Examples",
            help: "Examples whose inputs are looked at",
            kind: Kind::Whole { min: 1, max: 1_000_000 },
        },
    ],
};

/// Options of InfLoRA.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct InfLora {
    /// Which past adapters the forward pass adds.
    pub past: Past,
    /// Whether B starts from the previous stage's, else from zero. A is always made anew.
    pub inherit: bool,
    /// The threshold `(lame - lamb) t / T + lamb` after `t` of `T` stages.
    pub lamb: f64,
    pub lame: f64,
    /// Examples whose inputs are looked at.
    pub examples: usize,
}

impl Default for InfLora {
    fn default() -> Self {
        Self { past: Past::All, inherit: false, lamb: 0.95, lame: 1.0, examples: 256 }
    }
}

impl Method for InfLora {
    fn card(&self) -> &'static Card {
        &CARD
    }

    fn adapter_method(&self) -> Option<&dyn AdapterMethod> {
        Some(self)
    }
}

impl AdapterMethod for InfLora {
    fn statistics_before(&self) -> Option<StatisticsRequest> {
        Some(StatisticsRequest::Inputs { examples: self.examples })
    }

    fn statistics_after(&self) -> Option<StatisticsRequest> {
        Some(StatisticsRequest::Inputs { examples: self.examples })
    }

    fn remember(&self, ended: Ended<'_>) -> Matrices {
        let done = (ended.number - 1) as f64 / ended.of as f64;
        let threshold = (self.lame - self.lamb) * done + self.lamb;
        let memory = |(site, moment): (&String, &Matrix)| {
            let before = ended.before.and_then(|before| Memory::read(before, site));
            Memory::grown(before, double(moment).as_ref(), threshold).write(site)
        };
        ended.statistics.iter().map(memory).collect()
    }

    fn plan(&self, stage: &Stage<'_>) -> Plan {
        let mut start = if self.inherit { stage.latest() } else { (stage.fresh)("adapter") };
        for (module, pair) in &mut start.modules {
            let site = input_site(module);
            let Some(moment) = stage.statistics.get(&site) else { continue };
            let memory = stage.memories.last().and_then(|memory| Memory::read(memory, &site));
            pair.a.values = linalg::to_rows(design(double(moment).as_ref(), memory.as_ref(), pair.a.rows).as_ref());
        }
        Part { added: self.past.of(stage).to_vec(), trains_a: false, ..Part::from(start) }.into()
    }

    fn trainable(&self, [_, b]: [u64; 2], rows: u64) -> u64 {
        b + rows
    }
}

/// What earlier stages used of a module's input space.
#[derive(Debug, Clone)]
pub enum Memory {
    /// Orthonormal columns that span what is used.
    Used(Mat<f64>),
    /// Orthonormal columns that span what is left.
    Left(Mat<f64>),
}

impl Memory {
    const USED: &str = ".used";
    const LEFT: &str = ".left";

    fn read(memories: &Matrices, site: &str) -> Option<Self> {
        let find = |suffix: &str| memories.get(&format!("{site}{suffix}")).map(double);
        find(Self::USED).map(Self::Used).or_else(|| find(Self::LEFT).map(Self::Left))
    }

    fn write(&self, site: &str) -> (String, Matrix) {
        let (suffix, basis) = match self {
            Self::Used(basis) => (Self::USED, basis),
            Self::Left(basis) => (Self::LEFT, basis),
        };
        let values = linalg::to_rows(basis.as_ref());
        (format!("{site}{suffix}"), Matrix { rows: basis.nrows(), columns: basis.ncols(), values })
    }

    /// The memory after a stage whose inputs have the second moment `moment` `[in, in]` (DualGPM).
    ///
    /// Of the inputs' energy (the squared singular values of `moment`, as published) at least `threshold` is used then.
    pub fn grown(before: Option<Self>, moment: MatRef<'_, f64>, threshold: f64) -> Self {
        let width = moment.nrows();
        let whole = svd(moment);
        let total = energy(&whole.values);
        match before {
            None => {
                let shares = whole.values.iter().map(|value| value * value / total);
                let below = running(shares).take_while(|sum| *sum < threshold).count();
                let kept = below.max(1);
                if 2 * below < width {
                    Self::Used(columns(&whole.u, 0, kept))
                } else {
                    Self::Left(columns(&whole.u, kept, width))
                }
            }
            Some(Self::Used(basis)) => {
                let outside = svd((moment - inside(&basis, moment)).as_ref());
                let mut covered = (total - energy(&outside.values)) / total;
                let added = count(&outside.values, |value| {
                    let wanted = covered < threshold;
                    covered += value * value / total;
                    wanted
                });
                let basis = joined(&basis, &columns(&outside.u, 0, added));
                if 2 * basis.ncols() > width { Self::Left(complement(&basis)) } else { Self::Used(basis) }
            }
            Some(Self::Left(basis)) => {
                let within = svd(inside(&basis, moment).as_ref());
                let mut uncovered = energy(&within.values) / total;
                let taken = count(&within.values, |value| {
                    let wanted = uncovered >= 1.0 - threshold;
                    uncovered -= value * value / total;
                    wanted
                })
                .min(basis.ncols());
                let used = columns(&within.u, 0, taken);
                let rest = svd((&basis - inside(&used, basis.as_ref())).as_ref());
                Self::Left(columns(&rest.u, 0, basis.ncols() - taken))
            }
        }
    }
}

/// A of `rank` rows: the leading left singular vectors of the part of `moment` that the memory does not rule out, / √3.
pub fn design(moment: MatRef<'_, f64>, memory: Option<&Memory>, rank: usize) -> Mat<f64> {
    let open = match memory {
        None => moment.to_owned(),
        Some(Memory::Used(basis)) => moment - inside(basis, moment),
        Some(Memory::Left(basis)) => inside(basis, moment),
    };
    let directions = svd(open.as_ref()).u;
    Mat::from_fn(rank, moment.nrows(), |row, column| {
        // A module narrower than the rank has no more directions.
        if row < directions.ncols() { directions[(column, row)] / 3f64.sqrt() } else { 0.0 }
    })
}

/// The part of `matrix` in the span of orthonormal columns.
fn inside(basis: &Mat<f64>, matrix: MatRef<'_, f64>) -> Mat<f64> {
    basis * (basis.transpose() * matrix)
}

fn energy(values: &[f64]) -> f64 {
    values.iter().map(|value| value * value).sum::<f64>().max(f64::MIN_POSITIVE)
}

fn running(values: impl Iterator<Item = f64>) -> impl Iterator<Item = f64> {
    values.scan(0.0, |sum, value| {
        *sum += value;
        Some(*sum)
    })
}

/// How many values from the first on are wanted.
fn count(values: &[f64], mut wanted: impl FnMut(f64) -> bool) -> usize {
    values.iter().take_while(|value| wanted(**value)).count()
}

fn columns(matrix: &Mat<f64>, from: usize, to: usize) -> Mat<f64> {
    matrix.subcols(from, to - from).to_owned()
}

fn joined(left: &Mat<f64>, right: &Mat<f64>) -> Mat<f64> {
    let width = (left.ncols() + right.ncols()).min(left.nrows());
    let first = left.ncols();
    Mat::from_fn(
        left.nrows(),
        width,
        |row, column| {
            if column < first { left[(row, column)] } else { right[(row, column - first)] }
        },
    )
}

/// Orthonormal columns that span what orthonormal columns do not.
fn complement(basis: &Mat<f64>) -> Mat<f64> {
    let width = basis.nrows();
    // The projection onto the rest has singular values 1 (there) and 0.
    let rest = Mat::<f64>::identity(width, width) - basis * basis.transpose();
    columns(&svd(rest.as_ref()).u, 0, width - basis.ncols())
}

fn double(matrix: &Matrix) -> Mat<f64> {
    linalg::from_rows(matrix.rows, matrix.columns, &matrix.values)
}
