//! Where the first step of a stage would undo the last one: how gradient surgery found both, module by module.

use std::collections::{BTreeMap, BTreeSet};

use super::adapters::projection_words;
use super::provenance::Provenance as _;
use super::spec::{FigureSpec, Make};
use crate::method::gradient_surgery::Meeting;
use crate::model::Adapter;
use crate::model::config::PROJECTIONS;
use crate::plot::{Axis, Body, Chart, HeatMap, Panel, scale};
use crate::train::stage_artifacts::read_meetings;

pub static SPEC: FigureSpec = FigureSpec {
    name: "conflicts",
    aliases: &["surgery"],
    label: "Conflicts",
    title: "Gradients against the last movement",
    summary: "Where the gradient at a stage's start points against the last stage's movement, of every run with gradient surgery",
    tooltip: "Which modules a stage would pull back, before surgery takes that out of its first step",
    options: &[],
    alone: false,
    make: Make::Stage(|context, run, stage, _| {
        let meetings = read_meetings(&run.folder, stage)?;
        Ok(meetings.map(|meetings| conflicts(&meetings, &run.name, stage, context.is_synthetic())))
    }),
};

/// The conflicts of a stage's first descent direction with the last stage's movement: layer by module, of A and of B.
pub fn conflicts(meetings: &[Meeting], run: &str, stage: usize, synthetic: bool) -> Chart {
    let factors = [("A, what modules read", Adapter::A), ("B, what they write", Adapter::B)];
    let panels = factors.map(|(name, suffix)| {
        let of_factor = meetings.iter().filter_map(|meeting| Some((meeting.parameter.strip_suffix(suffix)?, meeting)));
        Panel { name: name.to_owned(), map: map(of_factor) }
    });
    let chart = Chart {
        subtitle: Some(format!("{run}, the start of stage {stage}")),
        caption: Some(caption(meetings)),
        ..Chart::new(SPEC.title, Body::HeatMaps(panels.into()))
    };
    chart.synthetic(synthetic)
}

/// Groups whose length is 0 met nothing, and stay open.
fn map<'m>(of_factor: impl Iterator<Item = (&'m str, &'m Meeting)>) -> HeatMap {
    let mut cells: BTreeMap<(usize, usize), Option<f64>> = BTreeMap::new();
    for (module, meeting) in of_factor {
        let layer = module.strip_prefix("model.layers.").and_then(|rest| rest.split_once('.'));
        let Some((Ok(layer), path)) = layer.map(|(layer, path)| (layer.parse::<usize>(), path)) else { continue };
        let Some(projection) = PROJECTIONS.iter().position(|known| *known == path) else { continue };
        let met = meeting.descent > 0.0 && meeting.movement > 0.0;
        cells.insert((layer, projection), met.then(|| meeting.conflict()));
    }
    let layers: BTreeSet<usize> = cells.keys().map(|(layer, _)| *layer).collect();
    let projections: BTreeSet<usize> = cells.keys().map(|(_, projection)| *projection).collect();
    let cell = |layer: usize, projection: usize| cells.get(&(layer, projection)).copied().flatten();
    let name = |projection: &usize| {
        let path = PROJECTIONS[*projection];
        projection_words(path.rsplit('.').next().unwrap_or(path)).to_owned()
    };
    HeatMap {
        row_label: "Layer".to_owned(),
        // Layers count from 1, as stages do.
        rows: layers.iter().map(|layer| (layer + 1).to_string()).collect(),
        column_label: "Module".to_owned(),
        columns: projections.iter().map(name).collect(),
        value: Axis::new("Conflict"),
        values: layers.iter().map(|&layer| projections.iter().map(|&at| cell(layer, at)).collect()).collect(),
    }
}

/// How many groups conflict, and what that is of the whole step.
fn caption(meetings: &[Meeting]) -> String {
    let sum = |of: &dyn Fn(&Meeting) -> f64| meetings.iter().map(of).sum::<f64>();
    let (descent, movement) = (sum(&|met| met.descent.powi(2)), sum(&|met| met.movement.powi(2)));
    let removed = sum(&|met| (met.conflict() * met.descent).powi(2));
    let conflicting = meetings.iter().filter(|met| met.conflict() > 0.0).count();
    let groups = scale::plural(meetings.len(), "matrix").replace("matrixs", "matrices");
    let whole = if descent > 0.0 && movement > 0.0 {
        let along = sum(&|met| met.cosine * met.descent * met.movement);
        format!(
            "; over all, the cosine is {:.3}, and surgery takes out {:.1} % of the step's energy",
            along / (descent * movement).sqrt(),
            100.0 * removed / descent
        )
    } else {
        String::new()
    };
    format!("{conflicting} of {groups} would go back where the last stage came from{whole}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meeting(module: &str, factor: &str, cosine: f64) -> Meeting {
        Meeting { parameter: format!("model.layers.{module}{factor}"), cosine, descent: 2.0, movement: 1.0 }
    }

    #[test]
    fn a_conflict_stands_at_its_layer_and_module() {
        let meetings = [
            meeting("0.self_attn.q_proj", Adapter::A, -0.5),
            meeting("0.self_attn.q_proj", Adapter::B, 0.5),
            meeting("11.mlp.down_proj", Adapter::A, 0.1),
            meeting("11.mlp.down_proj", Adapter::B, -1.0),
            Meeting { descent: 0.0, cosine: 0.0, ..meeting("11.self_attn.q_proj", Adapter::B, 0.0) },
        ];
        let chart = conflicts(&meetings, "Surgery", 3, false);
        let caption = chart.caption.unwrap();
        assert!(caption.starts_with("2 of 5 matrices would"), "{caption}");
        // -0.5, 0.5, 0.1 and -1 of equal groups; (0.5² + 1²) of 4.
        assert!(caption.contains("the cosine is -0.201, and surgery takes out 31.2 %"), "{caption}");
        let Body::HeatMaps(panels) = chart.body else { panic!("no maps") };
        let [a, b] = panels.try_into().unwrap();
        assert_eq!(
            (a.map.rows, a.map.columns),
            (vec!["1".to_owned(), "12".to_owned()], vec!["q".to_owned(), "down".to_owned()])
        );
        assert_eq!(a.map.values, [[Some(0.5), None], [None, Some(0.0)]]);
        assert_eq!(b.map.values, [[Some(0.0), None], [None, Some(1.0)]]);
    }
}
