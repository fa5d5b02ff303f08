//! LC-Rec and LETTER: `<name>.inter.json`, or `<name>.train.inter`, `.valid.inter` and `.test.inter`; beside them
//! `<name>.index.json` and `<name>.item.json`.

use std::path::{Path, PathBuf};

use crate::data::formats::plan::{Augmented, Delimited, ItemLayout, Layout, Separator};
use crate::data::formats::spec::{FormatSpec, Reader, SourceFields};
use crate::data::formats::telling::sample::FileSample;
use crate::data::term::Term;

pub static SPEC: FormatSpec = FormatSpec {
    key: "LcRec",
    label: "LC-Rec / LETTER",
    kinds: "",
    summary: "Users' sequences of items in the order in which they happened, with the semantic ids that belong to them, as the \
              authors of LC-Rec and LETTER publish them.",
    files: &[
        Term {
            name: "<name>.inter.json",
            meaning: "one object, `{user: [item, …]}`, items as numbers or texts in the order of the interactions",
        },
        Term {
            name: "<name>.train.inter, <name>.valid.inter, <name>.test.inter",
            meaning: "in place of it: tab-separated lines of a user, the earlier items (separated by blanks) and the next item, \
                      under `user_id:token`, `item_id_list:token_seq`, `item_id:token`; the three are read as one",
        },
        Term { name: "<name>.index.json", meaning: "the semantic ids, `{item: [\"<a_1>\", …]}`; optional" },
        Term {
            name: "<name>.item.json",
            meaning: "titles, descriptions and categories, `{item: {\"title\": …}}`; optional",
        },
    ],
    recognition: "a file whose one object maps to lists of numbers, or one that is called `.inter.json`; or the three columns \
                  `user_id:token`, `item_id_list:token_seq`, `item_id:token`",
    certain: true,
    expected: "`<name>.inter.json` ({user: [item, …]}) or `<name>.train.inter` was expected",
    traps: &[
        "There are no times: stages cannot be cut at dates or by a clock that users share, only by each user's own order \
         (`stages: ByOrder(…)`).",
        "There are no ratings, so that no least rating can be asked for.",
        "In the `.inter` files, lines repeat the earlier items: every interaction is taken once, whatever the order of the lines.",
        "Items and index are found beside interactions that are not compressed; otherwise they are named with `items` and \
         `semantic_ids: Index(\"…\")`.",
        "A folder that has `<name>.inter.json` beside the `.inter` files is read from `<name>.inter.json` alone.",
    ],
    fields: SourceFields::Interactions,
    reader: Reader {
        layout: |sample, _| Ok(layout(sample)),
        items: |sample| sample.name().ends_with(".item.json").then_some(ItemLayout::Map),
        items_path: |sample| beside(&sample.path, "item"),
        parts,
        index: |path| beside(path, "index"),
        is_whole: |sample| sample.name().ends_with(".inter.json"),
        events: None,
        name: |sample| name(&sample.path),
        reason,
    },
};

fn layout(sample: &FileSample) -> Option<Layout> {
    let header = sample.rows(b'\t', false).into_iter().next().unwrap_or_default();
    if header == ["user_id:token", "item_id_list:token_seq", "item_id:token"] {
        let table = Delimited::new(Separator::Plain(b'\t'), true, header);
        return Some(Layout::Augmented(Augmented { table, user: 0, history: 1, item: 2, times: None }));
    }
    // An index maps items to texts like `<a_17>`, a file of users to numbers or ids; only their name tells of texts.
    let list = sample.first_of_first_list()?;
    let named = sample.name().ends_with(".inter.json");
    (named || list.is_ascii_digit()).then_some(Layout::Histories)
}

fn reason(layout: &Layout) -> String {
    let reason = match layout {
        Layout::Histories => "Each user has a list of items",
        _ => "Each line has a user, the earlier items and the next one",
    };
    reason.to_owned()
}

/// The dataset's name, of any of its files.
fn name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let ends = [".inter.json", ".train.inter", ".valid.inter", ".test.inter"];
    ends.iter().find_map(|end| name.strip_suffix(end)).unwrap_or(&name).to_owned()
}

/// All files of sequences that belong to one of them, in the order of the sequences.
fn parts(path: &Path) -> Vec<PathBuf> {
    let name = name(path);
    let parts = [".train.inter", ".valid.inter", ".test.inter"].map(|end| path.with_file_name(format!("{name}{end}")));
    let parts: Vec<PathBuf> = parts.into_iter().filter(|part| part.is_file()).collect();
    if parts.iter().any(|part| part == path) { parts } else { vec![path.to_path_buf()] }
}

/// The file with the items' texts, or with their index, beside a file of sequences.
fn beside(path: &Path, kind: &str) -> Option<PathBuf> {
    let path = path.with_file_name(format!("{}.{kind}.json", name(path)));
    path.is_file().then_some(path)
}
