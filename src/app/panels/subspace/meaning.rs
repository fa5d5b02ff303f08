//! What the directions of a module mean: items and codes at both ends, and the users whose histories run along them.

use std::sync::Arc;

use eframe::egui;
use egui::{Label, RichText, ScrollArea, Sense, Ui, Vec2};

use super::super::{Context, choice, run_label};
use super::analysis::{Offer, analysis};
use super::{Reported, SubspacePanel, actions};
use crate::analysis::meaning::{ActiveUser, DirectionMeaning, Ends, NamedItem};
use crate::app::queries::RunStamp;
use crate::app::queries::analyses::Meaning;
use crate::app::theme::{self, space};
use crate::app::watch::RunView;
use crate::app::widgets;
use crate::figures::meaning::{self, item_words};
use crate::plot::scale::value_label;

impl SubspacePanel {
    pub(super) fn meaning(
        &mut self,
        ui: &mut Ui,
        context: &mut Context<'_>,
        runs: &[&Arc<RunView>],
        one: Reported<'_>,
    ) {
        let stage = one.stage;
        let module = one.module.to_owned();
        let query = |source| Meaning { run: RunStamp::until(one.run, stage), stage, module: module.clone(), source };
        let offer = Offer {
            button: "Compute the meaning",
            advice: "A process reads the module's directions through the model's head and embeddings, and runs users' histories along them. It takes seconds for small models, and the result is kept",
            doing: "Reading the directions",
        };
        let Some(report) = analysis(ui, context, query, &offer) else { return };
        let words = report.directions.iter().enumerate().map(|(index, found)| {
            let words =
                format!("{}: {:.0} % (σ {})", index + 1, 100.0 * found.share, value_label(found.singular_value));
            (index, words)
        });
        let words: Vec<_> = words.collect();
        let mut chosen = context.selection.direction.min(words.len().saturating_sub(1));
        ui.horizontal_wrapped(|ui| {
            let choice = choice(ui, ("Direction", 170.0), &mut chosen, &words);
            if choice.on_hover_text("Its share of the update's energy, and its singular value").changed() {
                context.selection.direction = chosen;
            }
            if let Some(direction) = report.directions.get(chosen) {
                let activation = &direction.activation;
                widgets::remark(
                    ui,
                    format!(
                        "Activation by {}: mean {}, deviation {}",
                        widgets::counted(report.users, "user"),
                        value_label(activation.mean),
                        value_label(activation.deviation)
                    ),
                );
            }
        });
        let Some(direction) = report.directions.get(chosen) else { return };
        let chart = Arc::new(meaning::direction(report, chosen, &run_label(one.run, runs)));
        let mut figure = self.pinned(one);
        figure.options.direction = Some(chosen + 1);
        actions(ui, context, &chart, figure, self.corner);
        context.charts.push(chart);
        theme::panel_frame(ui).show(ui, |ui| {
            ScrollArea::vertical().id_salt("meaning").auto_shrink(false).show(ui, |ui| meaning_ui(ui, direction));
        });
    }
}

/// Least width of a column of names, and width of one of codes.
const COLUMN: f32 = 230.0;
const CODES: f32 = 150.0;
/// Height of a line, and width of what stands before the words: the score as a number and as a bar.
const ROW: f32 = 19.0;
const NUMBER: f32 = 50.0;
const BAR: f32 = 34.0;

fn meaning_ui(ui: &mut Ui, direction: &DirectionMeaning) {
    let sides = [
        (&direction.writes, "What it writes", ["▲ Makes likelier", "▼ Makes less likely"]),
        (&direction.reads, "What it reads", ["▲ Items along it", "▼ Items against it"]),
    ];
    for (reading, words, items) in sides {
        let Some(reading) = reading else { continue };
        widgets::section(ui, words);
        let items = lines(&reading.items, items, item_line);
        let codes = lines(&reading.codes, ["▲ Codes", "▼ Codes"], code_line);
        let whole = ui.available_width();
        let names = (whole - 2.0 * (CODES + space::M) - space::M) / 2.0;
        if names >= COLUMN {
            columns(ui, [(&items[0], names), (&items[1], names), (&codes[0], CODES), (&codes[1], CODES)]);
        } else {
            pair(ui, &items);
            pair(ui, &codes);
        }
        ui.add_space(space::M);
    }
    widgets::section(ui, "Whose histories use it");
    let users = lines(&direction.activation.users, ["▲ Along it most", "▼ Against it most"], user_line);
    pair(ui, &users);
}

/// One thing at an end.
struct Line {
    words: String,
    details: String,
    score: f64,
}

fn item_line(found: &crate::analysis::meaning::ScoredItem) -> Line {
    let NamedItem { id, codes, .. } = &found.item;
    let words = item_words(&found.item);
    Line { details: format!("{words}\nItem {id}, semantic id {}", codes.join(" ")), words, score: found.score }
}

fn code_line(found: &crate::analysis::meaning::ScoredCode) -> Line {
    let words = found.code.clone();
    Line { details: format!("{words}, a code of level {}", found.level), words, score: found.score }
}

fn user_line(user: &ActiveUser) -> Line {
    let mut past: Vec<String> = user.history.iter().map(item_words).collect();
    let details =
        format!("{}\nHistory, oldest first: {}\nThen: {}", user.user, past.join(", "), item_words(&user.target));
    past.reverse();
    past.truncate(3);
    Line { words: format!("{}: {}", user.user, past.join(", ")), details, score: user.activation }
}

/// Both ends with their headings.
fn lines<T>(ends: &Ends<T>, titles: [&'static str; 2], line: impl Fn(&T) -> Line) -> [(&'static str, Vec<Line>); 2] {
    [(titles[0], ends.raised.iter().map(&line).collect()), (titles[1], ends.lowered.iter().map(&line).collect())]
}

/// Both ends beside each other.
fn pair(ui: &mut Ui, [one, other]: &[(&'static str, Vec<Line>); 2]) {
    let width = (ui.available_width() - space::M) / 2.0;
    columns(ui, [(one, width), (other, width)]);
}

/// Lists beside each other, each in its width.
fn columns<const N: usize>(ui: &mut Ui, lists: [(&(&'static str, Vec<Line>), f32); N]) {
    ui.horizontal_top(|ui| {
        ui.spacing_mut().item_spacing.x = space::M;
        for ((title, list), width) in lists {
            ui.allocate_ui(Vec2::new(width, 0.0), |ui| {
                ui.set_width(width);
                ui.vertical(|ui| column(ui, title, list));
            });
        }
    });
}

fn column(ui: &mut Ui, title: &str, list: &[Line]) {
    ui.spacing_mut().item_spacing = Vec2::new(space::XS, 3.0);
    ui.spacing_mut().interact_size.y = ROW;
    widgets::remark(ui, title);
    let longest = list.iter().map(|line| line.score.abs()).fold(f64::MIN_POSITIVE, f64::max);
    for line in list {
        ui.horizontal(|ui| {
            ui.allocate_ui(Vec2::new(NUMBER, ROW), |ui| {
                ui.set_width(NUMBER);
                ui.label(RichText::new(signed(line.score)).small().color(theme::tokens(ui).muted));
            });
            bar(ui, line.score / longest);
            ui.add(Label::new(&line.words).truncate()).on_hover_text(&line.details);
        });
    }
}

/// A score as a part of the longest one in its list, blue above zero and orange below.
fn bar(ui: &mut Ui, part: f64) {
    let (at, _) = ui.allocate_exact_size(Vec2::new(BAR, ROW), Sense::hover());
    let tokens = theme::tokens(ui);
    let colour = if part >= 0.0 { tokens.accent } else { tokens.warning };
    let filled = egui::Rect::from_center_size(at.center(), Vec2::new(BAR, 0.4 * ROW));
    let filled = filled.with_max_x(filled.left() + BAR * part.abs().min(1.0) as f32);
    ui.painter().rect_filled(filled, 1.0, colour);
}

fn signed(score: f64) -> String {
    format!("{score:+.3}").replace('-', "−")
}
