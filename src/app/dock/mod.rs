//! The views of an open project, in a dock that the user can rearrange: `arrangement` has the layouts there are at first,
//! `drawing` draws them.

mod arrangement;
mod drawing;

use eframe::egui;
use egui_tiles::{Container, Tile, TileId, Tiles, Tree};
use serde::{Deserialize, Serialize};

pub(crate) use self::arrangement::Arrangement;
pub(crate) use self::drawing::{enter, ui};
use super::panels::view::{Home, View};

/// Where the views are, and which one the user is at.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    tree: Tree<View>,
    /// The view that was last brought to the front or clicked into.
    current: Option<View>,
    /// Whether the current view has all the room.
    maximised: bool,
}

/// A layout that the user has given a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct NamedLayout {
    pub(crate) name: String,
    /// As [`to_text`] writes it.
    pub(crate) layout: String,
}

/// What is to be done with a named layout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NamedLayoutAction {
    Use(String),
    /// Keep the layout as it is now under a name, in place of the one that has it.
    Save(String),
    Delete(String),
}

/// Which tab comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Step {
    Next,
    Previous,
}

impl From<Tree<View>> for Layout {
    fn from(tree: Tree<View>) -> Self {
        Self { tree, current: None, maximised: false }
    }
}

/// A layout of nothing, to stand in while the real one is drawn.
pub(crate) fn empty() -> Layout {
    Tree::empty(id()).into()
}

fn id() -> egui::Id {
    egui::Id::unique("workbench dock")
}

/// The layout as text for a file; `None` only if it cannot be written down.
pub(crate) fn to_text(layout: &Layout) -> Option<String> {
    ron::ser::to_string(&layout.tree).ok()
}

/// The layout that `text` describes, if it is one that shows no view twice.
///
/// Views that it lacks are added beside their first neighbours: a layout that was saved before they existed goes on.
pub(crate) fn from_text(text: &str) -> Option<Layout> {
    let mut tree: Tree<View> = ron::from_str(text).ok()?;
    let shown = |tree: &Tree<View>, view: View| tree.tiles.tiles().filter(|tile| is_pane(tile, view)).count();
    let reachable = tree.root().is_some_and(|root| tree.tiles.get(root).is_some());
    if !reachable || View::all().any(|view| shown(&tree, view) > 1) {
        return None;
    }
    let missing: Vec<View> = View::all().filter(|&view| shown(&tree, view) == 0).collect();
    missing.into_iter().try_for_each(|view| add(&mut tree, view))?;
    Some(tree.into())
}

fn is_pane(tile: &Tile<View>, view: View) -> bool {
    matches!(tile, Tile::Pane(pane) if *pane == view)
}

/// Adds a view behind the tabs of one that stands at the same place at first, or those of any other view.
fn add(tree: &mut Tree<View>, view: View) -> Option<()> {
    let find = |wanted: View| tree.tiles.find_pane(&wanted);
    let neighbour = View::all().filter(|other| other.home == view.home).chain(View::all()).find_map(find)?;
    let place = tree.tiles.parent_of(neighbour);
    let pane = tree.tiles.insert_pane(view);
    match place.and_then(|id| tree.tiles.get_mut(id)) {
        Some(Tile::Container(Container::Tabs(tabs))) => tabs.add_child(pane),
        Some(Tile::Container(container)) => container.add_child(pane),
        _ => return None,
    }
    Some(())
}

/// Brings a view to the front, unfolded.
pub(crate) fn show(layout: &mut Layout, view: View) {
    layout.current = Some(view);
    let mut above = layout.tree.tiles.find_pane(&view);
    while let Some(tile) = above {
        layout.tree.set_visible(tile, true);
        above = layout.tree.tiles.parent_of(tile);
    }
    layout.tree.make_active(|_, tile| is_pane(tile, view));
}

/// The view that the user is at: the one last clicked into, if it can be seen; else a chart, else any.
pub(crate) fn current(layout: &Layout) -> Option<View> {
    let active = layout.tree.active_tiles();
    let seen: Vec<View> = active.iter().filter_map(|id| layout.tree.tiles.get_pane(id)).copied().collect();
    let chosen = layout.current.filter(|view| seen.contains(view));
    chosen.or_else(|| seen.iter().find(|view| view.home == Home::Charts).or(seen.first()).copied())
}

/// Gives the current view all the room, or gives it back.
pub(crate) fn toggle_maximised(layout: &mut Layout) {
    layout.current = current(layout);
    layout.maximised = !layout.maximised && layout.current.is_some();
}

/// Gives the room back, if one view has all of it.
pub(crate) fn restore(layout: &mut Layout) -> bool {
    std::mem::replace(&mut layout.maximised, false)
}

/// Brings the tab beside the current one to the front: of its group, or of all where it has all the room.
pub(crate) fn step(layout: &mut Layout, step: Step) {
    let Some(view) = current(layout) else { return };
    let group = if layout.maximised { View::all().collect() } else { beside(&layout.tree, view) };
    let Some(place) = group.iter().position(|other| *other == view) else { return };
    let to = match step {
        Step::Next => place + 1,
        Step::Previous => place + group.len() - 1,
    };
    show(layout, group[to % group.len()]);
}

/// The views in the tabs of a view, with it.
fn beside(tree: &Tree<View>, view: View) -> Vec<View> {
    let group = tree.tiles.find_pane(&view).and_then(|pane| tree.tiles.parent_of(pane));
    group.map_or_else(Vec::new, |group| views_of(tree, group))
}

/// The views in a group of tabs.
fn views_of(tree: &Tree<View>, group: TileId) -> Vec<View> {
    let children = tree.tiles.get_container(group).into_iter().flat_map(Container::children);
    children.filter_map(|child| tree.tiles.get_pane(child)).copied().collect()
}

/// The groups of tabs, in the order of their first views: those that can be seen, and those that are folded.
fn groups(tiles: &Tiles<View>) -> (Vec<TileId>, Vec<TileId>) {
    let mut groups: Vec<TileId> = Vec::new();
    for view in View::all() {
        let group = tiles.find_pane(&view).and_then(|pane| tiles.parent_of(pane));
        groups.extend(group.filter(|group| !groups.contains(group)));
    }
    groups.into_iter().partition(|group| tiles.is_visible(*group))
}

/// Folds the group of tabs that the current view is in, unless it is the last one that can be seen.
pub(crate) fn fold(layout: &mut Layout) {
    let pane = current(layout).and_then(|view| layout.tree.tiles.find_pane(&view));
    if let Some(group) = pane.and_then(|pane| layout.tree.tiles.parent_of(pane)) {
        fold_group(&mut layout.tree, group);
    }
}

fn fold_group(tree: &mut Tree<View>, group: TileId) {
    if groups(&tree.tiles).0.iter().any(|other| *other != group) {
        tree.set_visible(group, false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_layout_survives_its_file_and_a_damaged_one_is_refused() {
        let mut layout = Arrangement::Explore.layout();
        let compare = View::all().find(|view| view.key == "Compare").unwrap();
        show(&mut layout, compare);
        let text = to_text(&layout).unwrap();
        assert_eq!(from_text(&text).unwrap().tree, layout.tree);
        assert!(from_text("").is_none());
        assert!(from_text(&text.replace("Compare", "Live")).is_none(), "a view is there twice");
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
        let old = Tree::new(id(), root, tiles);
        let mut layout = from_text(&to_text(&old.into()).unwrap()).unwrap();
        for view in View::all() {
            assert_eq!(layout.tree.tiles.tiles().filter(|tile| is_pane(tile, view)).count(), 1, "{view:?}");
        }
        let beside: Vec<_> = match layout.tree.tiles.get(second) {
            Some(Tile::Container(container)) => container.children().copied().collect(),
            other => panic!("no tabs: {other:?}"),
        };
        assert_eq!(beside.len(), View::all().count() - 3, "all but those that stood elsewhere");
        let drift = of(&["Drift"])[0];
        show(&mut layout, drift);
        assert!(layout.tree.active_tiles().iter().any(|&id| is_pane(layout.tree.tiles.get(id).unwrap(), drift)));
    }

    fn view(key: &str) -> View {
        View::all().find(|view| view.key == key).unwrap()
    }

    #[test]
    fn a_folded_group_comes_back_with_its_views_and_the_last_one_cannot_be_folded() {
        let mut layout = Arrangement::Explore.layout();
        show(&mut layout, view("Runs"));
        fold(&mut layout);
        assert_eq!(current(&layout), Some(view("Live")), "what is folded is nobody's current view");
        let kept = from_text(&to_text(&layout).unwrap()).unwrap();
        assert_eq!(groups(&kept.tree.tiles).1.len(), 1, "it stays folded in the file");
        fold(&mut layout);
        fold(&mut layout);
        assert_eq!(groups(&layout.tree.tiles).0.len(), 1);
        show(&mut layout, view("Runs"));
        assert_eq!(current(&layout), Some(view("Runs")));
    }

    #[test]
    fn steps_go_round_the_tabs_of_a_group_and_all_views_where_one_has_all_the_room() {
        let mut layout = Arrangement::Explore.layout();
        show(&mut layout, view("Live"));
        step(&mut layout, Step::Next);
        assert_eq!(current(&layout), Some(view("Compare")));
        step(&mut layout, Step::Previous);
        step(&mut layout, Step::Previous);
        assert_eq!(current(&layout), Some(view("Board")), "the last of its group");
        toggle_maximised(&mut layout);
        step(&mut layout, Step::Next);
        assert_eq!(current(&layout), Some(view("Experiments")), "the first of all");
        assert!(restore(&mut layout) && !restore(&mut layout));
    }

    #[test]
    fn every_arrangement_has_every_view_once() {
        for arrangement in Arrangement::ALL {
            let layout = arrangement.layout();
            let panes = |view| layout.tree.tiles.tiles().filter(|tile| is_pane(tile, view)).count();
            assert!(View::all().all(|view| panes(view) == 1), "{arrangement:?}");
        }
    }
}
