//! Training and tests of the project: one line that says what is set, and below it, unfolded, every setting.

use eframe::egui;
use egui::{CollapsingHeader, RichText, Ui};

use super::method_card::row;
use super::{Context, settings_form, spotlight};
use crate::app::action::Action;
use crate::app::theme::{self, space};
use crate::app::widgets::{self, NumberList, counted, numbers_text};
use crate::project::edits::change::Place;
use crate::project::edits::data::with_cut_offs;
use crate::project::settings::{self, GROUPS};
use crate::project::{Evaluation, Project, Schedule};

/// State of the card.
#[derive(Debug, Default)]
pub(super) struct TrainingCard {
    open: bool,
    cut_offs: NumberList,
}

/// Width from which the groups stand in two columns.
const TWO_COLUMNS: f32 = 640.0;

impl TrainingCard {
    /// Unfolds the settings.
    pub(super) fn open(&mut self) {
        self.open = true;
    }

    /// Draws the card.
    pub(super) fn ui(&mut self, ui: &mut Ui, context: &mut Context<'_>) {
        let project = context.session.project();
        widgets::card(ui, |ui| {
            let title = RichText::new("Training and tests").text_style(theme::section()).family(theme::semi_bold());
            let header = CollapsingHeader::new(title).id_salt("training").open(Some(self.open));
            let header = header.show_unindented(ui, |ui| self.groups(ui, context));
            if header.header_response.clicked() {
                self.open = !self.open;
            }
            header.header_response.on_hover_text("Epochs, learning rate, adapters, memory, tests: every setting");
            if !self.open {
                widgets::remark(ui, summary(project));
            }
        });
    }

    fn groups(&mut self, ui: &mut Ui, context: &mut Context<'_>) {
        if ui.available_width() >= TWO_COLUMNS {
            ui.columns(2, |columns| {
                for (index, group) in GROUPS.iter().enumerate() {
                    self.group(&mut columns[usize::from(index > 0)], context, group);
                }
            });
        } else {
            GROUPS.iter().for_each(|group| self.group(ui, context, group));
        }
    }

    fn group(&mut self, ui: &mut Ui, context: &mut Context<'_>, group: &settings::Group) {
        ui.add_space(space::XS);
        ui.label(RichText::new(group.title).family(theme::semi_bold()));
        settings_form::rows(ui, context, group.paths);
        match group.title {
            "Tests" => self.cut_offs(ui, context),
            "Adapters" => links(ui, context),
            _ => {}
        }
    }

    fn cut_offs(&mut self, ui: &mut Ui, context: &mut Context<'_>) {
        let session = context.session;
        let project = session.project();
        let now: Vec<u64> = project.evaluation.k.iter().map(|&k| k as u64).collect();
        let usual = Evaluation::default().k;
        let help = format!(
            "Lengths of the lists that Hit and NDCG look at; those above the number of beams are left out\nDefault: {}",
            numbers_text(&usual.iter().map(|&k| k as u64).collect::<Vec<_>>()),
        );
        spotlight::at(ui, session, &Place::CutOffs, |ui| {
            let changed = project.evaluation.k != usual;
            let typed = row(ui, "Cut-offs", &help, changed, |ui, label| self.cut_offs.ui(ui, label, &help, &now));
            if let Some(typed) = typed {
                let project = Box::new(with_cut_offs(project, typed.into_iter().map(|k| k as usize).collect()));
                context.actions.push(Action::Edit { project, key: None });
            }
        });
    }
}

/// The ways to what is set where it is explained: the model, its prompt, the adapter that stage 1 begins with.
fn links(ui: &mut Ui, context: &mut Context<'_>) {
    ui.horizontal_wrapped(|ui| {
        widgets::remark(ui, "On q, k, v, o, gate, up and down of every layer. Elsewhere:");
        for (text, place) in
            [("Prompt", Place::Prompt), ("Start of stage 1", Place::Start), ("Base model", Place::BaseModel)]
        {
            if ui.link(RichText::new(text).small()).clicked() {
                context.actions.push(Action::Reveal(place));
            }
        }
    });
}

/// What is set, in one line.
pub(super) fn summary(project: &Project) -> String {
    let training = &project.training;
    let later = match training.later_stage_epochs {
        Some(later) => format!(", then {later} in each later stage"),
        None => String::new(),
    };
    let schedule = match training.schedule {
        Schedule::Cosine => "cosine",
        Schedule::Constant => "constant",
    };
    let changed = GROUPS
        .iter()
        .flat_map(|group| group.paths)
        .filter(|path| settings::value(project, path) != settings::default(path))
        .count();
    let changed = if changed > 0 { format!(" ({changed} changed from the defaults)") } else { String::new() };
    let epochs = counted(training.epochs, "epoch");
    format!("{epochs}{later}, batch {}, learning rate {}, {schedule}{changed}", training.batch, training.learning_rate)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::project::Training;
    use crate::project::file::DEMO;

    #[test]
    fn one_line_says_what_is_set() {
        let mut project = Project::parse(DEMO, Path::new("project.ron")).unwrap();
        (project.training, project.evaluation) = (Training::default(), Evaluation::default());
        assert_eq!(summary(&project), "4 epochs, batch 32, learning rate 0.0002, cosine");
        project.training.later_stage_epochs = Some(2);
        project.training.learning_rate = 0.002;
        assert_eq!(
            summary(&project),
            "4 epochs, then 2 in each later stage, batch 32, learning rate 0.002, cosine (2 changed from the defaults)"
        );
    }
}
