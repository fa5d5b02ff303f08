//! Single users: what they did, what they went for, and what every method recommended before and after a stage.

mod list;
mod lists;
mod own;

use std::sync::Arc;

use eframe::egui;
use egui::{KeyboardShortcut, Modifiers, ScrollArea, Ui, Vec2};

use self::list::{UserList, stage_choice};
use self::own::{Asked, OwnHistory};
use super::view::{Home, ViewSpec};
use super::{Context, Panel, answered, explanation, measured_runs, protocol_choice, protocol_of, run_label};
use crate::app::command::READ_ONLY;
use crate::app::queries::RunStamp;
use crate::app::queries::data::ProjectData;
use crate::app::queries::predictions::Recommendations;
use crate::app::theme::{self, space};
use crate::app::watch::RunView;
use crate::app::widgets;
use crate::data::{Dataset, Protocol};
use crate::figures::recommendations::{TestOf, recommendations};
use crate::measure::UserMetric;
use crate::plot::Chart;
use crate::results::churn::StageTests;

/// The view.
pub(crate) static VIEW: ViewSpec = ViewSpec {
    key: "Users",
    title: "Users",
    command: "Show users",
    tooltip: "One user's history, the truth, and what every method recommends",
    shortcut: Some(KeyboardShortcut::new(Modifiers::COMMAND, egui::Key::Num9)),
    home: Home::Charts,
};

/// State of the panel.
#[derive(Debug, Default)]
pub(crate) struct UsersPanel {
    /// The project's usual one until the user chooses.
    protocol: Option<Protocol>,
    list: UserList,
    lists: lists::Lists,
    /// Whether a made-up history is shown instead of the test users.
    made_up: bool,
    own: OwnHistory,
}

/// What is known of the tests of a stage.
struct Known<'a> {
    dataset: &'a Dataset,
    tests: &'a StageTests,
    protocol: Protocol,
    /// Stage of the tests, from 1.
    stage: usize,
    /// The runs that answered, in the order of [`StageTests::answers`], and how each reads.
    runs: Vec<(&'a Arc<RunView>, String)>,
    /// Newest items of a history that a model reads.
    read: usize,
    /// The metric that users' gains are in, tie-corrected.
    metric: UserMetric,
}

impl Known<'_> {
    /// What was recommended to the user of a test, as a chart.
    fn chart(&self, test: usize, synthetic: bool) -> Chart {
        let Self { dataset, tests, protocol, stage, .. } = *self;
        let names: Vec<&str> = self.runs.iter().map(|(_, name)| name.as_str()).collect();
        recommendations(&TestOf { dataset, tests, protocol, stage, test }, &names, synthetic)
    }
}

/// What the lists are, for those who decide and do not compute.
const fn explained(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::SameBlock => {
            "What each method showed to one user after it learned from the stage, and what changed since the model before. ✓ is what the user really went for next; new has entered the top 10, ▲ and ▼ are places up and down, and what left it stands below."
        }
        Protocol::GlobalTime => {
            "What each method, trained up to the stage before, showed to one user just before the user's last choice in the stage, and what changed since the model before that. ✓ is what the user really went for next; new has entered the top 10, ▲ and ▼ are places up and down, and what left it stands below."
        }
        Protocol::NextBlock => {
            "What each method, trained up to the stage before, showed to one user as the stage began, and what changed since the model before that. ✓ is what the user really went for next; new has entered the top 10, ▲ and ▼ are places up and down, and what left it stands below."
        }
    }
}

const EXPLAINED_OWN: &str = "What each method would show to somebody with this history, after a stage and after the one before. The lists are made as those of the test users are; a method that knows users takes this one for a new one";

/// The name of a user and what the user did before the newest test.
fn tested_history(dataset: &Dataset, protocol: Protocol, user: u32) -> Option<(&str, &[u32])> {
    let mut sequences = dataset.stages.iter().rev().flat_map(|stage| &stage.sequences);
    let test = sequences.find_map(|sequence| protocol.test(sequence).filter(|test| test.user == user))?;
    Some((dataset.users.get(user as usize)?, test.history))
}

const LIST_WIDTH: f32 = 250.0;

impl Panel for UsersPanel {
    fn ui(&mut self, ui: &mut Ui, context: &mut Context<'_>) {
        let session = context.session;
        let mut measured = measured_runs(session, 1);
        // Points of a sweep over generated data have other users.
        measured.retain(|run| run.config.project.dataset.has_options_of(&session.project().dataset));
        let Some(first) = measured.first() else {
            let advice = "Users appear here with what was recommended to them, as soon as the first stage of a run is tested. Press Run all to start";
            widgets::empty_state(ui, "Nothing was recommended yet", advice);
            return;
        };
        // Runs of other data speak of other users and items.
        let runs: Vec<&Arc<RunView>> =
            measured.iter().filter(|run| run.config.data_hash == first.config.data_hash).copied().collect();
        let finished = |run: &RunView| run.stages.iter().filter(|stage| stage.finished).count();
        let protocol = protocol_of(context, self.protocol);
        let answers = |run: &RunView, stage: usize| (1..=finished(run)).contains(&protocol.newest(stage));
        let stages = 1..=first.config.stages;
        let stages: Vec<usize> = stages.filter(|stage| runs.iter().any(|run| answers(run, *stage))).collect();
        let project = session.project();
        let obstacle = if project.read_only { Some(READ_ONLY) } else { None };
        self.made_up &= obstacle.is_none();
        ui.horizontal_wrapped(|ui| {
            ui.selectable_value(&mut self.made_up, false, "Test users");
            ui.add_enabled_ui(obstacle.is_none(), |ui| ui.selectable_value(&mut self.made_up, true, "Own history"))
                .inner
                .on_hover_text("Type a history and see what every method recommends to it")
                .on_disabled_hover_text(obstacle.unwrap_or_default());
            if !self.made_up {
                ui.separator();
                stage_choice(ui, context.selection, &stages);
                protocol_choice(ui, context, &mut self.protocol);
            }
        });
        if self.made_up {
            explanation(ui, EXPLAINED_OWN);
            if let Some(data) = answered(ui, context, &ProjectData::of(project), "Reading users and titles") {
                let dataset = &data.dataset;
                let selected = context.selection.user.and_then(|user| tested_history(dataset, protocol, user));
                self.own.ui(ui, context, &Asked { dataset, runs: &runs, selected });
            }
            return;
        }
        explanation(ui, explained(protocol));
        let stage = context.selection.stage(&stages);
        let tested: Vec<&Arc<RunView>> = runs.iter().filter(|run| answers(run, stage)).copied().collect();
        // What the tests of a stage say is not changed by the stages after the model that answers them.
        let newest = protocol.newest(stage);
        let stamps = tested.iter().map(|run| RunStamp::until(run, newest)).collect();
        let query = Recommendations { runs: stamps, protocol, stage };
        let data = answered(ui, context, &ProjectData::of(project), "Reading users and titles");
        let tests = answered(ui, context, &query, "Reading recommendations");
        if let (Some(data), Some(tests)) = (data, tests) {
            let run = |id: &str| tested.iter().find(|run| run.id == id).copied();
            let runs = tests.answers.iter().filter_map(|answers| run(&answers.run));
            let known = Known {
                dataset: &data.dataset,
                tests,
                protocol,
                stage,
                runs: runs.map(|run| (run, run_label(run, &tested))).collect(),
                read: project.training.max_history,
                metric: UserMetric::ndcg(project.evaluation.usual_cut_off()),
            };
            self.list_and_user(ui, context, &known, &query);
        }
    }
}

impl UsersPanel {
    fn list_and_user(&mut self, ui: &mut Ui, context: &mut Context<'_>, known: &Known<'_>, query: &Recommendations) {
        if known.tests.tests.iter().any(|(user, _)| *user as usize >= known.dataset.users.len()) {
            let advice =
                "The runs were made from other data than the project names now. Run them again to look at users";
            widgets::empty_state(ui, "These users are not in the dataset", advice);
            return;
        }
        let size = ui.available_size();
        ui.horizontal_top(|ui| {
            ui.allocate_ui(Vec2::new(LIST_WIDTH, size.y), |ui| {
                ui.set_width(LIST_WIDTH);
                ui.vertical(|ui| self.list.ui(ui, context.selection, known, query));
            });
            ui.vertical(|ui| {
                ui.set_min_size(Vec2::new(size.x - LIST_WIDTH - space::M, size.y));
                match self.list.selected(context.selection, known) {
                    Some(test) => {
                        theme::panel_frame(ui).show(ui, |ui| {
                            ScrollArea::both().id_salt("one user").auto_shrink(false).show(ui, |ui| {
                                self.lists.ui(ui, context, known, test);
                            });
                        });
                    }
                    None => {
                        let advice = "Choose a user on the left, or take filter and slice away";
                        widgets::empty_state(ui, "No user is chosen", advice);
                    }
                }
            });
        });
    }
}
