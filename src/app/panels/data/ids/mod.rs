//! Semantic ids of the project: where they come from, training them with its curves, and how good they are.

mod form;
mod modalities;
mod quality;

use eframe::egui;
use egui::{ScrollArea, Ui};

use self::form::Form;
use super::super::{Context, explanation};
use crate::app::action::Action;
use crate::app::command::Command;
use crate::app::queries::Answer;
use crate::app::queries::data::ProjectData;
use crate::app::queries::semantic_ids::{IdsWork, KeptModalities, TrainIds, TrainedIds};
use crate::app::theme::{self, space};
use crate::app::widgets;
use crate::figures::modalities::ModalitiesChart;
use crate::figures::semantic_ids::IdsChart;
use crate::train::semantic_ids::{IdFiles, IdsState};

/// Seconds between two looks at training.
const LOOK_EVERY: f64 = 0.5;

/// What one reads first.
const EXPLANATION: &str = "A semantic id is a short sequence of codes, and items that are alike share their first ones, so that a model learns of groups before it learns of single items. Ids are good where all codes are in use, hardly any items share one, and the first codes already tell what an item is.";

/// State of the part.
#[derive(Debug, Default)]
pub(crate) struct IdsTab {
    form: Form,
    /// What is shown of training: its loss, or the codes in use.
    curves: IdsChart,
    /// What is shown of the sources of vectors.
    sources: ModalitiesChart,
    /// The training that this window started last, as long as it is not over.
    training: Option<TrainIds>,
    /// What begins as soon as the project is saved.
    saving: Option<IdsWork>,
    /// Trainings that were started.
    started: usize,
    /// Why the last one failed.
    problem: Option<String>,
    /// When it was last looked, in seconds of the window's clock, and at which place.
    looked: f64,
    at: Option<IdFiles>,
}

impl IdsTab {
    /// Draws the tab.
    pub(crate) fn ui(&mut self, ui: &mut Ui, context: &mut Context<'_>) {
        ScrollArea::vertical().id_salt("semantic ids").auto_shrink(false).show(ui, |ui| self.contents(ui, context));
    }

    fn contents(&mut self, ui: &mut Ui, context: &mut Context<'_>) {
        explanation(ui, EXPLANATION);
        self.form.ui(ui, context);
        let Some(files) = IdFiles::of(context.session.project()) else { return };
        self.follow(ui, context, &files);
        let query = TrainedIds { files: files.clone() };
        let state: Option<&IdsState> = match context.session.queries.get(&query) {
            Answer::Ready(state) => Some(state),
            Answer::Failed(error) => {
                super::super::failed(ui, context, error, &query);
                None
            }
            Answer::Pending | Answer::Cancelled => {
                context.actions.push(Action::compute(&query));
                None
            }
        };
        let Some(state) = state else { return };
        self.buttons(ui, context, &files, state);
        quality::ui(ui, context, state, &mut self.curves);
        if modalities::are_several(context) {
            modalities::ui(ui, context, &files, &mut self.sources);
        }
    }

    /// Follows training: begins it when the project is saved, looks again while it is under way, and takes in its end.
    fn follow(&mut self, ui: &Ui, context: &mut Context<'_>, files: &IdFiles) {
        let session = context.session;
        if let Some(making) = self.saving
            && !session.saving
        {
            self.saving = None;
            // A project that could not be saved is not what the process would read.
            if !session.unsaved() {
                self.begin(context, files, making);
            }
        }
        let trained = TrainedIds { files: files.clone() };
        if let Some(training) = &self.training {
            match session.queries.get(training) {
                Answer::Pending => context.actions.push(Action::compute(training)),
                ended => {
                    if let Answer::Failed(error) = ended {
                        self.problem = Some(widgets::sentence(&error.to_string()));
                    }
                    if ended.ready().is_some() {
                        context.actions.push(Action::renew(&ProjectData::of(session.project())));
                    }
                    self.training = None;
                    context.actions.push(Action::renew(&trained));
                    context.actions.push(Action::renew(&KeptModalities { files: files.clone() }));
                }
            }
        }
        let elsewhere = session.queries.get(&trained).ready().is_some_and(|state| state.training);
        let now = ui.input(|input| input.time);
        let moved = self.at.as_ref() != Some(files);
        if self.training.is_some() || elsewhere || moved {
            if moved || now - self.looked >= LOOK_EVERY {
                self.looked = now;
                self.at = Some(files.clone());
                context.actions.push(Action::renew(&trained));
            }
            ui.ctx().request_repaint_after_secs(LOOK_EVERY as f32);
        }
    }

    fn begin(&mut self, context: &mut Context<'_>, files: &IdFiles, making: IdsWork) {
        self.started += 1;
        self.problem = None;
        let file = context.session.file.clone();
        let training = TrainIds { file, files: files.clone(), making, attempt: self.started };
        context.actions.push(Action::compute(&training));
        self.training = Some(training);
    }

    /// What can be done now.
    fn buttons(&mut self, ui: &mut Ui, context: &mut Context<'_>, files: &IdFiles, state: &IdsState) {
        ui.add_space(space::S);
        ui.horizontal_wrapped(|ui| {
            if let Some(training) = &self.training {
                ui.spinner();
                let (text, tooltip) = if training.making == IdsWork::Modalities {
                    ("Stop comparing", "Nothing of it is kept, and no id is changed")
                } else {
                    ("Stop training", "What is done is kept, and can be resumed")
                };
                let stop = ui.button(text).on_hover_text(tooltip);
                if stop.clicked() {
                    context.actions.push(Action::cancel(training));
                }
                let progress = context.session.queries.progress(training);
                let progress = progress.words.trim_start_matches("semantic ids: ");
                widgets::remark(ui, if progress.is_empty() { "Starting" } else { progress });
                return;
            }
            if self.saving.is_some() || state.training {
                ui.spinner();
                let what = if state.training { "Another process trains these ids" } else { "Saving the project" };
                widgets::remark(ui, what);
                return;
            }
            let lacking = state.quality.is_some() && items_lack_ids(context);
            let (first, again) = match state {
                IdsState { halted: true, .. } => (Some(("Resume training", IdsWork::Train)), Some("Start over")),
                IdsState { quality: Some(_), .. } if lacking => (Some(("Append", IdsWork::Append)), Some("Train again")),
                IdsState { quality: Some(_), .. } => (None, Some("Train again")),
                _ => (Some(("Train ids", IdsWork::Train)), None),
            };
            let pressed = first.filter(|(text, _)| widgets::primary_button(ui, text).clicked()).map(|(_, making)| making);
            let anew = again.is_some_and(|text| {
                ui.button(text).on_hover_text("From the beginning; ids that are there stay until it is done").clicked()
            });
            let compare = modalities::are_several(context) && modalities::button(ui);
            let pressed = pressed.or(anew.then_some(IdsWork::Fresh)).or(compare.then_some(IdsWork::Modalities));
            if let Some(making) = pressed {
                self.problem = None;
                if context.session.unsaved() {
                    context.actions.push(Action::Command(Command::SaveProject));
                    self.saving = Some(making);
                } else {
                    self.begin(context, files, making);
                }
            }
            if context.session.unsaved() {
                widgets::remark(ui, "The project is saved first: training reads its file");
            } else if lacking && !state.halted {
                widgets::remark(ui, "New items have no id yet: Append gives them the nearest free ones and moves none; Train again moves all");
            } else if state.quality.is_none() {
                widgets::remark(ui, "A run trains them too, before it starts");
            }
        });
        if let Some(problem) = &self.problem {
            ui.colored_label(theme::tokens(ui).error, problem);
        }
    }
}

/// Whether the data have items that the index lacks.
fn items_lack_ids(context: &Context<'_>) -> bool {
    let data = ProjectData::of(context.session.project());
    context.session.queries.get(&data).ready().is_some_and(|report| report.missing_ids.is_some())
}
