//! The users of a stage to choose from: by name, by slice, or by how much their recommendations changed.

use eframe::egui;
use egui::{Button, ComboBox, RichText, ScrollArea, TextEdit, Ui};

use super::Known;
use crate::app::panels::selection::Selection;
use crate::app::queries::predictions::Recommendations;
use crate::app::theme::{self, space};
use crate::app::widgets;
use crate::figures::words::metric_label;
use crate::measure::churn::{Change, MostChanged};
use crate::measure::{Slice, UserMetric};

/// What users are ordered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Order {
    #[default]
    Change,
    Gain,
    Loss,
    Name,
}

impl Order {
    const ALL: [Self; 4] = [Self::Change, Self::Gain, Self::Loss, Self::Name];

    const fn text(self) -> &'static str {
        match self {
            Self::Change => "Largest change",
            Self::Gain => "Largest gain",
            Self::Loss => "Largest loss",
            Self::Name => "Name",
        }
    }
}

/// State of the list.
#[derive(Debug, Default)]
pub(super) struct UserList {
    slice: Option<Slice>,
    order: Order,
    filter: String,
    listed: Option<(Key, Vec<Entry>)>,
    /// What became of the listed users whose recommendations changed most.
    most_changed: Option<MostChanged>,
}

/// All that the listed users depend on.
#[derive(Debug, Clone, PartialEq)]
struct Key {
    query: Recommendations,
    slice: Option<Slice>,
    order: Order,
    by: Option<usize>,
    filter: String,
}

/// One listed user.
#[derive(Debug, Clone, PartialEq)]
struct Entry {
    /// Place among the stage's tests.
    test: usize,
    change: Option<Change>,
}

impl UserList {
    /// The place of the chosen user's test; the first of the list until one is chosen.
    pub(super) fn selected(&self, selection: &Selection, known: &Known<'_>) -> Option<usize> {
        let chosen = selection.user.and_then(|user| known.tests.tests.iter().position(|(tested, _)| *tested == user));
        let first = || self.listed.as_ref().and_then(|(_, entries)| entries.first()).map(|entry| entry.test);
        chosen.or_else(first)
    }

    pub(super) fn ui(&mut self, ui: &mut Ui, selection: &mut Selection, known: &Known<'_>, query: &Recommendations) {
        let by = by(selection, known);
        self.choices(ui, selection, known, by);
        self.refresh(known, query, by);
        let selected = self.selected(selection, known);
        let Some((_, entries)) = &self.listed else { return };
        let mut chosen = None;
        widgets::remark(ui, format!("{} of {}", entries.len(), widgets::counted(known.tests.tests.len(), "user")));
        if let Some(most) = self.most_changed {
            widgets::remark(ui, most.to_string());
        }
        if entries.is_empty() {
            ui.label("No user fits filter and slice");
        }
        let height = ui.text_style_height(&egui::TextStyle::Button) + 2.0 * ui.spacing().button_padding.y;
        ScrollArea::vertical().id_salt("users").auto_shrink(false).show_rows(ui, height, entries.len(), |ui, rows| {
            for entry in &entries[rows] {
                let (user, _) = known.tests.tests[entry.test];
                let name = &known.dataset.users[user as usize];
                let right = RichText::new(change_words(entry.change)).small().color(theme::tokens(ui).muted);
                let button = Button::selectable(selected == Some(entry.test), name).right_text(right).truncate();
                let width = ui.available_width();
                let response = ui.add_sized([width, height], button);
                response.widget_info(|| {
                    let on = selected == Some(entry.test);
                    egui::WidgetInfo::selected(egui::Role::Button, true, on, format!("User {name}"))
                });
                if response.on_hover_text(change_hover(entry.change, known.metric)).clicked() {
                    chosen = Some(user);
                }
            }
        });
        // Whoever is shown stays when the list is ordered anew by what comes in.
        let shown = || selected.map(|test| known.tests.tests[test].0);
        selection.user = chosen.or(selection.user).or_else(shown);
    }

    fn choices(&mut self, ui: &mut Ui, selection: &mut Selection, known: &Known<'_>, by: Option<usize>) {
        let field = TextEdit::singleline(&mut self.filter).hint_text("Filter users").desired_width(f32::INFINITY);
        let field = ui.add(field);
        widgets::named(ui, &field, "Filter users");
        egui::Grid::new("user choices").num_columns(2).show(ui, |ui| {
            let label = ui.label("Slice");
            let now = self.slice.map_or_else(|| "All".to_owned(), |slice| widgets::sentence(slice.key()));
            let possible = !known.tests.slices.is_empty();
            let combo = ComboBox::from_id_salt("user slice").selected_text(now).width(160.0).show_ui(ui, |ui| {
                ui.selectable_value(&mut self.slice, None, "All");
                for slice in Slice::all().filter(|_| possible) {
                    ui.selectable_value(&mut self.slice, Some(slice), widgets::sentence(slice.key()));
                }
            });
            combo.response.labelled_by(label.id);
            ui.end_row();
            let label = ui.label("Order");
            let combo = ComboBox::from_id_salt("user order").selected_text(self.order.text()).width(160.0);
            let combo = combo.show_ui(ui, |ui| {
                for order in Order::ALL {
                    ui.selectable_value(&mut self.order, order, order.text());
                }
            });
            combo.response.labelled_by(label.id);
            ui.end_row();
            let label = ui.label("By");
            let now = by.map_or("–", |by| known.runs[by].1.as_str());
            let combo = ComboBox::from_id_salt("user run").selected_text(now).width(160.0).truncate();
            let combo = combo.show_ui(ui, |ui| {
                for (index, (run, name)) in known.runs.iter().enumerate() {
                    if ui.selectable_label(by == Some(index), name).clicked() {
                        selection.run = Some(run.id.clone());
                    }
                }
            });
            combo.response.labelled_by(label.id).on_hover_text("The run whose changes are ordered by");
            ui.end_row();
        });
    }

    fn refresh(&mut self, known: &Known<'_>, query: &Recommendations, by: Option<usize>) {
        let key =
            Key { query: query.clone(), slice: self.slice, order: self.order, by, filter: self.filter.to_lowercase() };
        if self.listed.as_ref().is_some_and(|(made, _)| *made == key) {
            return;
        }
        let answers = key.by.and_then(|by| known.tests.answers.get(by));
        let fits = |test: usize| {
            let name = &known.dataset.users[known.tests.tests[test].0 as usize];
            let in_slice =
                key.slice.is_none_or(|slice| known.tests.slices.get(test).is_some_and(|s| s.contains(&slice)));
            in_slice && name.to_lowercase().contains(&key.filter)
        };
        let change = |test: usize| answers.and_then(|answers| answers.change(test, known.metric));
        let mut entries: Vec<Entry> = (0..known.tests.tests.len())
            .filter(|&test| fits(test))
            .map(|test| Entry { test, change: change(test) })
            .collect();
        let name = |entry: &Entry| &known.dataset.users[known.tests.tests[entry.test].0 as usize];
        let rank = |entry: &Entry| match (key.order, entry.change) {
            (Order::Change, Some(change)) => change.agreement,
            (Order::Gain, Some(change)) => -change.gain,
            (Order::Loss, Some(change)) => change.gain,
            _ => f64::INFINITY,
        };
        match key.order {
            Order::Name => entries.sort_by(|a, b| name(a).cmp(name(b))),
            _ => entries.sort_by(|a, b| rank(a).total_cmp(&rank(b))),
        }
        self.most_changed = MostChanged::of(entries.iter().filter_map(|entry| entry.change.as_ref()));
        self.listed = Some((key, entries));
    }
}

/// The place of the run whose changes order the users: the one that is looked at, else the first that learns.
fn by(selection: &mut Selection, known: &Known<'_>) -> Option<usize> {
    let ids: Vec<&str> = known.runs.iter().map(|(run, _)| run.id.as_str()).collect();
    let learns = |id: &str| known.runs.iter().any(|(run, _)| run.id == id && run.config.method.is_learned());
    let looked_at = selection.run(&ids, learns)?;
    ids.iter().position(|id| *id == looked_at)
}

/// Lets the user choose the stage whose tests are shown, of those that are tested.
pub(super) fn stage_choice(ui: &mut Ui, selection: &mut Selection, stages: &[usize]) {
    ui.label("Stage");
    let now = selection.stage(stages);
    for &stage in stages {
        let words = format!("Stage {stage}");
        let button = ui.selectable_label(stage == now, stage.to_string());
        button.widget_info(|| egui::WidgetInfo::selected(egui::Role::Button, true, stage == now, words.clone()));
        if button.on_hover_text("The users who are tested in this stage").clicked() {
            selection.stage = Some(stage);
        }
    }
    ui.add_space(space::S);
}

/// `−42 %` of agreement, with what it brought.
fn change_words(change: Option<Change>) -> String {
    let Some(change) = change else { return String::new() };
    let gain = match change.gain {
        gain if gain > 0.0 => "▲ ",
        gain if gain < 0.0 => "▼ ",
        _ => "",
    };
    format!("{gain}{:.0} %", 100.0 * (1.0 - change.agreement))
}

fn change_hover(change: Option<Change>, metric: UserMetric) -> String {
    change.map_or_else(
        || "There is no model before this stage to compare with".to_owned(),
        |change| {
            format!(
                "{:.0} % of the list changed (1 − rank-biased overlap); {} {:+.3}",
                100.0 * (1.0 - change.agreement),
                metric_label(&metric.to_string()),
                change.gain
            )
        },
    )
}
