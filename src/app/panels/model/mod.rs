//! The base model: which it is, what it is before anything is loaded, how it reads examples, and what training it takes.

mod base;
mod card;
mod chips;
mod figures;
mod memory;
mod prompt;
mod shape;
mod start;
mod tokens;
mod trained;

use eframe::egui;
use egui::{Align, KeyboardShortcut, Layout, Modifiers, RichText, ScrollArea, Ui};

use super::view::{Home, ViewSpec};
use super::{Context, Panel, PanelEvent, spotlight};
use crate::app::action::Action;
use crate::app::queries::model::TrainingSetup;
use crate::app::queries::{Answer, Query};
use crate::app::theme::{self, space};
use crate::app::widgets;
use crate::budget::setup::Setup;
use crate::error::InputError;
use crate::project::Project;
use crate::project::edits::change::Place;

/// The view.
pub(crate) static VIEW: ViewSpec = ViewSpec {
    key: "Model",
    title: "Model",
    command: "Show model",
    tooltip: "The base model, its tokenizer and prompt, and the memory that training takes",
    shortcut: Some(KeyboardShortcut::new(Modifiers::COMMAND, egui::Key::M)),
    home: Home::Charts,
};

/// Part of the view.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Part {
    #[default]
    Base,
    Prompt,
    Training,
}

impl Part {
    const ALL: [Self; 3] = [Self::Base, Self::Prompt, Self::Training];

    const fn text(self) -> &'static str {
        match self {
            Self::Base => "Base model",
            Self::Prompt => "Prompt",
            Self::Training => "Training and memory",
        }
    }

    const fn tooltip(self) -> &'static str {
        match self {
            Self::Base => "Which language model is adapted, what it is, and how it cuts text into tokens",
            Self::Prompt => "How a history is written for the model, with an example of the project's data",
            Self::Training => "What is trained beside the frozen weights, and the memory that this takes",
        }
    }
}

/// State of the panel.
#[derive(Debug, Default)]
pub(crate) struct ModelPanel {
    part: Part,
    setup: Option<SetupQuery>,
    base: base::BaseModelPart,
    prompt: prompt::PromptPart,
    training: trained::TrainingPart,
}

/// What data and model come to: the query for the project as it is, and the last one that has an answer.
#[derive(Debug)]
struct SetupQuery {
    /// Revision of the project that the query is about.
    revision: u64,
    query: TrainingSetup,
    answered: Option<TrainingSetup>,
}

/// Width from which two cards stand side by side.
const WIDE: f32 = 720.0;

impl Panel for ModelPanel {
    fn tabs(&self) -> Vec<&'static str> {
        Part::ALL.map(Part::text).into()
    }

    fn show_tab(&mut self, title: &str) {
        let named = Part::ALL.into_iter().find(|tab| tab.text() == title);
        self.part = named.unwrap_or(self.part);
    }

    fn ui(&mut self, ui: &mut Ui, context: &mut Context<'_>) {
        let state = self.setup(context);
        let (setup, session) = (state.setup, context.session);
        ui.horizontal_wrapped(|ui| {
            for part in Part::ALL {
                ui.selectable_value(&mut self.part, part, part.text()).on_hover_text(part.tooltip());
            }
            if state.pending && setup.is_some() {
                ui.spinner().on_hover_text("What is shown is of the settings before; the new ones are being looked at");
            }
        });
        ui.add_space(space::XS);
        ScrollArea::vertical().id_salt(self.part.text()).auto_shrink(false).show(ui, |ui| {
            match self.part {
                Part::Base => {
                    // What is wrong with the model its own card says.
                    if !state.is_about_model(context.session.project()) {
                        state.describe(ui, context, "Reading the data");
                    }
                    spotlight::at(ui, session, &Place::BaseModel, |ui| self.base.ui(ui, context, setup));
                }
                Part::Prompt => {
                    state.describe(ui, context, "Writing an example");
                    spotlight::at(ui, session, &Place::Prompt, |ui| self.prompt.ui(ui, context, setup));
                }
                Part::Training => {
                    state.describe(ui, context, "Writing the steps of every stage");
                    self.training.ui(ui, context, setup);
                }
            }
            ui.add_space(space::S);
        });
    }

    fn receive(&mut self, event: &PanelEvent) {
        if let PanelEvent::Reveal(place) = event {
            self.reveal(place);
        }
    }
}

impl ModelPanel {
    /// Brings what is asked for to the front.
    fn reveal(&mut self, place: &Place) {
        match place {
            Place::BaseModel => self.part = Part::Base,
            Place::Prompt => self.part = Part::Prompt,
            Place::Start => self.part = Part::Training,
            _ => {}
        }
    }

    /// Asks what data and model come to, and gives the last answer as long as there is no newer one.
    fn setup<'s>(&mut self, context: &mut Context<'s>) -> SetupState<'s> {
        let session = context.session;
        let revision = session.history.revision();
        let query_of = || TrainingSetup::of(session.project());
        let current = self.setup.get_or_insert_with(|| SetupQuery { revision, query: query_of(), answered: None });
        if current.revision != revision {
            *current = SetupQuery { revision, query: query_of(), answered: current.answered.take() };
        }
        let query = current.query.clone();
        match session.queries.get(&query) {
            Answer::Ready(setup) => {
                current.answered = Some(query.clone());
                SetupState { setup: Some(setup), pending: false, failed: None, query }
            }
            Answer::Failed(error) => SetupState { setup: None, pending: false, failed: Some(error), query },
            Answer::Pending | Answer::Cancelled => {
                context.actions.push(Action::compute(&query));
                let setup = current.answered.as_ref().and_then(|last| session.queries.get(last).ready());
                SetupState { setup, pending: true, failed: None, query }
            }
        }
    }
}

/// Where the query about data and model stands.
struct SetupState<'s> {
    /// The answer; while a newer one is computed, the last.
    setup: Option<&'s Setup>,
    pending: bool,
    failed: Option<&'s InputError>,
    query: TrainingSetup,
}

impl SetupState<'_> {
    /// Whether what failed are the base model's files.
    fn is_about_model(&self, project: &Project) -> bool {
        let path = project.base_model.path().map(|path| project.folder.join(path));
        self.failed.zip(path).is_some_and(|(error, path)| error.path.starts_with(path))
    }

    /// Says what is being computed, or why it cannot be.
    fn describe(&self, ui: &mut Ui, context: &mut Context<'_>, doing: &str) {
        if let Some(error) = self.failed {
            problem(ui, context, "Data, prompt and base model cannot be used together", error, &self.query);
            ui.add_space(space::S);
        } else if self.pending && self.setup.is_none() {
            pending(ui, doing);
        }
    }
}

fn pending(ui: &mut Ui, doing: &str) {
    ui.horizontal(|ui| {
        ui.spinner();
        ui.label(doing);
    });
}

/// A card that says what cannot be used, where, and what to do about it.
fn problem(ui: &mut Ui, context: &mut Context<'_>, title: &str, error: &InputError, query: &impl Query) {
    let tokens = theme::tokens(ui);
    widgets::card(ui, |ui| {
        ui.label(RichText::new(format!("⚠ {title}")).color(tokens.error).family(theme::semi_bold()));
        let place = error.place.as_ref().map(|place| format!(", at {place}")).unwrap_or_default();
        ui.label(widgets::sentence(&format!("{}{place}", error.problem)));
        if let Some(advice) = &error.advice {
            ui.label(RichText::new(widgets::sentence(advice)).color(tokens.muted));
        }
        ui.horizontal_wrapped(|ui| {
            if ui.button("Try again").on_hover_text("Read the files once more").clicked() {
                context.actions.push(Action::retry(query));
            }
            let path = error.path.display().to_string();
            let name = error.path.file_name().map_or_else(|| path.clone(), |name| name.to_string_lossy().into_owned());
            widgets::remark(ui, name).on_hover_text(path);
        });
    });
}

/// Cards side by side where there is room, else one below the other.
fn beside(
    ui: &mut Ui,
    context: &mut Context<'_>,
    left: impl FnOnce(&mut Ui, &mut Context<'_>),
    right: impl FnOnce(&mut Ui, &mut Context<'_>),
) {
    if ui.available_width() >= WIDE {
        ui.columns(2, |columns| {
            // A column justifies its contents, which tears a text apart.
            let plain = Layout::top_down(Align::Min);
            columns[0].with_layout(plain, |ui| left(ui, context));
            columns[1].with_layout(plain, |ui| right(ui, context));
        });
    } else {
        left(ui, context);
        ui.add_space(space::S);
        right(ui, context);
    }
}

/// Changes of the project that belong to one step of undo: what is typed, or a value that is dragged.
#[derive(Debug, Clone, Copy)]
enum Key {
    Shape,
    Prompt,
    Training,
}

/// Asks for a change; those with one key are one step of undo.
fn edit(context: &mut Context<'_>, project: Project, key: Option<Key>) {
    // Places of experiments are keys too; they are far below.
    let key = key.map(|key| (1 << 32) + key as u64);
    context.actions.push(Action::Edit { project: Box::new(project), key });
}
