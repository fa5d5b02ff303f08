//! What can be done with a row, or with the selection that it is a part of.

use std::collections::BTreeSet;

use eframe::egui;
use egui::{Button, Ui};

use super::arrange::Line;
use super::command_line;
use crate::app::action::Action;
use crate::app::panels::Context;
use crate::app::session::{Origin, Row};
use crate::app::widgets;
use crate::project::file::to_ron;
use crate::run::marks::{Mark, MarkChange};

/// Draws the menu of a row; `lines` are those of the table.
pub(super) fn ui(ui: &mut Ui, row: &Row, lines: &[Line], context: &mut Context<'_>) {
    let session = context.session;
    let selection = session.selected.len() > 1 && session.selected.contains(&row.id);
    let rows: Vec<&Row> = match selection {
        true => session.all_rows().filter(|other| session.selected.contains(&other.id)).collect(),
        false => vec![row],
    };
    let ids = || rows.iter().map(|row| row.id.clone()).collect::<Vec<_>>();
    if selection {
        widgets::remark(ui, widgets::counted(rows.len(), "selected run"));
    }
    let mut entry = |ui: &mut Ui, text: &str, possible: bool, obstacle: &str, action: Action| {
        if ui.add_enabled(possible, Button::new(text)).on_disabled_hover_text(obstacle).clicked() {
            context.actions.push(action);
        }
    };
    let some = |can: fn(&Row) -> bool| rows.iter().any(|row| can(row));
    entry(ui, "Run", some(Row::can_run), "It is finished, under way or not read yet", Action::Run(ids()));
    entry(ui, "Pause", some(Row::can_pause), "It is not running", Action::Pause(ids()));
    entry(ui, "Resume", some(Row::can_resume), "It is not paused or stopped", Action::Resume(ids()));
    entry(ui, "Stop", some(Row::can_stop), "It is neither running nor queued", Action::Stop(ids()));
    ui.separator();
    let all = |marked: fn(&Mark) -> bool| rows.iter().all(|row| marked(session.marks.of(&row.id)));
    let (pinned, archived) = (all(|mark| mark.pinned), all(|mark| mark.archived));
    let pin = if pinned { "Unpin" } else { "Pin to the top" };
    entry(ui, pin, true, "", Action::Mark(MarkChange::Pin(!pinned), ids()));
    entry(ui, "Tags and note…", true, "", Action::EditMarks(ids()));
    let archive = if archived { "Take out of the archive" } else { "Archive" };
    entry(ui, archive, true, "", Action::Mark(MarkChange::Archive(!archived), ids()));
    let there = rows.iter().any(|row| row.run.is_some())
        && !rows.iter().any(|row| row.run.as_ref().is_some_and(|run| run.is_active()));
    let obstacle = "It has no folder yet, or a worker is training it";
    entry(ui, "Delete", there, obstacle, Action::DeleteRuns(ids()));
    ui.separator();
    copies(ui, row, context);
    ui.separator();
    let shown: BTreeSet<&str> = shown_ids(lines, context).collect();
    if ui.button(format!("Select all {} shown", widgets::grouped(shown.len() as u64))).clicked() {
        context.actions.push(Action::SelectThese(shown.into_iter().map(str::to_owned).collect()));
    }
}

/// The ids of the rows in the table, those of folded groups too.
fn shown_ids<'a>(lines: &'a [Line], context: &'a Context<'_>) -> impl Iterator<Item = &'a str> {
    let indices = lines.iter().flat_map(|line| match line {
        Line::Row(index) => std::slice::from_ref(index),
        Line::Group(group) => group.rows.as_slice(),
    });
    indices.filter_map(|&index| Some(context.session.row(index)?.id.as_str()))
}

/// What can be put on the clipboard of one run.
fn copies(ui: &mut Ui, row: &Row, context: &Context<'_>) {
    let mut copy = |words: &str, text: Option<String>, obstacle: &str| {
        let button = ui.add_enabled(text.is_some(), Button::new(words)).on_disabled_hover_text(obstacle);
        if let (true, Some(text)) = (button.clicked(), text) {
            ui.copy_text(text);
        }
    };
    let run = row.run.as_ref();
    // Only what serde cannot write has no text, and the configuration was read from one.
    let ron = run.and_then(|run| to_ron(run.config.as_ref(), &run.folder).ok());
    copy("Copy as RON", ron, "It was not started yet: its configuration is frozen then");
    let planned = row.origin == Origin::Planned;
    let line = planned.then(|| command_line::of(&context.session.file, &row.key));
    copy("Copy command line", line, "The project asks for no such run any more");
    copy("Copy folder path", run.map(|run| run.folder.display().to_string()), "It has no folder yet");
}
