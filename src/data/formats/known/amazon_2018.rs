//! Reviews and ratings of Amazon, 2018: in ratings the item comes before the user.

use super::amazon::{Edition, FirstColumn, READER, is_of_2018};
use crate::data::formats::plan::Roles;
use crate::data::formats::spec::{FormatSpec, Reader, SourceFields};
use crate::data::term::Term;

pub static SPEC: FormatSpec = FormatSpec {
    key: "Amazon2018",
    label: "Amazon 2018",
    kinds: "",
    summary: "Reviews of products on Amazon from 1996 to 2018 (McAuley Lab), a category a file.",
    files: &[
        Term {
            name: "<Category>.json, <Category>_5.json",
            meaning: "a JSON object a line with `reviewerID`, `asin`, `overall` and `unixReviewTime` (seconds)",
        },
        Term { name: "<Category>.csv", meaning: "in place of it: **item, user**, rating, seconds, without a header" },
        Term {
            name: "meta_<Category>.json",
            meaning: "a JSON object a line with `asin`, `title`, `description` and `category`; optional",
        },
    ],
    recognition: "objects with `reviewerID` and `asin`, and one of `verified`, `vote`, `style`, `image`; or four columns of which the \
                  first has Amazon's ids of items and the second those of users, with times in seconds",
    certain: true,
    expected: "reviews with reviewerID, asin, overall and unixReviewTime, or ratings as item,user,rating,timestamp were expected",
    traps: &[
        "In ratings the item comes before the user, other than in 2014 and 2023. A file whose ids say otherwise is refused, and one \
         whose ids do not tell is read in this order only where the format is named.",
        "`_5` files hold the 5-core already.",
    ],
    fields: SourceFields::Interactions,
    reader: Reader { layout: |sample, named| EDITION.layout(sample, named), ..READER },
};

static EDITION: Edition = Edition {
    spec: &SPEC,
    required: &["reviewerID", "asin"],
    keys: Roles { user: "reviewerID", item: "asin", time: Some("unixReviewTime"), rating: Some("overall") },
    is_review: is_of_2018,
    first: FirstColumn::Item,
    milliseconds: false,
};
