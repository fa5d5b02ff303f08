//! What reading a file took for granted, so that nothing is misread in silence.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One thing that was taken for granted of a file, and how it is read otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assumption {
    /// A sentence without its full stop: `Times are seconds since 1970: 2014-03-01 to 2015-06-30`.
    pub assumed: String,
    /// What to write in the project file where that is wrong, with the words for it: `milliseconds: times: Milliseconds`. Empty
    /// where there is nothing to choose.
    pub otherwise: String,
}

impl Assumption {
    pub fn new(assumed: impl Into<String>, otherwise: impl Into<String>) -> Self {
        Self { assumed: assumed.into(), otherwise: otherwise.into() }
    }

    /// Something that was found and cannot be chosen.
    pub fn fact(assumed: impl Into<String>) -> Self {
        Self::new(assumed, "")
    }
}

/// In one line.
impl fmt::Display for Assumption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.assumed)?;
        if self.otherwise.is_empty() { Ok(()) } else { write!(f, ". If not, {}", self.otherwise) }
    }
}
