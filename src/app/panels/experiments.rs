//! The experiments of the project: its data and model in a line, a card a method, and the seeds.

use std::collections::BTreeMap;
use std::path::Path;

use eframe::egui;
use egui::{Button, Grid, KeyboardShortcut, Modifiers, RichText, ScrollArea, TextEdit, Ui};

use super::method_card::Form;
use super::training_card::TrainingCard;
use super::view::{Home, ViewSpec};
use super::{Context, Panel, PanelEvent, own_seeds, spotlight, style_menu, sweep_list};
use crate::app::action::{Action, SweepOf};
use crate::app::dialogs::dialog::MethodPurpose;
use crate::app::theme::{self, space};
use crate::app::widgets::{self, NumberList, counted};
use crate::data::DatasetSource;
use crate::model::BaseModel;
use crate::project::edits::change::Place;
use crate::project::edits::experiments as edits;
use crate::project::{Experiment, Project};

/// The view.
pub(crate) static VIEW: ViewSpec = ViewSpec {
    key: "Experiments",
    title: "Experiments",
    command: "Show experiments",
    tooltip: "The methods of the project with their options and seeds",
    shortcut: Some(KeyboardShortcut::new(Modifiers::COMMAND, egui::Key::Num1)),
    home: Home::Left,
};

/// State of the panel.
#[derive(Debug, Default)]
pub(crate) struct ExperimentsPanel {
    renaming: Option<Renaming>,
    seeds: NumberList,
    /// Seeds of experiments that have their own, by place.
    own_seeds: BTreeMap<usize, NumberList>,
    training: TrainingCard,
    /// The options of each experiment, made anew where its method has changed.
    forms: Vec<Form>,
}

/// Width of the panel from which cards stand in two columns.
const TWO_COLUMNS: f32 = 680.0;

/// Width of a card's marker and buttons; a name that has no room beside them has a line of its own.
const BESIDE_NAME: f32 = 212.0;

/// The experiment that is being renamed, by place, and the name so far.
#[derive(Debug)]
struct Renaming {
    index: usize,
    name: String,
    /// Whether its field has had the keyboard yet.
    focused: bool,
    /// Why the experiment cannot have that name.
    problem: Option<String>,
}

impl Panel for ExperimentsPanel {
    fn ui(&mut self, ui: &mut Ui, context: &mut Context<'_>) {
        self.make_forms(context.session.project());
        ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
            ui.add_space(2.0);
            self.project_card(ui, context);
            ui.add_space(2.0);
            self.training.ui(ui, context);
            ui.add_space(space::XS);
            ui.horizontal(|ui| {
                widgets::section(ui, "Experiments");
                ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                    let add = ui.button("Add experiment…").on_hover_text("Choose a method to compare with the others");
                    if add.clicked() {
                        context.actions.push(Action::PickMethod(MethodPurpose::Add));
                    }
                });
            });
            let count = context.session.project().experiments.len();
            if ui.available_width() >= TWO_COLUMNS {
                ui.columns(2, |columns| {
                    for index in 0..count {
                        self.card_at(&mut columns[index % 2], context, index);
                    }
                });
            } else {
                (0..count).for_each(|index| self.card_at(ui, context, index));
            }
        });
    }

    fn receive(&mut self, event: &PanelEvent) {
        if matches!(event, PanelEvent::Reveal(Place::Setting(_) | Place::CutOffs)) {
            self.training.open();
        }
    }
}

impl ExperimentsPanel {
    fn make_forms(&mut self, project: &Project) {
        self.forms.truncate(project.experiments.len());
        for (index, experiment) in project.experiments.iter().enumerate() {
            match self.forms.get_mut(index) {
                Some(form) if *form.method() == experiment.method => {}
                Some(form) => *form = Form::of(&experiment.method),
                None => self.forms.push(Form::of(&experiment.method)),
            }
        }
    }

    fn card_at(&mut self, ui: &mut Ui, context: &mut Context<'_>, index: usize) {
        // A column justifies its contents, which tears a text apart.
        ui.with_layout(egui::Layout::top_down(egui::Align::Min), |ui| {
            ui.push_id(index, |ui| self.experiment_card(ui, context, index));
        });
        ui.add_space(2.0);
    }

    fn project_card(&mut self, ui: &mut Ui, context: &mut Context<'_>) {
        let project = context.session.project();
        widgets::card(ui, |ui| {
            widgets::section(ui, &project.name);
            Grid::new("project facts").num_columns(2).spacing([space::M, space::XS]).show(ui, |ui| {
                let lora = &project.training.lora;
                let lora = format!("rank {}, α {}", lora.rank, lora.alpha);
                let rank = Place::Setting("training.lora.rank".to_owned());
                linked_fact(ui, context, "Data", &data_words(&project.dataset), Place::Data);
                linked_fact(ui, context, "Base model", &model_words(&project.base_model), Place::BaseModel);
                linked_fact(ui, context, "LoRA", &lora, rank);
                self.seeds_field(ui, context);
            });
            if !project.notes.is_empty() {
                widgets::remark(ui, &project.notes);
            }
        });
    }

    fn experiment_card(&mut self, ui: &mut Ui, context: &mut Context<'_>, index: usize) {
        let project = context.session.project();
        let Some(experiment) = project.experiments.get(index) else { return };
        let tokens = theme::tokens(ui);
        let card = experiment.method.card();
        let (session, place) = (context.session, Place::Experiment(experiment.name.clone()));
        let contents = |ui: &mut Ui| {
            self.heading(ui, context, index, experiment);
            if experiment.name != card.name {
                widgets::remark(ui, card.name);
            }
            ui.label(RichText::new(card.sentence).color(tokens.muted)).on_hover_text(card.source);
            ui.label(RichText::new(card.formula).monospace().size(11.5)).on_hover_text(card.source);
            own_seeds::field(ui, context, self.own_seeds.entry(index).or_default(), (index, experiment));
            sweep_list::ui(ui, context, experiment);
            let Some(form) = self.forms.get(index).filter(|form| !form.is_empty()) else { return };
            let changed = match form.changed() {
                0 => "All options at their defaults".to_owned(),
                changed => format!("{} changed from the defaults", counted(changed, "option")),
            };
            widgets::remark(ui, changed);
            ui.add_space(2.0);
            let mut method = experiment.method.clone();
            let edited = form.ui(ui, session, &experiment.name, &mut method);
            if edited.changed {
                let project = Box::new(edits::with_options(project, index, method));
                context.actions.push(Action::Edit { project, key: Some(index as u64) });
            }
            if edited.done {
                context.actions.push(Action::EditDone);
            }
        };
        spotlight::at(ui, session, &place, |ui| widgets::card(ui, contents));
    }

    fn heading(&mut self, ui: &mut Ui, context: &mut Context<'_>, index: usize, experiment: &Experiment) {
        let height = ui.spacing().interact_size.y;
        let font = egui::FontId::new(egui::TextStyle::Body.resolve(ui.style()).size, theme::semi_bold());
        let name = ui.painter().layout_no_wrap(experiment.name.clone(), font, egui::Color32::PLACEHOLDER);
        let narrow = ui.available_width() < BESIDE_NAME + name.size().x;
        if narrow {
            ui.horizontal(|ui| {
                style_menu::ui(ui, context, experiment);
                self.name(ui, context, index, experiment);
            });
        }
        // The buttons come first, so that a long name takes what is left beside them.
        let layout = egui::Layout::right_to_left(egui::Align::Center);
        ui.allocate_ui_with_layout(egui::Vec2::new(ui.available_width(), height), layout, |ui| {
            let menu = ui.menu_button("…", |ui| self.menu(ui, context, index, experiment));
            menu.response.widget_info(|| {
                egui::WidgetInfo::labeled(egui::Role::Button, true, format!("More for {}", experiment.name))
            });
            let sweep = ui.button("Sweep…").on_hover_text("Run it again with other values of its options");
            sweep.widget_info(|| {
                egui::WidgetInfo::labeled(egui::Role::Button, true, format!("Sweep {}…", experiment.name))
            });
            if sweep.clicked() {
                context.actions.push(Action::EditSweep(SweepOf::Experiment(experiment.name.clone())));
            }
            run_button(ui, context, experiment);
            if narrow {
                return;
            }
            let layout = egui::Layout::left_to_right(egui::Align::Center);
            ui.with_layout(layout, |ui| {
                style_menu::ui(ui, context, experiment);
                self.name(ui, context, index, experiment);
            });
        });
        if let Some(renaming) = self.renaming.as_ref().filter(|renaming| renaming.index == index) {
            let problem = renaming.problem.as_ref();
            widgets::message_line(ui, problem.map(|problem| RichText::new(problem).color(theme::tokens(ui).error)));
        }
    }

    /// The name, or the field for another one.
    fn name(&mut self, ui: &mut Ui, context: &mut Context<'_>, index: usize, experiment: &Experiment) {
        let Some(renaming) = self.renaming.as_mut().filter(|renaming| renaming.index == index) else {
            let name = RichText::new(&experiment.name).family(theme::semi_bold());
            ui.add(egui::Label::new(name).truncate()).on_hover_text(&experiment.name);
            return;
        };
        let field = TextEdit::singleline(&mut renaming.name).hint_text("Name of the experiment");
        let field = if renaming.problem.is_some() { field.text_color(theme::tokens(ui).error) } else { field };
        let field = ui.add(field.desired_width(180.0));
        widgets::named(ui, &field, "Name of the experiment");
        if !std::mem::replace(&mut renaming.focused, true) {
            field.request_focus();
        }
        if field.changed() {
            let checked = edits::check_name(context.session.project(), index, renaming.name.trim());
            renaming.problem = checked.err().map(|bad| widgets::sentence(&bad.problem));
        }
        if field.lost_focus() && ui.input(|input| input.key_pressed(egui::Key::Escape)) {
            self.renaming = None;
        } else if field.lost_focus() && renaming.problem.is_none() {
            let project = edits::renamed(context.session.project(), index, renaming.name.trim());
            context.actions.push(Action::Edit { project: Box::new(project), key: None });
            self.renaming = None;
        }
    }

    fn menu(&mut self, ui: &mut Ui, context: &mut Context<'_>, index: usize, experiment: &Experiment) {
        let project = context.session.project();
        if ui.button("Rename").clicked() {
            self.renaming = Some(Renaming { index, name: experiment.name.clone(), focused: false, problem: None });
        }
        if ui.button("Change method…").clicked() {
            context.actions.push(Action::PickMethod(MethodPurpose::Change(index)));
        }
        own_seeds::entry(ui, context, index, experiment);
        let last = project.experiments.len() - 1;
        let entries: [(&str, bool, &str, ExperimentEdit); 4] = [
            ("Duplicate", true, "", edits::with_duplicate),
            ("Move up", index > 0, "It is the first", edits::moved_up),
            ("Move down", index < last, "It is the last", edits::moved_down),
            ("Remove", last > 0, "A project has at least one experiment", edits::without_experiment),
        ];
        for (text, possible, obstacle, edit) in entries {
            let button = ui.add_enabled(possible, Button::new(text)).on_disabled_hover_text(obstacle);
            if button.clicked() {
                context.actions.push(Action::Edit { project: Box::new(edit(project, index)), key: None });
            }
        }
    }

    fn seeds_field(&mut self, ui: &mut Ui, context: &mut Context<'_>) {
        let session = context.session;
        let label = ui.label(RichText::new("Seeds").color(theme::tokens(ui).muted));
        let help = "Whole numbers, separated by commas. Each experiment runs once with each seed; three or more seeds show how much is chance";
        let now = &session.project().seeds;
        let typed = spotlight::at(ui, session, &Place::Seeds, |ui| self.seeds.ui(ui, label.id, help, now));
        if let Some(seeds) = typed {
            let project = Box::new(edits::with_seeds(session.project(), seeds));
            context.actions.push(Action::Edit { project, key: None });
        }
        ui.end_row();
    }
}

/// A fact whose value leads to where it is edited.
fn linked_fact(ui: &mut Ui, context: &mut Context<'_>, name: &str, value: &str, place: Place) {
    let label = ui.label(RichText::new(name).color(theme::tokens(ui).muted));
    ui.scope(|ui| {
        ui.style_mut().wrap_mode = Some(egui::TextWrapMode::Truncate);
        let link = ui.link(value).labelled_by(label.id);
        if link.on_hover_text(format!("{value}\nGo to where it is edited")).clicked() {
            context.actions.push(Action::Reveal(place));
        }
    });
    ui.end_row();
}

/// Runs what is not finished of an experiment and the points of its sweeps.
fn run_button(ui: &mut Ui, context: &mut Context<'_>, experiment: &Experiment) {
    let own = |name: &str| context.session.experiment_of(name) == experiment.name;
    let rows = context.session.rows.iter().filter(|row| row.can_run() && own(&row.key.experiment));
    let ids: Vec<String> = rows.map(|row| row.id.clone()).collect();
    let button = ui.add_enabled(!ids.is_empty(), Button::new("Run"));
    button.widget_info(|| {
        egui::WidgetInfo::labeled(egui::Role::Button, !ids.is_empty(), format!("Run {}", experiment.name))
    });
    let button = button.on_hover_text(format!("Run what is not finished: {}", counted(ids.len(), "run")));
    if button.on_disabled_hover_text("Every run of it is finished, under way or not read yet").clicked() {
        context.actions.push(Action::Run(ids));
    }
}

/// Makes the next project by an edit of the experiment at an index.
type ExperimentEdit = fn(&Project, usize) -> Project;

fn data_words(dataset: &DatasetSource) -> String {
    match dataset {
        DatasetSource::Synthetic(options) => {
            [counted(options.users, "user"), counted(options.items, "item"), counted(options.stages, "stage")]
                .join(", ")
        }
        files => {
            let path = files.path().unwrap_or(Path::new(""));
            path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
        }
    }
}

fn model_words(model: &BaseModel) -> String {
    match model {
        BaseModel::Compact(shape) => format!("Compact, {} of width {}", counted(shape.layers, "layer"), shape.width),
        BaseModel::HuggingFace(path) | BaseModel::Gguf(path) => {
            path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
        }
    }
}
