//! Reviews and ratings of Amazon, 2014: in ratings the user comes before the item, and metadata are Python dicts.

use super::amazon::{Edition, FirstColumn, READER, is_of_2018};
use crate::data::formats::plan::Roles;
use crate::data::formats::spec::{FormatSpec, Reader, SourceFields};
use crate::data::term::Term;

pub static SPEC: FormatSpec = FormatSpec {
    key: "Amazon2014",
    label: "Amazon 2014",
    kinds: "",
    summary: "Reviews of products on Amazon from 1996 to 2014 (McAuley Lab), a category a file.",
    files: &[
        Term {
            name: "reviews_<Category>.json, reviews_<Category>_5.json",
            meaning: "a JSON object a line with `reviewerID`, `asin`, `overall` and `unixReviewTime` (seconds)",
        },
        Term {
            name: "ratings_<Category>.csv",
            meaning: "in place of it: user, item, rating, seconds, without a header",
        },
        Term {
            name: "meta_<Category>.json",
            meaning: "a Python dict a line with `asin`, `title`, `description` and `categories`; optional",
        },
    ],
    recognition: "objects with `reviewerID` and `asin`, and none of the fields that came in 2018; or four columns of which the first \
                  has Amazon's ids of users and the second those of items, with times in seconds",
    certain: true,
    expected: "reviews with reviewerID, asin, overall and unixReviewTime, or ratings as user,item,rating,timestamp were expected",
    traps: &[
        "The order of the columns of ratings is not that of 2018. Where the ids do not tell it and nothing is named, a file of \
         ratings is taken for a table whose first column is the user.",
        "The metadata are not JSON; they are read as Python writes them.",
        "`_5` files hold the 5-core already.",
    ],
    fields: SourceFields::Interactions,
    reader: Reader { layout: |sample, named| EDITION.layout(sample, named), ..READER },
};

static EDITION: Edition = Edition {
    spec: &SPEC,
    required: &["reviewerID", "asin"],
    keys: Roles { user: "reviewerID", item: "asin", time: Some("unixReviewTime"), rating: Some("overall") },
    is_review: |review| !is_of_2018(review),
    first: FirstColumn::User,
    milliseconds: false,
};
