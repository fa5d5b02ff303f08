//! Recent projects as the start page shows them: whether their folders are still there, and a small picture of what each found.
//!
//! Pictures are drawn off the window's thread and kept under the configuration folder.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use eframe::egui;
use egui::{ColorImage, Context, TextureHandle, TextureOptions};
use sha2::{Digest, Sha256};

use super::autosave;
use crate::error::InputError;
use crate::figures::comparison::{ComparisonOptions, over_stages};
use crate::files;
use crate::plot::{self, Body, Chart, Style, Theme};
use crate::project::Project;
use crate::results::Results;

/// What a picture shows: the metric of the comparison that the window opens with.
const METRIC: &str = "ndcg@10";
/// Size of a picture, twice as wide and high as it is shown, and its dots an inch.
const SIZE: [u32; 2] = [240, 136];
const DPI: u32 = 96;
/// Pictures of one project are at least this far apart.
const PAUSE: Duration = Duration::from_secs(20);
/// Largest picture that is read.
const LARGEST: u64 = 8 << 20;

/// What was found of one recent project.
pub(crate) struct RecentLook {
    file: PathBuf,
    look: Look,
}

/// A recent project's folder.
pub(crate) struct Look {
    /// Whether its file is still there.
    pub(crate) exists: bool,
    /// Whether edits were left there that were never saved.
    pub(crate) edited: bool,
    /// Its pictures on light and on dark ground.
    pictures: [Option<ColorImage>; 2],
    textures: [OnceCell<TextureHandle>; 2],
}

impl RecentLook {
    /// Looks at a project file, and for its pictures in the configuration folder.
    pub(crate) fn at(file: PathBuf, configuration: Option<&Path>) -> Self {
        let picture = |theme| configuration.and_then(|folder| read(&picture_file(folder, &file, theme)));
        let pictures = [Theme::Light, Theme::Dark].map(picture);
        let edited = autosave::is_beside(&file);
        let look = Look { exists: file.is_file(), edited, pictures, textures: Default::default() };
        Self { file, look }
    }
}

impl Look {
    /// The picture for the theme, where there is one.
    pub(crate) fn texture(&self, ctx: &Context, dark: bool) -> Option<&TextureHandle> {
        let index = usize::from(dark);
        let picture = self.pictures[index].as_ref()?;
        let load = || ctx.load_texture("recent project", picture.clone(), TextureOptions::LINEAR);
        Some(self.textures[index].get_or_init(load))
    }
}

/// What was found of the recent projects.
#[derive(Default)]
pub(crate) struct RecentLooks {
    /// The projects that were asked for last.
    asked: Vec<PathBuf>,
    looks: BTreeMap<PathBuf, Look>,
}

impl RecentLooks {
    /// The projects that are to be looked at, if they are others than the last time.
    pub(crate) fn ask(&mut self, recent: &[PathBuf]) -> Option<Vec<PathBuf>> {
        if self.asked == recent {
            return None;
        }
        self.asked = recent.to_vec();
        Some(self.asked.clone())
    }

    pub(crate) fn seen(&mut self, looks: Vec<RecentLook>) {
        self.looks = looks.into_iter().map(|RecentLook { file, look }| (file, look)).collect();
    }

    /// What was found of a project; none until it was looked at.
    pub(crate) fn of(&self, file: &Path) -> Option<&Look> {
        self.looks.get(file)
    }
}

/// When the open project's picture was drawn.
#[derive(Debug, Default)]
pub(crate) struct Thumbnail {
    busy: bool,
    /// The results that it shows, and when it was drawn.
    drawn: Option<(u64, Instant)>,
}

impl Thumbnail {
    /// Whether results are to be drawn now.
    pub(crate) fn is_due(&mut self, revision: u64, now: Instant) -> bool {
        let due =
            !self.busy && self.drawn.is_none_or(|(drawn, at)| drawn != revision && now.duration_since(at) >= PAUSE);
        if due {
            (self.busy, self.drawn) = (true, Some((revision, now)));
        }
        due
    }

    pub(crate) const fn done(&mut self) {
        self.busy = false;
    }
}

/// Draws the pictures of the results of a project that is opened from `path`, on light and on dark ground; where nothing was measured yet, none.
///
/// # Errors
/// They cannot be written.
pub(crate) fn draw(project: &Project, results: &Results, path: &Path, configuration: &Path) -> Result<(), InputError> {
    let chart = over_stages(project, results, METRIC, &ComparisonOptions::default());
    if matches!(chart.body, Body::Empty(_)) {
        return Ok(());
    }
    let chart = in_small(chart);
    for theme in [Theme::Light, Theme::Dark] {
        let file = picture_file(configuration, path, theme);
        if let Some(folder) = file.parent() {
            files::create_folder(folder)?;
        }
        plot::export(&chart, &file, &Style { theme, width: SIZE[0], height: SIZE[1], dpi: DPI })?;
    }
    Ok(())
}

/// A chart without the words that nobody can read at its size.
fn in_small(chart: Chart) -> Chart {
    let mut chart = Chart { title: String::new(), subtitle: None, caption: None, note: None, ..chart };
    if let Body::Lines(lines) = &mut chart.body {
        (lines.x.label, lines.y.label, lines.y.better) = (String::new(), String::new(), None);
        lines.series.iter_mut().for_each(|series| series.name.clear());
    }
    chart
}

/// Where a project's picture is kept: under a name that its path makes.
fn picture_file(configuration: &Path, project: &Path, theme: Theme) -> PathBuf {
    let hash = Sha256::digest(project.as_os_str().as_encoded_bytes());
    let name: String = hash.iter().take(12).map(|byte| format!("{byte:02x}")).collect();
    let ground = if theme == Theme::Dark { "dark" } else { "light" };
    configuration.join("pictures").join(format!("{name}-{ground}.png"))
}

/// A picture; none where there is none, or it cannot be read: it is drawn again when the project is open.
fn read(file: &Path) -> Option<ColorImage> {
    let size = file.metadata().ok()?.len();
    let bytes = (size <= LARGEST).then(|| std::fs::read(file).ok()).flatten()?;
    let mut reader = png::Decoder::new(Cursor::new(bytes)).read_info().ok()?;
    let mut dots = vec![0; reader.output_buffer_size()?];
    let info = reader.next_frame(&mut dots).ok()?;
    let rgb = info.color_type == png::ColorType::Rgb && info.bit_depth == png::BitDepth::Eight;
    let size = [info.width as usize, info.height as usize];
    (rgb && dots.len() == 3 * size[0] * size[1]).then(|| ColorImage::from_rgb(size, &dots))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_drawn_when_results_are_new_and_not_too_often() {
        let mut thumbnail = Thumbnail::default();
        let start = Instant::now();
        assert!(thumbnail.is_due(1, start));
        assert!(!thumbnail.is_due(2, start + 2 * PAUSE), "one at a time");
        thumbnail.done();
        assert!(!thumbnail.is_due(1, start + 2 * PAUSE), "nothing new");
        assert!(!thumbnail.is_due(2, start + PAUSE / 2), "too soon");
        assert!(thumbnail.is_due(2, start + PAUSE));
    }

    #[test]
    fn a_project_that_is_gone_is_told_and_a_damaged_picture_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("project.ron");
        let picture = picture_file(folder.path(), &file, Theme::Light);
        std::fs::create_dir_all(picture.parent().unwrap()).unwrap();
        std::fs::write(&picture, b"no picture").unwrap();
        let RecentLook { look, .. } = RecentLook::at(file.clone(), Some(folder.path()));
        assert!(!look.exists && look.pictures.iter().all(Option::is_none));
        std::fs::write(&file, "").unwrap();
        assert!(RecentLook::at(file, None).look.exists);
    }
}
