//! Where every format's texts of items go.

use super::sink::Skipped;
use crate::data::interactions::ItemText;
use crate::data::names::Names;

/// Longest description that is kept, in bytes; a model that embeds it reads less.
const MAX_DESCRIPTION: usize = 4000;

/// Where texts go: those of items that nobody interacted with are left out.
pub struct ItemTexts<'t> {
    pub items: &'t Names,
    pub texts: Vec<ItemText>,
    pub skipped: &'t mut Skipped,
}

impl ItemTexts<'_> {
    /// Takes in what is said of an item.
    pub fn take(&mut self, id: &str, text: ItemText) {
        if let Some(number) = self.items.find(id) {
            // Of several records of an item, the first that says something counts.
            let known = &mut self.texts[number as usize];
            if known.is_empty() {
                *known = text;
            }
        }
    }
}

/// The categories of one text.
pub fn split_categories(text: &str, between: &str) -> Vec<String> {
    text.split(between).map(str::trim).filter(|part| !part.is_empty() && *part != "\\N").map(str::to_owned).collect()
}

/// At most as much of a text as is kept.
pub fn shortened(mut text: String) -> String {
    text.truncate(text.floor_char_boundary(MAX_DESCRIPTION));
    text
}
