//! The runs table: every run of the project, how far it is, how good, and why it failed.

use std::cmp::Ordering;

use eframe::egui;
use egui::{Align, Button, Layout, ProgressBar, RichText, TextEdit, Ui};
use egui_extras::{Column, TableBuilder};

use super::Context;
use crate::app::action::Action;
use crate::app::session::{Origin, Row, RowState};
use crate::app::theme::{self, space};
use crate::app::watch::RunView;
use crate::app::widgets;
use crate::experiment::results::Status;

/// State of the panel.
#[derive(Debug, Default)]
pub(crate) struct RunsPanel {
    filter: String,
    sort: Sort,
}

/// Room for the message about a run that failed.
const CONCERN_HEIGHT: f32 = 72.0;

/// Room for the words beside a progress bar.
const PROGRESS_WORDS: f32 = 150.0;

/// What the rows are sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Sort {
    /// `None`: as the project lists them.
    by: Option<Field>,
    descending: bool,
}

/// A column of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    Status,
    Experiment,
    Seed,
    Progress,
    Hit,
    Ndcg,
    Device,
    Started,
}

impl Field {
    const ALL: [Self; 8] = [
        Self::Status,
        Self::Experiment,
        Self::Seed,
        Self::Progress,
        Self::Hit,
        Self::Ndcg,
        Self::Device,
        Self::Started,
    ];

    const fn title(self) -> &'static str {
        match self {
            Self::Status => "Status",
            Self::Experiment => "Experiment",
            Self::Seed => "Seed",
            Self::Progress => "Progress",
            Self::Hit => "Hit@10",
            Self::Ndcg => "NDCG@10",
            Self::Device => "Device",
            Self::Started => "Started",
        }
    }

    const fn tooltip(self) -> &'static str {
        match self {
            Self::Status => "What the run is doing",
            Self::Experiment => "The experiment of the project, or the counting baseline",
            Self::Seed => "Seed of every random choice of the run",
            Self::Progress => "Stage, share of the current phase, and time left in the whole run",
            Self::Hit => {
                "Share of test users whose next item is among the first ten, mean over the finished stages from 2 on"
            }
            Self::Ndcg => "The same, weighted by rank, mean over the finished stages from 2 on",
            Self::Device => "Where it was trained",
            Self::Started => "When the run was first started",
        }
    }

    /// Its column in a table of this width. On a wide screen the progress grows, so that a row is read without jumps.
    fn column(self, width: f32) -> Column {
        match self {
            Self::Status => Column::exact(88.0),
            Self::Experiment => Column::exact((width * 0.24).clamp(150.0, 360.0)).clip(true),
            Self::Seed => Column::exact(40.0),
            Self::Progress => Column::remainder().at_least(150.0).clip(true),
            Self::Hit => Column::exact(56.0),
            Self::Ndcg => Column::exact(66.0),
            Self::Device => Column::exact(56.0).clip(true),
            Self::Started => Column::exact(84.0),
        }
    }
}

impl RunsPanel {
    pub(crate) fn ui(&mut self, ui: &mut Ui, context: &mut Context<'_>) {
        self.bar(ui, context);
        ui.add_space(space::XS);
        let rows = self.visible(context.session.rows.as_slice());
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
            concern_ui(ui, &concern, context);
        }
    }

    fn bar(&mut self, ui: &mut Ui, context: &mut Context<'_>) {
        ui.horizontal(|ui| {
            ui.weak(summary(context));
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                let field = TextEdit::singleline(&mut self.filter).hint_text("Filter runs").desired_width(180.0);
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

    fn visible<'a>(&self, rows: &'a [Row]) -> Vec<&'a Row> {
        let wanted = self.filter.trim().to_lowercase();
        let mut rows: Vec<&Row> =
            rows.iter().filter(|row| wanted.is_empty() || searchable(row).contains(&wanted)).collect();
        if let Some(field) = self.sort.by {
            rows.sort_by(|a, b| {
                let order = compare(field, a, b);
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
                        table_row.col(|ui| cell(ui, field, row, context));
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

fn compare(field: Field, a: &Row, b: &Row) -> Ordering {
    let number = |value: Option<f64>| value.unwrap_or(f64::NEG_INFINITY);
    let started = |row: &Row| row.run.as_ref().map_or(0, |run| run.config.created_unix);
    match field {
        Field::Status => rank(a.state).cmp(&rank(b.state)),
        Field::Experiment => a.key.experiment.cmp(&b.key.experiment),
        Field::Seed => a.key.seed.cmp(&b.key.seed),
        Field::Progress => share_done(a).total_cmp(&share_done(b)),
        Field::Hit => number(later_mean(a, "hit@10")).total_cmp(&number(later_mean(b, "hit@10"))),
        Field::Ndcg => number(later_mean(a, "ndcg@10")).total_cmp(&number(later_mean(b, "ndcg@10"))),
        Field::Device => device(a).cmp(device(b)),
        Field::Started => started(a).cmp(&started(b)),
    }
}

/// States in the order in which they matter to someone who watches.
const fn rank(state: RowState) -> u8 {
    match state {
        RowState::Run(Status::Running) | RowState::Starting => 0,
        RowState::Run(Status::Paused) => 1,
        RowState::Run(Status::Failed) => 2,
        RowState::Run(Status::Stopped) => 3,
        RowState::Queued | RowState::Run(Status::Queued) => 4,
        RowState::NotRun => 5,
        RowState::Run(Status::Finished) => 6,
    }
}

fn device(row: &Row) -> &str {
    // `cuda (NVIDIA H200)`: the kind is enough here, the rest is shown on hovering.
    let device = row.run.as_ref().map_or("", |run| run.config.device.as_str());
    device.split(" (").next().unwrap_or(device)
}

/// Mean of a metric over the finished stages from 2 on; stage 1 is the same for all methods and says nothing of them.
pub(crate) fn later_mean(row: &Row, metric: &str) -> Option<f64> {
    let run = row.run.as_ref()?;
    let later = run.result.stages.iter().filter(|stage| stage.stage >= 2);
    let values: Vec<f64> = later.filter_map(|stage| stage.metrics.get(metric).copied()).collect();
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// Share of the run that is done, from 0 to 1: whole stages, and a part of the current one.
fn share_done(row: &Row) -> f64 {
    let Some(run) = &row.run else { return 0.0 };
    if run.status == Status::Finished {
        return 1.0;
    }
    let Some(progress) = &run.progress else { return 0.0 };
    let phase = if progress.total == 0 { 0.0 } else { progress.done as f64 / progress.total as f64 };
    ((progress.stage.saturating_sub(1)) as f64 + phase.clamp(0.0, 1.0)) / progress.stages.max(1) as f64
}

fn cell(ui: &mut Ui, field: Field, row: &Row, context: &Context<'_>) {
    let tokens = theme::tokens(ui);
    match field {
        Field::Status => {
            let look = widgets::status_look(row.state, tokens);
            ui.colored_label(look.colour, format!("{} {}", look.icon, look.word));
        }
        Field::Experiment => experiment_cell(ui, row),
        Field::Seed if row.origin == Origin::Baseline => {
            ui.weak("–").on_hover_text("Counting needs no seed");
        }
        Field::Seed => {
            ui.label(row.key.seed.to_string());
        }
        Field::Progress => progress_cell(ui, row),
        Field::Hit => metric_cell(ui, later_mean(row, "hit@10")),
        Field::Ndcg => metric_cell(ui, later_mean(row, "ndcg@10")),
        Field::Device => {
            let label = ui.label(device(row));
            if let Some(run) = &row.run {
                label.on_hover_text(&run.config.device);
            }
        }
        Field::Started => {
            if let Some(run) = &row.run {
                ui.weak(ago(context.now_unix, run.config.created_unix));
            }
        }
    }
}

fn experiment_cell(ui: &mut Ui, row: &Row) {
    let label = ui.add(egui::Label::new(&row.key.experiment).truncate().selectable(false));
    match row.origin {
        Origin::Planned => {}
        Origin::Baseline => {
            widgets::remark(ui, "counting");
        }
        Origin::Earlier => {
            let why = "The experiment, the data or the training settings were changed since this run was made";
            widgets::remark(ui, "earlier settings").on_hover_text(why);
        }
    }
    label.on_hover_text(&row.id);
}

fn metric_cell(ui: &mut Ui, value: Option<f64>) {
    match value {
        Some(value) => ui.label(format!("{value:.4}")),
        None => ui.weak("–"),
    };
}

fn progress_cell(ui: &mut Ui, row: &Row) {
    let tokens = theme::tokens(ui);
    let Some(run) = &row.run else { return };
    match (&run.progress, run.status) {
        (_, Status::Finished) => {
            let seconds: f64 = run.stages.iter().map(|stage| stage.train_seconds + stage.eval_seconds).sum();
            ui.weak(format!(
                "{} in {}",
                widgets::counted(run.config.stages, "stage"),
                widgets::duration_words(seconds)
            ));
        }
        (Some(progress), status) => {
            let mut words = format!("Stage {} of {}", progress.stage, progress.stages);
            if status == Status::Running
                && let Some(seconds) = progress.eta_seconds
            {
                words.push_str(&format!(", {} left", widgets::brief_duration(seconds)));
            }
            let width = (ui.available_width() - PROGRESS_WORDS).clamp(36.0, 640.0);
            let bar = ProgressBar::new(share_done(row) as f32).desired_width(width).desired_height(6.0);
            let colour = if status == Status::Running { tokens.accent } else { tokens.border_strong };
            ui.add(bar.fill(colour)).on_hover_text(widgets::phase_words(progress));
            ui.weak(words);
        }
        (None, _) => {}
    }
}

/// When something was: roughly how long ago, or its date where that is long.
fn ago(now: u64, unix: u64) -> String {
    let seconds = now.saturating_sub(unix);
    match seconds {
        0..60 => "just now".to_owned(),
        60..3600 => format!("{} min ago", seconds / 60),
        3600..86_400 => format!("{} h ago", seconds / 3600),
        86_400..172_800 => "yesterday".to_owned(),
        172_800..2_592_000 => format!("{} days ago", seconds / 86_400),
        _ => date(unix),
    }
}

/// A day in UTC as `2025-03-01`, from seconds since 1970 (Hinnant, "chrono-compatible low-level date algorithms").
fn date(unix: u64) -> String {
    let days = unix / 86_400 + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = year_of_era + 400 * era + u64::from(month <= 2);
    format!("{year}-{month:02}-{day:02}")
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

/// A run that needs the user: why it ended, and what can be done.
struct Concern {
    id: String,
    title: String,
    reason: String,
}

fn concern(row: &Row, context: &Context<'_>) -> Option<Concern> {
    let failed = |run: &RunView| run.status == Status::Failed;
    let words = context.session.last_words.get(&row.key);
    let wanted = context.session.selected.is_empty() || context.session.selected.contains(&row.id);
    if !wanted || row.origin == Origin::Earlier || matches!(row.state, RowState::Queued | RowState::Starting) {
        return None;
    }
    let reason: String = match &row.run {
        Some(run) if failed(run) => run.reason.clone().or_else(|| words.cloned()),
        Some(run) if run.status == Status::Stopped => words.cloned(),
        Some(_) => None,
        None => words.cloned(),
    }?;
    Some(Concern {
        id: row.id.clone(),
        title: format!("{}, seed {} did not finish", row.key.experiment, row.key.seed),
        reason: widgets::sentence(&reason),
    })
}

fn concern_ui(ui: &mut Ui, concern: &Concern, context: &mut Context<'_>) {
    let tokens = theme::tokens(ui);
    egui::Frame::new()
        .fill(tokens.error.gamma_multiply(0.08))
        .stroke((1.0, tokens.error.gamma_multiply(0.5)))
        .corner_radius(theme::RADIUS)
        .inner_margin(egui::Margin::symmetric(10, 6))
        .show(ui, |ui| {
            ui.horizontal(|ui| {
                ui.colored_label(tokens.error, "⚠");
                ui.label(RichText::new(&concern.title).family(theme::semi_bold()));
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                    if ui.button("Run again").on_hover_text("Goes on from the last saved state").clicked() {
                        context.actions.push(Action::Run(vec![concern.id.clone()]));
                    }
                });
            });
            let last: Vec<&str> = concern.reason.lines().rev().take(2).collect();
            let text = last.into_iter().rev().collect::<Vec<_>>().join("\n");
            ui.add(egui::Label::new(RichText::new(text).color(tokens.muted)).truncate()).on_hover_text(&concern.reason);
        });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_as_people_say_them() {
        let since = |seconds: u64| ago(1_700_000_000, 1_700_000_000 - seconds);
        assert_eq!(since(5), "just now");
        assert_eq!(since(3599), "59 min ago");
        assert_eq!(since(86_399), "23 h ago");
        assert_eq!(since(90_000), "yesterday");
        assert_eq!(since(864_000), "10 days ago");
        assert_eq!(since(8_640_000), "2023-08-06");
        assert_eq!(date(951_782_400), "2000-02-29");
        assert_eq!(date(0), "1970-01-01");
    }
}
