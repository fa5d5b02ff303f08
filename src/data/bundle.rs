//! What a bundle of results has in place of its data: the catalogue and the figures of the data, without anything that a user
//! did.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{DataDrift, Dataset, Item, Stage, Summary};
use crate::error::InputError;
use crate::files;
use crate::semantic_id::SemanticIndex;

/// Name of the file beside the project file.
pub const FILE: &str = "catalogue.json";
/// Larger than any catalogue.
const LARGEST: u64 = 4 << 30;

/// What a user is called in a bundle, by its number there.
pub fn pseudonym(number: usize) -> String {
    format!("P{}", number + 1)
}

/// A dataset without interactions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataBundle {
    pub name: String,
    pub items: Vec<Item>,
    /// As [`SemanticIndex`] has them.
    pub levels: usize,
    pub tokens: Vec<String>,
    pub token_level: Vec<u8>,
    pub codes: Vec<u32>,
    /// How many users there are; nothing else is known of them.
    pub users: usize,
    pub stages: usize,
    pub synthetic: bool,
    /// Hash of the data.
    pub hash: String,
    pub summary: Summary,
    pub drift: DataDrift,
}

impl DataBundle {
    /// A dataset without what users did, and without titles where these are not to be told.
    pub fn of(dataset: &Dataset, drift: DataDrift, titles: bool) -> Self {
        let SemanticIndex { levels, tokens, token_level, codes } = dataset.index.clone();
        let item = |item: &Item| Item { id: item.id.clone(), title: item.title.clone().filter(|_| titles) };
        Self {
            name: dataset.name.clone(),
            items: dataset.items.iter().map(item).collect(),
            levels,
            tokens,
            token_level,
            codes,
            users: dataset.users.len(),
            stages: dataset.stages.len(),
            synthetic: dataset.synthetic,
            hash: dataset.hash.clone(),
            summary: dataset.summary(),
            drift,
        }
    }

    /// Reads the one in a project's folder.
    ///
    /// # Errors
    /// It is missing or damaged.
    pub fn read(folder: &Path) -> Result<Self, InputError> {
        let file = folder.join(FILE);
        let text = files::read_text(&file, LARGEST)?;
        let bundle: Self = serde_json::from_str(&text).map_err(|error| InputError::new(&file, error.to_string()))?;
        let tokens = bundle.tokens.len();
        let whole = bundle.levels > 0
            && bundle.token_level.len() == tokens
            && bundle.codes.len() == bundle.levels * bundle.items.len()
            && bundle.codes.iter().all(|&code| (code as usize) < tokens);
        // Names of users are made from their number, and a stage takes some room too.
        const MOST: usize = 100_000_000;
        if whole && bundle.users <= MOST && bundle.stages <= 1_000 {
            Ok(bundle)
        } else {
            Err(InputError::new(file, "the semantic ids do not fit the items").advice("unpack the bundle again"))
        }
    }

    /// The dataset that views draw: items and pseudonyms of users, in stages in which nobody does anything.
    pub fn dataset(&self) -> Dataset {
        Dataset {
            name: self.name.clone(),
            items: self.items.clone(),
            users: (0..self.users).map(pseudonym).collect(),
            index: SemanticIndex {
                levels: self.levels,
                tokens: self.tokens.clone(),
                token_level: self.token_level.clone(),
                codes: self.codes.clone(),
            },
            stages: vec![Stage::default(); self.stages],
            synthetic: self.synthetic,
            hash: self.hash.clone(),
        }
    }
}
