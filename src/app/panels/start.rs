//! The start page: what this is, and how to open something.

use std::path::{Path, PathBuf};

use eframe::egui;
use egui::{Button, RichText, TextEdit, Ui, Vec2};

use crate::app::action::Action;
use crate::app::command::Command;
use crate::app::dialogs::path::expand_home;
use crate::app::theme::{self, space};
use crate::app::widgets;

/// The start page's state.
#[derive(Debug, Default)]
pub(crate) struct StartPage {
    /// The typed path.
    pub(crate) path: String,
    /// Why the desktop's dialog was of no use.
    pub(crate) hint: Option<&'static str>,
}

impl StartPage {
    /// Draws the page; `opening` is the project that is being opened.
    pub(crate) fn ui(&mut self, ui: &mut Ui, recent: &[PathBuf], opening: Option<&Path>, actions: &mut Vec<Action>) {
        egui::ScrollArea::vertical().show(ui, |ui| {
            ui.vertical_centered(|ui| {
                ui.set_max_width(theme::COLUMN_WIDTH.min(ui.available_width()));
                ui.add_space((ui.ctx().content_rect().height() * 0.11).clamp(space::L, 160.0));
                ui.with_layout(egui::Layout::top_down(egui::Align::Min), |ui| {
                    self.page(ui, recent, opening, actions);
                });
            });
        });
    }

    fn page(&mut self, ui: &mut Ui, recent: &[PathBuf], opening: Option<&Path>, actions: &mut Vec<Action>) {
        let tokens = theme::tokens(ui);
        ui.label(RichText::new("PESO Workbench").text_style(theme::display()));
        let what = "Adapt language-model recommenders stage by stage, and see which method keeps what users like";
        ui.label(
            RichText::new(what).text_style(theme::section()).family(egui::FontFamily::Proportional).color(tokens.muted),
        );
        ui.add_space(space::XL);
        if let Some(path) = opening {
            ui.horizontal(|ui| {
                ui.spinner();
                ui.label(format!("Opening {}", path.display()));
            });
            return;
        }
        ui.columns_const(|[left, middle, right]| {
            let new = "A CSV or Parquet file, or a folder of RecBole, MovieLens, Amazon, Yelp or LC-Rec";
            if choice(middle, "New from data…", new, false) {
                actions.push(Action::Command(Command::NewProject));
            }
            let demo = "Synthetic data and a compact model: PESO and three other methods in a few minutes";
            if choice(left, "Open the demo…", demo, true) {
                actions.push(Action::Command(Command::OpenDemo));
            }
            let open = "A project.ron of your own. You can also drop a project, or data, onto this window";
            if choice(right, "Open a project…", open, false) {
                actions.push(Action::Command(Command::OpenProject));
            }
        });
        ui.add_space(space::L);
        self.typed_path(ui, actions);
        ui.add_space(space::L);
        recent_projects(ui, recent, actions);
    }

    fn typed_path(&mut self, ui: &mut Ui, actions: &mut Vec<Action>) {
        let label = ui.label("Or type the path of a project file or its folder");
        ui.horizontal(|ui| {
            let width = ui.available_width() - 80.0;
            let field =
                TextEdit::singleline(&mut self.path).hint_text("~/projects/demo/project.ron").desired_width(width);
            let response = ui.add(field).labelled_by(label.id);
            let entered = response.lost_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter));
            let typed = self.path.trim();
            let clicked =
                ui.add_enabled(!typed.is_empty(), Button::new("Open").min_size(Vec2::new(72.0, 0.0))).clicked();
            if (entered || clicked) && !typed.is_empty() {
                actions.push(Action::Open(expand_home(typed)));
            }
        });
        if let Some(hint) = self.hint {
            ui.label(RichText::new(hint).small().color(theme::tokens(ui).warning));
        }
    }
}

/// A card that is one large button with a line on what it does.
fn choice(ui: &mut Ui, text: &str, what: &str, primary: bool) -> bool {
    widgets::card(ui, |ui| {
        ui.set_min_height(98.0);
        let width = ui.available_width();
        let tokens = theme::tokens(ui);
        let label = RichText::new(text).text_style(theme::section());
        let button = if primary {
            Button::new(label.color(tokens.on_accent)).fill(tokens.accent).stroke((1.0, tokens.accent))
        } else {
            Button::new(label)
        };
        let clicked = ui.add_sized(Vec2::new(width, 40.0), button).clicked();
        ui.add_space(space::XS);
        // A column justifies its contents, which tears a text apart.
        ui.with_layout(egui::Layout::top_down(egui::Align::Min), |ui| {
            ui.label(RichText::new(what).color(tokens.muted))
        });
        clicked
    })
}

fn recent_projects(ui: &mut Ui, recent: &[PathBuf], actions: &mut Vec<Action>) {
    widgets::section(ui, "Recent projects");
    if recent.is_empty() {
        ui.weak("None yet: projects that you open appear here");
        return;
    }
    widgets::card(ui, |ui| {
        ui.spacing_mut().item_spacing.y = 2.0;
        for path in recent {
            ui.horizontal(|ui| {
                let name = project_words(path);
                let width = ui.available_width() - 34.0;
                let folder = RichText::new(path.display().to_string()).small().color(theme::tokens(ui).muted);
                let button = Button::selectable(false, name.clone()).right_text(folder).truncate();
                if ui.add_sized(Vec2::new(width, 30.0), button).on_hover_text("Open this project").clicked() {
                    actions.push(Action::Open(path.clone()));
                }
                let forget = ui.add(Button::new("×").frame(false)).on_hover_text("Remove from this list");
                forget.widget_info(|| {
                    egui::WidgetInfo::labeled(egui::Role::Button, true, format!("Remove {name} from this list"))
                });
                if forget.clicked() {
                    actions.push(Action::Forget(path.clone()));
                }
            });
        }
    });
}

/// How a project file is called in a list: its folder's name where the file has the usual one.
pub(crate) fn project_words(path: &Path) -> String {
    let usual = path.file_name().is_some_and(|name| name == "project.ron");
    let named = if usual { path.parent().and_then(Path::file_name) } else { path.file_stem() };
    named.map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned())
}
