//! How a history is written for the model: which prompt, and an example of the data as text and as tokens.

use eframe::egui;
use egui::{Button, RichText, TextEdit, Ui};

use super::chips::{self, ChipKind};
use super::{Key, beside, edit};
use crate::app::action::Action;
use crate::app::panels::{Context, settings_form};
use crate::app::theme::{self, space};
use crate::app::widgets::{self, counted, grouped};
use crate::budget::setup::Setup;
use crate::model::Prompt;
use crate::model::prompt::{HISTORY, INSTRUCTION, Part, Preview, PreviewToken};
use crate::project::edits::model::with_prompt;

/// State of this part.
#[derive(Debug, Default)]
pub(super) struct PromptPart {
    /// The text of a prompt of one's own as it is being typed, and the project's text that it began with.
    typed: Option<(String, String)>,
    form: ExampleForm,
}

/// How the example is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum ExampleForm {
    #[default]
    Tokens,
    Text,
}

/// A prompt to choose.
struct Choice {
    label: &'static str,
    help: &'static str,
    is: fn(&Prompt) -> bool,
    make: fn(&Prompt) -> Prompt,
}

const CHOICES: [Choice; 4] = [
    Choice {
        label: "Compact",
        help: "The codes alone, between signs with rows of their own; needs no tokenizer",
        is: |prompt| matches!(prompt, Prompt::Compact),
        make: |_| Prompt::Compact,
    },
    Choice {
        label: "Instruction",
        help: "The instruction of the released code, which is LC-Rec's",
        is: |prompt| matches!(prompt, Prompt::Instruction),
        make: |_| Prompt::Instruction,
    },
    Choice {
        label: "Paper",
        help: "As the paper states the task: the codes of the history, and nothing around them",
        is: |prompt| matches!(prompt, Prompt::Paper),
        make: |_| Prompt::Paper,
    },
    Choice {
        label: "Custom",
        help: "A text of your own, with {history} where the items stand",
        is: |prompt| matches!(prompt, Prompt::Custom(_)),
        make: |now| Prompt::Custom(now.text().map_or(INSTRUCTION, |(text, _)| text).to_owned()),
    },
];

impl PromptPart {
    pub(super) fn ui(&mut self, ui: &mut Ui, context: &mut Context<'_>, setup: Option<&Setup>) {
        let Self { typed, form } = self;
        beside(
            ui,
            context,
            |ui, context| widgets::card(ui, |ui| choice(ui, context, typed)),
            |ui, _| {
                if let Some(setup) = setup {
                    widgets::card(ui, |ui| example(ui, setup, form));
                }
            },
        );
    }
}

fn choice(ui: &mut Ui, context: &mut Context<'_>, typed: &mut Option<(String, String)>) {
    let project = context.session.project();
    let reads_text = project.base_model.path().is_some();
    widgets::section(ui, "Prompt");
    ui.horizontal_wrapped(|ui| {
        for choice in CHOICES {
            let (on, possible) = ((choice.is)(&project.prompt), reads_text || choice.label == "Compact");
            let button = ui.add_enabled(possible, Button::selectable(on, choice.label));
            let button = button.on_hover_text(choice.help);
            let button =
                button.on_disabled_hover_text("A compact base model reads no text: choose another base model first");
            if button.clicked() && !on {
                edit(context, with_prompt(project, (choice.make)(&project.prompt)), None);
            }
        }
    });
    if let Some(chosen) = CHOICES.iter().find(|choice| (choice.is)(&project.prompt)) {
        widgets::remark(ui, chosen.help);
    }
    if !reads_text {
        widgets::remark(ui, "A compact base model reads no text, so it has the compact prompt");
    }
    ui.add_space(space::XS);
    match &project.prompt {
        Prompt::Custom(text) => editor(ui, context, text, typed),
        Prompt::Instruction => {
            ui.add(egui::Label::new(RichText::new(INSTRUCTION).monospace()).wrap());
        }
        Prompt::Compact | Prompt::Paper => {}
    }
    if !matches!(project.prompt, Prompt::Custom(_)) {
        *typed = None;
    }
    ui.add_space(space::XS);
    settings_form::rows(ui, context, &["training.max_history"]);
}

/// The text as it is being typed. The project takes it whenever it says once where the history stands.
fn editor(ui: &mut Ui, context: &mut Context<'_>, text: &str, typed: &mut Option<(String, String)>) {
    // An undo, or another project's text, takes the place of what was typed.
    let (buffer, began) = match typed {
        Some((buffer, began)) if began == text => (buffer, began),
        other => {
            let (buffer, began) = other.insert((text.to_owned(), text.to_owned()));
            (buffer, began)
        }
    };
    let field =
        TextEdit::multiline(buffer).font(egui::TextStyle::Monospace).desired_rows(7).desired_width(f32::INFINITY);
    let field = ui.add(field);
    widgets::named(ui, &field, "Text of the prompt");
    let prompt = Prompt::Custom(buffer.clone());
    let tokens = theme::tokens(ui);
    match prompt.parts() {
        Ok(_) => {
            ui.label(RichText::new(format!("✓ {HISTORY} stands once")).small().color(tokens.success));
            if field.changed() {
                began.clone_from(buffer);
                edit(context, with_prompt(context.session.project(), prompt), Some(Key::Prompt));
            }
        }
        Err(problem) => {
            let words = format!("⚠ {}; the project keeps the text before", widgets::sentence(&problem));
            ui.label(RichText::new(words).small().color(tokens.error));
        }
    }
    if field.lost_focus() {
        context.actions.push(Action::EditDone);
    }
}

/// One example of the data.
fn example(ui: &mut Ui, setup: &Setup, form: &mut ExampleForm) {
    ui.horizontal_wrapped(|ui| {
        widgets::section(ui, "An example of the data");
        for (of, text, help) in [
            (ExampleForm::Tokens, "As tokens", "Token by token, as the model reads it"),
            (ExampleForm::Text, "As text", "As one text"),
        ] {
            ui.selectable_value(form, of, text).on_hover_text(help);
        }
    });
    let preview = match &setup.preview {
        Ok(preview) => preview,
        Err(error) => {
            ui.colored_label(theme::tokens(ui).warning, widgets::sentence(&error.to_string()));
            return;
        }
    };
    let count = |part: Part| preview.tokens.iter().filter(|token| token.part == part).count();
    let [text, history, response] = [count(Part::Text), count(Part::History), count(Part::Response)];
    ui.label(
        RichText::new(format!(
            "{}: {text} of the prompt, {history} of the history, {response} of the response",
            counted(preview.tokens.len(), "token"),
        ))
        .family(theme::semi_bold()),
    );
    match form {
        ExampleForm::Tokens => tokens(ui, preview),
        ExampleForm::Text => {
            ui.add(egui::Label::new(RichText::new(&preview.text).monospace()).wrap());
        }
    }
    chips::legend(
        ui,
        &[
            (ChipKind::Text(0), "prompt"),
            (ChipKind::Code, "history"),
            (ChipKind::Scored, "response, scored by loss and search"),
        ],
    );
    ui.add_space(space::XS);
    sharing(ui, setup, preview);
}

fn tokens(ui: &mut Ui, preview: &Preview) {
    chips::row(ui, |ui| {
        for (index, PreviewToken { number, text, part }) in preview.tokens.iter().enumerate() {
            let (kind, what) = match part {
                Part::Text => (ChipKind::Text(index), "Of the prompt"),
                Part::History => (ChipKind::Code, "Of the history"),
                Part::Response => (ChipKind::Scored, "Of the response: scored"),
            };
            let chip = chips::chip(ui, text, kind);
            chips::explain(chip, &[format!("Token {number}"), what.to_owned()]);
        }
    });
}

/// Whether the targets of a user share what is read before them.
fn sharing(ui: &mut Ui, setup: &Setup, preview: &Preview) {
    let Setup { targets, shared_targets, .. } = setup;
    let tokens = theme::tokens(ui);
    let alone = targets - shared_targets;
    let (mark, colour, words) = if alone == 0 {
        let words = format!("All {} training targets share their user's prefix exactly", grouped(*targets as u64));
        ("✓", tokens.success, words)
    } else {
        let words = format!(
            "{} of {} training targets share their user's prefix exactly, {} are read on their own",
            grouped(*shared_targets as u64),
            grouped(*targets as u64),
            grouped(alone as u64),
        );
        ("◐", tokens.warning, words)
    };
    ui.label(RichText::new(format!("{mark} {words}")).color(colour));
    widgets::remark(ui, &preview.sharing);
}
