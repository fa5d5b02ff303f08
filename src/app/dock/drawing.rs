//! Draws the dock: groups of tabs, the strip of those that are folded, or one view with all the room.

use eframe::egui;
use egui::{Align, Button, Frame, Id, Layout as UiLayout, Margin, Panel, ScrollArea, Ui, UiBuilder, Vec2};
use egui_tiles::{Tabs, Tile, TileId, Tiles};

use super::{Layout, View, fold_group, groups, restore, show, toggle_maximised, views_of};
use crate::app::anchor::{self, Anchor};
use crate::app::theme::{self, space};

/// Height of the bar that tabs stand in.
const BAR: f32 = 34.0;

/// Room below which a view is scrolled.
const LEAST: Vec2 = Vec2::new(260.0, 200.0);

/// Draws the dock; `draw` draws the inside of a view.
pub(crate) fn ui(layout: &mut Layout, ui: &mut Ui, draw: &mut dyn FnMut(&mut Ui, View)) {
    match super::current(layout).filter(|_| layout.maximised) {
        Some(view) => maximised(layout, view, ui, draw),
        None => tiles(layout, ui, draw),
    }
}

fn tiles(layout: &mut Layout, ui: &mut Ui, draw: &mut dyn FnMut(&mut Ui, View)) {
    let (seen, folded) = groups(&layout.tree.tiles);
    if !folded.is_empty() {
        strip(layout, &folded, ui);
    }
    let mut behavior = Behavior { draw, can_fold: seen.len() > 1, clicked: None, wish: None };
    layout.tree.ui(&mut behavior, ui);
    let Behavior { clicked, wish, .. } = behavior;
    layout.current = clicked.or(layout.current);
    match wish {
        Some(Wish::Maximise(view)) => {
            show(layout, view);
            toggle_maximised(layout);
        }
        Some(Wish::Fold(group)) => fold_group(&mut layout.tree, group),
        None => {}
    }
}

/// The views of folded groups, one click from coming back.
fn strip(layout: &mut Layout, folded: &[TileId], ui: &mut Ui) {
    let frame = Frame::new().fill(theme::tokens(ui).surface).inner_margin(Margin::symmetric(8, 4));
    let mut wanted = None;
    Panel::bottom("folded views").frame(frame).show(ui, |ui| {
        ScrollArea::horizontal().show(ui, |ui| {
            ui.horizontal(|ui| {
                for (number, group) in folded.iter().enumerate() {
                    if number > 0 {
                        ui.separator();
                    }
                    for view in views_of(&layout.tree, *group) {
                        let button = ui.button(view.title).on_hover_text("Unfold this group of views");
                        wanted = button.clicked().then_some(view).or(wanted);
                    }
                }
            });
        });
    });
    if let Some(view) = wanted {
        show(layout, view);
    }
}

/// One view below the tabs of all.
fn maximised(layout: &mut Layout, view: View, ui: &mut Ui, draw: &mut dyn FnMut(&mut Ui, View)) {
    let frame = Frame::new().fill(theme::tokens(ui).surface).inner_margin(Margin::symmetric(8, 0));
    Panel::top("maximised view").exact_size(BAR).frame(frame).show(ui, |ui| {
        ui.horizontal_centered(|ui| {
            let back =
                icon_button(ui, Icon::Restore, &format!("Restore {}", view.title), "Give the room back (F11 or Esc)");
            let mut back = back.clicked();
            ScrollArea::horizontal().show(ui, |ui| {
                for other in View::all() {
                    let tab = ui.selectable_label(other == view, other.title);
                    back |= tab.double_clicked();
                    if tab.clicked() {
                        show(layout, other);
                    }
                }
            });
            if back {
                restore(layout);
            }
        });
    });
    pane(ui, view, draw);
}

/// The inside of a view with its margin. A place that is too small for it is scrolled.
fn pane(ui: &mut Ui, view: View, draw: &mut dyn FnMut(&mut Ui, View)) {
    Frame::new().fill(theme::ground(ui)).inner_margin(space::M).show(ui, |ui| {
        ui.take_available_space();
        anchor::note(ui, Anchor::View(view), ui.max_rect());
        keyboard_place(ui, view);
        // What is scrolled and zoomed stays so wherever the view is moved to.
        let here = UiBuilder::new().scope_id(id_of(view));
        ui.scope_builder(here, |ui| {
            let all = ui.available_size();
            ScrollArea::both().id_salt("too small").auto_shrink(false).show(ui, |ui| {
                // Without what a bar takes, where there is one: else the other direction would be scrolled by just that.
                let size = ui.available_size().min(all).max(LEAST);
                ui.allocate_ui_with_layout(size, UiLayout::top_down(Align::Min), |ui| {
                    ui.set_min_size(size);
                    ui.set_max_size(size);
                    draw(ui, view);
                });
            });
        });
    });
}

fn id_of(view: View) -> Id {
    Id::unique(("view", view.key))
}

/// Where the keyboard is when a view has it as a whole: the next field is the first one in the view.
fn place_of(view: View) -> Id {
    id_of(view).with("as a whole")
}

/// Lets the keyboard go on from a view that is drawn next.
pub(crate) fn enter(ctx: &egui::Context, view: View) {
    ctx.memory_mut(|memory| memory.request_focus(place_of(view)));
}

/// The view as a whole is a place of the keyboard only while it is there: it is no stop on the way from field to field.
fn keyboard_place(ui: &Ui, view: View) {
    let place = place_of(view);
    if ui.memory(|memory| memory.has_focus(place)) {
        let response = ui.interact(ui.max_rect(), place, egui::Sense::focusable_noninteractive());
        response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::TabPanel, true, view.title));
    }
}

/// What a small button of a bar does, drawn with lines: fonts lack these signs.
#[derive(Clone, Copy)]
enum Icon {
    Maximise,
    Restore,
    Fold,
}

fn icon_button(ui: &mut Ui, icon: Icon, name: &str, tooltip: &str) -> egui::Response {
    let button = ui.add(Button::new("").frame(false).min_size(Vec2::splat(22.0))).on_hover_text(tooltip);
    button.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, name));
    let tokens = theme::tokens(ui);
    let stroke = egui::Stroke::new(1.25, if button.hovered() { tokens.accent } else { tokens.muted });
    let at = egui::Rect::from_center_size(button.rect.center(), Vec2::splat(10.0));
    let frame = |at: egui::Rect| _ = ui.painter().rect_stroke(at, 1.0, stroke, egui::StrokeKind::Middle);
    match icon {
        Icon::Maximise => frame(at),
        Icon::Restore => frame(at.shrink(2.0)),
        Icon::Fold => _ = ui.painter().hline(at.x_range(), at.bottom(), stroke),
    }
    button
}

/// What the bar of a group was asked for.
enum Wish {
    Maximise(View),
    Fold(TileId),
}

struct Behavior<'a> {
    draw: &'a mut dyn FnMut(&mut Ui, View),
    can_fold: bool,
    /// The view that was clicked into.
    clicked: Option<View>,
    wish: Option<Wish>,
}

impl egui_tiles::Behavior<View> for Behavior<'_> {
    fn pane_ui(&mut self, ui: &mut Ui, _tile: TileId, view: &mut View) -> egui_tiles::UiResponse {
        if ui.input(|input| input.pointer.any_pressed()) && ui.rect_contains_pointer(ui.max_rect()) {
            self.clicked = Some(*view);
        }
        pane(ui, *view, self.draw);
        egui_tiles::UiResponse::None
    }

    fn tab_title_for_pane(&mut self, view: &View) -> egui::WidgetText {
        view.title.into()
    }

    fn on_tab_button(&mut self, tiles: &mut Tiles<View>, tile: TileId, tab: egui::Response) -> egui::Response {
        if let Some(Tile::Pane(view)) = tiles.get(tile) {
            if tab.double_clicked() {
                self.wish = Some(Wish::Maximise(*view));
            } else if tab.clicked() {
                self.clicked = Some(*view);
            }
        }
        tab
    }

    fn top_bar_right_ui(
        &mut self,
        tiles: &Tiles<View>,
        ui: &mut Ui,
        group: TileId,
        tabs: &Tabs,
        _scroll_offset: &mut f32,
    ) {
        let Some(view) = tabs.active.and_then(|tile| tiles.get_pane(&tile)) else { return };
        ui.add_space(space::S);
        let name = format!("Maximise {}", view.title);
        if icon_button(ui, Icon::Maximise, &name, "Give this view all the room (F11, or a double click on its tab)")
            .clicked()
        {
            self.wish = Some(Wish::Maximise(*view));
        }
        let name = format!("Fold {}", view.title);
        if self.can_fold && icon_button(ui, Icon::Fold, &name, "Fold this group of views to a strip below").clicked() {
            self.wish = Some(Wish::Fold(group));
        }
    }

    fn simplification_options(&self) -> egui_tiles::SimplificationOptions {
        egui_tiles::SimplificationOptions { all_panes_must_have_tabs: true, ..Default::default() }
    }

    fn tab_bar_height(&self, _style: &egui::Style) -> f32 {
        BAR
    }

    fn tab_title_spacing(&self, _visuals: &egui::Visuals) -> f32 {
        14.0
    }

    fn gap_width(&self, _style: &egui::Style) -> f32 {
        2.0
    }

    fn min_size(&self) -> f32 {
        220.0
    }

    fn tab_bar_color(&self, visuals: &egui::Visuals) -> egui::Color32 {
        visuals.window_fill
    }

    fn tab_bg_color(
        &self,
        visuals: &egui::Visuals,
        _: &Tiles<View>,
        _: TileId,
        state: &egui_tiles::TabState,
    ) -> egui::Color32 {
        if state.active { visuals.panel_fill } else { egui::Color32::TRANSPARENT }
    }

    fn tab_outline_stroke(
        &self,
        _: &egui::Visuals,
        _: &Tiles<View>,
        _: TileId,
        _: &egui_tiles::TabState,
    ) -> egui::Stroke {
        egui::Stroke::NONE
    }

    fn tab_text_color(
        &self,
        visuals: &egui::Visuals,
        _: &Tiles<View>,
        _: TileId,
        state: &egui_tiles::TabState,
    ) -> egui::Color32 {
        if state.active { visuals.text_color() } else { visuals.weak_text_color() }
    }

    fn resize_stroke(&self, style: &egui::Style, state: egui_tiles::ResizeState) -> egui::Stroke {
        let colour = match state {
            egui_tiles::ResizeState::Idle => style.visuals.widgets.noninteractive.bg_stroke.color,
            _ => style.visuals.selection.stroke.color,
        };
        egui::Stroke::new(self.gap_width(style), colour)
    }
}
