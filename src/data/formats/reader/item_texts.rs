//! Where every format's texts of items go.

use std::path::Path;

use super::skipped::Skipped;
use crate::data::formats::assumption::Assumption;
use crate::data::formats::value::ids::without_fraction;
use crate::data::interactions::ItemText;
use crate::data::names::Names;
use crate::error::InputError;

/// Longest description that is kept, in bytes; a model that embeds it reads less.
const MAX_DESCRIPTION: usize = 4000;

/// Where texts go: those of items that nobody interacted with are left out.
pub struct ItemTexts<'t> {
    pub items: &'t Names,
    pub texts: Vec<ItemText>,
    pub skipped: &'t mut Skipped,
    /// Records that were taken in, and those of which a text was not UTF-8.
    pub read: u64,
    pub not_utf8: u64,
    /// By item: whether something was said of it.
    found: Vec<bool>,
    /// An id of no item of the interactions.
    stranger: Option<String>,
}

impl<'t> ItemTexts<'t> {
    /// For the items of interactions.
    pub fn new(items: &'t Names, skipped: &'t mut Skipped) -> Self {
        let (texts, found) = (vec![ItemText::default(); items.len()], vec![false; items.len()]);
        Self { items, texts, skipped, read: 0, not_utf8: 0, found, stranger: None }
    }

    /// Takes in what is said of an item.
    pub fn take(&mut self, id: &str, text: ItemText) {
        self.read += 1;
        // Interactions have whole numbers without a fraction.
        let number = self.items.find(id).or_else(|| self.items.find(without_fraction(id)?));
        let Some(number) = number else {
            self.stranger.get_or_insert_with(|| id.to_owned());
            return;
        };
        self.found[number as usize] = true;
        // Of several records of an item, the first that says something counts.
        let known = &mut self.texts[number as usize];
        if known.is_empty() {
            *known = text;
        }
    }

    /// How many items of the interactions the file says something of.
    ///
    /// # Errors
    /// It says something of none of them.
    pub fn assumptions(&self, path: &Path) -> Result<Vec<Assumption>, InputError> {
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
        let (found, all) = (self.found.iter().filter(|found| **found).count(), self.items.len());
        let known = if self.items.is_empty() { "" } else { self.items.get(0) };
        if let (0, Some(stranger)) = (found, &self.stranger) {
            let problem = format!("none of its {} items is among the interactions", self.read);
            return Err(InputError::new(path, problem).advice(format!(
                "its ids are like `{stranger}`, those of the interactions like `{known}`: name the column with the same ids, or leave `items` out"
            )));
        }
        let mut told = vec![Assumption::fact(format!("{name} says something of {found} of {all} items"))];
        if let (Some(stranger), true) = (&self.stranger, 2 * found < all) {
            told.push(Assumption::fact(format!(
                "Most items are not in {name}: its other ids are like {stranger}, those of the interactions like {known}"
            )));
        }
        if self.not_utf8 > 0 {
            told.push(Assumption::fact(format!(
                "{} records of {name} are not UTF-8, read as ISO-8859-1",
                self.not_utf8
            )));
        }
        Ok(told)
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
