//! How strong each direction of a module's update is.

use super::adapters::{AdapterStage, find, stage_words, subtitle};
use super::options::FigureOption;
use super::provenance::Provenance as _;
use super::spec::{FigureSpec, Make};
use crate::plot::{Axis, Body, Chart, Lines, Point, Series, SeriesStyle};

pub static SPEC: FigureSpec = FigureSpec {
    name: "spectra",
    aliases: &[],
    label: "Spectra",
    title: "Singular values of ΔW",
    summary: "Singular values of a module's update in every stage, of every run with adapters",
    tooltip: "How strong each direction of a module's update is",
    options: &[FigureOption::Module],
    alone: false,
    make: Make::Run(|context, run, options| {
        let Some(adapters) = context.adapters(run) else { return Ok(None) };
        let module = context.module(run, adapters.report, options)?;
        Ok(Some(spectra(&context.adapter_stages(run, options), &module.name, context.is_synthetic())))
    }),
};

/// The singular values of a module's update in each of the stages that are shown, one line each.
pub fn spectra(shown: &[AdapterStage<'_>], module: &str, synthetic: bool) -> Chart {
    let title = SPEC.title;
    let line = |(slot, shown): (usize, &AdapterStage<'_>)| {
        let (_, stage) = find(shown, module)?;
        let values = stage.singular_values.iter().take(stage.rank.max(1)).zip(1_u32..);
        let points = values.map(|(&value, number)| Point::new(f64::from(number), value)).collect();
        Some(Series {
            name: format!("{} (effective rank {:.1})", stage_words(shown), stage.effective_rank),
            points,
            style: SeriesStyle::method(slot),
        })
    };
    let series: Vec<Series> = shown.iter().enumerate().filter_map(line).collect();
    if series.iter().all(|series| series.points.is_empty()) {
        return Chart::empty(title, "No adapter of this module is there yet: it appears when a stage is trained")
            .synthetic(synthetic);
    }
    let lines = Lines { x: Axis::whole("Direction"), y: Axis::new("Singular value"), series, boundaries: Vec::new() };
    let caption = "The longer a line stays up, the more directions of the weight the update uses";
    Chart {
        subtitle: subtitle(shown, module),
        caption: Some(caption.to_owned()),
        ..Chart::new(title, Body::Lines(lines))
    }
    .synthetic(synthetic)
    .of("module", module)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::adapters::fixture::report;

    #[test]
    fn spectra_leave_rounding_out() {
        let report = report();
        let shown = AdapterStage { report: &report, run: "PESO", stage: 2 };
        let spectra = spectra(&[shown], "model.layers.1.self_attn.q_proj", false);
        let Body::Lines(lines) = &spectra.body else { panic!("no lines") };
        assert_eq!(lines.series[0].points, [Point::new(1.0, 2.0), Point::new(2.0, 1.0)]);
        assert_eq!(spectra.subtitle.as_deref(), Some("Layer 2, q"));
    }
}
