//! `peso steer`: a stage's step taken in part, by hand; and the resident process that the window's sliders talk to.

use std::io::{self, BufRead};
use std::path::PathBuf;
use std::sync::mpsc;
use std::thread;

use clap::Args;

use super::outcome::{Ended, print, print_json, say};
use super::table::Table;
use crate::analysis::load;
use crate::analysis::steer::protocol::{Answer, Order, Request, Search, direction_coefficient};
use crate::analysis::steer::{self, SteerReport, Steering, USERS};
use crate::device::DeviceChoice;
use crate::method::steered::{Coefficients, DirectionCoefficient};
use crate::run::RunFolder;
use crate::train::adapter_export::Handover;

/// Take a stage's step in part: what one user is shown, how often a sample's targets are hit, and the adapter
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    what: What,
    /// How much of the whole step is taken: 0 is the state before the stage, 1 the state after
    #[arg(long, value_name = "C", default_value_t = 1.0, allow_negative_numbers = true)]
    step: f64,
    /// How much of one of the step's leading directions is taken, instead of as much as of the whole step; may be repeated
    #[arg(long, value_name = "N=C", value_parser = direction_coefficient)]
    direction: Vec<DirectionCoefficient>,
    /// The user whose list is made; the first of the sample where none is given
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// Search the step with the least validation loss, and compute that of Perturb-and-Merge
    #[arg(long)]
    find_best: bool,
    /// Folder to write the steered adapter to, as Hugging Face PEFT loads it
    #[arg(long, value_name = "DIR")]
    to: Option<PathBuf>,
    /// As JSON
    #[arg(long)]
    json: bool,
}

/// Which step is steered.
#[derive(Debug, Args)]
struct What {
    /// Folder of a finished run
    run: PathBuf,
    /// The stage whose step is taken in part, from 2
    #[arg(long, value_name = "T")]
    stage: usize,
    /// Test users of the sample, at most
    #[arg(long, value_name = "N", default_value_t = USERS)]
    users: usize,
    /// Where to compute: auto, wgpu, cuda or cpu
    #[arg(long, default_value = "auto", value_name = "DEVICE")]
    device: DeviceChoice,
}

/// Answer positions of the sliders: a JSON order a line on standard input, a JSON answer a line on standard output
#[derive(Debug, Args)]
pub(super) struct ServerArguments {
    #[command(flatten)]
    what: What,
}

pub(super) fn run(arguments: Arguments) -> anyhow::Result<Ended> {
    let run = RunFolder::open(&arguments.what.run)?;
    let task = load(&run, arguments.what.device)?;
    let What { stage, users, .. } = arguments.what;
    let coefficients = Coefficients { step: arguments.step, directions: arguments.direction };
    let request = Request { id: 1, coefficients: coefficients.clone(), user: arguments.user };
    let steering = Steering { task: &task, run: &run, stage, users };
    let report = steer::report(steering, &request, arguments.find_best)?;
    if let Some(to) = arguments.to {
        let run = run.path().to_path_buf();
        Handover { run, stage, to: to.clone(), steered: Some(coefficients), project: None }.adapter()?;
        say(&format!("Adapter: {}", to.display()));
    }
    if arguments.json {
        print_json(&report)?;
    } else {
        print(&text(&report))?;
    }
    Ok(Ended::Done)
}

pub(super) fn serve(arguments: &ServerArguments) -> anyhow::Result<Ended> {
    let What { run, stage, users, device } = &arguments.what;
    let run = RunFolder::open(run)?;
    let task = load(&run, *device)?;
    let (sender, orders) = mpsc::channel();
    // It ends with its input, and so does what is in work: nobody would read the answer.
    thread::spawn(move || {
        for line in io::stdin().lock().split(b'\n').map_while(Result::ok) {
            let order = serde_json::from_slice::<Order>(&line).map_err(|error| format!("not an order: {error}"));
            if sender.send(order).is_err() {
                break;
            }
        }
    });
    let steering = Steering { task: &task, run: &run, stage: *stage, users: *users };
    steer::serve(steering, &orders, &mut |answer: Answer| {
        // Where nobody reads any more, the input is closed as well, which ends the process.
        if let Ok(line) = serde_json::to_string(&answer) {
            let _ = print(&(line + "\n"));
        }
    })?;
    Ok(Ended::Done)
}

fn text(report: &SteerReport) -> String {
    let SteerReport { coefficients, description, list, hits, ends, search, merged } = report;
    let synthetic = if description.synthetic { " · synthetic data" } else { "" };
    let mut text = format!(
        "{}, seed {}, stage {}{synthetic}\n{:.2} of the step: 0 is the state before the stage, 1 the state after\n\n",
        description.experiment, description.seed, description.stage, coefficients.step
    );
    let mut table = Table::new(4, ["Direction", "Module", "Raises", "Lowers", "Share", "Coefficient"]);
    for direction in &description.directions {
        let taken = format!("{:.2}", coefficients.of(direction.number));
        let share = format!("{:.1} %", 100.0 * direction.share);
        let [raised, lowered] = [&direction.raised, &direction.lowered].map(|names| names.join(" · "));
        table.row([direction.number.to_string(), direction.module.clone(), raised, lowered, share, taken]);
    }
    text.push_str(&table.to_text());
    text.push_str(&format!(
        "\nHit@{} of {} test users: {:.4} (95 % interval {:.4} to {:.4}); before the stage {:.4}, after it {:.4}\n",
        description.k, hits.users, hits.hit, hits.interval.low, hits.interval.high, ends.before, ends.after
    ));
    for mark in &description.marks {
        let along = 100.0 * mark.along;
        text.push_str(&format!(
            "{} stands at {:.2}; {along:.0} % of its step goes along this one\n",
            mark.name, mark.step
        ));
    }
    description.notes.iter().for_each(|note| text.push_str(&format!("{note}\n")));
    if let Some(best) = search.as_ref().and_then(Search::best) {
        text.push_str(&format!("Least validation loss at {:.2}: {:.4}\n", best.step, best.loss));
    }
    if let Some(merged) = merged {
        text.push_str(&format!("Perturb-and-Merge's closed form: {:.2}\n", merged.step));
    }
    text.push_str(&format!("\nUser {}: {}, then {}\n", list.user, list.history.join(" · "), list.target));
    let mut table = Table::new(4, ["", "Item", "Before", ""]);
    for (item, place) in list.items.iter().zip(1..) {
        let before = item.before.map_or_else(|| "new".to_owned(), |place| place.to_string());
        let target = if item.target { "the target" } else { "" };
        let title = item.title.as_ref().unwrap_or(&item.id);
        table.row([place.to_string(), title.clone(), before, target.to_owned()]);
    }
    text + &table.to_text()
}
