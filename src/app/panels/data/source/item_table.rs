//! The file that says something of the items: titles, descriptions, categories.

use std::path::{Path, PathBuf};

use eframe::egui;
use egui::{Key, TextEdit, Ui};

use super::super::super::{Context, answered, failed, pending};
use super::{columns, rows};
use crate::app::action::Action;
use crate::app::dialogs::desktop;
use crate::app::dialogs::path::expand_home;
use crate::app::queries::Answer;
use crate::app::queries::data::{ItemTableProposal, SourcePreview};
use crate::app::theme::space;
use crate::app::widgets;
use crate::data::DatasetSource;
use crate::data::formats::options::{ItemTable, TableImport};
use crate::data::preview::Preview;
use crate::project::edits::data as edits;

/// The path as it is typed, and what is being looked at.
#[derive(Debug, Default)]
pub(super) struct ItemPicker {
    typed: Option<String>,
    wanted: Option<PathBuf>,
}

impl ItemPicker {
    /// Has a file looked at; the project takes it when its columns are known.
    pub(super) fn pick(&mut self, path: PathBuf) {
        (self.wanted, self.typed) = (Some(path), None);
    }

    /// Draws path and columns.
    pub(super) fn ui(&mut self, ui: &mut Ui, context: &mut Context<'_>) {
        let dataset = &context.session.project().dataset;
        let (current, table) = match dataset {
            DatasetSource::Table(table) => (table.items.as_ref().map(|items| &items.path), Some(table)),
            other => match other.import() {
                Some(import) => (import.items.as_ref(), None),
                None => return,
            },
        };
        ui.add_space(space::S);
        widgets::section(ui, "Items");
        self.path(ui, context, current.map(PathBuf::as_path));
        let Some(table) = table else {
            if let Some(path) = self.wanted.take() {
                super::edit(context, None, |project| edits::with_items(project, Some(path)));
            }
            let preview = context.session.queries.get(&SourcePreview::of(context.session.project()));
            if let Answer::Ready(Preview { items: Some(preview), .. }) = preview {
                rows::table(ui, preview, "first items");
            }
            return;
        };
        self.looked_at(ui, context, table);
        if let Some(items) = &table.items {
            of_table(ui, context, table, items);
        } else {
            widgets::remark(ui, "Without titles, lists show ids, and semantic ids cannot be made of words");
        }
    }

    fn path(&mut self, ui: &mut Ui, context: &mut Context<'_>, now: Option<&Path>) {
        let current = now.map(|path| path.display().to_string()).unwrap_or_default();
        ui.horizontal(|ui| {
            ui.label("Path");
            let text = self.typed.get_or_insert_with(|| current.clone());
            let width = (ui.available_width() - 156.0).clamp(120.0, 620.0);
            let hint = "Where titles and categories are, if not beside the interactions";
            let field = ui.add(TextEdit::singleline(text).hint_text(hint).desired_width(width));
            widgets::named(ui, &field, "Path of the items");
            let typed = text.trim().to_owned();
            let entered = field.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
            if (entered || field.lost_focus()) && typed != current {
                match typed.is_empty() {
                    true => super::edit(context, None, |project| edits::with_items(project, None)),
                    false => self.pick(context.session.project().folder.join(expand_home(&typed))),
                }
            }
            if !field.has_focus() {
                self.typed = None;
            }
            let choose = ui.button("File…").on_hover_text("Choose a file of items with the desktop's dialog");
            widgets::named(ui, &choose, "File of items…");
            if choose.clicked() {
                context.actions.push(Action::Browse(desktop::FileDialog::ItemFile));
            }
            if now.is_some() && ui.button("Remove").on_hover_text("Read no such file").clicked() {
                super::edit(context, None, |project| edits::with_items(project, None));
            }
        });
    }

    /// What the columns of a table of items are taken for.
    fn looked_at(&mut self, ui: &mut Ui, context: &mut Context<'_>, table: &TableImport) {
        let Some(path) = &self.wanted else { return };
        let folder = context.session.project().folder.clone();
        let query = ItemTableProposal { path: path.clone(), header: table.header, folder };
        match context.session.queries.get(&query) {
            Answer::Ready(items) => {
                let items = items.clone();
                super::edit(context, None, |project| edits::with_item_table(project, items));
                self.wanted = None;
            }
            Answer::Pending => pending(ui, context, "Looking at what it is", &query),
            Answer::Failed(error) => {
                failed(ui, context, error, &query);
                if ui.button("Leave the items as they are").clicked() {
                    self.wanted = None;
                }
            }
            Answer::Cancelled => self.wanted = None,
        }
    }
}

/// The columns of a table of items with its first rows.
fn of_table(ui: &mut Ui, context: &mut Context<'_>, table: &TableImport, items: &ItemTable) {
    let query = SourcePreview::of(context.session.project());
    if matches!(context.session.queries.get(&query), Answer::Failed(_)) {
        // It is said above why nothing can be shown.
        return;
    }
    let Some(preview) = answered(ui, context, &query, "Looking at the items") else { return };
    let Some(preview) = &preview.items else { return };
    let mut new = items.clone();
    ui.horizontal_wrapped(|ui| {
        columns::required(ui, "Id", &mut new.id, &preview.columns);
        columns::optional(ui, "Title", &mut new.title, &preview.columns);
        columns::optional(ui, "Description", &mut new.description, &preview.columns);
        columns::optional(ui, "Categories", &mut new.categories, &preview.columns);
    });
    rows::table(ui, preview, "first items");
    if new != *items {
        let table = TableImport { items: Some(new), ..table.clone() };
        super::edit(context, None, |project| edits::with_source(project, DatasetSource::Table(table)));
    }
}
