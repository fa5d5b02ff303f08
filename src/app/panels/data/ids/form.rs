//! Where semantic ids come from, as a form that edits the project.

use std::ops::RangeInclusive;
use std::path::PathBuf;

use eframe::egui;
use egui::{Button, DragValue, TextEdit, Ui};

use super::super::super::{Context, choice, keep_together};
use crate::app::action::Action;
use crate::app::widgets;
use crate::id_training::rq_vae::RqVae;
use crate::id_training::source::{MAX_INTERACTION_DIMENSIONS, Part, Text, VectorSource};
use crate::id_training::train::Quantizer;
use crate::id_training::{TrainIds, TrainedOn};
use crate::project::SemanticIds;
use crate::project::edits::data::with_semantic_ids;

/// A drag, or the typing of a number, is one step of undo; other forms of the project count from 0.
const KEY: u64 = u64::MAX;

/// Widths of a field for a path, for a name, and for a number.
const PATH: f32 = 170.0;
const NAME: f32 = 90.0;
const NUMBER: f32 = 64.0;

/// State of the form.
#[derive(Debug, Default)]
pub(super) struct Form {
    /// The path or name that is being typed, and the number of its field.
    typed: Option<(usize, String)>,
}

/// Where ids come from, as the form offers it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Origin {
    Dataset,
    Index,
    Train,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    Words,
    Interactions,
    Text,
    Vectors,
    Several,
}

impl Source {
    /// What can be one source, alone or among several.
    const SINGLE: [Self; 4] = [Self::Words, Self::Interactions, Self::Text, Self::Vectors];

    const fn of(source: &VectorSource) -> Self {
        match source {
            VectorSource::Words(_) => Self::Words,
            VectorSource::Interactions(_) => Self::Interactions,
            VectorSource::Text(_) => Self::Text,
            VectorSource::Vectors(_) => Self::Vectors,
            VectorSource::Concat(_) => Self::Several,
        }
    }

    const fn words(self) -> &'static str {
        match self {
            Self::Words => "Words of the texts",
            Self::Interactions => "Who goes for what",
            Self::Text => "Texts, read by a model",
            Self::Vectors => "A file of vectors",
            Self::Several => "Several, put together",
        }
    }

    /// A source of this kind as it is offered first.
    fn usual(self) -> VectorSource {
        match self {
            Self::Words | Self::Several => VectorSource::Words(256),
            Self::Interactions => VectorSource::Interactions(64),
            Self::Text => VectorSource::Text(Text::default()),
            Self::Vectors => VectorSource::Vectors(PathBuf::from("vectors.npy")),
        }
    }
}

/// What was done with the fields.
#[derive(Debug, Default)]
struct Edited {
    /// A number is being dragged or typed.
    going_on: bool,
    /// That has ended.
    done: bool,
}

impl Form {
    /// Draws the fields, and hands up the project that they make.
    pub(super) fn ui(&mut self, ui: &mut Ui, context: &mut Context<'_>) {
        let project = context.session.project();
        let (mut ids, mut edited) = (project.semantic_ids.clone(), Edited::default());
        widgets::card(ui, |ui| {
            ui.horizontal_wrapped(|ui| {
                self.origin(ui, &mut ids);
                if let SemanticIds::Train(options) = &mut ids {
                    method(ui, options);
                    self.source(ui, &mut options.source, &mut edited);
                }
            });
            if let SemanticIds::Train(TrainIds { source: VectorSource::Concat(parts), .. }) = &mut ids {
                self.parts(ui, parts, &mut edited);
            }
            if let SemanticIds::Train(options) = &mut ids {
                ui.horizontal_wrapped(|ui| {
                    let words = [(TrainedOn::All, "Items of all stages"), (TrainedOn::Stage1, "Items of stage 1")];
                    let words = words.map(|(on, words)| (on, words.to_owned()));
                    choice(ui, ("Trained on", 150.0), &mut options.on, &words);
                    shape(ui, options, &mut edited);
                });
                widgets::remark(ui, options.on.note());
            }
        });
        if ids != project.semantic_ids {
            let project = with_semantic_ids(project, ids);
            let key = edited.going_on.then_some(KEY);
            context.actions.push(Action::Edit { project: Box::new(project), key });
        }
        if edited.done {
            context.actions.push(Action::EditDone);
        }
    }

    fn origin(&mut self, ui: &mut Ui, ids: &mut SemanticIds) {
        let before = match ids {
            SemanticIds::Dataset => Origin::Dataset,
            SemanticIds::Index(_) => Origin::Index,
            SemanticIds::Train(_) => Origin::Train,
        };
        let mut origin = before;
        let options = [
            (Origin::Dataset, "Those of the dataset"),
            (Origin::Index, "An index file"),
            (Origin::Train, "Trained here"),
        ];
        choice(ui, ("Ids", 150.0), &mut origin, &options.map(|(origin, words)| (origin, words.to_owned())));
        if origin != before {
            *ids = match origin {
                Origin::Dataset => SemanticIds::Dataset,
                Origin::Index => SemanticIds::Index(PathBuf::from("index.json")),
                Origin::Train => SemanticIds::Train(TrainIds::default()),
            };
        }
        if let SemanticIds::Index(path) = ids {
            self.path(ui, 0, ("Index file", "A file in the released format, from the project's folder"), path);
        }
    }

    /// What vectors are made of: one source, or several with weights.
    fn source(&mut self, ui: &mut Ui, source: &mut VectorSource, edited: &mut Edited) {
        let before = Source::of(source);
        let mut chosen = before;
        let options =
            Source::SINGLE.into_iter().chain([Source::Several]).map(|source| (source, source.words().to_owned()));
        choice(ui, ("Source", 170.0), &mut chosen, &options.collect::<Vec<_>>());
        if chosen != before {
            *source = match (chosen, &*source) {
                // What was chosen so far is the first of several.
                (Source::Several, alone) => VectorSource::Concat(vec![Part::of(alone.clone())]),
                // One of several is what stays of them, where it is of the chosen kind.
                (_, VectorSource::Concat(parts)) => {
                    let of_kind = parts.iter().find(|part| Source::of(&part.source) == chosen);
                    of_kind.map_or_else(|| chosen.usual(), |part| part.source.clone())
                }
                _ => chosen.usual(),
            };
        }
        if !matches!(source, VectorSource::Concat(_)) {
            self.details(ui, 0, source, edited);
        }
    }

    /// The sources of which vectors are put together, a line each.
    fn parts(&mut self, ui: &mut Ui, parts: &mut Vec<Part>, edited: &mut Edited) {
        let (mut removed, alone) = (None, parts.len() == 1);
        for (index, part) in parts.iter_mut().enumerate() {
            ui.push_id(index, |ui| {
                ui.horizontal_wrapped(|ui| {
                    let label = format!("Source {}", index + 1);
                    let before = Source::of(&part.source);
                    let mut chosen = before;
                    let options = Source::SINGLE.map(|source| (source, source.words().to_owned()));
                    choice(ui, (&label, 170.0), &mut chosen, &options);
                    if chosen != before {
                        part.source = chosen.usual();
                    }
                    self.details(ui, 2 * index + 1, &mut part.source, edited);
                    self.name(ui, 2 * index + 2, &mut part.name);
                    real(ui, "Weight", &mut part.weight, 0.001..=1_000.0, edited);
                    let remove = ui.add_enabled(!alone, Button::new("Remove"));
                    let remove = remove.on_disabled_hover_text("Ids are made of at least one source");
                    let name = format!("Remove source {}", index + 1);
                    remove.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, !alone, &name));
                    if remove.clicked() {
                        removed = Some(index);
                    }
                });
            });
        }
        if let Some(index) = removed {
            parts.remove(index);
            self.typed = None;
        }
        ui.horizontal_wrapped(|ui| {
            if ui.button("Add source").clicked() {
                parts.push(Part::of(VectorSource::Words(256)));
            }
            let help = "Each source's vectors are centred and scaled to its weight, and then stand one after the other";
            widgets::remark(ui, help);
        });
    }

    /// The fields of one source; `field` tells its path from those of the others.
    fn details(&mut self, ui: &mut Ui, field: usize, source: &mut VectorSource, edited: &mut Edited) {
        match source {
            VectorSource::Words(width) => number(ui, "Dimensions", width, 1..=65_536, edited),
            VectorSource::Interactions(width) => {
                number(ui, "Dimensions", width, 1..=MAX_INTERACTION_DIMENSIONS, edited);
            }
            VectorSource::Text(text) => {
                number(ui, "Tokens", &mut text.tokens, 1..=8192, edited);
                let mut path = text.model.clone().unwrap_or_default();
                let help = "A Hugging Face folder or a GGUF file, from the project's folder; empty for the base model";
                self.path_or_none(ui, field, ("Model", help), &mut path);
                text.model = Some(path).filter(|path| !path.as_os_str().is_empty());
            }
            VectorSource::Vectors(path) => {
                let help = "A .npy file with one row per item. Beside it, <name>.ids.txt says whose row is whose; else rows are in the order that peso semantic-ids --items writes";
                self.path(ui, field, ("Vectors", help), path);
            }
            // A list within a list is refused by the project's checks.
            VectorSource::Concat(_) => {}
        }
    }

    /// What figures call a source; nothing for what it is.
    fn name(&mut self, ui: &mut Ui, field: usize, name: &mut Option<String>) {
        let mut typed = name.clone().unwrap_or_default();
        let help = "What figures call it, as text or image; empty for what it is. It changes no id";
        self.field(ui, field, ("Name", NAME, help), &mut typed);
        *name = Some(typed).filter(|name| !name.is_empty());
    }

    /// A path that is taken over when its field is left; an empty one is not.
    fn path(&mut self, ui: &mut Ui, field: usize, words: (&str, &str), path: &mut PathBuf) {
        let mut typed = path.clone();
        self.path_or_none(ui, field, words, &mut typed);
        if !typed.as_os_str().is_empty() {
            *path = typed;
        }
    }

    fn path_or_none(&mut self, ui: &mut Ui, field: usize, (label, help): (&str, &str), path: &mut PathBuf) {
        let mut text = path.display().to_string();
        self.field(ui, field, (label, PATH, help), &mut text);
        *path = PathBuf::from(text);
    }

    /// A text that is taken over, without blanks around it, when its field is left.
    fn field(&mut self, ui: &mut Ui, field: usize, (label, width, help): (&str, f32, &str), text: &mut String) {
        keep_together(ui, label, width);
        let name = ui.label(label);
        let own = self.typed.take_if(|(of, _)| *of == field);
        let mut typed = own.map_or_else(|| text.clone(), |(_, typed)| typed);
        let response =
            ui.add(TextEdit::singleline(&mut typed).desired_width(width)).labelled_by(name.id).on_hover_text(help);
        if response.lost_focus() {
            typed.trim().clone_into(text);
        }
        if response.has_focus() {
            self.typed = Some((field, typed));
        }
    }
}

fn method(ui: &mut Ui, options: &mut TrainIds) {
    let autoencoder = |method: &Quantizer| matches!(method, Quantizer::RqVae(_));
    let before = autoencoder(&options.method);
    let mut chosen = before;
    let words = [(false, "Residual k-means".to_owned()), (true, "RQ-VAE (autoencoder)".to_owned())];
    choice(ui, ("Method", 170.0), &mut chosen, &words);
    if chosen != before {
        options.method = if chosen { Quantizer::RqVae(RqVae::default()) } else { Quantizer::ResidualKMeans };
    }
}

/// Length of ids, codes, and the training of the autoencoder.
fn shape(ui: &mut Ui, options: &mut TrainIds, edited: &mut Edited) {
    number(ui, "Codes per id", &mut options.levels, 1..=26, edited);
    let mut automatic = options.codes.is_none();
    let suits = ui.checkbox(&mut automatic, "As many codes per level as suit the items");
    if suits.changed() {
        options.codes = if automatic { None } else { Some(256) };
    }
    if let Some(codes) = &mut options.codes {
        number(ui, "Codes per level", codes, 2..=65_536, edited);
    }
    number(ui, "Seed", &mut options.seed, 0..=u64::MAX, edited);
    if let Quantizer::RqVae(training) = &mut options.method {
        number(ui, "Epochs", &mut training.epochs, 1..=100_000, edited);
        number(ui, "Batch", &mut training.batch, 1..=1 << 20, edited);
        real(ui, "Learning rate", &mut training.learning_rate, 1e-7..=1.0, edited);
        real(ui, "Weight decay", &mut training.weight_decay, 0.0..=0.9, edited);
    }
}

fn number<N: egui::emath::Numeric>(
    ui: &mut Ui,
    label: &str,
    value: &mut N,
    range: RangeInclusive<N>,
    edited: &mut Edited,
) {
    let speed = (value.to_f64() * 0.01).max(0.1);
    drag(ui, label, DragValue::new(value).range(range).speed(speed), edited);
}

fn real(ui: &mut Ui, label: &str, value: &mut f64, range: RangeInclusive<f64>, edited: &mut Edited) {
    let speed = (*value * 0.01).max(1e-6);
    drag(ui, label, DragValue::new(value).range(range).speed(speed).max_decimals(6), edited);
}

fn drag(ui: &mut Ui, label: &str, value: DragValue<'_>, edited: &mut Edited) {
    keep_together(ui, label, NUMBER);
    // A line of its own height: on a wrapped line a label stands higher than the field that follows it.
    let response = ui.horizontal(|ui| {
        let name = ui.label(label);
        ui.add(value).labelled_by(name.id)
    });
    let response = response.inner;
    edited.going_on |= response.dragged() || response.has_focus();
    edited.done |= response.drag_stopped() || response.lost_focus();
}
