//! The legend outside the data: on the right where it fits there, else below; in the window it gives way to the plot.

use super::marks::{mark, stroke};
use super::{Anchor, Rect, Scene, Shape, Stroke, size};
use crate::plot::Series;
use crate::plot::apart;
use crate::plot::font::{self, Weight};

/// Length of the piece of line in the legend, and its distance from the name.
const SAMPLE: f32 = 46.0;
const SAMPLE_GAP: f32 = 9.0;
/// Between the columns of a legend, and between it and the plot.
const LEGEND_GAP: f32 = 26.0;
/// Between the legend and the plot above it.
const ABOVE: f32 = 10.0;

/// Where the entries of a legend are, for what is laid over them.
#[derive(Debug, Default)]
pub struct LegendPlaces {
    pub entries: Vec<(Rect, String)>,
    /// What says how many entries had no room, and their names.
    pub more: Option<(Rect, Vec<String>)>,
}

/// Draws the legend and returns what is left for the plot.
///
/// Many long names are set a little smaller before the plot gives way to them. Where the plot would keep less than
/// [`Scene::least_plot`], the legend shows as many entries as leave it that, and counts the others.
pub fn draw(scene: &mut Scene, series: &[Series], room: Rect) -> Rect {
    if let Some(entries) = Entries::right(scene, series, room) {
        return entries.on_the_right(scene, room);
    }
    let entries = Entries::below(scene, series, room);
    let Some(most) = scene.least_plot.map(|least| room.height() - scene.axes_height() - least) else {
        return entries.in_columns(scene, room);
    };
    if entries.height_below(room) <= most {
        return entries.in_columns(scene, room);
    }
    if has_room_beside(series, room) {
        return Entries::new(scene, series, 0.8, room.width() * 0.36, 1).on_the_right(scene, room);
    }
    let more = scene.scaled(size::LEGEND) * 6.0;
    Entries::new(scene, series, 0.85, (room.width() - more).max(more), 1).in_rows(scene, room, most)
}

/// Heights that the legend takes from the plot: of the whole one, and of the least that it can be in the window.
pub fn heights(scene: &Scene, series: &[Series], room: Rect) -> [f32; 2] {
    if series.is_empty() || Entries::right(scene, series, room).is_some() {
        return [0.0; 2];
    }
    let entries = Entries::below(scene, series, room);
    let least = if has_room_beside(series, room) { 0.0 } else { entries.entry_height(1) };
    [entries.height_below(room), least]
}

fn has_room_beside(series: &[Series], room: Rect) -> bool {
    series.len() > 1 && room.width() >= 1.25 * room.height()
}

/// The legend's entries, set in one size.
struct Entries<'a> {
    series: &'a [Series],
    /// Lines of each name.
    names: Vec<Vec<String>>,
    text: f32,
    sample: f32,
    gap: f32,
}

impl<'a> Entries<'a> {
    /// Names broken into at most `lines` that fit `room` beside their samples; `part` is of the ordinary size.
    fn new(scene: &Scene, series: &'a [Series], part: f32, room: f32, lines: usize) -> Self {
        let [text, sample, gap] = [size::LEGEND, SAMPLE, SAMPLE_GAP].map(|size| scene.scaled(size) * part);
        let names = series.iter().map(|series| series.name.as_str());
        let names = apart::wrapped(names, text, Weight::Regular, room - sample - gap, lines);
        Self { series, names, text, sample, gap }
    }

    /// The whole legend where it fits beside the plot.
    fn right(scene: &Scene, series: &'a [Series], room: Rect) -> Option<Self> {
        if !has_room_beside(series, room) {
            return None;
        }
        let sizes = [(1.0, 0.36), (0.9, 0.4), (0.8, 0.44)].into_iter();
        let mut entries = sizes.map(|(part, share)| Self::new(scene, series, part, room.width() * share, 3));
        entries.find(|entries| entries.height() <= room.height())
    }

    /// The whole legend for below the plot.
    fn below(scene: &Scene, series: &'a [Series], room: Rect) -> Self {
        let entries = Self::new(scene, series, 1.0, room.width(), 1);
        let small = entries.height_below(room) > 0.4 * room.height();
        if small { Self::new(scene, series, 0.75, room.width(), 1) } else { entries }
    }

    fn leading(&self) -> f32 {
        self.text * size::LEADING * 0.92
    }

    fn entry_height(&self, lines: usize) -> f32 {
        self.leading() * lines.max(1) as f32 + self.text * 0.36
    }

    fn height(&self) -> f32 {
        self.names.iter().map(|name| self.entry_height(name.len())).sum()
    }

    fn entry_width(&self, name: &[String]) -> f32 {
        let widest = name.iter().map(|line| font::width(line, self.text, Weight::Regular)).fold(0.0, f32::max);
        widest + self.sample + self.gap
    }

    fn width(&self) -> f32 {
        self.names.iter().map(|name| self.entry_width(name)).fold(0.0, f32::max)
    }

    /// One above the other, as many as fit; the whole legend where all do.
    fn on_the_right(&self, scene: &mut Scene, room: Rect) -> Rect {
        let left = room.right - self.width();
        let mut top = room.top + scene.scaled(4.0);
        let whole = self.height() <= room.height();
        for (index, name) in self.names.iter().enumerate() {
            let last = index + 1 == self.names.len();
            if !whole && !last && top + 2.0 * self.entry_height(1) > room.bottom {
                self.draw_more(scene, index, [left, top]);
                break;
            }
            self.draw(scene, index, [left, top]);
            top += self.entry_height(name.len());
        }
        Rect { right: left - scene.scaled(LEGEND_GAP), ..room }
    }

    fn columns(&self, room: Rect) -> usize {
        let apart = self.gap * 3.0;
        (((room.width() + apart) / (self.width() + apart)) as usize).clamp(1, self.series.len().max(1))
    }

    fn height_below(&self, room: Rect) -> f32 {
        self.series.len().div_ceil(self.columns(room)) as f32 * self.entry_height(1)
    }

    /// The whole legend in columns below the plot.
    fn in_columns(&self, scene: &mut Scene, room: Rect) -> Rect {
        let columns = self.columns(room);
        let apart = self.width() + self.gap * 3.0;
        let top = room.bottom - self.height_below(room);
        for index in 0..self.series.len() {
            let left = room.left + (index % columns) as f32 * apart;
            self.draw(scene, index, [left, top + (index / columns) as f32 * self.entry_height(1)]);
        }
        Rect { bottom: top - scene.scaled(ABOVE), ..room }
    }

    /// As many entries as `most` of height has rows for, each as wide as it is.
    fn in_rows(&self, scene: &mut Scene, room: Rect, most: f32) -> Rect {
        let rows = ((most / self.entry_height(1)) as usize).max(1);
        let more = font::width(&more_words(self.series.len()), self.text, Weight::Regular) + self.gap * 3.0;
        let mut places: Vec<(usize, f32)> = Vec::new();
        let (mut row, mut left) = (0, room.left);
        for (index, name) in self.names.iter().enumerate() {
            let width = self.entry_width(name);
            let kept = |row: usize| if row + 1 == rows && index + 1 < self.names.len() { more } else { 0.0 };
            if left > room.left && left + width + kept(row) > room.right {
                if row + 1 == rows {
                    break;
                }
                (row, left) = (row + 1, room.left);
            }
            places.push((row, left));
            left += width + self.gap * 3.0;
        }
        let used = row + 1;
        let top = room.bottom - used as f32 * self.entry_height(1);
        for (index, (row, left)) in places.iter().enumerate() {
            self.draw(scene, index, [*left, top + *row as f32 * self.entry_height(1)]);
        }
        if places.len() < self.names.len() {
            self.draw_more(scene, places.len(), [left, top + row as f32 * self.entry_height(1)]);
        }
        Rect { bottom: top - scene.scaled(ABOVE), ..room }
    }

    /// One entry: a piece of the line with its mark, and the name beside it. `left` and `top` are its corner.
    fn draw(&self, scene: &mut Scene, index: usize, [left, top]: [f32; 2]) {
        let (series, name) = (&self.series[index], &self.names[index]);
        let hidden = scene.hidden.contains(&series.name);
        let middle = top + self.text * 0.68;
        let right = left + self.sample;
        if series.style.width > 0.0 {
            let line = stroke(scene, series.style);
            let line = if hidden { Stroke { colour: scene.theme.grid(), ..line } } else { line };
            scene.shapes.push(Shape::Line { points: vec![[left, middle], [right, middle]], stroke: line });
        }
        let no_line = series.segments().all(|points| points.len() == 1);
        let marker = series.style.marker.or_else(|| no_line.then(|| series.style.ink.lone_mark()));
        if let Some(marker) = marker.filter(|_| !hidden) {
            mark(scene, series.style, marker, [(left + right) / 2.0, middle]);
        }
        let colour = if hidden { scene.theme.quiet_text() } else { scene.theme.text() };
        for (number, line) in name.iter().enumerate() {
            let [x, y] = [right + self.gap, top + self.text + number as f32 * self.leading()];
            scene.text([x, y], line.clone(), self.text, colour, Anchor::Start);
            if hidden {
                let y = y - self.text * 0.34;
                let end = x + font::width(line, self.text, Weight::Regular);
                let stroke = Stroke::solid(colour, scene.scaled(1.25));
                scene.shapes.push(Shape::Line { points: vec![[x, y], [end, y]], stroke });
            }
        }
        let (width, height) = (self.entry_width(name), self.entry_height(name.len()));
        let at = Rect { left, top, right: left + width, bottom: top + height };
        scene.legend.entries.push((at, series.name.clone()));
    }

    /// What stands for the entries from an index on.
    fn draw_more(&self, scene: &mut Scene, from: usize, [left, top]: [f32; 2]) {
        let names: Vec<String> = self.series[from..].iter().map(|series| series.name.clone()).collect();
        let words = more_words(names.len());
        let right = left + font::width(&words, self.text, Weight::Regular);
        let colour = scene.theme.quiet_text();
        scene.text([left, top + self.text], words, self.text, colour, Anchor::Start);
        scene.legend.more = Some((Rect { left, top, right, bottom: top + self.entry_height(1) }, names));
    }
}

fn more_words(count: usize) -> String {
    format!("+{count} more")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::series_style::Theme;
    use crate::plot::{Point, SeriesStyle};

    fn series(count: usize) -> Vec<Series> {
        let named = |slot: usize| Series {
            name: format!("Method of number {slot} with a name"),
            points: vec![Point::new(0.0, 0.0), Point::new(1.0, 1.0)],
            style: SeriesStyle::method(slot),
        };
        (0..count).map(named).collect()
    }

    fn scene(width: f32, height: f32, least_plot: Option<f32>) -> (Scene, Rect) {
        let scene = Scene { least_plot, ..Scene::empty_of(width, height, Theme::Light, 0.8) };
        (scene, Rect { left: 0.0, top: 0.0, right: width, bottom: height })
    }

    #[test]
    fn a_legend_leaves_the_plot_its_height_and_counts_what_has_no_room() {
        for (width, height, count) in [(300.0, 280.0, 12), (700.0, 200.0, 30), (240.0, 400.0, 9)] {
            let least = 0.6 * height;
            let all = series(count);
            let (mut scene, room) = scene(width, height, Some(least));
            let left = draw(&mut scene, &all, room);
            let axes = scene.axes_height();
            let one_row = scene.legend.entries.iter().all(|(at, _)| at.top == scene.legend.entries[0].0.top);
            assert!(left.height() - axes >= least - 10.0 || one_row, "{} of {height} is left", left.height());
            let (_, more) = scene.legend.more.as_ref().unwrap();
            assert_eq!(scene.legend.entries.len() + more.len(), count);
            assert_eq!(more.last(), Some(&all[count - 1].name));
            let inside = |at: &Rect| at.left >= 0.0 && at.right <= width + 0.01 && at.bottom <= height + 0.01;
            assert!(scene.legend.entries.iter().all(|(at, _)| inside(at)));
        }
    }

    #[test]
    fn a_file_has_the_whole_legend() {
        let (mut scene, room) = scene(300.0, 280.0, None);
        draw(&mut scene, &series(12), room);
        assert_eq!(scene.legend.entries.len(), 12);
        assert!(scene.legend.more.is_none());
    }
}
