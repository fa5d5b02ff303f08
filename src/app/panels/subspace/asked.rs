//! What is computed on request, by a process of its own: retention as theory predicts it, and the meaning of directions.

use std::sync::Arc;

use eframe::egui;
use egui::{Label, RichText, ScrollArea, Ui};

use super::super::{Context, choice, found, run_label};
use super::{Reported, SubspacePanel, show};
use crate::app::action::Action;
use crate::app::reports::{Found, How, Question, Report, RunStamp};
use crate::app::theme::{self, space};
use crate::app::watch::RunView;
use crate::app::widgets;
use crate::chart::scale::value_label;
use crate::chart::subspace;
use crate::experiment::analysis::meaning::{DirectionMeaning, Ends, MeaningReport, NamedItem, Reading};

/// What is said of an analysis that is not there yet.
struct Offer<'t> {
    button: &'t str,
    advice: &'t str,
    /// While it is computed.
    doing: &'t str,
}

/// An analysis: from the run's folder where it is there; else offered, and computed when the user wants it.
fn analysis<'s, T>(
    ui: &mut Ui,
    context: &mut Context<'s>,
    question: &dyn Fn(How) -> Question,
    part: fn(&Report) -> Option<&T>,
    offer: &Offer<'_>,
) -> Option<&'s T> {
    let [kept, computed] = [How::LookUp, How::Compute].map(|how| Arc::new(question(how)));
    let session = context.session;
    if session.reports.was_asked(&computed) {
        return found(ui, context, (&computed, part), offer.doing);
    }
    if matches!(session.reports.look(&kept, part), Found::Cancelled) {
        // It was looked up, and is not there.
        widgets::empty_state(ui, "Not computed yet", offer.advice);
        ui.vertical_centered(|ui| {
            if widgets::primary_button(ui, offer.button).clicked() {
                context.actions.push(Action::Ask(computed));
            }
        });
        return None;
    }
    found(ui, context, (&kept, part), "Looking into the run's folder")
}

impl SubspacePanel {
    pub(super) fn retention(&self, ui: &mut Ui, context: &mut Context<'_>, runs: &[&Arc<RunView>], one: Reported<'_>) {
        let stage = self.stage(one.report);
        if one.run.config.method.key() != "peso" || stage < 2 {
            let advice = "Retention is that of PESO's proximal term: choose a run of PESO, and a stage from 2 on";
            widgets::empty_state(ui, "Nothing pulls toward the past here", advice);
            return;
        }
        let question = |how| Question::Retention { run: RunStamp::of(one.run), stage, how };
        let offer = Offer {
            button: "Measure retention",
            advice: "A process trains the stage again without the pull and takes the gradients of single examples. It takes about as long as the stage took, and the result is kept",
            doing: "Measuring retention",
        };
        if let Some(report) = analysis(ui, context, &question, Report::retention, &offer) {
            show(ui, context, subspace::retention(report, &run_label(one.run, runs)));
        }
    }

    pub(super) fn meaning(
        &mut self,
        ui: &mut Ui,
        context: &mut Context<'_>,
        runs: &[&Arc<RunView>],
        one: Reported<'_>,
    ) {
        let stage = self.stage(one.report);
        let module = self.module(one.report).to_owned();
        let question = |how| Question::Meaning { run: RunStamp::of(one.run), stage, module: module.clone(), how };
        let offer = Offer {
            button: "Find out the meaning",
            advice: "A process reads the module's directions through the model's head and embeddings, and runs users' histories along them. It takes seconds for small models, and the result is kept",
            doing: "Reading the directions",
        };
        let Some(report) = analysis(ui, context, &question, Report::meaning, &offer) else { return };
        let directions: Vec<_> = report
            .directions
            .iter()
            .enumerate()
            .map(|(place, found)| {
                (place, format!("{} (singular value {})", place + 1, value_label(found.singular_value)))
            })
            .collect();
        self.direction = self.direction.min(directions.len().saturating_sub(1));
        ui.horizontal_wrapped(|ui| {
            choice(ui, ("Direction", 220.0), &mut self.direction, &directions);
            if ui.button("Copy all").on_hover_text("Put all directions on the clipboard, for a spreadsheet").clicked() {
                ui.copy_text(as_text(report, &run_label(one.run, runs)));
            }
        });
        let Some(direction) = report.directions.get(self.direction) else { return };
        theme::panel_frame(ui).show(ui, |ui| {
            ScrollArea::both().id_salt("meaning").auto_shrink(false).show(ui, |ui| meaning_ui(ui, direction));
        });
    }
}

const COLUMN: f32 = 300.0;

fn meaning_ui(ui: &mut Ui, direction: &DirectionMeaning) {
    for (reading, words) in [(&direction.writes, "What it writes"), (&direction.reads, "What it reads")] {
        let Some(reading) = reading else { continue };
        widgets::section(ui, words);
        ui.horizontal_top(|ui| {
            ends(ui, &reading.items, |found| (item_words(&found.item), found.score));
            ends(ui, &reading.codes, |found| (format!("{} (level {})", found.code, found.level), found.score));
        });
        ui.add_space(space::M);
    }
    widgets::section(ui, "Users whose histories use it");
    ui.horizontal_top(|ui| {
        ends(ui, &direction.activation.users, |user| {
            let newest: Vec<String> = user.history.iter().rev().take(3).map(item_words).collect();
            (format!("{}: {}", user.user, newest.join(", ")), user.activation)
        });
    });
}

/// Both ends of a list, side by side.
fn ends<T>(ui: &mut Ui, ends: &Ends<T>, words: impl Fn(&T) -> (String, f64)) {
    for (list, title) in [(&ends.raised, "▲ Raised"), (&ends.lowered, "▼ Lowered")] {
        ui.allocate_ui(egui::Vec2::new(COLUMN, 0.0), |ui| {
            ui.set_width(COLUMN);
            ui.vertical(|ui| {
                widgets::remark(ui, title);
                for found in list {
                    let (text, score) = words(found);
                    ui.horizontal(|ui| {
                        let number = RichText::new(format!("{score:+.3}")).small().color(theme::tokens(ui).muted);
                        ui.label(number);
                        ui.add(Label::new(&text).truncate()).on_hover_text(&text);
                    });
                }
            });
        });
        ui.add_space(space::S);
    }
}

fn item_words(item: &NamedItem) -> String {
    item.title.clone().unwrap_or_else(|| item.id.clone())
}

/// All directions as a table of tab-separated columns.
fn as_text(report: &MeaningReport, run: &str) -> String {
    let mut text = format!("{run}, stage {}, {}\nDirection\tSide\tEnd\tItem\tScore\n", report.stage, report.module);
    for (direction, number) in report.directions.iter().zip(1..) {
        let sides: [(&Option<Reading>, &str); 2] = [(&direction.writes, "writes"), (&direction.reads, "reads")];
        for (reading, side) in sides {
            let Some(reading) = reading else { continue };
            for (list, end) in [(&reading.items.raised, "raised"), (&reading.items.lowered, "lowered")] {
                for found in list {
                    text.push_str(&format!(
                        "{number}\t{side}\t{end}\t{}\t{}\n",
                        item_words(&found.item).replace(['\t', '\n'], " "),
                        found.score
                    ));
                }
            }
        }
    }
    text
}
