//! The board: figures that someone chose to show, in the order of the telling, each with its settings and the words beside it.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::data::Protocol;
use crate::measure::{Dimension, Slice, UserMetric};
use crate::subspace::Side;

/// What figures are asked for with. Which of it a figure takes, its entry in the list of figures says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FigureOptions {
    /// `ndcg@10_corrected`.
    pub metric: String,
    /// The end of a module's name; the one with the largest update where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub module: Option<String>,
    /// Name of the line that gains are over; the usual one where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub baseline: Option<String>,
    /// Name of the experiment whose gain a map shows; the usual one where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// Paths of the swept options that go across and down a map: `dataset.drift`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub x: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub y: Option<String>,
    /// Values at which a map holds further swept options, which it else averages over.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub at: BTreeMap<String, String>,
    /// The only stage, from 1, of figures that can be of one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stage: Option<usize>,
    /// Id of the only run, or name of the only experiment, of figures that are one a run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    /// The run or experiment beside it, of figures that hold two against each other.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub beside: Option<String>,
    /// Another stage of the run beside it, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub beside_stage: Option<usize>,
    /// Ids of the runs that are shown, of figures of several; all where there are none.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub runs: BTreeSet<String>,
    /// Which of its kinds a figure shows, where it has several: what the colours of a map are, what a list is measured by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
    /// Whether drift by stage has the moves of adapters beside it, for which every adapter of every run is read.
    #[serde(skip_serializing_if = "is_false")]
    pub adapter_moves: bool,
    /// Whether lines are over their own seeds, instead of over those that all have.
    #[serde(skip_serializing_if = "is_false")]
    pub all_seeds: bool,
    /// Metrics of a table beside the first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub more_metrics: Vec<String>,
    /// What slices are of; all kinds where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slices_of: Option<Dimension>,
    /// The only slice, of figures that can be of one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slice: Option<Slice>,
    /// What users are grouped by: `activity`, `tenure`, `taste`, or a table and a column as `users.csv:gender`; the usual
    /// where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grouping: Option<String>,
    /// What users may lose at most, in the metric's unit; the usual limit where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub loss: Option<f64>,
    /// Of what is claimed, between 0 and 1; the usual one of the figure where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confidence: Option<f64>,
    /// The stage that later ones are held against, from 1; the usual one where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<usize>,
    /// The user, by the name that the data have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Ids of the items of a history that somebody made up, oldest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub history: Vec<String>,
    /// Lists for such a history hold only items that this many stages up to the stage brought; all items where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new_items: Option<usize>,
    /// The singular vectors that are looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub side: Option<Side>,
    /// A direction of the module, from 1; the strongest where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub direction: Option<usize>,
    /// Where a scene in space is seen from; from where all of it is seen where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub camera: Option<CameraView>,
    /// The only chart, by its name, of a figure that makes several: `cost-seconds`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chart: Option<String>,
    /// Names of lines that the legend hides.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub hidden: BTreeSet<String>,
}

fn is_usual(protocol: &Protocol) -> bool {
    *protocol == Protocol::default()
}

fn is_false(switch: &bool) -> bool {
    !switch
}

/// Where a scene is seen from, as a camera has it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CameraView {
    /// Angles around the vertical axis and above the horizon, in radians.
    pub yaw: f32,
    pub pitch: f32,
    /// From the target, in units of the scene.
    pub distance: f32,
    pub target: [f32; 3],
}

impl Default for FigureOptions {
    fn default() -> Self {
        Self {
            metric: UserMetric::default().to_string(),
            module: None,
            baseline: None,
            method: None,
            x: None,
            y: None,
            at: BTreeMap::new(),
            stage: None,
            run: None,
            beside: None,
            beside_stage: None,
            runs: BTreeSet::new(),
            variant: None,
            adapter_moves: false,
            all_seeds: false,
            more_metrics: Vec::new(),
            slices_of: None,
            slice: None,
            grouping: None,
            loss: None,
            confidence: None,
            reference: None,
            user: None,
            history: Vec::new(),
            new_items: None,
            side: None,
            direction: None,
            camera: None,
            chart: None,
            hidden: BTreeSet::new(),
        }
    }
}

/// A figure on the board.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PinnedFigure {
    /// Its name in the list of figures: `gains`.
    pub figure: String,
    #[serde(default)]
    pub options: FigureOptions,
    #[serde(default, skip_serializing_if = "is_usual")]
    pub protocol: Protocol,
    /// Instead of the figure's own title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// What it tells, below it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub caption: String,
    /// For the one who speaks, not for the room.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
    #[serde(default)]
    pub size: FigureSize,
    /// The runs that it showed when someone last looked at what it is made of, by id, with their finished stages.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub seen: BTreeMap<String, usize>,
}

impl PinnedFigure {
    /// A figure of this name, without words of its own.
    pub fn new(figure: impl Into<String>, options: FigureOptions, protocol: Protocol) -> Self {
        Self {
            figure: figure.into(),
            options,
            protocol,
            title: None,
            caption: String::new(),
            note: String::new(),
            size: FigureSize::default(),
            seen: BTreeMap::new(),
        }
    }
}

/// For where a figure is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum FigureSize {
    /// 16:9.
    #[default]
    Slide,
    /// Of a paper.
    Column,
    /// The whole width of a paper's page.
    Page,
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::project::Project;
    use crate::project::file::{DEMO, to_ron};

    #[test]
    fn a_board_is_read_as_it_was_written_and_what_is_usual_is_not_written() {
        let mut project = Project::parse(DEMO, Path::new("demo/project.ron")).unwrap();
        assert!(!to_ron(&project, Path::new("x")).unwrap().contains("board"));
        let camera = Some(CameraView { yaw: 0.5, pitch: 0.25, distance: 3.0, target: [0.0; 3] });
        let hidden = BTreeSet::from(["Frozen".to_owned()]);
        let options = FigureOptions { camera, hidden, side: Some(Side::Left), ..FigureOptions::default() };
        let plain = PinnedFigure::new("gains", FigureOptions::default(), Protocol::NextBlock);
        let seen = BTreeMap::from([("peso-s1".to_owned(), 3)]);
        project.board = vec![plain, PinnedFigure { seen, ..PinnedFigure::new("space", options, Protocol::SameBlock) }];
        let text = to_ron(&project, Path::new("x")).unwrap();
        assert_eq!(Project::parse(&text, Path::new("x")).unwrap().board, project.board, "{text}");
        let brief = "(figure: \"gains\")";
        let read: PinnedFigure = ron::from_str(brief).unwrap();
        assert_eq!(read, PinnedFigure::new("gains", FigureOptions::default(), Protocol::SameBlock));
    }
}
