//! What a report of a bug needs, as one zip of texts that can be read before it is sent. It has no interactions, no ids of
//! users or items, no titles and no weights.

use std::fs;
use std::path::Path;

use super::private::{Redaction, settings, without_names};
use super::{Check, Diagnosis};
use crate::crash::reports;
use crate::error::InputError;
use crate::project::Project;
use crate::project::file::{FILE_NAME, to_ron};
use crate::run::RunFolder;
use crate::{calendar, files, pack};

/// A file of a bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BundleFile {
    /// In the zip, with `/` between folders.
    pub name: String,
    /// What it has, as a sentence.
    pub about: String,
    pub text: String,
}

/// Newest events of a run that are told.
const MOST_EVENTS: usize = 500;
const LARGEST: u64 = 4 << 20;
const READ_ME: &str = "README.txt";

/// The files of a bundle, the one that lists them first. Of a project that cannot be opened they have what the diagnosis
/// says.
///
/// # Errors
/// With `with_project`: the project file cannot be read.
pub fn bundle(
    diagnosis: &Diagnosis,
    project: Option<&Path>,
    with_project: bool,
) -> Result<Vec<BundleFile>, InputError> {
    let project = project.map(|path| std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf()));
    let project = project.as_deref();
    let opened = project.map(Project::load).and_then(Result::ok);
    let folder = project.map(|path| if path.is_dir() { path } else { path.parent().unwrap_or(path) });
    let redaction = Redaction::here(folder, opened.as_ref());
    // Before it is written as JSON, which has its own way with the backslashes of a path.
    let diagnosis = redacted(diagnosis.clone(), &redaction);
    let json = serde_json::to_string_pretty(&diagnosis).unwrap_or_default();
    let mut files = Files { redaction, files: Vec::new() };
    files.add("doctor.txt", "What `peso doctor` found.", &diagnosis.to_text());
    files.add("doctor.json", "The same, for programs.", &(json + "\n"));
    let crashes = reports::folder().map(|folder| reports::list(&folder)).unwrap_or_default();
    for path in crashes.iter().rev() {
        let name = format!("crashes/{}", path.file_name().unwrap_or_default().to_string_lossy());
        // One that cannot be read any more was removed by a newer one.
        if let Ok(text) = files::read_text(path, LARGEST) {
            files.add(&name, "A crash: where in the program, without its data.", &text);
        }
    }
    if let Some(path) = project.filter(|_| with_project) {
        let file = if path.is_dir() { path.join(FILE_NAME) } else { path.to_path_buf() };
        let text = fs::read(&file).map_err(|error| InputError::io(&file, "read", &error))?;
        let text = String::from_utf8_lossy(&text).into_owned();
        let about = "The project file as it is, with its names and paths: you asked for it.".to_owned();
        files.files.push(BundleFile { name: FILE_NAME.to_owned(), about, text });
    }
    if let Some(project) = opened {
        let about = "The project's settings without names and paths of data, notes, board and prompt.";
        let runs = RunFolder::list(&project.runs_dir(None));
        let own = runs.iter().filter(|run| run.config().belongs_to(&project));
        let own: Vec<(String, String)> = own.map(|run| (run.config().run.clone(), of_run(run))).collect();
        let path = project.folder.join(FILE_NAME);
        files.add("settings.ron", about, &to_ron(&settings(project), &path)?);
        for (run, text) in own {
            files.add(&format!("runs/{run}.txt"), "A run: its status, its error, and what its log says.", &text);
        }
    }
    Ok(files.with_read_me())
}

/// Writes a bundle.
///
/// # Errors
/// There is something at the path already, or it cannot be written.
pub fn write(bundle: &[BundleFile], to: &Path) -> Result<(), InputError> {
    let texts = bundle.iter().map(|file| (file.name.as_str(), file.text.as_str()));
    let bytes = pack::zip_of_texts(texts).map_err(|error| InputError::io(to, "make the zip", &error))?;
    if files::write_new(to, &bytes)? { Ok(()) } else { Err(there_already(to)) }
}

/// The error for a path at which there is something.
pub fn there_already(to: &Path) -> InputError {
    InputError::new(to, "there is something already").advice("name a file that does not exist yet")
}

/// A line a file: its name, and what it has.
pub fn listed(bundle: &[BundleFile]) -> String {
    let width = bundle.iter().map(|file| file.name.chars().count()).max().unwrap_or(0);
    bundle.iter().map(|BundleFile { name, about, .. }| format!("  {name:width$}  {about}\n")).collect()
}

fn redacted(mut diagnosis: Diagnosis, redaction: &Redaction) -> Diagnosis {
    for Check { found, advice, .. } in &mut diagnosis.checks {
        for words in [Some(found), advice.as_mut()].into_iter().flatten() {
            *words = redaction.apply(words);
        }
    }
    diagnosis
}

struct Files {
    redaction: Redaction,
    files: Vec<BundleFile>,
}

impl Files {
    fn add(&mut self, name: &str, about: &str, text: &str) {
        let text = self.redaction.apply(text);
        self.files.push(BundleFile { name: name.to_owned(), about: about.to_owned(), text });
    }

    fn with_read_me(self) -> Vec<BundleFile> {
        let about = "This list.".to_owned();
        let mut files = vec![BundleFile { name: READ_ME.to_owned(), about, text: String::new() }];
        files.extend(self.files);
        files[0].text = format!(
            "What PESO Workbench puts into a report of a bug. Read it before you send it.\n\n{}\n\
             ~ is your home folder, PROJECT the project's, DATA what it names, HOST your machine. There are no interactions, ids of users or items,\n\
             titles or weights in it.\n",
            listed(&files)
        );
        files
    }
}

/// Status, error and log of a run.
fn of_run(run: &RunFolder) -> String {
    let config = run.config();
    let head = format!(
        "method   {}\nseed     {}\nstages   {}\ndevice   {}\nversion  {}\nbegun    {}\n",
        config.method.key(),
        config.seed,
        config.stages,
        config.device,
        config.version,
        calendar::to_the_second(config.created_unix)
    );
    head + &recorded(run).unwrap_or_else(|error| format!("it cannot be read: {}\n", without_names(&error.problem)))
}

fn recorded(run: &RunFolder) -> Result<String, InputError> {
    let reader = run.reader()?;
    let reason = reader.reason()?.map_or_else(|| "none".to_owned(), |reason| without_names(&reason));
    let finished = reader.stages()?.iter().filter(|stage| stage.finished).count();
    let status = reader.status()?.key();
    let mut text = format!("status   {status}, {finished} stages are finished\nerror    {reason}\n\nlog\n");
    let events = reader.events_after(0)?;
    for (_, event) in &events[events.len().saturating_sub(MOST_EVENTS)..] {
        let when = calendar::to_the_second(event.unix);
        text += &format!("{when} {:7} {}\n", event.level.word(), without_names(&event.text));
    }
    Ok(text)
}
