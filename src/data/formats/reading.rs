//! How the texts of a file are to be understood, where what was found is wrong.

use serde::{Deserialize, Serialize};

use crate::data::term::Term;

/// What a project file says of how the values of its interactions are written. Without it, the values tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Reading {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub times: Option<TimesAs>,
    #[serde(skip_serializing_if = "Ids::is_default")]
    pub ids: Ids,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encoding: Option<Encoding>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub escape: Option<Escape>,
}

impl Reading {
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// How times are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum TimesAs {
    /// Since 1970, as are the next three.
    Seconds,
    Milliseconds,
    Microseconds,
    Nanoseconds,
    /// Numbers like `20140723`, `201407231015` or `20140723101530`.
    YearMonthDay,
    /// Dates that say their order themselves, however far from the others.
    Dates,
    /// Dates like `23/07/2014`.
    DayFirst,
    /// Dates like `07/23/2014`.
    MonthFirst,
}

impl TimesAs {
    pub const ALL: [Self; 8] = [
        Self::Seconds,
        Self::Milliseconds,
        Self::Microseconds,
        Self::Nanoseconds,
        Self::YearMonthDay,
        Self::Dates,
        Self::DayFirst,
        Self::MonthFirst,
    ];

    /// For people, within a sentence.
    pub fn words(self) -> &'static str {
        match self {
            Self::Seconds => "seconds since 1970",
            Self::Milliseconds => "milliseconds since 1970",
            Self::Microseconds => "microseconds since 1970",
            Self::Nanoseconds => "nanoseconds since 1970",
            Self::YearMonthDay => "numbers of year, month and day",
            Self::Dates => "dates",
            Self::DayFirst => "dates with the day first",
            Self::MonthFirst => "dates with the month first",
        }
    }

    /// What a project file says for it.
    pub fn line(self) -> String {
        format!("`reading: (times: {self:?})`")
    }
}

/// What becomes of ids that look like something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash, Serialize, Deserialize)]
pub enum Ids {
    /// `NA`, `NULL`, `\N`, `nan` and their like are missing, and `500.0` is `500` where a whole column is written so.
    #[default]
    Cleaned,
    /// Every text is an id.
    AsWritten,
}

impl Ids {
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// For people.
    pub fn words(self) -> &'static str {
        match self {
            Self::Cleaned => "Cleaned",
            Self::AsWritten => "As written",
        }
    }
}

/// How texts become bytes. UTF-16 is told from the bytes themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Encoding {
    /// Lines that are not UTF-8 are rejected.
    Utf8,
    /// ISO-8859-1.
    Latin1,
}

/// How a quote is written within quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash, Serialize, Deserialize)]
pub enum Escape {
    /// `""`
    #[default]
    Doubled,
    /// `\"`, as Spark and MySQL do.
    Backslash,
}

/// The fields of [`Reading`].
pub const TERMS: &[Term] = &[
    Term {
        name: "times",
        meaning: "`Seconds`, `Milliseconds`, `Microseconds` or `Nanoseconds` since 1970; `YearMonthDay` for numbers like \
                  `20140723`; `DayFirst` for `23/07/2014`, `MonthFirst` for `07/23/2014`, `Dates` for dates that say it themselves. \
                  Named, times are kept however far they lie from the others",
    },
    Term {
        name: "ids",
        meaning: "`Cleaned` (unless it says otherwise): `NA`, `NULL`, `\\N`, `nan`, `None` and the other markers of pandas are no users \
                  or items, and `500.0` is `500` where the whole column is written so; `AsWritten`: every text is an id",
    },
    Term {
        name: "encoding",
        meaning: "`Utf8`: what is not UTF-8 is rejected; `Latin1`: ISO-8859-1. Without it, values that are not UTF-8 are read as \
                  ISO-8859-1. UTF-16 is told from the bytes",
    },
    Term {
        name: "escape",
        meaning: "how a quote is written within quotes: `Doubled` (`\"\"`) or `Backslash` (`\\\"`, as Spark and MySQL do); without it, the \
                  beginning of the file tells",
    },
];
