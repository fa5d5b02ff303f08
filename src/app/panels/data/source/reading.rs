//! How values are read, where what was found is wrong: lists whose first entry leaves it to the values.

use eframe::egui::Ui;

use super::super::super::{Context, choice};
use crate::app::theme::space;
use crate::app::widgets;
use crate::data::formats::reading::{Encoding, Escape, Ids, TimesAs};
use crate::project::edits::data::with_source;

/// What a list says where the values tell.
const AS_FOUND: &str = "As found";

/// Draws the lists; those for text alone where the interactions are text in columns.
pub(super) fn ui(ui: &mut Ui, context: &mut Context<'_>, delimited: bool) {
    let source = &context.session.project().dataset;
    let Some(now) = source.reading() else { return };
    let mut new = now;
    ui.horizontal_wrapped(|ui| {
        let times = TimesAs::ALL.map(|times| (Some(times), widgets::sentence(times.words())));
        choice(ui, ("Times", 190.0), &mut new.times, &with_none(times));
        let ids = [Ids::Cleaned, Ids::AsWritten].map(|ids| (ids, ids.words().to_owned()));
        choice(ui, ("Ids", 110.0), &mut new.ids, &ids)
            .on_hover_text("Cleaned: NA, NULL, nan and their like are missing. As written: every text is an id");
        if delimited {
            let encodings = [(Encoding::Utf8, "UTF-8 alone"), (Encoding::Latin1, "ISO-8859-1")];
            let encodings = encodings.map(|(encoding, words)| (Some(encoding), words.to_owned()));
            choice(ui, ("Encoding", 120.0), &mut new.encoding, &with_none(encodings));
            let escapes = [(Escape::Doubled, "\"\""), (Escape::Backslash, "\\\"")];
            let escapes = escapes.map(|(escape, words)| (Some(escape), words.to_owned()));
            choice(ui, ("Quote in quotes", 90.0), &mut new.escape, &with_none(escapes));
        }
    });
    if new != now {
        super::edit(context, None, |project| with_source(project, project.dataset.clone().with_reading(new)));
    }
    ui.add_space(space::XS);
}

fn with_none<T>(options: impl IntoIterator<Item = (Option<T>, String)>) -> Vec<(Option<T>, String)> {
    std::iter::once((None, AS_FOUND.to_owned())).chain(options).collect()
}
