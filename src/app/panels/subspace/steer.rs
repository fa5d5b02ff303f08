//! Steering by hand: sliders for a stage's step and its leading directions, and what they do to one user's list and to hits.

use eframe::egui;
use egui::{Label, Pos2, Rect, RichText, ScrollArea, Slider, Ui, UiBuilder, Vec2};

use self::answers::{hits, list};
use self::strip::{Stop, strip};
use super::super::{Context, choice};
use super::{Reported, SubspacePanel};
use crate::analysis::steer::protocol::{Description, Direction, Search};
use crate::app::action::Action;
use crate::app::steering::{Position, SteerAction, Steering, StepOf};
use crate::app::theme::{self, space};
use crate::app::widgets;
use crate::figures::adapters::module_words;
use crate::method::steered::{Coefficients, DirectionCoefficient, MAX, MIN};
use crate::method::{MethodOptions, Steered};
use crate::project::edits::experiments::with_steered;

mod answers;
mod strip;

/// Where the sliders stand.
#[derive(Debug, Default)]
pub(super) struct Steer {
    /// The step that they are of.
    of: Option<StepOf>,
    step: f64,
    /// Coefficients of directions that do not go with the step.
    own: Vec<DirectionCoefficient>,
    user: Option<String>,
    /// Name of the experiment that this position was kept as.
    kept: Option<String>,
}

impl Steer {
    fn position(&self) -> Position {
        let coefficients = Coefficients { step: self.step, directions: self.own.clone() };
        Position { coefficients, user: self.user.clone() }
    }

    fn reset(&mut self, step: f64) {
        (self.step, self.own) = (step, Vec::new());
    }

    /// Gives a direction a coefficient of its own, or none.
    fn set(&mut self, direction: usize, coefficient: Option<f64>) {
        self.own.retain(|own| own.direction != direction);
        self.own.extend(coefficient.map(|coefficient| DirectionCoefficient { direction, coefficient }));
        self.own.sort_by_key(|own| own.direction);
    }
}

impl SubspacePanel {
    pub(super) fn steering(&mut self, ui: &mut Ui, context: &mut Context<'_>, one: Reported<'_>) {
        if one.stage < 2 {
            let advice =
                "Stage 1 begins with nothing: choose a stage from 2 on, whose step leads from one state to another";
            widgets::empty_state(ui, "No step to steer", advice);
            return;
        }
        let of = StepOf { run: one.run.folder.clone(), started: one.run.config.created_unix, stage: one.stage };
        let state = &mut self.steer;
        if state.of.as_ref() != Some(&of) {
            *state = Steer { of: Some(of.clone()), step: 1.0, ..Steer::default() };
        }
        let steering = context.session.steering.as_ref().filter(|steering| steering.of == of);
        if let Some(error) = steering.and_then(|steering| steering.ended.as_ref()) {
            widgets::problem(ui, error);
            if ui.button("Try again").clicked() {
                context.actions.push(Action::Steer(SteerAction::Restart));
            }
            return;
        }
        match steering.and_then(|steering| Some((steering, steering.description.as_ref()?))) {
            None => {
                ui.horizontal(|ui| {
                    ui.spinner();
                    widgets::remark(ui, "Loading the model and both states");
                });
            }
            Some((_, description)) if description.directions.is_empty() => {
                let advice =
                    "The adapter is the same before and after this stage: choose a run of a method that trains";
                widgets::empty_state(ui, "Nothing moved in this stage", advice);
                return;
            }
            Some((steering, description)) => state.ui(ui, context, one, (steering, description)),
        }
        let position = state.position();
        if steering.and_then(|steering| steering.position.as_ref()) != Some(&position) {
            context.actions.push(Action::Steer(SteerAction::Move(of, position)));
        }
    }
}

/// Width of the column of answers, and least width of that of the sliders.
const ANSWERS: f32 = 290.0;
const SLIDERS: f32 = 320.0;

impl Steer {
    fn ui(
        &mut self,
        ui: &mut Ui,
        context: &mut Context<'_>,
        one: Reported<'_>,
        (steering, description): (&Steering, &Description),
    ) {
        // Two columns of fixed places: what is too wide for one is cut off and pushes nothing aside.
        let room = ui.available_rect_before_wrap();
        let middle = (room.right() - ANSWERS - space::M).max(room.left() + SLIDERS);
        let left = room.with_max_x(middle);
        let right = Rect::from_min_size(Pos2::new(middle + space::M, room.top()), Vec2::new(ANSWERS, room.height()));
        ui.scope_builder(UiBuilder::new().max_rect(left), |ui| {
            ScrollArea::vertical().id_salt("sliders").auto_shrink(false).show(ui, |ui| {
                self.whole(ui, steering, description);
                self.buttons(ui, context, one, steering);
                ui.add_space(space::S);
                widgets::section(ui, "Leading directions");
                widgets::remark(ui, DIRECTIONS_HELP);
                for direction in &description.directions {
                    let module = one.report.modules.iter().find(|module| module.name == direction.module);
                    let words = module.map(module_words);
                    self.direction(ui, direction, words.as_deref().unwrap_or(&direction.module));
                }
            });
        });
        ui.scope_builder(UiBuilder::new().max_rect(right), |ui| {
            ScrollArea::vertical().id_salt("answers").auto_shrink(false).show(ui, |ui| {
                hits(ui, steering, description);
                ui.add_space(space::S);
                self.user_choice(ui, steering, description);
                list(ui, steering);
            });
        });
    }

    fn whole(&mut self, ui: &mut Ui, steering: &Steering, description: &Description) {
        let stops = stops(steering, description);
        let label = widgets::section(ui, "Whole step").on_hover_text(STEP_HELP);
        ui.horizontal(|ui| {
            ui.spacing_mut().slider_width = (ui.available_width() - 70.0).max(120.0);
            let slider = Slider::new(&mut self.step, MIN..=MAX).fixed_decimals(2);
            let response = ui.add(slider).labelled_by(label.id);
            widgets::named(ui, &response, "Whole step");
            let width = ui.spacing().slider_width;
            strip(ui, response.rect.with_max_x(response.rect.left() + width), &stops, steering.search.as_ref());
        });
        ui.add_space(strip::HEIGHT);
        ui.horizontal_wrapped(|ui| {
            ui.spacing_mut().item_spacing.x = space::XS;
            for stop in &stops {
                let button = ui.small_button(format!("{} {:.2}", stop.name, stop.step));
                if button.on_hover_text(&stop.details).clicked() {
                    self.reset((100.0 * stop.step).round() / 100.0);
                }
            }
        });
        for note in &description.notes {
            ui.add(Label::new(RichText::new(note).small().color(theme::tokens(ui).muted)).wrap());
        }
    }

    fn buttons(&mut self, ui: &mut Ui, context: &mut Context<'_>, one: Reported<'_>, steering: &Steering) {
        ui.horizontal_wrapped(|ui| {
            let searching = steering.search.as_ref().filter(|search| !search.is_done());
            match searching {
                Some(search) => {
                    ui.spinner();
                    widgets::remark(ui, format!("Searching: {} of {}", search.tried.len(), search.of.max(1)));
                }
                None => {
                    let button = egui::Button::new("Find the best on validation");
                    let button = ui.add_enabled(steering.search.is_none(), button).on_hover_text(BEST_HELP);
                    if button.on_disabled_hover_text("It is found and stands among the marks").clicked() {
                        context.actions.push(Action::Steer(SteerAction::FindBest));
                    }
                }
            }
            let known = context.session.project().method_of(&one.run.config.experiment).is_some();
            let keep = ui.add_enabled(known, egui::Button::new("Keep as an experiment")).on_hover_text(KEEP_HELP);
            if keep
                .on_disabled_hover_text("The project has no experiment of this name that it could be made of")
                .clicked()
            {
                let method = Steered {
                    of: one.run.config.experiment.clone(),
                    stage: one.stage,
                    step: self.step,
                    directions: self.own.clone(),
                };
                let (project, name) =
                    with_steered(context.session.project(), MethodOptions::Steered(method), one.run.config.seed);
                if !context.session.project().read_only {
                    self.kept = Some(name);
                }
                context.actions.push(Action::Edit { project: Box::new(project), key: None });
            }
            if ui.button("Export as PEFT…").on_hover_text(EXPORT_HELP).clicked() {
                let coefficients = self.position().coefficients;
                context.actions.push(Action::Steer(SteerAction::Export(coefficients)));
            }
        });
        if let Some(kept) = &self.kept {
            widgets::remark(ui, format!("Kept under Experiments as “{kept}”. Run all measures it like every other"));
        }
    }

    fn direction(&mut self, ui: &mut Ui, direction: &Direction, module: &str) {
        let number = direction.number;
        let own = self.own.iter().any(|own| own.direction == number);
        let mut coefficient = self.position().coefficients.of(number);
        let before = coefficient;
        ui.add_space(space::XS);
        ui.horizontal(|ui| {
            let name = format!("Direction {number}");
            ui.label(RichText::new(&name).family(theme::semi_bold()));
            ui.spacing_mut().slider_width = (ui.available_width() - 280.0).max(80.0);
            let response = ui.add(Slider::new(&mut coefficient, MIN..=MAX).fixed_decimals(2));
            widgets::named(ui, &response, &name);
            if coefficient != before {
                self.set(number, Some(coefficient));
            }
            let follow = ui.add_enabled(own, egui::Button::new("Follow").small());
            let follow = follow.on_hover_text("Let it go with the whole step again");
            if follow.on_disabled_hover_text("It goes with the whole step").clicked() {
                self.set(number, None);
            }
            let share = format!("{module} · {:.0} % of the step", 100.0 * direction.share);
            let details = format!("{}, σ {:.3}", direction.module, direction.singular_value);
            ui.add(Label::new(RichText::new(share).small().color(theme::tokens(ui).muted)).truncate())
                .on_hover_text(details);
        });
        let words =
            if direction.writes { ["▲ likelier", "▼ less likely"] } else { ["▲ answers to", "▼ turns from"] };
        for (word, names) in words.into_iter().zip([&direction.raised, &direction.lowered]) {
            let line = format!("{word}: {}", names.join(" · "));
            ui.add(Label::new(RichText::new(&line).small()).truncate()).on_hover_text(&line);
        }
    }

    fn user_choice(&mut self, ui: &mut Ui, steering: &Steering, description: &Description) {
        let shown = steering.list.as_ref().map(|list| list.user.clone());
        let mut user = self.user.clone().or(shown).or_else(|| description.users.first().cloned()).unwrap_or_default();
        let users: Vec<(String, String)> = description.users.iter().map(|user| (user.clone(), user.clone())).collect();
        if choice(ui, ("User", 150.0), &mut user, &users).on_hover_text("A test user of the stage").changed() {
            self.user = Some(user);
        }
    }
}

/// The places on the whole step that have a name.
fn stops(steering: &Steering, description: &Description) -> Vec<Stop> {
    let stop = |name: &str, step: f64, details: String| Stop { name: name.to_owned(), step, details };
    let mut stops = vec![
        stop("Before", 0.0, "The state before the stage".to_owned()),
        stop("After", 1.0, format!("The state after the stage, as {} left it", description.experiment)),
    ];
    stops.extend(description.marks.iter().map(|mark| {
        let along = 100.0 * mark.along;
        stop(
            &mark.name,
            mark.step,
            format!("Where the step of {} ends along this one; {along:.0} % of it goes this way", mark.name),
        )
    }));
    if let Some(best) = steering.search.as_ref().filter(|search| search.is_done()).and_then(Search::best) {
        stops.push(stop(
            "Best on validation",
            best.step,
            format!("Validation loss {:.4}, the least of those tried", best.loss),
        ));
    }
    if let Some(merged) = steering.merged {
        stops.push(stop("Perturb-and-Merge", merged.step, MERGED_HELP.to_owned()));
    }
    stops
}

const STEP_HELP: &str = "How much of what the stage changed is taken: 0 is the state before it, 1 the state after. Move it to see whether the stage went too far, or not far enough";
const DIRECTIONS_HELP: &str = "How much of one of the strongest single changes is taken, beside the items that it speaks of. Move one to see what it is good for";
const BEST_HELP: &str = "Tries steps from −0.5 to 1.5 on the loss of the stage's validation users, in the background, and computes where Perturb-and-Merge would stop";
const KEEP_HELP: &str =
    "Adds an experiment that is this run with this stage's step so, to be measured and compared like every other";
const EXPORT_HELP: &str = "Writes the steered adapter as Hugging Face PEFT loads it. Both states and the directions stand side by side in it, so its rank is up to twice the run's, and one more for each direction of a module";
const MERGED_HELP: &str = "The closed form of Perturb-and-Merge (arXiv 2505.22389): the least rise of the loss over all stages so far, with the empirical Fisher information as curvature";
