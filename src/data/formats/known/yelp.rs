//! Reviews and businesses of the Yelp dataset.

use std::path::PathBuf;

use crate::data::formats::plan::{ItemLayout, ItemRoles, Layout, Roles};
use crate::data::formats::spec::{FormatSpec, Reader, SourceFields};
use crate::data::formats::telling::sample::FileSample;
use crate::data::term::Term;

pub static SPEC: FormatSpec = FormatSpec {
    key: "Yelp",
    label: "Yelp",
    kinds: "",
    summary: "Reviews of businesses, of the Yelp Open Dataset.",
    files: &[
        Term {
            name: "yelp_academic_dataset_review.json",
            meaning: "a JSON object a line with `user_id`, `business_id`, `stars` and `date` (`YYYY-MM-DD HH:MM:SS`, read as UTC)",
        },
        Term {
            name: "yelp_academic_dataset_business.json",
            meaning: "a JSON object a line with `business_id`, `name` and `categories` (one text, separated by commas); optional",
        },
    ],
    recognition: "objects with `user_id`, `business_id`, `stars` and `date`",
    certain: true,
    expected: "`yelp_academic_dataset_review.json` with user_id, business_id, stars and date was expected",
    traps: &[
        "Users review a business again: with `deduplicate` (the default) only the first review counts.",
        "The file of businesses is found by its name: that of the reviews with `business` for `review`.",
    ],
    fields: SourceFields::Interactions,
    reader: Reader {
        layout: |sample, _| Ok(layout(sample)),
        items,
        items_path,
        name: |_| "Yelp".to_owned(),
        ..Reader::ONE_FILE
    },
};

/// Of a file of reviews.
fn layout(sample: &FileSample) -> Option<Layout> {
    let object = sample.object()?;
    let review = ["user_id", "business_id", "stars", "date"].iter().all(|key| object.contains_key(*key));
    let roles = Roles { user: "user_id", item: "business_id", time: Some("date"), rating: Some("stars") };
    review.then(|| Layout::Objects(roles.map(|&key| key.to_owned())))
}

/// Of a file of businesses.
fn items(sample: &FileSample) -> Option<ItemLayout> {
    let object = sample.object()?;
    let business = object.contains_key("business_id") && object.contains_key("name");
    business.then(|| ItemLayout::Objects(ItemRoles::of("business_id", "name", None, "categories")))
}

/// The file of businesses beside a file of reviews.
fn items_path(sample: &FileSample) -> Option<PathBuf> {
    let name = sample.path.file_name()?.to_str()?.replace("review", "business");
    let path = sample.path.with_file_name(name);
    (path != sample.path && path.is_file()).then_some(path)
}
