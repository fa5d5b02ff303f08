//! `peso interpret`: what the directions of a module's update raise and lower.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;

use super::interruption::interruption;
use super::outcome::{Ended, print, print_json};
use super::progress::{Bars, name_of};
use super::table::Table;
use crate::analysis::meaning::{self, ActiveUser, DirectionMeaning, Ends, MeaningReport, NamedItem, Reading};
use crate::analysis::{load, trained_stages};
use crate::device::DeviceChoice;
use crate::error::{InputError, RunError};
use crate::run::RunFolder;

/// Show which codes and items a direction of a module's update raises and lowers, and whose histories run along it
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Folder of a run
    run: PathBuf,
    /// Stage after which the adapter is read; the last trained one where none is given
    #[arg(long, value_name = "T")]
    stage: Option<usize>,
    /// Module, as `model.layers.0.mlp.down_proj` or its end
    #[arg(long, value_name = "NAME")]
    module: String,
    /// Direction, from 1 by falling singular value; all where none is given
    #[arg(long, value_name = "K")]
    direction: Option<usize>,
    /// Where to compute: auto, wgpu, cuda or cpu
    #[arg(long, default_value = "auto", value_name = "DEVICE")]
    device: DeviceChoice,
    /// As JSON
    #[arg(long)]
    json: bool,
}

/// Ends that the text shows of each list.
const SHOWN: usize = 5;

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Ended> {
    let run = RunFolder::open(&arguments.run)?;
    let stage = match (arguments.stage, trained_stages(&run)?.last()) {
        (Some(stage), _) => stage,
        (None, Some(&last)) => last,
        (None, None) => return Err(InputError::new(run.path(), "no stage is trained yet").into()),
    };
    let interrupted = interruption("\nending")?;
    let mut bars = Bars::new(Arc::clone(&interrupted));
    let task = load(&run, arguments.device)?;
    bars.begin(name_of(run.config()), &format!("Reading {} on {}", run.config().run, task.device_name));
    let module = whole_name(&arguments.module, || meaning::modules(&task, &run, stage));
    let mut report = match meaning::read(&task, &run, (stage, &module), &mut bars) {
        Err(RunError::Stopped) => return Ok(Ended::Interrupted),
        read => read?,
    };
    if let Some(number) = arguments.direction {
        let found = number.checked_sub(1).and_then(|index| report.directions.get(index).cloned());
        let Some(direction) = found else {
            let problem = format!("the module has directions 1 to {}, not {number}", report.directions.len());
            return Err(InputError::new(run.path(), problem).into());
        };
        report.directions = vec![direction];
    }
    bars.finish();
    if arguments.json {
        print_json(&report)?;
    } else {
        print(&text(&report, arguments.direction.unwrap_or(1)))?;
    }
    Ok(Ended::Done)
}

/// The one module whose name ends so, or the name as it is, which the library then refuses.
fn whole_name(name: &str, modules: impl FnOnce() -> Result<Vec<String>, InputError>) -> String {
    let end = format!(".{name}");
    let mut found = modules().unwrap_or_default().into_iter().filter(|module| module.ends_with(&end));
    match (found.next(), found.next()) {
        (Some(one), None) => one,
        _ => name.to_owned(),
    }
}

fn text(report: &MeaningReport, first: usize) -> String {
    let synthetic = if report.synthetic { " · synthetic data" } else { "" };
    let mut text = format!(
        "{} · stage {}{synthetic}\n{}, histories of {} users\n",
        report.experiment, report.stage, report.module, report.users
    );
    for (direction, number) in report.directions.iter().zip(first..) {
        text.push_str(&direction_text(direction, number));
    }
    text
}

fn direction_text(direction: &DirectionMeaning, number: usize) -> String {
    let mut text = format!(
        "\nDirection {number}: singular value {:.4}, {:.1} % of the update\n",
        direction.singular_value,
        100.0 * direction.share
    );
    for (heading, reading) in [("Through the head", &direction.writes), ("Through the embedding", &direction.reads)] {
        if let Some(reading) = reading {
            text.push_str(&format!("\n{heading}\n{}", reading_table(reading)));
        }
    }
    let activation = &direction.activation;
    text.push_str(&format!(
        "\nActivation by users' histories: mean {:.3}, standard deviation {:.3}\n{}",
        activation.mean,
        activation.deviation,
        user_table(&activation.users)
    ));
    text
}

fn reading_table(reading: &Reading) -> String {
    let mut table = Table::new(5, ["", "Code", "Score", "Item", "Score"]);
    let Ends { raised: codes_raised, lowered: codes_lowered } = &reading.codes;
    let Ends { raised: items_raised, lowered: items_lowered } = &reading.items;
    for (word, codes, items) in [("raised", codes_raised, items_raised), ("lowered", codes_lowered, items_lowered)] {
        for index in 0..SHOWN.min(codes.len().max(items.len())) {
            let code = codes.get(index).map(|code| (code.code.clone(), format!("{:+.3}", code.score)));
            let item = items.get(index).map(|item| (name(&item.item), format!("{:+.3}", item.score)));
            let ((code, code_score), (item, item_score)) = (code.unwrap_or_default(), item.unwrap_or_default());
            table.row([word.to_owned(), code, code_score, item, item_score]);
        }
    }
    table.to_text()
}

fn user_table(users: &Ends<ActiveUser>) -> String {
    let mut table = Table::new(4, ["User", "Activation", "Newest of the history", "Then"]);
    for user in users.raised.iter().take(SHOWN).chain(users.lowered.iter().take(SHOWN)) {
        let newest = user.history.last().map(name).unwrap_or_default();
        table.row([user.user.clone(), format!("{:+.3}", user.activation), newest, name(&user.target)]);
    }
    table.to_text()
}

fn name(item: &NamedItem) -> String {
    item.title.clone().unwrap_or_else(|| format!("item {}", item.id))
}
