//! Trained codebooks: a vector is described by the sum of one entry a level.

/// The entries of all levels.
#[derive(Debug, Clone, PartialEq)]
pub struct Codebooks {
    levels: Vec<Level>,
    width: usize,
}

/// The entries of a level, one after the other.
#[derive(Debug, Clone, PartialEq)]
struct Level {
    values: Vec<f64>,
    /// By code: its squared length.
    squares: Vec<f64>,
}

/// Values of which a distance is summed before it is compared with the best one so far.
const BLOCK: usize = 64;
/// Sums that are kept apart, so that the processor adds several numbers at once. Their order is fixed, and so is the result.
const LANES: usize = 8;

impl Codebooks {
    /// Of the entries of each level; none where they are not all of one width, or there are none.
    pub fn new(levels: &[Vec<Vec<f64>>]) -> Option<Self> {
        let width = levels.first()?.first()?.len();
        let level = |entries: &Vec<Vec<f64>>| {
            (!entries.is_empty() && entries.iter().all(|entry| entry.len() == width)).then(|| Level {
                values: entries.concat(),
                squares: entries.iter().map(|entry| dot(entry, entry)).collect(),
            })
        };
        Some(Self { levels: levels.iter().map(level).collect::<Option<_>>()?, width })
    }

    /// Codes an id.
    pub fn levels(&self) -> usize {
        self.levels.len()
    }

    /// Values of a vector.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Codes of a level.
    pub fn codes(&self, level: usize) -> usize {
        self.levels[level].squares.len()
    }

    /// The entry of a code; none where the level has no such code.
    pub fn entry(&self, level: usize, code: u32) -> Option<&[f64]> {
        let from = code as usize * self.width;
        self.levels[level].values.get(from..from + self.width)
    }

    /// The entries of each level, as [`Self::new`] takes them.
    pub fn entries(&self) -> Vec<Vec<Vec<f64>>> {
        self.levels.iter().map(|level| level.values.chunks(self.width.max(1)).map(<[f64]>::to_vec).collect()).collect()
    }

    /// The squared length of an entry.
    pub(super) fn square(&self, level: usize, code: u32) -> f64 {
        self.levels[level].squares[code as usize]
    }

    /// The codes of a vector: on each level the entry nearest to what the levels before leave over, of the codes that may be
    /// used there; the first of several. With what all levels leave over, as a squared length.
    pub fn nearest(&self, vector: &[f64], allowed: &[Vec<u32>]) -> NearestCodes {
        let mut left = vector.to_vec();
        let mut codes = Vec::with_capacity(self.levels());
        for (level, allowed) in allowed.iter().enumerate() {
            let mut best = (0, f64::INFINITY);
            for &code in allowed {
                let Some(entry) = self.entry(level, code) else { continue };
                if let Some(distance) = nearer(&left, entry, best.1) {
                    best = (code, distance);
                }
            }
            codes.push(best.0);
            self.subtract(&mut left, level, best.0);
        }
        NearestCodes { error: dot(&left, &left), codes }
    }

    /// Takes an entry from a vector; a code without an entry takes nothing.
    pub(super) fn subtract(&self, vector: &mut [f64], level: usize, code: u32) {
        if let Some(entry) = self.entry(level, code) {
            vector.iter_mut().zip(entry).for_each(|(value, entry)| *value -= entry);
        }
    }

    /// What codes stand for: the sum of their entries, of as many levels as there are codes.
    pub fn sum(&self, codes: &[u32]) -> Vec<f64> {
        let mut sum = vec![0.0; self.width];
        for (level, &code) in codes.iter().enumerate() {
            if let Some(entry) = self.entry(level, code) {
                sum.iter_mut().zip(entry).for_each(|(sum, entry)| *sum += entry);
            }
        }
        sum
    }
}

/// A vector's own codes.
#[derive(Debug, Clone, PartialEq)]
pub struct NearestCodes {
    pub codes: Vec<u32>,
    /// Squared distance of the vector from what they stand for.
    pub error: f64,
}

/// The squared distance of two vectors if it is smaller than `limit`. Most entries are too far after a few values already.
fn nearer(one: &[f64], other: &[f64], limit: f64) -> Option<f64> {
    let mut sum = 0.0;
    for (one, other) in one.chunks(BLOCK).zip(other.chunks(BLOCK)) {
        sum += lanes(one, other, |a, b| (a - b) * (a - b));
        if sum >= limit {
            return None;
        }
    }
    Some(sum)
}

/// The inner product of two vectors.
pub(super) fn dot(one: &[f64], other: &[f64]) -> f64 {
    lanes(one, other, |a, b| a * b)
}

fn lanes(one: &[f64], other: &[f64], term: impl Fn(f64, f64) -> f64) -> f64 {
    let (whole, rest) = one.as_chunks::<LANES>();
    let (other_whole, other_rest) = other.as_chunks::<LANES>();
    let mut sums = [0.0; LANES];
    for (one, other) in whole.iter().zip(other_whole) {
        for lane in 0..LANES {
            sums[lane] += term(one[lane], other[lane]);
        }
    }
    let rest: f64 = rest.iter().zip(other_rest).map(|(a, b)| term(*a, *b)).sum();
    sums.iter().sum::<f64>() + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_the_nearest_level_by_level_of_those_that_may_be_used() {
        let books = Codebooks::new(&[vec![vec![0.0, 0.0], vec![10.0, 0.0]], vec![vec![1.0, 0.0], vec![0.0, 2.0]]]);
        let books = books.unwrap();
        let all = [vec![0, 1], vec![0, 1]];
        // By hand: (10, 0), and (0, 1.5) is left, which is 0.5 from (0, 2).
        let found = books.nearest(&[10.0, 1.5], &all);
        assert_eq!((found.codes, found.error), (vec![1, 1], 0.25));
        let found = books.nearest(&[10.0, 1.5], &[vec![1], vec![0]]);
        assert_eq!((found.codes, found.error), (vec![1, 0], 3.25));
        assert_eq!(books.sum(&[1, 1]), [10.0, 2.0]);
        assert_eq!(books.sum(&[1, 9]), [10.0, 0.0], "a code without an entry stands for nothing");
        assert_eq!(Codebooks::new(&[vec![vec![0.0]], vec![vec![0.0, 1.0]]]), None);
        assert_eq!(Codebooks::new(&[]), None);
    }

    #[test]
    fn sums_in_lanes_are_the_sums() {
        let (one, other): (Vec<f64>, Vec<f64>) =
            (0..149).map(|i| (f64::from(i % 7), f64::from(i % 5))).collect::<Vec<_>>().into_iter().unzip();
        let plain = |term: fn(f64, f64) -> f64| one.iter().zip(&other).map(|(a, b)| term(*a, *b)).sum::<f64>();
        // Whole numbers add up without rounding, in any order.
        assert_eq!(dot(&one, &other), plain(|a, b| a * b));
        let distance = plain(|a, b| (a - b) * (a - b));
        assert_eq!(nearer(&one, &other, f64::INFINITY), Some(distance));
        assert_eq!((nearer(&one, &other, distance), nearer(&one, &other, 3.0)), (None, None));
    }
}
