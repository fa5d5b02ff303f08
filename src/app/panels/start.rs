//! The start page: what this is, and how to open something.

use std::path::Path;

use eframe::egui;
use egui::{Align, Button, CornerRadius, Layout, Rect, RichText, TextEdit, Ui, Vec2};

use crate::app::action::Action;
use crate::app::command::Command;
use crate::app::dialogs::path::expand_home;
use crate::app::recent::{Look, RecentLooks};
use crate::app::settings::Settings;
use crate::app::theme::{self, space};
use crate::app::widgets;
use crate::error::InputError;
use crate::project::file::Demo;

/// The start page's state.
#[derive(Debug, Default)]
pub(crate) struct StartPage {
    /// The typed path.
    pub(crate) path: String,
    /// Whether the typed path is being opened.
    asking: bool,
    /// Why it cannot be, until it is changed.
    problem: Option<InputError>,
    /// Why the desktop's dialog was of no use.
    pub(crate) hint: Option<&'static str>,
}

/// What the page shows.
pub(crate) struct StartContents<'a> {
    pub(crate) settings: &'a Settings,
    pub(crate) looks: &'a RecentLooks,
    /// The project that is being opened.
    pub(crate) opening: Option<&'a Path>,
    /// Seconds since 1970.
    pub(crate) now_unix: u64,
}

impl StartPage {
    /// Whether the path that is being opened was typed here.
    pub(crate) const fn is_asking(&self) -> bool {
        self.asking
    }

    /// Says below the path why it cannot be opened.
    pub(crate) fn refuse(&mut self, error: InputError) {
        (self.asking, self.problem) = (false, Some(error));
    }

    /// Draws the page.
    pub(crate) fn ui(&mut self, ui: &mut Ui, contents: &StartContents<'_>, actions: &mut Vec<Action>) {
        egui::ScrollArea::vertical().show(ui, |ui| {
            ui.vertical_centered(|ui| {
                ui.set_max_width(theme::COLUMN_WIDTH.min(ui.available_width()));
                ui.add_space((ui.ctx().content_rect().height() * 0.09).clamp(space::L, 140.0));
                ui.with_layout(Layout::top_down(Align::Min), |ui| self.page(ui, contents, actions));
            });
        });
    }

    fn page(&mut self, ui: &mut Ui, contents: &StartContents<'_>, actions: &mut Vec<Action>) {
        let tokens = theme::tokens(ui);
        ui.label(RichText::new("PESO Workbench").text_style(theme::display()));
        let what = "Adapt language-model recommenders stage by stage, and see which method keeps what users like";
        ui.label(
            RichText::new(what).text_style(theme::section()).family(egui::FontFamily::Proportional).color(tokens.muted),
        );
        ui.add_space(space::XL);
        if let Some(path) = contents.opening {
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
        ui.add_space(space::S);
        let second = ui.link(format!("Second demo. {}", Demo::LongUpdates.summary()));
        if second.on_hover_text(Command::OpenLongUpdates.tooltip()).clicked() {
            actions.push(Action::Command(Command::OpenLongUpdates));
        }
        ui.add_space(space::L);
        self.typed_path(ui, actions);
        ui.add_space(space::L);
        recent_projects(ui, contents, actions);
        ui.add_space(space::L);
    }

    fn typed_path(&mut self, ui: &mut Ui, actions: &mut Vec<Action>) {
        let label = ui.label("Or type the path of a project file or its folder");
        ui.horizontal(|ui| {
            let width = ui.available_width() - 80.0;
            let field =
                TextEdit::singleline(&mut self.path).hint_text("~/projects/demo/project.ron").desired_width(width);
            let response = ui.add(field).labelled_by(label.id);
            if response.changed() {
                self.problem = None;
            }
            let entered = response.lost_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter));
            let typed = self.path.trim();
            let clicked =
                ui.add_enabled(!typed.is_empty(), Button::new("Open").min_size(Vec2::new(72.0, 0.0))).clicked();
            if (entered || clicked) && !typed.is_empty() {
                self.asking = true;
                actions.push(Action::Open(expand_home(typed)));
            }
        });
        match &self.problem {
            Some(problem) => widgets::problem(ui, problem),
            None => {
                let hint = self.hint.map(|hint| RichText::new(hint).color(theme::tokens(ui).warning));
                widgets::message_line(ui, hint);
            }
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
        ui.with_layout(Layout::top_down(Align::Min), |ui| ui.label(RichText::new(what).color(tokens.muted)));
        clicked
    })
}

fn recent_projects(ui: &mut Ui, contents: &StartContents<'_>, actions: &mut Vec<Action>) {
    widgets::section(ui, "Recent projects");
    if contents.settings.recent.is_empty() {
        ui.weak("None yet: projects that you open appear here");
        return;
    }
    for path in &contents.settings.recent {
        ui.push_id(path, |ui| recent_project(ui, contents, path, actions));
        ui.add_space(2.0);
    }
}

/// Size of a recent project's picture, and of its line.
const PICTURE: Vec2 = Vec2::new(120.0, 68.0);
const LINE: f32 = 84.0;

fn recent_project(ui: &mut Ui, contents: &StartContents<'_>, path: &Path, actions: &mut Vec<Action>) {
    let tokens = theme::tokens(ui);
    let known = contents.settings.known(path);
    let look = contents.looks.of(path);
    let gone = look.is_some_and(|look| !look.exists);
    let name = known.map_or_else(|| project_words(path), |known| known.name.clone());
    ui.horizontal(|ui| {
        let size = Vec2::new(ui.available_width() - 34.0, LINE);
        let button = ui.add_enabled(!gone, Button::new("").min_size(size));
        let button = button.on_hover_text("Open this project");
        let button =
            button.on_disabled_hover_text("Its folder is gone: it was moved or deleted, or its disk is not there");
        button.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, !gone, &name));
        if button.clicked() {
            actions.push(Action::Open(path.to_path_buf()));
        }
        let inside = button.rect.shrink(8.0);
        picture(ui, look, Rect::from_min_size(inside.min, PICTURE));
        let words = Rect::from_min_max(inside.min + Vec2::new(PICTURE.x + space::M, 0.0), inside.max);
        let mut lines = ui.new_child(egui::UiBuilder::new().max_rect(words).layout(Layout::top_down(Align::Min)));
        lines.spacing_mut().item_spacing.y = 1.0;
        let colour = if gone { tokens.muted } else { tokens.text };
        let line = |ui: &mut Ui, text: RichText| ui.add(egui::Label::new(text).truncate().selectable(false));
        line(&mut lines, RichText::new(&name).family(theme::semi_bold()).color(colour));
        let folder = path.parent().unwrap_or(path).display().to_string();
        line(&mut lines, RichText::new(folder).small().color(tokens.muted));
        let when = known.map(|known| used_words(contents.now_unix.saturating_sub(known.unix))).unwrap_or_default();
        let (words, colour) = match look {
            Some(Look { exists: false, .. }) => ("⚠ Its folder is gone".to_owned(), tokens.warning),
            Some(Look { edited: true, .. }) => (format!("{when}, with edits that were not saved"), tokens.warning),
            _ => (when, tokens.muted),
        };
        line(&mut lines, RichText::new(words).small().color(colour));
        let forget = ui.add(Button::new("×").frame(false)).on_hover_text("Remove from this list; the project stays");
        forget.widget_info(|| {
            egui::WidgetInfo::labeled(egui::Role::Button, true, format!("Remove {name} from this list"))
        });
        if forget.clicked() {
            actions.push(Action::Forget(path.to_path_buf()));
        }
    });
}

/// The project's comparison in small, or a plain place for it.
fn picture(ui: &Ui, look: Option<&Look>, rect: Rect) {
    let tokens = theme::tokens(ui);
    let corners = CornerRadius::same(4);
    match look.and_then(|look| look.texture(ui.ctx(), ui.visuals().dark_mode)) {
        Some(texture) => egui::Image::new(texture).corner_radius(corners).paint_at(ui, rect),
        None => {
            ui.painter().rect_filled(rect, corners, tokens.sunken);
        }
    }
    ui.painter().rect_stroke(rect, corners, (1.0, tokens.border), egui::StrokeKind::Inside);
}

/// When a project was used last: `Opened 3 h ago`.
fn used_words(seconds: u64) -> String {
    match seconds {
        0..90 => "Opened just now".to_owned(),
        90..172_800 => format!("Opened {} ago", widgets::brief_duration(seconds as f64)),
        _ => format!("Opened {} days ago", seconds / 86_400),
    }
}

/// How a project file is called in a list: its folder's name where the file has the usual one.
pub(crate) fn project_words(path: &Path) -> String {
    let usual = path.file_name().is_some_and(|name| name == "project.ron");
    let named = if usual { path.parent().and_then(Path::file_name) } else { path.file_stem() };
    named.map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_project_was_used_when_people_would_say() {
        assert_eq!(used_words(20), "Opened just now");
        assert_eq!(used_words(7200), "Opened 2.0 h ago");
        assert_eq!(used_words(4 * 86_400), "Opened 4 days ago");
        assert_eq!(project_words(Path::new("/a/shop/project.ron")), "shop");
    }
}
