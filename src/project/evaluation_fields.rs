//! The evaluation settings as fields: a form, checks and the reference are made of them. The cut-offs, a list, are none.

use super::Evaluation;
use super::training_fields::whole;
use crate::schema::{self, Choice, Field, FieldReference, Kind};

/// The settings, by their paths in `evaluation`.
pub const FIELDS: &[Field] = &[
    whole("beams", "Beams", "Candidates that the search keeps, and so the length of a list of recommendations", 1_000),
    Field {
        path: "decoding",
        label: "Decoding",
        help: "What the search may write",
        kind: Kind::Choice(&[
            Choice::plain("Trie", "Existing items", "Only ids of items that exist"),
            Choice::plain(
                "PerPosition",
                "Any code",
                "Any code that occurs at its position, as released; ids of no item count as invalid",
            ),
        ]),
    },
    Field {
        path: "protocol",
        label: "Tests",
        help: "Which interactions are tested, by which models; training is the same",
        kind: Kind::Choice(&[
            Choice::plain(
                "SameBlock",
                "Same block",
                "Each user's last interaction of a stage, asked of the model after that stage, as in the paper",
            ),
            Choice::plain(
                "NextBlock",
                "Next block",
                "Each user's first interaction of a stage, asked of the model after the stage before, as when deployed",
            ),
            Choice::plain("Both", "Both", "Both protocols, one after the other"),
        ]),
    },
    whole("users", "Test users", "Users that are tested in each stage: `All`, or `Sample(n)`", 1_000_000_000),
    Field {
        path: "known_items",
        label: "Known items",
        help: "Every stage is tested a second time, with lists of the items that are known by then",
        kind: Kind::Switch,
    },
];

/// All settings that a form can set as a table of the reference, in Markdown.
pub fn reference() -> String {
    let defaults = serde_json::to_value(Evaluation::default()).unwrap_or_default();
    let lines = schema::reference(FIELDS, &defaults).into_iter().map(|entry| entry.markdown());
    std::iter::once(FieldReference::HEAD.to_owned()).chain(lines).collect()
}
