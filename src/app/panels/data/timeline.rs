//! Interactions over time and the cuts between stages, which can be moved, added and taken away.

use std::sync::Arc;

use eframe::egui;
use egui::{Button, DragValue, ScrollArea, Ui, Vec2};

use super::cut_handles::{self, Touch};
use super::{LoadedData, stage_table};
use crate::app::action::Action;
use crate::app::panels::{Context, chart_actions, chart_card, explanation};
use crate::app::queries::data_report::DataReport;
use crate::app::theme::{self, space};
use crate::app::widgets;
use crate::data::prepare::{MAX_STAGES, PrepareReport};
use crate::data::{Prepare, Protocol, StageCuts, Timeline};
use crate::figures::FigureOptions;
use crate::figures::stages::{self, StageWords};
use crate::plot::{BarsArea, Chart, screen};
use crate::project::board::PinnedFigure;
use crate::project::edits::data::with_stages;

/// State of the tab.
#[derive(Debug, Default)]
pub(super) struct TimelineTab {
    /// Cuts that are not in the project yet, and the one that is moved.
    moved: Option<Moved>,
    /// The cut that buttons are about.
    chosen: Option<usize>,
    /// Where the chart's menu was opened, in milliseconds since 1970.
    pointed: i64,
    /// Stages that "Equal stages" makes; as many as there are until the user says otherwise.
    equal: Option<usize>,
}

#[derive(Debug)]
struct Moved {
    cuts: Vec<i64>,
    at: usize,
    /// The project's cuts that were moved: when these change otherwise, the move is over.
    from: Vec<i64>,
    /// When a key moved it last, in seconds; none while it is dragged.
    keyed: Option<f64>,
}

/// Seconds without a key after which what the keys moved is read anew.
const PAUSE: f64 = 0.6;
/// Marks the keys of this tab's edits, so that they are no others'.
const KEY: u64 = 1 << 32;
/// Height of the chart, at least and at most.
const CHART: [f32; 2] = [270.0, 520.0];
/// Height below which the chart is drawn without what stands around it already.
const SHORT: f32 = 360.0;
/// Stages that can be asked for here.
const STAGES: std::ops::RangeInclusive<usize> = 2..=20;

/// What can be cut in time.
struct Cuttable<'a> {
    timeline: Timeline,
    prepared: &'a PrepareReport,
    stages: &'a StageCuts,
}

impl TimelineTab {
    pub(super) fn ui(&mut self, ui: &mut Ui, context: &mut Context<'_>, loaded: &LoadedData<'_>) {
        let project = context.session.project();
        let prepare = project.dataset.prepare();
        let timeline = loaded.report.import.as_ref().and_then(|(_, prepared)| {
            let timeline = Timeline::of(prepared)?;
            Some(Cuttable { timeline, prepared, stages: &prepare?.stages })
        });
        match timeline {
            Some(cuttable) if cuttable.stages.are_in_time() => {
                self.cuttable(ui, context, loaded, &cuttable);
            }
            timeline => self.fixed(ui, context, loaded, (prepare, timeline.is_some())),
        }
    }

    fn cuttable(&mut self, ui: &mut Ui, context: &mut Context<'_>, loaded: &LoadedData<'_>, data: &Cuttable<'_>) {
        let Cuttable { timeline, prepared, stages } = data;
        let from_project = timeline.cuts(stages, prepared);
        self.moved.take_if(|moved| moved.from != from_project);
        let cuts = self.moved.as_ref().map_or_else(|| from_project.clone(), |moved| moved.cuts.clone());
        self.chosen.take_if(|chosen| *chosen >= cuts.len());
        let counted = loaded.current && self.moved.is_none() && prepared.stages.len() == cuts.len() + 1;
        let words = StageWords::of(timeline, &cuts, counted.then_some(*prepared));
        let chart = Arc::new(stages::over_time(&loaded.report.summary.name, timeline, &cuts, &words));
        // Other than dates are only known from the data that they cut.
        let enabled = loaded.current || matches!(stages, StageCuts::Dates(_));
        ui.horizontal_wrapped(|ui| {
            self.buttons(ui, context, (timeline, &cuts), enabled);
            self.quick(ui, context, cuts.len() + 1, false);
            files(ui, context, loaded.report);
            chart_actions(ui, context, &chart, pinned());
        });
        ScrollArea::vertical().id_salt("timeline").auto_shrink(false).show(ui, |ui| {
            let index = chart_with_place(ui, &chart, cuts.len() + 1);
            let Some((response, index)) = index else { return };
            let touches = cut_handles::ui(ui, &index, (timeline, &cuts), self.chosen, enabled);
            let mut wanted = self.take(ui, (timeline, &from_project), &touches);
            if let Some(pointer) = response.interact_pointer_pos().filter(|_| response.secondary_clicked()) {
                self.pointed = index.value(pointer.x) as i64;
            }
            response.context_menu(|ui| {
                let more = timeline.added(&cuts, self.pointed).filter(|_| enabled);
                if ui.add_enabled(more.is_some(), Button::new("Add cut here")).clicked() {
                    wanted = more.map(|cuts| Wanted { cuts, key: None });
                }
            });
            if let Some(Wanted { cuts, key }) = wanted.filter(|wanted| wanted.cuts != from_project) {
                edit(context, Timeline::dates(&cuts), key);
            }
            if touches.iter().any(|(_, touch)| *touch == Touch::Settled) {
                context.actions.push(Action::EditDone);
            }
            explanation(ui, note(stages));
            stage_table::ui(ui, loaded.report);
        });
        context.charts.push(chart);
    }

    /// Takes in what was done with handles; returns what the project is to be cut at.
    fn take(&mut self, ui: &Ui, (timeline, from): (&Timeline, &[i64]), touches: &[(usize, Touch)]) -> Option<Wanted> {
        let now = ui.input(|input| input.time);
        let mut wanted = None;
        for &(at, touch) in touches {
            let base = || self.moved.as_ref().map_or_else(|| from.to_vec(), |moved| moved.cuts.clone());
            let moved = |cuts, keyed| Some(Moved { cuts, at, from: from.to_vec(), keyed });
            match touch {
                Touch::Chosen => self.chosen = Some(at),
                Touch::Dragged(time) => self.moved = moved(timeline.moved(&base(), at, time), None),
                Touch::Stepped(parts) => self.moved = moved(timeline.stepped(&base(), at, parts), Some(now)),
                Touch::Dropped => wanted = self.moved.take().map(|moved| Wanted { cuts: moved.cuts, key: None }),
                Touch::Settled => wanted = self.moved.take().map(Wanted::keyed).or(wanted),
                Touch::Undone => self.moved = None,
                Touch::Removed => wanted = removed(&base(), at).or(wanted),
            }
        }
        if let Some(since) = self.moved.as_ref().and_then(|moved| moved.keyed) {
            let left = since + PAUSE - now;
            if left <= 0.0 {
                wanted = self.moved.take().map(Wanted::keyed);
            } else {
                ui.ctx().request_repaint_after(std::time::Duration::from_secs_f64(left));
            }
        }
        wanted
    }

    fn buttons(
        &mut self,
        ui: &mut Ui,
        context: &mut Context<'_>,
        (timeline, cuts): (&Timeline, &[i64]),
        enabled: bool,
    ) {
        let more = timeline.halved(cuts).filter(|_| enabled);
        let add = ui.add_enabled(more.is_some(), Button::new("Add cut"));
        let add =
            add.on_hover_text("Halves the stage with most interactions; a right click on the chart adds one there");
        if let (true, Some(more)) = (add.clicked(), more) {
            edit(context, Timeline::dates(&more), None);
        }
        let less = self.chosen.filter(|_| enabled).and_then(|at| removed(cuts, at));
        let remove = ui.add_enabled(less.is_some(), Button::new("Remove cut"));
        let remove = remove.on_disabled_hover_text(if cuts.len() < 2 {
            "The last cut stays: continual learning needs two stages"
        } else {
            "Click on a cut first"
        });
        if let (true, Some(less)) = (remove.clicked(), less) {
            self.chosen = None;
            edit(context, Timeline::dates(&less.cuts), None);
        }
    }

    /// The usual stages, in time or by each user's own order.
    fn quick(&mut self, ui: &mut Ui, context: &mut Context<'_>, now: usize, by_order: bool) {
        let paper = ui.button("60 % + 4").on_hover_text(if by_order {
            "The first 60 % of each user's interactions, then four equal stages"
        } else {
            "The paper's stages: the first 60 % of the interactions, then four equal stages"
        });
        if paper.clicked() {
            let (base, later) = (0.6, 4);
            let stages =
                if by_order { StageCuts::ByOrder { base, later } } else { StageCuts::Fractions { base, later } };
            edit(context, stages, None);
        }
        let mut count = self.equal.unwrap_or(now.clamp(*STAGES.start(), *STAGES.end()));
        let equal = ui.button("Equal stages").on_hover_text("As many interactions in each stage");
        if equal.clicked() {
            let (base, later) = (1.0 / count as f64, count - 1);
            edit(context, if by_order { StageCuts::ByOrder { base, later } } else { StageCuts::Equal(count) }, None);
        }
        let field = ui.add(DragValue::new(&mut count).range(STAGES).speed(0.05));
        widgets::named(ui, &field, "Number of stages");
        if field.on_hover_text("Number of equal stages").changed() {
            self.equal = Some(count);
        }
    }

    /// Bars by stage, of data that cannot be cut in time.
    fn fixed(
        &mut self,
        ui: &mut Ui,
        context: &mut Context<'_>,
        loaded: &LoadedData<'_>,
        (prepare, times): (Option<&Prepare>, bool),
    ) {
        let report = loaded.report;
        let groups = &report.browse.by_group;
        let chart = Arc::new(stages::by_stage(&report.summary.name, groups, report.summary.synthetic));
        ui.horizontal_wrapped(|ui| {
            if prepare.is_some() {
                self.quick(ui, context, groups.len(), true);
                files(ui, context, report);
                if times && ui.button("Cut in time").on_hover_text("The paper's stages, in time").clicked() {
                    edit(context, StageCuts::default(), None);
                }
            }
            chart_actions(ui, context, &chart, pinned());
        });
        explanation(
            ui,
            match (prepare, times) {
                (None, _) if report.summary.synthetic => {
                    "Generated data come in stages and have no times, so there is nothing to move: the generator's options say how many stages there are"
                }
                (None, _) => "These data come in stages and have no times: the release has cut them already",
                (Some(prepare), _) if prepare.stages == StageCuts::Files => {
                    "Each file that was read is a stage, so that there is no cut to move"
                }
                (Some(_), true) => {
                    "Each user's own history is cut at the same shares, so that a stage is no period of time and has no cut to move"
                }
                (Some(_), false) => {
                    "The interactions have no times: each user's own history is cut at the same shares, so that there is no cut to move"
                }
            },
        );
        ScrollArea::vertical().id_salt("stages").auto_shrink(false).show(ui, |ui| {
            let height = chart_height(ui, groups.len());
            ui.allocate_ui(Vec2::new(ui.available_width(), height), |ui| chart_card(ui, &chart, "stage bars"));
            ui.add_space(space::S);
            stage_table::ui(ui, report);
        });
        context.charts.push(chart);
    }
}

/// A stage for each file, where several were read together.
fn files(ui: &mut Ui, context: &mut Context<'_>, report: &DataReport) {
    let now = context.session.project().dataset.prepare().map(|prepare| &prepare.stages);
    let Some((import, _)) = report.import.as_ref().filter(|_| now != Some(&StageCuts::Files)) else { return };
    let files = import.files.iter().filter(|file| file.has_interactions()).count();
    if !(2..=MAX_STAGES).contains(&files) {
        return;
    }
    let help = "Each file is a stage, in the order in which they are read";
    if ui.button("A stage a file").on_hover_text(help).clicked() {
        edit(context, StageCuts::Files, None);
    }
}

/// Cuts that the project is to have.
struct Wanted {
    cuts: Vec<i64>,
    /// Moves of one cut with keys are one step of undo.
    key: Option<u64>,
}

impl Wanted {
    fn keyed(moved: Moved) -> Self {
        Self { cuts: moved.cuts, key: Some(KEY | moved.at as u64) }
    }
}

/// The cuts without one of them; none where it is the last.
fn removed(cuts: &[i64], at: usize) -> Option<Wanted> {
    let mut cuts = cuts.to_vec();
    (cuts.len() > 1 && at < cuts.len()).then(|| {
        cuts.remove(at);
        Wanted { cuts, key: None }
    })
}

/// Asks for other stages.
fn edit(context: &mut Context<'_>, stages: StageCuts, key: Option<u64>) {
    let project = context.session.project();
    context.actions.push(Action::Edit { project: Box::new(with_stages(project, stages)), key });
}

/// The chart as the board makes it anew: with the cuts that the project has.
fn pinned() -> PinnedFigure {
    PinnedFigure::new(stages::SPEC.name, FigureOptions::default(), Protocol::default())
}

/// How the stages are written in the project, and what moving a cut does to that.
const fn note(stages: &StageCuts) -> &'static str {
    match stages {
        StageCuts::Dates(_) => {
            "Each stage begins at its cut, a date (UTC) in the project. Drag a cut, or move it with the arrow keys; Undo brings it back"
        }
        _ => {
            "The project has shares of the interactions. Moving a cut (drag it, or use the arrow keys) writes all of them as dates (UTC) instead; Undo brings the shares back"
        }
    }
}

/// What the table below leaves for the chart.
fn chart_height(ui: &Ui, stages: usize) -> f32 {
    let table = 24.0 + stages as f32 * theme::ROW_HEIGHT + 72.0;
    (ui.available_height() - table).clamp(CHART[0], CHART[1])
}

fn chart_with_place(ui: &mut Ui, chart: &Chart, stages: usize) -> Option<(egui::Response, BarsArea)> {
    let size = Vec2::new(ui.available_width() - 20.0, chart_height(ui, stages));
    let short = (size.y < SHORT).then(|| Chart { title: String::new(), caption: None, ..chart.clone() });
    let drawn = short.as_ref().unwrap_or(chart);
    theme::panel_frame(ui).show(ui, |ui| screen::show_bars(ui, drawn, "timeline", size)).inner
}
