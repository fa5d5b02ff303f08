//! Why an import ended early.

use crate::error::{InputError, RunError};

/// Why an import ended early; nothing of it is left.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    #[error("the import was cancelled")]
    Cancelled,
    #[error(transparent)]
    Input(#[from] InputError),
}

/// A run that was ended while its data was read.
impl From<ImportError> for RunError {
    fn from(error: ImportError) -> Self {
        match error {
            ImportError::Cancelled => Self::Stopped,
            ImportError::Input(unusable) => unusable.into(),
        }
    }
}

impl ImportError {
    /// The same as an error about the input, for where nobody can cancel.
    pub fn into_input_error(self) -> InputError {
        match self {
            Self::Input(unusable) => unusable,
            Self::Cancelled => InputError::new("", "the import was cancelled"),
        }
    }
}
