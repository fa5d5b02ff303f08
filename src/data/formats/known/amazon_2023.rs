//! Reviews and ratings of Amazon, 2023: items are `parent_asin`, and times are in milliseconds.

use super::amazon::{Edition, FirstColumn, READER};
use crate::data::formats::plan::Roles;
use crate::data::formats::spec::{FormatSpec, Reader, SourceFields};
use crate::data::term::Term;

pub static SPEC: FormatSpec = FormatSpec {
    key: "Amazon2023",
    label: "Amazon 2023",
    kinds: "",
    summary: "Reviews of products on Amazon from 1996 to 2023 (McAuley Lab), a category a file.",
    files: &[
        Term {
            name: "<Category>.jsonl",
            meaning: "a JSON object a line with `user_id`, `parent_asin`, `rating` and `timestamp` (milliseconds)",
        },
        Term {
            name: "<Category>.csv",
            meaning: "in place of it: `user_id,parent_asin,rating,timestamp` and perhaps `history`, with or without that header",
        },
        Term {
            name: "meta_<Category>.jsonl",
            meaning: "a JSON object a line with `parent_asin`, `title`, `description` and `categories`; optional",
        },
    ],
    recognition: "objects with `user_id`, `parent_asin` and `timestamp`; or four or five columns under that header; or such without \
                  a header, of which the first has Amazon's ids of users and the second those of items, with times in milliseconds",
    certain: true,
    expected: "reviews with user_id, parent_asin, rating and timestamp, or ratings as user_id,parent_asin,rating,timestamp were \
               expected",
    traps: &[
        "An item is its `parent_asin`: variants such as colours are one item. `asin` is not used.",
        "Times are milliseconds, where earlier editions have seconds.",
        "The column `history` of the benchmark's files is not used: a user's history is made of the interactions.",
    ],
    fields: SourceFields::Interactions,
    reader: Reader { layout: |sample, named| EDITION.layout(sample, named), ..READER },
};

static EDITION: Edition = Edition {
    spec: &SPEC,
    required: &["user_id", "parent_asin", "timestamp"],
    keys: Roles { user: "user_id", item: "parent_asin", time: Some("timestamp"), rating: Some("rating") },
    is_review: |_| true,
    first: FirstColumn::User,
    milliseconds: true,
};
