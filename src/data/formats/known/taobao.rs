//! Taobao's UserBehavior: views, favourites, carts and purchases, without a header.

use super::named_table::headless;
use crate::data::formats::plan::{Layout, Roles, Separator};
use crate::data::formats::spec::{Events, FormatSpec, Reader, SourceFields};
use crate::data::formats::telling::sample::{FileSample, is_number};
use crate::data::term::Term;

pub static SPEC: FormatSpec = FormatSpec {
    key: "Taobao",
    label: "Taobao UserBehavior",
    kinds: "",
    summary: "What a million users of Taobao did in nine days of 2017 (Tianchi).",
    files: &[Term {
        name: "UserBehavior.csv",
        meaning: "user, item, category, behaviour and seconds, comma-separated, without a header",
    }],
    recognition: "five columns of which the fourth is `pv`, `buy`, `cart` or `fav` and the others are numbers",
    certain: true,
    expected: "`UserBehavior.csv` with user,item,category,behaviour,seconds was expected",
    traps: &[
        "Every behaviour is an interaction; `events: [\"buy\"]` takes purchases alone. With `deduplicate` (the default) only the first of \
         a user and an item counts.",
        "Some times lie far before or after November 2017; they are read as they stand.",
    ],
    fields: SourceFields::Interactions,
    reader: Reader {
        layout: |sample, _| Ok(layout(sample)),
        events: Some(Events { column: "#4", usual: &[], kinds: &KINDS }),
        name: |_| "Taobao".to_owned(),
        ..Reader::ONE_FILE
    },
};

const KINDS: [Term; 4] = [
    Term { name: "pv", meaning: "an item's page was viewed" },
    Term { name: "buy", meaning: "it was bought" },
    Term { name: "cart", meaning: "it was put into the cart" },
    Term { name: "fav", meaning: "it was made a favourite" },
];

fn layout(sample: &FileSample) -> Option<Layout> {
    let roles = Roles { user: 0, item: 1, time: Some(4), rating: None };
    headless(sample, Separator::Quoted(b','), 5, roles, |row| {
        KINDS.iter().any(|kind| kind.name == row[3]) && [0, 1, 2, 4].iter().all(|&column| is_number(&row[column]))
    })
}
