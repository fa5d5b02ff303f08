//! A bundle of results: what others may look at, without what users did, without models, and without anything that tells where
//! it was made.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use rand::rngs::OsRng;
use rand::seq::SliceRandom;
use rand::{SeedableRng, TryRngCore};
use rand_chacha::ChaCha20Rng;
use serde_json::{Value, json};

use super::contents::{Contents, Entry, Source, file_name, is_shared, runs_of, slashed};
use crate::analysis::cache::BUNDLED;
use crate::analysis::subspace_report::{bundled, subspace_report};
use crate::data::Dataset;
use crate::data::bundle::{self, DataBundle};
use crate::error::InputError;
use crate::files;
use crate::id_training::words;
use crate::model::Prompt;
use crate::project::Project;
use crate::project::file::{FILE_NAME, to_ron};
use crate::run::config::without_folder;
use crate::run::marks::{Mark, Marks, MarksFile};
use crate::run::{RunConfig, RunFolder};
use crate::train::rank_search::RANK_SEARCH_FILE;
use crate::train::stage_artifacts::MEETINGS_FILE;

/// What a bundle leaves out beside what it always does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ReadOnlyOptions {
    /// Titles of items; their ids stay.
    pub without_titles: bool,
}

/// A report is numbers and a few titles.
const LARGEST_REPORT: u64 = 256 << 20;

impl Contents {
    /// Looks at what others may see of a project: results, curves, reports on adapters, the catalogue. Users get pseudonyms
    /// that are the same in all of its runs and were drawn for this bundle alone.
    ///
    /// # Errors
    /// The project or its data cannot be read.
    pub fn read_only(path: &Path, options: ReadOnlyOptions) -> Result<Self, InputError> {
        let project = Project::load(path)?;
        project.check_trainable()?;
        let index = project.index_path();
        let dataset = Dataset::load(&project.dataset, index.as_deref(), &project.folder)?;
        let pseudonyms = Arc::new(drawn(dataset.users.len(), &project.folder)?);
        let mut runs = runs_of(&project);
        // Users of other data have other numbers.
        runs.retain(|run| !is_shared(run) && run.config().data_hash == dataset.hash);
        let mut bare = bare(project.clone());
        for pinned in &mut bare.board {
            let Some(name) = pinned.options.user.take() else { continue };
            let user = dataset.users.iter().position(|user| *user == name);
            let pseudonym = user.map_or_else(String::new, |user| bundle::pseudonym(pseudonyms[user] as usize));
            let words = [pinned.title.as_mut(), Some(&mut pinned.caption), pinned.options.chart.as_mut()];
            words.into_iter().flatten().for_each(|words| *words = words.replace(&name, &pseudonym));
            pinned.options.user = user.map(|_| pseudonym);
        }
        let mut entries = Vec::new();
        let mut renamed = BTreeMap::new();
        for run in &runs {
            let config = bare_config(run.config())?;
            renamed.insert(run.config().run.clone(), config.run.clone());
            run_entries(run, &config, &pseudonyms, options, &mut entries)?;
        }
        let mut text = to_ron(&bare, &project.folder)?;
        renamed.iter().for_each(|(was, now)| text = text.replace(was, now));
        entries.push(Entry::of_bytes(FILE_NAME.to_owned(), text.into_bytes()));
        let data = DataBundle::of(&dataset, words::data_drift(&dataset), !options.without_titles);
        entries.push(Entry::of_bytes(bundle::FILE.to_owned(), json_bytes(&data, path)?));
        let marks = marks(&MarksFile::new(&project.runs_dir(None)).read()?, &renamed);
        entries.push(Entry::of_bytes("runs/.marks.ron".to_owned(), to_ron(&marks, path)?.into_bytes()));
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(Self {
            runs: runs.len(),
            project: bare,
            project_file: FILE_NAME.to_owned(),
            read_only: true,
            entries,
            outside: Vec::new(),
        })
    }
}

/// A pseudonym for each user: a permutation from a seed of the system that nobody keeps.
fn drawn(users: usize, folder: &Path) -> Result<Vec<u32>, InputError> {
    let mut seed = <ChaCha20Rng as SeedableRng>::Seed::default();
    OsRng
        .try_fill_bytes(&mut seed)
        .map_err(|error| InputError::new(folder, format!("the system gives no random numbers: {error}")))?;
    let mut pseudonyms: Vec<u32> = (0..users as u32).collect();
    pseudonyms.shuffle(&mut ChaCha20Rng::from_seed(seed));
    Ok(pseudonyms)
}

/// The project without folders, prompts, notes and what is said to the one who presents.
fn bare(project: Project) -> Project {
    let mut bare = project.with_paths(&without_folder);
    if let Prompt::Custom(_) = bare.prompt {
        bare.prompt = Prompt::Compact;
    }
    bare.notes = String::new();
    bare.board.iter_mut().for_each(|pinned| pinned.note = String::new());
    bare.read_only = true;
    bare
}

/// The same of a run. Where the prompt had a text, its hash and so its id are others.
fn bare_config(config: &RunConfig) -> Result<RunConfig, InputError> {
    // What stood on the board when the run was started is nobody's business, and nobody looks at it there.
    let project = Project { board: Vec::new(), ..bare(config.project.clone()) };
    let had_text = project.prompt != config.project.prompt;
    let mut bare = RunConfig { project, ..config.clone() };
    if had_text {
        bare.config_hash = RunConfig::hash_of(&bare.project, &bare.method)?;
        bare.run = RunConfig::id_of(&bare.experiment, &bare.method, bare.seed, &bare.config_hash);
    }
    Ok(bare)
}

/// Pins, tags and what is archived, without notes, of the runs that are in the bundle.
fn marks(marks: &Marks, renamed: &BTreeMap<String, String>) -> Marks {
    let mut bare = Marks::default();
    for (was, now) in renamed {
        bare.set(now, Mark { note: String::new(), ..marks.of(was).clone() });
    }
    bare
}

fn run_entries(
    run: &RunFolder,
    config: &RunConfig,
    pseudonyms: &Arc<Vec<u32>>,
    options: ReadOnlyOptions,
    entries: &mut Vec<Entry>,
) -> Result<(), InputError> {
    let folder = format!("runs/{}", config.run);
    entries.push(Entry::of_bytes(format!("{folder}/run.ron"), to_ron(config, run.path())?.into_bytes()));
    let database = run.path().join("run.sqlite");
    let bytes = std::fs::metadata(&database).map_err(|error| InputError::io(&database, "read", &error))?.len();
    let source = Source::Pseudonymous(database, Arc::clone(pseudonyms));
    entries.push(Entry { name: format!("{folder}/run.sqlite"), source, bytes });
    if config.method.adapter_method().is_some()
        && let Ok(Some(report)) = subspace_report(run, &AtomicBool::new(false))
    {
        // Adapters that cannot be read have no report, here as in the window.
        let report = json!(bundled(report));
        let text = json_bytes(&report, run.path())?;
        entries.push(Entry::of_bytes(format!("{folder}/subspace.json"), with_id(text, run.config(), config)));
    }
    let of_stages =
        (1..=config.stages).flat_map(|stage| [run.rounds_file(stage), run.adapter(stage).join(MEETINGS_FILE)]);
    for file in std::iter::once(run.path().join(RANK_SEARCH_FILE)).chain(of_stages).filter(|file| file.is_file()) {
        let name = slashed(file.strip_prefix(run.path()).unwrap_or(&file));
        entries.push(Entry::of_file(format!("{folder}/{name}"), file)?);
    }
    for stage in 1..=config.stages {
        let reports = run.path().join("analysis").join(format!("stage_{stage}"));
        for file in std::fs::read_dir(&reports).into_iter().flatten().flatten().map(|entry| entry.path()) {
            let name = file_name(&file);
            if name == "retention.json" || (name.starts_with("meaning-") && name.ends_with(".json")) {
                let text = json_bytes(&report(&file, options)?, &file)?;
                let name = format!("{folder}/analysis/stage_{stage}/{name}");
                entries.push(Entry::of_bytes(name, with_id(text, run.config(), config)));
            }
        }
    }
    Ok(())
}

/// A report on an adapter without the users in it, and without titles where these are not to be told.
fn report(file: &Path, options: ReadOnlyOptions) -> Result<Value, InputError> {
    let text = files::read_text(file, LARGEST_REPORT)?;
    let mut kept: Value = serde_json::from_str(&text).map_err(|error| InputError::new(file, error.to_string()))?;
    kept["made_from"] = json!(BUNDLED);
    for direction in kept["report"]["directions"].as_array_mut().into_iter().flatten() {
        if let Some(users) = direction.get_mut("activation").and_then(|activation| activation.get_mut("users")) {
            *users = json!({"raised": [], "lowered": []});
        }
    }
    if options.without_titles {
        remove_titles(&mut kept);
    }
    Ok(kept)
}

fn remove_titles(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            if let Some(title) = fields.get_mut("title") {
                *title = Value::Null;
            }
            fields.values_mut().for_each(remove_titles);
        }
        Value::Array(values) => values.iter_mut().for_each(remove_titles),
        _ => {}
    }
}

/// A text in which a run is named as it is in the bundle.
fn with_id(text: Vec<u8>, was: &RunConfig, now: &RunConfig) -> Vec<u8> {
    if was.run == now.run {
        return text;
    }
    String::from_utf8(text)
        .map_or_else(std::string::FromUtf8Error::into_bytes, |text| text.replace(&was.run, &now.run).into_bytes())
}

fn json_bytes(value: &impl serde::Serialize, path: &Path) -> Result<Vec<u8>, InputError> {
    serde_json::to_vec(value).map_err(|error| InputError::new(path, error.to_string()))
}
