//! The options that an experiment's sweep can have, and those that it cannot with the reason.

use crate::app::panels::method_card::words;
use crate::data::{DatasetSource, SyntheticOptions};
use crate::method::MethodOptions;
use crate::project::Project;
use crate::project::settings;
use crate::project::sweep::{DATASET, EVERY, TRAINING};
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

/// The options of an experiment's method with what `chosen` options (with their values) bring, then those of training and of generated
/// data; of every experiment the latter two.
pub(super) fn offers(project: &Project, experiment: &str, chosen: &[(String, Vec<Setting>)]) -> Vec<Offer> {
    let method = project.method_of(experiment);
    if method.is_none() && experiment != EVERY {
        return Vec::new();
    }
    let own = method.map(|method| fields(method, chosen)).unwrap_or_default().into_iter().map(
        |FieldSetting { path, field, setting }| Offer {
            option: path,
            part: "Options of the method",
            label: field.label.to_owned(),
            help: field.help,
            field: Some(*field),
            now: Some(setting),
            obstacle: None,
        },
    );
    let training = FIELDS.iter().map(|field| Offer {
        option: format!("{TRAINING}{}", field.path),
        part: "Training",
        label: field.label.to_owned(),
        help: field.help,
        field: Some(*field),
        now: settings::value(project, &format!("{TRAINING}{}", field.path)),
        obstacle: method.and_then(|method| trains(method).err()),
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
    own.chain(training).chain(fixed).chain(generated(project, method, chosen)).collect()
}

/// The options of generated data, and those that come with a value of a chosen one.
fn generated(project: &Project, method: Option<&MethodOptions>, chosen: &[(String, Vec<Setting>)]) -> Vec<Offer> {
    let DatasetSource::Synthetic(options) = &project.dataset else { return Vec::new() };
    let joins = method.is_some_and(|method| !method.method().parts().is_empty());
    let mut all = vec![options.clone()];
    for (path, values) in chosen.iter().filter_map(|(path, values)| Some((path.strip_prefix(DATASET)?, values))) {
        let set = |value: &Setting| {
            let mut options = options.clone();
            options.set(path, value).is_ok().then_some(options)
        };
        all.extend(values.iter().filter(|value| matches!(value, Setting::Choice(_))).filter_map(set));
    }
    let mut offers: Vec<Offer> = Vec::new();
    for FieldSetting { path, field, setting } in all.iter().flat_map(SyntheticOptions::fields) {
        let option = format!("{DATASET}{path}");
        if offers.iter().any(|offer| offer.option == option) {
            continue;
        }
        offers.push(Offer {
            option,
            part: "Generated data",
            label: field.label.to_owned(),
            help: field.help,
            field: Some(*field),
            now: Some(setting),
            obstacle: joins.then_some("It joins runs on the project's own data: sweep the data of those"),
        });
    }
    offers
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
    let of_method = |path: &str| !path.starts_with(TRAINING) && !path.starts_with(DATASET);
    for (path, values) in chosen.iter().filter(|(path, _)| of_method(path)) {
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
        let every =
            offers(&project, EVERY, &[("dataset.recurring".to_owned(), vec![Setting::Choice("Users".to_owned())])]);
        let paths_of_every = paths(&every);
        assert!(!paths_of_every.contains(&"lambda".to_owned()), "an option of single methods");
        for option in ["training.lora.rank", "dataset.drift", "dataset.interactions.1", "dataset.recurring.share"] {
            assert!(paths_of_every.contains(&option.to_owned()), "{option}");
        }
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
