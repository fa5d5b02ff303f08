//! `peso run --dry-run`: what a run would train, for how long, with how much memory.

use super::outcome::{Ended, print, print_json};
use super::table::Table;
use super::words;
use crate::budget::estimate::{Basis, Estimate, RunEstimate};
use crate::budget::memory_estimate::{MemoryEstimate, Parts};
use crate::budget::reasons::reasons;
use crate::train::preflight::Preflight;

/// Shows what runs are expected to take.
pub(super) fn show(estimate: &Estimate, json: bool) -> anyhow::Result<Ended> {
    if json {
        print_json(estimate)?;
    } else {
        print(&as_text(estimate))?;
    }
    Ok(Ended::Done)
}

fn as_text(estimate: &Estimate) -> String {
    let mut table = Table::new(4, ["Run", "Experiment", "Seed", "Status", "Time left", "Memory", "From"]);
    for run in &estimate.runs {
        let RunEstimate { run, experiment, seed, status, seconds, peak_memory_bytes, basis, .. } = run;
        table.row([
            run.clone(),
            experiment.clone(),
            seed.to_string(),
            status.key().to_owned(),
            seconds.map(words::duration).unwrap_or_default(),
            peak_memory_bytes.map(words::bytes).unwrap_or_default(),
            match basis {
                Basis::WarmUp => "a warm-up",
                Basis::FinishedRuns => "finished runs",
                Basis::None => "",
            }
            .to_owned(),
        ]);
    }
    let Estimate { seconds, peak_memory_bytes, device, memory_free_bytes, workers, preflight, .. } = estimate;
    let (time, memory) = (words::duration(*seconds), words::bytes(*peak_memory_bytes));
    let free = memory_free_bytes.map(|free| format!(" of {} free", words::bytes(free))).unwrap_or_default();
    let at_once = if *workers > 1 { format!("; there is room for {workers} workers at once") } else { String::new() };
    let runs = table.to_text();
    let shapes = memory_text(&estimate.memory);
    let reasons: String = reasons(&estimate.runs).iter().map(|reason| format!("{reason}\n")).collect();
    let lacking = preflight_text(preflight);
    format!(
        "{runs}\nOne after another on {device}: about {time}, at most {memory} at a time{free}{at_once}\n{lacking}{reasons}\n{shapes}"
    )
}

/// What will be lacking, a line each, and the disk that is needed.
pub(super) fn preflight_text(preflight: &Preflight) -> String {
    let Preflight { warnings, disk_bytes, disk_free_bytes } = preflight;
    let free = disk_free_bytes.map(|free| format!(" of {} free", words::bytes(free))).unwrap_or_default();
    let warnings = warnings.iter().map(|warning| format!("Warning: {warning}\n"));
    std::iter::once(format!("On the disk: about {}{free}\n", words::bytes(*disk_bytes))).chain(warnings).collect()
}

/// What takes memory on each device, and what to change where there is not enough.
pub(super) fn memory_text(estimates: &[MemoryEstimate]) -> String {
    let mut table = Table::new(
        1,
        [
            "Device",
            "Program, data",
            "Weights",
            "Adapters",
            "Optimiser",
            "Activations",
            "Logits",
            "Search",
            "Most",
            "Free",
        ],
    );
    let mut advice = String::new();
    for estimate in estimates {
        let Parts { program, weights, adapters, optimizer, activations, logits, search } = estimate.parts;
        let sizes = [program, weights, adapters, optimizer, activations, logits, search, estimate.peak_bytes];
        let free = estimate.available_bytes.map_or_else(|| "not known".to_owned(), words::bytes);
        table.row([estimate.device.clone()].into_iter().chain(sizes.map(words::bytes)).chain([free]));
        for change in &estimate.advice {
            let fits = if change.fits { ", which fits" } else { "" };
            let max = words::bytes(change.peak_bytes);
            advice.push_str(&format!("{}: {} → {max}{fits} ({})\n", estimate.device, change.setting, change.costs));
        }
    }
    let heading = if advice.is_empty() { "" } else { "There is not enough memory. In this order:\n" };
    format!("Memory from the shapes\n{}{heading}{advice}", table.to_text())
}
