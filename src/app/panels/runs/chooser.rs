//! The menus that choose columns and groups.

use std::collections::BTreeSet;
use std::sync::Arc;

use eframe::egui;
use egui::{Button, ComboBox, Popup, PopupCloseBehavior, ScrollArea, Ui};

use super::RunsPanel;
use super::columns::Column;
use crate::app::action::Action;
use crate::app::panels::Context;
use crate::app::session::Session;
use crate::app::widgets;

/// Height of a menu at most, in which one scrolls.
const HEIGHT: f32 = 360.0;

impl RunsPanel {
    pub(super) fn columns_menu(&mut self, ui: &mut Ui, context: &mut Context<'_>, shown: &[Column]) {
        let button = ui.add(Button::new("Columns")).on_hover_text("Which columns the table has, and archived runs");
        let mut chosen = shown.to_vec();
        // It stays open while boxes are ticked.
        let menu = Popup::menu(&button).close_behavior(PopupCloseBehavior::CloseOnClickOutside);
        menu.show(|ui| {
            // A menu has its boxes without frames, which leaves nothing of an empty one.
            ui.reset_style();
            ui.set_min_width(200.0);
            let mut archived = context.session.archived_shown;
            let toggle = ui.checkbox(&mut archived, "Archived runs");
            if toggle.on_hover_text("Also in comparisons and charts").clicked() {
                context.actions.push(Action::ShowArchived(archived));
            }
            if ui.button("Usual columns").clicked() {
                chosen.clear();
            }
            ui.separator();
            ScrollArea::vertical().max_height(HEIGHT).show(ui, |ui| {
                column_boxes(ui, "", &Column::PLAIN, &mut chosen);
                let metrics = metrics(context.session).into_iter().map(Column::Metric).collect::<Vec<_>>();
                column_boxes(ui, "Metrics", &metrics, &mut chosen);
                let settings = settings(context.session).into_iter().map(|name| Column::Setting(name.to_owned()));
                column_boxes(ui, "Settings", &settings.collect::<Vec<_>>(), &mut chosen);
            });
        });
        if chosen != shown {
            let cut_off = context.session.project().evaluation.usual_cut_off();
            let columns = chosen.iter().map(|column| column.remembered(cut_off)).collect();
            context.actions.push(Action::ChooseColumns(columns));
        }
    }

    pub(super) fn group_menu(&mut self, ui: &mut Ui, session: &Session) {
        let title = self
            .group_by
            .as_ref()
            .map_or("No groups".to_owned(), |column| format!("By {}", column.title().to_lowercase()));
        let menu = ComboBox::from_id_salt("group runs by").selected_text(title).width(110.0).height(HEIGHT).truncate();
        let menu = menu.show_ui(ui, |ui| {
            let before = self.group_by.clone();
            ui.selectable_value(&mut self.group_by, None, "No groups");
            let plain =
                [Column::Experiment, Column::Method, Column::Seed, Column::Status, Column::Device, Column::Tags];
            let settings = settings(session).into_iter().map(|name| Column::Setting(name.to_owned()));
            for column in plain.into_iter().chain(settings) {
                let title = column.title();
                ui.selectable_value(&mut self.group_by, Some(column), title);
            }
            if before != self.group_by {
                self.unfolded.clear();
            }
        });
        menu.response.on_hover_text("Put runs together, with mean and spread of each metric");
    }
}

fn column_boxes(ui: &mut Ui, heading: &str, columns: &[Column], chosen: &mut Vec<Column>) {
    if !heading.is_empty() && !columns.is_empty() {
        widgets::remark(ui, heading);
    }
    for column in columns {
        let mut on = chosen.contains(column);
        let only = on && chosen.len() == 1;
        let tick = ui.add_enabled(!only, egui::Checkbox::new(&mut on, column.title()));
        if tick.on_disabled_hover_text("A table has at least one column").clicked() {
            match on {
                true => chosen.push(column.clone()),
                false => chosen.retain(|other| other != column),
            }
        }
    }
}

/// The metrics that some run has measured, by their keys in results.
pub(super) fn metrics(session: &Session) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for run in &session.runs {
        for metric in run.results.iter().flat_map(|result| &result.stages).flat_map(|stage| stage.metrics.keys()) {
            if !found.contains(metric.as_str()) {
                found.insert(metric.clone());
            }
        }
    }
    found
}

/// The settings in which rows differ: in the others there is nothing to be seen.
pub(super) fn settings(session: &Session) -> BTreeSet<&str> {
    let Some(first) = session.rows.first() else { return BTreeSet::new() };
    let mut names: BTreeSet<&str> = BTreeSet::new();
    // Runs of one experiment that are planned share theirs.
    let mut seen = BTreeSet::new();
    for row in session.rows.iter().filter(|row| seen.insert(Arc::as_ptr(&row.settings))) {
        let differs = |(name, value): &(&String, &_)| first.settings.get(*name) != Some(*value);
        names.extend(row.settings.iter().filter(differs).map(|(name, _)| name.as_str()));
    }
    // What only the first has.
    let lacking = |name: &&String| session.rows.iter().any(|row| !row.settings.contains_key(*name));
    names.extend(first.settings.keys().filter(lacking).map(String::as_str));
    names
}
