//! The sweep editor: which options of an experiment have which values, and how many runs that makes.

mod axis;
mod offer;

use eframe::egui;
use egui::{ComboBox, Frame, Margin, RichText, ScrollArea, Ui};

use self::axis::AxisDraft;
use self::offer::Offer;
use super::dialog::{DialogAction, DialogContents, OnEscape, right_row};
use crate::app::theme::{self, space};
use crate::app::widgets::{self, counted};
use crate::project::edits::sweeps::{with_sweep, without_sweep};
use crate::project::sweep::{Axis, BadSweep, Combine, EVERY, Sweep, expand};
use crate::project::{Experiment, Project};
use crate::schema::Setting;

/// State of the dialog.
#[derive(Debug)]
pub(crate) struct SweepEditor {
    /// The project as it was when the dialog was opened; nothing else changes it meanwhile.
    project: Project,
    /// The place of the sweep that is edited; none of a new one.
    place: Option<usize>,
    experiment: String,
    axes: Vec<AxisDraft>,
    combine: Combine,
    /// What was last found of a sweep.
    found: Option<(Sweep, Result<Points, BadSweep>)>,
}

/// What a sweep comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Points {
    /// Names of the points that the project has not without it.
    new: Vec<String>,
    /// Their runs, over the seeds of each.
    runs: usize,
    /// Points of an experiment, those of other sweeps and the experiment itself included.
    number: usize,
}

/// Of a sweep of all of them.
const EVERY_EXPERIMENT: &str = "Every experiment";

/// Width of the dialog, and height of its options at most.
const WIDTH: f32 = 700.0;
const HEIGHT: f32 = 460.0;

impl SweepEditor {
    /// A new sweep of an experiment.
    pub(crate) fn new(project: Project, experiment: String) -> Self {
        Self { project, place: None, experiment, axes: Vec::new(), combine: Combine::Grid, found: None }
    }

    /// The sweep of the project at `place`; none where there is no such sweep.
    pub(crate) fn of(project: Project, place: usize) -> Option<Self> {
        let sweep = project.sweeps.get(place)?.clone();
        let mut editor = Self::new(project, sweep.experiment);
        (editor.place, editor.combine) = (Some(place), sweep.combine);
        for Axis { option, values } in sweep.options {
            // What one option's values bring can be the next option.
            if let Some(offer) = editor.offers().into_iter().find(|offer| offer.option == option) {
                editor.add(offer, &values);
            }
        }
        Some(editor)
    }

    fn offers(&self) -> Vec<Offer> {
        let chosen: Vec<(String, Vec<Setting>)> =
            self.axes.iter().map(|axis| (axis.option.clone(), axis.settings().unwrap_or_default())).collect();
        offer::offers(&self.project, &self.experiment, &chosen)
    }

    fn add(&mut self, offer: Offer, values: &[Setting]) {
        let names: Vec<String> = self
            .project
            .experiments
            .iter()
            .map(|experiment| experiment.name.clone())
            .filter(|name| *name != self.experiment)
            .collect();
        let Offer { option, field: Some(field), now, .. } = offer else { return };
        self.axes.push(AxisDraft::new(option, field, values, now.as_ref(), &names));
    }
}

impl DialogContents for SweepEditor {
    fn on_escape(&self) -> OnEscape {
        let before = self.place.and_then(|place| self.project.sweeps.get(place));
        let same = before.map_or(self.axes.is_empty(), |before| self.sweep().as_ref() == Some(before));
        OnEscape::of_form(!same)
    }

    fn width(&self) -> f32 {
        WIDTH
    }

    fn ui(&mut self, ui: &mut Ui) -> Option<DialogAction> {
        ui.horizontal(|ui| {
            ui.heading(if self.place.is_some() { "Edit sweep" } else { "Sweep options" });
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| self.experiment_combo(ui));
        });
        ui.label("The experiment is run again with every value; base model and stage 1 are trained once where the settings allow it");
        ui.add_space(space::S);
        let found = self.find();
        let height = (ui.ctx().content_rect().height() - 330.0).clamp(140.0, HEIGHT);
        ScrollArea::vertical().max_height(height).auto_shrink([false, true]).show(ui, |ui| {
            self.axes_ui(ui, found.as_ref().and_then(|found| found.as_ref().err()));
        });
        ui.horizontal(|ui| {
            self.offers_menu(ui);
            if self.axes.len() > 1 {
                ui.add_space(space::M);
                ui.radio_value(&mut self.combine, Combine::Grid, "Every combination")
                    .on_hover_text("A grid: every value of one option with every value of the others");
                ui.radio_value(&mut self.combine, Combine::List, "Values in turn")
                    .on_hover_text("A list: the first values together, then the second ones, and so on");
            }
        });
        ui.add_space(space::S);
        self.outcome(ui, found.as_ref());
        ui.add_space(space::M);
        self.buttons(ui, found.as_ref())
    }
}

impl SweepEditor {
    fn experiment_combo(&mut self, ui: &mut Ui) {
        let mut chosen = self.experiment.clone();
        let shown = if chosen == EVERY { EVERY_EXPERIMENT.to_owned() } else { chosen.clone() };
        ui.add_enabled_ui(self.place.is_none(), |ui| {
            let combo = ComboBox::from_id_salt("experiment of the sweep").selected_text(shown).width(200.0).truncate();
            let combo = combo.show_ui(ui, |ui| {
                if self.project.experiments.len() > 1 {
                    ui.selectable_value(&mut chosen, EVERY.to_owned(), EVERY_EXPERIMENT)
                        .on_hover_text("Over training settings or generated data, which all of them have");
                }
                for experiment in &self.project.experiments {
                    ui.selectable_value(&mut chosen, experiment.name.clone(), &experiment.name);
                }
            });
            widgets::named(ui, &combo.response, "Experiment of the sweep");
        });
        if chosen != self.experiment {
            self.experiment = chosen;
            // Options of training and of generated data are those of every experiment.
            let offered: Vec<String> = self.offers().into_iter().map(|offer| offer.option).collect();
            self.axes.retain(|axis| offered.contains(&axis.option));
        }
    }

    fn axes_ui(&mut self, ui: &mut Ui, bad: Option<&BadSweep>) {
        let tokens = theme::tokens(ui);
        if self.axes.is_empty() {
            widgets::remark(ui, "No option is swept yet: add one, of the method or of the training settings");
        }
        let mut removed = None;
        for (place, axis) in self.axes.iter_mut().enumerate() {
            let frame = Frame::new()
                .fill(tokens.raised)
                .stroke((1.0, tokens.border))
                .corner_radius(theme::RADIUS)
                .inner_margin(Margin::symmetric(12, 8));
            frame.show(ui, |ui| {
                ui.set_width(ui.available_width());
                ui.horizontal(|ui| {
                    ui.label(RichText::new(axis.field.label).family(theme::semi_bold()));
                    ui.label(RichText::new(&axis.option).monospace().size(11.5).color(tokens.muted));
                    ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                        let button = ui.button("Remove");
                        let name = format!("Do not sweep {}", axis.field.label);
                        button.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, &name));
                        if button.clicked() {
                            removed = Some(place);
                        }
                    });
                });
                axis::describe(ui, axis.field);
                let problem = bad.filter(|bad| bad.axis == Some(place)).map(problem_words);
                axis.ui(ui, problem.as_deref());
            });
            ui.add_space(space::XS);
        }
        if let Some(place) = removed {
            self.axes.remove(place);
        }
    }

    fn offers_menu(&mut self, ui: &mut Ui) {
        let taken = |option: &str| self.axes.iter().any(|axis| axis.option == option);
        let mut chosen = None;
        ui.menu_button("Add option…", |ui| {
            ScrollArea::vertical().max_height(380.0).show(ui, |ui| {
                ui.set_min_width(300.0);
                let mut part = "";
                for offer in self.offers() {
                    if std::mem::replace(&mut part, offer.part) != offer.part {
                        widgets::remark(ui, offer.part);
                    }
                    let why = if taken(&offer.option) { Some("It is swept already") } else { offer.obstacle };
                    let button = egui::Button::new(&offer.label)
                        .right_text(RichText::new(offer.now_in_words()).small().color(theme::tokens(ui).muted));
                    let response = ui.add_enabled(why.is_none(), button.min_size(egui::vec2(300.0, 26.0)));
                    let response = response.on_hover_text(offer.help).on_disabled_hover_text(why.unwrap_or_default());
                    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, why.is_none(), &offer.label));
                    if let Some(why) = offer.obstacle {
                        widgets::remark(ui, why);
                    }
                    if response.clicked() {
                        chosen = Some(offer);
                        ui.close();
                    }
                }
            });
        });
        if let Some(offer) = chosen {
            self.add(offer, &[]);
        }
    }

    /// The sweep as it stands; none while a value is missing or wrong, which is said beside it.
    fn sweep(&self) -> Option<Sweep> {
        let axis = |draft: &AxisDraft| Some(Axis { option: draft.option.clone(), values: draft.settings().ok()? });
        let options: Vec<Axis> = self.axes.iter().map(axis).collect::<Option<_>>()?;
        let sweep = Sweep { experiment: self.experiment.clone(), options, combine: self.combine };
        (!sweep.options.is_empty()).then_some(sweep)
    }

    /// What the sweep comes to, computed once.
    fn find(&mut self) -> Option<Result<Points, BadSweep>> {
        let sweep = self.sweep()?;
        match &self.found {
            Some((known, found)) if *known == sweep => Some(found.clone()),
            _ => {
                let found = points(&self.project, self.place, &sweep);
                self.found = Some((sweep, found.clone()));
                Some(found)
            }
        }
    }

    fn outcome(&self, ui: &mut Ui, found: Option<&Result<Points, BadSweep>>) {
        let tokens = theme::tokens(ui);
        match found {
            None => _ = widgets::remark(ui, "How many runs there will be is said here"),
            Some(Ok(points)) => {
                let of = |experiment: &&Experiment| experiment.name == self.experiment;
                let experiment = self.project.experiments.iter().find(of);
                let seeds = experiment.map_or(&*self.project.seeds, |own| self.project.seeds_of(own)).len();
                let words = format!(
                    "{}, {} new: with {} {} more",
                    counted(points.number, "point"),
                    points.new.len(),
                    counted(seeds, "seed"),
                    counted(points.runs, "run")
                );
                ui.label(RichText::new(words).family(theme::semi_bold()));
                let shown: Vec<&str> = points.new.iter().take(3).map(String::as_str).collect();
                let more = points.new.len().saturating_sub(shown.len());
                let more = if more > 0 { format!(" and {more} more") } else { String::new() };
                let names = if shown.is_empty() {
                    "Every point is in the project already".to_owned()
                } else {
                    format!("{}{more}", shown.join(" · "))
                };
                let text = RichText::new(names).small().color(tokens.muted);
                ui.add(egui::Label::new(text).truncate()).on_hover_text(points.new.join("\n"));
            }
            Some(Err(bad)) => _ = ui.colored_label(tokens.error, problem_words(bad)),
        }
    }

    fn buttons(&self, ui: &mut Ui, found: Option<&Result<Points, BadSweep>>) -> Option<DialogAction> {
        let usable = matches!(found, Some(Ok(_)));
        let go = if self.place.is_some() { "Save sweep" } else { "Add sweep" };
        right_row(ui, |ui| {
            let go = ui.add_enabled_ui(usable, |ui| widgets::primary_button(ui, go)).inner;
            if go.clicked() {
                return self.sweep().map(|sweep| DialogAction::Sweep(self.place, Box::new(sweep)));
            }
            ui.button("Cancel").clicked().then_some(DialogAction::Cancel)
        })
    }
}

fn problem_words(bad: &BadSweep) -> String {
    let words = [bad.field.problem.as_str(), bad.field.advice.as_str()];
    let words: Vec<&str> = words.into_iter().filter(|words| !words.is_empty()).collect();
    widgets::sentence(&words.join("; "))
}

/// The points of a sweep, and which of them are new.
fn points(project: &Project, place: Option<usize>, sweep: &Sweep) -> Result<Points, BadSweep> {
    let with = with_sweep(project, place, sweep.clone());
    let own = place.unwrap_or(project.sweeps.len());
    let variants = expand(&with).map_err(|bad| match bad.sweep {
        // What is wrong with another sweep is not said at this one's options.
        Some(other) if other != own => BadSweep { axis: None, ..bad },
        _ => bad,
    })?;
    let there = match place {
        Some(place) => expand(&without_sweep(project, place))?,
        None => expand(project)?,
    };
    let is_new = |name: &String| there.iter().all(|variant| variant.experiment.name != *name);
    let new: Vec<Experiment> =
        variants.into_iter().map(|variant| variant.experiment).filter(|experiment| is_new(&experiment.name)).collect();
    let runs = new.iter().map(|experiment| with.seeds_of(experiment).len()).sum();
    let new = new.into_iter().map(|experiment| experiment.name).collect();
    let lengths = sweep.options.iter().map(|axis| axis.values.len());
    let number = match sweep.combine {
        Combine::Grid => lengths.product(),
        Combine::List => lengths.max().unwrap_or(0),
    };
    Ok(Points { new, runs, number })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::project::file::DEMO;

    fn demo() -> Project {
        Project::parse(DEMO, Path::new("demo/project.ron")).unwrap()
    }

    fn sweep(values: &[f64], combine: Combine, second: Option<(&str, Vec<Setting>)>) -> Sweep {
        let values = values.iter().copied().map(Setting::Number).collect();
        let mut options = vec![Axis { option: "lambda".to_owned(), values }];
        options.extend(second.map(|(option, values)| Axis { option: option.to_owned(), values }));
        Sweep { experiment: "PESO".to_owned(), options, combine }
    }

    #[test]
    fn points_that_are_there_already_are_not_new() {
        let mut project = demo();
        // Lambda 2 is PESO of the demo itself.
        let found = points(&project, None, &sweep(&[0.5, 2.0, 8.0], Combine::Grid, None)).unwrap();
        assert_eq!((found.number, found.new.len()), (3, 2));
        project.sweeps = vec![sweep(&[0.5], Combine::Grid, None)];
        let found = points(&project, None, &sweep(&[0.5, 8.0], Combine::Grid, None)).unwrap();
        assert_eq!(found.new, ["PESO (lambda 8)"]);
        let found = points(&project, Some(0), &sweep(&[0.5, 8.0], Combine::Grid, None)).unwrap();
        assert_eq!(found.new.len(), 2, "the sweep that is edited does not stand in its own way");
    }

    #[test]
    fn a_sweep_that_cannot_be_used_says_which_option_it_is() {
        let gone = ("distance.squared", vec![Setting::Switch(true)]);
        let bad = points(&demo(), None, &sweep(&[1.0], Combine::Grid, Some(gone))).unwrap_err();
        assert_eq!((bad.sweep, bad.axis), (Some(0), Some(1)));
        let epochs = ("training.epochs", vec![Setting::Number(1.0)]);
        let bad = points(&demo(), None, &sweep(&[1.0, 3.0], Combine::List, Some(epochs))).unwrap_err();
        assert!(bad.axis.is_none() && problem_words(&bad).contains("needs as many"), "{bad:?}");
    }

    #[test]
    fn an_editor_of_a_sweep_holds_it_as_it_is() {
        let mut project = demo();
        let l2 = ("distance", vec![Setting::Choice("L2".to_owned())]);
        let mut there = sweep(&[0.5, 8.0], Combine::Grid, Some(l2));
        let values = vec![Setting::Switch(false), Setting::Switch(true)];
        there.options.push(Axis { option: "distance.squared".to_owned(), values });
        there.options.push(Axis {
            option: "training.learning_rate".to_owned(),
            values: vec![Setting::Number(1e-3), Setting::Number(2.5e-4)],
        });
        project.sweeps = vec![there.clone()];
        expand(&project).unwrap();
        let kept = SweepEditor::of(project.clone(), 0).unwrap().sweep().unwrap();
        let sorted = |sweep: &Sweep| {
            let mut sweep = sweep.clone();
            sweep.options.iter_mut().for_each(|axis| axis.values.sort_by_key(Setting::to_string));
            sweep
        };
        assert_eq!(sorted(&kept), sorted(&there));
        assert!(SweepEditor::of(project, 1).is_none());
    }
}
