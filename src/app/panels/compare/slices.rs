//! Lines by slice: a chart and a table of a metric on kinds of users and targets, and how far these lie apart.

use eframe::egui;
use egui::{Align, Layout, RichText, ScrollArea, Ui, Vec2};
use egui_extras::{Column as Width, TableBuilder};

use super::ComparePanel;
use super::cells::{Cell, Tone};
use super::lines::Lines;
use super::table::{ROW_HEIGHT, cell_ui, lacking_words, swatch};
use crate::app::action::Action;
use crate::app::panels::{Context, chart_card};
use crate::app::queries::Answer;
use crate::app::queries::comparison::Slices;
use crate::app::theme::{self, space};
use crate::app::widgets;
use crate::figures::measures;
use crate::figures::slices as chart;
use crate::figures::words::metric_label;
use crate::figures::{Provenance as _, Styled};
use crate::measure::Dimension;
use crate::measure::slice_means::{Dispersion, FEW, SliceMean};
use crate::plot::Chart;
use crate::results::slices::{Sliced, SlicedLine};

/// Height from which the chart has the table below it, the share of it that the table takes, and the most of it.
const TALL: f32 = 480.0;
const TABLE: f32 = 0.42;
const TALLEST: f32 = 360.0;
/// Room for the words on what is being done.
const WORDS: f32 = 28.0;

impl ComparePanel {
    /// The query for the lines by slice.
    pub(super) fn slices_query(&self, context: &Context<'_>, lines: &Lines) -> Slices {
        Slices { compared: lines.compared(context.session, &self.metric) }
    }

    pub(super) fn slices_chart(&self, context: &Context<'_>, lines: &Lines, synthetic: bool) -> Chart {
        let title = format!("{} by slice", metric_label(&self.metric));
        match context.session.queries.get(&self.slices_query(context, lines)) {
            _ if lines.all.is_empty() => {
                Chart::empty(title, "No run is finished yet: slices are those of finished runs").synthetic(synthetic)
            }
            Answer::Pending | Answer::Cancelled => {
                Chart::empty(title, "The tests of all lines are being put into slices").synthetic(synthetic)
            }
            Answer::Failed(error) => Chart::empty(title, widgets::sentence(&error.problem)).synthetic(synthetic),
            Answer::Ready(sliced) => {
                let shown = self.shown(lines, sliced);
                chart::by_slice(&shown, &self.metric, self.slices_of, synthetic)
            }
        }
    }

    /// The lines that are shown, in their usual order and looks.
    fn shown<'s>(&self, lines: &Lines, sliced: &'s Sliced) -> Vec<Styled<'s, SlicedLine>> {
        let of = |place: usize| {
            let item = sliced.lines.iter().find(|line| line.experiment == lines.all[place].name)?;
            Some(Styled { item, style: lines.styles[place] })
        };
        self.places(lines).filter_map(of).collect()
    }

    /// Draws the chart with the table below it, or one of them where room is short.
    pub(super) fn slices(&self, ui: &mut Ui, context: &mut Context<'_>, lines: &Lines, chart: &Chart) {
        let query = self.slices_query(context, lines);
        let answer = context.session.queries.get(&query);
        let height = ui.available_height();
        let below = match answer.ready() {
            None => WORDS,
            Some(_) if self.slices_as_table => height,
            Some(_) if height >= TALL => (TABLE * height).min(TALLEST),
            Some(_) => 0.0,
        };
        if height - below > WORDS {
            ui.allocate_ui(Vec2::new(ui.available_width(), height - below), |ui| {
                ui.set_max_height(height - below - space::S);
                chart_card(ui, chart, "slices chart");
            });
        }
        match answer {
            Answer::Pending | Answer::Cancelled if !lines.all.is_empty() => {
                ui.horizontal(|ui| {
                    ui.spinner();
                    widgets::remark(ui, "Putting the tests of all lines into slices");
                });
                context.actions.push(Action::compute(&query));
            }
            Answer::Failed(error) => {
                let tokens = theme::tokens(ui);
                ui.colored_label(tokens.error, widgets::sentence(&error.to_string()));
            }
            Answer::Ready(sliced) if below > 0.0 => self.slices_table(ui, lines, sliced, below),
            _ => {}
        }
    }

    fn slices_table(&self, ui: &mut Ui, lines: &Lines, sliced: &Sliced, height: f32) {
        let shown = self.shown(lines, sliced);
        let columns = columns(&shown, self.slices_of);
        theme::panel_frame(ui).inner_margin(egui::Margin::symmetric(8, 4)).show(ui, |ui| {
            ui.spacing_mut().item_spacing = Vec2::new(space::M, 0.0);
            ScrollArea::horizontal().id_salt("slices across").auto_shrink([false, true]).show(ui, |ui| {
                let mut table = TableBuilder::new(ui)
                    .id_salt("slices")
                    .cell_layout(Layout::left_to_right(Align::Center))
                    .min_scrolled_height(0.0)
                    .max_scroll_height((height - 84.0).max(ROW_HEIGHT))
                    .auto_shrink([false, true])
                    .column(Width::remainder().at_least(170.0).clip(true));
                for _ in &columns {
                    table = table.column(Width::exact(112.0));
                }
                table
                    .header(40.0, |mut header| {
                        header.col(|ui| heading(ui, "Method", "", ""));
                        for column in &columns {
                            header.col(|ui| column.heading(ui));
                        }
                    })
                    .body(|body| {
                        body.rows(ROW_HEIGHT, shown.len(), |mut row| {
                            let Styled { item: line, style } = shown[row.index()];
                            row.col(|ui| {
                                swatch(ui, style);
                                ui.add(egui::Label::new(&line.experiment).truncate()).on_hover_text(&line.experiment);
                            });
                            for column in &columns {
                                row.col(|ui| {
                                    let cell = column.cell(line);
                                    ui.with_layout(Layout::top_down(Align::Max), |ui| cell_ui(ui, &cell));
                                });
                            }
                        });
                    });
            });
        });
        caption(ui, lines, sliced);
    }
}

/// A column: a slice, or how far the slices of a dimension lie apart.
enum Column {
    Slice(SliceMean),
    Apart(Dimension),
}

/// The slices of each dimension, then how far they lie apart where some line has two that count.
fn columns(shown: &[Styled<'_, SlicedLine>], only: Option<Dimension>) -> Vec<Column> {
    let slices = chart::slices(shown, only);
    let mut columns = Vec::new();
    for dimension in Dimension::ALL {
        columns.extend(slices.iter().filter(|mean| mean.dimension == dimension).copied().map(Column::Slice));
        let wanted = only.is_none_or(|only| only == dimension);
        let apart =
            |line: &Styled<'_, SlicedLine>| line.item.dispersion.iter().any(|found| found.dimension == dimension);
        if wanted && shown.iter().any(apart) {
            columns.push(Column::Apart(dimension));
        }
    }
    columns
}

impl Column {
    fn heading(&self, ui: &mut Ui) {
        match self {
            Self::Slice(mean) => {
                let few = if mean.too_few { " *" } else { "" };
                let tests = format!("n = {}{few}", widgets::grouped(mean.users as u64));
                heading(ui, &widgets::sentence(&mean.slice.to_string()), &tests, chart::explanation(mean.slice));
            }
            Self::Apart(dimension) => heading(
                ui,
                "Apart",
                chart::label(*dimension),
                &format!("{}; σ: {}", measures::text("Apart"), measures::text("Deviation").to_lowercase()),
            ),
        }
    }

    fn cell(&self, line: &SlicedLine) -> Cell {
        match self {
            Self::Slice(of) => match line.slices.iter().find(|mean| mean.slice == of.slice) {
                None => Cell::number(None, |_| String::new()),
                Some(found) => slice_cell(found),
            },
            Self::Apart(of) => match line.dispersion.iter().find(|found| found.dimension == *of) {
                None => Cell::number(None, |_| String::new()),
                Some(Dispersion { range, standard_deviation, slices, .. }) => Cell {
                    below: Some(format!("σ {standard_deviation:.4}")),
                    hover: format!("Of {slices} slices with at least {FEW} tests"),
                    ..Cell::number(Some(*range), |range| format!("{range:.4}"))
                },
            },
        }
    }
}

fn slice_cell(found: &SliceMean) -> Cell {
    let interval = found.interval.map(|interval| format!("{:.4} … {:.4}", interval.low, interval.high));
    let mut cell = Cell { below: interval, ..Cell::number(Some(found.mean), |mean| format!("{mean:.4}")) };
    if found.too_few {
        cell.tone = Tone::Quiet;
        cell.hover = format!("{}: too few to say much", widgets::counted(found.users, "test"));
    }
    cell
}

fn heading(ui: &mut Ui, title: &str, below: &str, hover: &str) {
    let tokens = theme::tokens(ui);
    let layout = if below.is_empty() { Layout::left_to_right(Align::Center) } else { Layout::top_down(Align::Max) };
    ui.with_layout(layout, |ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        let mut response = ui.label(RichText::new(title).small().color(tokens.muted));
        if !below.is_empty() {
            response |= ui.label(RichText::new(below).small().color(tokens.muted));
        }
        if !hover.is_empty() {
            response.on_hover_text(hover);
        }
    });
}

/// What the numbers are, and which lines are missing.
fn caption(ui: &mut Ui, lines: &Lines, sliced: &Sliced) {
    let mut words = format!(
        "Means over the tests of a slice in the stages from 2 on, 95 % intervals. *: fewer than {FEW} tests, which do not count in how far slices lie apart"
    );
    words.push_str(&lacking_words(lines));
    let left_out: Vec<String> = sliced.left_out.iter().map(|(name, why)| format!("{name}: {why}")).collect();
    if !left_out.is_empty() {
        words.push_str(&format!(". {} cannot be sliced", widgets::counted(left_out.len(), "line")));
    }
    widgets::remark(ui, words).on_hover_text(left_out.join("\n"));
}
