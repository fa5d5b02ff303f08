//! Several sources of item vectors beside each other, text and image for example: whether they agree on which items are alike, and
//! which items change codes when one is left out.

mod agreement;
mod alignment;
mod left_out;
mod neighbours;

use rand::SeedableRng as _;
use rand::seq::index;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

pub use self::agreement::jaccard;
use super::observer::{Observer, Step};
use super::source::Centring;
use super::train::TrainIds;
use crate::error::InputError;
use crate::seeds;

/// Nearest items that are compared.
pub const NEIGHBOURS: usize = 10;
/// Items whose neighbours are looked for, at most; among all items, and drawn where there are more.
const ASKED: usize = 10_000;
/// Items that alignment is measured on, at most; drawn where there are more.
const ALIGNED: usize = 2_048;
/// Trainings with another seed, which say what changes without a reason.
const SEEDS: u64 = 3;

/// The vectors of one of several sources.
#[derive(Debug, Clone, PartialEq)]
pub struct Modality {
    pub name: String,
    pub weight: f64,
    /// By item; none of those that the source says nothing of.
    pub vectors: Vec<Option<Vec<f64>>>,
    pub centring: Centring,
}

impl Modality {
    /// Those of several one after the other, by item: what ids are made of.
    pub fn joined<'m>(parts: impl IntoIterator<Item = &'m Self>, items: usize) -> Vec<Vec<f64>> {
        let mut joined = vec![Vec::new(); items];
        parts.into_iter().for_each(|part| part.centring.append(&part.vectors, &mut joined));
        joined
    }
}

/// How several sources agree, and what ids are without each.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Modalities {
    pub items: usize,
    pub parts: Vec<PartFigures>,
    /// Of every two sources.
    pub pairs: Vec<Pair>,
    /// Codes that a level may use.
    pub codes: usize,
    /// Without each source, and last with other seeds.
    pub changes: Vec<Change>,
    pub each: Vec<ItemFigures>,
}

/// One of the sources.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PartFigures {
    pub name: String,
    pub weight: f64,
    /// Values of a vector.
    pub width: usize,
    /// Items of which it says nothing.
    pub lacking: usize,
}

/// Two sources beside each other, over the items that have a vector in both.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Pair {
    /// Which sources, from 0.
    pub parts: [usize; 2],
    /// Items with a vector in both, and those of them whose neighbours were looked for.
    pub items: usize,
    pub asked: usize,
    /// Nearest items that are compared.
    pub neighbours: usize,
    /// Mean [`jaccard`] of an item's nearest items by one source and by the other, and its expectation where these have nothing to
    /// do with each other.
    pub agreement: f64,
    pub chance: f64,
    /// Share of the asked items that have more neighbours in common than 99 of 100 would by chance.
    pub beyond: f64,
    /// Shares of the asked items with 0, 1, … neighbours in common, and the same by chance.
    pub in_common: Vec<f64>,
    pub in_common_by_chance: Vec<f64>,
    /// Linear centred kernel alignment (Kornblith et al. 2019) of `alignment_items` items, and its mean over all ways to give the
    /// vectors of one source to other items. None where all vectors of a source are alike.
    pub alignment: Option<f64>,
    pub alignment_by_chance: Option<f64>,
    pub alignment_items: usize,
}

/// What becomes of the ids without a source, or with other seeds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// Which source is left out, from 0; none for other seeds.
    pub without: Option<usize>,
    /// Trainings that the figures are means of.
    pub trainings: usize,
    /// Share of the items whose first code is another one, when first codes are renamed so that most items keep theirs.
    pub first_code: f64,
    pub levels: Vec<LevelChange>,
}

/// The groups of items that share their codes up to a level, before and after.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct LevelChange {
    /// Adjusted Rand index: 1 for the same groups, 0 on average for groups that have nothing to do with each other.
    pub rand_index: f64,
    /// Mean over items of how many of its companions an item keeps: those it has before and after, of those it has before or after.
    pub companions: f64,
}

/// An item.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ItemFigures {
    pub item: String,
    pub title: Option<String>,
    /// By pair: [`jaccard`] of its neighbours; none where it lacks a vector or was not asked.
    pub agreement: Vec<Option<f64>>,
    /// By change: the share of trainings in which its first code is another one, and how many of its companions on the first level
    /// it keeps.
    pub first_code: Vec<f64>,
    pub companions: Vec<f64>,
}

impl ItemFigures {
    /// Mean agreement over pairs; none where no pair has one.
    pub fn mean_agreement(&self) -> Option<f64> {
        let known: Vec<f64> = self.agreement.iter().copied().flatten().collect();
        (!known.is_empty()).then(|| known.iter().sum::<f64>() / known.len() as f64)
    }
}

impl Modalities {
    /// `text – image`
    pub fn pair_name(&self, pair: &Pair) -> String {
        let [one, other] = pair.parts.map(|part| self.parts[part].name.as_str());
        format!("{one} – {other}")
    }

    /// `without image`, or `another seed`.
    pub fn change_name(&self, change: &Change) -> String {
        change.without.map_or_else(|| "another seed".to_owned(), |part| format!("without {}", self.parts[part].name))
    }
}

/// Compares sources of the same items, whose ids and titles these are; none where the observer ended it. Ids are trained of all
/// sources, without each, and with other seeds; what is compared are their nearest codes, before items that share theirs get others.
///
/// # Errors
/// There are fewer than two sources or three items; ids cannot be trained.
pub fn compare(
    options: &TrainIds,
    parts: &[Modality],
    items: &[(&str, Option<&str>)],
    observer: &mut dyn Observer,
) -> Result<Option<Modalities>, InputError> {
    if parts.len() < 2 || items.len() < 3 {
        let problem = "sources are compared where there are two or more of them, and three or more items";
        return Err(InputError::new("semantic ids", problem)
            .at("semantic_ids.source")
            .advice("for example `Concat([(source: Text()), (source: Vectors(\"image.npy\"))])`"));
    }
    let mut each: Vec<ItemFigures> = items
        .iter()
        .map(|(item, title)| ItemFigures {
            item: (*item).to_owned(),
            title: title.map(str::to_owned),
            agreement: Vec::new(),
            first_code: Vec::new(),
            companions: Vec::new(),
        })
        .collect();
    let mut pairs = Vec::new();
    for one in 0..parts.len() {
        for other in one + 1..parts.len() {
            let Some(Beside { pair, by_item }) = beside(options.seed, parts, [one, other], observer)? else {
                return Ok(None);
            };
            pairs.push(pair);
            each.iter_mut().zip(by_item).for_each(|(item, value)| item.agreement.push(value));
        }
    }
    let Some(changes) = changes(options, parts, &mut each, observer)? else { return Ok(None) };
    let figures = |part: &Modality| PartFigures {
        name: part.name.clone(),
        weight: part.weight,
        width: part.centring.mean.len(),
        lacking: part.vectors.iter().filter(|vector| vector.is_none()).count(),
    };
    let parts = parts.iter().map(figures).collect();
    Ok(Some(Modalities { items: items.len(), parts, pairs, codes: options.codes(items.len()), changes, each }))
}

/// Two sources, and by item how far they agree on its neighbours.
struct Beside {
    pair: Pair,
    by_item: Vec<Option<f64>>,
}

/// Looks at two sources; none where the observer ended it.
fn beside(
    seed: u64,
    parts: &[Modality],
    of: [usize; 2],
    observer: &mut dyn Observer,
) -> Result<Option<Beside>, InputError> {
    let [one, other] = of.map(|part| &parts[part]);
    let all: Vec<Option<(&[f64], &[f64])>> =
        one.vectors.iter().zip(&other.vectors).map(|(one, other)| Some((one.as_deref()?, other.as_deref()?))).collect();
    let place: Vec<usize> = (0..all.len()).filter(|&item| all[item].is_some()).collect();
    let (of_one, of_other): (Vec<&[f64]>, Vec<&[f64]>) = all.iter().flatten().copied().unzip();
    let items = place.len();
    if items < 3 {
        let problem = format!("{items} items have a vector in {} and in {}", one.name, other.name);
        return Err(InputError::new("semantic ids", problem)
            .at("semantic_ids.source")
            .advice("three or more are needed to compare both; see that the rows of files belong to the items' ids"));
    }
    let drawn = |most: usize, what: &str| {
        let mut random = ChaCha8Rng::seed_from_u64(seeds::derive(seed, &["modalities", what]));
        let mut drawn = index::sample(&mut random, items, items.min(most)).into_vec();
        drawn.sort_unstable();
        drawn
    };
    let (asked, neighbours) = (drawn(ASKED, "asked"), NEIGHBOURS.min(items - 1));
    let mut near = |vectors: &[&[f64]], part: usize| {
        let seed = seeds::derive(seed, &["modalities", "ties", &part.to_string()]);
        neighbours::nearest(vectors, &asked, neighbours, seed, &mut || observer.stopped())
    };
    let Some(near_one) = near(&of_one, of[0]) else { return Ok(None) };
    let Some(near_other) = near(&of_other, of[1]) else { return Ok(None) };
    let common: Vec<usize> =
        near_one.iter().zip(&near_other).map(|(one, other)| agreement::in_common(one, other)).collect();
    let by_chance = agreement::by_chance(items - 1, neighbours);
    let mut by_item = vec![None; all.len()];
    for (&row, &common) in asked.iter().zip(&common) {
        by_item[place[row]] = Some(jaccard(common, neighbours));
    }
    let share = |count: usize| count as f64 / asked.len() as f64;
    let in_common: Vec<f64> =
        (0..=neighbours).map(|number| share(common.iter().filter(|&&common| common == number).count())).collect();
    let mean = |shares: &[f64]| {
        shares.iter().enumerate().map(|(common, share)| share * jaccard(common, neighbours)).sum::<f64>()
    };
    let rare = agreement::rare(&by_chance);
    let drawn = drawn(ALIGNED, "aligned");
    let alignment = alignment::linear(&rows(&of_one, &drawn), &rows(&of_other, &drawn));
    let pair = Pair {
        parts: of,
        items,
        asked: asked.len(),
        neighbours,
        agreement: mean(&in_common),
        chance: mean(&by_chance),
        beyond: share(common.iter().filter(|&&common| common >= rare).count()),
        in_common,
        in_common_by_chance: by_chance,
        alignment: alignment.map(|found| found.value),
        alignment_by_chance: alignment.map(|found| found.by_chance),
        alignment_items: drawn.len(),
    };
    Ok(Some(Beside { pair, by_item }))
}

fn rows<'v>(vectors: &[&'v [f64]], of: &[usize]) -> Vec<&'v [f64]> {
    of.iter().map(|&row| vectors[row]).collect()
}

/// Trains ids of all sources, without each and with other seeds, and says what changes, also of each item; none where the observer
/// ended it.
fn changes(
    options: &TrainIds,
    parts: &[Modality],
    each: &mut [ItemFigures],
    observer: &mut dyn Observer,
) -> Result<Option<Vec<Change>>, InputError> {
    let (items, categories) = (each.len(), vec![None; each.len()]);
    let (levels, codes) = (options.levels, options.codes(items));
    let (mut done, of) = (0, 1 + parts.len() + SEEDS as usize);
    let mut train = |vectors: &[Vec<f64>], seed: u64| -> Result<Option<Vec<u32>>, InputError> {
        let options = TrainIds { seed, ..options.clone() };
        let trained = options.train(vectors, &categories, None, observer)?;
        done += 1;
        observer.hear(&Step::Compared { done, of });
        Ok(trained.map(|trained| trained.nearest))
    };
    let whole = Modality::joined(parts, items);
    let Some(base) = train(&whole, options.seed)? else { return Ok(None) };
    let base = left_out::Grouped::of(&base, levels, codes);
    let mut changes = Vec::with_capacity(parts.len() + 1);
    for without in 0..parts.len() {
        let rest = parts.iter().enumerate().filter(|(part, _)| *part != without).map(|(_, part)| part);
        let Some(ids) = train(&Modality::joined(rest, items), options.seed)? else { return Ok(None) };
        let change = base.changed(&[left_out::Grouped::of(&ids, levels, codes)], each);
        changes.push(Change { without: Some(without), ..change });
    }
    let mut others = Vec::new();
    for number in 1..=SEEDS {
        let Some(ids) = train(&whole, options.seed.wrapping_add(number))? else { return Ok(None) };
        others.push(left_out::Grouped::of(&ids, levels, codes));
    }
    changes.push(base.changed(&others, each));
    Ok(Some(changes))
}

#[cfg(test)]
mod tests;
