//! Differences of one measure between two methods, user by user.

use super::{ROUNDING, Unanswerable, checked_finite};

/// The differences `a - b` of a measure, paired by seed, stage and user.
///
/// The compared quantity, the *gain*, is what the tables show: the mean over stages of each stage's mean over its users,
/// so that a stage with few users weighs as much as one with many; and the mean over seeds of that.
#[derive(Debug, Clone, PartialEq)]
pub struct Paired {
    pub(super) stages: Vec<StageDifferences>,
    seeds: usize,
    has_seeds: bool,
    mean_a: f64,
    mean_b: f64,
}

/// The differences of one stage. Most users are missed by both methods: only those with a difference are kept.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct StageDifferences {
    /// All users, those without a difference included.
    pub users: usize,
    /// `[user][seed]`, of the users with a difference under any seed, in their order.
    pub differing: Vec<f64>,
}

impl Paired {
    /// Pairs `a[seed][stage][user]` with `b`, of the stages that are compared (2..T in the tables).
    ///
    /// # Errors
    /// Where the two do not have the same seeds, stages and users, a stage has fewer than two users, or a value is not
    /// finite. That the same place is the same user is for the caller to see to.
    pub fn of(a: &[Vec<Vec<f64>>], b: &[Vec<Vec<f64>>]) -> Result<Self, Unanswerable> {
        let seeds = a.len();
        same("seeds", b.len(), seeds)?;
        let shape: Vec<usize> = a.first().ok_or(Unanswerable::NotEnoughSeeds { seeds })?.iter().map(Vec::len).collect();
        if shape.is_empty() {
            return Err(Unanswerable::NoStage);
        }
        for stages in a.iter().chain(b) {
            same("stages", stages.len(), shape.len())?;
            for (users, &expected) in stages.iter().zip(&shape) {
                same("test users", users.len(), expected)?;
                checked_finite(users)?;
            }
        }
        if let Some(stage) = shape.iter().position(|&users| users < 2) {
            return Err(Unanswerable::NotEnoughUsers { stage: stage + 1, users: shape[stage] });
        }
        let stages = (0..shape.len())
            .map(|stage| {
                let rows = (0..shape[stage]).map(|user| (0..seeds).map(move |s| a[s][stage][user] - b[s][stage][user]));
                StageDifferences::of(rows)
            })
            .collect();
        let mean = |values: &[Vec<Vec<f64>>]| {
            let of_stage = |users: &Vec<f64>| users.iter().sum::<f64>() / users.len() as f64;
            values.iter().flatten().map(of_stage).sum::<f64>() / (seeds * shape.len()) as f64
        };
        Ok(Self { stages, seeds, has_seeds: true, mean_a: mean(a), mean_b: mean(b) })
    }

    /// Pairs `a[seed][user]` with `b` where there is only one stage.
    ///
    /// # Errors
    /// Those of [`Paired::of`].
    pub fn of_one_stage(a: &[Vec<f64>], b: &[Vec<f64>]) -> Result<Self, Unanswerable> {
        let staged = |values: &[Vec<f64>]| values.iter().map(|users| vec![users.clone()]).collect::<Vec<_>>();
        Self::of(&staged(a), &staged(b))
    }

    /// Number of seeds; 1 where there are none.
    pub fn seeds(&self) -> usize {
        self.seeds
    }

    /// The same of two methods in which no chance has a part, so that their one result is not one of several.
    #[must_use]
    pub fn without_seeds(self) -> Self {
        Self { has_seeds: false, ..self }
    }

    /// Whether another seed could give another result.
    pub fn has_seeds(&self) -> bool {
        self.has_seeds
    }

    /// Number of test cases: users, counted in each stage that tests them.
    pub fn users(&self) -> usize {
        self.stages.iter().map(|stage| stage.users).sum()
    }

    /// The first method's mean and the second's, over seeds and stages.
    pub fn means(&self) -> (f64, f64) {
        (self.mean_a, self.mean_b)
    }

    /// The gain of `a` over `b`.
    pub fn gain(&self) -> f64 {
        super::distribution::mean(&self.gain_of_seeds())
    }

    /// The gain under each seed.
    pub fn gain_of_seeds(&self) -> Vec<f64> {
        let mut gains = vec![0.0; self.seeds];
        for stage in &self.stages {
            for (gain, sum) in gains.iter_mut().zip(stage.sums(self.seeds)) {
                *gain += sum / (stage.users * self.stages.len()) as f64;
            }
        }
        gains
    }

    /// Sum of the differences over all test cases, as a mean over seeds: of hits, how many more users are hit.
    pub fn total(&self) -> f64 {
        self.stages.iter().flat_map(|stage| stage.sums(self.seeds)).sum::<f64>() / self.seeds as f64
    }

    /// Variance of the gain over samples of users of this size, with the seeds as they are:
    /// `sum over stages of variance / users`, by the number of stages squared.
    pub fn variance_over_users(&self) -> f64 {
        let variance: f64 = self.averaged().stages.iter().map(StageDifferences::variance_of_mean).sum();
        variance / (self.stages.len() as f64).powi(2)
    }

    /// Variance of the gain that is left where both the users' and the seeds' own shares are taken out of the differences
    /// (two-way analysis of variance, within each stage): `sum over stages of mean square / (users · seeds)`, by the number of
    /// stages squared. 0 with a single seed, which leaves nothing.
    pub fn residual_variance(&self) -> f64 {
        let variance: f64 = self.stages.iter().map(|stage| stage.residual_variance_of_mean(self.seeds)).sum();
        variance / (self.stages.len() as f64).powi(2)
    }

    /// Whether all seeds gave every user the same difference, as copies of one run do.
    pub fn seeds_are_copies(&self) -> bool {
        let mut rows = self.stages.iter().flat_map(|stage| stage.differing.chunks_exact(self.seeds));
        let rounding = self.rounding();
        self.seeds > 1 && rows.all(|row| row.iter().all(|value| (value - row[0]).abs() <= rounding))
    }

    /// What two equal gains may differ by for being summed in another order. Gains of hits are often equal.
    pub(super) fn rounding(&self) -> f64 {
        let differing = self.stages.iter().flat_map(|stage| &stage.differing);
        ROUNDING * differing.map(|difference| difference.abs()).sum::<f64>() / self.users() as f64
    }

    /// The differences with each user's mean over the seeds in place of one value a seed.
    pub(super) fn averaged(&self) -> Self {
        let averaged = |stage: &StageDifferences| {
            let rows = stage.differing.chunks_exact(self.seeds).map(super::distribution::mean);
            let differing: Vec<f64> = rows.filter(|&mean| mean != 0.0).collect();
            StageDifferences { users: stage.users, differing }
        };
        Self { stages: self.stages.iter().map(averaged).collect(), seeds: 1, ..*self }
    }
}

impl StageDifferences {
    fn of<Row: Iterator<Item = f64> + Clone>(rows: impl ExactSizeIterator<Item = Row>) -> Self {
        let users = rows.len();
        let differs = |row: &Row| row.clone().any(|difference| difference != 0.0);
        Self { users, differing: rows.filter(differs).flatten().collect() }
    }

    /// Sum over users, for each seed.
    fn sums(&self, seeds: usize) -> Vec<f64> {
        let mut sums = vec![0.0; seeds];
        for row in self.differing.chunks_exact(seeds) {
            sums.iter_mut().zip(row).for_each(|(sum, difference)| *sum += difference);
        }
        sums
    }

    /// Variance of the mean over users, of one value a user.
    fn variance_of_mean(&self) -> f64 {
        let users = self.users as f64;
        let mean = self.differing.iter().sum::<f64>() / users;
        let without = (self.users - self.differing.len()) as f64;
        let squares: f64 = self.differing.iter().map(|difference| (difference - mean).powi(2)).sum();
        (squares + without * mean * mean) / ((users - 1.0) * users)
    }

    /// Variance of the mean over users and seeds that neither explains.
    fn residual_variance_of_mean(&self, seeds: usize) -> f64 {
        if seeds < 2 {
            return 0.0;
        }
        let users = self.users as f64;
        let of_seeds: Vec<f64> = self.sums(seeds).into_iter().map(|sum| sum / users).collect();
        let all = super::distribution::mean(&of_seeds);
        let squares_of = |row: &[f64]| {
            let of_user = super::distribution::mean(row);
            row.iter().zip(&of_seeds).map(|(value, of_seed)| (value - of_user - of_seed + all).powi(2)).sum::<f64>()
        };
        let differing: f64 = self.differing.chunks_exact(seeds).map(squares_of).sum();
        let without = (self.users - self.differing.len() / seeds) as f64;
        let squares = differing + without * squares_of(&vec![0.0; seeds]);
        squares / ((users - 1.0) * (seeds - 1) as f64) / (users * seeds as f64)
    }
}

fn same(what: &str, found: usize, expected: usize) -> Result<(), Unanswerable> {
    if found == expected { Ok(()) } else { Err(Unanswerable::NotPaired { what: what.to_owned(), found, expected }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `[seed][stage][user]`
    type Values = Vec<Vec<Vec<f64>>>;

    /// Two seeds, two stages of four and two users.
    fn example() -> (Values, Values) {
        let a = vec![vec![vec![1.0, 0.0, 1.0, 0.0], vec![1.0, 1.0]], vec![vec![1.0, 1.0, 1.0, 0.0], vec![0.0, 1.0]]];
        let b = vec![vec![vec![1.0, 0.0, 0.0, 0.0], vec![0.0, 1.0]], vec![vec![1.0, 0.0, 1.0, 1.0], vec![0.0, 1.0]]];
        (a, b)
    }

    #[test]
    fn stages_weigh_the_same() {
        let (a, b) = example();
        let paired = Paired::of(&a, &b).unwrap();
        assert_eq!((paired.seeds(), paired.users()), (2, 6));
        assert_eq!(paired.gain_of_seeds(), [(0.25 + 0.5) / 2.0, 0.0]);
        assert_eq!(paired.gain(), 0.1875);
        assert_eq!(paired.means(), (0.6875, 0.5));
        // Two more hits under the first seed, none under the second
        assert_eq!(paired.total(), 1.0);
    }

    #[test]
    fn users_without_a_difference_are_not_kept_but_count() {
        let (a, b) = example();
        let paired = Paired::of(&a, &b).unwrap();
        let kept: Vec<(usize, usize)> = paired.stages.iter().map(|s| (s.users, s.differing.len() / 2)).collect();
        assert_eq!(kept, [(4, 3), (2, 1)]);
        // User means 0, 1/2, 1/2, -1/2 and 1/2, 0
        let variance = ((4.0 * 0.1875 - 4.0 * 0.125 * 0.125) / 3.0 / 4.0 + 0.125 / 2.0) / 4.0;
        assert!((paired.variance_over_users() - variance).abs() < 1e-15);
    }

    #[test]
    fn what_is_not_paired_is_refused() {
        let (a, b) = example();
        let says = |a: &[Vec<Vec<f64>>], b: &[Vec<Vec<f64>>]| Paired::of(a, b).unwrap_err().to_string();
        assert_eq!(says(&a, &b[..1]), "not paired: 1 seeds against 2");
        let mut short = b.clone();
        short[1][0].pop();
        assert_eq!(says(&a, &short), "not paired: 3 test users against 4");
        short[1].pop();
        assert_eq!(says(&short, &a), "not paired: 1 stages against 2");
        let mut odd = b;
        odd[0][1][0] = f64::NAN;
        assert_eq!(says(&a, &odd), "a value is not finite: NaN");
        let one = [vec![vec![1.0, 0.0], vec![1.0]]];
        assert_eq!(says(&one, &one), "not enough test users in compared stage 2 (1 of at least 2)");
        assert_eq!(says(&[vec![]], &[vec![]]), "no stage to compare");
        assert_eq!(says(&[], &[]), "not enough seeds (0 of at least 2)");
    }
}
