//! The leading directions of a module as arrows in space, of one run or of two in one space.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::adapters::module_words;
use super::context::FigureRun;
use super::meaning::meant;
use super::options::FigureOption;
use super::provenance::Provenance as _;
use super::space::scenes;
use super::spec::{FigureSpec, Make};
use crate::analysis::meaning;
use crate::analysis::subspace_report::{Arrow, Source, directions};
use crate::plot::{Body, Chart, Picture};
use crate::project::board::CameraView;
use crate::render::{Camera, Scene, arrows_picture};
use crate::subspace::Side;

pub static SPEC: FigureSpec = FigureSpec {
    name: "directions",
    aliases: &["space"],
    label: "Directions",
    title: "Directions in space",
    summary: "The leading directions of a module in space, stage by stage, of every run with adapters",
    tooltip: "The leading directions of a module in space, stage by stage; drag to turn, scroll to zoom",
    options: &[FigureOption::Module],
    alone: true,
    make: Make::Run(|context, run, options| {
        let Some(adapters) = context.adapters(run) else { return Ok(None) };
        let module = context.module(run, adapters.report, options)?;
        let side = options.side.unwrap_or(Side::Left);
        let shown: Vec<(&FigureRun, &[usize])> = [Some(run), context.beside(options)]
            .into_iter()
            .flatten()
            .filter_map(|run| Some((run, context.adapters(run)?.report.stages.as_slice())))
            .collect();
        let sources =
            shown.iter().flat_map(|(run, stages)| stages.iter().map(|&stage| Source { run: &run.folder, stage }));
        let sources: Vec<Source<'_>> = sources.collect();
        let modules = std::slice::from_ref(&module.name);
        let found = directions(&sources, modules, side, LEADING, &AtomicBool::new(false))?;
        let Some(found) = found else { return Ok(None) };
        let meaning = |of: usize, stage: usize, arrow: &Arrow| {
            let (run, _) = shown.get(of)?;
            let report = meaning::cached(&run.folder, stage, &module.name)?;
            meant(&report, arrow.index, side, arrow.reversed)
        };
        let (names, stages): (Vec<String>, Vec<&[usize]>) =
            shown.iter().map(|(run, stages)| (run.name.clone(), *stages)).unzip();
        let made = scenes(&found, &names, &stages, &meaning);
        let stage = options.stage.and_then(|stage| made.stages.iter().position(|found| *found == stage));
        let shown = stage.map_or(&made.all, |index| &made.by_stage[index]);
        let visible = 100.0 * found.explained.iter().sum::<f64>();
        let drawn = |scene: &Arc<Scene>| arrows_picture(Arc::clone(scene), camera(scene, options.camera));
        let pictures: Vec<(String, Picture)> = names.into_iter().zip(shown.iter().map(drawn)).collect();
        Ok(Some(
            pictured(
                format!("Directions: {}", module_words(module)),
                format!("{BASIS}. {visible:.0} % of it is visible"),
                pictures,
            )
            .synthetic(context.is_synthetic()),
        ))
    }),
};

/// Directions of a module that are drawn in space.
pub const LEADING: usize = 6;

/// How the axes are chosen.
pub const BASIS: &str = "The axes are the three orthogonal directions that hold most of the squared length of all arrows, of all stages and both runs, with the share that each holds; what lies across them is not seen";

/// A scene's camera, from where it was looked at; from where all of it is seen where there is no such place.
fn camera(scene: &Scene, view: Option<CameraView>) -> Camera {
    let home = scene.home();
    view.map_or(home, |view| {
        let CameraView { yaw, pitch, distance, target } = view;
        Camera { yaw, pitch, distance, target, ..home }
    })
}

/// Pictures beside each other, each under its name; the name of one alone is below the title.
pub fn pictured(title: String, caption: String, pictures: Vec<(String, Picture)>) -> Chart {
    let (subtitle, body) = match <[(String, Picture); 1]>::try_from(pictures) {
        Ok([(name, picture)]) => (Some(name), Body::Picture(picture)),
        Err(several) => (None, Body::Pictures(several)),
    };
    Chart { subtitle, caption: Some(caption), ..Chart::new(title, body) }
}
