//! All that one user did, stage by stage, and what of it is trained, validated and tested on.

use std::sync::Arc;

use eframe::egui;
use egui::{Label, RichText, ScrollArea, Ui, Vec2};

use super::{LoadedData, item_card};
use crate::app::action::Action;
use crate::app::command::Command;
use crate::app::panels::view::View;
use crate::app::panels::{Context, measured_runs, users};
use crate::app::queries::data::ProjectData;
use crate::app::theme::{self, space};
use crate::app::widgets::{self, counted};
use crate::data::{Dataset, Sequence};

/// The history that is shown, as rows.
#[derive(Debug, Default)]
pub(super) struct History {
    made: Option<(Arc<ProjectData>, u32, Vec<Row>)>,
}

/// One line.
#[derive(Debug, Clone, PartialEq)]
enum Row {
    /// A stage (index from 0) with its number of interactions and whether the user takes part in it.
    Stage {
        stage: usize,
        interactions: usize,
        takes_part: bool,
    },
    Item {
        item: u32,
        role: Role,
        next_block: bool,
    },
}

/// What an interaction is used for (same-block protocol).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    /// The user has too few interactions in the stage: it is read as history later.
    History,
    Training,
    Validation,
    Test,
}

impl Role {
    const fn text(self) -> &'static str {
        match self {
            Self::History => "history only",
            Self::Training => "training",
            Self::Validation => "validation",
            Self::Test => "test",
        }
    }
}

const ROLE_WIDTH: f32 = 84.0;
const ROW: f32 = 22.0;

impl History {
    pub(super) fn ui(&mut self, ui: &mut Ui, context: &mut Context<'_>, loaded: &LoadedData<'_>, user: u32) {
        let report = loaded.report;
        let known = self.made.as_ref().is_some_and(|(query, of, _)| (query, *of) == (&loaded.query, user));
        if !known {
            self.made = Some((Arc::clone(&loaded.query), user, rows(&report.dataset, user)));
        }
        let Some((_, _, rows)) = &self.made else { return };
        ui.horizontal(|ui| {
            widgets::section(ui, &format!("User {}", report.dataset.users[user as usize]));
            let total = report.browse.users.total(user);
            widgets::remark(ui, counted(total as usize, "interaction"));
            recommendations(ui, context, loaded, user, rows);
        });
        widgets::remark(
            ui,
            "Oldest first. Roles are those of the same-block protocol; ◆ marks tests of the next-block protocol",
        );
        ui.add_space(space::XS);
        ScrollArea::vertical().id_salt("history").auto_shrink(false).show_rows(ui, ROW, rows.len(), |ui, range| {
            for row in &rows[range] {
                match row {
                    Row::Stage { stage, interactions, takes_part } => {
                        let group = report.browse.users.group(user, *stage).map_or("", |group| group.label());
                        stage_row(ui, (*stage, group), *interactions, *takes_part);
                    }
                    Row::Item { item, role, next_block } => item_row(ui, loaded, *item, *role, *next_block),
                }
            }
        });
    }
}

/// A user's interactions in the order of time, below the stages that they are in.
fn rows(dataset: &Dataset, user: u32) -> Vec<Row> {
    let mut rows = Vec::new();
    for (stage, known) in dataset.stages.iter().enumerate() {
        let Some(sequence) = known.sequences.iter().find(|sequence| sequence.user == user) else { continue };
        let interactions = sequence.items.len() - sequence.current_from;
        rows.push(Row::Stage { stage, interactions, takes_part: sequence.takes_part() });
        let asked = sequence.next_block_test().is_some();
        rows.extend((sequence.current_from..sequence.items.len()).map(|at| Row::Item {
            item: sequence.items[at],
            role: role(sequence, at),
            next_block: asked && at == sequence.current_from,
        }));
    }
    rows
}

/// What the interaction at a place of a sequence is used for.
fn role(sequence: &Sequence, at: usize) -> Role {
    match () {
        () if !sequence.takes_part() => Role::History,
        () if sequence.training_targets().contains(&at) => Role::Training,
        () if at + 1 == sequence.items.len() => Role::Test,
        () => Role::Validation,
    }
}

fn stage_row(ui: &mut Ui, (stage, group): (usize, &str), interactions: usize, takes_part: bool) {
    ui.horizontal(|ui| {
        ui.set_height(ROW);
        ui.label(RichText::new(format!("Stage {}", stage + 1)).family(theme::semi_bold()));
        widgets::pill(ui, group, theme::tokens(ui).accent);
        let few = if takes_part { "" } else { ", too few to take part" };
        widgets::remark(ui, format!("{}{few}", counted(interactions, "interaction")));
    });
}

fn item_row(ui: &mut Ui, loaded: &LoadedData<'_>, item: u32, role: Role, next_block: bool) {
    let tokens = theme::tokens(ui);
    let report = loaded.report;
    let known = &report.dataset.items[item as usize];
    ui.horizontal(|ui| {
        ui.set_height(ROW);
        ui.allocate_ui(Vec2::new(ROLE_WIDTH, ROW), |ui| {
            ui.set_width(ROLE_WIDTH);
            let colour = match role {
                Role::History | Role::Training => tokens.muted,
                Role::Validation => tokens.warning,
                Role::Test => tokens.success,
            };
            let mark = if next_block { " ◆" } else { "" };
            let response = ui.label(RichText::new(format!("{}{mark}", role.text())).small().color(colour));
            if next_block {
                response.on_hover_text("The next-block protocol asks models of earlier stages for this one");
            }
        });
        let codes = if report.missing_ids.is_some() { String::new() } else { item_card::codes(report, item, 0) };
        let room = (ui.available_width() - 190.0).max(120.0);
        ui.allocate_ui(Vec2::new(room, ROW), |ui| {
            ui.set_width(room);
            let name = known.title.as_deref().unwrap_or(&known.id);
            ui.add(Label::new(name).truncate()).on_hover_text(format!("{name}\nId {}", known.id));
        });
        ui.add(Label::new(RichText::new(codes).small().color(tokens.muted)).truncate());
    });
}

/// Offers what was recommended to the user, where runs of these data have tested them.
fn recommendations(ui: &mut Ui, context: &mut Context<'_>, loaded: &LoadedData<'_>, user: u32, rows: &[Row]) {
    let runs = measured_runs(context.session, 1);
    let of_these = runs.iter().filter(|run| run.config.data_hash == loaded.report.dataset.hash);
    let finished = of_these.map(|run| run.stages.iter().filter(|stage| stage.finished).count()).max();
    let Some(finished) = finished else { return };
    let mut tested = rows.iter().filter_map(|row| match row {
        Row::Stage { stage, takes_part: true, .. } if *stage < finished => Some(stage + 1),
        _ => None,
    });
    if let Some(stage) = tested.next_back()
        && ui.button("Show recommendations").on_hover_text("What every method recommended to this user").clicked()
    {
        (context.selection.user, context.selection.stage) = (Some(user), Some(stage));
        context.actions.push(Action::Command(Command::Show(View::of(&users::VIEW))));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_two_interactions_of_a_stage_are_validation_and_test() {
        let sequence = |items: &[u32], current_from| Sequence { user: 0, items: items.to_vec(), current_from };
        let roles = |sequence: &Sequence| -> Vec<Role> {
            (sequence.current_from..sequence.items.len()).map(|at| role(sequence, at)).collect()
        };
        let full = sequence(&[1, 2, 3, 4, 5, 6], 2);
        assert_eq!(roles(&full), [Role::Training, Role::Training, Role::Validation, Role::Test]);
        let places =
            |of: Role| full.items.iter().zip(2..).find(|(_, at)| role(&full, *at) == of).map(|(_, at)| full.items[at]);
        assert_eq!(places(Role::Test), full.test().map(|example| example.target));
        assert_eq!(places(Role::Validation), full.validation().map(|example| example.target));
        assert_eq!(roles(&sequence(&[1, 2, 3, 4], 2)), [Role::History; 2]);
    }
}
