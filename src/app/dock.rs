//! The views of an open project, in a dock that the user can rearrange.

use eframe::egui;
use egui_tiles::{Tile, TileId, Tiles, Tree};

use super::anchor::{self, Anchor};
use super::panels::view::{Home, View};
use super::theme;

/// Where the views are.
pub(crate) type Layout = Tree<View>;

/// The layout at first: experiments on the left, runs above the charts on the right.
pub(crate) fn default_layout() -> Layout {
    use egui_tiles::{Linear, LinearDir};
    let mut tiles = Tiles::default();
    let mut tabs = |home: Home| {
        let views = View::all().filter(|view| view.home == home);
        let panes = views.map(|view| tiles.insert_pane(view)).collect();
        tiles.insert_tab_tile(panes)
    };
    let [left, top, charts] = [Home::Left, Home::Top, Home::Charts].map(&mut tabs);
    let right = tiles.insert_container(Linear::new_binary(LinearDir::Vertical, [top, charts], 0.43));
    let root = tiles.insert_container(Linear::new_binary(LinearDir::Horizontal, [left, right], 0.28));
    Tree::new(egui::Id::unique("workbench dock"), root, tiles)
}

/// A layout of nothing, to stand in while the real one is drawn.
pub(crate) fn empty() -> Layout {
    Tree::empty(egui::Id::unique("workbench dock"))
}

/// The layout as text for a file; `None` only if it cannot be written down.
pub(crate) fn to_text(layout: &Layout) -> Option<String> {
    ron::ser::to_string(layout).ok()
}

/// The layout that `text` describes, if it is one that shows no view twice.
///
/// Views that it lacks are added beside their first neighbours: a layout that was saved before they existed goes on.
pub(crate) fn from_text(text: &str) -> Option<Layout> {
    let mut layout: Layout = ron::from_str(text).ok()?;
    let shown = |layout: &Layout, view: View| layout.tiles.tiles().filter(|tile| is_pane(tile, view)).count();
    let reachable = layout.root().is_some_and(|root| layout.tiles.get(root).is_some());
    if !reachable || View::all().any(|view| shown(&layout, view) > 1) {
        return None;
    }
    let missing: Vec<View> = View::all().filter(|&view| shown(&layout, view) == 0).collect();
    missing.into_iter().try_for_each(|view| add(&mut layout, view))?;
    Some(layout)
}

fn is_pane(tile: &Tile<View>, view: View) -> bool {
    matches!(tile, Tile::Pane(pane) if *pane == view)
}

/// Adds a view behind the tabs of one that stands at the same place at first, or those of any other view.
fn add(layout: &mut Layout, view: View) -> Option<()> {
    let find = |wanted: View| layout.tiles.iter().find(|(_, tile)| is_pane(tile, wanted)).map(|(&id, _)| id);
    let neighbour = View::all().filter(|other| other.home == view.home).chain(View::all()).find_map(find)?;
    let place = layout.tiles.parent_of(neighbour);
    let pane = layout.tiles.insert_pane(view);
    match place.and_then(|id| layout.tiles.get_mut(id)) {
        Some(Tile::Container(egui_tiles::Container::Tabs(tabs))) => tabs.add_child(pane),
        Some(Tile::Container(container)) => container.add_child(pane),
        _ => return None,
    }
    Some(())
}

/// Brings a view to the front.
pub(crate) fn show(layout: &mut Layout, view: View) {
    layout.make_active(|_, tile| matches!(tile, Tile::Pane(pane) if *pane == view));
}

/// Draws the dock; `draw` draws the inside of a view.
pub(crate) fn ui(layout: &mut Layout, ui: &mut egui::Ui, draw: &mut dyn FnMut(&mut egui::Ui, View)) {
    layout.ui(&mut Behavior { draw }, ui);
}

struct Behavior<'a> {
    draw: &'a mut dyn FnMut(&mut egui::Ui, View),
}

impl egui_tiles::Behavior<View> for Behavior<'_> {
    fn pane_ui(&mut self, ui: &mut egui::Ui, _tile: TileId, view: &mut View) -> egui_tiles::UiResponse {
        let tokens = theme::tokens(ui);
        egui::Frame::new().fill(tokens.background).inner_margin(theme::space::M).show(ui, |ui| {
            ui.take_available_space();
            anchor::note(ui, Anchor::View(*view), ui.max_rect());
            (self.draw)(ui, *view);
        });
        egui_tiles::UiResponse::None
    }

    fn tab_title_for_pane(&mut self, view: &View) -> egui::WidgetText {
        view.title.into()
    }

    fn simplification_options(&self) -> egui_tiles::SimplificationOptions {
        egui_tiles::SimplificationOptions { all_panes_must_have_tabs: true, ..Default::default() }
    }

    fn tab_bar_height(&self, _style: &egui::Style) -> f32 {
        34.0
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_layout_survives_its_file_and_a_damaged_one_is_refused() {
        let mut layout = default_layout();
        let compare = View::all().find(|view| view.key == "Compare").unwrap();
        show(&mut layout, compare);
        let text = to_text(&layout).unwrap();
        assert_eq!(from_text(&text), Some(layout));
        assert_eq!(from_text(""), None);
        assert_eq!(from_text(&text.replace("Compare", "Live")), None, "a view is there twice");
    }

    #[test]
    fn a_layout_of_before_a_view_existed_gets_it_beside_its_neighbours() {
        let mut tiles = Tiles::default();
        let mut tabs = |views: &[View]| {
            let panes = views.iter().map(|&view| tiles.insert_pane(view)).collect();
            tiles.insert_tab_tile(panes)
        };
        let of = |keys: &[&str]| View::all().filter(|view| keys.contains(&view.key)).collect::<Vec<_>>();
        let [first, second] = [tabs(&of(&["Experiments", "Runs", "Log"])), tabs(&of(&["Live", "Compare"]))];
        let root = tiles.insert_horizontal_tile(vec![first, second]);
        let old = Tree::new(egui::Id::unique("workbench dock"), root, tiles);
        let mut layout = from_text(&to_text(&old).unwrap()).unwrap();
        for view in View::all() {
            assert_eq!(layout.tiles.tiles().filter(|tile| is_pane(tile, view)).count(), 1, "{view:?}");
        }
        let beside: Vec<_> = match layout.tiles.get(second) {
            Some(Tile::Container(container)) => container.children().copied().collect(),
            other => panic!("no tabs: {other:?}"),
        };
        assert_eq!(beside.len(), View::all().count() - 3, "all but those that stood elsewhere");
        let drift = of(&["Drift"])[0];
        show(&mut layout, drift);
        assert!(layout.active_tiles().iter().any(|&id| is_pane(layout.tiles.get(id).unwrap(), drift)));
    }
}
