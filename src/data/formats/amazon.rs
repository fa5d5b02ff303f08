//! Reviews, ratings and metadata of Amazon in the editions of 2014, 2018 and 2023 (McAuley Lab).

use std::path::{Path, PathBuf};

use super::Format;
use super::plan::{Delimited, ItemLayout, ItemRoles, Layout, Roles, Separator};
use super::sample::{Look, is_number};
use crate::error::InputError;

/// Times that are larger are milliseconds.
const SECONDS_END: f64 = 1e11;

/// How a file of interactions of an edition is written; none where it is not one.
///
/// # Errors
/// `certain` is false when the format was named by the user: then a file of ratings that says nothing about the order of
/// its columns is read as the edition has them, and one that contradicts it is refused.
pub fn layout(edition: Format, look: &Look, certain: bool) -> Result<Option<Layout>, InputError> {
    if let Some(object) = look.object() {
        let has = |keys: &[&str]| keys.iter().all(|key| object.contains_key(*key));
        let fits = match edition {
            Format::Amazon2023 => has(&["user_id", "parent_asin", "timestamp"]),
            _ => has(&["reviewerID", "asin"]) && (!certain || edition == edition_of_review(&object)),
        };
        return Ok(fits.then(|| Layout::Objects(keys(edition))));
    }
    ratings(edition, look, certain)
}

/// Of the editions whose reviews have the same fields, the one that the others tell.
fn edition_of_review(review: &serde_json::Map<String, serde_json::Value>) -> Format {
    let of_2018 = ["verified", "vote", "style", "image"];
    if of_2018.iter().any(|key| review.contains_key(*key)) { Format::Amazon2018 } else { Format::Amazon2014 }
}

fn keys(edition: Format) -> Roles<&'static str> {
    if edition == Format::Amazon2023 {
        Roles { user: "user_id", item: "parent_asin", time: Some("timestamp"), rating: Some("rating") }
    } else {
        Roles { user: "reviewerID", item: "asin", time: Some("unixReviewTime"), rating: Some("overall") }
    }
}

/// Ratings as comma-separated values: without a header in 2014 and 2018, with or without one in 2023.
fn ratings(edition: Format, look: &Look, certain: bool) -> Result<Option<Layout>, InputError> {
    let rows = look.rows(b',', true);
    let Some(first) = rows.first() else { return Ok(None) };
    let header = first.get(..4).is_some_and(|names| names == ["user_id", "parent_asin", "rating", "timestamp"]);
    let rows: Vec<&[String]> =
        rows.iter().skip(usize::from(header)).filter_map(|row| row.get(..4)).filter(|row| is_rating(row)).collect();
    // Other names of columns are those of another table.
    let named = !header && first.iter().all(|cell| !is_number(cell));
    if rows.is_empty() || first.len() > 5 || named {
        return Ok(None);
    }
    let milliseconds = rows.iter().all(|row| row[3].trim().parse::<f64>().is_ok_and(|time| time >= SECONDS_END));
    let order = Order::of(&rows);
    let (expected, fits) = match edition {
        Format::Amazon2023 => (Order::UserFirst, milliseconds || header),
        Format::Amazon2018 => (Order::ItemFirst, !milliseconds && !header),
        _ => (Order::UserFirst, !milliseconds && !header),
    };
    if certain {
        let told = order == expected || header && edition == Format::Amazon2023;
        if !(fits && told) {
            return Ok(None);
        }
    } else if order != expected && order != Order::Unclear {
        return Err(InputError::new(
            &look.path,
            format!("the columns are in another order than in {}", edition.label()),
        )
        .at(format!("line {}", 1 + usize::from(header)))
        .advice("ratings of 2014 and 2023 have the user before the item, those of 2018 the item before the user"));
    }
    let columns = match expected {
        Order::ItemFirst => Roles { user: 1, item: 0, time: Some(3), rating: Some(2) },
        Order::UserFirst | Order::Unclear => Roles { user: 0, item: 1, time: Some(3), rating: Some(2) },
    };
    let names = if header { first.clone() } else { (1..=first.len()).map(|number| format!("#{number}")).collect() };
    let table = Delimited { separator: Separator::Quoted(b','), header, columns: names };
    Ok(Some(Layout::Delimited { table, roles: columns }))
}

/// Two ids that are no numbers of few digits, a rating and a time.
fn is_rating(row: &[String]) -> bool {
    is_number(&row[2]) && is_number(&row[3]) && row[..2].iter().all(|id| id.len() >= 9)
}

/// Which of the first two columns is the user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    UserFirst,
    ItemFirst,
    /// The ids do not tell.
    Unclear,
}

impl Order {
    /// What the ids of the first rows tell.
    fn of(rows: &[&[String]]) -> Self {
        let first = rows.iter().any(|row| is_user(&row[0]) && is_item(&row[1]));
        let second = rows.iter().any(|row| is_item(&row[0]) && is_user(&row[1]));
        match (first, second) {
            (true, false) => Self::UserFirst,
            (false, true) => Self::ItemFirst,
            _ => Self::Unclear,
        }
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
pub fn items(look: &Look) -> Option<ItemLayout> {
    let object = look.object()?;
    let is_review = object.contains_key("reviewerID") || object.contains_key("user_id");
    let id = ["parent_asin", "asin"].into_iter().find(|key| object.contains_key(*key)).filter(|_| !is_review)?;
    // 2018 has `category`, 2014 and 2023 `categories`; a first item may lack either.
    let categories = if object.contains_key("category") { "category" } else { "categories" };
    let (title, description) = (Some("title"), Some("description"));
    Some(ItemLayout::Objects(ItemRoles { id, title, description, categories: Some(categories) }))
}

/// The category in a file's name: `Video_Games` of `reviews_Video_Games_5.json.gz`.
pub fn category(look: &Look) -> String {
    let name = look.name();
    let name = name.split('.').next().unwrap_or(&name);
    let name = name.strip_prefix("reviews_").or(name.strip_prefix("ratings_")).unwrap_or(name);
    name.strip_suffix("_5").unwrap_or(name).to_owned()
}

/// The file of metadata that belongs to a file of reviews or ratings.
pub fn items_beside(look: &Look) -> Option<PathBuf> {
    let folder = look.path.parent().unwrap_or(Path::new("."));
    let category = category(look);
    let ends = ["jsonl", "json"].into_iter().flat_map(|kind| ["", ".gz", ".zst"].map(|end| format!("{kind}{end}")));
    ends.map(|end| folder.join(format!("meta_{category}.{end}"))).find(|path| path.is_file())
}
