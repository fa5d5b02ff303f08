//! LC-Rec and LETTER: `<name>.inter.json`, or `<name>.train.inter`, `.valid.inter` and `.test.inter`; beside them
//! `<name>.index.json` and `<name>.item.json`.

use std::path::{Path, PathBuf};

use super::plan::{ItemLayout, Layout};
use super::sample::Look;

/// How a file of sequences is written; none where it is not one.
pub fn layout(look: &Look) -> Option<Layout> {
    let header = look.rows(b'\t', false).into_iter().next().unwrap_or_default();
    if header == ["user_id:token", "item_id_list:token_seq", "item_id:token"] {
        return Some(Layout::Augmented);
    }
    // An index maps items to texts like `<a_17>`, a file of users to numbers or ids; only their name tells of texts.
    let list = look.first_of_first_list()?;
    let named = look.name().ends_with(".inter.json");
    (named || list.is_ascii_digit()).then_some(Layout::Histories)
}

/// How a file of items is written.
pub fn items(look: &Look) -> Option<ItemLayout> {
    look.name().ends_with(".item.json").then_some(ItemLayout::Map)
}

/// The dataset's name, of any of its files.
pub fn name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let ends = [".inter.json", ".train.inter", ".valid.inter", ".test.inter"];
    ends.iter().find_map(|end| name.strip_suffix(end)).unwrap_or(&name).to_owned()
}

/// All files of sequences that belong to one of them, in the order of the sequences.
pub fn parts(path: &Path) -> Vec<PathBuf> {
    let name = name(path);
    let parts = [".train.inter", ".valid.inter", ".test.inter"].map(|end| path.with_file_name(format!("{name}{end}")));
    let parts: Vec<PathBuf> = parts.into_iter().filter(|part| part.is_file()).collect();
    if parts.iter().any(|part| part == path) { parts } else { vec![path.to_path_buf()] }
}

/// The file with the items' texts, or with their index, beside a file of sequences.
pub fn beside(path: &Path, kind: &str) -> Option<PathBuf> {
    let path = path.with_file_name(format!("{}.{kind}.json", name(path)));
    path.is_file().then_some(path)
}
