//! Reviews, ratings and metadata of Amazon in the editions of 2014, 2018 and 2023 (McAuley Lab).

use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use crate::data::formats::plan::{Delimited, ItemLayout, ItemRoles, Layout, Roles, Separator};
use crate::data::formats::spec::{FormatSpec, Reader};
use crate::data::formats::telling::sample::{FileSample, is_number};
use crate::error::InputError;

/// Times that are larger are milliseconds.
const SECONDS_END: f64 = 1e11;
/// Of a file of ratings with a header.
const HEADER: [&str; 4] = ["user_id", "parent_asin", "rating", "timestamp"];

/// What sets the files of an edition apart.
pub(super) struct Edition {
    pub spec: &'static FormatSpec,
    /// Keys that every review has.
    pub required: &'static [&'static str],
    /// Keys of what is read of a review.
    pub keys: Roles<&'static str>,
    /// Whether a review with these keys is one of this edition rather than of another.
    pub is_review: fn(&Map<String, Value>) -> bool,
    /// The first of the columns of ratings.
    pub first: FirstColumn,
    /// Whether times are milliseconds, and ratings may have a header; else times are seconds, and there is none.
    pub milliseconds: bool,
}

/// Which of the first two columns of ratings is the user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FirstColumn {
    User,
    Item,
}

/// What all editions have in common; each names its layout.
pub(super) const READER: Reader =
    Reader { items, items_path, name: |sample| category(sample).replace('_', " "), reason, ..Reader::ONE_FILE };

impl Edition {
    /// How a file of interactions is written; none where it is not one of this edition. Where the user has `named` it, ratings
    /// that say nothing about the order of their columns are read as the edition has them.
    ///
    /// # Errors
    /// The edition is named, and the columns are in the order of another.
    pub(super) fn layout(&self, sample: &FileSample, named: bool) -> Result<Option<Layout>, InputError> {
        let Some(object) = sample.object() else { return self.ratings(sample, named) };
        let has_keys = self.required.iter().all(|key| object.contains_key(*key));
        let is_review = has_keys && (named || (self.is_review)(&object));
        Ok(is_review.then(|| Layout::Objects(self.keys.map(|&key| key.to_owned()))))
    }

    /// Ratings as comma-separated values: without a header in 2014 and 2018, with or without one in 2023.
    fn ratings(&self, sample: &FileSample, named: bool) -> Result<Option<Layout>, InputError> {
        let rows = sample.rows(b',', true);
        let Some(first) = rows.first() else { return Ok(None) };
        let header = first.get(..4).is_some_and(|names| names == HEADER);
        let rows: Vec<&[String]> =
            rows.iter().skip(usize::from(header)).filter_map(|row| row.get(..4)).filter(|row| is_rating(row)).collect();
        // Other names of columns are those of another table.
        let other_header = !header && first.iter().all(|cell| !is_number(cell));
        if rows.is_empty() || first.len() > 5 || other_header {
            return Ok(None);
        }
        let milliseconds = rows.iter().all(|row| row[3].trim().parse::<f64>().is_ok_and(|time| time >= SECONDS_END));
        let order = first_column(&rows);
        if named {
            if order.is_some_and(|order| order != self.first) {
                return Err(self.other_order(sample, header));
            }
        } else {
            let fits = if self.milliseconds { milliseconds || header } else { !milliseconds && !header };
            let is_clear = order == Some(self.first) || header && self.milliseconds;
            if !(fits && is_clear) {
                return Ok(None);
            }
        }
        let (user, item) = match self.first {
            FirstColumn::User => (0, 1),
            FirstColumn::Item => (1, 0),
        };
        let columns = if header { first.clone() } else { (1..=first.len()).map(|n| format!("#{n}")).collect() };
        let table = Delimited::new(Separator::Quoted(b','), header, columns);
        Ok(Some(Layout::Delimited { table, roles: Roles { user, item, time: Some(3), rating: Some(2) } }))
    }

    fn other_order(&self, sample: &FileSample, header: bool) -> InputError {
        let problem = format!("the columns are in another order than in {}", self.spec.label);
        InputError::new(&sample.path, problem)
            .at(format!("line {}", 1 + usize::from(header)))
            .advice("ratings of 2014 and 2023 have the user before the item, those of 2018 the item before the user")
    }
}

/// Whether a review has a field that those of 2014, which have the same keys otherwise, do not have.
pub(super) fn is_of_2018(review: &Map<String, Value>) -> bool {
    ["verified", "vote", "style", "image"].iter().any(|key| review.contains_key(*key))
}

/// Two ids that are no numbers of few digits, a rating and a time.
fn is_rating(row: &[String]) -> bool {
    is_number(&row[2]) && is_number(&row[3]) && row[..2].iter().all(|id| id.len() >= 9)
}

/// Which of the first two columns the ids of the first rows tell to be the user; none where they do not.
fn first_column(rows: &[&[String]]) -> Option<FirstColumn> {
    let user_first = rows.iter().any(|row| is_user(&row[0]) && is_item(&row[1]));
    let item_first = rows.iter().any(|row| is_item(&row[0]) && is_user(&row[1]));
    match (user_first, item_first) {
        (true, false) => Some(FirstColumn::User),
        (false, true) => Some(FirstColumn::Item),
        _ => None,
    }
}

/// Whether a text is an ASIN: ten letters and digits, beginning with B, or the number of a book.
fn is_item(id: &str) -> bool {
    let book = id.bytes().take(9).all(|byte| byte.is_ascii_digit());
    id.len() == 10 && is_code(id) && (id.starts_with('B') || book)
}

/// Whether a text is a reviewer: longer, and beginning with A.
fn is_user(id: &str) -> bool {
    id.len() > 10 && is_code(id) && id.starts_with('A')
}

fn is_code(id: &str) -> bool {
    id.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

/// How a file of metadata is written; none where it is not one.
fn items(sample: &FileSample) -> Option<ItemLayout> {
    let object = sample.object()?;
    let is_review = object.contains_key("reviewerID") || object.contains_key("user_id");
    let id = ["parent_asin", "asin"].into_iter().find(|key| object.contains_key(*key)).filter(|_| !is_review)?;
    // 2018 has `category`, 2014 and 2023 `categories`; a first item may lack either.
    let categories = if object.contains_key("category") { "category" } else { "categories" };
    Some(ItemLayout::Objects(ItemRoles::of(id, "title", Some("description"), categories)))
}

/// The category in a file's name: `Video_Games` of `reviews_Video_Games_5.json.gz`.
fn category(sample: &FileSample) -> String {
    let name = sample.name();
    let name = name.split('.').next().unwrap_or(&name);
    let name = name.strip_prefix("reviews_").or(name.strip_prefix("ratings_")).unwrap_or(name);
    name.strip_suffix("_5").unwrap_or(name).to_owned()
}

/// The file of metadata that belongs to a file of reviews or ratings.
fn items_path(sample: &FileSample) -> Option<PathBuf> {
    let folder = sample.path.parent().unwrap_or(Path::new("."));
    let category = category(sample);
    let ends = ["jsonl", "json"].into_iter().flat_map(|kind| ["", ".gz", ".zst"].map(|end| format!("{kind}{end}")));
    ends.map(|end| folder.join(format!("meta_{category}.{end}"))).find(|path| path.is_file())
}

fn reason(layout: &Layout) -> String {
    match layout {
        Layout::Delimited { roles, .. } => {
            let first = if roles.user < roles.item { "user" } else { "item" };
            format!("Each line has ids of Amazon, the {first} first, then rating and time")
        }
        other => other.reason(),
    }
}
