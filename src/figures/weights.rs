//! The whole update of a module as a matrix of coloured cells.

use std::sync::Arc;

use super::adapters::module_words;
use super::directions::pictured;
use super::options::FigureOption;
use super::provenance::Provenance as _;
use super::spec::{FigureSpec, Make};
use crate::analysis::subspace_report::delta_weight;
use crate::error::InputError;
use crate::plot::series_style::ColourMap;
use crate::render::{Field, Matrix, Window, heat_map_picture};
use crate::run::RunFolder;

pub static SPEC: FigureSpec = FigureSpec {
    name: "weights",
    aliases: &["delta-w"],
    label: "ΔW",
    title: "Update of a weight",
    summary: "Every entry of a module's update after a stage, of every run with adapters",
    tooltip: "Every entry of a module's update; drag to pan, scroll to zoom",
    options: &[FigureOption::Module, FigureOption::Stage],
    alone: true,
    make: Make::Run(|context, run, options| {
        let Some(adapters) = context.adapters(run) else { return Ok(None) };
        let module = context.module(run, adapters.report, options)?;
        let stage = options.stage.or(adapters.report.stages.last().copied()).unwrap_or(1);
        let (mut names, mut fields) = (Vec::new(), Vec::new());
        for run in [Some(run), context.beside(options)].into_iter().flatten() {
            let since = options.beside_stage.map(|since| format!(" less stage {since}")).unwrap_or_default();
            names.push(format!("{}, stage {stage}{since}", run.name));
            fields.push(update(&run.folder, &module.name, stage, options.beside_stage)?);
        }
        let pictures = matrices(fields).into_iter().map(|matrix| {
            let window = Window::whole(&matrix.field);
            heat_map_picture(matrix, window)
        });
        let pictures = names.into_iter().zip(pictures).collect();
        let chart = pictured(format!("ΔW: {}", module_words(module)), CAPTION.to_owned(), pictures);
        Ok(Some(chart.synthetic(context.is_synthetic())))
    }),
};

/// What a cell is.
pub const CAPTION: &str = "Each cell is an entry of the update α/r · B A of the weight; where cells are smaller than dots, the one that is largest in size stands for its neighbours";

/// The update of a module after a stage, less that after another.
///
/// # Errors
/// [`InputError`] where the adapters cannot be read or are no numbers.
pub fn update(run: &RunFolder, module: &str, stage: usize, since: Option<usize>) -> Result<Arc<Field>, InputError> {
    let matrix = delta_weight(run, module, stage, since)?;
    let field = Field::new(matrix.rows, matrix.columns, matrix.values);
    let problem = |problem| InputError::new(run.path(), format!("`{module}` cannot be drawn: {problem}"));
    field.map(Arc::new).map_err(problem)
}

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
