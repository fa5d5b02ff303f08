//! Choosing a method: a card for each with what it does, grouped by where it keeps the past.

use eframe::egui;
use egui::{Key, Modifiers, RichText, ScrollArea, TextEdit, Ui, Vec2};

use super::dialog::{DialogAction, DialogContents, MethodPurpose};
use crate::app::theme;
use crate::app::theme::space;
use crate::app::widgets;
use crate::method::{Family, MethodOptions};

/// State of the dialog.
#[derive(Debug)]
pub(crate) struct MethodPicker {
    purpose: MethodPurpose,
    query: String,
    /// Place of the card that Enter chooses, among those that fit.
    chosen: usize,
    methods: Vec<MethodOptions>,
}

/// Width of the dialog, and from which width of it cards stand in two columns.
const WIDTH: f32 = 860.0;
const TWO_COLUMNS: f32 = 620.0;
const HEIGHT: f32 = 560.0;

impl MethodPicker {
    pub(crate) fn new(purpose: MethodPurpose) -> Self {
        let methods = Family::ALL
            .into_iter()
            .flat_map(|family| MethodOptions::all().into_iter().filter(move |method| method.family() == family));
        Self { purpose, query: String::new(), chosen: 0, methods: methods.collect() }
    }
}

impl DialogContents for MethodPicker {
    fn width(&self) -> f32 {
        WIDTH
    }

    fn ui(&mut self, ui: &mut Ui) -> Option<DialogAction> {
        let fitting = self.fitting();
        let moved = self.keys(ui, fitting.len());
        let enter = ui.input_mut(|input| input.consume_key(Modifiers::NONE, Key::Enter));
        ui.horizontal(|ui| {
            ui.heading(match self.purpose {
                MethodPurpose::Add => "Add experiment",
                MethodPurpose::Change(_) => "Change method",
            });
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                if ui.button("Cancel").clicked() {
                    return Some(DialogAction::Cancel);
                }
                self.search_field(ui);
                None
            })
            .inner
        })
        .inner
        .or_else(|| {
            ui.add_space(space::S);
            let clicked = self.cards(ui, &fitting, moved);
            let index = clicked.or_else(|| fitting.get(self.chosen).copied().filter(|_| enter))?;
            Some(DialogAction::Method(self.purpose, self.methods.get(index)?.clone()))
        })
    }
}

impl MethodPicker {
    /// Moves the highlighted card; whether it moved.
    fn keys(&mut self, ui: &Ui, fitting: usize) -> bool {
        let (up, down) = ui.input_mut(|input| {
            (input.consume_key(Modifiers::NONE, Key::ArrowUp), input.consume_key(Modifiers::NONE, Key::ArrowDown))
        });
        let last = fitting.saturating_sub(1);
        self.chosen = if down { self.chosen + 1 } else { self.chosen.saturating_sub(usize::from(up)) }.min(last);
        up || down
    }

    fn search_field(&mut self, ui: &mut Ui) {
        let field = ui.add(TextEdit::singleline(&mut self.query).hint_text("Search methods").desired_width(220.0));
        widgets::named(ui, &field, "Search methods");
        if field.changed() {
            self.chosen = 0;
        }
        field.request_focus();
    }

    /// Places of the methods whose name, sentence, source or family has every word that was typed.
    fn fitting(&self) -> Vec<usize> {
        let wanted = self.query.to_lowercase();
        let fits = |method: &MethodOptions| {
            let card = method.card();
            let text = [card.name, card.sentence, card.source, method.family().label()].join(" ").to_lowercase();
            wanted.split_whitespace().all(|word| text.contains(word))
        };
        (0..self.methods.len()).filter(|&index| fits(&self.methods[index])).collect()
    }

    fn cards(&self, ui: &mut Ui, fitting: &[usize], moved: bool) -> Option<usize> {
        let mut clicked = None;
        let height = (ui.ctx().content_rect().height() - 180.0).clamp(160.0, HEIGHT);
        ScrollArea::vertical().max_height(height).min_scrolled_height(height).auto_shrink(false).show(ui, |ui| {
            if fitting.is_empty() {
                ui.weak("No method has these words in its name, sentence or source");
            }
            for family in Family::ALL {
                let of_family: Vec<usize> =
                    fitting.iter().copied().filter(|&index| self.methods[index].family() == family).collect();
                if of_family.is_empty() {
                    continue;
                }
                ui.horizontal(|ui| {
                    ui.label(RichText::new(family.label()).family(theme::semi_bold()));
                    widgets::remark(ui, family.sentence());
                });
                let columns = if ui.available_width() >= TWO_COLUMNS { 2 } else { 1 };
                for row in of_family.chunks(columns) {
                    clicked = self.row(ui, row, columns, fitting, moved).or(clicked);
                }
                ui.add_space(space::S);
            }
        });
        clicked
    }

    /// Cards side by side, all as high as the highest.
    fn row(&self, ui: &mut Ui, row: &[usize], columns: usize, fitting: &[usize], moved: bool) -> Option<usize> {
        let gap = space::S;
        let width = (ui.available_width() - gap * (columns - 1) as f32) / columns as f32;
        let texts: Vec<CardTexts> = row.iter().map(|&index| CardTexts::new(ui, &self.methods[index], width)).collect();
        let height = texts.iter().map(CardTexts::height).fold(0.0, f32::max);
        ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = gap;
            let mut clicked = None;
            for (&index, texts) in row.iter().zip(&texts) {
                let chosen = fitting.get(self.chosen) == Some(&index);
                let response = texts.ui(ui, Vec2::new(width, height), chosen, self.methods[index].card().name);
                if chosen && moved {
                    response.scroll_to_me(None);
                }
                if response.clicked() {
                    clicked = Some(index);
                }
            }
            clicked
        })
        .inner
    }
}

/// What a card says, laid out in its width.
struct CardTexts {
    lines: Vec<std::sync::Arc<egui::Galley>>,
}

/// Between a card's border and its text.
const INSIDE: f32 = 10.0;
const LINE_GAP: f32 = 4.0;

impl CardTexts {
    fn new(ui: &Ui, method: &MethodOptions, width: f32) -> Self {
        let tokens = theme::tokens(ui);
        let card = method.card();
        let body = egui::TextStyle::Body.resolve(ui.style());
        let name = egui::FontId::new(body.size, theme::semi_bold());
        let small = egui::TextStyle::Small.resolve(ui.style());
        let mono = egui::FontId::new(11.5, egui::FontFamily::Monospace);
        let lines = [
            (card.name, name, tokens.text),
            (card.sentence, body, tokens.text),
            (card.formula, mono, tokens.text),
            (card.source, small, tokens.muted),
        ];
        let room = width - 2.0 * INSIDE;
        let lay = |(text, font, colour): (&str, _, _)| ui.painter().layout(text.to_owned(), font, colour, room);
        Self { lines: lines.into_iter().map(lay).collect() }
    }

    fn height(&self) -> f32 {
        let gaps = LINE_GAP * self.lines.len().saturating_sub(1) as f32;
        self.lines.iter().map(|line| line.size().y).sum::<f32>() + gaps + 2.0 * INSIDE
    }

    fn ui(&self, ui: &mut Ui, size: Vec2, chosen: bool, name: &str) -> egui::Response {
        let tokens = theme::tokens(ui);
        let (at, response) = ui.allocate_exact_size(size, egui::Sense::click());
        response.widget_info(|| egui::WidgetInfo::selected(egui::Role::Button, true, chosen, name));
        let fill = if response.hovered() || chosen { tokens.raised } else { tokens.surface };
        let border = if response.hovered() || response.has_focus() || chosen { tokens.accent } else { tokens.border };
        ui.painter().rect(at, theme::RADIUS, fill, (1.0, border), egui::StrokeKind::Inside);
        let mut top = at.top() + INSIDE;
        for line in &self.lines {
            ui.painter().galley(egui::pos2(at.left() + INSIDE, top), std::sync::Arc::clone(line), tokens.text);
            top += line.size().y + LINE_GAP;
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(query: &str) -> Vec<&'static str> {
        let mut picker = MethodPicker::new(MethodPurpose::Add);
        query.clone_into(&mut picker.query);
        picker.fitting().into_iter().map(|index| picker.methods[index].card().name).collect()
    }

    #[test]
    fn methods_are_found_by_name_family_and_source() {
        assert_eq!(found("").len(), MethodOptions::all().len());
        assert_eq!(found("kirkpatrick"), ["EWC"]);
        assert_eq!(found("  memory REPLAY"), ["Replay"]);
        assert!(found("added").contains(&"SumLoRA"));
        assert!(found("no such method").is_empty());
    }
}
