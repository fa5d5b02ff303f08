//! How a frame of the window is drawn.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use eframe::egui;
use egui::{Align, Align2, Frame, Id, Key, LayerId, Layout, Margin, Modifiers, Order, Panel, Popup, RichText, Ui};

use super::action::Action;
use super::command;
use super::dialogs::dialog::DialogAction;
use super::dialogs::export::ChartPlace;
use super::dialogs::palette::Outcome;
use super::dock;
use super::panels::Context;
use super::panels::start::StartContents;
use super::session::{Row, RowState, Session};
use super::theme::{self, space};
use super::tour;
use super::widgets;
use super::workbench::{TITLE, Workbench};
use crate::plot::Chart;
use crate::run::Status;

impl eframe::App for Workbench {
    fn logic(&mut self, ctx: &egui::Context, _frame: &mut eframe::Frame) {
        self.take_in(ctx);
        if self.presentation.is_none() && self.place.look(ctx, &mut self.settings) {
            self.save_settings();
        }
    }

    fn ui(&mut self, ui: &mut Ui, frame: &mut eframe::Frame) {
        if let Some(state) = frame.wgpu_render_state() {
            crate::render::screen::install(ui.ctx(), state);
        }
        if self.present(ui) {
            return;
        }
        let situation = self.situation();
        let mut actions: Vec<Action> = Vec::new();
        if self.dialog.is_none() && self.palette.is_none() {
            actions.extend(command::pressed(ui.ctx()).into_iter().map(Action::Command));
        }
        self.top_bar(ui, &situation, &mut actions);
        self.status_bar(ui);
        self.read_only_bar(ui);
        egui::CentralPanel::default().frame(Frame::new()).show(ui, |ui| {
            Frame::new().fill(theme::ground(ui)).show(ui, |ui| {
                ui.take_available_space();
                self.content(ui, &mut actions);
            });
        });
        let drawn = |chart: &&Arc<Chart>| !matches!(chart.body, crate::plot::Body::Empty(_));
        self.chart = self.shown.iter().map(|(_, chart)| chart).find(drawn).cloned();
        self.follow_exported_chart(ui.ctx());
        self.leave_maximised(ui);
        self.palette_ui(ui, &mut actions);
        if let Some(dialog) = &mut self.dialog
            && let Some(action) = dialog.ui(ui, &mut self.asks_to_close, self.settings.confirm_forms)
        {
            // A list that one of its fields has open goes with the dialog.
            if !matches!(action, DialogAction::Preview(_)) {
                Popup::close_all(ui.ctx());
            }
            self.perform_dialog(ui.ctx(), action);
        }
        self.tour_ui(ui);
        actions.extend(self.notices.ui(ui));
        self.dropped_files(ui, &mut actions);
        let asked = (self.dialog.is_some(), self.palette.is_some());
        for action in actions {
            self.perform(ui.ctx(), action);
        }
        focus_ring(ui);
        self.update_title(ui.ctx());
        let answered = asked != (self.dialog.is_some(), self.palette.is_some());
        self.show_what_opened(ui.ctx(), answered);
    }

    /// The ground of every view, which none of them then paints.
    fn clear_color(&self, visuals: &egui::Visuals) -> [f32; 4] {
        visuals.panel_fill.to_normalized_gamma_f32()
    }

    fn on_exit(&mut self) {
        self.end_autosave();
        self.save_layout_now();
        // As with the layout: nobody is left to be told.
        let _ = self.services.configuration_folder.as_deref().map_or(Ok(()), |folder| self.settings.save(folder));
    }
}

impl Workbench {
    /// Draws the frame again before it is shown where something has opened in it: a menu or a dialog only measures itself at first,
    /// and what a click asked for is done when everything is drawn. Each would else be seen a frame later.
    fn show_what_opened(&mut self, ctx: &egui::Context, answered: bool) {
        let layers: HashSet<LayerId> = ctx.memory(|memory| memory.areas().visible_layer_ids().into_iter().collect());
        let opened = !layers.is_subset(&self.layers);
        self.layers = layers;
        if opened || answered {
            ctx.request_discard("something has opened");
        }
    }

    /// Says of a bundle of results that it is one.
    fn read_only_bar(&self, ui: &mut Ui) {
        if !self.session.as_ref().is_some_and(|session| session.project().read_only) {
            return;
        }
        let tokens = theme::tokens(ui);
        let frame = Frame::new().fill(tokens.surface).inner_margin(Margin::symmetric(12, 4));
        Panel::top("read-only bar").frame(frame).show(ui, |ui| {
            ui.add(egui::Label::new(RichText::new(command::READ_ONLY).small().color(tokens.warning)).truncate());
        });
    }

    fn status_bar(&self, ui: &mut Ui) {
        let tokens = theme::tokens(ui);
        let frame = Frame::new().fill(tokens.surface).inner_margin(Margin::symmetric(12, 4));
        Panel::bottom("status bar").frame(frame).show(ui, |ui| {
            ui.horizontal(|ui| {
                let now = ui.input(|input| input.time);
                let mut words = self
                    .session
                    .as_ref()
                    .map_or_else(|| "No project is open".to_owned(), |open| status_words(open, now));
                let unix = (self.services.clock)();
                let left = self.session.as_ref().and_then(|session| session.time_left(unix));
                left.iter().for_each(|left| words.push_str(&format!(", {}", left.words())));
                let status = ui.label(RichText::new(words).small().color(tokens.muted));
                if let Some(left) = left {
                    status.on_hover_text(left.basis_words());
                }
                for queue in &self.other_queues {
                    ui.label(RichText::new(queue.words()).small().color(tokens.accent))
                        .on_hover_text("A worker goes on through the queue of that project");
                }
                if let Some(session) = &self.session {
                    ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                        let place = RichText::new(short_path(&session.file)).small().color(tokens.muted);
                        ui.add(egui::Label::new(place).truncate()).on_hover_text(session.file.display().to_string());
                    });
                }
            });
        });
    }

    fn content(&mut self, ui: &mut Ui, actions: &mut Vec<Action>) {
        self.shown.clear();
        self.requests.clear();
        let Some(session) = &mut self.session else {
            let now_unix = (self.services.clock)();
            let page = StartContents {
                settings: &self.settings,
                looks: &self.recent,
                opening: self.opening.as_deref(),
                now_unix,
            };
            self.start.ui(ui, &page, actions);
            return;
        };
        // The dock changes the layout while the views read the rest of the session.
        let mut layout = std::mem::replace(&mut session.layout, dock::empty());
        let (panels, selection, shown) = (&mut self.panels, &mut self.selection, &mut self.shown);
        let requests = &mut self.requests;
        let mut charts = Vec::new();
        let (settings, now_unix) = (&self.settings, (self.services.clock)());
        let mut context = Context { session, settings, actions, selection, charts: &mut charts, requests, now_unix };
        dock::ui(&mut layout, ui, &mut |ui, view| {
            panels.ui(view, ui, &mut context);
            let placed = context.charts.drain(..).enumerate();
            shown.extend(placed.map(|(number, chart)| (ChartPlace { view, number }, chart)));
        });
        session.layout = layout;
    }

    /// Draws the tour, as long as nothing else asks for an answer.
    fn tour_ui(&mut self, ui: &Ui) {
        if self.dialog.is_some() || self.palette.is_some() {
            return;
        }
        let (Some(tour), Some(session)) = (&mut self.tour, &mut self.session) else { return };
        if let Some(view) = tour.view_to_show() {
            dock::show(&mut session.layout, view);
        }
        if tour.ui(ui) == tour::Outcome::Over {
            self.end_tour();
        }
    }

    /// Escape gives the room back that one view has, where nothing else is open that it would close.
    fn leave_maximised(&mut self, ui: &Ui) {
        let busy = self.dialog.is_some() || self.palette.is_some() || Popup::is_any_open(ui.ctx());
        let Some(session) = self.session.as_mut().filter(|_| !busy && !ui.ctx().text_edit_focused()) else { return };
        if ui.input(|input| input.modifiers == Modifiers::NONE && input.key_pressed(Key::Escape)) {
            dock::restore(&mut session.layout);
        }
    }

    fn palette_ui(&mut self, ui: &Ui, actions: &mut Vec<Action>) {
        let Some(palette) = &mut self.palette else { return };
        match palette.ui(ui) {
            Outcome::Open => {}
            Outcome::Closed => self.palette = None,
            Outcome::Chosen(chosen) => {
                self.palette = None;
                actions.extend(chosen);
            }
        }
    }

    /// Shows that files can be dropped while they hover, and takes what is dropped.
    fn dropped_files(&self, ui: &Ui, actions: &mut Vec<Action>) {
        let (hovering, dropped) = ui.input(|input| {
            let dropped: Vec<PathBuf> = input.raw.dropped_files.iter().map(|file| file.path().to_path_buf()).collect();
            (!input.raw.hovered_files.is_empty(), dropped)
        });
        if hovering {
            drop_overlay(ui, self.session.is_some());
        }
        if let Some(path) = dropped.into_iter().next() {
            actions.push(Action::Drop(path));
        }
    }

    fn update_title(&mut self, ctx: &egui::Context) {
        let title = match &self.session {
            Some(session) => {
                let unsaved = if session.unsaved() { "*" } else { "" };
                format!("{}{unsaved} – {TITLE}", session.project().name)
            }
            None => TITLE.to_owned(),
        };
        if title != self.title {
            ctx.send_viewport_cmd(egui::ViewportCommand::Title(title.clone()));
            self.title = title;
        }
    }
}

/// Seconds for which the status says what was undone.
pub(super) const SPOTLIGHT_WORDS: f64 = 6.0;

/// One line on what happens: the run under way, or what to do.
fn status_words(session: &Session, now: f64) -> String {
    let spotlight = session.spotlight.as_ref().filter(|spotlight| now - spotlight.since < SPOTLIGHT_WORDS);
    if let Some(words) = spotlight.and_then(|spotlight| spotlight.words.as_ref()) {
        return words.clone();
    }
    let active = |row: &&Row| row.state == RowState::Starting || row.run.as_ref().is_some_and(|run| run.is_active());
    let queued = match session.queued() {
        0 => String::new(),
        count => format!(". {count} queued"),
    };
    match session.rows.iter().find(active) {
        Some(row) => {
            let progress = row.run.as_ref().and_then(|run| run.progress.as_ref());
            let doing = match (row.state, progress) {
                (RowState::Run(Status::Paused), _) => "paused".to_owned(),
                (_, Some(progress)) => widgets::phase_words(progress),
                (_, None) => "starting".to_owned(),
            };
            format!("{}, seed {}: {doing}{queued}", row.key.experiment, row.key.seed)
        }
        None if session.is_busy() => format!("Waiting{queued}"),
        None => "Ready".to_owned(),
    }
}

/// Draws a ring around what has the keyboard, whatever it is.
fn focus_ring(ui: &Ui) {
    let focused = ui.ctx().memory(egui::Memory::focused).and_then(|id| ui.ctx().read_response(id));
    if let Some(response) = focused {
        let painter = ui.ctx().layer_painter(response.layer_id).with_clip_rect(response.interact_rect.expand(3.0));
        let stroke = (2.0, theme::tokens(ui).accent);
        painter.rect_stroke(response.rect.expand(1.0), theme::RADIUS, stroke, egui::StrokeKind::Outside);
    }
}

/// The last two parts of a path: `demo/project.ron`.
fn short_path(path: &Path) -> String {
    let parts: Vec<_> = path.iter().rev().take(2).collect();
    parts.into_iter().rev().collect::<PathBuf>().display().to_string()
}

fn drop_overlay(ui: &Ui, project_open: bool) {
    let tokens = theme::tokens(ui);
    let rect = ui.ctx().content_rect();
    let painter = ui.ctx().layer_painter(LayerId::new(Order::Foreground, Id::unique("drop overlay")));
    painter.rect_filled(rect, 0.0, tokens.background.gamma_multiply(0.92));
    painter.rect_stroke(rect.shrink(space::XL), 12.0, (2.0, tokens.accent), egui::StrokeKind::Inside);
    let font = egui::FontId::new(20.0, theme::semi_bold());
    let words = if project_open {
        "Drop a project to open it, or data, a base model or an adapter to use it"
    } else {
        "Drop a project to open it, or a file or folder of data to train on"
    };
    painter.text(rect.center(), Align2::CENTER_CENTER, words, font, tokens.text);
}
