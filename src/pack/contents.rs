//! What of a project is packed: its file, its runs, trained ids, and the data and models that lie beside it.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::manifest::OutsideFiles;
use crate::data::{DatasetSource, load};
use crate::error::InputError;
use crate::files;
use crate::project::Project;
use crate::project::file::{FILE_NAME, from_ron, to_ron};
use crate::project::paths::NamedPath;
use crate::run::{RunConfig, RunFolder, checkpoint};

/// What is to be packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PackOptions {
    /// Data and models that lie outside of the project's folder too.
    pub with_data: bool,
}

/// A file of the zip to be.
#[derive(Debug, Clone)]
pub struct Entry {
    /// In the zip, with `/` between folders.
    pub name: String,
    pub source: Source,
    /// As it lies on the disk now; that of a database is what it has at most.
    pub bytes: u64,
}

/// Where the content of a file comes from.
#[derive(Debug, Clone)]
pub enum Source {
    File(PathBuf),
    /// A file as it was when it was opened, whatever takes its place meanwhile.
    Opened(PathBuf, Arc<File>),
    /// The measurements of a run, which a worker may be writing.
    Database(PathBuf),
    /// The same under other numbers of users, by user.
    Pseudonymous(PathBuf, Arc<Vec<u32>>),
    /// Made for the zip.
    Bytes(Vec<u8>),
}

/// What a zip will hold, and what it will name without holding it.
#[derive(Debug, Clone)]
pub struct Contents {
    pub project: Project,
    /// Name of the project file.
    pub project_file: String,
    pub read_only: bool,
    /// By name.
    pub entries: Vec<Entry>,
    /// Data and models that stay outside, with the files to be hashed.
    pub outside: Vec<(OutsideFiles, Vec<PathBuf>)>,
    /// Runs in it.
    pub runs: usize,
}

/// A frozen configuration is a project file and a little more.
pub(super) const LARGEST_CONFIG: u64 = 8 << 20;
/// Files of a run's folder that speak of this machine or this moment.
const NOT_PACKED: [&str; 4] = ["worker.lock", "control", "lock", "run.sqlite"];
/// Folder of data and models of a packed project that lay elsewhere.
const BESIDE: &str = "data";
/// Folder of trained semantic ids.
const IDS: &str = "semantic_ids";

impl Contents {
    /// Bytes of all files, before they are compressed.
    pub fn bytes(&self) -> u64 {
        self.entries.iter().map(|entry| entry.bytes).sum()
    }

    /// Looks at what a whole project consists of (its file, or the folder with `project.ron`).
    ///
    /// # Errors
    /// The project cannot be used, or a file of it cannot be read. Data and models that are not there are left out.
    pub fn whole(path: &Path, options: PackOptions) -> Result<Self, InputError> {
        let file = if path.is_dir() { path.join(FILE_NAME) } else { path.to_path_buf() };
        let project = Project::load(&file)?;
        project.check_trainable()?;
        let project_file = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let mut moved = Moved::default();
        let mut entries = Vec::new();
        let mut outside = Vec::new();
        for named in project.paths() {
            moved.place(&project, &named, options, &mut entries, &mut outside)?;
        }
        for table in project.tables() {
            let path = project.folder.join(&table);
            // One that leads out of the folder is read by nobody.
            if let Some(inside) = relative(&path, &project.folder)
                && path.is_file()
            {
                entries.push(Entry::of_file(slashed(&inside), path)?);
            }
        }
        let text = if moved.is_nothing() {
            // As it was written, comments and all.
            fs::read(&file).map_err(|error| InputError::io(&file, "read", &error))?
        } else {
            to_ron(&moved.of(project.clone()), &file)?.into_bytes()
        };
        entries.push(Entry { name: project_file.clone(), bytes: text.len() as u64, source: Source::Bytes(text) });
        folder_entries(&project.folder.join(IDS), IDS, &mut entries)?;
        let runs = runs_of(&project);
        for run in &runs {
            run_entries(run, &moved, &mut entries)?;
        }
        let marks = Path::new("runs").join(".marks.ron");
        if project.folder.join(&marks).is_file() {
            entries.push(Entry::of_file("runs/.marks.ron".to_owned(), project.folder.join(marks))?);
        }
        // One file may be named twice: as data of the project, and because it lies among the trained ids.
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        entries.dedup_by(|a, b| a.name == b.name);
        Ok(Self {
            runs: runs.iter().filter(|run| !is_shared(run)).count(),
            project,
            project_file,
            read_only: false,
            entries,
            outside,
        })
    }
}

impl Entry {
    pub(super) fn of_file(name: String, path: PathBuf) -> Result<Self, InputError> {
        let bytes = fs::metadata(&path).map_err(|error| InputError::io(&path, "read", &error))?.len();
        Ok(Self { name, source: Source::File(path), bytes })
    }

    pub(super) fn of_bytes(name: String, bytes: Vec<u8>) -> Self {
        Self { name, bytes: bytes.len() as u64, source: Source::Bytes(bytes) }
    }
}

/// The runs of a project, with the parts that they share.
pub(super) fn runs_of(project: &Project) -> Vec<RunFolder> {
    let mut folders: Vec<PathBuf> =
        fs::read_dir(project.runs_dir(None)).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    folders.sort();
    let visible = folders.into_iter().filter(|folder| !file_name(folder).starts_with('.'));
    // What cannot be opened is no run to anybody.
    visible.filter_map(|folder| RunFolder::open(&folder).ok()).filter(|run| run.config().belongs_to(project)).collect()
}

pub(super) fn is_shared(run: &RunFolder) -> bool {
    file_name(run.path()).starts_with(crate::project::slug::SHARED_PREFIX)
}

fn run_entries(run: &RunFolder, moved: &Moved, entries: &mut Vec<Entry>) -> Result<(), InputError> {
    let prefix = format!("runs/{}", file_name(run.path()));
    let first = entries.len();
    // A checkpoint relies on what was written before it: so it is taken first, while a worker may go on.
    let checkpoint = run.checkpoint().join(checkpoint::FILE);
    let taken = File::open(&checkpoint).ok();
    folder_entries(run.path(), &prefix, entries)?;
    let name = format!("{prefix}/checkpoint/{}", checkpoint::FILE);
    entries.retain(|entry| entry.name != name);
    if let Some(file) = taken {
        let bytes = file.metadata().map_err(|error| InputError::io(&checkpoint, "read", &error))?.len();
        entries.push(Entry { name, bytes, source: Source::Opened(checkpoint, Arc::new(file)) });
    }
    if !moved.is_nothing() {
        let file = run.path().join("run.ron");
        let mut config: RunConfig = from_ron(&files::read_text(&file, LARGEST_CONFIG)?, &file)?;
        config.project = moved.of(config.project);
        let text = to_ron(&config, &file)?;
        let name = format!("{prefix}/run.ron");
        entries[first..]
            .iter_mut()
            .filter(|entry| entry.name == name)
            .for_each(|entry| *entry = Entry::of_bytes(name.clone(), text.clone().into_bytes()));
    }
    let database = run.path().join("run.sqlite");
    let bytes = fs::metadata(&database).map_err(|error| InputError::io(&database, "read", &error))?.len();
    entries.push(Entry { name: format!("{prefix}/run.sqlite"), source: Source::Database(database), bytes });
    Ok(())
}

/// The files of a folder and its folders, without hidden ones, links and what speaks of this machine alone; nothing where
/// there is no folder.
fn folder_entries(folder: &Path, prefix: &str, entries: &mut Vec<Entry>) -> Result<(), InputError> {
    if !folder.is_dir() {
        return Ok(());
    }
    let unreadable = |error: std::io::Error| InputError::io(folder, "read the folder", &error);
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let (path, kind) = (entry.path(), entry.file_type().map_err(unreadable)?);
        let name = file_name(&path);
        let passing =
            name.ends_with(".lock") || name.ends_with(".control") || name.ends_with("-wal") || name.ends_with("-shm");
        if name.starts_with('.') || passing || NOT_PACKED.contains(&name.as_str()) {
            continue;
        }
        let name = format!("{prefix}/{name}");
        if kind.is_dir() {
            folder_entries(&path, &name, entries)?;
        } else if kind.is_file() {
            entries.push(Entry::of_file(name, path)?);
        }
    }
    Ok(())
}

/// The paths of a project that are others in the zip.
#[derive(Default)]
struct Moved(BTreeMap<PathBuf, PathBuf>);

impl Moved {
    fn is_nothing(&self) -> bool {
        self.0.is_empty()
    }

    fn of(&self, project: Project) -> Project {
        project.with_paths(&|path| self.0.get(path).cloned().unwrap_or_else(|| path.to_path_buf()))
    }

    /// Puts what a path leads to into the zip or beside it.
    fn place(
        &mut self,
        project: &Project,
        named: &NamedPath,
        options: PackOptions,
        entries: &mut Vec<Entry>,
        outside: &mut Vec<(OutsideFiles, Vec<PathBuf>)>,
    ) -> Result<(), InputError> {
        let path = project.folder.join(&named.path);
        let read = read_files(project, named)?;
        let inside = relative(&path, &project.folder);
        let at = match inside {
            Some(inside) => inside,
            None if options.with_data => Path::new(BESIDE).join(path.file_name().unwrap_or_default()),
            None => {
                let files = read.iter().map(|file| {
                    Ok(super::PackedFile { name: name_below(file, &path), bytes: size(file)?, sha256: String::new() })
                });
                let files = files.collect::<Result<_, InputError>>()?;
                let path = named.path.display().to_string();
                outside.push((OutsideFiles { field: named.field.to_owned(), path, files }, read));
                return Ok(());
            }
        };
        for file in read {
            let below = if path.is_dir() {
                at.join(file.strip_prefix(&path).unwrap_or(&file))
            } else {
                at.with_file_name(file.file_name().unwrap_or_default())
            };
            let name = slashed(&below);
            if entries.iter().any(|entry| entry.name == name) && !path.starts_with(&project.folder) {
                return Err(InputError::new(&file, format!("two files would be `{name}` in the zip"))
                    .advice("give one of them another name"));
            }
            entries.push(Entry::of_file(name, file)?);
        }
        if at != named.path {
            self.0.insert(named.path.clone(), at);
        }
        Ok(())
    }
}

/// The files that are read where a project names a path.
pub(super) fn read_files(project: &Project, named: &NamedPath) -> Result<Vec<PathBuf>, InputError> {
    let path = project.folder.join(&named.path);
    if named.field == "dataset" && project.dataset.path() == Some(&named.path) {
        let source = project.dataset.clone().with_paths(|path| project.folder.join(path));
        if !matches!(source, DatasetSource::PesoRelease { .. }) && path.exists() {
            let Ok(Some(plan)) = load::plan(&source) else { return Ok(vec![path]) };
            let items = plan.items.map(|items| items.path);
            return Ok(plan
                .interactions
                .into_iter()
                .map(|source| source.path)
                .chain(items)
                .chain(plan.index)
                .collect());
        }
    }
    if !path.is_dir() {
        let ids = path.with_extension("ids.txt");
        let beside = (named.field == "semantic_ids" && ids.is_file()).then_some(ids);
        return Ok([path].into_iter().filter(|path| path.is_file()).chain(beside).collect());
    }
    let unreadable = |error: std::io::Error| InputError::io(&path, "read the folder", &error);
    let entries = fs::read_dir(&path).map_err(unreadable)?;
    let mut read =
        entries.map(|entry| Ok(entry.map_err(unreadable)?.path())).collect::<Result<Vec<_>, InputError>>()?;
    read.retain(|file| file.is_file() && !file_name(file).starts_with('.'));
    read.sort();
    Ok(read)
}

/// A path from the folder, where it lies in it.
fn relative(path: &Path, folder: &Path) -> Option<PathBuf> {
    let (path, folder) = (fs::canonicalize(path).ok()?, fs::canonicalize(folder).ok()?);
    path.strip_prefix(folder).ok().map(Path::to_path_buf)
}

/// A file's name from the folder that was named, or its own where a file was.
fn name_below(file: &Path, named: &Path) -> String {
    match file.strip_prefix(named) {
        Ok(below) if !below.as_os_str().is_empty() => slashed(below),
        _ => file_name(file),
    }
}

fn size(file: &Path) -> Result<u64, InputError> {
    fs::metadata(file).map(|file| file.len()).map_err(|error| InputError::io(file, "read", &error))
}

pub(super) fn slashed(path: &Path) -> String {
    path.iter().map(|part| part.to_string_lossy()).collect::<Vec<_>>().join("/")
}

pub(super) fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
