//! A text tried on the model's tokenizer, and the tokens that the dataset adds.

use std::sync::Arc;

use eframe::egui;
use egui::{RichText, TextEdit, Ui};

use super::chips::{self, ChipKind};
use super::{pending, problem};
use crate::app::action::Action;
use crate::app::panels::Context;
use crate::app::queries::Answer;
use crate::app::queries::model::TokenizerTrial;
use crate::app::theme::{self, space};
use crate::app::widgets::{self, counted, grouped};
use crate::budget::setup::Setup;
use crate::error::InputError;
use crate::model::inspect::ModelSummary;
use crate::model::tokenizer::{Piece, TokenizerSummary, Trial};

/// State of the card.
#[derive(Debug)]
pub(super) struct TokensCard {
    text: String,
    /// The pieces of a text by a tokenizer: made when either changes.
    tried: Option<Tried>,
}

#[derive(Debug)]
struct Tried {
    query: TokenizerTrial,
    text: String,
    pieces: Result<Vec<Piece>, InputError>,
}

impl Default for TokensCard {
    fn default() -> Self {
        Self { text: "The user has interacted with items <a_1><b_2><c_3>".to_owned(), tried: None }
    }
}

/// Characters that can be tried, and chips that are drawn: enough for any prompt.
const LONGEST: usize = 4000;
const MAX_CHIPS: usize = 600;

impl TokensCard {
    pub(super) fn ui(
        &mut self,
        ui: &mut Ui,
        context: &mut Context<'_>,
        summary: Option<&ModelSummary>,
        setup: Option<&Setup>,
    ) {
        let project = context.session.project();
        widgets::card(ui, |ui| match project.base_model.path() {
            None => {
                widgets::section(ui, "Tokens");
                ui.label(
                    "A compact model has no text tokenizer: its tokens are the codes of semantic ids, and three signs",
                );
                widgets::remark(
                    ui,
                    "A history is its items' codes one after another; the answer is the codes of the next item",
                );
                if let Some(setup) = setup {
                    signs(ui, setup);
                }
            }
            Some(path) => {
                widgets::section(ui, "Tokenizer");
                match summary {
                    None => _ = widgets::remark(ui, "Appears when the model's headers are read"),
                    Some(ModelSummary { tokenizer: Some(tokenizer), .. }) => {
                        let (added, base) =
                            setup.map_or_else(Default::default, |s| (Arc::clone(&s.added), s.base_tokens));
                        let query = TokenizerTrial { path: project.folder.join(path), added, base };
                        facts(ui, tokenizer);
                        self.tried(ui, context, &query);
                    }
                    Some(ModelSummary { tokenizer_problem, .. }) => {
                        let reason = tokenizer_problem.as_deref().unwrap_or("it has none");
                        let warning = theme::tokens(ui).warning;
                        ui.colored_label(warning, format!("No tokenizer, so the prompt can only be Compact: {reason}"));
                    }
                }
            }
        });
        if let Some(setup) = setup.filter(|setup| !setup.added.is_empty()) {
            ui.add_space(space::S);
            widgets::card(ui, |ui| added(ui, setup));
        }
    }

    /// The text field, and the text's tokens as chips.
    fn tried(&mut self, ui: &mut Ui, context: &mut Context<'_>, query: &TokenizerTrial) {
        let field = TextEdit::multiline(&mut self.text)
            .hint_text("Type a text to see its tokens")
            .desired_rows(2)
            .char_limit(LONGEST)
            .desired_width(f32::INFINITY);
        let field = ui.add(field);
        widgets::named(ui, &field, "Text to cut into tokens");
        match context.session.queries.get(query) {
            Answer::Ready(trial) => match self.pieces(query, trial) {
                Ok(pieces) => chips_of(ui, pieces),
                Err(error) => _ = ui.colored_label(theme::tokens(ui).error, widgets::sentence(&error.problem)),
            },
            Answer::Failed(error) => problem(ui, context, "The tokenizer cannot be used", error, query),
            Answer::Pending | Answer::Cancelled => {
                context.actions.push(Action::compute(query));
                pending(ui, "Reading the tokenizer");
            }
        }
    }

    fn pieces(&mut self, query: &TokenizerTrial, trial: &Trial) -> &Result<Vec<Piece>, InputError> {
        let known = self.tried.take().filter(|tried| tried.text == self.text && tried.query == *query);
        let make = || Tried { query: query.clone(), text: self.text.clone(), pieces: trial.pieces(&self.text) };
        &self.tried.insert(known.unwrap_or_else(make)).pieces
    }
}

fn facts(ui: &mut Ui, tokenizer: &TokenizerSummary) {
    let beginning =
        tokenizer.beginning.as_ref().map_or_else(String::new, |token| format!("; texts begin with {token}"));
    let words = format!(
        "{} with {} tokens, {} of them special{beginning}",
        tokenizer.model,
        grouped(tokenizer.tokens as u64),
        tokenizer.special.len(),
    );
    widgets::remark(ui, words).on_hover_text(tokenizer.special.join("  "));
}

fn chips_of(ui: &mut Ui, pieces: &[Piece]) {
    let added = pieces.iter().filter(|piece| piece.added).count();
    let of_data = if added > 0 { format!(", {added} of them added for the dataset") } else { String::new() };
    ui.label(RichText::new(format!("{}{of_data}", counted(pieces.len(), "token"))).family(theme::semi_bold()));
    chips::row(ui, |ui| {
        for (index, piece) in pieces.iter().take(MAX_CHIPS).enumerate() {
            let kind = if piece.added { ChipKind::Code } else { ChipKind::Text(index) };
            let chip = chips::chip(ui, &piece.text, kind);
            chips::explain(
                chip,
                &[format!("Token {}", piece.number), format!("Bytes {}", chips::bytes_words(&piece.bytes))],
            );
        }
    });
    if pieces.len() > MAX_CHIPS {
        widgets::remark(ui, format!("The first {MAX_CHIPS} are shown"));
    }
    // The numbers themselves, for those who copy them.
    let numbers: Vec<String> = pieces.iter().take(MAX_CHIPS).map(|piece| piece.number.to_string()).collect();
    let numbers = RichText::new(numbers.join(" ")).monospace().small().color(theme::tokens(ui).muted);
    ui.add(egui::Label::new(numbers).wrap());
}

/// The compact prompt's own tokens.
fn signs(ui: &mut Ui, setup: &Setup) {
    let meanings = ["begins a history", "ends an item", "asks for the next item"];
    for ((token, meaning), number) in setup.added.iter().zip(meanings).zip(setup.base_tokens..) {
        ui.horizontal(|ui| {
            chips::chip(ui, token, ChipKind::Text(0));
            widgets::remark(ui, format!("token {number}, {meaning}"));
        });
    }
}

/// The tokens that the dataset adds: how many, the first and the last.
fn added(ui: &mut Ui, setup: &Setup) {
    let Setup { added, base_tokens, .. } = setup;
    widgets::section(ui, "Added for semantic ids");
    ui.label(format!("{}, each with a row of its own in embedding and head", counted(added.len(), "token")));
    let is_code = |token: &&String| !token.starts_with("<|");
    let codes = added.iter().zip(*base_tokens..).filter(|(token, _)| is_code(token));
    let ends = [codes.clone().next(), codes.last()];
    ui.horizontal_wrapped(|ui| {
        for ((token, number), word) in ends.into_iter().flatten().zip(["First", "last"]) {
            widgets::remark(ui, word);
            let chip = chips::chip(ui, token, ChipKind::Code);
            chips::explain(chip, &[format!("Token {number}")]);
            widgets::remark(ui, format!("= {number}"));
        }
    });
    if *base_tokens > 0 {
        widgets::remark(ui, format!("The base model's own are tokens 0 to {}", base_tokens - 1));
    }
}
