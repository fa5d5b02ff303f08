//! Which columns of a table are what, and how its lines are taken apart.

use eframe::egui;
use egui::Ui;

use super::super::super::{Context, choice};
use crate::app::theme::space;
use crate::app::widgets;
use crate::data::DatasetSource;
use crate::data::formats::options::TableImport;
use crate::data::formats::{column_index, column_name};
use crate::data::preview::Preview;
use crate::project::edits::data::with_source;

/// What stands between columns, as a user chooses it.
const SEPARATORS: [(Option<char>, &str); 5] =
    [(None, "As found"), (Some(','), "Comma"), (Some(';'), "Semicolon"), (Some('\t'), "Tab"), (Some('|'), "Bar |")];

/// Draws the columns; the preview below follows.
pub(super) fn ui(ui: &mut Ui, context: &mut Context<'_>, table: &TableImport, preview: &Preview) {
    let Some(rows) = &preview.rows else { return };
    let mut new = table.clone();
    widgets::section(ui, "Columns");
    ui.horizontal_wrapped(|ui| {
        let columns = &rows.columns;
        required(ui, "User", &mut new.columns.user, columns);
        required(ui, "Item", &mut new.columns.item, columns);
        optional(ui, "Time", &mut new.columns.time, columns);
        if preview.delimited && new.columns.time.is_some() {
            optional(ui, "Time of day", &mut new.columns.clock, columns);
        }
        optional(ui, "Rating", &mut new.columns.rating, columns);
    });
    if preview.delimited {
        ui.horizontal_wrapped(|ui| {
            let header = ui.checkbox(&mut new.header, "The first line names the columns");
            if header.changed() && !new.header {
                numbered(&mut new, &rows.columns);
            }
            let mut separators: Vec<(Option<char>, String)> =
                SEPARATORS.iter().map(|(separator, words)| (*separator, (*words).to_owned())).collect();
            if !separators.iter().any(|(separator, _)| *separator == table.separator) {
                separators.extend(table.separator.map(|other| (Some(other), other.to_string())));
            }
            choice(ui, ("Separator", 110.0), &mut new.separator, &separators);
        });
    }
    if new != *table {
        let timed = new.columns.time.is_some();
        if !timed {
            new.columns.clock = None;
        }
        new.prepare = new.prepare.fitted(timed);
        super::edit(context, None, |project| with_source(project, DatasetSource::Table(new)));
    }
    ui.add_space(space::XS);
}

/// Columns by their numbers, for a table that is to have no names.
fn numbered(table: &mut TableImport, columns: &[String]) {
    let number = |name: &mut String| {
        if let Some(index) = column_index(columns, name) {
            *name = format!("#{}", index + 1);
        }
    };
    let names = &mut table.columns;
    let optional = [names.time.as_mut(), names.clock.as_mut(), names.rating.as_mut()];
    [&mut names.user, &mut names.item].into_iter().chain(optional.into_iter().flatten()).for_each(number);
}

/// A column that must be chosen.
pub(super) fn required(ui: &mut Ui, label: &str, name: &mut String, columns: &[String]) {
    let now = column_index(columns, name);
    let mut index = now;
    let options = (0..columns.len()).map(|index| (Some(index), columns[index].clone()));
    choice(ui, (label, WIDTH), &mut index, &options.collect::<Vec<_>>());
    if let Some(index) = index.filter(|_| index != now) {
        *name = column_name(columns, index);
    }
}

/// A column that there may be.
pub(super) fn optional(ui: &mut Ui, label: &str, name: &mut Option<String>, columns: &[String]) {
    let now = name.as_ref().and_then(|name| column_index(columns, name));
    let mut index = now;
    let none = [(None, "None".to_owned())];
    let options = none.into_iter().chain((0..columns.len()).map(|index| (Some(index), columns[index].clone())));
    choice(ui, (label, WIDTH), &mut index, &options.collect::<Vec<_>>());
    if index != now {
        *name = index.map(|index| column_name(columns, index));
    }
}

/// Width of the list of columns.
const WIDTH: f32 = 130.0;
