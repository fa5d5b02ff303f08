//! The options of generated data as fields: forms, sweeps and the reference are made of them.

use serde_json::Value;

use super::SyntheticOptions;
use crate::schema::json::{at, at_mut};
use crate::schema::{self, Choice, Field, FieldError, FieldReference, FieldSetting, Kind, Setting};

const fn whole(path: &'static str, label: &'static str, help: &'static str, [min, max]: [u64; 2]) -> Field {
    Field { path, label, help, kind: Kind::Whole { min, max } }
}

const fn number(path: &'static str, label: &'static str, help: &'static str, [min, max]: [f64; 2]) -> Field {
    Field { path, label, help, kind: Kind::Number { min, max } }
}

/// The options by their paths in `dataset`.
pub const FIELDS: &[Field] = &[
    whole("users", "Users", "Users of all stages together", [1, 1_000_000]),
    whole("items", "Items", "Items of all stages together", [20, 200_000]),
    whole("stages", "Stages", "Stage 1 trains the base, the others are updates", [1, 50]),
    number("interactions.0", "First interactions", "Mean interactions of an active user in stage 1", [3.0, 200.0]),
    number(
        "interactions.1",
        "Later interactions",
        "Mean interactions of an active user in each later stage: the size of its block",
        [3.0, 200.0],
    ),
    whole("codes", "Codes", "Codes per level of the semantic ids, which have 4 levels", [2, 1024]),
    whole("latent", "Latent", "Dimensions of the tastes", [2, 256]),
    whole(
        "rotation_rank",
        "Rotation rank",
        "Planes in which preferences turn; each takes two latent dimensions",
        [0, 128],
    ),
    number("drift", "Drift", "Angle by which preferences turn from stage to stage, in radians", [-6.3, 6.3]),
    Field {
        path: "onset",
        label: "Onset",
        help: "Whether preferences turn a little from every stage to the next, or all at once",
        kind: Kind::Choice(&[
            Choice::plain("Gradual", "Gradual", "A little from every stage to the next"),
            Choice {
                key: "Abrupt",
                label: "Abrupt",
                help: "Once, before a stage, as far as a gradual drift turns in all: `Abrupt(3)`",
                defaults: "3",
            },
        ]),
    },
    number(
        "drifting_share",
        "Drifting share",
        "Share of the users whose preferences turn; the others keep theirs, and so do recurring users",
        [0.0, 1.0],
    ),
    number(
        "contradictory",
        "Contradictory",
        "Share of the drifting users whose preferences turn the other way, by the same angle",
        [0.0, 1.0],
    ),
    Field {
        path: "recurring",
        label: "Recurring",
        help: "What is there in the stage in which it first appears, and then only every so many stages",
        kind: Kind::Choice(&[
            Choice::plain("None", "Nothing", "Users come back by chance, and all tastes always count"),
            Choice {
                key: "Users",
                label: "Users",
                help: "A share of the users acts only every so many stages, and comes back with the old taste",
                defaults: r#"{"share": 0.4, "every": 3}"#,
            },
            Choice {
                key: "Tastes",
                label: "Tastes",
                help: "A share of the dimensions of taste counts only every so many stages",
                defaults: r#"{"share": 0.5, "every": 3}"#,
            },
        ]),
    },
    number(
        "recurring.share",
        "Recurring share",
        "Share of the users, or of the dimensions of taste, that come and go",
        [0.0, 1.0],
    ),
    whole(
        "recurring.every",
        "Recurring every",
        "Stages from one return to the next; each user or dimension has a phase of its own",
        [2, 50],
    ),
    number(
        "seasonal_items",
        "Seasonal items",
        "Share of the items that are there in the stage in which they arrive, and then only every so many stages",
        [0.0, 1.0],
    ),
    whole("season", "Season", "Stages from one return of a seasonal item to the next", [2, 50]),
    number(
        "arrivals",
        "Arrivals",
        "Share of the users, and of the items, that first appear in each later stage",
        [0.0, 0.9],
    ),
    number(
        "return_chance",
        "Return chance",
        "Chance that a user of an earlier stage is active in a later one; recurring users have their own stages",
        [0.05, 1.0],
    ),
    number(
        "choice_noise",
        "Choice noise",
        "Share of the choices that are made at random among the items that are there",
        [0.0, 1.0],
    ),
    number(
        "popularity_skew",
        "Popularity skew",
        "An item's popularity falls with its rank to this power; 0 makes all items equally popular",
        [0.0, 3.0],
    ),
    whole(
        "seed",
        "Seed",
        "Another seed gives other users and items; it is not the seed of training",
        [0, 9_007_199_254_740_992],
    ),
];

/// All options as a table of the reference, in Markdown.
pub fn reference() -> String {
    let lines = schema::reference(FIELDS, &SyntheticOptions::default().as_value());
    std::iter::once(FieldReference::HEAD.to_owned()).chain(lines.iter().map(FieldReference::markdown)).collect()
}

impl SyntheticOptions {
    /// The options that there are now, with their values: `recurring.share` only where something recurs.
    pub fn fields(&self) -> Vec<FieldSetting> {
        let whole = self.as_value();
        let setting = |field: &'static Field| {
            let setting = Setting::of(at(&whole, field.path)?)?;
            Some(FieldSetting { path: field.path.to_owned(), field, setting })
        };
        FIELDS.iter().filter_map(setting).collect()
    }

    /// Gives the option at a path a value.
    ///
    /// # Errors
    /// There is no such option now, or it cannot have the value.
    pub fn set(&mut self, path: &str, setting: &Setting) -> Result<(), FieldError> {
        let bad = |problem: String, advice: String| FieldError::new(path, problem, advice);
        let known = self.fields();
        let field = known.iter().find(|known| known.path == path).ok_or_else(|| {
            let known: Vec<&str> = known.iter().map(|known| known.path.as_str()).collect();
            bad("generated data have no such option".to_owned(), format!("they have {}", known.join(", ")))
        })?;
        // A choice that is made already keeps its own options.
        if field.setting == *setting {
            return Ok(());
        }
        let expected = || field.field.expected();
        let value = field.field.value(setting).ok_or_else(|| bad(format!("{setting} cannot be used"), expected()))?;
        let mut whole = self.as_value();
        if let Some(slot) = at_mut(&mut whole, path) {
            *slot = value;
        }
        *self = serde_json::from_value(whole).map_err(|error| bad(error.to_string(), expected()))?;
        Ok(())
    }

    fn as_value(&self) -> Value {
        // Numbers that JSON does not have become null, which no option takes.
        serde_json::to_value(self).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Onset, Recurring};
    use super::*;

    #[test]
    fn every_option_is_a_field_and_every_default_is_in_its_range() {
        let recurring = Recurring::Users { share: 0.4, every: 3 };
        let all = SyntheticOptions { recurring, ..SyntheticOptions::default() };
        let paths: Vec<String> = all.fields().into_iter().map(|field| field.path).collect();
        let fields: Vec<&str> = FIELDS.iter().map(|field| field.path).collect();
        assert_eq!(paths, fields);
        let whole = all.as_value();
        let tops = whole.as_object().unwrap().keys();
        assert!(tops.clone().all(|name| fields.iter().any(|path| path.split('.').next() == Some(name))), "{tops:?}");
        for field in all.fields() {
            assert_eq!(field.field.accepts(&field.setting), Ok(()), "{}", field.path);
        }
    }

    #[test]
    fn options_are_set_by_their_paths_or_stay() {
        let mut options = SyntheticOptions::default();
        let number = Setting::Number;
        options.set("interactions.1", &number(3.2)).unwrap();
        options.set("recurring", &Setting::Choice("Tastes".to_owned())).unwrap();
        options.set("recurring.every", &number(4.0)).unwrap();
        options.set("recurring", &Setting::Choice("Tastes".to_owned())).unwrap();
        options.set("onset", &Setting::Choice("Abrupt".to_owned())).unwrap();
        options.set("seed", &number(9.0)).unwrap();
        let expected = SyntheticOptions {
            interactions: (11.0, 3.2),
            recurring: Recurring::Tastes { share: 0.5, every: 4 },
            onset: Onset::Abrupt(3),
            seed: 9,
            ..SyntheticOptions::default()
        };
        assert_eq!(options, expected);
        for (path, value) in [("interactions.2", 5.0), ("choice_noise", 2.0), ("users", 1.5), ("nothing", 1.0)] {
            assert!(options.set(path, &number(value)).is_err(), "{path}");
        }
        assert_eq!(options, expected);
        let missing = SyntheticOptions::default().set("recurring.share", &number(0.5)).unwrap_err();
        assert!(missing.problem.contains("no such option"), "{missing:?}");
    }
}
