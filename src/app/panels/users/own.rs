//! A history that somebody makes up, and what every method would show to it.

use std::sync::Arc;

use eframe::egui;
use egui::{Button, Label, RichText, ScrollArea, Slider, TextEdit, Ui, Vec2};

use super::lists::{column, heading, marked};
use crate::analysis::recommend::{AskedHistory, ListedItem, RunAnswer, stages_words};
use crate::app::fuzzy::fuzzy_score;
use crate::app::panels::{Context, answered, chart_actions, choice, run_label};
use crate::app::queries::RunStamp;
use crate::app::queries::recommend::TypedHistory;
use crate::app::theme::{self, space};
use crate::app::watch::RunView;
use crate::app::widgets;
use crate::data::{Dataset, Protocol};
use crate::figures::history::Answered;
use crate::figures::{self, FigureOptions};
use crate::project::board::PinnedFigure;

/// State of the made-up history.
#[derive(Debug, Default)]
pub(super) struct OwnHistory {
    /// Oldest first.
    items: Vec<u32>,
    search: String,
    /// What the search found, of which text.
    found: (String, Vec<u32>),
    /// The history that was asked; another stage is asked of at once.
    asked: Option<Vec<u32>>,
    stage: Option<usize>,
    /// Only items that so many stages brought are listed; all where there is none.
    new_items: Option<usize>,
}

/// Items that a search offers.
const OFFERED: usize = 12;
const LIST_WIDTH: f32 = 300.0;

/// What the history can be asked of.
pub(super) struct Asked<'a> {
    pub(super) dataset: &'a Dataset,
    /// Runs of these data.
    pub(super) runs: &'a [&'a Arc<RunView>],
    /// The user who is looked at among the tests, and what the user did before the test.
    pub(super) selected: Option<(&'a str, &'a [u32])>,
}

/// Stages that a run has finished.
fn finished(run: &RunView) -> usize {
    run.stages.iter().filter(|stage| stage.finished).count()
}

impl OwnHistory {
    pub(super) fn ui(&mut self, ui: &mut Ui, context: &mut Context<'_>, asked: &Asked<'_>) {
        let size = ui.available_size();
        ui.horizontal_top(|ui| {
            ui.allocate_ui(Vec2::new(LIST_WIDTH, size.y), |ui| {
                ui.set_width(LIST_WIDTH);
                ScrollArea::vertical().id_salt("own history").auto_shrink(false).show(ui, |ui| {
                    ui.vertical(|ui| self.history(ui, asked));
                });
            });
            ui.vertical(|ui| {
                ui.set_min_size(Vec2::new((size.x - LIST_WIDTH - space::M).max(0.0), size.y));
                theme::panel_frame(ui).show(ui, |ui| {
                    ui.take_available_space();
                    self.answers(ui, context, asked);
                });
            });
        });
    }

    /// The search, what it found, and the history.
    fn history(&mut self, ui: &mut Ui, asked: &Asked<'_>) {
        let dataset = asked.dataset;
        let field = TextEdit::singleline(&mut self.search).hint_text("Search items by title or id");
        let field = ui.add(field.desired_width(f32::INFINITY));
        widgets::named(ui, &field, "Search items");
        if self.found.0 != self.search {
            self.found = (self.search.clone(), search(dataset, &self.search));
        }
        let entered = field.lost_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter));
        let mut added = self.found.1.first().copied().filter(|_| entered);
        for &offered in &self.found.1 {
            let words = dataset.item_words(offered);
            let id = &dataset.items[offered as usize].id;
            let button = Button::new(format!("+ {words}")).right_text(RichText::new(id).small()).truncate();
            let response = ui.add_sized([ui.available_width(), 0.0], button);
            widgets::named(ui, &response, &format!("Add {words}"));
            if response.on_hover_text("Add it as the newest of the history").clicked() {
                added = Some(offered);
            }
        }
        if self.found.1.is_empty() && !self.search.trim().is_empty() {
            widgets::remark(ui, "No item has such a title or id");
        }
        if let Some(added) = added {
            self.items.push(added);
            self.search.clear();
            field.request_focus();
        }
        ui.add_space(space::S);
        heading(ui, "History", "oldest first");
        self.rows(ui, dataset);
        ui.add_space(space::S);
        ui.horizontal_wrapped(|ui| {
            let possible = !self.items.is_empty();
            if ui.add_enabled_ui(possible, |ui| widgets::primary_button(ui, "Recommend")).inner.clicked() {
                self.asked = Some(self.items.clone());
            }
            if ui.add_enabled(possible, Button::new("Clear")).clicked() {
                self.items.clear();
            }
            if let Some((user, history)) = asked.selected {
                let take = ui.button(format!("Take that of {user}"));
                if take.on_hover_text("The history of the user who is chosen among the test users").clicked() {
                    self.items = history.to_vec();
                }
            }
        });
    }

    /// The items of the history, each of which can be moved and taken out.
    fn rows(&mut self, ui: &mut Ui, dataset: &Dataset) {
        if self.items.is_empty() {
            widgets::remark(ui, "Search for items and add them, the oldest first");
        }
        let (mut removed, mut swapped) = (None, None);
        let last = self.items.len().saturating_sub(1);
        for (place, &item) in self.items.iter().enumerate() {
            let words = dataset.item_words(item);
            ui.horizontal(|ui| {
                let small = |ui: &mut Ui, possible: bool, sign: &str, name: String| {
                    let button = ui.add_enabled(possible, Button::new(sign).small());
                    widgets::named(ui, &button, &name);
                    button.on_hover_text(&name).clicked()
                };
                if small(ui, place > 0, "↑", format!("Move {words} up")) {
                    swapped = Some(place - 1);
                }
                if small(ui, place < last, "↓", format!("Move {words} down")) {
                    swapped = Some(place);
                }
                if small(ui, true, "×", format!("Remove {words}")) {
                    removed = Some(place);
                }
                ui.add(Label::new(words.as_str()).truncate()).on_hover_text(&dataset.items[item as usize].id);
            });
        }
        if let Some(place) = removed {
            self.items.remove(place);
        }
        if let Some(place) = swapped {
            self.items.swap(place, place + 1);
        }
    }

    /// The stage, and the lists side by side.
    fn answers(&mut self, ui: &mut Ui, context: &mut Context<'_>, asked: &Asked<'_>) {
        let newest = asked.runs.iter().map(|run| finished(run)).max().unwrap_or(1).max(1);
        let mut stage = self.stage.unwrap_or(newest).clamp(1, newest);
        ui.horizontal_wrapped(|ui| {
            let label = ui.label("After stage");
            let slider = ui.add_enabled(newest > 1, Slider::new(&mut stage, 1..=newest));
            slider.labelled_by(label.id);
            let mut among = vec![(None, "All items".to_owned())];
            among.extend(
                (1..stage).map(|stages| (Some(stages), format!("What {} brought", stages_words(stage, stages)))),
            );
            self.new_items = self.new_items.filter(|stages| *stages < stage);
            choice(ui, ("Among", 210.0), &mut self.new_items, &among)
                .on_hover_text("Lists of all items, or of those alone that were in no stage before");
        });
        widgets::remark(ui, "new: not in the list of the stage before");
        self.stage = Some(stage);
        let Some(history) = &self.asked else {
            let advice = "Type a history on the left and press Recommend: every method lists ten items for it, as it would to a user with that history";
            widgets::empty_state(ui, "Nothing was asked yet", advice);
            return;
        };
        if *history != self.items {
            widgets::remark(ui, "The history has changed since. Press Recommend to ask again");
        }
        let runs: Vec<&Arc<RunView>> = asked.runs.iter().filter(|run| finished(run) >= stage).copied().collect();
        let id = |item: &u32| asked.dataset.items.get(*item as usize).map(|item| item.id.clone());
        let question =
            AskedHistory { history: history.iter().filter_map(id).collect(), user: None, new_items: self.new_items };
        let query = TypedHistory {
            project: context.session.file.clone(),
            history: question.history.clone(),
            stage,
            new_items: self.new_items,
            runs: runs.iter().map(|run| RunStamp::until(run, stage)).collect(),
        };
        let Some(report) = answered(ui, context, &query, "Asking every method") else { return };
        let named = |answer: &RunAnswer| runs.iter().find(|run| run.id == answer.run).map(|run| run_label(run, &runs));
        let names: Vec<String> =
            report.answers.iter().map(|answer| named(answer).unwrap_or_else(|| answer.experiment.clone())).collect();
        let given = names.iter().zip(&report.answers).filter(|(_, answer)| answer.problem.is_none());
        let given: Vec<Answered<'_>> = given.map(|(name, answer)| Answered { name, answer }).collect();
        let chart = Arc::new(figures::history::history(asked.dataset, &question, stage, &given));
        let options = FigureOptions {
            history: question.history,
            new_items: self.new_items,
            stage: Some(stage),
            ..FigureOptions::default()
        };
        let figure = PinnedFigure::new(figures::history::SPEC.name, options, Protocol::default());
        ui.horizontal(|ui| chart_actions(ui, context, &chart, figure));
        context.charts.push(chart);
        ScrollArea::both().id_salt("own lists").auto_shrink(false).show(ui, |ui| {
            ui.horizontal_top(|ui| {
                for (name, answer) in names.iter().zip(&report.answers) {
                    column(ui, |ui| list(ui, name, answer));
                }
            });
        });
    }
}

/// The list of one method, with what is new in it and what left it.
fn list(ui: &mut Ui, name: &str, answer: &RunAnswer) {
    heading(ui, name, "");
    if let Some(problem) = &answer.problem {
        ui.add(Label::new(RichText::new(widgets::sentence(problem)).small().color(theme::tokens(ui).warning)).wrap());
        return;
    }
    let tokens = theme::tokens(ui);
    for item in &answer.items {
        line(ui, (if answer.is_new(item) { "new" } else { "" }, tokens.accent), item);
    }
    let Some(before) = &answer.before else { return };
    let left: Vec<&ListedItem> = before.iter().filter(|item| !answer.items.contains(item)).collect();
    ui.add_space(space::XS);
    let words = if left.is_empty() { "The same items as a stage ago" } else { "Left since the stage before" };
    widgets::remark(ui, words);
    for item in left {
        let was = before.iter().position(|other| other == item).map_or(0, |place| place + 1);
        line(ui, (&format!("was {was}"), tokens.muted), item);
    }
}

fn line(ui: &mut Ui, mark: (&str, egui::Color32), item: &ListedItem) {
    marked(ui, mark, |ui| {
        let words = item.title.as_ref().unwrap_or(&item.id);
        ui.add(Label::new(words).truncate()).on_hover_text(format!("{words}\n{}", item.id));
    });
}

/// The items whose title or id fits best, in any script; none of no text.
fn search(dataset: &Dataset, text: &str) -> Vec<u32> {
    if text.trim().is_empty() {
        return Vec::new();
    }
    let score = |item: u32| {
        let known = &dataset.items[item as usize];
        let title = known.title.as_deref().and_then(|title| fuzzy_score(text, title));
        title.max(fuzzy_score(text, &known.id)).map(|score| (score, item))
    };
    let mut found: Vec<(i32, u32)> = (0..dataset.items.len() as u32).filter_map(score).collect();
    found.sort_by_key(|&(score, item)| (std::cmp::Reverse(score), item));
    found.into_iter().take(OFFERED).map(|(_, item)| item).collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::data::{DatasetSource, SyntheticOptions};

    #[test]
    fn items_are_found_by_title_in_any_script_and_by_id() {
        let options = SyntheticOptions { users: 20, items: 80, stages: 2, ..SyntheticOptions::default() };
        let mut dataset = Dataset::load(&DatasetSource::Synthetic(options), None, Path::new(".")).unwrap();
        for (item, title) in dataset.items.iter_mut().zip(["雪国", "Снег", "Snow Country", "ΧΙΟΝΙ"]) {
            item.title = Some(title.to_owned());
        }
        assert_eq!(search(&dataset, "雪")[0], 0);
        assert_eq!(search(&dataset, "снег")[0], 1, "letters of any case");
        assert_eq!(search(&dataset, "snco")[0], 2);
        assert_eq!(search(&dataset, "χιο")[0], 3);
        let id = dataset.items[7].id.clone();
        assert!(search(&dataset, &id).contains(&7));
        assert!(search(&dataset, "  ").is_empty());
    }
}
