//! One user: the history, the truth, and the lists of all methods side by side.

use std::sync::Arc;

use eframe::egui;
use egui::{Label, RichText, Ui, Vec2};

use super::Known;
use crate::app::panels::{Context, chart_actions};
use crate::app::theme::{self, space};
use crate::app::widgets;
use crate::data::Dataset;
use crate::figures::words::metric_label;
use crate::figures::{FigureOptions, recommendations as figure};
use crate::measure::UserMetric;
use crate::measure::churn::{Move, moves};
use crate::project::board::PinnedFigure;
use crate::results::churn::Answers;

/// State of what is shown of a user.
#[derive(Debug, Default)]
pub(super) struct Lists {
    /// Whether the part of the history that no model reads is shown too.
    whole_history: bool,
}

const COLUMN_WIDTH: f32 = 204.0;
/// Height of an item.
const ROW: f32 = 19.0;
const MARK_WIDTH: f32 = 34.0;

impl Lists {
    pub(super) fn ui(&mut self, ui: &mut Ui, context: &mut Context<'_>, known: &Known<'_>, test: usize) {
        let (user, target) = known.tests.tests[test];
        ui.horizontal_wrapped(|ui| {
            widgets::section(ui, &format!("User {}", known.dataset.users[user as usize]));
            for slice in known.tests.slices.get(test).into_iter().flatten() {
                widgets::pill(ui, slice.key(), theme::tokens(ui).accent);
            }
            let chart = Arc::new(known.chart(test, context.session.synthetic()));
            let options = FigureOptions {
                user: known.dataset.users.get(user as usize).cloned(),
                stage: Some(known.stage),
                ..FigureOptions::default()
            };
            let figure = PinnedFigure::new(figure::SPEC.name, options, known.protocol);
            chart_actions(ui, context, &chart, figure);
            context.charts.push(chart);
        });
        ui.add_space(space::XS);
        ui.horizontal_top(|ui| {
            column(ui, |ui| self.past(ui, known, (user, target)));
            for (answers, (_, name)) in known.tests.answers.iter().zip(&known.runs) {
                column(ui, |ui| recommended(ui, known, (answers, name), (test, target)));
            }
        });
    }

    /// What the user went for, and what came before it, newest first.
    fn past(&mut self, ui: &mut Ui, known: &Known<'_>, (user, target): (u32, u32)) {
        heading(ui, "Went for", "");
        let tokens = theme::tokens(ui);
        item(ui, ("✓", tokens.success), known.dataset, target, true);
        let stage = known.dataset.stages.get(known.stage - 1);
        let sequence = stage.and_then(|stage| stage.sequences.iter().find(|sequence| sequence.user == user));
        let history = sequence.and_then(|sequence| Some((sequence, known.protocol.test(sequence)?)));
        let Some((sequence, example)) = history else { return };
        ui.add_space(space::S);
        heading(ui, "History", "newest first");
        let all = example.history.len();
        let shown = if self.whole_history { all } else { all.min(known.read) };
        for (place, &past) in example.history.iter().enumerate().rev().take(shown) {
            let current = place >= sequence.current_from;
            item(ui, (if current { "•" } else { "" }, tokens.accent), known.dataset, past, false);
        }
        if example.history.iter().enumerate().any(|(place, _)| place >= sequence.current_from) {
            widgets::remark(ui, "• in this stage");
        }
        if all > known.read {
            let words = format!("{} older, which models do not read", all - known.read);
            ui.checkbox(&mut self.whole_history, RichText::new(words).small());
        }
    }
}

pub(super) fn column(ui: &mut Ui, contents: impl FnOnce(&mut Ui)) {
    ui.allocate_ui(Vec2::new(COLUMN_WIDTH, 0.0), |ui| {
        ui.set_width(COLUMN_WIDTH);
        ui.vertical(|ui| {
            ui.spacing_mut().item_spacing.y = 3.0;
            ui.spacing_mut().interact_size.y = ROW;
            contents(ui);
        });
    });
    ui.add_space(space::M);
}

pub(super) fn heading(ui: &mut Ui, text: &str, remark: &str) {
    ui.horizontal(|ui| {
        ui.add(Label::new(RichText::new(text).family(theme::semi_bold())).truncate());
        widgets::remark(ui, remark);
    });
}

/// The list of one method, with what changed since the last stage.
fn recommended(ui: &mut Ui, known: &Known<'_>, (answers, name): (&Answers, &str), (test, target): (usize, u32)) {
    let Some(now) = answers.now.get(test) else { return };
    heading(ui, name, "");
    let before = answers.before.get(test);
    let metric = known.metric;
    widgets::remark(ui, gain_words(metric, metric.of(now), before.map(|before| metric.of(before))));
    let (list, left) = match before {
        Some(before) => moves(&before.top, &now.top),
        None => (now.top.iter().map(|&item| (item, Move::Stayed)).collect(), Vec::new()),
    };
    if before.is_some() {
        widgets::remark(ui, summary(&list, left.len()));
    }
    let tokens = theme::tokens(ui);
    for (recommendation, moved) in list {
        // Items of one semantic id are one to the model, and any of them is a hit.
        let hit = known.dataset.is_same(recommendation, target);
        let (mark, colour) = match moved {
            Move::Entered => ("new".to_owned(), tokens.accent),
            Move::Up(places) => (format!("▲ {places}"), tokens.muted),
            Move::Down(places) => (format!("▼ {places}"), tokens.muted),
            Move::Stayed => (String::new(), tokens.muted),
        };
        let shown = if hit { ("✓".to_owned() + &mark, tokens.success) } else { (mark, colour) };
        item(ui, (&shown.0, shown.1), known.dataset, recommendation, hit);
    }
    if before.is_some() {
        ui.add_space(space::XS);
        let words =
            if left.is_empty() { "Nothing left the list".to_owned() } else { "Left since the last stage".to_owned() };
        widgets::remark(ui, words);
        let place = |gone: u32| before.and_then(|before| before.top.iter().position(|item| *item == gone));
        for gone in left {
            let was = place(gone).map_or_else(|| "–".to_owned(), |place| format!("was {}", place + 1));
            item(ui, (&was, tokens.muted), known.dataset, gone, false);
        }
    }
}

/// `3 new, 2 up, 1 down, 3 left`.
fn summary(list: &[(u32, Move)], left: usize) -> String {
    let count = |wanted: fn(&Move) -> bool| list.iter().filter(|(_, moved)| wanted(moved)).count();
    let counts = [
        (count(|moved| matches!(moved, Move::Entered)), "new"),
        (count(|moved| matches!(moved, Move::Up(_))), "up"),
        (count(|moved| matches!(moved, Move::Down(_))), "down"),
        (left, "left"),
    ];
    let said: Vec<String> =
        counts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
    if said.is_empty() { "The same list as before".to_owned() } else { said.join(", ") }
}

fn gain_words(metric: UserMetric, now: f64, before: Option<f64>) -> String {
    let metric = metric_label(&metric.to_string());
    match before {
        Some(before) => format!("{metric} {now:.3}, before {before:.3}"),
        None => format!("{metric} {now:.3}"),
    }
}

/// One item on a line: a mark, its title, and its codes where the pointer is.
fn item(ui: &mut Ui, mark: (&str, egui::Color32), dataset: &Dataset, item: u32, strong: bool) {
    marked(ui, mark, |ui| {
        let text = RichText::new(dataset.item_words(item));
        let text = if strong { text.family(theme::semi_bold()) } else { text };
        ui.add(Label::new(text).truncate()).on_hover_text(item_details(dataset, item));
    });
}

/// A line behind a mark.
pub(super) fn marked(ui: &mut Ui, (mark, colour): (&str, egui::Color32), words: impl FnOnce(&mut Ui)) {
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = space::XS;
        ui.allocate_ui(Vec2::new(MARK_WIDTH, ROW), |ui| {
            ui.set_width(MARK_WIDTH);
            ui.label(RichText::new(mark).small().color(colour));
        });
        words(ui);
    });
}

fn item_details(dataset: &Dataset, item: u32) -> String {
    let Some(known) = dataset.items.get(item as usize) else { return String::new() };
    let codes: Vec<String> = dataset.index.item(item).iter().map(u32::to_string).collect();
    format!("{}\n{}, semantic id {}", dataset.item_words(item), known.id, codes.join(" "))
}
