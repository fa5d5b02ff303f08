//! The shape of a compact model as a form. Every edit is fitted, so that no shape is ever asked for that cannot be.

use eframe::egui;
use egui::{Checkbox, DragValue, Grid, Response, Ui};

use super::card::{FACT, architecture, millions, trained_words};
use super::figures::Figures;
use super::{Key, edit};
use crate::app::action::Action;
use crate::app::panels::Context;
use crate::app::theme::space;
use crate::app::widgets;
use crate::model::{Compact, LlamaConfig};
use crate::project::edits::model::with_shape;

/// Largest values of the form.
const WIDEST: usize = 4096;
const MAX_LAYERS: usize = 64;
const MAX_HEADS: usize = 64;
const MAX_EPOCHS: usize = 10_000;

pub(super) fn card(ui: &mut Ui, context: &mut Context<'_>, compact: &Compact, figures: Option<&Figures>) {
    let mut shape = compact.clone();
    let mut done = false;
    widgets::card(ui, |ui| {
        widgets::section(ui, "Shape of the compact model");
        Grid::new("shape").num_columns(2).spacing([space::M, space::XS]).show(ui, |ui| {
            for field in SIZES {
                let value = (field.of)(&mut shape);
                let drag = DragValue::new(value).range(1..=field.max).update_while_editing(false);
                done |= row(ui, field.label, field.help, |ui| ui.add(drag.speed(field.speed)));
            }
            done |= row(ui, "Tied", "The head is the embedding: fewer parameters", |ui| {
                ui.add(Checkbox::without_text(&mut shape.tied))
            });
            let rate = DragValue::new(&mut shape.learning_rate).range(1e-6..=1.0).speed(1e-5).max_decimals(6);
            let help = "Size of a step of AdamW while all parameters are trained";
            done |= row(ui, "Learning rate", help, |ui| ui.add(rate.update_while_editing(false)));
            let dropout = DragValue::new(&mut shape.dropout).range(0.0..=0.9).speed(0.005).max_decimals(3);
            let help = "On the embedded tokens and on what each layer adds, while all parameters are trained";
            done |= row(ui, "Dropout", help, |ui| ui.add(dropout.update_while_editing(false)));
        });
    });
    fit(&mut shape, compact);
    if shape != *compact {
        edit(context, with_shape(context.session.project(), shape), Some(Key::Shape));
    }
    if done {
        context.actions.push(Action::EditDone);
    }
    ui.add_space(space::S);
    widgets::card(ui, |ui| facts(ui, compact, figures));
}

/// What the shape comes to.
fn facts(ui: &mut Ui, compact: &Compact, figures: Option<&Figures>) {
    widgets::section(ui, "What it is");
    Grid::new("architecture").num_columns(2).min_row_height(FACT).spacing([space::M, space::XS]).show(ui, |ui| {
        if let Some(figures) = figures {
            widgets::fact(ui, "Parameters", millions(figures.parameters));
            widgets::fact(ui, "Adapted", trained_words(figures));
        }
        for (name, value) in architecture(&LlamaConfig::compact(compact)) {
            widgets::fact(ui, name, value);
        }
    });
    widgets::remark(ui, "All parameters are trained on stage 1; then the model is frozen and LoRA adapts it");
}

/// A whole number of the form.
struct Size {
    label: &'static str,
    help: &'static str,
    of: fn(&mut Compact) -> &mut usize,
    max: usize,
    speed: f64,
}

const SIZES: [Size; 6] = [
    Size {
        label: "Width",
        help: "Numbers that stand for a token; a multiple of twice the heads",
        of: |shape| &mut shape.width,
        max: WIDEST,
        speed: 2.0,
    },
    Size {
        label: "Layers",
        help: "Blocks of attention and feed-forward",
        of: |shape| &mut shape.layers,
        max: MAX_LAYERS,
        speed: 0.05,
    },
    Size {
        label: "Heads",
        help: "Attention heads of a layer",
        of: |shape| &mut shape.heads,
        max: MAX_HEADS,
        speed: 0.05,
    },
    Size {
        label: "Key-value heads",
        help: "Heads of keys and values, which queries share; a divisor of the heads",
        of: |shape| &mut shape.kv_heads,
        max: MAX_HEADS,
        speed: 0.05,
    },
    Size {
        label: "Feed-forward",
        help: "Width between the two halves of the feed-forward part",
        of: |shape| &mut shape.ffn,
        max: 4 * WIDEST,
        speed: 4.0,
    },
    Size {
        label: "Epochs",
        help: "Passes over stage 1 in which all parameters are trained",
        of: |shape| &mut shape.epochs,
        max: MAX_EPOCHS,
        speed: 0.05,
    },
];

/// A label with its control; whether a drag or the typing has ended.
fn row(ui: &mut Ui, label: &str, help: &str, control: impl FnOnce(&mut Ui) -> Response) -> bool {
    let label = ui.label(label).on_hover_text(help);
    let response = control(ui).labelled_by(label.id).on_hover_text(help);
    ui.end_row();
    response.drag_stopped() || response.lost_focus()
}

/// Makes the parts of a shape fit each other: what was changed stays, and the others follow it.
fn fit(shape: &mut Compact, before: &Compact) {
    let divisor =
        |of: usize, at_most: usize| (1..=at_most.min(of)).rev().find(|part| of.is_multiple_of(*part)).unwrap_or(1);
    if shape.kv_heads != before.kv_heads && shape.heads == before.heads {
        shape.kv_heads = divisor(shape.heads, shape.kv_heads);
    } else {
        shape.kv_heads = divisor(shape.heads, before.kv_heads);
    }
    let step = 2 * shape.heads;
    // A width that is dragged goes from one that fits to the next in the same direction.
    shape.width =
        if shape.width < before.width { shape.width / step * step } else { shape.width.div_ceil(step) * step }
            .max(step);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::check;

    #[test]
    fn every_edit_gives_a_shape_that_can_be() {
        let before = Compact::default();
        for edited in [
            Compact { width: 129, ..before.clone() },
            Compact { width: 127, ..before.clone() },
            Compact { width: 1, ..before.clone() },
            Compact { heads: 3, ..before.clone() },
            Compact { heads: 64, ..before.clone() },
            Compact { heads: 7, width: 64, ..before.clone() },
            Compact { kv_heads: 3, ..before.clone() },
            Compact { kv_heads: 64, ..before.clone() },
        ] {
            let mut shape = edited.clone();
            fit(&mut shape, &before);
            check::compact(&shape).unwrap_or_else(|bad| panic!("{edited:?}: {bad:?}"));
            assert_eq!(shape.heads, edited.heads, "what was set stays");
        }
        let fitted = |edited: Compact| {
            let mut shape = edited;
            fit(&mut shape, &before);
            (shape.width, shape.heads, shape.kv_heads)
        };
        assert_eq!(fitted(Compact { width: 129, ..before.clone() }), (136, 4, 2));
        assert_eq!(fitted(Compact { width: 127, ..before.clone() }), (120, 4, 2));
        assert_eq!(fitted(Compact { heads: 3, ..before.clone() }), (132, 3, 1));
        assert_eq!(fitted(Compact { kv_heads: 3, ..before.clone() }), (128, 4, 2));
        assert_eq!(fitted(before.clone()), (128, 4, 2), "nothing is changed by itself");
    }
}
