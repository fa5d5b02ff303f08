//! Edits of the board.

use super::changed;
use crate::project::Project;
use crate::project::board::PinnedFigure;

/// The project with another figure at the end of its board.
pub(crate) fn with_pinned(project: &Project, pinned: PinnedFigure) -> Project {
    changed(project, |project| project.board.push(pinned))
}

/// The project with this in the place of a figure of its board.
pub(crate) fn with_figure(project: &Project, place: usize, pinned: PinnedFigure) -> Project {
    changed(project, |project| {
        if let Some(figure) = project.board.get_mut(place) {
            *figure = pinned;
        }
    })
}

/// The project without a figure of its board.
pub(crate) fn without_figure(project: &Project, place: usize) -> Project {
    changed(project, |project| {
        if place < project.board.len() {
            project.board.remove(place);
        }
    })
}

/// The project with a figure of its board twice, the second behind the first.
pub(crate) fn with_copy(project: &Project, place: usize) -> Project {
    changed(project, |project| {
        if let Some(figure) = project.board.get(place).cloned() {
            project.board.insert(place + 1, figure);
        }
    })
}

/// The project with a figure of its board at another place, as places are after the move.
pub(crate) fn with_moved(project: &Project, from: usize, to: usize) -> Project {
    changed(project, |project| {
        if from < project.board.len() && to < project.board.len() {
            let figure = project.board.remove(from);
            project.board.insert(to, figure);
        }
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::data::Protocol;
    use crate::project::board::FigureOptions;
    use crate::project::edits::change::{Change, Place};
    use crate::project::file::DEMO;

    fn board(names: &[&str]) -> Project {
        let project = Project::parse(DEMO, Path::new("demo/project.ron")).unwrap();
        let pinned = |name: &&str| PinnedFigure::new(*name, FigureOptions::default(), Protocol::default());
        changed(&project, |project| project.board = names.iter().map(pinned).collect())
    }

    fn names(project: &Project) -> Vec<&str> {
        project.board.iter().map(|figure| figure.figure.as_str()).collect()
    }

    #[test]
    fn figures_are_moved_copied_and_removed_and_the_step_is_named_after_them() {
        let before = board(&["gains", "drift-map", "loss"]);
        let told = |after: &Project| Change::between(&before, after).map(|change| (change.words, change.place));
        let moved = with_moved(&before, 0, 2);
        assert_eq!(names(&moved), ["drift-map", "loss", "gains"]);
        assert_eq!(told(&moved), Some(("the order of the board".to_owned(), Place::Board(0))));
        let copied = with_copy(&before, 1);
        assert_eq!(names(&copied), ["gains", "drift-map", "drift-map", "loss"]);
        assert_eq!(told(&copied), Some(("pinning the drift map to the board".to_owned(), Place::Board(2))));
        let removed = without_figure(&before, 1);
        assert_eq!(names(&removed), ["gains", "loss"]);
        assert_eq!(told(&removed), Some(("removing the drift map from the board".to_owned(), Place::Board(1))));
        let titled = PinnedFigure { title: Some("Who wins".to_owned()), ..before.board[0].clone() };
        let titled = with_figure(&before, 0, titled);
        assert_eq!(told(&titled), Some(("the words on Who wins on the board".to_owned(), Place::Board(0))));
        let none = board(&[]);
        assert_eq!(with_moved(&none, 0, 1), none);
        assert_eq!(without_figure(&none, 0), none);
    }
}
