//! What is looked at: run, stage, what is beside it, module, side, and what a tab asks for of its own.

use std::sync::Arc;

use eframe::egui;
use egui::{Button, Ui};

use super::ranks::RankChart;
use super::tabs::Tab;
use super::{ComparedWith, Reported, SubspacePanel, choice, run_label};
use crate::app::panels::selection::Selection;
use crate::app::watch::RunView;
use crate::figures::adapters::{Reference, module_words, side_words};
use crate::figures::drift_map::DriftMapValue;
use crate::figures::retention::Movers;
use crate::figures::rounds::RoundsChart;
use crate::subspace::Side;

impl SubspacePanel {
    pub(super) fn choices(
        &mut self,
        ui: &mut Ui,
        selection: &mut Selection,
        runs: &[&Arc<RunView>],
        one: Reported<'_>,
    ) {
        ui.horizontal_wrapped(|ui| {
            if !matches!(self.tab, Tab::Distances | Tab::Rounds) {
                let options: Vec<_> = runs.iter().map(|run| (run.id.clone(), run_label(run, runs))).collect();
                let mut id = one.run.id.clone();
                if choice(ui, ("Run", 170.0), &mut id, &options).changed() {
                    selection.run = Some(id);
                }
                if !matches!(self.tab, Tab::River | Tab::Space | Tab::Ranks) {
                    let stages: Vec<_> = one.report.stages.iter().map(|&stage| (stage, stage.to_string())).collect();
                    stage_choice(ui, selection, one, &stages);
                }
                let alone = [Tab::Clients, Tab::Retention, Tab::Conflicts, Tab::Meaning, Tab::Ranks, Tab::Steer];
                if !alone.contains(&self.tab) {
                    self.beside_choice(ui, runs, one);
                }
            }
            if self.tab.of_a_module() {
                let modules = one.report.modules.iter();
                let modules: Vec<_> = modules.map(|module| (module.name.clone(), module_words(module))).collect();
                let mut module = one.module.to_owned();
                if choice(ui, ("Module", 120.0), &mut module, &modules).changed() {
                    selection.module = Some(module);
                }
            }
            if self.tab.of_a_side() {
                let sides = [Side::Left, Side::Right].map(|side| (side, side_words(side).to_owned()));
                let mut side = one.side;
                choice(ui, ("Side", 130.0), &mut side, &sides).on_hover_text(
                    "An update of a weight reads its input along some directions and writes along others",
                );
                selection.side = side;
            }
            match self.tab {
                Tab::Map => {
                    let all = DriftMapValue::ALL.map(|mapped| (mapped, mapped.label().to_owned()));
                    choice(ui, ("Colour", 190.0), &mut self.mapped, &all).on_hover_text(self.mapped.meaning());
                }
                Tab::Angles | Tab::Distances => {
                    let all = Reference::ALL.map(|against| (against, against.label().to_owned()));
                    choice(ui, ("Against", 130.0), &mut self.against, &all);
                }
                Tab::Retention => {
                    let all = Movers::ALL.map(|movers| (movers, movers.label().to_owned()));
                    choice(ui, ("Directions", 210.0), &mut self.movers, &all)
                        .on_hover_text("Along a direction that hardly moved, what was kept is mostly noise");
                }
                Tab::Rounds => {
                    let all = RoundsChart::ALL.map(|charted| (charted, charted.label().to_owned()));
                    choice(ui, ("Of each round", 130.0), &mut self.charted, &all);
                }
                Tab::Ranks => {
                    let all = RankChart::ALL.map(|shown| (shown, shown.label().to_owned()));
                    choice(ui, ("Shown", 190.0), &mut self.ranks, &all);
                }
                Tab::Space
                | Tab::River
                | Tab::Weights
                | Tab::Spectra
                | Tab::Clients
                | Tab::Conflicts
                | Tab::Meaning
                | Tab::Steer => {}
            }
        });
    }

    fn beside_choice(&mut self, ui: &mut Ui, runs: &[&Arc<RunView>], one: Reported<'_>) {
        let mut options = vec![(ComparedWith::Nothing, "Nothing".to_owned())];
        if !matches!(self.tab, Tab::River | Tab::Space) {
            let stages = one.report.stages.iter().filter(|stage| **stage != one.stage);
            options.extend(stages.map(|&stage| (ComparedWith::Stage(stage), format!("Stage {stage}"))));
        }
        let others = runs.iter().filter(|run| run.id != one.run.id);
        options.extend(others.map(|run| (ComparedWith::Run(run.id.clone()), run_label(run, runs))));
        let mut beside = self.beside.clone();
        if !options.iter().any(|(option, _)| *option == beside) {
            beside = ComparedWith::Nothing;
        }
        let before = beside.clone();
        choice(ui, ("Beside", 170.0), &mut beside, &options)
            .on_hover_text("Another stage, or another run after the same stage, in the same colours and scales");
        if beside != before {
            self.beside = beside;
        }
    }
}

/// The stage, and a way back to the newest one, which never comes by itself.
fn stage_choice(ui: &mut Ui, selection: &mut Selection, one: Reported<'_>, stages: &[(usize, String)]) {
    let mut stage = one.stage;
    if choice(ui, ("Stage", 60.0), &mut stage, stages).changed() {
        selection.stage = Some(stage);
    }
    let newest = one.report.stages.last().copied().filter(|newest| *newest != one.stage);
    let button = ui.add_enabled(newest.is_some(), Button::new("Newest"));
    let button = button.on_hover_text("Go to the last stage that is trained");
    if button.on_disabled_hover_text("This is the last stage that is trained").clicked() {
        selection.stage = newest;
    }
}
