//! The whole update of a module as a matrix of coloured cells.

use std::sync::Arc;

use crate::plot::series_style::ColourMap;
use crate::render::{Field, Matrix};

/// The updates of runs or stages in one range of colours around 0.
pub fn matrices(updates: Vec<Arc<Field>>) -> Vec<Arc<Matrix>> {
    let reach = updates.iter().map(|field| field.around_zero()[1]).fold(0.0, f32::max);
    let matrix = |field| Matrix {
        field,
        row_label: "Output".to_owned(),
        column_label: "Input".to_owned(),
        value_label: "ΔW".to_owned(),
        map: ColourMap::Diverging,
        range: [-reach, reach],
    };
    updates.into_iter().map(matrix).map(Arc::new).collect()
}
