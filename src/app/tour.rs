//! A tour of the window in five steps: callouts at the widgets themselves, which can be left at any time and taken again.

use eframe::egui;
use egui::{Align, Area, Frame, Id, Key, Layout, Margin, Modifiers, Order, Pos2, Rect, RichText, StrokeKind, Ui, Vec2};

use super::anchor::{self, Anchor};
use super::panels::view::View;
use super::panels::{compare, experiments, runs, subspace};
use super::theme::{self, space};
use super::widgets;

/// One step.
struct Step {
    anchor: Anchor,
    title: &'static str,
    words: &'static str,
}

/// The steps, in order.
fn steps() -> [Step; 5] {
    [
        Step {
            anchor: Anchor::View(View::of(&experiments::VIEW)),
            title: "What is compared",
            words: "Each card is one method with its options. Data, base model, training and seeds are above them; what you change can be undone",
        },
        Step {
            anchor: Anchor::Toolbar,
            title: "Run it",
            words: "Run all trains every experiment with every seed, one after the other, in a process of its own. You can close the window meanwhile",
        },
        Step {
            anchor: Anchor::View(View::of(&runs::VIEW)),
            title: "Watch the runs",
            words: "One line per run: what it does, how long it takes and what it came to. Select runs to see and control only these",
        },
        Step {
            anchor: Anchor::View(View::of(&compare::VIEW)),
            title: "Which method is better, and how sure",
            words: "Every method stage by stage, and the gain over the baseline with what chance alone could do",
        },
        Step {
            anchor: Anchor::View(View::of(&subspace::VIEW)),
            title: "What the adapters keep",
            words: "Which directions of the past survive new training, and what they mean in items and users",
        },
    ]
}

/// Where the user is in the tour.
#[derive(Debug, Default)]
pub(crate) struct Tour {
    step: usize,
    /// The step whose view was brought to the front.
    shown: Option<usize>,
    /// Whether the button that goes on has the keyboard in this step.
    focused: Option<usize>,
}

/// What became of the tour in this frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    GoesOn,
    Over,
}

const WIDTH: f32 = 340.0;
/// Between what is pointed at and the callout.
const GAP: f32 = 12.0;

impl Tour {
    /// The view that the present step wants in front, once a step.
    pub(crate) fn view_to_show(&mut self) -> Option<View> {
        if self.shown.replace(self.step) == Some(self.step) {
            return None;
        }
        match steps()[self.step].anchor {
            Anchor::View(view) => Some(view),
            Anchor::Toolbar => None,
        }
    }

    /// Draws the callout of the present step. Enter and the right arrow go on, the left arrow goes back, Escape ends the tour.
    pub(crate) fn ui(&mut self, ui: &Ui) -> Outcome {
        let steps = steps();
        let step = &steps[self.step];
        let window = ui.ctx().content_rect();
        let target =
            anchor::found(ui, step.anchor).unwrap_or_else(|| Rect::from_center_size(window.center(), Vec2::ZERO));
        outline(ui, target);
        let id = Id::unique("tour callout");
        let size = ui.ctx().memory(|memory| memory.area_rect(id)).map_or(Vec2::new(WIDTH, 150.0), |rect| rect.size());
        let area = Area::new(id).order(Order::Foreground).fixed_pos(place(target, size, window)).constrain(true);
        let tokens = theme::tokens(ui);
        let mut go = keys(ui);
        area.show(ui.ctx(), |ui| {
            let frame = Frame::popup(ui.style()).fill(tokens.surface).stroke((1.5, tokens.accent));
            frame.inner_margin(Margin::same(16)).show(ui, |ui| {
                ui.set_width(WIDTH - 32.0);
                widgets::remark(ui, format!("{} of {}", self.step + 1, steps.len()));
                ui.label(RichText::new(step.title).text_style(theme::section()).family(theme::semi_bold()));
                ui.label(step.words);
                ui.add_space(space::S);
                go = self.buttons(ui, steps.len()).or(go);
            });
        });
        match go {
            None => Outcome::GoesOn,
            Some(Go::Skip) => Outcome::Over,
            Some(Go::Next) if self.step + 1 == steps.len() => Outcome::Over,
            Some(Go::Next) => self.turn_to(self.step + 1),
            Some(Go::Back) => self.turn_to(self.step.saturating_sub(1)),
        }
    }

    fn turn_to(&mut self, step: usize) -> Outcome {
        self.step = step;
        Outcome::GoesOn
    }

    fn buttons(&mut self, ui: &mut Ui, number: usize) -> Option<Go> {
        let mut go = None;
        ui.horizontal(|ui| {
            if ui.button("Skip the tour").clicked() {
                go = Some(Go::Skip);
            }
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                let last = self.step + 1 == number;
                let next = widgets::primary_button(ui, if last { "Done" } else { "Next" });
                if self.focused.replace(self.step) != Some(self.step) {
                    next.request_focus();
                }
                if next.clicked() {
                    go = Some(Go::Next);
                }
                if self.step > 0 && ui.button("Back").clicked() {
                    go = Some(Go::Back);
                }
            });
        });
        go
    }
}

#[derive(Debug, Clone, Copy)]
enum Go {
    Back,
    Next,
    Skip,
}

/// Keys of the tour, unless something is being typed.
fn keys(ui: &Ui) -> Option<Go> {
    if ui.ctx().text_edit_focused() {
        return None;
    }
    ui.input_mut(|input| {
        let mut pressed = |key: Key| input.consume_key(Modifiers::NONE, key);
        if pressed(Key::Escape) {
            Some(Go::Skip)
        } else if pressed(Key::ArrowRight) {
            Some(Go::Next)
        } else if pressed(Key::ArrowLeft) {
            Some(Go::Back)
        } else {
            None
        }
    })
}

/// A frame around what is pointed at.
fn outline(ui: &Ui, target: Rect) {
    let painter = ui.ctx().layer_painter(egui::LayerId::new(Order::Foreground, Id::unique("tour outline")));
    let accent = theme::tokens(ui).accent;
    painter.rect_stroke(target.expand(4.0), theme::RADIUS + 2, (2.5, accent), StrokeKind::Outside);
}

/// The corner of a callout beside its target: right of it, left of it, below it, or else inside its lower right corner.
fn place(target: Rect, size: Vec2, window: Rect) -> Pos2 {
    let candidates = [
        Pos2::new(target.right() + GAP, target.top() + GAP),
        Pos2::new(target.left() - GAP - size.x, target.top() + GAP),
        Pos2::new(target.left(), target.bottom() + GAP),
        Pos2::new(target.left(), target.top() - GAP - size.y),
    ];
    let room = window.shrink(4.0);
    let fits = |corner: &Pos2| room.contains_rect(Rect::from_min_size(*corner, size));
    candidates.into_iter().find(fits).unwrap_or(target.right_bottom() - size - Vec2::splat(GAP))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_callout_stands_beside_its_target_and_inside_the_window() {
        let window = Rect::from_min_size(Pos2::ZERO, Vec2::new(1024.0, 700.0));
        let size = Vec2::new(WIDTH, 160.0);
        let rects = [
            Rect::from_min_size(Pos2::new(0.0, 40.0), Vec2::new(290.0, 630.0)),
            Rect::from_min_size(Pos2::new(290.0, 40.0), Vec2::new(734.0, 260.0)),
            Rect::from_min_size(Pos2::new(300.0, 4.0), Vec2::new(400.0, 28.0)),
            window,
        ];
        for target in rects {
            let callout = Rect::from_min_size(place(target, size, window), size);
            assert!(window.contains_rect(callout), "{target:?}: {callout:?}");
            let covers = target != window && target.width() < 600.0 && callout.intersects(target);
            assert!(!covers, "{target:?}: {callout:?}");
        }
    }
}
