//! The field that the filter is typed into, with what it may become, what is wrong with it, and help.

use std::collections::BTreeSet;
use std::sync::Arc;

use eframe::egui;
use egui::{Key, Modifiers, Popup, PopupCloseBehavior, RichText, TextEdit, Ui};

use super::arrange::{IS, KEYS, metric_key, status_word};
use super::chooser;
use super::complete::{Completion, Vocabulary, completions};
use super::filter::{Filter, Misunderstanding, parse};
use crate::app::session::Session;
use crate::app::theme;
use crate::app::widgets;

/// Width of the field, where there is room for it.
const WIDTH: f32 = 220.0;

/// State of the field.
#[derive(Debug)]
pub(super) struct FilterField {
    text: String,
    vocabulary: Vocabulary,
    /// What the vocabulary was made of.
    of: Option<(usize, bool, usize)>,
    /// What was understood last: a filter that is being typed does not make all rows come and go.
    filter: Filter,
    problem: Option<Misunderstanding>,
    /// Whether words were suggested in the last frame: the Tab key then takes one, and else goes to the next widget.
    suggests: bool,
}

impl Default for FilterField {
    fn default() -> Self {
        Self {
            text: String::new(),
            vocabulary: Vocabulary::default(),
            of: None,
            filter: Filter::All(Vec::new()),
            problem: None,
            suggests: false,
        }
    }
}

impl FilterField {
    pub(super) const fn filter(&self) -> &Filter {
        &self.filter
    }

    /// Filters for the runs of these experiments alone.
    pub(super) fn show_experiments(&mut self, names: &[String]) {
        // A name with a quote in it cannot be written in quotes; its own words then have to do.
        let term = |name: &String| format!("experiment=\"{}\"", name.replace('"', ""));
        self.text = names.iter().map(term).collect::<Vec<_>>().join(" or ");
        self.of = None;
    }

    pub(super) fn ui(&mut self, ui: &mut Ui, session: &Session) {
        if self.renew(session) {
            self.understand();
        }
        let help = ui.button("?").on_hover_text("What the filter understands");
        help.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, "Help on the filter"));
        Popup::menu(&help).close_behavior(PopupCloseBehavior::CloseOnClickOutside).show(help_ui);
        let mut field = TextEdit::singleline(&mut self.text)
            .hint_text("Filter: method:peso seed:42")
            .desired_width((ui.available_width() * 0.5).clamp(100.0, WIDTH));
        if self.problem.is_some() {
            field = field.text_color(theme::tokens(ui).error);
        }
        let output = field.lock_focus(self.suggests).show(ui);
        let field = output.response.response;
        widgets::named(ui, &field, "Filter runs");
        if field.changed() {
            self.understand();
        }
        let suggestions = if field.has_focus() { completions(&self.text, &self.vocabulary) } else { Vec::new() };
        self.suggests = !suggestions.is_empty();
        if let Some(chosen) = suggestions_ui(ui, &field, &suggestions) {
            self.text = chosen.text;
            self.understand();
            let mut state = output.state;
            let end = egui::text::CCursor::new(self.text.chars().count());
            state.cursor.set_char_range(Some(egui::text::CCursorRange::one(end)));
            state.store(ui.ctx(), field.id);
            field.request_focus();
        }
    }

    /// Says what cannot be understood, if anything: in a line that is there anyway, so that no row moves while one types.
    pub(super) fn problem_ui(&self, ui: &mut Ui) -> bool {
        let Some(Misunderstanding(problem)) = &self.problem else { return false };
        let problem = widgets::sentence(problem);
        let words = RichText::new(&problem).color(theme::tokens(ui).error);
        ui.add(egui::Label::new(words).truncate()).on_hover_text(problem);
        true
    }

    fn understand(&mut self) {
        match parse(&self.text, &self.vocabulary.keys) {
            Ok(filter) => (self.filter, self.problem) = (filter, None),
            Err(problem) => self.problem = Some(problem),
        }
    }

    /// Takes up the keys and values that there are now; whether these are others than before.
    fn renew(&mut self, session: &Session) -> bool {
        let of = Some((session.all_rows().count(), session.reading.is_some(), session.marks.tags().len()));
        if self.of == of {
            return false;
        }
        self.of = of;
        let mut keys: BTreeSet<String> = KEYS.map(str::to_owned).into();
        keys.extend(chooser::metrics(session).iter().map(|metric| metric_key(metric)));
        let mut names: BTreeSet<&str> = BTreeSet::new();
        // Runs of one experiment that are planned share theirs.
        let mut seen = BTreeSet::new();
        for row in session.all_rows().filter(|row| seen.insert(Arc::as_ptr(&row.settings))) {
            names.extend(row.settings.keys().map(String::as_str));
        }
        keys.extend(names.into_iter().map(str::to_owned));
        let words = |words: &mut dyn Iterator<Item = &str>| words.map(str::to_owned).collect::<BTreeSet<_>>();
        let rows = || session.all_rows();
        let values = vec![
            ("method", words(&mut rows().map(|row| row.method.key()))),
            ("experiment", words(&mut rows().map(|row| row.key.experiment.as_str()))),
            ("status", words(&mut rows().map(status_word))),
            ("tag", words(&mut session.marks.tags().into_iter())),
            ("is", words(&mut IS.into_iter())),
        ];
        self.vocabulary = Vocabulary { keys, values };
        true
    }
}

/// The words that the last one may become, below the field; the one that is chosen by a click, or the first by the Tab key.
fn suggestions_ui(ui: &Ui, field: &egui::Response, suggestions: &[Completion]) -> Option<Completion> {
    let first = suggestions.first()?;
    if ui.input_mut(|input| input.consume_key(Modifiers::NONE, Key::Tab)) {
        return Some(first.clone());
    }
    let popup = Popup::from_response(field).id(field.id.with("suggestions")).open(true);
    let popup = popup
        .close_behavior(PopupCloseBehavior::IgnoreClicks)
        .layout(egui::Layout::top_down_justified(egui::Align::Min));
    let shown = popup.show(|ui| {
        ui.set_min_width(140.0);
        let mut chosen = None;
        for suggestion in suggestions {
            if ui.selectable_label(suggestion == first, &suggestion.word).clicked() {
                chosen = Some(suggestion.clone());
            }
        }
        widgets::remark(ui, "Tab takes the first");
        chosen
    });
    shown.and_then(|shown| shown.inner)
}

/// What can be asked, and what it means.
const EXAMPLES: [(&str, &str); 9] = [
    ("drift", "the word occurs in experiment, method, status, tags or note"),
    ("method:peso seed:1,2", "both hold; one of several values"),
    ("ndcg@10>0.02", "a metric as the table shows it; ndcg@10_released is the released count"),
    ("lambda>=20", "any option of method, training, model or data by its name"),
    ("tag:paper note:\"to be checked\"", "your own words; quotes hold several together"),
    ("-status:failed", "not these"),
    ("seed:1 or (seed:2 stage:3)", "one or the other; a run that is at stage 3 or ended there"),
    ("time>600 memory>1024", "seconds of training and tests; MiB"),
    ("is:archived", "also archived runs; is: pinned, planned, baseline, earlier"),
];

fn help_ui(ui: &mut Ui) {
    ui.set_max_width(520.0);
    widgets::section(ui, "What the filter understands");
    egui::Grid::new("help on the filter").num_columns(2).spacing([16.0, 4.0]).show(ui, |ui| {
        for (example, meaning) in EXAMPLES {
            ui.monospace(example);
            widgets::remark(ui, meaning);
            ui.end_row();
        }
    });
    widgets::remark(ui, "Comparisons are : for “has”, = and != for the whole text, and < <= > >= for numbers");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_example_of_the_help_is_understood() {
        let mut keys: BTreeSet<String> = KEYS.map(str::to_owned).into();
        keys.extend(["ndcg@10", "lambda"].map(str::to_owned));
        for (example, _) in EXAMPLES {
            assert!(parse(example, &keys).is_ok(), "{example}");
        }
    }
}
