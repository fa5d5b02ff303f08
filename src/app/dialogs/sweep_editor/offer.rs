//! The options that an experiment's sweep can have, and those that it cannot with the reason.

use crate::app::panels::method_card::words;
use crate::method::MethodOptions;
use crate::project::Project;
use crate::project::settings;
use crate::project::sweep::TRAINING;
use crate::project::training_fields::{FIELDS, FIXED};
use crate::schema::{Field, FieldSetting, Setting};

/// An option that may be swept.
#[derive(Debug, Clone)]
pub(super) struct Offer {
    /// Path as a sweep names it.
    pub(super) option: String,
    /// What it belongs to, as a heading.
    pub(super) part: &'static str,
    pub(super) label: String,
    pub(super) help: &'static str,
    /// What values it takes; none where it cannot be swept.
    pub(super) field: Option<Field>,
    /// Its value in the experiment, where it has one.
    pub(super) now: Option<Setting>,
    /// Why it cannot be swept.
    pub(super) obstacle: Option<&'static str>,
}

impl Offer {
    /// Its value in the experiment as people read it: a choice by its label.
    pub(super) fn now_in_words(&self) -> String {
        let value = self.field.as_ref().zip(self.now.as_ref());
        value.map(|(field, now)| words(field.kind, now)).unwrap_or_default()
    }
}

/// The options of an experiment's method with what `chosen` options (with their values) bring, then those of training.
pub(super) fn offers(project: &Project, experiment: &str, chosen: &[(String, Vec<Setting>)]) -> Vec<Offer> {
    let Some(method) = project.method_of(experiment) else { return Vec::new() };
    let own = fields(method, chosen).into_iter().map(|FieldSetting { path, field, setting }| Offer {
        option: path,
        part: "Options of the method",
        label: field.label.to_owned(),
        help: field.help,
        field: Some(*field),
        now: Some(setting),
        obstacle: None,
    });
    let training = FIELDS.iter().map(|field| Offer {
        option: format!("{TRAINING}{}", field.path),
        part: "Training",
        label: field.label.to_owned(),
        help: field.help,
        field: Some(*field),
        now: settings::value(project, &format!("{TRAINING}{}", field.path)),
        obstacle: trains(method).err(),
    });
    let fixed = FIXED.iter().map(|fixed| Offer {
        option: format!("{TRAINING}{}", fixed.path),
        part: "Training",
        label: fixed.label.to_owned(),
        help: fixed.why,
        field: None,
        now: None,
        obstacle: Some(fixed.why),
    });
    own.chain(training).chain(fixed).collect()
}

/// Whether the training settings matter to a method, or why not.
fn trains(method: &MethodOptions) -> Result<(), &'static str> {
    match method.adapter_method() {
        Some(_) => Ok(()),
        None => Err("It trains no language model of its own, so these settings do not touch it"),
    }
}

/// The method's options, and those that come with a value of a chosen one.
fn fields(method: &MethodOptions, chosen: &[(String, Vec<Setting>)]) -> Vec<FieldSetting> {
    let mut methods = vec![method.clone()];
    for (path, values) in chosen.iter().filter(|(path, _)| !path.starts_with(TRAINING)) {
        let set = |value: &Setting| {
            // An option may be one that another chosen one brings.
            methods.iter().rev().find_map(|method| {
                let mut method = method.clone();
                method.set(path, value).is_ok().then_some(method)
            })
        };
        let more: Vec<MethodOptions> =
            values.iter().filter(|value| matches!(value, Setting::Choice(_))).filter_map(set).collect();
        methods.extend(more);
    }
    let mut found: Vec<FieldSetting> = Vec::new();
    for field in methods.iter().flat_map(MethodOptions::fields) {
        if found.iter().all(|other| other.path != field.path) {
            found.push(field);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::method::SdLora;
    use crate::project::file::DEMO;

    #[test]
    fn options_come_with_choices_and_what_cannot_be_swept_says_why() {
        let mut project = Project::parse(DEMO, Path::new("demo/project.ron")).unwrap();
        let paths = |offers: &[Offer]| offers.iter().map(|offer| offer.option.clone()).collect::<Vec<_>>();
        let usual = offers(&project, "PESO", &[]);
        assert!(
            paths(&usual).contains(&"lambda".to_owned()) && !paths(&usual).contains(&"distance.squared".to_owned())
        );
        assert!(paths(&usual).contains(&"training.lora.rank".to_owned()));
        let with = offers(&project, "PESO", &[("distance".to_owned(), vec![Setting::Choice("L2".to_owned())])]);
        assert!(paths(&with).contains(&"distance.squared".to_owned()));
        assert!(usual.iter().any(|offer| offer.field.is_none() && offer.obstacle.is_some()), "validation users");
        assert!(offers(&project, "Nobody", &[]).is_empty());

        project.experiments[0].method = MethodOptions::SdLora(SdLora::default());
        assert!(offers(&project, "PESO", &[]).iter().all(|offer| offer.field.is_none() || offer.obstacle.is_none()));
        project.experiments[0].method = MethodOptions::SasRec(Default::default());
        let towers = offers(&project, "PESO", &[]);
        let training = towers.iter().filter(|offer| offer.part == "Training");
        assert!(training.clone().count() > 10 && training.clone().all(|offer| offer.obstacle.is_some()));
    }
}
