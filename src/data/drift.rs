//! How far each stage's data lies from those before it: who and what is new, how popularity, codes and users move.
//!
//! Everything is counted on a stage's own interactions (what comes after [`Sequence::current_from`]).

use serde::{Deserialize, Serialize};

use super::{Dataset, Protocol, Sequence, Stage, activity};

/// Items that are compared as the most popular ones of a stage, at most.
pub const TOP_ITEMS: usize = 100;

/// Drift of a dataset's data from stage to stage.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DataDrift {
    /// One entry a stage, in time order.
    pub stages: Vec<StageDrift>,
}

/// One stage against the stages before it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StageDrift {
    /// Stage, from 1.
    pub stage: usize,
    /// Users active in the stage.
    pub users: UserGroups,
    /// Share of the stage's users whom no earlier stage has; 1 in stage 1.
    pub new_user_share: f64,
    /// Share of the stage's distinct items that no earlier stage has; 1 in stage 1.
    pub new_item_share: f64,
    /// Share of the stage's interactions whose item no earlier stage has; 1 in stage 1.
    pub new_item_interactions: f64,
    /// Targets of the tests of both protocols.
    pub same_block_targets: Targets,
    pub next_block_targets: Targets,
    /// Against the stage before; none for stage 1, nor where one of the two has no interaction.
    pub from_previous: Option<Change>,
}

/// Users of a stage by what they did before, as the slices of the measures tell them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct UserGroups {
    /// First seen in this stage.
    pub new: usize,
    /// Seen before, and not dormant.
    pub returning: usize,
    /// Active in stage 1, absent in all of the at least one stage since, and back.
    pub dormant: usize,
}

/// Targets of a stage's tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Targets {
    /// Items that occurred in an earlier stage.
    pub warm: usize,
    /// Items that did not.
    pub cold: usize,
}

/// What changed from one stage to the next.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// Jensen-Shannon divergence, in bits (from 0 to 1), between the shares of interactions that items have.
    pub item_divergence: f64,
    /// The same for the code tokens of each level of the semantic ids.
    pub code_divergence: Vec<f64>,
    /// Share of the most popular items that both stages have in common.
    pub top_overlap: TopOverlap,
    /// How users move among the item vectors; none without vectors or without a user who is active in both stages.
    pub centroids: Option<CentroidShift>,
}

/// Items that are among the most popular of two stages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TopOverlap {
    /// Items on each list: [`TOP_ITEMS`], or as many as the stage with fewer items has. Of equally popular items the
    /// first in the catalogue comes first.
    pub items: usize,
    /// Items on both lists.
    pub shared: usize,
}

impl TopOverlap {
    /// The shared part of the lists, from 0 to 1.
    pub fn share(self) -> f64 {
        ratio(self.shared, self.items)
    }
}

/// How the centroids of users' items move from one stage to the next, over the users that are active in both.
///
/// A user's centroid is the mean vector of the items of one stage.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CentroidShift {
    /// Users with a centroid in both stages.
    pub users: usize,
    /// Mean Euclidean distance between a user's two centroids.
    pub mean_distance: f64,
    /// Its quartiles over the users, interpolated linearly.
    pub distance_quartiles: [f64; 3],
    /// Mean of one minus the cosine between a user's two centroids, from 0 to 2.
    pub mean_cosine_distance: f64,
    /// Euclidean distance between the means of all these users' centroids: what of the movement they have in common.
    pub common_distance: f64,
}

/// A vector for each item of a catalogue.
#[derive(Debug, Clone, Copy)]
pub struct ItemVectors<'v> {
    values: &'v [f32],
    width: usize,
}

impl<'v> ItemVectors<'v> {
    /// Vectors from `items x width` values, row-major; none where these are not whole rows of at least one number.
    pub fn new(values: &'v [f32], width: usize) -> Option<Self> {
        (width > 0 && values.len().is_multiple_of(width)).then_some(Self { values, width })
    }

    /// The vector of an item, where it has one of finite numbers.
    fn item(&self, item: u32) -> Option<&'v [f32]> {
        let from = item as usize * self.width;
        let vector = self.values.get(from..from + self.width)?;
        vector.iter().all(|value| value.is_finite()).then_some(vector)
    }
}

impl DataDrift {
    /// Measures the drift of a dataset; the shift of users' centroids only where the items have vectors.
    pub fn measure(dataset: &Dataset, vectors: Option<ItemVectors<'_>>) -> Self {
        let mut known = Known { users: vec![false; dataset.users.len()], items: vec![false; dataset.items.len()] };
        let stages = (0..dataset.stages.len()).map(|index| known.stage(dataset, index, vectors)).collect();
        Self { stages }
    }
}

/// Users and items of the stages so far.
struct Known {
    users: Vec<bool>,
    items: Vec<bool>,
}

impl Known {
    /// The drift of the stage of an index, which is known afterwards.
    fn stage(&mut self, dataset: &Dataset, index: usize, vectors: Option<ItemVectors<'_>>) -> StageDrift {
        let stage = &dataset.stages[index];
        let counted = CountedStage::of(dataset, stage);
        let counts = &counted.item_counts;
        let users = self.groups(stage, &activity::dormant_users(dataset, index));
        let interactions: u64 = counts.iter().sum();
        let distinct = counts.iter().filter(|&&count| count > 0).count();
        let new = || counts.iter().zip(&self.items).filter(|(count, known)| **count > 0 && !**known);
        let drift = StageDrift {
            stage: index + 1,
            users,
            new_user_share: ratio(users.new, stage.sequences.len()),
            new_item_share: ratio(new().count(), distinct),
            new_item_interactions: ratio(new().map(|(count, _)| *count as usize).sum(), interactions as usize),
            same_block_targets: self.targets(stage, Protocol::SameBlock),
            next_block_targets: self.targets(stage, Protocol::NextBlock),
            from_previous: index.checked_sub(1).and_then(|before| {
                let before = CountedStage::of(dataset, &dataset.stages[before]);
                change(dataset, &before, &counted, vectors)
            }),
        };
        stage.sequences.iter().for_each(|sequence| self.users[sequence.user as usize] = true);
        self.items.iter_mut().zip(counts).for_each(|(known, &count)| *known |= count > 0);
        drift
    }

    fn groups(&self, stage: &Stage, dormant: &[bool]) -> UserGroups {
        let mut groups = UserGroups::default();
        for user in stage.sequences.iter().map(|sequence| sequence.user as usize) {
            match (dormant[user], self.users[user]) {
                (true, _) => groups.dormant += 1,
                (false, true) => groups.returning += 1,
                (false, false) => groups.new += 1,
            }
        }
        groups
    }

    fn targets(&self, stage: &Stage, protocol: Protocol) -> Targets {
        let mut targets = Targets::default();
        for test in protocol.tests(stage) {
            let count = if self.items[test.target as usize] { &mut targets.warm } else { &mut targets.cold };
            *count += 1;
        }
        targets
    }
}

/// What a user did in the sequence's stage.
fn current(sequence: &Sequence) -> &[u32] {
    &sequence.items[sequence.current_from..]
}

/// Interactions with each item in a stage.
fn item_counts(dataset: &Dataset, stage: &Stage) -> Vec<u64> {
    let mut counts = vec![0; dataset.items.len()];
    for &item in stage.sequences.iter().flat_map(current) {
        counts[item as usize] += 1;
    }
    counts
}

/// A stage with the interactions with each item in it.
struct CountedStage<'s> {
    stage: &'s Stage,
    item_counts: Vec<u64>,
}

impl<'s> CountedStage<'s> {
    fn of(dataset: &Dataset, stage: &'s Stage) -> Self {
        Self { stage, item_counts: item_counts(dataset, stage) }
    }
}

/// Two stages against each other; none where one of them has no interaction.
fn change(
    dataset: &Dataset,
    before: &CountedStage<'_>,
    after: &CountedStage<'_>,
    vectors: Option<ItemVectors<'_>>,
) -> Option<Change> {
    let (before_counts, after_counts) = (before.item_counts.as_slice(), after.item_counts.as_slice());
    let item_divergence = divergence(before_counts, after_counts)?;
    let codes = |level: usize, counts: &[u64]| {
        let mut codes = vec![0; dataset.index.tokens.len()];
        for (item, count) in counts.iter().enumerate() {
            codes[dataset.index.item(item as u32)[level] as usize] += count;
        }
        codes
    };
    let by_level = |level| divergence(&codes(level, before_counts), &codes(level, after_counts));
    Some(Change {
        item_divergence,
        code_divergence: (0..dataset.index.levels).map(by_level).collect::<Option<_>>()?,
        top_overlap: top_overlap(before_counts, after_counts),
        centroids: vectors.and_then(|vectors| centroid_shift(dataset.users.len(), before.stage, after.stage, vectors)),
    })
}

/// The Jensen-Shannon divergence of two distributions, in bits: the mean of their Kullback-Leibler divergences from their
/// mean (Lin 1991); none where one of them has no count.
fn divergence(one: &[u64], other: &[u64]) -> Option<f64> {
    let (total_one, total_other) = (one.iter().sum::<u64>() as f64, other.iter().sum::<u64>() as f64);
    let term = |p: f64, mean: f64| if p > 0.0 { p * (p / mean).log2() } else { 0.0 };
    let sum: f64 = one
        .iter()
        .zip(other)
        .map(|(&one, &other)| {
            let (p, q) = (one as f64 / total_one, other as f64 / total_other);
            let mean = 0.5 * (p + q);
            term(p, mean) + term(q, mean)
        })
        .sum();
    // Rounding may leave equal distributions a little below 0.
    (total_one > 0.0 && total_other > 0.0).then(|| (0.5 * sum).clamp(0.0, 1.0))
}

fn top_overlap(one: &[u64], other: &[u64]) -> TopOverlap {
    let ranked = |counts: &[u64]| {
        let mut items: Vec<usize> = (0..counts.len()).filter(|&item| counts[item] > 0).collect();
        items.sort_by_key(|&item| std::cmp::Reverse(counts[item]));
        items
    };
    let (one, other) = (ranked(one), ranked(other));
    let items = TOP_ITEMS.min(one.len()).min(other.len());
    let shared = one[..items].iter().filter(|item| other[..items].contains(item)).count();
    TopOverlap { items, shared }
}

fn centroid_shift(users: usize, before: &Stage, after: &Stage, vectors: ItemVectors<'_>) -> Option<CentroidShift> {
    let mut indices = vec![None; users];
    for (index, sequence) in before.sequences.iter().enumerate() {
        indices[sequence.user as usize] = Some(index);
    }
    let centroids = |sequence: &Sequence| {
        let earlier = &before.sequences[indices[sequence.user as usize]?];
        Some((centroid(current(earlier), vectors)?, centroid(current(sequence), vectors)?))
    };
    let (mut distances, mut cosines) = (Vec::new(), 0.0);
    let mut common = vec![0.0; vectors.width];
    for (from, to) in after.sequences.iter().filter_map(centroids) {
        cosines += cosine_distance(&from, &to);
        let step: Vec<f64> = to.iter().zip(&from).map(|(to, from)| to - from).collect();
        distances.push(dot(&step, &step).sqrt());
        common.iter_mut().zip(step).for_each(|(sum, step)| *sum += step);
    }
    let count = distances.len() as f64;
    distances.sort_by(f64::total_cmp);
    (count > 0.0).then(|| CentroidShift {
        users: distances.len(),
        mean_distance: distances.iter().sum::<f64>() / count,
        distance_quartiles: [0.25, 0.5, 0.75].map(|share| quantile(&distances, share)),
        mean_cosine_distance: cosines / count,
        common_distance: dot(&common, &common).sqrt() / count,
    })
}

/// The mean vector of items; none where none of them has one.
fn centroid(items: &[u32], vectors: ItemVectors<'_>) -> Option<Vec<f64>> {
    let (mut sum, mut count) = (vec![0.0; vectors.width], 0.0);
    for vector in items.iter().filter_map(|&item| vectors.item(item)) {
        sum.iter_mut().zip(vector).for_each(|(sum, &value)| *sum += f64::from(value));
        count += 1.0;
    }
    sum.iter_mut().for_each(|sum| *sum /= count);
    (count > 0.0).then_some(sum)
}

/// One minus the cosine; 0 where a vector has no direction.
fn cosine_distance(one: &[f64], other: &[f64]) -> f64 {
    let lengths = (dot(one, one) * dot(other, other)).sqrt();
    if lengths > 0.0 { 1.0 - dot(one, other) / lengths } else { 0.0 }
}

fn dot(one: &[f64], other: &[f64]) -> f64 {
    one.iter().zip(other).map(|(a, b)| a * b).sum()
}

/// A quantile of ascending values, of which there is at least one, interpolated linearly between neighbours.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let at = share * (sorted.len() - 1) as f64;
    let (below, above) = (sorted[at.floor() as usize], sorted[at.ceil() as usize]);
    below + (above - below) * at.fract()
}

/// A part of a whole, 0 of an empty one.
fn ratio(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Item;
    use crate::semantic_id::SemanticIndex;

    const ITEMS: u32 = 260;

    /// Four stages of 60 users who choose among 260 items by a formula, so that the numbers below can be found elsewhere.
    fn dataset() -> Dataset {
        let mut stages = vec![Stage::default(); 4];
        for user in 0..60u32 {
            let mut history: Vec<u32> = Vec::new();
            for (t, stage) in (0..).zip(&mut stages) {
                if (3 * user + t * t) % 4 == 1 {
                    continue;
                }
                let current_from = history.len();
                history.extend((0..2 + (user + t) % 6).map(|j| {
                    let r = (user * 379 + t * 523 + j * 911 + user * j * 17) % 1000;
                    r * r * ITEMS / 1_000_000
                }));
                stage.sequences.push(Sequence { user, items: history.clone(), current_from });
            }
        }
        let code = |item: u32, level: u32| (item * (level + 3) + item / 7) % (5 + 2 * level);
        let codes: Vec<u32> = (0..ITEMS).flat_map(|item| (0..3).map(move |level| code(item, level))).collect();
        Dataset {
            name: "by formula".into(),
            items: (0..ITEMS).map(|id| Item { id: id.to_string(), title: None }).collect(),
            users: (0..60).map(|user| user.to_string()).collect(),
            index: SemanticIndex::from_numbers(3, &codes),
            stages,
            synthetic: true,
            hash: String::new(),
        }
    }

    fn vectors() -> Vec<f32> {
        let value = |item: f64, at: f64| (1.7 * item + 0.9 * at + 0.3 * item * at).sin() as f32;
        (0..ITEMS).flat_map(|item| (0..3u32).map(move |at| value(item.into(), at.into()))).collect()
    }

    fn measured() -> Vec<StageDrift> {
        let vectors = vectors();
        DataDrift::measure(&dataset(), ItemVectors::new(&vectors, 3)).stages
    }

    fn near(found: &[f64], expected: &[f64]) {
        assert_eq!(found.len(), expected.len());
        let close = found.iter().zip(expected).all(|(found, expected)| (found - expected).abs() < 1e-9);
        assert!(close, "{found:?}\n{expected:?}");
    }

    // All expected numbers: pandas 3.1 for groups and shares, SciPy 1.17 for the rest (the square of
    // `scipy.spatial.distance.jensenshannon` with base 2; `euclidean` and `cosine`; `numpy.percentile`).

    #[test]
    fn groups_shares_and_targets_equal_an_independent_count() {
        let expected = [
            ([45, 0, 0], [1.0, 1.0, 1.0], [0, 35], [0, 0]),
            ([15, 30, 0], [0.3333333333333333, 0.47692307692307695, 0.38461538461538464], [16, 19], [16, 14]),
            ([0, 30, 15], [0.0, 0.3252032520325203, 0.27692307692307694], [23, 12], [32, 13]),
            ([0, 45, 0], [0.0, 0.11666666666666667, 0.09230769230769231], [32, 3], [39, 6]),
        ];
        let stages = measured();
        assert_eq!(stages.len(), 4);
        for (index, (stage, (users, shares, same_block, next_block))) in stages.iter().zip(expected).enumerate() {
            assert_eq!(stage.stage, index + 1);
            assert_eq!([stage.users.new, stage.users.returning, stage.users.dormant], users);
            near(&[stage.new_user_share, stage.new_item_share, stage.new_item_interactions], &shares);
            let counts = |targets: Targets| [targets.warm, targets.cold];
            assert_eq!([counts(stage.same_block_targets), counts(stage.next_block_targets)], [same_block, next_block]);
        }
    }

    #[test]
    fn divergences_and_overlap_equal_scipy() {
        let expected = [
            (0.3968343663849199, [0.008304137632449233, 0.0063558429360101665, 0.006605745919556848], 58),
            (0.412007563239634, [0.008124830939250094, 0.009988401549188685, 0.004455883784269939], 52),
            (0.3636509371757484, [0.005001831842122789, 0.005533241404198608, 0.01052246937595299], 64),
        ];
        let stages = measured();
        assert_eq!(stages[0].from_previous, None);
        for (stage, (items, codes, shared)) in stages[1..].iter().zip(expected) {
            let change = stage.from_previous.as_ref().unwrap();
            near(&[change.item_divergence], &[items]);
            near(&change.code_divergence, &codes);
            assert_eq!(change.top_overlap, TopOverlap { items: 100, shared });
            near(&[change.top_overlap.share()], &[f64::from(shared as u32) / 100.0]);
        }
    }

    #[test]
    fn the_shift_of_centroids_equals_scipy() {
        let expected = [
            (0.8282928662924276, [0.6126130885431929, 0.770478889985744, 1.042422362779511], 0.9632441245942743),
            (0.8922936866426401, [0.5644146614641627, 0.7747092845940302, 1.128717457195177], 1.0783004372030998),
            (0.7716399100698924, [0.5188790561125102, 0.7642582161165565, 1.0308673274334663], 1.0210643008430156),
        ];
        let common = [0.1505059228138787, 0.11126917562941994, 0.08661550142463735];
        for ((stage, (mean, quartiles, cosine)), common) in measured()[1..].iter().zip(expected).zip(common) {
            let shift = stage.from_previous.as_ref().and_then(|change| change.centroids.as_ref()).unwrap();
            assert_eq!(shift.users, 30);
            near(&[shift.mean_distance, shift.mean_cosine_distance, shift.common_distance], &[mean, cosine, common]);
            near(&shift.distance_quartiles, &quartiles);
        }
    }

    #[test]
    fn equal_stages_do_not_diverge_and_disjoint_ones_wholly() {
        assert_eq!(divergence(&[3, 1, 0], &[6, 2, 0]), Some(0.0));
        assert_eq!(divergence(&[3, 0, 0], &[0, 1, 4]), Some(1.0));
        assert_eq!(divergence(&[3, 0], &[0, 0]), None);
        assert_eq!(top_overlap(&[2, 1, 0], &[0, 1, 2]), TopOverlap { items: 2, shared: 1 });
    }

    #[test]
    fn items_without_a_vector_are_left_out() {
        let mut vectors = vectors();
        assert!(ItemVectors::new(&vectors[1..], 3).is_none() && ItemVectors::new(&vectors, 0).is_none());
        // The last item's vector is missing, the first is not a number: nothing of them comes into a mean.
        vectors.truncate(vectors.len() - 3);
        vectors[1] = f32::NAN;
        for stage in &DataDrift::measure(&dataset(), ItemVectors::new(&vectors, 3)).stages[1..] {
            let shift = stage.from_previous.as_ref().and_then(|change| change.centroids.as_ref()).unwrap();
            assert!(shift.mean_distance.is_finite() && shift.users <= 30, "{shift:?}");
        }
        let without = DataDrift::measure(&dataset(), None);
        assert!(without.stages.iter().flat_map(|stage| &stage.from_previous).all(|change| change.centroids.is_none()));
    }
}
