//! Names of enum variants that a list at run time knows, where serde's own code knows those of a type.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, Visitor};

/// Reads a variant's name and looks it up.
pub(super) struct VariantName<F> {
    /// What a name stands for; none for one that is not known.
    pub find: F,
    /// All names, for the error.
    pub known: &'static [&'static str],
}

impl<'de, T, F: Fn(&str) -> Option<T>> DeserializeSeed<'de> for VariantName<F> {
    type Value = T;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl<T, F: Fn(&str) -> Option<T>> Visitor<'_> for VariantName<F> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "one of {}", self.known.join(", "))
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<T, E> {
        (self.find)(name).ok_or_else(|| E::unknown_variant(name, self.known))
    }
}
