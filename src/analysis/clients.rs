//! Where the clients of a federated stage went: the subspaces of their changes against the server's and each other's.

use faer::{Mat, MatRef};

use crate::error::InputError;
use crate::model::Adapter;
use crate::model::adapter::{Matrix, Pair};
use crate::run::RunFolder;
use crate::run::federation::LastRound;
use crate::subspace::{Factors, Side, Spectrum, in_common_frame, principal_angles};

/// How much the changes of a stage's last round have in common: of the server first, then of each client that is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct ClientOverlaps {
    /// Clients by number from 1.
    pub clients: Vec<usize>,
    /// `overlaps[i][j]`, of the server (0) and the clients: the mean squared cosine of the principal angles between the leading
    /// directions of both changes of `ΔW`, as many as the adapter has ranks, mean over modules. None where one changed nothing.
    pub overlaps: Vec<Vec<Option<f64>>>,
    /// The overlap of random subspaces.
    pub chance: f64,
    /// Modules that the means are over.
    pub modules: usize,
}

impl ClientOverlaps {
    /// Of a stage (from 1) of a run; none where no client took part in its last round, or clients did not train it.
    ///
    /// # Errors
    /// What the clients left cannot be read, or is not of one shape.
    pub fn of_stage(run: &RunFolder, stage: usize, side: Side) -> Result<Option<Self>, InputError> {
        let Some(last) = run.last_round(stage)? else { return Ok(None) };
        let found = Self::of(&last, side);
        found.map(Some).ok_or_else(|| {
            InputError::new(run.federation(stage), "the adapters of the clients are not of one shape")
                .advice("start the run over with `--fresh`")
        })
    }

    /// Of a round; none where its adapters are not of one shape.
    fn of(last: &LastRound, side: Side) -> Option<Self> {
        let states: Vec<&Adapter> =
            std::iter::once(&last.after).chain(last.clients.iter().map(|(_, adapter)| adapter)).collect();
        let count = states.len();
        let (mut sums, mut chance) = (vec![vec![(0.0, 0_usize); count]; count], 0.0);
        for (name, before) in &last.before.modules {
            let of = |adapter: &&Adapter| {
                let after = adapter.modules.get(name).filter(|after| is_same_shape(before, after))?;
                Some(factors(after)?.minus(&factors(before)?))
            };
            let changes = in_common_frame(&states.iter().map(of).collect::<Option<Vec<_>>>()?);
            let spectra: Vec<Spectrum> = changes.iter().map(Spectrum::of).collect();
            let rank = before.a.rows;
            let bases: Vec<MatRef<'_, f64>> = spectra.iter().map(|spectrum| leading(spectrum, rank, side)).collect();
            let width = if side == Side::Right { before.a.columns } else { before.b.rows };
            chance += (rank as f64 / width.max(1) as f64).min(1.0);
            for (row, one) in bases.iter().enumerate() {
                for (column, other) in bases.iter().enumerate() {
                    if let Some(overlap) = principal_angles(*one, *other).overlap() {
                        sums[row][column].0 += overlap;
                        sums[row][column].1 += 1;
                    }
                }
            }
        }
        let mean = |(sum, count): (f64, usize)| (count > 0).then(|| sum / count as f64);
        let modules = last.before.modules.len();
        Some(Self {
            clients: last.clients.iter().map(|(number, _)| *number).collect(),
            overlaps: sums.into_iter().map(|row| row.into_iter().map(mean).collect()).collect(),
            chance: chance / modules.max(1) as f64,
            modules,
        })
    }
}

/// The leading directions of one side of a change, at most as many as `rank`.
fn leading(spectrum: &Spectrum, rank: usize, side: Side) -> MatRef<'_, f64> {
    let directions = if side == Side::Right { &spectrum.right } else { &spectrum.left };
    directions.subcols(0, spectrum.rank().min(rank))
}

/// Both factors of a pair; none where they are no numbers, or not of one rank.
fn factors(Pair { a, b }: &Pair) -> Option<Factors> {
    let mat = |matrix: &Matrix| {
        let finite = matrix.values.iter().all(|value| value.is_finite());
        let at = |row: usize, column: usize| f64::from(matrix.values[row * matrix.columns + column]);
        finite.then(|| Mat::from_fn(matrix.rows, matrix.columns, at))
    };
    if a.rows == b.columns { Some(Factors { b: mat(b)?, a: mat(a)? }) } else { None }
}

fn is_same_shape(one: &Pair, other: &Pair) -> bool {
    let shape = |pair: &Pair| [pair.a.rows, pair.a.columns, pair.b.rows, pair.b.columns];
    shape(one) == shape(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One module of rank 1 that reads along `reads` and writes along `writes`, four wide.
    fn adapter(reads: usize, writes: usize, size: f32) -> Adapter {
        let along = |at: usize, size: f32| (0..4).map(|i| if i == at { size } else { 0.0 }).collect::<Vec<f32>>();
        let pair = Pair {
            a: Matrix { rows: 1, columns: 4, values: along(reads, 1.0) },
            b: Matrix { rows: 4, columns: 1, values: along(writes, size) },
        };
        Adapter { modules: [("m".to_owned(), pair)].into() }
    }

    #[test]
    fn changes_along_one_direction_overlap_and_across_do_not() {
        let before = adapter(0, 0, 0.0);
        let clients = vec![(3, adapter(1, 2, 5.0)), (7, adapter(1, 3, 0.1)), (8, before.clone())];
        let last = LastRound { before, after: adapter(0, 2, 1.0), clients };
        let found = |side| ClientOverlaps::of(&last, side).unwrap();
        let left = found(Side::Left);
        assert_eq!((left.clients.as_slice(), left.chance, left.modules), (&[3, 7, 8][..], 0.25, 1));
        let rounded = |overlaps: &[Vec<Option<f64>>]| -> Vec<Vec<Option<f64>>> {
            overlaps.iter().map(|row| row.iter().map(|value| value.map(f64::round)).collect()).collect()
        };
        let (one, none) = (Some(1.0), Some(0.0));
        let still = vec![None; 4];
        let expected = vec![vec![one, one, none, None], vec![one, one, none, None], vec![none, none, one, None], still];
        assert_eq!(rounded(&left.overlaps), expected, "the server writes as client 3 does");
        // What they read: the server along another direction than both clients.
        assert_eq!(rounded(&found(Side::Right).overlaps)[0], [one, none, none, None]);
        assert_eq!(rounded(&found(Side::Right).overlaps)[1], [none, one, one, None]);
    }

    #[test]
    fn adapters_of_other_shapes_are_refused() {
        let mut clients = vec![(1, adapter(0, 0, 1.0))];
        clients[0].1.modules.values_mut().for_each(|pair| pair.b = Matrix::zeros(2, 1));
        let last = LastRound { before: adapter(0, 0, 0.0), after: adapter(0, 0, 1.0), clients };
        assert_eq!(ClientOverlaps::of(&last, Side::Left), None);
    }
}
