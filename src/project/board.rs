//! The board: figures that someone chose to show, in the order of the telling, each with its settings and the words beside it.

use serde::{Deserialize, Serialize};

use crate::data::Protocol;
use crate::measure::UserMetric;

/// What figures are asked for with. Which of it a figure takes, its entry in the list of figures says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
    /// The only stage, from 1, of figures that can be of one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stage: Option<usize>,
    /// Id of the only run, or name of the only experiment, of figures that are one a run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    /// Whether drift by stage has the moves of adapters beside it, for which every adapter of every run is read.
    pub adapter_moves: bool,
}

impl Default for FigureOptions {
    fn default() -> Self {
        Self {
            metric: UserMetric::default().to_string(),
            module: None,
            baseline: None,
            stage: None,
            run: None,
            adapter_moves: false,
        }
    }
}

/// A figure on the board.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PinnedFigure {
    /// Its name in the list of figures: `gains`.
    pub figure: String,
    #[serde(default)]
    pub options: FigureOptions,
    #[serde(default)]
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
