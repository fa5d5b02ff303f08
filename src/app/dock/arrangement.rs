//! The layouts that there are at first.

use egui_tiles::{Linear, LinearDir, TileId, Tiles, Tree};

use super::{Layout, View, id, show};
use crate::app::panels::view::Home;

/// A layout for a kind of work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Arrangement {
    /// Experiments on the left, runs above the charts on the right: the one at first.
    Explore,
    /// Two charts side by side.
    Compare,
    /// One view with all the room.
    Present,
}

impl Arrangement {
    pub(crate) const ALL: [Self; 3] = [Self::Explore, Self::Compare, Self::Present];

    /// The name of its command.
    pub(crate) const fn text(self) -> &'static str {
        match self {
            Self::Explore => "Layout to explore",
            Self::Compare => "Layout to compare",
            Self::Present => "Layout to present",
        }
    }

    pub(crate) const fn tooltip(self) -> &'static str {
        match self {
            Self::Explore => "Experiments, runs and charts in view at once, as at first",
            Self::Compare => "Two charts side by side, each as high as the window",
            Self::Present => "One view at a time, with all the room",
        }
    }

    /// Its views in their places.
    pub(crate) fn layout(self) -> Layout {
        let mut tiles = Tiles::default();
        let root = match self {
            Self::Explore => explore(&mut tiles),
            Self::Compare => compare(&mut tiles),
            Self::Present => tabs(&mut tiles, |_| true),
        };
        let mut layout = Layout::from(Tree::new(id(), root, tiles));
        if let (Self::Compare | Self::Present, Some(view)) = (self, find("Compare")) {
            show(&mut layout, view);
        }
        layout
    }
}

fn find(key: &str) -> Option<View> {
    View::all().find(|view| view.key == key)
}

/// A group of tabs of some views.
fn tabs(tiles: &mut Tiles<View>, of: impl Fn(View) -> bool) -> TileId {
    let panes = View::all().filter(|view| of(*view)).map(|view| tiles.insert_pane(view)).collect();
    tiles.insert_tab_tile(panes)
}

fn explore(tiles: &mut Tiles<View>) -> TileId {
    let [left, top, charts] = [Home::Left, Home::Top, Home::Charts].map(|home| tabs(tiles, |view| view.home == home));
    let right = tiles.insert_container(Linear::new_binary(LinearDir::Vertical, [top, charts], 0.43));
    tiles.insert_container(Linear::new_binary(LinearDir::Horizontal, [left, right], 0.28))
}

/// What is about results on the left, what is about users, directions and data on the right.
fn compare(tiles: &mut Tiles<View>) -> TileId {
    let is_left = |view: View| view.home != Home::Charts || ["Live", "Compare"].contains(&view.key);
    let (left, right) = (tabs(tiles, is_left), tabs(tiles, |view| !is_left(view)));
    tiles.insert_container(Linear::new_binary(LinearDir::Horizontal, [left, right], 0.5))
}
