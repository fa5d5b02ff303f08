//! How experiments are drawn in every chart: a colour and a marker each, which stay theirs whatever comes or goes beside them.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::Project;
use crate::seeds;

/// What an experiment is drawn with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExperimentStyle {
    pub colour: Colour,
    pub marker: Marker,
}

/// The colours of Okabe and Ito without the yellow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Colour {
    Blue,
    Orange,
    Green,
    Pink,
    Amber,
    Sky,
    /// On a dark ground white.
    Black,
}

/// The mark on a point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Marker {
    Circle,
    Square,
    TriangleUp,
    Diamond,
    TriangleDown,
}

impl Colour {
    /// In the order in which experiments take them.
    pub const ALL: [Self; 7] = [Self::Blue, Self::Orange, Self::Green, Self::Pink, Self::Amber, Self::Sky, Self::Black];
}

impl Marker {
    /// In the order in which experiments take them.
    pub const ALL: [Self; 5] = [Self::Circle, Self::Square, Self::TriangleUp, Self::Diamond, Self::TriangleDown];
}

/// Pairs of a colour and a marker, which experiments have.
const PAIRS: usize = Colour::ALL.len() * Marker::ALL.len();
/// Series that can be told apart by colour, marker and dash together. Those beyond the pairs are for what is no experiment.
const DISTINCT: usize = 4 * PAIRS;

impl ExperimentStyle {
    /// The pair at a place of the order in which experiments take them; places beyond the last pair begin anew.
    pub fn at(slot: usize) -> Self {
        Self { colour: Colour::ALL[slot % Colour::ALL.len()], marker: Marker::ALL[slot % Marker::ALL.len()] }
    }

    /// Its place in that order: colours and markers are of coprime number, so that each pair has one.
    pub fn slot(self) -> usize {
        (0..PAIRS).find(|&slot| Self::at(slot) == self).unwrap_or(0)
    }
}

/// Which slot of the palette each name is drawn with. It depends on the project alone, never on what is shown.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StyleSlots(BTreeMap<String, usize>);

impl StyleSlots {
    /// The slot of an experiment, or of what runs are left of one that the project no longer has.
    pub fn of(&self, experiment: &str) -> usize {
        self.0.get(experiment).copied().unwrap_or_else(|| beyond(experiment))
    }
}

/// A slot that no experiment has, by name.
fn beyond(name: &str) -> usize {
    PAIRS + (seeds::derive(0, &["series style", name]) % (DISTINCT - PAIRS) as u64) as usize
}

impl Project {
    /// The slots of all names: those of the file; then, in order, the first free pair for each experiment that has none there;
    /// then for each point of a sweep one that its name says, or the next that is free.
    pub fn style_slots(&self) -> StyleSlots {
        let mut slots: BTreeMap<String, usize> =
            self.styles.iter().map(|(name, style)| (name.clone(), style.slot())).collect();
        let mut taken: BTreeSet<usize> = slots.values().copied().collect();
        for experiment in self.experiments.iter().filter(|experiment| !self.styles.contains_key(&experiment.name)) {
            let free = (0..PAIRS).find(|slot| !taken.contains(slot));
            let slot = free.unwrap_or_else(|| beyond(&experiment.name) % PAIRS);
            taken.insert(slot);
            slots.insert(experiment.name.clone(), slot);
        }
        // Of a sweep that cannot be used no point is run either.
        for point in self.variants().unwrap_or_default() {
            let name = point.experiment.name;
            slots.entry(name).or_insert_with_key(|name| {
                let wanted = beyond(name);
                let mut next = (0..DISTINCT - PAIRS).map(|step| PAIRS + (wanted - PAIRS + step) % (DISTINCT - PAIRS));
                let slot = next.find(|slot| !taken.contains(slot)).unwrap_or(wanted);
                taken.insert(slot);
                slot
            });
        }
        StyleSlots(slots)
    }

    /// Writes down what each experiment is drawn with, so that it stays so when others come and go. An experiment that is
    /// removed keeps its entry, as its runs stay.
    pub(crate) fn keep_styles(&mut self) {
        let slots = self.style_slots();
        for experiment in &self.experiments {
            let style = ExperimentStyle::at(slots.of(&experiment.name));
            self.styles.entry(experiment.name.clone()).or_insert(style);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::project::file::{DEMO, to_ron};

    fn demo(styles: &str) -> Project {
        let text = DEMO.replace("seeds: [42],", &format!("{styles} seeds: [42],"));
        Project::parse(&text, Path::new("demo/project.ron")).unwrap()
    }

    #[test]
    fn every_pair_of_colour_and_marker_has_one_slot() {
        let pairs = Colour::ALL.iter().flat_map(|&colour| Marker::ALL.map(|marker| ExperimentStyle { colour, marker }));
        let slots: BTreeSet<usize> = pairs.map(ExperimentStyle::slot).collect();
        assert_eq!(slots, (0..PAIRS).collect());
    }

    #[test]
    fn old_files_have_slots_by_order_and_set_ones_are_not_given_again() {
        let old = demo("");
        let names: Vec<&str> = old.experiments.iter().map(|experiment| experiment.name.as_str()).collect();
        assert_eq!(names.iter().map(|name| old.style_slots().of(name)).collect::<Vec<_>>(), [0, 1, 2, 3]);
        assert!(!to_ron(&old, Path::new("")).unwrap().contains("styles"), "nothing is written that nobody set");

        let set = demo("styles: {\"PESO\": (colour: Orange, marker: Square)},");
        let slots = set.style_slots();
        assert_eq!(names.iter().map(|name| slots.of(name)).collect::<Vec<_>>(), [1, 0, 2, 3]);
        let again = Project::parse(&to_ron(&set, Path::new("")).unwrap(), Path::new("project.ron")).unwrap();
        assert_eq!(again.styles, set.styles);
    }

    #[test]
    fn points_of_sweeps_lie_beyond_all_experiments_and_do_not_move_with_them() {
        let sweep =
            "sweeps: [(experiment: \"PESO\", options: [(option: \"lambda\", values: [0.5, 1, 4, 8, 16, 32])])],";
        let project = demo(sweep);
        let points = |project: &Project| -> Vec<usize> {
            let (slots, variants) = (project.style_slots(), project.variants().unwrap());
            let points = variants.iter().filter(|variant| variant.experiment.name != variant.of);
            points.map(|variant| slots.of(&variant.experiment.name)).collect()
        };
        let before = points(&project);
        assert!(before.iter().all(|slot| (PAIRS..DISTINCT).contains(slot)), "{before:?}");
        assert_eq!(before.iter().collect::<BTreeSet<_>>().len(), 6, "no two are alike: {before:?}");
        let mut fewer = project;
        fewer.experiments.truncate(1);
        assert_eq!(points(&fewer), before);
    }
}
