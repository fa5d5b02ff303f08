//! Values of records: an id, a time, an event, what is missing, and what telling them takes for granted.

pub mod events;
pub mod field;
pub mod ids;
pub mod missing;
pub mod times;
