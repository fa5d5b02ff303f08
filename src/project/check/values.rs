//! Checks of single values, each of which names its field and says what a usable value is.

use crate::schema::FieldError;

pub(super) type Checked = Result<(), FieldError>;

pub(super) fn bad(field: &str, problem: impl Into<String>, advice: &str) -> FieldError {
    FieldError::new(field, problem, advice)
}

pub(super) fn require(holds: bool, field: &str, problem: &str, advice: &str) -> Checked {
    if holds { Ok(()) } else { Err(bad(field, problem, advice)) }
}

pub(super) fn positive(field: &str, value: usize) -> Checked {
    require(value > 0, field, "0 is too small", "it must be at least 1")
}

pub(super) fn above_zero(field: &str, value: f64) -> Checked {
    let holds = value.is_finite() && value > 0.0;
    require(holds, field, &format!("{value} cannot be used"), "it must be a number above 0")
}

pub(super) fn share(field: &str, value: f64) -> Checked {
    let holds = (0.0..=1.0).contains(&value);
    require(holds, field, &format!("{value} is no share"), "it must be between 0 and 1")
}

pub(super) fn dropout(field: &str, probability: f64) -> Checked {
    require(
        (0.0..1.0).contains(&probability),
        field,
        &format!("a dropout of {probability} is impossible"),
        "it must be at least 0 and below 1",
    )
}
