//! MiniOneRec, D3 and BIGRec: a line for each next item, with the items before it as a list.

use super::named_table::rows;
use crate::data::formats::plan::{Augmented, Delimited, ItemLayout, Layout, Separator};
use crate::data::formats::spec::{FormatSpec, Reader, SourceFields};
use crate::data::formats::telling::sample::FileSample;
use crate::data::term::Term;

pub static SPEC: FormatSpec = FormatSpec {
    key: "MiniOneRec",
    label: "MiniOneRec",
    kinds: "",
    summary: "Training lines of generative recommenders (MiniOneRec, D3, BIGRec): a user, the items before, and the next item.",
    files: &[
        Term {
            name: "train/<name>.csv, valid/<name>.csv, test/<name>.csv",
            meaning: "comma-separated, with `user_id`, `history_item_id` (a list like `['1', '2']`) and `item_id`; where \
                      `history_timestamp` and `timestamp` are there too, these are the times. A pattern reads the three together: \
                      `path: \"*/<name>.csv\"`",
        },
        Term { name: "<name>.item.json", meaning: "titles, `{item: {\"title\": …}}`, named with `items`; optional" },
    ],
    recognition: "a header with `user_id`, `history_item_id` and `item_id`",
    certain: true,
    expected: "lines with user_id, history_item_id and item_id were expected",
    traps: &[
        "Histories repeat what earlier lines had, and are often cut to the last ten: every interaction is taken once, whatever the \
         order of the lines. What lies before a user's first history that is there cannot be known.",
        "Without `history_timestamp` there are no times, and no stages in time (`stages: ByOrder(…)`).",
        "Semantic ids in the lines (`item_sid`) are not used.",
    ],
    fields: SourceFields::Interactions,
    reader: Reader {
        layout: |sample, _| Ok(layout(sample)),
        items: |sample| sample.name().ends_with(".item.json").then_some(ItemLayout::Map),
        ..Reader::ONE_FILE
    },
};

const COMMA: Separator = Separator::Quoted(b',');

fn layout(sample: &FileSample) -> Option<Layout> {
    let columns = rows(sample, COMMA).into_iter().next()?;
    let at = |name: &str| columns.iter().position(|column| column == name);
    let (user, history, item) = (at("user_id")?, at("history_item_id")?, at("item_id")?);
    let times = at("history_timestamp").zip(at("timestamp"));
    let table = Delimited::new(COMMA, true, columns);
    Some(Layout::Augmented(Augmented { table, user, history, item, times }))
}
