//! The runs table: every run of the project, how far it is, how good, and why it failed.

mod cells;
mod concern;
mod fields;

use eframe::egui;
use egui::{Align, Button, KeyboardShortcut, Layout, Modifiers, RichText, TextEdit, Ui};
use egui_extras::TableBuilder;

use self::concern::concern;
use self::fields::{Field, Sort, compare};
use super::view::{Home, ViewSpec};
use super::{Context, Panel};
use crate::app::action::Action;
use crate::app::command::Command;
use crate::app::session::{Origin, Row, RowState};
use crate::app::theme::{self, space};
use crate::app::widgets;
use crate::data::Protocol;
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
    filter: String,
    sort: Sort,
}

/// Room for the message about a run that failed.
const CONCERN_HEIGHT: f32 = 72.0;

impl Panel for RunsPanel {
    fn ui(&mut self, ui: &mut Ui, context: &mut Context<'_>) {
        self.bar(ui, context);
        ui.add_space(space::XS);
        let protocol = usual(context);
        let rows = self.visible(context.session.rows.as_slice(), protocol);
        if rows.is_empty() {
            let advice = "No run has these letters in its experiment, method or status";
            widgets::empty_state(ui, "Nothing fits the filter", advice);
            return;
        }
        let concern = context.session.rows.iter().find_map(|row| concern(row, context));
        let below = if concern.is_some() { CONCERN_HEIGHT } else { 0.0 };
        let height = (ui.available_height() - below).max(60.0);
        theme::panel_frame(ui).inner_margin(egui::Margin::symmetric(8, 4)).show(ui, |ui| {
            self.table(ui, &rows, context, height - 10.0);
        });
        if let Some(concern) = concern {
            ui.add_space(space::XS);
            concern.ui(ui, context);
        }
    }
}

impl RunsPanel {
    fn bar(&mut self, ui: &mut Ui, context: &mut Context<'_>) {
        ui.horizontal(|ui| {
            ui.weak(summary(context));
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                let possible = context.session.unfinished().next().is_some();
                let estimate = ui.add_enabled(possible, Button::new("Estimate…"));
                let estimate = estimate.on_hover_text(Command::Estimate.tooltip());
                if estimate.on_disabled_hover_text("Every run is finished").clicked() {
                    context.actions.push(Action::Command(Command::Estimate));
                }
                let field = TextEdit::singleline(&mut self.filter).hint_text("Filter runs").desired_width(160.0);
                let field = ui.add(field);
                widgets::named(ui, &field, "Filter runs");
                if !context.session.selected.is_empty() {
                    if ui.button("Clear").on_hover_text("Select no run: commands are then about all of them").clicked()
                    {
                        context.actions.push(Action::SelectNone);
                    }
                    ui.weak(format!("{} selected", context.session.selected.len()));
                }
            });
        });
    }

    fn visible<'a>(&self, rows: &'a [Row], protocol: Protocol) -> Vec<&'a Row> {
        let wanted = self.filter.trim().to_lowercase();
        let mut rows: Vec<&Row> =
            rows.iter().filter(|row| wanted.is_empty() || searchable(row).contains(&wanted)).collect();
        if let Some(field) = self.sort.by {
            rows.sort_by(|a, b| {
                let order = compare(field, protocol, a, b);
                if self.sort.descending { order.reverse() } else { order }
            });
        }
        rows
    }

    fn table(&mut self, ui: &mut Ui, rows: &[&Row], context: &mut Context<'_>, height: f32) {
        ui.spacing_mut().item_spacing = egui::Vec2::new(space::S, 0.0);
        // Text that can be selected would take the clicks that are meant for its row.
        ui.style_mut().interaction.selectable_labels = false;
        let width = ui.available_width();
        let mut table = TableBuilder::new(ui)
            .id_salt("runs")
            .sense(egui::Sense::click())
            .cell_layout(Layout::left_to_right(Align::Center))
            .min_scrolled_height(0.0)
            .max_scroll_height((height - 28.0).max(theme::ROW_HEIGHT))
            .auto_shrink([false, true]);
        for field in Field::ALL {
            table = table.column(field.column(width));
        }
        table
            .header(24.0, |mut header| {
                for field in Field::ALL {
                    header.col(|ui| self.header(ui, field));
                }
            })
            .body(|body| {
                body.rows(theme::ROW_HEIGHT, rows.len(), |mut table_row| {
                    let row = rows[table_row.index()];
                    table_row.set_selected(context.session.selected.contains(&row.id));
                    for field in Field::ALL {
                        table_row.col(|ui| cells::ui(ui, field, row, context));
                    }
                    let response = table_row.response();
                    response.widget_info(|| {
                        let selected = context.session.selected.contains(&row.id);
                        let name = format!("{}, seed {}", row.key.experiment, row.key.seed);
                        egui::WidgetInfo::selected(egui::Role::Button, true, selected, name)
                    });
                    if response.clicked() {
                        let keep = response.ctx.input(|input| input.modifiers.command || input.modifiers.shift);
                        context.actions.push(Action::Select { id: row.id.clone(), keep });
                    }
                    response.context_menu(|ui| row_menu(ui, row, context));
                });
            });
    }

    fn header(&mut self, ui: &mut Ui, field: Field) {
        let sorted = self.sort.by == Some(field);
        let arrow = match (sorted, self.sort.descending) {
            (false, _) => "",
            (true, false) => " ▲",
            (true, true) => " ▼",
        };
        let tokens = theme::tokens(ui);
        let text = RichText::new(format!("{}{arrow}", field.title())).small().color(tokens.muted);
        if ui.add(Button::new(text).frame(false)).on_hover_text(field.tooltip()).clicked() {
            self.sort = match (sorted, self.sort.descending) {
                (false, _) => Sort { by: Some(field), descending: matches!(field, Field::Hit | Field::Ndcg) },
                (true, false) if !matches!(field, Field::Hit | Field::Ndcg) => {
                    Sort { by: Some(field), descending: true }
                }
                (true, true) if matches!(field, Field::Hit | Field::Ndcg) => {
                    Sort { by: Some(field), descending: false }
                }
                (true, _) => Sort::default(),
            };
        }
    }
}

/// The protocol of the metrics in the table: the first that the project measures.
fn usual(context: &Context<'_>) -> Protocol {
    context.session.project().evaluation.protocol.first()
}

/// One line on all runs: `2 of 4 finished, 1 queued`.
fn summary(context: &Context<'_>) -> String {
    let planned = || context.session.rows.iter().filter(|row| row.origin == Origin::Planned);
    let count = |wanted: fn(RowState) -> bool| planned().filter(|row| wanted(row.state)).count();
    let finished = count(|state| state == RowState::Run(Status::Finished));
    let queued = count(|state| state == RowState::Queued);
    let mut text = format!("{finished} of {} finished", planned().count());
    if queued > 0 {
        text.push_str(&format!(", {queued} queued"));
    }
    text
}

fn searchable(row: &Row) -> String {
    let status = widgets::status_look(row.state, theme::of(egui::Theme::Light)).word;
    let method = row.run.as_ref().map_or("", |run| run.config.method.label());
    format!("{} {method} {status} {}", row.key.experiment, row.key.seed).to_lowercase()
}

fn row_menu(ui: &mut Ui, row: &Row, context: &mut Context<'_>) {
    let ids = || vec![row.id.clone()];
    let choices = [
        ("Run", row.can_run(), Action::Run(ids())),
        ("Pause", row.can_pause(), Action::Pause(ids())),
        ("Resume", row.can_resume(), Action::Resume(ids())),
        ("Stop", row.can_stop(), Action::Stop(ids())),
    ];
    for (text, possible, action) in choices {
        if ui.add_enabled(possible, Button::new(text)).clicked() {
            context.actions.push(action);
        }
    }
    ui.separator();
    if let Some(run) = &row.run
        && ui.button("Copy folder path").clicked()
    {
        ui.copy_text(run.folder.display().to_string());
    }
}
