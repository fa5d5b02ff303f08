//! A name that users write or see, and what it means: files and fields in the reference.

/// A name and its meaning, in Markdown.
#[derive(Debug, Clone, Copy)]
pub struct Term {
    /// With `<…>` for what differs: `<name>.inter`. Several names of one meaning are separated by commas.
    pub name: &'static str,
    pub meaning: &'static str,
}
