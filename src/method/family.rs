//! What kind of answer to forgetting a method is.

/// Methods that keep the past in the same place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// In the one adapter that there is.
    OneAdapter,
    /// In adapters of past stages that are added to the current one.
    AddedAdapters,
    /// In a term of the loss that holds parameters or predictions back.
    Regularised,
    /// In examples of past stages that are trained again.
    Memory,
    /// In recommenders beside the language model.
    OtherRecommender,
}

impl Family {
    /// All of them, from the least machinery to the most.
    pub const ALL: [Self; 5] =
        [Self::OneAdapter, Self::AddedAdapters, Self::Regularised, Self::Memory, Self::OtherRecommender];

    /// Its name for people.
    pub const fn label(self) -> &'static str {
        match self {
            Self::OneAdapter => "One adapter",
            Self::AddedAdapters => "Added adapters",
            Self::Regularised => "Regularised",
            Self::Memory => "Memory",
            Self::OtherRecommender => "Beside the language model",
        }
    }

    /// Where its methods keep the past, in one sentence.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::OneAdapter => "The past is kept in the adapter itself, or not at all",
            Self::AddedAdapters => "Adapters of past stages are added to the one that learns",
            Self::Regularised => "A term of the loss holds parameters or predictions back",
            Self::Memory => "Examples of past stages are trained again",
            Self::OtherRecommender => "Recommenders without the language model, and hybrids with it",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::MethodOptions;
    use super::*;

    #[test]
    fn every_family_has_methods() {
        let of = |family| MethodOptions::all().iter().filter(|method| method.family() == family).count();
        assert!(Family::ALL.into_iter().all(|family| of(family) > 0));
        assert_eq!(Family::ALL.into_iter().map(of).sum::<usize>(), MethodOptions::all().len());
    }
}
