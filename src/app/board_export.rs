//! The figures of a board as files.

use std::path::PathBuf;

use super::dialogs::chart_file::{ExportChoices, Format, Size};
use crate::error::InputError;
use crate::figures::NamedChart;
use crate::figures::board::{Contexts, charts};
use crate::files;
use crate::plot::{self, Style};
use crate::project::Project;
use crate::project::board::FigureSize;

/// A board to be written.
pub(crate) struct BoardExport {
    pub(crate) project: Project,
    pub(crate) folder: PathBuf,
    pub(crate) format: Format,
    pub(crate) choices: ExportChoices,
    /// Whether the window is.
    pub(crate) dark: bool,
}

/// What came of it.
#[derive(Debug)]
pub(crate) struct Exported {
    pub(crate) folder: PathBuf,
    /// Files.
    pub(crate) written: usize,
    /// Figures that could not be made or written, by name.
    pub(crate) failed: Vec<(String, InputError)>,
}

impl BoardExport {
    /// Writes every figure that can be made: `01-gains.png`.
    ///
    /// # Errors
    /// The folder cannot be made.
    pub(crate) fn write(&self) -> Result<Exported, InputError> {
        files::create_folder(&self.folder)?;
        let contexts = Contexts::new(&self.project, &self.project.runs_dir(None));
        let mut exported = Exported { folder: self.folder.clone(), written: 0, failed: Vec::new() };
        for (number, pinned) in (1..).zip(&self.project.board) {
            let style = self.style(pinned.size);
            let written = charts(&contexts, pinned).and_then(|charts| {
                charts.iter().try_for_each(|NamedChart { name, chart }| {
                    let name = format!("{number:02}-{name}.{}", self.format.extension());
                    let path = self.folder.join(name);
                    plot::export(chart, &path, &style).map(|()| exported.written += 1)
                })
            });
            exported.failed.extend(written.err().map(|error| (pinned.figure.clone(), error)));
        }
        Ok(exported)
    }

    fn style(&self, size: FigureSize) -> Style {
        let size = match size {
            FigureSize::Slide => Size::Slide,
            FigureSize::Column => Size::Column,
            FigureSize::Page => Size::Page,
        };
        ExportChoices { size, ..self.choices }.style(self.dark)
    }
}
