//! What a method is, for people.

use super::Family;
use crate::schema::Field;

/// What a method is: a form, a list on the command line and the reference are made of it.
#[derive(Debug, Clone, Copy)]
pub struct Card {
    /// Its key in results: `peso`, `sum_lora`.
    pub key: &'static str,
    pub name: &'static str,
    /// What it does, in one sentence.
    pub sentence: &'static str,
    /// What it minimises or adds.
    pub formula: &'static str,
    /// Where it comes from.
    pub source: &'static str,
    pub family: Family,
    pub fields: &'static [Field],
}
