//! The search for a rank of each module: what every adapter that was measured costs and loses, and the one that was kept.

use super::adapters::projection_words;
use super::provenance::Provenance as _;
use super::spec::{FigureSpec, Make, NamedChart, of_run};
use crate::plot::{Axis, Better, Body, Chart, HeatMap, Lines, Panel, Point, Series, SeriesStyle};
use crate::train::rank_search::RankRecord;

pub static SPEC: FigureSpec = FigureSpec {
    name: "ranks",
    aliases: &["rank-search"],
    label: "Ranks",
    title: "Search for ranks",
    summary: "Validation loss of adapters against their parameters, and the rank of each module that was kept, of every seed",
    tooltip: "What adapters of other ranks cost and lose, and which rank each module was given",
    options: &[],
    alone: false,
    make: Make::Project(|context, options| {
        let mut charts = Vec::new();
        let mut seen: Vec<RankRecord> = Vec::new();
        for run in context.runs(options)? {
            let Some(record) = RankRecord::read(&run.folder.adapter(1))? else { continue };
            // Stage 1 is trained once for all methods of a seed.
            if seen.contains(&record) {
                continue;
            }
            for (name, chart) in [("ranks-front", front(&record)), ("ranks-modules", modules(&record))] {
                let chart = of_run(chart.synthetic(context.is_synthetic()), run);
                charts.push(NamedChart::new(format!("{name}-{}", run.id()), chart));
            }
            seen.push(record);
        }
        if charts.is_empty() {
            let missing = "No run searched for ranks: set `training.lora.search`";
            let chart = Chart::empty(SPEC.title, missing).synthetic(context.is_synthetic());
            charts.push(NamedChart::new("ranks", chart));
        }
        Ok(charts)
    }),
};

/// Validation loss against parameters: every adapter that was measured, the front of those that no other beats, the same rank
/// everywhere, what the spectrum proposes, and the one that was kept.
pub fn front(record: &RankRecord) -> Chart {
    let of = |places: &[usize]| -> Vec<Point> {
        let mut places = places.to_vec();
        places.sort_by_key(|&place| record.candidates[place].parameters);
        let candidates = places.into_iter().map(|place| &record.candidates[place]);
        candidates.map(|candidate| Point::new(candidate.parameters as f64, candidate.loss)).collect()
    };
    let all: Vec<usize> = (0..record.candidates.len()).collect();
    let dots = |slot: usize| SeriesStyle { width: 0.0, ..SeriesStyle::data(slot) };
    let series = |name: &str, places: &[usize], style| Series { name: name.to_owned(), points: of(places), style };
    let chosen = &record.candidates[record.chosen];
    // What comes first is drawn over the rest.
    let series = vec![
        series("Chosen", &[record.chosen], SeriesStyle::points(3)),
        series("Proposed by the spectrum", &[record.proposal], SeriesStyle::points(2)),
        series("Same rank everywhere", &record.uniform, SeriesStyle::method(1)),
        series("Front", &record.front(), SeriesStyle::method(0)),
        series("All adapters", &all, dots(0)),
    ];
    let x = Axis { better: Some(Better::Lower), ..Axis::new("Adapter parameters") };
    let y = Axis {
        better: Some(Better::Lower),
        unit: Some("nats a response token".to_owned()),
        ..Axis::new("Loss on validation users")
    };
    let budget = (record.budget * record.whole as f64) as u64;
    let subtitle = format!(
        "Chosen of {} adapters: {} of {} parameters (at most {budget}), loss {:.4}",
        record.candidates.len(),
        chosen.parameters,
        record.whole,
        chosen.loss,
    );
    let caption = format!(
        "Parts of one adapter that stage 1 trained, on {} validation targets, without further training. The one of least loss within \
         the budget is kept, so its own loss is a little better than it would be on other users",
        record.targets
    );
    let lines = Lines { x, y, series, boundaries: Vec::new() };
    Chart { subtitle: Some(subtitle), caption: Some(caption), ..Chart::new(SPEC.title, Body::Lines(lines)) }
}

/// Layer by module: the rank that was kept, beside what the spectrum proposes.
pub fn modules(record: &RankRecord) -> Chart {
    let panel = |name: &str, place: usize| {
        let ranks = &record.candidates[place].ranks;
        let (mut layers, mut projections) = (Vec::new(), Vec::new());
        let parts = |name: &str| {
            let mut steps = name.split('.').skip(2);
            let layer = steps.next().and_then(|layer| layer.parse::<usize>().ok()).unwrap_or(0);
            (layer, steps.last().unwrap_or(name).to_owned())
        };
        for (layer, projection) in record.modules.iter().map(|module| parts(&module.name)) {
            if !layers.contains(&layer) {
                layers.push(layer);
            }
            if !projections.contains(&projection) {
                projections.push(projection);
            }
        }
        let value = |layer: usize, projection: &str| {
            let is_it = |(at, name): (usize, String)| at == layer && name == projection;
            let place = record.modules.iter().position(|module| is_it(parts(&module.name)))?;
            Some(ranks[place] as f64)
        };
        let map = HeatMap {
            row_label: "Layer".to_owned(),
            rows: layers.iter().map(|layer| (layer + 1).to_string()).collect(),
            column_label: "Module".to_owned(),
            columns: projections.iter().map(|projection| projection_words(projection).to_owned()).collect(),
            value: Axis::whole("Rank"),
            values: layers
                .iter()
                .map(|&layer| projections.iter().map(|projection| value(layer, projection)).collect())
                .collect(),
        };
        Panel { name: name.to_owned(), map }
    };
    let panels = vec![panel("Chosen", record.chosen), panel("Proposed by the spectrum", record.proposal)];
    let caption = "Rank 0 is no adapter. The spectrum counts directions of the base model's weights that are more than noise, and \
                   knows no data";
    Chart { caption: Some(caption.to_owned()), ..Chart::new("Rank of each module", Body::HeatMaps(panels)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::RankSearch;
    use crate::train::rank_search::{Candidate, ModuleRecord};

    fn record() -> RankRecord {
        let module = |name: &str| ModuleRecord { name: format!("model.layers.{name}"), signal: 3 };
        let candidate = |ranks: &[usize], parameters, loss| Candidate { ranks: ranks.to_vec(), parameters, loss };
        RankRecord {
            search: RankSearch::Evolution,
            budget: 0.5,
            whole: 80,
            modules: vec![module("0.self_attn.q_proj"), module("1.mlp.up_proj")],
            candidates: vec![
                candidate(&[2, 0], 20, 3.0),
                candidate(&[4, 4], 80, 1.0),
                candidate(&[0, 4], 40, 1.5),
                candidate(&[4, 0], 40, 2.0),
            ],
            chosen: 2,
            proposal: 0,
            uniform: vec![1],
            targets: 12,
        }
    }

    #[test]
    fn the_front_leaves_out_what_another_adapter_beats() {
        let chart = front(&record());
        let Body::Lines(lines) = &chart.body else { panic!("no lines") };
        let points = |name: &str| -> Vec<[f64; 2]> {
            let series = lines.series.iter().find(|series| series.name == name).unwrap();
            series.points.iter().map(|point| [point.x, point.y]).collect()
        };
        assert_eq!(points("Front"), [[20.0, 3.0], [40.0, 1.5], [80.0, 1.0]]);
        assert_eq!(points("Chosen"), [[40.0, 1.5]]);
        assert_eq!(points("All adapters").len(), 4);
    }

    #[test]
    fn modules_stand_by_layer_with_the_ranks_of_both() {
        let Body::HeatMaps(panels) = modules(&record()).body else { panic!("no maps") };
        assert_eq!(panels[0].map.rows, ["1", "2"]);
        assert_eq!(panels[0].map.values, [[Some(0.0), None], [None, Some(4.0)]]);
        assert_eq!(panels[1].map.values[0][0], Some(2.0));
    }
}
