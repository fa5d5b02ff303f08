//! Where the clients of a federated stage went, against the server and each other.

use super::adapters::{AngleOptions, side_words};
use super::provenance::Provenance as _;
use super::spec::{FigureSpec, Make};
use crate::analysis::clients::ClientOverlaps;
use crate::plot::{Axis, Body, Chart, HeatMap, scale};
use crate::run::federation::MOST_KEPT;
use crate::subspace::Side;

pub static SPEC: FigureSpec = FigureSpec {
    name: "clients",
    aliases: &[],
    label: "Clients",
    title: "Clients against the server",
    summary: "How much the changes of clients and server have in common in a stage's last round, of every federated run",
    tooltip: "Whether the clients of a federated stage go the server's way, and each other's",
    options: &[],
    alone: false,
    make: Make::Stage(|context, run, stage, options| {
        let AngleOptions { side, .. } = AngleOptions::of(options);
        let found = ClientOverlaps::of_stage(&run.folder, stage, side)?;
        Ok(found.map(|found| clients(&found, &run.name, stage, side, context.is_synthetic())))
    }),
};

/// The overlaps of the server and the clients of a stage's last round.
pub fn clients(found: &ClientOverlaps, run: &str, stage: usize, side: Side, synthetic: bool) -> Chart {
    let server = ["Server".to_owned()].into_iter();
    let names: Vec<String> = server.chain(found.clients.iter().map(ToString::to_string)).collect();
    let map = HeatMap {
        row_label: "Client".to_owned(),
        rows: names.clone(),
        column_label: "Other client".to_owned(),
        columns: names,
        value: Axis::new("Overlap"),
        values: found.overlaps.clone(),
    };
    let first = if found.clients.len() < MOST_KEPT { "" } else { ". The first clients of the round alone" };
    let caption = format!(
        "Directions in common of what changed in the stage's last round ({}), mean over {}. Random ones have {:.2}{first}",
        side_words(side).to_lowercase(),
        scale::plural(found.modules, "module"),
        found.chance,
    );
    let subtitle = Some(format!("{run}, stage {stage}"));
    Chart { subtitle, caption: Some(caption), ..Chart::new(SPEC.title, Body::HeatMap(map)) }
        .synthetic(synthetic)
        .of("side", side.key())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_comes_first() {
        let overlaps = vec![vec![Some(1.0), Some(0.5)], vec![Some(0.5), Some(1.0)]];
        let found = ClientOverlaps { clients: vec![4], overlaps, chance: 0.125, modules: 14 };
        let chart = clients(&found, "Federated", 2, Side::Left, true);
        let Body::HeatMap(map) = &chart.body else { panic!("no map") };
        assert_eq!(map.rows, ["Server", "4"]);
        assert_eq!(map.values[0][1], Some(0.5));
        assert!(chart.caption.is_some_and(|caption| caption.contains("14 modules") && caption.contains("0.12")));
    }
}
