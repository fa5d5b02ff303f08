//! What everything asks of a method whose options are at hand.

use super::{AdapterMethod, Card, Family, MethodOptions};

impl MethodOptions {
    /// What the method is, for people.
    pub fn card(&self) -> &'static Card {
        self.method().card()
    }

    /// The kind of method that it is.
    pub fn family(&self) -> Family {
        self.card().family
    }

    /// See [`Method::adapter_method`](super::Method::adapter_method).
    pub fn adapter_method(&self) -> Option<&dyn AdapterMethod> {
        self.method().adapter_method()
    }

    /// Whether the language model takes part: an adapted one of its own, or one that it fuses.
    pub fn uses_language_model(&self) -> bool {
        self.adapter_method().is_some() || self.method().fusion().is_some()
    }
}
