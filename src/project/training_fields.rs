//! The training settings as fields: forms, sweeps, checks and the reference are made of them.

use super::Training;
use crate::schema::{self, Choice, Field, FieldReference, Kind};

pub(super) const fn whole(path: &'static str, label: &'static str, help: &'static str, max: u64) -> Field {
    Field { path, label, help, kind: Kind::Whole { min: 1, max } }
}

const fn number(path: &'static str, label: &'static str, help: &'static str, [min, max]: [f64; 2]) -> Field {
    Field { path, label, help, kind: Kind::Number { min, max } }
}

/// The settings that a sweep can have, by their paths in `training`.
pub const FIELDS: &[Field] = &[
    number("learning_rate", "Learning rate", "Size of a step of AdamW, after warm-up", [1e-9, 1e6]),
    number(
        "later_stage_factor",
        "Later-stage factor",
        "The learning rate from stage 2 on is multiplied by this",
        [1e-6, 1e3],
    ),
    whole("epochs", "Epochs", "Passes over a stage's training targets", 10_000),
    whole(
        "later_stage_epochs",
        "Later-stage epochs",
        "Passes from stage 2 on; as many as in stage 1 unless a number is set",
        10_000,
    ),
    whole("batch", "Batch", "Targets per optimiser step; a user's targets stay together", 100_000),
    whole("lora.rank", "LoRA rank", "Rank of each module's update; the largest one where ranks are searched", 1_024),
    number("lora.alpha", "LoRA α", "An adapter's update is multiplied by α / rank", [1e-6, 1e6]),
    Field {
        path: "lora.search",
        label: "Rank search",
        help: "How each module gets a rank of its own in stage 1, which all later stages keep",
        kind: Kind::Choice(&[
            Choice::plain("Off", "Off", "All modules have the same rank"),
            Choice::plain(
                "Spectrum",
                "Spectrum",
                "From the base model's weights alone, before training: by the directions that are more than noise",
            ),
            Choice::plain(
                "Greedy",
                "Greedy",
                "One adapter is trained of which parts can be taken; ranks go where the validation loss rises least",
            ),
            Choice::plain(
                "Evolution",
                "Evolution",
                "The same adapter; an evolutionary search for low validation loss with few parameters",
            ),
        ]),
    },
    whole(
        "lora.smallest_rank",
        "Smallest rank",
        "Ranks that are tried are 0 (no adapter) and the LoRA rank, halved as long as it is not below this",
        1_024,
    ),
    number(
        "lora.budget",
        "Rank budget",
        "Largest share of the parameters of an adapter of the LoRA rank that the found one may have",
        [0.001, 1.0],
    ),
    whole("lora.candidates", "Rank candidates", "Adapters whose validation loss the search measures", 1_000_000),
    number(
        "dropout",
        "Dropout",
        "Share of the adapters' inputs that is left out at random while they are trained",
        [0.0, 0.99],
    ),
    number("weight_decay", "Weight decay", "How strongly AdamW pulls the weights towards 0", [0.0, 100.0]),
    number("clip", "Clip", "Largest norm of the whole gradient; 0 turns clipping off", [0.0, 1e6]),
    number("warm_up", "Warm-up", "Share of a stage's steps in which the learning rate rises from 0", [0.0, 1.0]),
    Field {
        path: "schedule",
        label: "Schedule",
        help: "The learning rate after warm-up",
        kind: Kind::Choice(&[
            Choice::plain("Cosine", "Cosine", "Half a cosine down to 0 over the stage"),
            Choice::plain("Constant", "Constant", "The same over the whole stage"),
        ]),
    },
    Field {
        path: "keep",
        label: "Kept epoch",
        help: "Which epoch's adapter a stage leaves to the tests and to the next stage",
        kind: Kind::Choice(&[
            Choice::plain("BestEpoch", "Best", "The one with the lowest loss on validation users"),
            Choice::plain("LastEpoch", "Last", "The last one: nothing but the method itself holds a stage back"),
        ]),
    },
    number("temperature", "Temperature", "Logits are divided by this in the loss", [1e-3, 1e3]),
    Field {
        path: "softmax",
        label: "Softmax",
        help: "What the probability of a code is normalised over, in the loss and in beam search",
        kind: Kind::Choice(&[
            Choice::plain("AllTokens", "All tokens", "The whole vocabulary, as in the paper"),
            Choice::plain("ExistingItems", "Existing items", "The codes that continue an existing item"),
        ]),
    },
    whole("max_history", "History", "Newest items of a history that the model reads", 100_000),
    Field {
        path: "vocabulary",
        label: "Vocabulary",
        help: "Rows of embedding and head that are trained beside the adapters",
        kind: Kind::Choice(&[
            Choice::plain(
                "NewTokens",
                "New tokens",
                "Rows of the tokens that were added (all rows of a compact model)",
            ),
            Choice::plain("Full", "Full", "Every row, as released"),
            Choice::plain("Frozen", "Frozen", "None"),
        ]),
    },
    Field {
        path: "release_compatible",
        label: "As released",
        help: "Pieces of a step count alike, and the pull is averaged over modules and computed in 16 bits, as in the code of the \
               paper's authors",
        kind: Kind::Switch,
    },
];

/// The settings that a form has and a sweep has not; [`FIXED`] says why.
pub const FORM_FIELDS: &[Field] = &[
    whole(
        "validation_users",
        "Validation users",
        "Users of each stage whose loss chooses the epoch that is kept: `All`, or `Sample(n)`",
        1_000_000_000,
    ),
    whole(
        "accumulation",
        "Accumulation",
        "Pieces that a step is computed in, one after the other: the memory of one piece, the result of the whole step",
        100_000,
    ),
    Field {
        path: "checkpointing",
        label: "Checkpointing",
        help: "Layers are computed again in the backward pass instead of kept: less memory, a third more time",
        kind: Kind::Switch,
    },
    Field {
        path: "storage",
        label: "Storage",
        help: "How weights that are not trained lie on the device; everything is computed in float32",
        kind: Kind::Choice(&[
            Choice::plain("Float32", "Float32", "As they are computed with"),
            Choice::plain(
                "Half",
                "Half",
                "In 16 bits, which halves them; the same result where the files have them so",
            ),
        ]),
    },
];

/// The field of a path, among all that a form can set.
pub fn field(path: &str) -> Option<&'static Field> {
    FIELDS.iter().chain(FORM_FIELDS).find(|field| field.path == path)
}

/// All settings that a form can set as a table of the reference, in Markdown.
pub fn reference() -> String {
    let defaults = serde_json::to_value(Training::default()).unwrap_or_default();
    let entries = [FIELDS, FORM_FIELDS].into_iter().flat_map(|fields| schema::reference(fields, &defaults));
    let lines = entries.map(|entry| entry.markdown());
    std::iter::once(FieldReference::HEAD.to_owned()).chain(lines).collect()
}

/// A setting that a sweep cannot have.
#[derive(Debug, Clone, Copy)]
pub struct Fixed {
    pub path: &'static str,
    pub label: &'static str,
    /// Why it cannot be swept.
    pub why: &'static str,
}

/// The settings that a sweep cannot have.
pub const FIXED: &[Fixed] = &[
    Fixed {
        path: "validation_users",
        label: "Validation users",
        why: "The epoch that is kept is chosen on them: on other users, points could not be held against each other",
    },
    Fixed {
        path: "accumulation",
        label: "Accumulation",
        why: "It changes the memory and the time of a step, not what the step does",
    },
    Fixed {
        path: "checkpointing",
        label: "Checkpointing",
        why: "It changes the memory and the time of a step, not what the step does",
    },
    Fixed {
        path: "storage",
        label: "Storage",
        why: "It changes the memory that the base model takes; points would differ by rounding",
    },
    Fixed { path: "start", label: "Start", why: "It names a folder, not a value" },
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::super::Project;
    use super::super::sweep::{Axis, Sweep, TRAINING, expand};
    use super::*;
    use crate::schema::Setting;

    fn project() -> Project {
        Project::parse(super::super::file::DEMO, Path::new("project.ron")).unwrap()
    }

    #[test]
    fn every_training_setting_is_a_field_or_says_why_not() {
        let whole = serde_json::to_value(Training::default()).unwrap();
        let leaves = whole.as_object().unwrap().iter().flat_map(|(name, value)| match value.as_object() {
            Some(inner) => inner.keys().map(|key| format!("{name}.{key}")).collect(),
            None => vec![name.clone()],
        });
        let known = FIELDS.iter().map(|field| field.path).chain(FIXED.iter().map(|fixed| fixed.path));
        assert_eq!(leaves.collect::<BTreeSet<_>>(), known.map(str::to_owned).collect());
    }

    #[test]
    fn every_setting_is_in_the_reference_with_its_default() {
        let text = reference();
        assert_eq!(text.lines().count(), 2 + FIELDS.len() + FORM_FIELDS.len());
        let rank = Training::default().lora.rank;
        assert!(text.contains(&format!("| `lora.rank` | LoRA rank | `{rank}` | 1 to 1024 |")), "{text}");
        assert!(text.contains("| `validation_users` | Validation users | `All` |"), "{text}");
        assert!(text.contains("| `later_stage_epochs` | Later-stage epochs | – |"), "nothing unless it is set: {text}");
    }

    #[test]
    fn both_ends_of_every_range_and_every_choice_can_be_swept() {
        for field in FIELDS {
            let values = match field.kind {
                Kind::Number { min, max } => vec![Setting::Number(min), Setting::Number(max)],
                Kind::Whole { min, max } => vec![Setting::Number(min as f64), Setting::Number(max as f64)],
                Kind::Choice(choices) => choices.iter().map(|c| Setting::Choice(c.key.to_owned())).collect(),
                Kind::Switch => vec![Setting::Switch(true)],
                Kind::Experiment | Kind::Column | Kind::NumberOr { .. } | Kind::Numbers { .. } => {
                    panic!("{}: no training setting is one", field.path)
                }
            };
            let mut project = project();
            let experiment = project.experiments[0].name.clone();
            let options = vec![Axis { option: format!("{TRAINING}{}", field.path), values }];
            project.sweeps = vec![Sweep { experiment, options, combine: Default::default() }];
            expand(&project).unwrap_or_else(|bad| panic!("{}: {bad:?}", field.path));
        }
    }
}
