//! The table of the comparison: a row a line, sorted by any column, with what may be said of each gain.

use std::collections::BTreeSet;
use std::sync::Arc;

use eframe::egui;
use egui::{Align, Button, Layout, RichText, ScrollArea, Ui};
use egui_extras::{Column as Width, TableBuilder, TableRow};

use super::cells::{Cell, Column, Order, Row, Tone};
use super::contents::TableContents;
use super::lines::Lines;
use super::{ComparePanel, View};
use crate::app::action::Action;
use crate::app::panels::Context;
use crate::app::queries::Answer;
use crate::app::queries::comparison::Verdicts;
use crate::app::theme::{self, space};
use crate::app::widgets;
use crate::data::Protocol;
use crate::figures::Provenance as _;
use crate::figures::words::{TWO_COUNTS, counts_differ, metric_label};
use crate::measure::UserMetric;
use crate::plot::{Body, Chart, Listing, listing};
use crate::results::comparison::{Judged, Standing};

/// What the user has made of the table.
#[derive(Debug, Default)]
pub(super) struct TableState {
    sort: Option<Sort>,
    /// Whether only the configuration that validation chooses is listed of each method.
    pub(super) one_a_method: bool,
    /// Names of the lines that are selected, for the views that are about some of them.
    pub(super) selected: BTreeSet<String>,
    /// Name of the line under the pointer: before the table is drawn in a chart, and after it in the table.
    pub(super) pointed: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Sort {
    by: Column,
    descending: bool,
}

const CAPTION: f32 = 180.0;

impl ComparePanel {
    /// The table in `height`, or why there is none.
    pub(super) fn table(&mut self, ui: &mut Ui, context: &mut Context<'_>, lines: &Lines, height: f32) {
        let Some(baseline) = self.baseline_place(lines) else {
            let advice =
                "The table lists finished runs. Curves and matrices of those that are under way are shown already";
            widgets::empty_state(ui, "No run is finished yet", advice);
            return;
        };
        let verdicts = Verdicts { compared: lines.compared(context.session, &self.metric), baseline };
        let answer = context.session.queries.get(&verdicts);
        let metrics = self.metrics(lines);
        let chart = self.chart.as_ref().map(|(_, chart)| Arc::clone(chart));
        let axes = match chart.as_deref().map(|chart| &chart.body) {
            Some(Body::Parallel(axes)) => Some(axes),
            _ => None,
        };
        let judged = answer.ready().map(Vec::as_slice);
        let marked = &self.marked;
        let wanted = |index: usize| match &axes {
            Some(axes) => marked.holds(axes, &lines.all[index].name),
            None => true,
        };
        let contents = TableContents {
            lines,
            baseline,
            metrics: &metrics,
            continual: &self.continual(lines),
            judged,
            wanted: &wanted,
        };
        let captioned = height >= CAPTION;
        let rows = self.table.ui(ui, &contents, if captioned { height - 48.0 } else { height });
        if self.view == View::Table {
            let listing = listing(&Column::all(&metrics, contents.continual), &rows);
            let against = format!("Gains in {} over {}", metric_label(&self.metric), lines.all[baseline].name);
            let chart = Chart { subtitle: Some(against), ..Chart::new("Comparison", Body::Listing(listing)) };
            let chart = chart.synthetic(context.session.synthetic()).under(lines.protocol()).over(&lines.basis);
            let chart = chart.of("baseline", lines.all[baseline].name.clone());
            // The same as in the last frame, as long as it says the same: what was asked to pin it is of that one.
            let chart = match &self.listed {
                Some(listed) if **listed == chart => Arc::clone(listed),
                _ => Arc::new(chart),
            };
            context.charts.insert(0, Arc::clone(&chart));
            self.listed = Some(chart);
        }
        match answer {
            Answer::Pending | Answer::Cancelled => {
                ui.horizontal(|ui| {
                    ui.spinner();
                    widgets::remark(ui, "Comparing the test users of all lines");
                });
                context.actions.push(Action::compute(&verdicts));
            }
            Answer::Failed(error) => {
                let tokens = crate::app::theme::tokens(ui);
                ui.colored_label(tokens.error, widgets::sentence(&error.to_string()));
            }
            Answer::Ready(_) if captioned => caption(ui, &contents),
            Answer::Ready(_) => {}
        }
    }
}

/// The table as it goes into a file: what stands below in a cell is in brackets behind it.
fn listing(columns: &[Column], rows: &[Row]) -> Listing {
    let heading = |column: &Column| match column {
        Column::Name | Column::Verdict => listing::Column::words(column.title()),
        _ => listing::Column::numbers(column.title()),
    };
    let cell = |cell: &Cell| {
        let below = cell.below.as_ref().filter(|below| !below.is_empty());
        let below = below.map(|below| format!(" ({below})")).unwrap_or_default();
        let shown = format!("{}{below}", cell.main);
        match cell.order {
            Order::Number(Some(value)) => listing::Cell::number(value, shown),
            Order::Number(None) => listing::Cell { shown, full: String::new() },
            Order::Text(_) => listing::Cell::from(shown),
        }
    };
    Listing {
        columns: columns.iter().map(heading).collect(),
        rows: rows.iter().map(|row| row.cells.iter().map(cell).collect()).collect(),
    }
}

pub(super) const ROW_HEIGHT: f32 = 40.0;

impl TableState {
    /// Draws the table in at most `height`; what it lists comes back.
    pub(super) fn ui(&mut self, ui: &mut Ui, contents: &TableContents<'_>, height: f32) -> Vec<Row> {
        let columns = Column::all(contents.metrics, contents.continual);
        let rows = self.rows(contents, &columns);
        let mut pointed = None;
        theme::panel_frame(ui).inner_margin(egui::Margin::symmetric(8, 4)).show(ui, |ui| {
            ui.spacing_mut().item_spacing = egui::Vec2::new(space::M, 0.0);
            // Text that can be selected would take the clicks that are meant for its row.
            ui.style_mut().interaction.selectable_labels = false;
            ScrollArea::horizontal().id_salt("comparison across").auto_shrink([false, true]).show(ui, |ui| {
                let mut table = TableBuilder::new(ui)
                    .id_salt("comparison")
                    .sense(egui::Sense::click())
                    .cell_layout(Layout::left_to_right(Align::Center))
                    .min_scrolled_height(0.0)
                    .max_scroll_height((height - 40.0).max(ROW_HEIGHT))
                    .auto_shrink([false, true]);
                for column in &columns {
                    table = table.column(match column {
                        Column::Name => Width::remainder().at_least(170.0).clip(true),
                        _ => Width::exact(column.width()),
                    });
                }
                table
                    .header(26.0, |mut header| {
                        for column in &columns {
                            header.col(|ui| self.header(ui, column));
                        }
                    })
                    .body(|body| {
                        body.rows(ROW_HEIGHT, rows.len(), |mut table_row| {
                            let row = &rows[table_row.index()];
                            if self.row(&mut table_row, contents, row, &columns) {
                                pointed = Some(contents.lines.all[row.index].name.clone());
                            }
                        });
                    });
            });
        });
        self.pointed = pointed;
        rows
    }

    /// Draws a row; whether the pointer is on it.
    fn row(
        &mut self,
        table_row: &mut TableRow<'_, '_>,
        contents: &TableContents<'_>,
        row: &Row,
        columns: &[Column],
    ) -> bool {
        let name = &contents.lines.all[row.index].name;
        let selected = self.selected.contains(name);
        table_row.set_selected(selected);
        if self.pointed.as_ref() == Some(name) {
            table_row.set_hovered(true);
        }
        for (column, cell) in columns.iter().zip(&row.cells) {
            table_row.col(|ui| {
                if *column == Column::Name {
                    swatch(ui, contents.lines.styles[row.index]);
                }
                let right = *column != Column::Name && *column != Column::Verdict;
                let layout = if right { Layout::top_down(Align::Max) } else { Layout::top_down(Align::Min) };
                ui.with_layout(layout, |ui| cell_ui(ui, cell));
            });
        }
        let response = table_row.response();
        response.widget_info(|| egui::WidgetInfo::selected(egui::Role::Button, true, selected, format!("Line {name}")));
        if response.clicked() && !self.selected.remove(name) {
            self.selected.insert(name.clone());
        }
        response.hovered()
    }

    /// The rows that are listed, in their order.
    fn rows(&self, contents: &TableContents<'_>, columns: &[Column]) -> Vec<Row> {
        let passed = |place: usize| self.one_a_method && contents.lines.standings[place] == Standing::Passed;
        let places = (0..contents.lines.all.len()).filter(|&place| (contents.wanted)(place) && !passed(place));
        let mut rows: Vec<Row> = places.map(|place| Row::of(contents, place, columns)).collect();
        Row::mark_best(&mut rows, columns, contents);
        let sort = self.sort.as_ref().filter(|sort| columns.contains(&sort.by));
        // Until the user chooses, the best of the metric that gains are of is on top.
        let first = || columns.iter().find(|column| matches!(column, Column::Metric(_)));
        let by = sort.map(|sort| &sort.by).or_else(first);
        if let Some(at) = columns.iter().position(|column| Some(column) == by) {
            let descending = sort.map_or_else(|| columns[at].best_first(), |sort| sort.descending);
            rows.sort_by(|a, b| a.cells[at].order.cmp(&b.cells[at].order, descending));
        }
        rows
    }

    fn header(&mut self, ui: &mut Ui, column: &Column) {
        let sorted = self.sort.as_ref().filter(|sort| sort.by == *column).map(|sort| sort.descending);
        let arrow = match sorted {
            None => "",
            Some(false) => " ▲",
            Some(true) => " ▼",
        };
        let title = column.title();
        let text = RichText::new(format!("{title}{arrow}")).small().color(theme::tokens(ui).muted);
        let right = *column != Column::Name && *column != Column::Verdict;
        let layout = if right { Layout::right_to_left(Align::Center) } else { Layout::left_to_right(Align::Center) };
        ui.with_layout(layout, |ui| {
            let response = ui.add(Button::new(text).frame(false)).on_hover_text(column.tooltip());
            response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, &title));
            if response.clicked() {
                let first = column.best_first();
                self.sort = match sorted {
                    None => Some(Sort { by: column.clone(), descending: first }),
                    Some(descending) if descending == first => Some(Sort { by: column.clone(), descending: !first }),
                    Some(_) => None,
                };
            }
        });
    }
}

/// The line's colour and mark, as the charts draw it.
pub(super) fn swatch(ui: &mut Ui, look: crate::plot::SeriesStyle) {
    let (at, _) = ui.allocate_exact_size(egui::Vec2::new(14.0, 14.0), egui::Sense::hover());
    crate::plot::screen::mark(ui, look, at.center(), 4.5);
}

pub(super) fn cell_ui(ui: &mut Ui, cell: &Cell) {
    let tokens = theme::tokens(ui);
    ui.spacing_mut().item_spacing.y = 0.0;
    let colour = match cell.tone {
        Tone::Plain => tokens.text,
        Tone::Quiet => tokens.muted,
        Tone::Good => tokens.success,
        Tone::Bad => tokens.error,
    };
    let mut main = RichText::new(&cell.main).color(colour);
    if cell.bold {
        main = main.family(theme::semi_bold());
    }
    let lines = if cell.below.is_some() { 2.0 } else { 1.0 };
    ui.add_space((ROW_HEIGHT - 17.0 * lines) / 2.0);
    let mut response = ui.add(egui::Label::new(main).truncate());
    if let Some(below) = &cell.below {
        response |= ui.add(egui::Label::new(RichText::new(below).small().color(tokens.muted)).truncate());
    }
    if !cell.hover.is_empty() {
        response.on_hover_text(&cell.hover);
    }
}

/// How many finished runs are missing because they have not measured the protocol.
pub(super) fn lacking_words(lines: &Lines) -> String {
    match lines.lacking {
        0 => String::new(),
        count => format!(". {} without {} not listed", widgets::counted(count, "run"), lines.protocol().key()),
    }
}

/// Whether a shown metric has a released count that says something else.
fn two_counts(contents: &TableContents<'_>) -> bool {
    let shown = contents.metrics.iter().filter_map(|metric| metric.parse::<UserMetric>().ok());
    let differ = |metric: UserMetric| {
        let lines = &contents.lines.all;
        lines.iter().any(|line| counts_differ(&line.metrics, metric.tie_corrected(), |value| value.mean))
    };
    shown.into_iter().any(differ)
}

/// What stands below the table: what the numbers are, and what is missing.
pub(super) fn caption(ui: &mut Ui, contents: &TableContents<'_>) {
    let corrected = |judged: &&Judged| matches!(judged, Judged::Verdict(verdict) if verdict.p_corrected.is_some());
    let family = contents.judged.map_or(0, |judged| judged.iter().filter(corrected).count());
    let baseline = &contents.lines.all[contents.baseline].name;
    let next = match contents.lines.protocol() {
        Protocol::SameBlock => "",
        Protocol::NextBlock => ", each asked of the model before it (next-block)",
        Protocol::GlobalTime => ", each asked of the model before it (global-time)",
    };
    let mut words = format!(
        "Means over the stages from 2 on{next}, ± 95 % interval over seeds. Gains over {baseline} on the same test users"
    );
    if family > 0 {
        let lines = widgets::counted(family, "line");
        words.push_str(&format!(
            ", with intervals and p-values corrected by Holm over {lines}: an interval leaves 0 out where the gain is significant"
        ));
    }
    if let Some(basis) = contents.lines.basis.words() {
        words.push_str(&format!(". {basis}"));
    }
    if contents.lines.unfinished > 0 {
        let runs = widgets::counted(contents.lines.unfinished, "run");
        words.push_str(&format!(". {runs} not finished and not listed"));
    }
    words.push_str(&lacking_words(contents.lines));
    let of_users = |judged: &Judged| matches!(judged, Judged::Verdict(verdict) if verdict.comparison.seeds == 1);
    if contents.judged.is_some_and(|judged| judged.iter().any(of_users)) {
        words
            .push_str(". Of a single seed, the interval of a gain is over users alone and says nothing of other seeds");
    }
    if two_counts(contents) {
        words.push_str(". ");
        words.push_str(TWO_COUNTS);
    }
    widgets::remark(ui, words);
}
