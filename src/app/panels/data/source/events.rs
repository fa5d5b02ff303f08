//! Which kinds of events are interactions, of data that have several.

use eframe::egui::{Checkbox, Ui};

use super::super::super::Context;
use crate::app::theme::space;
use crate::app::widgets;
use crate::data::formats::Events;
use crate::data::preview::Preview;
use crate::project::edits::data::with_events;

/// Draws a box for each kind, where the format has kinds.
pub(super) fn ui(ui: &mut Ui, context: &mut Context<'_>, preview: &Preview) {
    let Some(events) = preview.format.as_ref().and_then(|format| format.events()) else { return };
    let Some(import) = context.session.project().dataset.import() else { return };
    let now = counted(events, import.events.as_deref());
    let mut new = now.clone();
    widgets::section(ui, "Events that count as interactions");
    ui.horizontal_wrapped(|ui| {
        for (kind, counts) in events.kinds.iter().zip(&mut new) {
            let only = *counts && now.iter().filter(|counts| **counts).count() == 1;
            let tick = ui.add_enabled(!only, Checkbox::new(counts, format!("{} ({})", kind.name, kind.meaning)));
            tick.on_disabled_hover_text("At least one kind counts");
        }
    });
    if new != now {
        super::edit(context, None, |project| with_events(project, named(events, &new)));
    }
    ui.add_space(space::XS);
}

/// Of each kind, whether it counts under what a project says.
fn counted(events: &Events, named: Option<&[String]>) -> Vec<bool> {
    let counts = |kind: &str| match named {
        Some(named) => named.iter().any(|name| name == kind),
        None => events.usual.is_empty() || events.usual.contains(&kind),
    };
    events.kinds.iter().map(|kind| counts(kind.name)).collect()
}

/// What a project says where these kinds count; nothing where they are the usual ones.
fn named(events: &Events, counts: &[bool]) -> Option<Vec<String>> {
    let names = events.kinds.iter().zip(counts).filter(|(_, counts)| **counts);
    (counts != counted(events, None)).then(|| names.map(|(kind, _)| kind.name.to_owned()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::term::Term;

    #[test]
    fn kinds_are_named_where_they_are_not_the_usual_ones() {
        const KINDS: &[Term] = &[Term { name: "view", meaning: "looked at" }, Term { name: "buy", meaning: "bought" }];
        let some = Events { column: "event", usual: &["buy"], kinds: KINDS };
        assert_eq!(counted(&some, None), [false, true]);
        assert_eq!(named(&some, &[false, true]), None);
        assert_eq!(named(&some, &[true, true]), Some(vec!["view".to_owned(), "buy".to_owned()]));
        let all = Events { usual: &[], ..some };
        assert_eq!(counted(&all, None), [true, true]);
        assert_eq!(counted(&all, Some(&["view".to_owned()])), [true, false]);
        assert_eq!(named(&all, &[true, true]), None);
    }
}
