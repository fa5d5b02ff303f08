//! `peso demo`: write the demo project.

use std::path::PathBuf;

use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

use super::outcome::{Ended, say};
use crate::error::InputError;
use crate::files;
use crate::project::file::{Demo, FILE_NAME};

/// Write a demo project: synthetic data, a compact model, several methods
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Which of them
    #[arg(long, value_name = "NAME", default_value = Demo::Drift.name(), value_parser = demo_parser())]
    which: Demo,
    /// Folder to write it into; `peso-` and its name where none is given
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Overwrite another project that is there
    #[arg(long)]
    force: bool,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Ended> {
    let demo = arguments.which;
    let out = arguments.out.clone().unwrap_or_else(|| demo.folder().into());
    let path = out.join(FILE_NAME);
    let other = path.exists() && std::fs::read(&path).ok().as_deref() != Some(demo.text().as_bytes());
    if other && !arguments.force {
        let advice = "choose another folder with `--out DIR`, or overwrite it with `--force`";
        return Err(InputError::new(path, "another project is there").advice(advice).into());
    }
    files::create_folder(&out)?;
    files::write_atomically(&path, demo.text().as_bytes())?;
    let folder = out.display();
    say(&format!("Wrote {}\nTrain it with `peso run {folder}`, or open it with `peso {folder}`", path.display()));
    Ok(Ended::Done)
}

fn demo_parser() -> impl TypedValueParser<Value = Demo> {
    let value = |demo: Demo| PossibleValue::new(demo.name()).help(demo.summary());
    let named = |name: String| Demo::ALL.into_iter().find(|demo| demo.name() == name).unwrap_or(Demo::Drift);
    PossibleValuesParser::new(Demo::ALL.map(value)).map(named)
}
