//! Where a stage moved the adapter: layer by module.

use serde::{Deserialize, Serialize};

use std::collections::BTreeMap;

use super::adapters::{AdapterStage, between, projection_words, relative, stage_words};
use super::measures;
use super::options::variant;
use super::provenance::Provenance as _;
use super::spec::{FigureSpec, Make};
use crate::analysis::subspace_report::ModuleReport;
use crate::plot::{Axis, Body, Chart, HeatMap, Panel};
use crate::subspace::Side;

pub static SPEC: FigureSpec = FigureSpec {
    name: "drift-map",
    aliases: &[],
    label: "Drift map",
    title: "Drift map: layer by module",
    summary: "Where the last stage moved the adapter, layer by module, of every run with adapters",
    tooltip: "Where in the model a stage moved the adapter: layer by module",
    options: &[],
    alone: false,
    make: Make::Run(|context, run, options| {
        let mut shown = context.adapter_stages(run, options);
        // Maps of all stages would be too many: the last one speaks where none is asked for.
        if options.stage.is_none() {
            shown.drain(..shown.len().saturating_sub(1));
        }
        Ok((!shown.is_empty()).then(|| drift_map(&shown, variant(options), context.is_synthetic())))
    }),
};

/// What the cells of a drift map are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DriftMapValue {
    /// `‖ΔW_t − ΔW_{t−1}‖` as a part of `‖ΔW_{t−1}‖`.
    #[default]
    Relative,
    /// `‖ΔW_t − ΔW_{t−1}‖`.
    Absolute,
    /// `‖v_t − v_{t−1}‖` of the adapter's own parameters.
    Parameters,
    /// Share of the move outside of what the update wrote before.
    Outside,
    /// Grassmann distance of the column spaces.
    Turn,
    EffectiveRank,
}

impl DriftMapValue {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Relative, Self::Absolute, Self::Parameters, Self::Outside, Self::Turn, Self::EffectiveRank];

    /// How it reads.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Relative => "Move of ΔW, relative",
            Self::Absolute => "Move of ΔW",
            Self::Parameters => "Move of A and B",
            Self::Outside => "Move outside the subspace",
            Self::Turn => "Grassmann distance",
            Self::EffectiveRank => "Effective rank",
        }
    }

    /// What it says, in the words of the registry.
    pub fn meaning(self) -> String {
        measures::text(self.label())
    }

    fn of(self, module: &ModuleReport, index: usize) -> Option<f64> {
        let stage = module.stages.get(index)?;
        let before = index.checked_sub(1).and_then(|before| module.stages.get(before));
        match self {
            Self::EffectiveRank => Some(stage.effective_rank),
            Self::Relative => relative(stage.moved.as_ref()?, before?.norm),
            Self::Absolute => Some(stage.moved?.norm),
            Self::Parameters => Some(stage.moved?.parameters),
            Self::Outside => stage.moved.filter(|moved| moved.norm > 0.0).map(|moved| 1.0 - moved.inside_left),
            Self::Turn => between(module, before?.stage, stage.stage).map(|pair| pair.left.grassmann),
        }
    }
}

/// Layer by module of one or several runs or stages, in common colours.
pub fn drift_map(shown: &[AdapterStage<'_>], shown_value: DriftMapValue, synthetic: bool) -> Chart {
    let title = SPEC.title;
    let panels: Vec<Panel> = shown.iter().filter_map(|shown| panel(shown, shown_value)).collect();
    if panels.iter().all(|panel| panel.map.values.iter().flatten().all(Option::is_none)) {
        let missing =
            "A drift map shows what moved since the stage before: it appears when the second stage is trained";
        return Chart::empty(title, missing).synthetic(synthetic);
    }
    let (only, body) = match <[Panel; 1]>::try_from(panels) {
        Ok([only]) => (Some(only.name), Body::HeatMap(only.map)),
        Err(several) => (None, Body::HeatMaps(several)),
    };
    let subtitle = only.clone().unwrap_or_else(|| shown_value.label().to_owned());
    let caption = Some(shown_value.meaning());
    let chart = Chart { subtitle: Some(subtitle), caption, ..Chart::new(title, body) }.synthetic(synthetic);
    let chart = only.into_iter().fold(chart, |chart, series| chart.of("series", series));
    if shown_value == DriftMapValue::Turn { chart.of("side", Side::Left.key()) } else { chart }
}

fn panel(shown: &AdapterStage<'_>, shown_value: DriftMapValue) -> Option<Panel> {
    let report = shown.report;
    let index = report.stages.iter().position(|stage| *stage == shown.stage)?;
    let rows: Vec<usize> = report.layers.iter().filter_map(|layer| layer.key.parse().ok()).collect();
    let columns: Vec<&str> = report.projections.iter().map(|group| group.key.as_str()).collect();
    let cells: BTreeMap<(usize, &str), Option<f64>> = report
        .modules
        .iter()
        .map(|module| ((module.layer, module.projection.as_str()), shown_value.of(module, index)))
        .collect();
    let value =
        |row: usize, column: &str| cells.get(&(row, column)).copied().flatten().filter(|value| value.is_finite());
    let map = HeatMap {
        row_label: "Layer".to_owned(),
        // Layers count from 1, as stages do.
        rows: rows.iter().map(|layer| (layer + 1).to_string()).collect(),
        column_label: "Module".to_owned(),
        columns: columns.iter().map(|name| projection_words(name).to_owned()).collect(),
        value: Axis::new(shown_value.label()),
        values: rows.iter().map(|&row| columns.iter().map(|column| value(row, column)).collect()).collect(),
    };
    Some(Panel { name: stage_words(shown), map })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::adapters::fixture::report;

    #[test]
    fn a_map_has_the_moves_since_the_stage_before() {
        let report = report();
        let shown = AdapterStage { report: &report, run: "PESO", stage: 2 };
        let value = |mapped| match drift_map(&[shown], mapped, false).body {
            Body::HeatMap(map) => map.values[1][0].unwrap(),
            other => panic!("no map: {other:?}"),
        };
        assert_eq!(value(DriftMapValue::Relative), 0.5, "0.5 of a norm of 1");
        assert_eq!((value(DriftMapValue::Absolute), value(DriftMapValue::Parameters)), (0.5, 0.25));
        assert!((value(DriftMapValue::Outside) - 0.1).abs() < 1e-12);
        assert!((value(DriftMapValue::Turn) - 0.5).abs() < 1e-12);
        let first = AdapterStage { stage: 1, ..shown };
        assert!(matches!(drift_map(&[first], DriftMapValue::Relative, false).body, Body::Empty(_)));
        let Body::HeatMaps(two) = drift_map(&[first, shown], DriftMapValue::EffectiveRank, false).body else {
            panic!("two maps")
        };
        assert_eq!(two[1].name, "PESO, stage 2");
    }
}
