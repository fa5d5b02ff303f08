//! Names of experiments as parts of run folders' names.

/// Folders beside the runs whose names start so hold the shared base model and stage 1.
pub const SHARED_PREFIX: &str = "shared-";

/// A name in lower case letters and digits, everything else one dash: names that are alike in it are taken for one.
pub fn whole(name: &str) -> String {
    let words = name.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("-").to_lowercase()
}

/// The beginning of [`whole`], of at most 40 characters.
pub fn short(name: &str) -> String {
    const LONGEST: usize = 40;
    let beginning: String = whole(name).chars().take(LONGEST).collect();
    beginning.trim_end_matches('-').to_owned()
}

/// The name of an experiment as a part of its run folders' names: [`short`], but never that of a folder that runs share.
pub fn slug(experiment: &str) -> String {
    let short = short(experiment);
    if short.is_empty() {
        "experiment".to_owned()
    } else if format!("{short}-").starts_with(SHARED_PREFIX) {
        format!("run-{short}")
    } else {
        short
    }
}
