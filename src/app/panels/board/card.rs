//! A figure of the board: its chart drawn small, and the words that are told with it.

use std::sync::Arc;

use eframe::egui;
use egui::{
    Align, Button, ComboBox, CursorIcon, Layout, Rect, Response, RichText, Sense, TextEdit, Ui, UiBuilder, Vec2,
};

use super::order::Order;
use crate::app::action::Action;
use crate::app::panels::Context;
use crate::app::queries::board::PinnedCharts;
use crate::app::slides::{self, Drawn};
use crate::app::theme::{self, space};
use crate::app::widgets;
use crate::figures::board::{seen, worded};
use crate::plot::{Chart, screen};
use crate::project::Project;
use crate::project::board::{FigureSize, PinnedFigure};
use crate::project::edits::board::{with_copy, with_figure, with_moved, without_figure};

/// A figure at its place on the board.
#[derive(Clone, Copy)]
pub(super) struct Card<'a> {
    pub(super) place: usize,
    /// Figures on the board.
    pub(super) count: usize,
    pub(super) pinned: &'a PinnedFigure,
    pub(super) query: &'a PinnedCharts,
    pub(super) drawn: Drawn<'a>,
}

/// Width from which the words stand beside the chart, share of it that the chart takes then, and its least and greatest width.
const WIDE: f32 = 560.0;
const CHART: f32 = 0.46;
const CHART_WIDTHS: [f32; 2] = [250.0, 460.0];
/// Width of a word before its field.
const LABEL: f32 = 58.0;
/// Marks the keys of this panel's edits, so that they are no others'.
const KEY: u64 = 2 << 32;

/// What is told of a figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Words {
    Title,
    Caption,
    Note,
}

impl Words {
    const ALL: [Self; 3] = [Self::Title, Self::Caption, Self::Note];

    const fn label(self) -> &'static str {
        match self {
            Self::Title => "Title",
            Self::Caption => "Caption",
            Self::Note => "Note",
        }
    }

    fn of(self, pinned: &PinnedFigure) -> &str {
        match self {
            Self::Title => pinned.title.as_deref().unwrap_or_default(),
            Self::Caption => &pinned.caption,
            Self::Note => &pinned.note,
        }
    }

    fn set(self, pinned: &mut PinnedFigure, words: String) {
        match self {
            Self::Title => pinned.title = Some(words).filter(|words| !words.is_empty()),
            Self::Caption => pinned.caption = words,
            Self::Note => pinned.note = words,
        }
    }
}

impl Card<'_> {
    /// Draws it; where it is comes back.
    pub(super) fn ui(self, ui: &mut Ui, context: &mut Context<'_>, order: &mut Order) -> Rect {
        let frame = theme::panel_frame(ui).show(ui, |ui| {
            ui.take_available_width();
            let width = ui.available_width();
            if width < WIDE {
                self.thumbnail(ui, context, order, width);
                ui.add_space(space::XS);
                self.words(ui, context);
                return;
            }
            ui.horizontal_top(|ui| {
                self.thumbnail(ui, context, order, (CHART * width).clamp(CHART_WIDTHS[0], CHART_WIDTHS[1]));
                ui.add_space(space::XS);
                ui.vertical(|ui| self.words(ui, context));
            });
        });
        frame.response.rect
    }

    fn charts(&self) -> &[Arc<Chart>] {
        match self.drawn {
            Drawn::Charts(charts) => charts,
            Drawn::Pending | Drawn::Failed(_) => &[],
        }
    }

    fn title(&self) -> String {
        slides::title(self.pinned, self.charts())
    }

    /// The chart drawn small, which the card is dragged by.
    fn thumbnail(&self, ui: &mut Ui, context: &mut Context<'_>, order: &mut Order, width: f32) {
        let (at, _) = ui.allocate_exact_size(Vec2::new(width, width * 9.0 / 16.0), Sense::hover());
        // What is scrolled away costs nothing.
        if !ui.is_rect_visible(at) {
            return;
        }
        let mut inside = ui.new_child(UiBuilder::new().max_rect(at).layout(Layout::top_down(Align::Min)));
        // A chart's ground is that of its card.
        inside.visuals_mut().panel_fill = theme::tokens(ui).surface;
        match (self.drawn, self.charts()) {
            (_, [first, ..]) => {
                let small = Chart { title: self.title(), subtitle: None, caption: None, ..Chart::clone(first) };
                screen::show(&mut inside, &small, ("board", self.place), at.size());
            }
            (Drawn::Pending, _) => {
                inside.centered_and_justified(egui::Ui::spinner);
            }
            (Drawn::Failed(error), _) => {
                widgets::problem(&mut inside, error);
                if inside.button("Try again").clicked() {
                    context.actions.push(Action::retry(self.query));
                }
                return;
            }
            (Drawn::Charts(_), _) => {
                let words = "No run has what this figure shows yet: it appears here when one has";
                inside.centered_and_justified(|ui| widgets::remark(ui, words));
            }
        }
        let handle = ui.interact(at, ui.scope_id().with(("drag", self.place)), Sense::DRAG);
        order.handle(&handle, self.place);
        handle.on_hover_cursor(CursorIcon::Grab).on_hover_text("Drag to another place in the order");
    }

    fn words(&self, ui: &mut Ui, context: &mut Context<'_>) {
        self.heading(ui, context);
        if let Some(changes) = slides::changes(context.session, self.pinned) {
            ui.horizontal_wrapped(|ui| {
                ui.label(RichText::new(format!("● {changes}")).small().color(theme::tokens(ui).warning));
                let seen_now = ui
                    .small_button("Take as seen")
                    .on_hover_text("The chart is as its runs are now; say no more of what came before");
                if seen_now.clicked() {
                    let seen = seen(self.pinned, context.session.results(self.pinned.protocol));
                    self.edit(context, PinnedFigure { seen, ..self.pinned.clone() }, None);
                }
            });
        }
        for words in Words::ALL {
            self.field(ui, context, words);
        }
        self.size(ui, context);
    }

    /// The number, and what can be done with the figure.
    fn heading(&self, ui: &mut Ui, context: &mut Context<'_>) {
        let title = self.title();
        ui.horizontal(|ui| {
            ui.label(RichText::new((self.place + 1).to_string()).family(theme::semi_bold()));
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                let menu = ui.menu_button("…", |ui| self.menu(ui, context));
                widgets::named(ui, &menu.response, &format!("More for {title}"));
                let moves = [("▼", "down", self.place + 1 < self.count), ("▲", "up", self.place > 0)];
                for (sign, way, possible) in moves {
                    let button = ui.add_enabled(possible, Button::new(sign)).on_hover_text(format!("Move {way}"));
                    widgets::named(ui, &button, &format!("Move {title} {way}"));
                    if button.clicked() {
                        let to = if way == "up" { self.place - 1 } else { self.place + 1 };
                        self.edit_board(context, with_moved(context.session.project(), self.place, to));
                    }
                }
                let several = self.charts().len();
                let words = if several > 1 { format!("{title}, {several} charts") } else { title.clone() };
                ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                    ui.add(egui::Label::new(RichText::new(words).family(theme::semi_bold())).truncate());
                });
            });
        });
    }

    fn menu(&self, ui: &mut Ui, context: &mut Context<'_>) {
        if ui.button("Present from here").clicked() {
            context.actions.push(Action::Present(Some(self.place)));
        }
        if let [first, others @ ..] = self.charts()
            && ui.button("Export…").clicked()
        {
            let chart = worded(Chart::clone(first), self.pinned, others.is_empty());
            context.actions.push(Action::Export(Arc::new(chart)));
        }
        ui.separator();
        let project = context.session.project();
        if ui.button("Duplicate").clicked() {
            self.edit_board(context, with_copy(project, self.place));
        }
        if ui.button("Remove from the board").clicked() {
            self.edit_board(context, without_figure(project, self.place));
        }
    }

    fn field(&self, ui: &mut Ui, context: &mut Context<'_>, words: Words) {
        ui.horizontal_top(|ui| {
            let label = label(ui, words.label());
            let mut text = words.of(self.pinned).to_owned();
            let own = self.charts().first().map(|chart| chart.title.clone()).unwrap_or_default();
            let field = match words {
                Words::Title => TextEdit::singleline(&mut text).hint_text(own),
                Words::Caption => {
                    TextEdit::multiline(&mut text).desired_rows(2).hint_text("What it tells, for the room")
                }
                Words::Note => {
                    TextEdit::multiline(&mut text).desired_rows(2).hint_text("What to say, for the speaker alone")
                }
            };
            let id = ui.make_persistent_id((self.place, words.label()));
            let field = ui.add(field.id(id).desired_width(f32::INFINITY)).labelled_by(label.id);
            if field.changed() {
                let mut pinned = self.pinned.clone();
                words.set(&mut pinned, text);
                self.edit(context, pinned, Some(KEY | (self.place as u64) << 4 | words as u64));
            }
            if field.lost_focus() {
                context.actions.push(Action::EditDone);
            }
        });
    }

    fn size(&self, ui: &mut Ui, context: &mut Context<'_>) {
        ui.horizontal(|ui| {
            let label = label(ui, "Size");
            let mut size = self.pinned.size;
            let combo = ComboBox::from_id_salt(("size", self.place)).selected_text(size_words(size)).width(200.0);
            let combo = combo.show_ui(ui, |ui| {
                for option in [FigureSize::Slide, FigureSize::Column, FigureSize::Page] {
                    ui.selectable_value(&mut size, option, size_words(option));
                }
            });
            combo.response.labelled_by(label.id).on_hover_text("For what it is made as a file, and in the report");
            if size != self.pinned.size {
                self.edit(context, PinnedFigure { size, ..self.pinned.clone() }, None);
            }
        });
    }

    fn edit(&self, context: &mut Context<'_>, pinned: PinnedFigure, key: Option<u64>) {
        let project = Box::new(with_figure(context.session.project(), self.place, pinned));
        context.actions.push(Action::Edit { project, key });
    }

    fn edit_board(&self, context: &mut Context<'_>, project: Project) {
        context.actions.push(Action::Edit { project: Box::new(project), key: None });
    }
}

/// The word before a field; all fields of a card begin at one place.
fn label(ui: &mut Ui, words: &str) -> Response {
    let height = ui.spacing().interact_size.y;
    let words = RichText::new(words).small().color(theme::tokens(ui).muted);
    let layout = Layout::left_to_right(Align::Center);
    ui.allocate_ui_with_layout(Vec2::new(LABEL, height), layout, |ui| {
        ui.set_width(LABEL);
        ui.label(words)
    })
    .inner
}

const fn size_words(size: FigureSize) -> &'static str {
    match size {
        FigureSize::Slide => "Slide, 16:9",
        FigureSize::Column => "Column of a paper, 85 mm",
        FigureSize::Page => "Page of a paper, 170 mm",
    }
}
