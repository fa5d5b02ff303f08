//! Atomic files of RecBole: columns between tabs, under names with types.

use std::path::PathBuf;

use crate::data::formats::plan::{Augmented, Delimited, ItemLayout, ItemRoles, Layout, Roles, Separator};
use crate::data::formats::spec::{FormatSpec, Reader, SourceFields};
use crate::data::formats::telling::sample::FileSample;
use crate::data::term::Term;

pub static SPEC: FormatSpec = FormatSpec {
    key: "RecBole",
    label: "RecBole",
    kinds: "",
    summary: "Atomic files of the RecBole library: a table of interactions and one of items, whose columns say their types.",
    files: &[
        Term {
            name: "<name>.inter",
            meaning: "tab-separated, under a header like `user_id:token`, `item_id:token`, `rating:float`, `timestamp:float`; \
                      user (or `session_id`) and item are needed; or three files with `.train`, `.valid` and `.test` before `.inter`",
        },
        Term {
            name: "<name>.item",
            meaning: "tab-separated, with `item_id:token` and columns such as `title`, `description`, `categories` or `genre`; \
                      optional",
        },
    ],
    recognition: "a first line of which every name has a type: `token`, `token_seq`, `float` or `float_seq`",
    certain: true,
    expected: "a `.inter` file with a header like `user_id:token` was expected",
    traps: &[
        "Sequences within a column (`token_seq`) are separated by blanks: a category of two words is two.",
        "The item is `item_id` or what data sets of RecBole call it (`artist_id`, `business_id`, `venue_id`, `product_id`, …), else the \
         first id that is not the user.",
        "Lines with earlier items (`item_id_list`) repeat them: every interaction is taken once.",
        "The time is `timestamp`, `time` or `date`, the rating `rating`, `stars`, `overall` or `weight` (plays of Last.fm); other names \
         are not used. `.user` files are not read.",
        "`<name>.train.inter`, `.valid.inter` and `.test.inter` of a folder are read together; `stages: Files` makes each a stage.",
    ],
    fields: SourceFields::Interactions,
    reader: Reader { layout: |sample, _| Ok(layout(sample)), items, items_path, reason, ..Reader::ONE_FILE },
};

/// Names of columns in the data sets that RecBole publishes, without their types.
const USERS: [&str; 6] = ["user_id", "session_id", "visitor_id", "reviewer_id", "customer_id", "uid"];
const ITEMS: [&str; 17] = [
    "item_id",
    "artist_id",
    "business_id",
    "venue_id",
    "app_id",
    "product_id",
    "movie_id",
    "book_id",
    "video_id",
    "news_id",
    "recipe_id",
    "song_id",
    "track_id",
    "game_id",
    "anime_id",
    "location_id",
    "bookmark_id",
];
const TIMES: [&str; 3] = ["timestamp", "time", "date"];
const RATINGS: [&str; 4] = ["rating", "stars", "overall", "weight"];
/// Ids of the record, not of an item.
const RECORDS: [&str; 5] = ["review_id", "session_id", "impression_id", "event_id", "query_id"];

const TYPES: [&str; 4] = ["token", "token_seq", "float", "float_seq"];

/// Names of the columns; none where they have no types.
fn columns(sample: &FileSample) -> Option<Vec<String>> {
    let header = sample.rows(b'\t', false).into_iter().next()?;
    let typed =
        |column: &String| column.rsplit_once(':').is_some_and(|(name, kind)| !name.is_empty() && TYPES.contains(&kind));
    (header.len() > 1 && header.iter().all(typed)).then_some(header)
}

/// The index of the first of some names.
fn index_of(columns: &[String], names: &[&str]) -> Option<usize> {
    let named =
        |name: &&str| columns.iter().position(|column| column.rsplit_once(':').is_some_and(|(own, _)| own == *name));
    names.iter().find_map(named)
}

/// How a `.inter` file is written; none where it is no atomic file of interactions.
fn layout(sample: &FileSample) -> Option<Layout> {
    let columns = columns(sample)?;
    // Items and users have files of the same kind.
    let user = index_of(&columns, &USERS)?;
    let item = item_of(&columns, user)?;
    let history = columns.iter().position(|column| *column == format!("{}_list:token_seq", name_of(&columns[item])));
    let time = index_of(&columns, &TIMES);
    let rating = index_of(&columns, &RATINGS);
    let table = Delimited::new(Separator::Plain(b'\t'), true, columns);
    Some(match history {
        Some(history) => {
            let times = table.columns.iter().position(|column| column.starts_with("timestamp_list:")).zip(time);
            Layout::Augmented(Augmented { table, user, history, item, times })
        }
        None => Layout::Delimited { table, roles: Roles { user, item, time, rating } },
    })
}

/// The column of items: under a name that they have, else the first id that is neither the user nor one of the record itself.
fn item_of(columns: &[String], user: usize) -> Option<usize> {
    let other = |column: &String| {
        let is_id = column.strip_suffix(":token").is_some_and(|name| name.ends_with("_id"));
        is_id && !RECORDS.contains(&name_of(column))
    };
    let first = || (0..columns.len()).find(|&at| at != user && other(&columns[at]));
    index_of(columns, &ITEMS).or_else(first)
}

/// The name of a column without its type.
fn name_of(column: &str) -> &str {
    column.rsplit_once(':').map_or(column, |(name, _)| name)
}

/// How a `.item` file is written; none where it is no such file.
fn items(sample: &FileSample) -> Option<ItemLayout> {
    let columns = columns(sample)?;
    let id = index_of(&columns, &ITEMS).filter(|_| index_of(&columns, &USERS).is_none())?;
    let title = index_of(&columns, &["title", "movie_title", "item_name", "name", "product_title"]);
    let roles = ItemRoles {
        id,
        title,
        description: index_of(&columns, &["description"]),
        categories: index_of(&columns, &["categories", "category", "class", "genre", "genres"]),
    };
    let table = Delimited::new(Separator::Plain(b'\t'), true, columns);
    Some(ItemLayout::Delimited { table, roles, between: " " })
}

/// The `.item` file beside a `.inter` file.
fn items_path(sample: &FileSample) -> Option<PathBuf> {
    let name = sample.name();
    let stem = name.strip_suffix(".inter")?;
    [".item", ".item.gz", ".item.zst"]
        .map(|end| sample.path.with_file_name(format!("{stem}{end}")))
        .into_iter()
        .find(|path| path.is_file())
}

fn reason(layout: &Layout) -> String {
    match layout {
        Layout::Delimited { table, .. } => {
            let first = table.columns.first().map_or("", String::as_str);
            format!("The names of the columns have types, like {first}")
        }
        other => other.reason(),
    }
}
