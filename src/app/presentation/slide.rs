//! One slide: a heading, a chart in large type, what it tells, and where it is among the others.

use eframe::egui;
use egui::accesskit::Role;
use egui::{Align, Button, FontId, Layout, Rect, RichText, Sense, TextStyle, Ui, UiBuilder, Vec2, WidgetInfo};

use super::Shown;
use super::keys::Key;
use crate::app::rows::RowState;
use crate::app::session::Session;
use crate::app::slides::Drawn;
use crate::app::theme;
use crate::app::widgets;
use crate::figures::provenance;
use crate::plot::{Chart, screen};
use crate::run::Status;

/// A slide at its place.
pub(super) struct Slide<'s> {
    pub(super) session: &'s Session,
    /// From 1.
    pub(super) number: usize,
    pub(super) count: usize,
    /// Factor on all sizes, 1 for a slide of 1280 x 720 points.
    pub(super) scale: f32,
}

/// Sizes at scale 1, in points.
mod size {
    pub(super) const MARGIN: f32 = 44.0;
    pub(super) const FOOTER: f32 = 44.0;
    pub(super) const NAME: f32 = 60.0;
    pub(super) const HEADING: f32 = 34.0;
    pub(super) const SUBTITLE: f32 = 19.0;
    pub(super) const TOLD: f32 = 23.0;
    pub(super) const BODY: f32 = 21.0;
    pub(super) const SMALL: f32 = 15.0;
    /// Of a chart in text of that size.
    pub(super) const CHART_MARGIN: f32 = 28.0;
}

/// Lines of a told caption for which a chart makes room.
const TOLD_LINES: f32 = 3.2;

impl Slide<'_> {
    /// The project, and what it comes to.
    pub(super) fn title(&self, ui: &mut Ui) -> Option<Key> {
        let project = self.session.project();
        let tokens = theme::tokens(ui);
        let [room, footer] = self.parts(ui);
        ui.scope_builder(UiBuilder::new().max_rect(room), |ui| {
            ui.add_space(0.22 * room.height());
            ui.label(RichText::new(&project.name).size(self.sized(size::NAME)).family(theme::semi_bold()));
            ui.add_space(self.sized(12.0));
            ui.label(RichText::new(self.contents()).size(self.sized(size::TOLD)).color(tokens.muted));
            if self.session.synthetic() {
                ui.label(RichText::new(provenance::SYNTHETIC).size(self.sized(size::TOLD)).color(tokens.warning));
            }
            ui.add_space(self.sized(28.0));
            ui.label(RichText::new(&project.notes).size(self.sized(size::TOLD)));
        });
        self.footer(ui, footer)
    }

    /// `4 methods, 12 of 15 runs finished`.
    fn contents(&self) -> String {
        let rows = || self.session.rows.iter();
        let finished = rows().filter(|row| row.state == RowState::Run(Status::Finished)).count();
        let methods = widgets::counted(self.session.project().experiments.len(), "method");
        format!("{methods}, {finished} of {} finished", widgets::counted(rows().count(), "run"))
    }

    /// A chart of a figure, with what it tells.
    pub(super) fn figure(&self, ui: &mut Ui, shown: &Shown<'_>, number: usize) -> Option<Key> {
        let tokens = theme::tokens(ui);
        let [room, footer] = self.parts(ui);
        ui.scope_builder(UiBuilder::new().max_rect(room), |ui| {
            ui.style_mut().text_styles.insert(TextStyle::Body, FontId::proportional(self.sized(size::BODY)));
            let chart = shown.chart(number);
            ui.label(RichText::new(shown.heading(number)).size(self.sized(size::HEADING)).family(theme::semi_bold()));
            if let Some(subtitle) = chart.and_then(|chart| chart.subtitle.as_ref()) {
                ui.label(RichText::new(subtitle).size(self.sized(size::SUBTITLE)).color(tokens.muted));
            }
            ui.add_space(self.sized(6.0));
            let told = shown.pinned.caption.trim();
            let told_height = self.told_height(ui, told);
            let size = Vec2::new(ui.available_width(), ui.available_height() - told_height);
            match (shown.drawn, chart) {
                (_, Some(chart)) => self.chart(ui, chart, size),
                (Drawn::Pending, _) => {
                    ui.allocate_ui(size, |ui| ui.centered_and_justified(egui::Ui::spinner));
                }
                (Drawn::Failed(error), _) => {
                    let words = widgets::sentence(&error.to_string());
                    ui.allocate_ui(size, |ui| ui.colored_label(tokens.error, words));
                }
                (Drawn::Charts(_), None) => {
                    ui.allocate_ui(size, |ui| ui.label("No run has what this figure shows yet"));
                }
            }
            if !told.is_empty() {
                ui.label(RichText::new(told).size(self.sized(size::TOLD)));
            }
        });
        self.footer(ui, footer)
    }

    /// A chart, whose words the slide says itself; its plot begins where the heading does.
    fn chart(&self, ui: &mut Ui, chart: &Chart, size: Vec2) {
        let bare = Chart { title: String::new(), subtitle: None, note: None, ..chart.clone() };
        let (at, _) = ui.allocate_exact_size(size, Sense::hover());
        let at = at.expand2(Vec2::new(self.sized(size::CHART_MARGIN), 0.0));
        let mut inside = ui.new_child(UiBuilder::new().max_rect(at));
        screen::show(&mut inside, &bare, ("slide", self.number), at.size());
    }

    fn sized(&self, size: f32) -> f32 {
        self.scale * size
    }

    /// Height that what is told below a chart takes.
    fn told_height(&self, ui: &Ui, told: &str) -> f32 {
        if told.is_empty() {
            return 0.0;
        }
        let font = FontId::proportional(self.sized(size::TOLD));
        let galley = ui.painter().layout(told.to_owned(), font, theme::tokens(ui).text, ui.available_width());
        (galley.size().y + ui.spacing().item_spacing.y).min(TOLD_LINES * 1.4 * self.sized(size::TOLD))
    }

    /// The room of the slide within its margins, and that of its footer.
    fn parts(&self, ui: &Ui) -> [Rect; 2] {
        let whole = ui.max_rect();
        let (margin, footer) = (self.sized(size::MARGIN), self.sized(size::FOOTER));
        let inside = whole.shrink2(Vec2::new(margin, 0.6 * margin));
        let edge = whole.bottom() - footer;
        [
            inside.with_max_y(edge),
            Rect::from_min_max(egui::pos2(inside.left(), edge), egui::pos2(inside.right(), whole.bottom())),
        ]
    }

    /// Which slide it is, with a way on and back for who has a mouse in hand.
    fn footer(&self, ui: &mut Ui, at: Rect) -> Option<Key> {
        let tokens = theme::tokens(ui);
        let muted = tokens.muted;
        let mut key = None;
        ui.scope_builder(UiBuilder::new().max_rect(at).layout(Layout::right_to_left(Align::Center)), |ui| {
            let small = |words: String| RichText::new(words).size(self.sized(size::SMALL)).color(muted);
            let way = |ui: &mut Ui, sign: &str, name: &str, possible: bool| {
                let button = ui.add_enabled(possible, Button::new(small(sign.to_owned())).frame(false));
                widgets::named(ui, &button, name);
                button.clicked()
            };
            if way(ui, "›", "Next slide", self.number < self.count) {
                key = Some(Key::Next);
            }
            let place = ui.label(small(format!("{} / {}", self.number, self.count)));
            let words = format!("Slide {} of {}", self.number, self.count);
            place.widget_info(|| WidgetInfo::labeled(Role::Label, true, &words));
            if way(ui, "‹", "Previous slide", self.number > 1) {
                key = Some(Key::Previous);
            }
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                if self.number == 1 {
                    ui.label(small("? shows the keys".to_owned()));
                    return;
                }
                if self.session.synthetic() {
                    ui.label(small(provenance::SYNTHETIC.to_owned()).color(tokens.warning));
                }
                ui.add(egui::Label::new(small(self.session.project().name.clone())).truncate());
            });
        });
        key
    }
}
