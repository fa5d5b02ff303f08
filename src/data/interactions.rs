//! Interactions as a format gives them, before they are prepared and cut into stages.

use serde::{Deserialize, Serialize};

use super::names::Names;

/// Who did what when, in file order, column by column, and what is known of the items.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Interactions {
    /// Short name for titles and file names.
    pub name: String,
    pub users: Names,
    pub items: Names,
    /// By interaction: numbers in `users` and `items`.
    pub user: Vec<u32>,
    pub item: Vec<u32>,
    /// By interaction: milliseconds since 1970, UTC. Empty where the format has no times; then a user's interactions are in
    /// file order, and users cannot be compared.
    pub time: Vec<i64>,
    /// By interaction, not a number where it has none; empty where the format has no ratings.
    pub rating: Vec<f32>,
    /// By interaction: the number of the file that it was read from; empty where there is one.
    pub file: Vec<u16>,
    /// By number in `items`; empty where no file says anything of the items.
    pub texts: Vec<ItemText>,
}

/// What is written about an item: titles for people, and the text that semantic ids are made of.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ItemText {
    pub title: Option<String>,
    pub description: Option<String>,
    /// From coarse to fine where the format has an order.
    pub categories: Vec<String>,
}

impl ItemText {
    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        self.title.is_none() && self.description.is_none() && self.categories.is_empty()
    }

    /// One text for a language model to embed: title, categories and description, a line each.
    pub fn joined(&self) -> String {
        let categories = self.categories.join(", ");
        let parts = [self.title.as_deref(), Some(categories.as_str()), self.description.as_deref()];
        parts.into_iter().flatten().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n")
    }
}

impl Interactions {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.user.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.user.is_empty()
    }

    /// First and last time, in milliseconds since 1970.
    pub fn period(&self) -> Option<(i64, i64)> {
        Some((*self.time.iter().min()?, *self.time.iter().max()?))
    }
}
