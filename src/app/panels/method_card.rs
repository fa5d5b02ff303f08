//! A method for people: its name, what it does in one sentence, its formula, and its options with what each one does.

use eframe::egui;
use egui::{ComboBox, DragValue, Ui};

use crate::app::theme;
use crate::method::{Aggregation, Distance, MethodOptions, Peso, SumLora};

/// The methods that an experiment can be made of, with their defaults.
pub(crate) fn choices() -> [MethodOptions; 4] {
    [
        MethodOptions::Peso(Peso::default()),
        MethodOptions::Single,
        MethodOptions::SumLora(SumLora::default()),
        MethodOptions::Frozen,
    ]
}

/// The method's name.
pub(crate) const fn name(method: &MethodOptions) -> &'static str {
    match method {
        MethodOptions::Frozen => "Frozen",
        MethodOptions::Single => "Single evolving LoRA",
        MethodOptions::SumLora(_) => "SumLoRA",
        MethodOptions::Peso(_) => "PESO",
    }
}

/// What it does, in one sentence.
pub(crate) const fn sentence(method: &MethodOptions) -> &'static str {
    match method {
        MethodOptions::Frozen => "The adapter of stage 1 serves all stages: what no update at all would give",
        MethodOptions::Single => "One adapter goes on learning from stage to stage, with nothing that holds it back",
        MethodOptions::SumLora(_) => {
            "The adapter of the stage before, normalised and frozen, is added to the one that learns"
        }
        MethodOptions::Peso(_) => {
            "One adapter goes on learning, and a proximal term pulls it toward its state before the stage"
        }
    }
}

/// What it minimises or adds.
pub(crate) const fn formula(method: &MethodOptions) -> &'static str {
    match method {
        MethodOptions::Frozen => "v(t) = v(1)",
        MethodOptions::Single => "L(t) = CE(t),  v(t) starts from v(t−1)",
        MethodOptions::SumLora(_) => "W + α/r · (B′/‖B′‖ · A′/‖A′‖ + B·A),  ′ = stage t−1",
        MethodOptions::Peso(Peso { distance: Distance::SoftmaxKl { .. }, .. }) => {
            "L(t) = CE(t) + λ Σ KL(softmax v(t) ‖ softmax v(t−1))"
        }
        MethodOptions::Peso(Peso { distance: Distance::L2, .. }) => "L(t) = CE(t) + λ Σ ½‖v(t) − v(t−1)‖²",
    }
}

/// What an edit of the options came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Edited {
    pub(crate) changed: bool,
    /// A drag or the typing of a number has ended.
    pub(crate) done: bool,
}

impl Edited {
    fn note(&mut self, response: &egui::Response) {
        self.changed |= response.changed();
        self.done |= response.drag_stopped() || response.lost_focus();
    }
}

/// Whether there is anything to set.
pub(crate) const fn has_options(method: &MethodOptions) -> bool {
    matches!(method, MethodOptions::SumLora(_) | MethodOptions::Peso(_))
}

/// The options as fields, in a grid of two columns.
pub(crate) fn options(ui: &mut Ui, method: &mut MethodOptions) -> Edited {
    let mut edited = Edited::default();
    match method {
        MethodOptions::Frozen | MethodOptions::Single => {}
        MethodOptions::SumLora(options) => {
            option(
                ui,
                "Start",
                "Whether the adapter of a stage starts from the one before it, or freshly",
                |ui, label| {
                    for (inherit, text) in [(true, "Inherit"), (false, "Fresh")] {
                        edited.note(&ui.radio_value(&mut options.inherit, inherit, text).labelled_by(label));
                    }
                },
            );
        }
        MethodOptions::Peso(options) => peso_options(ui, options, &mut edited),
    }
    edited
}

fn peso_options(ui: &mut Ui, options: &mut Peso, edited: &mut Edited) {
    option(
        ui,
        "λ",
        "Weight of the pull: 0 is a single evolving LoRA, more holds the adapter nearer to its past",
        |ui, label| {
            let field = DragValue::new(&mut options.lambda).range(0.0..=1e6).speed(0.05).max_decimals(4);
            edited.note(&ui.add(field).labelled_by(label));
        },
    );
    let distance = match options.distance {
        Distance::SoftmaxKl { .. } => "Softmax-KL",
        Distance::L2 => "L2",
    };
    option(
        ui,
        "Distance",
        "How far the adapter is from its past: the paper's softmax-KL, or half the squared L2 norm",
        |ui, label| {
            let combo = ComboBox::from_id_salt("distance").selected_text(distance).width(110.0).show_ui(ui, |ui| {
                let kl = match options.distance {
                    kl @ Distance::SoftmaxKl { .. } => kl,
                    Distance::L2 => Distance::SoftmaxKl { temperature: 1.0 },
                };
                for (value, text) in [(kl, "Softmax-KL"), (Distance::L2, "L2")] {
                    edited.note(&ui.selectable_value(&mut options.distance, value, text));
                }
            });
            combo.response.labelled_by(label);
        },
    );
    if let Distance::SoftmaxKl { temperature } = &mut options.distance {
        option(
            ui,
            "Temperature",
            "Divides the adapter's values before the softmax: less makes large values count more",
            |ui, label| {
                let field = DragValue::new(temperature).range(1e-4..=1e4).speed(0.01).max_decimals(4);
                edited.note(&ui.add(field).labelled_by(label));
            },
        );
    }
    let aggregation = match options.aggregation {
        Aggregation::Sum => "Sum (paper)",
        Aggregation::Mean => "Mean (release)",
    };
    option(
        ui,
        "Aggregation",
        "The paper sums over all groups; the released code averages over modules, which makes λ act far more weakly",
        |ui, label| {
            let combo =
                ComboBox::from_id_salt("aggregation").selected_text(aggregation).width(110.0).show_ui(ui, |ui| {
                    for (value, text) in [(Aggregation::Sum, "Sum (paper)"), (Aggregation::Mean, "Mean (release)")] {
                        edited.note(&ui.selectable_value(&mut options.aggregation, value, text));
                    }
                });
            combo.response.labelled_by(label);
        },
    );
}

fn option(ui: &mut Ui, name: &str, what: &str, field: impl FnOnce(&mut Ui, egui::Id)) {
    let muted = theme::tokens(ui).muted;
    let label = ui.label(egui::RichText::new(name).color(muted)).on_hover_text(what);
    ui.horizontal(|ui| field(ui, label.id));
    ui.end_row();
}
