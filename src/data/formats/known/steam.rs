//! Steam: reviews of games as Python dicts, and what is said of the games (McAuley Lab).

use super::named_table::beside;
use crate::data::formats::plan::{ItemLayout, ItemRoles, Layout, Roles};
use crate::data::formats::spec::{FormatSpec, Reader, SourceFields};
use crate::data::formats::telling::sample::FileSample;
use crate::data::term::Term;

pub static SPEC: FormatSpec = FormatSpec {
    key: "Steam",
    label: "Steam",
    kinds: "",
    summary: "Reviews of games on Steam from 2010 to 2018 (McAuley Lab).",
    files: &[
        Term {
            name: "steam_reviews.json",
            meaning: "a Python dict a line with `username`, `product_id` and `date` (days)",
        },
        Term { name: "steam_games.json", meaning: "a Python dict a line with `id`, `app_name` and `genres`; optional" },
    ],
    recognition: "objects with `username`, `product_id` and `date`",
    certain: true,
    expected: "`steam_reviews.json` with username, product_id and date was expected",
    traps: &[
        "Times are days: what a user wrote on one day stays in the order of the file.",
        "There are no ratings; hours of play are not used, as some reviews have none.",
        "A user is a `username`; `user_id` is missing in most reviews.",
    ],
    fields: SourceFields::Interactions,
    reader: Reader {
        layout: |sample, _| Ok(layout(sample)),
        items,
        items_path: |sample| beside(sample, &["steam_games.json"]),
        name: |_| "Steam".to_owned(),
        ..Reader::ONE_FILE
    },
};

fn layout(sample: &FileSample) -> Option<Layout> {
    let object = sample.object()?;
    let review = ["username", "product_id", "date"].iter().all(|key| object.contains_key(*key));
    let roles = Roles { user: "username", item: "product_id", time: Some("date"), rating: None };
    review.then(|| Layout::Objects(roles.map(|&key| key.to_owned())))
}

fn items(sample: &FileSample) -> Option<ItemLayout> {
    let object = sample.object()?;
    let game = object.contains_key("app_name") && (object.contains_key("id") || object.contains_key("genres"));
    game.then(|| ItemLayout::Objects(ItemRoles::of("id", "app_name", None, "genres")))
}
