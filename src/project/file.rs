//! Reading, checking and writing the project file.

use std::path::Path;

use ron::Options;
use ron::extensions::Extensions;
use ron::ser::PrettyConfig;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::Project;
use super::{check, ron_source};
use crate::error::InputError;
use crate::files;

/// The demo project's file, as `peso demo` writes it and the window opens it.
pub const DEMO: &str = include_str!("../../projects/demo/project.ron");

/// A project that comes with the program: [`Demo::text`] is its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Demo {
    /// Tastes that drift, four methods.
    Drift,
    /// Long updates on little data, where PESO's pull makes a difference.
    LongUpdates,
}

impl Demo {
    pub const ALL: [Self; 2] = [Self::Drift, Self::LongUpdates];

    /// Its project file.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Drift => DEMO,
            Self::LongUpdates => include_str!("../../projects/long_updates/project.ron"),
        }
    }

    /// What it is called on the command line, and its folder behind `peso-`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Drift => "demo",
            Self::LongUpdates => "long-updates",
        }
    }

    /// The folder that is suggested for it.
    pub fn folder(self) -> String {
        format!("peso-{}", self.name())
    }

    /// What it shows, in a line.
    pub const fn summary(self) -> &'static str {
        match self {
            Self::Drift => "Tastes that drift: PESO and three other methods in a few minutes",
            Self::LongUpdates => "Long updates on little data: where PESO's pull helps, and by how much",
        }
    }
}

/// Name of the project file in a project folder.
pub const FILE_NAME: &str = "project.ron";

/// The layout that this program reads and writes.
pub const FORMAT: u32 = 1;

/// No project file is nearly as large; what is larger is something else.
const LARGEST_FILE: u64 = 4 << 20;

impl Project {
    /// Reads a project file, or `project.ron` in a folder, and checks it.
    ///
    /// # Errors
    /// Names the file, the line and the field of what cannot be used.
    pub fn load(path: &Path) -> Result<Self, InputError> {
        let file = if path.is_dir() { path.join(FILE_NAME) } else { path.to_path_buf() };
        if !file.exists() {
            let advice =
                "a project is a `.ron` file or a folder with `project.ron`; `peso demo` writes one to start from";
            return Err(InputError::new(file, "there is no such project").advice(advice));
        }
        Self::parse(&files::read_text(&file, LARGEST_FILE)?, &file)
    }

    /// Reads and checks the text of the project file at `file`.
    ///
    /// # Errors
    /// As [`Project::load`].
    pub fn parse(text: &str, file: &Path) -> Result<Self, InputError> {
        check_format(text, file)?;
        let mut project: Self = from_ron(text, file)?;
        project.folder = match file.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder.to_path_buf(),
            _ => Path::new(".").to_path_buf(),
        };
        check::check(&project).map_err(|found| {
            let fields = ron_source::fields(text);
            let place = fields.iter().find(|field| field.path == found.field).map_or_else(
                || format!("field `{}`", found.field),
                |field| format!("line {}, field `{}`", field.line, field.path),
            );
            InputError::new(file, found.problem).at(place).advice(found.advice)
        })?;
        Ok(project)
    }

    /// Writes the project file (comments of a file that was there are not kept).
    ///
    /// # Errors
    /// The file cannot be written; it is then as it was.
    pub fn save(&self, path: &Path) -> Result<(), InputError> {
        files::write_atomically(path, to_ron(self, path)?.as_bytes())
    }
}

/// Reads RON as the project's files write it.
///
/// # Errors
/// Names the line, the column and the field.
pub(crate) fn from_ron<T: DeserializeOwned>(text: &str, file: &Path) -> Result<T, InputError> {
    // A choice with options reads as `Peso(lambda: 2.0)`, but RON's own `Peso((lambda: 2.0))` is as good.
    let short = options().from_str(text);
    let error = match short {
        Ok(value) => return Ok(value),
        Err(short) => match Options::default().from_str(text) {
            Ok(value) => return Ok(value),
            Err(full) if (full.span.end.line, full.span.end.col) > (short.span.end.line, short.span.end.col) => full,
            Err(_) => short,
        },
    };
    let described = ron_source::describe(&error, text);
    let unusable = InputError::new(file, described.problem).at(described.place);
    Err(match described.expected {
        Some(expected) => unusable.advice(expected),
        None => unusable,
    })
}

/// Writes RON, a field a line.
///
/// # Errors
/// Never for the types of this crate; RON's own error otherwise.
pub fn to_ron<T: serde::Serialize>(value: &T, path: &Path) -> Result<String, InputError> {
    let layout = PrettyConfig::new().new_line("\n").indentor("    ").separate_tuple_members(false);
    let text = options().to_string_pretty(value, layout);
    text.map(|text| text + "\n").map_err(|error| InputError::new(path, format!("cannot be written as RON: {error}")))
}

fn options() -> Options {
    Options::default().with_default_extension(Extensions::UNWRAP_VARIANT_NEWTYPES | Extensions::IMPLICIT_SOME)
}

/// Says that a file is of another layout before its fields are called unknown.
fn check_format(text: &str, file: &Path) -> Result<(), InputError> {
    #[derive(Deserialize)]
    struct OnlyFormat {
        format: u32,
    }
    match options().from_str::<OnlyFormat>(text) {
        Ok(OnlyFormat { format }) if format != FORMAT => {
            let fields = ron_source::fields(text);
            let line = fields.iter().find(|field| field.path == "format").map_or(1, |field| field.line);
            Err(InputError::new(file, format!("format {format} is not known"))
                .at(format!("line {line}, field `format`"))
                .advice(format!("this version reads format {FORMAT}")))
        }
        // Whatever else is wrong, the full reading says it better.
        _ => Ok(()),
    }
}
