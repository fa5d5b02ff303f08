//! The runs table: every run of the project, how far it is, how good, and why it failed.

mod arrange;
mod cells;
mod chooser;
mod columns;
mod command_line;
mod complete;
mod concern;
mod filter;
mod filter_field;
mod listing;
mod menu;
mod table;

use std::collections::BTreeSet;

use eframe::egui;
use egui::{Align, Button, KeyboardShortcut, Layout, Modifiers, Ui};

use self::arrange::{Arrangement, Line, Sort};
use self::columns::Column;
use self::concern::concern;
use self::filter_field::FilterField;
use super::view::{Home, ViewSpec};
use super::{Context, Panel, PanelEvent};
use crate::app::action::Action;
use crate::app::command::Command;
use crate::app::session::{Origin, RowState, Session};
use crate::app::theme::{self, space};
use crate::app::widgets;
use crate::data::Protocol;
use crate::measure::UserMetric;
use crate::run::Status;

/// The view.
pub(crate) static VIEW: ViewSpec = ViewSpec {
    key: "Runs",
    title: "Runs",
    command: "Show runs",
    tooltip: "Every run: how far it is, how good, and why it failed",
    shortcut: Some(KeyboardShortcut::new(Modifiers::COMMAND, egui::Key::Num2)),
    home: Home::Top,
};

/// State of the panel.
#[derive(Debug, Default)]
pub(crate) struct RunsPanel {
    filter: FilterField,
    sort: Sort,
    group_by: Option<Column>,
    /// Names of the groups whose rows are shown.
    unfolded: BTreeSet<String>,
    arranged: Option<Arranged>,
    /// The row whose menu was opened by a key.
    menu_of: Option<String>,
}

/// The lines of the table, and what they were made of: they are made anew when that changes, not with every frame.
#[derive(Debug)]
struct Arranged {
    of: Recipe,
    lines: Vec<Line>,
}

#[derive(Debug, Clone, PartialEq)]
struct Recipe {
    rows: u64,
    filter: filter::Filter,
    sort: Sort,
    group_by: Option<Column>,
    unfolded: BTreeSet<String>,
    columns: Vec<Column>,
    protocol: Protocol,
}

/// Room for the message about a run that failed.
const CONCERN_HEIGHT: f32 = 72.0;

impl Panel for RunsPanel {
    fn receive(&mut self, event: &PanelEvent) {
        if let PanelEvent::FilterRuns(experiments) = event {
            self.filter.show_experiments(experiments);
        }
    }

    fn ui(&mut self, ui: &mut Ui, context: &mut Context<'_>) {
        let columns =
            shown_columns(&context.settings.run_columns, context.session.project().evaluation.usual_cut_off());
        self.arrange(context.session, columns.clone());
        self.bar(ui, context, &columns);
        ui.add_space(space::XS);
        let lines = self.arranged.take().map(|arranged| (arranged.of, arranged.lines));
        let Some((of, lines)) = lines else { return };
        if lines.is_empty() {
            let advice = "Take a term out of the filter, or press ? beside it for what it understands";
            widgets::empty_state(ui, "Nothing fits the filter", advice);
        } else {
            self.table_and_concern(ui, context, &lines, &columns);
        }
        self.arranged = Some(Arranged { of, lines });
    }
}

impl RunsPanel {
    fn table_and_concern(&mut self, ui: &mut Ui, context: &mut Context<'_>, lines: &[Line], columns: &[Column]) {
        let concern = context.session.rows.iter().find_map(|row| concern(row, context));
        let below = if concern.is_some() { CONCERN_HEIGHT } else { 0.0 };
        let height = (ui.available_height() - below).max(60.0);
        theme::panel_frame(ui).inner_margin(egui::Margin::symmetric(8, 4)).show(ui, |ui| {
            self.table(ui, lines, columns, context, height - 10.0);
        });
        if let Some(concern) = concern {
            ui.add_space(space::XS);
            concern.ui(ui, context);
        }
    }

    fn bar(&mut self, ui: &mut Ui, context: &mut Context<'_>, columns: &[Column]) {
        let size = egui::Vec2::new(ui.available_width(), ui.spacing().interact_size.y);
        // What can be pressed comes first: the words take what is left beside it.
        ui.allocate_ui_with_layout(size, Layout::right_to_left(Align::Center), |ui| {
            self.table_menu(ui, context);
            let possible = context.session.unfinished().next().is_some();
            let estimate = ui.add_enabled(possible, Button::new("Estimate…"));
            let estimate = estimate.on_hover_text(Command::Estimate.tooltip());
            let reading = context.session.reading.is_some();
            let obstacle = if reading { "The runs are still being read" } else { "Every run is finished" };
            if estimate.on_disabled_hover_text(obstacle).clicked() {
                context.actions.push(Action::Command(Command::Estimate));
            }
            self.columns_menu(ui, context, columns);
            self.group_menu(ui, context.session);
            self.filter.ui(ui, context.session);
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| self.words(ui, context));
        });
    }

    /// What can be done with the table as it is shown.
    fn table_menu(&self, ui: &mut Ui, context: &mut Context<'_>) {
        let menu = ui.menu_button("…", |ui| {
            let Some(Arranged { of, lines }) = &self.arranged else { return };
            let possible = !lines.is_empty();
            let written = |session: &Session| listing::listing(session, lines, &of.columns, of.protocol);
            if ui.add_enabled(possible, Button::new("Export the table…")).clicked() {
                context.actions.push(Action::Export(written(context.session)));
            }
            if ui.add_enabled(possible, Button::new("Copy the table's data")).clicked() {
                context.actions.push(Action::CopyData(written(context.session)));
            }
        });
        let name = "More for the table";
        menu.response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, name));
        menu.response.on_hover_text("Export or copy the rows and columns that are shown");
    }

    /// What is wrong with the filter, or else how many runs are selected and how far they all are.
    fn words(&self, ui: &mut Ui, context: &mut Context<'_>) {
        if self.filter.problem_ui(ui) {
            return;
        }
        if !context.session.selected.is_empty() {
            ui.weak(format!("{} selected", widgets::grouped(context.session.selected.len() as u64)));
            if ui.button("Clear").on_hover_text("Select no run: commands are then about all of them").clicked() {
                context.actions.push(Action::SelectNone);
            }
        }
        let left = context.session.time_left(context.now_unix);
        let text = summary(context.session, left.as_ref().map(|left| left.words()));
        let basis = left.map(|left| format!("\n{}", left.basis_words())).unwrap_or_default();
        let label = egui::Label::new(egui::RichText::new(&text).weak()).truncate();
        ui.add(label).on_hover_text(format!("{text}{basis}"));
    }

    /// Makes the lines anew where something has changed.
    fn arrange(&mut self, session: &Session, columns: Vec<Column>) {
        let recipe = Recipe {
            rows: session.rows_revision,
            filter: self.filter.filter().clone(),
            sort: self.sort.clone(),
            group_by: self.group_by.clone(),
            unfolded: self.unfolded.clone(),
            columns,
            protocol: usual(session),
        };
        if self.arranged.as_ref().is_some_and(|arranged| arranged.of == recipe) {
            return;
        }
        let arrangement = Arrangement {
            filter: &recipe.filter,
            sort: &recipe.sort,
            group_by: recipe.group_by.as_ref(),
            unfolded: &recipe.unfolded,
            columns: &recipe.columns,
            protocol: recipe.protocol,
        };
        let lines = arrangement.lines(session);
        self.arranged = Some(Arranged { of: recipe, lines });
    }
}

/// The columns that the settings name, or those that most people want, with metrics at the cut-off of the project's lists.
fn shown_columns(remembered: &[String], cut_off: usize) -> Vec<Column> {
    let remembered: Vec<Column> = remembered.iter().filter_map(|key| Column::of_remembered(key, cut_off)).collect();
    if !remembered.is_empty() {
        return remembered;
    }
    let metric = |metric: UserMetric| Column::Metric(metric.to_string());
    vec![
        Column::Status,
        Column::Experiment,
        Column::Seed,
        Column::Progress,
        metric(UserMetric::hit(cut_off)),
        metric(UserMetric::ndcg(cut_off)),
        Column::Device,
        Column::Started,
    ]
}

/// The protocol of the metrics in the table: the first that the project measures.
fn usual(session: &Session) -> Protocol {
    session.project().evaluation.protocol.first()
}

/// One line on all runs: `2 of 4 finished, 1 queued, about 3 min left`.
fn summary(session: &Session, left: Option<String>) -> String {
    if let Some(reading) = session.reading {
        return match reading.of {
            0 => "Reading the runs".to_owned(),
            of => format!(
                "Reading the runs, {} of {}",
                widgets::grouped(reading.read as u64),
                widgets::grouped(of as u64)
            ),
        };
    }
    let planned = || session.rows.iter().filter(|row| row.origin == Origin::Planned);
    let count = |wanted: fn(RowState) -> bool| planned().filter(|row| wanted(row.state)).count();
    let finished = count(|state| state == RowState::Run(Status::Finished));
    let queued = count(|state| state == RowState::Queued);
    let of = widgets::grouped(planned().count() as u64);
    let mut text = format!("{} of {of} finished", widgets::grouped(finished as u64));
    if queued > 0 {
        text.push_str(&format!(", {queued} queued"));
    }
    left.into_iter().for_each(|left| text.push_str(&format!(", {left}")));
    text
}
