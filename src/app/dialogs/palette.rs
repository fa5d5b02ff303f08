//! The command palette: any command, setting, experiment or run by a part of its name.

use eframe::egui;
use egui::{Align2, Area, Frame, Id, Key, Modifiers, Order, RichText, ScrollArea, TextEdit, Ui, Vec2};

use crate::app::action::Action;
use crate::app::command::{Command, Situation};
use crate::app::dock::{NamedLayout, NamedLayoutAction};
use crate::app::fuzzy::fuzzy_score;
use crate::app::panels::method_card::words;
use crate::app::panels::runs;
use crate::app::panels::view::View;
use crate::app::session::Session;
use crate::app::theme::{self, space};
use crate::app::widgets;
use crate::project::edits::change::Place;
use crate::project::{Project, settings};

/// State of the open palette.
#[derive(Debug)]
pub(crate) struct Palette {
    query: String,
    /// Index of the highlighted entry among those that fit.
    chosen: usize,
    entries: Vec<Entry>,
}

/// Something that can be chosen.
#[derive(Debug)]
struct Entry {
    text: String,
    /// What it belongs to, and its value or its keys.
    note: String,
    /// What else it is called: its path in the project file.
    also: String,
    /// What it does.
    tooltip: &'static str,
    /// Why it is not possible now.
    obstacle: Option<&'static str>,
    actions: Vec<Action>,
    /// Whether it is listed before anything is typed.
    at_first: bool,
}

/// What became of the palette in this frame.
#[derive(Debug)]
pub(crate) enum Outcome {
    Open,
    Closed,
    Chosen(Vec<Action>),
}

/// Height of the list, whatever fits; and how many entries it has at most.
const HEIGHT: f32 = 380.0;
const MOST: usize = 80;

impl Palette {
    /// Everything that can be chosen as the window is now.
    pub(crate) fn new(
        ctx: &egui::Context,
        now: &Situation,
        session: Option<&Session>,
        tabs: &[(View, &'static str)],
        layouts: &[NamedLayout],
    ) -> Self {
        let mut entries: Vec<Entry> = Command::all()
            .filter(|command| *command != Command::Palette)
            .map(|command| of_command(ctx, command, now))
            .collect();
        if let Some(session) = session {
            entries.extend(tabs.iter().map(|(view, tab)| of_tab(*view, tab)));
            entries.extend(layouts.iter().map(of_layout));
            entries.extend(of_project(session.project()));
            entries.extend(of_runs(session));
        }
        Self { query: String::new(), chosen: 0, entries }
    }

    /// Draws the palette.
    pub(crate) fn ui(&mut self, ui: &Ui) -> Outcome {
        let fitting = self.fitting();
        let (up, down, enter, escape) = ui.input_mut(|input| {
            (
                input.consume_key(Modifiers::NONE, Key::ArrowUp),
                input.consume_key(Modifiers::NONE, Key::ArrowDown),
                input.consume_key(Modifiers::NONE, Key::Enter),
                input.consume_key(Modifiers::NONE, Key::Escape),
            )
        });
        let last = fitting.len().saturating_sub(1);
        self.chosen = if down { self.chosen + 1 } else { self.chosen.saturating_sub(usize::from(up)) }.min(last);
        if escape {
            return Outcome::Closed;
        }
        let possible = |index: &usize| self.entries[*index].obstacle.is_none();
        if enter && let Some(&index) = fitting.get(self.chosen).filter(|index| possible(index)) {
            return Outcome::Chosen(self.entries[index].actions.clone());
        }
        let tokens = theme::tokens(ui);
        let modal = egui::Modal::new(Id::unique("command palette"))
            .backdrop_color(tokens.scrim)
            .area(palette_area())
            .frame(Frame::popup(ui.style()).fill(tokens.surface).inner_margin(space::M))
            .show(ui.ctx(), |ui| {
                ui.set_width(560.0);
                self.search_field(ui);
                ui.add_space(space::XS);
                self.list(ui, &fitting, up || down)
            });
        match modal.inner {
            Some(index) => Outcome::Chosen(self.entries[index].actions.clone()),
            None if modal.backdrop_response.clicked() => Outcome::Closed,
            None => Outcome::Open,
        }
    }

    /// Indices of the entries that fit what was typed, best first; before anything is typed, possible ones first.
    fn fitting(&self) -> Vec<usize> {
        let mut scored: Vec<(bool, i32, usize)> = self
            .entries
            .iter()
            .enumerate()
            .filter(|(_, entry)| entry.at_first || !self.query.is_empty())
            .filter_map(|(index, entry)| {
                let (score, impossible) = (score(&self.query, entry)?, entry.obstacle.is_some());
                // What was typed decides before what is possible: who looks for Run all is told why it cannot be.
                Some(if self.query.is_empty() { (impossible, 0, index) } else { (false, score, index) })
            })
            .collect();
        scored.sort_by_key(|&(impossible, score, _)| (impossible, std::cmp::Reverse(score)));
        scored.into_iter().map(|(_, _, index)| index).take(MOST).collect()
    }

    fn search_field(&mut self, ui: &mut Ui) {
        let hint = "Type a part of a command, a setting, an experiment or a run";
        let field = TextEdit::singleline(&mut self.query)
            .hint_text(hint)
            .desired_width(f32::INFINITY)
            .font(theme::section())
            .margin(egui::Margin::symmetric(10, 8));
        let response = ui.add(field);
        widgets::named(ui, &response, "Type a command");
        if response.changed() {
            self.chosen = 0;
        }
        response.request_focus();
    }

    fn list(&self, ui: &mut Ui, fitting: &[usize], moved: bool) -> Option<usize> {
        let mut clicked = None;
        ScrollArea::vertical().max_height(HEIGHT).min_scrolled_height(HEIGHT).auto_shrink(false).show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = 1.0;
            if fitting.is_empty() {
                ui.add_space(space::S);
                ui.weak("Nothing has these letters in its name");
            }
            for (place, &index) in fitting.iter().enumerate() {
                let chosen = place == self.chosen;
                let response = row(ui, &self.entries[index], chosen);
                if chosen && moved {
                    response.scroll_to_me(None);
                }
                if response.clicked() {
                    clicked = Some(index);
                }
            }
        });
        clicked
    }
}

fn palette_area() -> Area {
    Area::new(Id::unique("command palette"))
        .kind(egui::UiKind::Modal)
        .sense(egui::Sense::hover())
        .anchor(Align2::CENTER_TOP, Vec2::new(0.0, 96.0))
        .order(Order::Foreground)
        .interactable(true)
}

/// How well an entry fits: by its own text, or less well with every word somewhere in it and in what it belongs to.
fn score(query: &str, entry: &Entry) -> Option<i32> {
    /// What a fit costs that needs more than the text, or is no command.
    const FARTHER: i32 = 96;
    let own = fuzzy_score(query, &entry.text);
    let by_words = || {
        let all = format!("{} {} {}", entry.text, entry.also, entry.note);
        let scores: Option<Vec<i32>> = query.split_whitespace().map(|word| fuzzy_score(word, &all)).collect();
        scores.map(|scores| scores.into_iter().min().unwrap_or_default() - FARTHER)
    };
    let score = own.or_else(by_words)?;
    Some(if entry.at_first { score } else { score - FARTHER })
}

fn row(ui: &mut Ui, entry: &Entry, chosen: bool) -> egui::Response {
    let tokens = theme::tokens(ui);
    let note = entry.obstacle.unwrap_or(&entry.note);
    let button = egui::Button::selectable(chosen, entry.text.as_str())
        .right_text(RichText::new(note).small().color(tokens.muted))
        .truncate()
        .min_size(Vec2::new(ui.available_width(), 30.0));
    let response = ui.add_enabled(entry.obstacle.is_none(), button);
    if entry.tooltip.is_empty() { response } else { response.on_hover_text(entry.tooltip) }
}

fn of_command(ctx: &egui::Context, command: Command, now: &Situation) -> Entry {
    Entry {
        text: command.words(now).into_owned(),
        note: command.shortcut().map(|shortcut| ctx.format_shortcut(&shortcut)).unwrap_or_default(),
        also: String::new(),
        tooltip: command.tooltip(),
        obstacle: command.obstacle(now),
        actions: vec![Action::Command(command)],
        at_first: true,
    }
}

/// A tab within a view.
fn of_tab(view: View, tab: &'static str) -> Entry {
    let note = format!("{} tab", view.title);
    let actions = vec![Action::ShowTab(view, tab)];
    Entry { text: tab.to_owned(), note, also: String::new(), tooltip: "", obstacle: None, actions, at_first: false }
}

/// A layout that the user gave a name.
fn of_layout(layout: &NamedLayout) -> Entry {
    Entry {
        text: layout.name.clone(),
        note: "Layout".to_owned(),
        also: String::new(),
        tooltip: "Arrange the views as they were when the layout was saved",
        obstacle: None,
        actions: vec![Action::NamedLayout(NamedLayoutAction::Use(layout.name.clone()))],
        at_first: false,
    }
}

/// A place of the project, which is brought into view.
fn of_place(text: impl Into<String>, note: impl Into<String>, tooltip: &'static str, place: Place) -> Entry {
    let also = match &place {
        Place::MethodOption { option, .. } => option.clone(),
        Place::Setting(path) => path.clone(),
        _ => String::new(),
    };
    let actions = vec![Action::Reveal(place)];
    Entry { text: text.into(), note: note.into(), also, tooltip, obstacle: None, actions, at_first: false }
}

/// The settings of a project, its experiments and their options.
fn of_project(project: &Project) -> Vec<Entry> {
    let mut entries: Vec<Entry> = [
        ("Seeds", "Experiments", Place::Seeds),
        ("Cut-offs", "Tests", Place::CutOffs),
        ("Source of the data", "Data", Place::Data),
        ("Preparation of the data", "Data", Place::Preparation),
        ("Cuts between stages", "Data", Place::Stages),
        ("Semantic ids", "Data", Place::SemanticIds),
        ("Base model", "Model", Place::BaseModel),
        ("Prompt", "Model", Place::Prompt),
        ("Start of stage 1", "Model", Place::Start),
    ]
    .map(|(text, note, place)| of_place(text, note, "", place))
    .into();
    for group in settings::GROUPS {
        for path in group.paths {
            let Some(field) = settings::field(path) else { continue };
            let unset = settings::unset_words(path).unwrap_or_default().to_owned();
            let value = settings::value(project, path).map_or(unset, |value| words(field.kind, &value));
            let note = format!("{}: {value}", group.title);
            entries.push(of_place(field.label, note, field.help, Place::Setting((*path).to_owned())));
        }
    }
    for experiment in &project.experiments {
        let name = &experiment.name;
        let card = experiment.method.card();
        entries.push(of_place(name, "Experiment", card.sentence, Place::Experiment(name.clone())));
        for option in experiment.method.fields() {
            let note = format!("{name}: {}", words(option.field.kind, &option.setting));
            let place = Place::MethodOption { experiment: name.clone(), option: option.path };
            entries.push(of_place(option.field.label, note, option.field.help, place));
        }
    }
    entries
}

/// The runs of the table, which are selected there.
fn of_runs(session: &Session) -> impl Iterator<Item = Entry> {
    session.rows.iter().map(|row| Entry {
        text: format!("{}, seed {}", row.key.experiment, row.key.seed),
        note: "Run".to_owned(),
        also: String::new(),
        tooltip: "Select it in the runs table",
        obstacle: None,
        actions: vec![
            Action::Command(Command::Show(View::of(&runs::VIEW))),
            Action::Select { id: row.id.clone(), keep: false },
        ],
        at_first: false,
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::project::file::DEMO;

    fn found(query: &str) -> Vec<String> {
        let project = Project::parse(DEMO, Path::new("demo/project.ron")).unwrap();
        let situation = Situation { project_open: true, ..Situation::default() };
        let mut palette = Palette::new(&egui::Context::default(), &situation, None, &[], &[]);
        palette.entries.extend(of_project(&project));
        query.clone_into(&mut palette.query);
        palette.fitting().into_iter().map(|index| palette.entries[index].text.clone()).collect()
    }

    #[test]
    fn commands_settings_options_and_experiments_are_found() {
        assert_eq!(found("run all")[0], "Run all");
        assert_eq!(found("epochs")[0], "Epochs");
        assert_eq!(found("lambda peso")[0], "λ");
        assert_eq!(found("peso lambda")[0], "λ", "words in any order");
        assert_eq!(found("warm")[0], "Warm-up");
        assert!(found("single evolving").contains(&"Single evolving LoRA".to_owned()));
        assert_eq!(found("dark")[0], "Dark theme");
        assert!(found("").iter().all(|text| text != "Epochs"), "commands alone before anything is typed");
        assert!(found("qqqq").is_empty());
    }
}
