//! The experiments of the project: its data and model in a line, a card a method, and the seeds.

use eframe::egui;
use egui::{Button, Grid, RichText, ScrollArea, TextEdit, Ui};

use super::Context;
use super::method_card;
use crate::app::action::Action;
use crate::app::theme::{self, space};
use crate::app::widgets::{self, counted};
use crate::data::DatasetSource;
use crate::experiment::Project;
use crate::experiment::project::Experiment;
use crate::method::MethodOptions;
use crate::model::BaseModel;

/// State of the panel.
#[derive(Debug, Default)]
pub(crate) struct ExperimentsPanel {
    renaming: Option<Renaming>,
    /// The seeds as they are being typed.
    seeds: Option<String>,
}

/// The experiment that is being renamed, by place, and the name so far.
#[derive(Debug)]
struct Renaming {
    place: usize,
    name: String,
    /// Whether its field has had the keyboard yet.
    focused: bool,
}

impl ExperimentsPanel {
    pub(crate) fn ui(&mut self, ui: &mut Ui, context: &mut Context<'_>) {
        ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
            ui.add_space(2.0);
            self.project_card(ui, context);
            ui.add_space(space::S);
            for place in 0..context.session.project().experiments.len() {
                ui.push_id(place, |ui| self.experiment_card(ui, context, place));
                ui.add_space(2.0);
            }
            add_button(ui, context);
        });
    }

    fn project_card(&mut self, ui: &mut Ui, context: &mut Context<'_>) {
        let project = context.session.project();
        widgets::card(ui, |ui| {
            widgets::section(ui, &project.name);
            Grid::new("project facts").num_columns(2).spacing([space::M, space::XS]).show(ui, |ui| {
                widgets::fact(ui, "Data", data_words(&project.dataset));
                widgets::fact(ui, "Base model", model_words(&project.base_model));
                let training = &project.training;
                let lora = format!("rank {}, α {}", training.lora.rank, training.lora.alpha);
                widgets::fact(ui, "LoRA", lora);
                let mut epochs = counted(training.epochs, "epoch");
                if let Some(later) = training.later_stage_epochs {
                    epochs.push_str(&format!(", then {later} a stage"));
                }
                widgets::fact(ui, "Training", format!("{epochs}, batch {}", training.batch));
                self.seeds_field(ui, context);
            });
            if !project.notes.is_empty() {
                widgets::remark(ui, &project.notes);
            }
        });
    }

    fn experiment_card(&mut self, ui: &mut Ui, context: &mut Context<'_>, place: usize) {
        let project = context.session.project();
        let Some(experiment) = project.experiments.get(place) else { return };
        let tokens = theme::tokens(ui);
        widgets::card(ui, |ui| {
            self.heading(ui, context, place, experiment);
            if experiment.name != experiment.method.card().name {
                widgets::remark(ui, experiment.method.card().name);
            }
            ui.label(RichText::new(experiment.method.card().sentence).color(tokens.muted));
            ui.label(RichText::new(experiment.method.card().formula).monospace().size(11.5));
            if !method_card::has_options(&experiment.method) {
                return;
            }
            let mut method = experiment.method.clone();
            let edited = Grid::new("options")
                .num_columns(2)
                .spacing([space::M, space::XS])
                .show(ui, |ui| method_card::options(ui, &mut method))
                .inner;
            if edited.changed {
                let mut project = project.clone();
                project.experiments[place].method = method;
                context.actions.push(Action::Edit { project: Box::new(project), key: Some(place as u64) });
            }
            if edited.done {
                context.actions.push(Action::EditDone);
            }
        });
    }

    fn heading(&mut self, ui: &mut Ui, context: &mut Context<'_>, place: usize, experiment: &Experiment) {
        ui.horizontal(|ui| {
            match &mut self.renaming {
                Some(renaming) if renaming.place == place => {
                    let field = TextEdit::singleline(&mut renaming.name).hint_text("Name of the experiment");
                    let field = ui.add(field.desired_width(180.0));
                    widgets::named(ui, &field, "Name of the experiment");
                    if !std::mem::replace(&mut renaming.focused, true) {
                        field.request_focus();
                    }
                    if field.lost_focus() {
                        rename(context, place, renaming.name.trim());
                        self.renaming = None;
                    }
                }
                _ => {
                    let name = RichText::new(&experiment.name).family(theme::semi_bold());
                    ui.add(egui::Label::new(name).truncate());
                }
            }
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                let menu = ui.menu_button("…", |ui| self.menu(ui, context, place, experiment));
                menu.response.widget_info(|| {
                    egui::WidgetInfo::labeled(egui::Role::Button, true, format!("More for {}", experiment.name))
                });
            });
        });
    }

    fn menu(&mut self, ui: &mut Ui, context: &mut Context<'_>, place: usize, experiment: &Experiment) {
        let project = context.session.project();
        if ui.button("Run this experiment").clicked() {
            let ids = context.session.rows.iter().filter(|row| row.key.experiment == experiment.name && row.can_run());
            context.actions.push(Action::Run(ids.map(|row| row.id.clone()).collect()));
        }
        if ui.button("Rename").clicked() {
            self.renaming = Some(Renaming { place, name: experiment.name.clone(), focused: false });
        }
        if ui.button("Duplicate").clicked() {
            let mut project = project.clone();
            let name = free_name(&project, &experiment.name);
            project.experiments.insert(place + 1, Experiment { name, method: experiment.method.clone() });
            context.actions.push(Action::Edit { project: Box::new(project), key: None });
        }
        let last = project.experiments.len() == 1;
        let remove = ui.add_enabled(!last, Button::new("Remove"));
        if remove.on_disabled_hover_text("A project has at least one experiment").clicked() {
            let mut project = project.clone();
            project.experiments.remove(place);
            context.actions.push(Action::Edit { project: Box::new(project), key: None });
        }
    }

    fn seeds_field(&mut self, ui: &mut Ui, context: &mut Context<'_>) {
        let label = ui.label(RichText::new("Seeds").color(theme::tokens(ui).muted));
        let current = seeds_text(&context.session.project().seeds);
        let text = self.seeds.get_or_insert(current);
        let valid = parse_seeds(text).is_some();
        let mut field = TextEdit::singleline(text).desired_width(140.0);
        if !valid {
            field = field.text_color(theme::tokens(ui).error);
        }
        let response = ui.add(field).labelled_by(label.id);
        let response = response.on_hover_text("Whole numbers, separated by commas. One run an experiment and seed; three or more seeds show how much is chance");
        if response.lost_focus() {
            if let Some(seeds) = parse_seeds(text) {
                let mut project = context.session.project().clone();
                project.seeds = seeds;
                context.actions.push(Action::Edit { project: Box::new(project), key: None });
            }
            self.seeds = None;
        } else if !response.has_focus() {
            self.seeds = None;
        }
        ui.end_row();
    }
}

/// One button that offers every method.
fn add_button(ui: &mut Ui, context: &mut Context<'_>) {
    ui.menu_button("Add experiment", |ui| {
        for method in MethodOptions::all() {
            let button = ui.button(method.card().name).on_hover_text(method.card().sentence);
            if button.clicked() {
                let project = with_experiment(context.session.project(), method);
                context.actions.push(Action::Edit { project: Box::new(project), key: None });
            }
        }
    });
}

/// The project with another experiment at its end, under a name that is free.
pub(crate) fn with_experiment(project: &Project, method: MethodOptions) -> Project {
    let mut project = project.clone();
    let name = free_name(&project, method.card().name);
    project.experiments.push(Experiment { name, method });
    project
}

fn rename(context: &mut Context<'_>, place: usize, name: &str) {
    let project = context.session.project();
    let taken = project.experiments.iter().any(|experiment| experiment.name == name);
    if name.is_empty() || taken || place >= project.experiments.len() {
        return;
    }
    let mut project = project.clone();
    name.clone_into(&mut project.experiments[place].name);
    context.actions.push(Action::Edit { project: Box::new(project), key: None });
}

/// `wanted`, or with the first number that makes it unlike every other name: `PESO 2`.
fn free_name(project: &Project, wanted: &str) -> String {
    let taken = |name: &str| project.experiments.iter().any(|experiment| experiment.name == name);
    let stem = wanted.trim_end_matches(|character: char| character.is_ascii_digit()).trim_end();
    let stem = if stem.is_empty() { wanted } else { stem };
    std::iter::once(wanted.to_owned())
        .chain((2..).map(|number| format!("{stem} {number}")))
        .find(|name| !taken(name))
        .unwrap_or_else(|| wanted.to_owned())
}

fn seeds_text(seeds: &[u64]) -> String {
    seeds.iter().map(u64::to_string).collect::<Vec<_>>().join(", ")
}

/// The seeds that a text lists; `None` where it lists none, or anything else.
fn parse_seeds(text: &str) -> Option<Vec<u64>> {
    let mut seeds = Vec::new();
    for part in text.split([',', ' ']).filter(|part| !part.is_empty()) {
        let seed = part.parse().ok()?;
        if !seeds.contains(&seed) {
            seeds.push(seed);
        }
    }
    (!seeds.is_empty()).then_some(seeds)
}

fn data_words(dataset: &DatasetSource) -> String {
    match dataset {
        DatasetSource::PesoRelease { path } => {
            path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
        }
        DatasetSource::Synthetic(options) => {
            [counted(options.users, "user"), counted(options.items, "item"), counted(options.stages, "stage")]
                .join(", ")
        }
    }
}

fn model_words(model: &BaseModel) -> String {
    match model {
        BaseModel::Compact(shape) => format!("Compact, {} of width {}", counted(shape.layers, "layer"), shape.width),
        BaseModel::HuggingFace(path) => path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_are_read_as_people_type_them() {
        assert_eq!(parse_seeds("42"), Some(vec![42]));
        assert_eq!(parse_seeds(" 1,2, 3 2"), Some(vec![1, 2, 3]));
        assert_eq!(parse_seeds(""), None);
        assert_eq!(parse_seeds("1, x"), None);
        assert_eq!(parse_seeds("-1"), None);
    }
}
