//! How good semantic ids are, in figures.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::append::Appended;
use crate::error::InputError;
use crate::semantic_id::index::IndexFile;

/// Figures of trained semantic ids.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Quality {
    pub items: usize,
    /// Codes that each level could use.
    pub codes: usize,
    pub levels: Vec<LevelQuality>,
    /// Before items with the same id were given other codes, and after.
    pub before: Collisions,
    /// After the rounds in which groups that share an id are spread; none where the method has no such rounds.
    pub spread: Option<Spread>,
    pub after: Collisions,
    /// Items that were at last given the nearest free code, because they still shared an id.
    pub reassigned: usize,
    /// Share of items with a category whose first category is the most frequent one of all.
    pub category_baseline: Option<f64>,
}

/// Figures of a level.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LevelQuality {
    /// Codes that some item has, after reassigning.
    pub used: usize,
    /// Codes that no item has.
    pub dead: usize,
    /// `exp` of the entropy of the codes: as many codes, evenly used, would say as much.
    pub perplexity: f64,
    /// Mean squared error of the item vectors as the codes up to this level describe them, before reassigning.
    pub error: f64,
    /// Share of items whose first category is the most frequent one of the *other* items with the same codes up to this
    /// level; an item alone with its codes counts as missed. None where no item has a category.
    pub category: Option<f64>,
}

/// What the rounds of [`spread`](super::reassign::spread) came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spread {
    pub rounds: usize,
    pub after: Collisions,
}

/// Items that share an id with others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Collisions {
    pub distinct_ids: usize,
    /// Items that are not alone with their id.
    pub items: usize,
    /// Items of the id that most share.
    pub largest: usize,
}

impl Collisions {
    /// Those of `items x levels` codes (row-major).
    pub fn of(numbers: &[u32], levels: usize) -> Self {
        let mut sizes: BTreeMap<&[u32], usize> = BTreeMap::new();
        numbers.chunks(levels).for_each(|row| *sizes.entry(row).or_default() += 1);
        Self {
            distinct_ids: sizes.len(),
            items: sizes.values().filter(|&&size| size > 1).sum(),
            largest: sizes.into_values().max().unwrap_or(0),
        }
    }
}

/// An index file in figures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct IndexSummary {
    pub items: usize,
    pub levels: usize,
    /// Codes that occur, by level.
    pub codes: Vec<usize>,
    pub collisions: Collisions,
}

impl IndexSummary {
    /// Reads an index file and counts it.
    ///
    /// # Errors
    /// It is no index, or a damaged one; see [`IndexFile::read`].
    pub fn read(file: &Path) -> Result<Self, InputError> {
        let index = IndexFile::read(file)?;
        let codes =
            |level: usize| index.numbers.iter().skip(level).step_by(index.levels).collect::<BTreeSet<_>>().len();
        Ok(Self {
            items: index.items.len(),
            levels: index.levels,
            codes: (0..index.levels).map(codes).collect(),
            collisions: Collisions::of(&index.numbers, index.levels),
        })
    }
}

impl Quality {
    /// Measures ids (`items x levels`, row-major) before and after reassigning, of which `spread` and `reassigned` are left to say
    /// more. A level has `codes` codes; `errors` are those of the levels, `categories` the first of each item.
    pub fn measure(before: &[u32], after: &[u32], codes: usize, errors: &[f64], categories: &[Option<&str>]) -> Self {
        let levels = errors.len();
        let level = |(level, &error): (usize, &f64)| {
            let mut sizes: BTreeMap<u32, usize> = BTreeMap::new();
            after.chunks(levels).for_each(|row| *sizes.entry(row[level]).or_default() += 1);
            let shares = sizes.values().map(|&size| size as f64 / categories.len() as f64);
            LevelQuality {
                used: sizes.len(),
                dead: codes.saturating_sub(sizes.len()),
                perplexity: shares.map(|share| -share * share.ln()).sum::<f64>().exp(),
                error,
                category: predicted(after.chunks(levels).map(|row| &row[..=level]), categories),
            }
        };
        let mut sizes: BTreeMap<&str, usize> = BTreeMap::new();
        categories.iter().flatten().for_each(|category| *sizes.entry(category).or_default() += 1);
        let known: usize = sizes.values().sum();
        Self {
            items: categories.len(),
            codes,
            levels: errors.iter().enumerate().map(level).collect(),
            before: Collisions::of(before, levels),
            spread: None,
            after: Collisions::of(after, levels),
            reassigned: 0,
            category_baseline: sizes.values().max().map(|&max| max as f64 / known as f64),
        }
    }
}

impl Quality {
    /// The figures with items that were appended: `nearest` and `ids` are the codes of all items (`items x levels`, row-major), the
    /// appended ones last, before and after items that shared theirs were given others.
    #[must_use]
    pub fn grown(&self, nearest: &[u32], ids: &[u32], appended: &Appended, categories: &[Option<&str>]) -> Self {
        let added = categories.len() - self.items;
        let mean = |(level, error): (&LevelQuality, &f64)| {
            (level.error * self.items as f64 + error * added as f64) / categories.len().max(1) as f64
        };
        let errors: Vec<f64> = self.levels.iter().zip(&appended.errors).map(mean).collect();
        let reassigned = self.reassigned + appended.moved + appended.shared;
        Self { spread: self.spread, reassigned, ..Self::measure(nearest, ids, self.codes, &errors, categories) }
    }
}

/// See [`LevelQuality::category`]. Of categories that are as frequent, the first in the alphabet is predicted.
fn predicted<'a>(prefixes: impl Iterator<Item = &'a [u32]>, categories: &[Option<&'a str>]) -> Option<f64> {
    let mut groups: BTreeMap<&[u32], BTreeMap<&str, usize>> = BTreeMap::new();
    for (prefix, category) in prefixes.zip(categories) {
        if let Some(category) = category {
            *groups.entry(prefix).or_default().entry(category).or_default() += 1;
        }
    }
    let known: usize = groups.values().flat_map(BTreeMap::values).sum();
    let mut right = 0;
    for sizes in groups.values() {
        for (own, &size) in sizes {
            // Without the item itself its category is one smaller.
            let others = sizes.iter().map(|(&category, &size)| (size - usize::from(category == *own), category));
            let best = others.filter(|&(size, _)| size > 0);
            let best = best.max_by(|one, other| one.0.cmp(&other.0).then(other.1.cmp(one.1)));
            right += if best.is_some_and(|(_, category)| category == *own) { size } else { 0 };
        }
    }
    (known > 0).then(|| right as f64 / known as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_those_counted_by_hand() {
        // Five items of two levels; 0 and 1 share an id before, and all ids differ after.
        let before = [0, 0, 0, 0, 0, 2, 3, 0, 3, 1];
        let after = [0, 0, 0, 1, 0, 2, 3, 0, 3, 1];
        let categories = [Some("x"), Some("x"), Some("y"), Some("y"), None];
        let found = Quality::measure(&before, &after, 4, &[0.5, 0.25], &categories);
        assert_eq!(found.before, Collisions { distinct_ids: 4, items: 2, largest: 2 });
        assert_eq!(found.after, Collisions { distinct_ids: 5, items: 0, largest: 1 });
        assert_eq!((found.levels[0].used, found.levels[0].dead, found.levels[1].used), (2, 2, 3));
        // Shares 3/5 and 2/5: exp(-0.6 ln 0.6 - 0.4 ln 0.4).
        assert!((found.levels[0].perplexity - 1.960_132).abs() < 1e-6, "{}", found.levels[0].perplexity);
        // On level 1: the two x of code 0 see one x and one y each, where x comes first; y sees two x; the y of code 3 is
        // alone. On level 2 every item is alone.
        assert_eq!((found.levels[0].category, found.levels[1].category), (Some(0.5), Some(0.0)));
        assert_eq!(found.category_baseline, Some(0.5));
    }

    #[test]
    fn without_categories_nothing_is_said_of_them() {
        let found = Quality::measure(&[0, 1], &[0, 1], 2, &[0.0], &[None, None]);
        assert_eq!((found.levels[0].category, found.category_baseline), (None, None));
    }
}
