//! One file a format.

pub mod peso_release;
