//! `peso bench --growth`: how time and memory grow with what is worked on.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use clap::Args;
use serde::Serialize;

use super::measured::{compared, digits};
use super::outcome::{Ended, print, print_json, say, wrong_usage};
use super::table::Table;
use crate::budget::against::against;
use crate::device::DeviceChoice;
use crate::error::InputError;
use crate::files;
use crate::growth::{Axis, Bench, Costs, Growth, chart, medians};
use crate::plot::{self, Style};

/// Options of `peso bench` that name what is measured at one size, and would change nothing here.
const OF_ONE_SIZE: [&str; 12] = [
    "render",
    "load",
    "dataset",
    "block",
    "width",
    "layers",
    "heads",
    "kv_heads",
    "ffn",
    "batch",
    "train_examples",
    "eval_users",
];

/// What `--growth` takes.
#[derive(Debug, Args)]
pub(super) struct GrowthArguments {
    /// Measure instead how time and memory grow with examples, users, items, stages or runs, or with all of them, one after the
    /// other
    #[arg(long, value_name = "AXIS", conflicts_with_all = OF_ONE_SIZE, value_parser = axes)]
    growth: Option<Axes>,
    /// With `--growth`: the sizes, instead of the usual ones
    #[arg(long, value_name = "N,…", requires = "growth", value_delimiter = ',')]
    sizes: Vec<usize>,
    /// With `--growth`: small sizes, which only show that all works
    #[arg(long, requires = "growth", conflicts_with = "sizes")]
    quick: bool,
    /// With `--growth`: how often each size is measured; medians are told
    #[arg(long, value_name = "N", requires = "growth", default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=25))]
    repeats: u8,
    /// With `--growth`: folder for a chart of each axis, as PNG, SVG, PDF, CSV and LaTeX
    #[arg(long, value_name = "DIR", requires = "growth")]
    to: Option<PathBuf>,
    /// Measure one size in this process
    #[arg(long, hide = true, requires = "sizes")]
    alone: bool,
}

#[derive(Debug, Clone)]
struct Axes(Vec<Axis>);

fn axes(text: &str) -> Result<Axes, String> {
    if text == "all" { Ok(Axes(Axis::ALL.into())) } else { text.parse().map(|axis| Axes(vec![axis])) }
}

/// What is printed as JSON.
#[derive(Debug, Serialize)]
struct Report {
    device: String,
    repeats: u8,
    #[serde(flatten)]
    axes: BTreeMap<Axis, Growth>,
}

impl Report {
    /// Costs alone, to be held against earlier ones: laws follow from them.
    fn without_laws(self) -> Self {
        let without = |(axis, growth): (Axis, Growth)| (axis, Growth { laws: BTreeMap::new(), ..growth });
        Self { axes: self.axes.into_iter().map(without).collect(), ..self }
    }
}

impl GrowthArguments {
    /// Measures what was asked for; none where it was not.
    pub(super) fn run(
        &self,
        device: DeviceChoice,
        json: bool,
        earlier: Option<&Path>,
    ) -> Option<anyhow::Result<Ended>> {
        let Axes(axes) = self.growth.as_ref()?;
        Some(if self.alone { self.measure_alone(axes, device) } else { self.measure_all(axes, device, json, earlier) })
    }

    fn measure_alone(&self, axes: &[Axis], device: DeviceChoice) -> anyhow::Result<Ended> {
        let peso = std::env::current_exe()?;
        let work = std::env::temp_dir().join(format!("peso-growth-{}", std::process::id()));
        if work.symlink_metadata().is_ok() {
            let left = InputError::new(work, "a folder of an earlier measurement is there").advice("remove it");
            return Err(left.into());
        }
        for (&axis, &size) in axes.iter().zip(&self.sizes) {
            let costs = Bench { device, peso: &peso, work: &work }.measure(axis, size);
            if work.is_dir() {
                files::remove_whole_folder(&work)?;
            }
            print_json(&costs?)?;
        }
        Ok(Ended::Done)
    }

    fn measure_all(
        &self,
        axes: &[Axis],
        device: DeviceChoice,
        json: bool,
        earlier: Option<&Path>,
    ) -> anyhow::Result<Ended> {
        self.check_sizes(axes)?;
        let mut report = Report { device: device.to_string(), repeats: self.repeats, axes: BTreeMap::new() };
        for &axis in axes {
            let mut measured = BTreeMap::new();
            for &size in self.sizes_of(axis) {
                say(&format!("{}: {size}", axis.label()));
                let repeats = (0..self.repeats).map(|_| in_a_process(axis, size, device));
                measured.insert(size, medians(&repeats.collect::<anyhow::Result<Vec<Costs>>>()?));
            }
            report.axes.insert(axis, Growth::of(measured));
        }
        if let Some(to) = &self.to {
            draw(&report, to)?;
        }
        if let Some(earlier) = earlier {
            return compared(&against(&report.without_laws(), earlier)?, json);
        }
        if json {
            print_json(&report)?;
        } else {
            print(&report.axes.iter().map(|(axis, growth)| text(*axis, growth)).collect::<Vec<_>>().join("\n"))?;
        }
        Ok(Ended::Done)
    }

    fn sizes_of(&self, axis: Axis) -> &[usize] {
        if self.sizes.is_empty() { axis.sizes(self.quick) } else { &self.sizes }
    }

    fn check_sizes(&self, axes: &[Axis]) -> anyhow::Result<()> {
        for axis in axes {
            let [least, most] = axis.bounds();
            if let Some(size) = self.sizes.iter().find(|size| !(least..=most).contains(*size)) {
                let problem = format!("--sizes: {size} cannot be measured of {}; give {least} to {most}", axis.key());
                return Err(wrong_usage(problem).into());
            }
        }
        Ok(())
    }
}

/// Measures one size in a process of its own.
fn in_a_process(axis: Axis, size: usize, device: DeviceChoice) -> anyhow::Result<Costs> {
    let peso = std::env::current_exe()?;
    let size = size.to_string();
    let device = device.to_string();
    let output = Command::new(&peso)
        .args(["bench", "--growth", axis.key(), "--sizes", &size, "--device", &device, "--alone"])
        .stdin(Stdio::null())
        .output()?;
    if !output.status.success() {
        let words = String::from_utf8_lossy(&output.stderr);
        return Err(
            InputError::new(peso, format!("{} of {size} were not measured: {}", axis.key(), words.trim())).into()
        );
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

fn draw(report: &Report, to: &Path) -> Result<(), InputError> {
    files::create_folder(to)?;
    for (axis, growth) in &report.axes {
        let chart = chart(*axis, growth, &report.device);
        for ending in super::export::ENDINGS {
            let path = to.join(format!("growth-{}.{ending}", axis.key()));
            plot::export(&chart, &path, &Style::default())?;
            say(&format!("Wrote {}", path.display()));
        }
    }
    Ok(())
}

/// A row a cost: what it is at each size, and its law.
fn text(axis: Axis, growth: &Growth) -> String {
    let sizes = growth.measured.keys().map(usize::to_string);
    let last = ["exponent", "95 %", "R²"].map(str::to_owned);
    let headings: Vec<String> = [axis.label().to_owned()].into_iter().chain(sizes).chain(last).collect();
    let mut table = Table::new(1, headings.iter().map(String::as_str));
    let names: BTreeSet<&String> = growth.measured.values().flat_map(Costs::keys).collect();
    for name in names {
        let values = growth.measured.values().map(|costs| costs.get(name).copied().map_or_else(dash, digits));
        let law = growth.laws.get(name);
        let exponent = law.map_or_else(dash, |law| format!("{:.2}", law.exponent));
        let interval = law.and_then(|law| law.interval);
        let interval = interval.map_or_else(dash, |ends| format!("{:.2} … {:.2}", ends.low, ends.high));
        let explained = law.map_or_else(dash, |law| format!("{:.3}", law.r_squared));
        let row = [name.clone()].into_iter().chain(values).chain([exponent, interval, explained]);
        table.row(row.collect::<Vec<String>>());
    }
    table.to_text()
}

fn dash() -> String {
    "–".to_owned()
}
