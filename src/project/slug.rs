//! Names of experiments as parts of run folders' names.

/// Folders beside the runs whose names start so hold the shared base model and stage 1.
pub const SHARED_PREFIX: &str = "shared-";

/// A name in lower case letters and digits, everything else one dash: names that are alike in it are taken for one.
pub fn whole(name: &str) -> String {
    let words = name.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("-").to_lowercase()
}

/// A name as a part of a folder's name: the beginning of [`whole`].
pub fn slug(name: &str) -> String {
    const LONGEST: usize = 40;
    let short: String = whole(name).chars().take(LONGEST).collect();
    let short = short.trim_end_matches('-');
    if short.is_empty() {
        "experiment".to_owned()
    } else if short == SHARED_PREFIX.trim_end_matches('-') || short.starts_with(SHARED_PREFIX) {
        // Such names are taken for the folders that runs share.
        format!("run-{short}")
    } else {
        short.to_owned()
    }
}
