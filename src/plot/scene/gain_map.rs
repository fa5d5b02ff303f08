//! Lays out a map of gains: a legend of how sure cells are, cells with gain and interval, and the colour bar about 0.

use super::heat_map::{cell, diagonals, headings};
use super::{Anchor, Rect, Scene, Shape, Stroke, Text, size};
use crate::plot::font::{self, Weight};
use crate::plot::gain_map::{Certainty, GainMap, signed};
use crate::plot::series_style::{ColourMap, Rgb, Theme, text_on};

/// Width of a cell at most, in heights: an interval takes more room than a value.
const WIDEST: f32 = 4.5;

/// Draws `gains` into `room`; returns where the cells are.
pub fn draw(scene: &mut Scene, gains: &GainMap, mut room: Rect) -> Rect {
    room.top = legend(scene, room);
    let (range, decimals) = (gains.range(), gains.decimals());
    let [tick, label, gap] = [size::TICK, size::LABEL, size::GAP].map(|size| scene.scaled(size));
    let widest = font::width(&signed(range.low, decimals), tick, Weight::Regular);
    let bar = scene.scaled(18.0);
    let beside = scene.scaled(26.0);
    let around = beside + bar + gap + widest + scene.scaled(12.0) + label;
    let cells = headings(scene, &gains.map, Rect { right: room.right - around, ..room }, WIDEST);
    draw_cells(scene, gains, cells);
    let left = cells.right + beside;
    colour_bar(scene, gains, Rect { left, right: left + bar, ..cells });
    cells
}

/// What a cell without enough runs is filled with: a grey that is no colour of the scale.
const fn missing(theme: Theme) -> Rgb {
    match theme {
        Theme::Light => [0xd2, 0xd5, 0xda],
        Theme::Dark => [0x43, 0x48, 0x52],
    }
}

/// Draws how sure cells can be, each as it is drawn; returns where the legend ends.
fn legend(scene: &mut Scene, room: Rect) -> f32 {
    let swatch = [1.9, 1.15];
    let [inside, between] = [0.5, 1.6];
    let width = |text: f32| -> f32 {
        let of = |words: &str| (swatch[0] + inside + between) * text + font::width(words, text, Weight::Regular);
        Certainty::ALL.iter().map(|certainty| of(certainty.words())).sum()
    };
    let usual = scene.scaled(size::LEGEND);
    let text = usual * (room.width() / width(usual)).min(1.0);
    let mut left = room.left;
    for certainty in Certainty::ALL {
        let at = Rect { left, top: room.top, right: left + swatch[0] * text, bottom: room.top + swatch[1] * text };
        // Both ends of the scale: what is said is of gains and losses alike.
        let half = Rect { right: at.centre()[0], ..at };
        for (part, value) in [(half, 0.82), (Rect { left: half.right, ..at }, 0.18)] {
            ground(scene, part, certainty, value);
        }
        if certainty == Certainty::Open {
            hatch(scene, at, ColourMap::Diverging.rgb(0.82, scene.theme));
        }
        let words = [at.right + inside * text, room.top + 0.92 * text];
        let colour = scene.theme.text();
        scene.text(words, certainty.words(), text, colour, Anchor::Start);
        left = at.right + (inside + between) * text + font::width(certainty.words(), text, Weight::Regular);
    }
    room.top + swatch[1] * text + scene.scaled(size::GAP)
}

/// Fills a cell whose gain lies at `part` of the scale; returns the colour.
fn ground(scene: &mut Scene, at: Rect, certainty: Certainty, part: f64) -> Rgb {
    let fill = match certainty {
        Certainty::NotEnoughRuns => missing(scene.theme),
        Certainty::Open | Certainty::Certain => ColourMap::Diverging.rgb(part, scene.theme),
    };
    scene.shapes.push(Shape::Rect { at, fill, radius: 0.0 });
    fill
}

/// Diagonals over a cell of a colour, half way to what stands out from it: the cell may be a gain or a loss.
fn hatch(scene: &mut Scene, at: Rect, fill: Rgb) {
    let strong = text_on(fill);
    let colour = std::array::from_fn(|channel| {
        (0.68 * f32::from(fill[channel]) + 0.32 * f32::from(strong[channel])).round() as u8
    });
    diagonals(scene, at, &Stroke::solid(colour, scene.scaled(1.25)));
}

fn draw_cells(scene: &mut Scene, gains: &GainMap, cells: Rect) {
    let range = gains.range();
    let inset = scene.scaled(1.5);
    let texts = TextSizes::of(scene, gains, cells);
    for (row, values) in gains.map.values.iter().enumerate() {
        for (column, value) in values.iter().enumerate() {
            let whole = cell(cells, &gains.map, row, column);
            let at = Rect {
                left: whole.left + inset,
                top: whole.top + inset,
                right: whole.right - inset,
                bottom: whole.bottom - inset,
            };
            let certainty = gains.certainty(row, column);
            let fill = ground(scene, at, certainty, value.map_or(0.5, |value| range.part(value)));
            if certainty == Certainty::Open {
                hatch(scene, at, fill);
            }
            texts.draw(scene, gains, [row, column], at, fill);
        }
    }
}

/// Sizes at which what stands in cells fits all of them.
struct TextSizes {
    /// None where a gain would be too small to read.
    gain: Option<f32>,
    interval: Option<f32>,
}

impl TextSizes {
    fn of(scene: &Scene, gains: &GainMap, cells: Rect) -> Self {
        let at = cell(cells, &gains.map, 0, 0);
        let decimals = gains.decimals();
        let fitted = |wanted: f32, text: &str, share: f32| {
            let width = font::width(text, wanted, Weight::SemiBold);
            let size = wanted * (at.width() * 0.88 / width).min(at.height() * share / wanted).min(1.0);
            (size >= scene.scaled(8.5)).then_some(size)
        };
        let widest = gains.cells.iter().flatten().filter_map(|cell| cell.interval);
        let widest = widest.map(|ends| interval_words(ends, decimals)).max_by_key(String::len).unwrap_or_default();
        Self {
            gain: fitted(scene.scaled(size::LEGEND * 1.15), &signed(gains.range().low, decimals), 0.42),
            interval: fitted(scene.scaled(size::CAPTION), &widest, 0.28),
        }
    }

    /// Gain and interval of a cell, or that there is none.
    fn draw(&self, scene: &mut Scene, gains: &GainMap, [row, column]: [usize; 2], at: Rect, fill: Rgb) {
        let Some(size) = self.gain else { return };
        let decimals = gains.decimals();
        let certainty = gains.certainty(row, column);
        let (text, colour) = match gains.map.values[row][column] {
            Some(value) => (signed(value, decimals), text_on(fill)),
            None => ("–".to_owned(), scene.theme.quiet_text()),
        };
        let ends = gains.cells[row][column].interval.zip(self.interval);
        let [x, y] = at.centre();
        let up = if ends.is_some() { 0.15 * size } else { -0.35 * size };
        let weight = if certainty == Certainty::Certain { Weight::SemiBold } else { Weight::Regular };
        let at = [x, y - up];
        scene.shapes.push(Shape::Text(Text { at, text, size, weight, colour, anchor: Anchor::Middle, upwards: false }));
        if let Some((ends, small)) = ends {
            scene.text([x, y + 1.25 * small], interval_words(ends, decimals), small, colour, Anchor::Middle);
        }
    }
}

fn interval_words([low, high]: [f64; 2], decimals: usize) -> String {
    format!("{} to {}", signed(low, decimals), signed(high, decimals))
}

fn colour_bar(scene: &mut Scene, gains: &GainMap, bar: Rect) {
    scene.shapes.push(Shape::Heat { at: bar, map: ColourMap::Diverging, theme: scene.theme });
    let [tick, gap, label] = [size::TICK, size::GAP, size::LABEL].map(|size| scene.scaled(size));
    let (range, decimals) = (gains.range(), gains.decimals());
    let [first, last] = [bar.bottom - tick * 0.1, bar.top + tick * 0.75];
    let colour = scene.theme.quiet_text();
    for (part, value) in
        [(0.0, range.low), (0.25, range.low / 2.0), (0.5, 0.0), (0.75, range.high / 2.0), (1.0, range.high)]
    {
        let text = if value == 0.0 { "0".to_owned() } else { signed(value, decimals) };
        scene.text([bar.right + gap, first + part * (last - first)], text, tick, colour, Anchor::Start);
    }
    let widest = font::width(&signed(range.low, decimals), tick, Weight::Regular);
    let x = bar.right + gap + widest + scene.scaled(12.0) + label * 0.7;
    scene.heading_upwards([x, bar.centre()[1]], &gains.map.value.heading(), bar.height());
}

#[cfg(test)]
mod tests {
    use super::super::scene;
    use super::*;
    use crate::plot::gain_map::tests::four_cells;
    use crate::plot::{Body, Chart, table};

    #[test]
    fn an_open_cell_is_hatched_and_one_without_runs_has_a_colour_of_its_own() {
        for theme in [Theme::Light, Theme::Dark] {
            let chart = Chart::new("Gain", Body::GainMap(four_cells()));
            let drawn = scene(&chart, theme, [960.0, 600.0], 1.0).unwrap();
            let texts: Vec<&str> = drawn
                .shapes
                .iter()
                .filter_map(|shape| if let Shape::Text(text) = shape { Some(text.text.as_str()) } else { None })
                .collect();
            for text in ["+0.0044", "−0.0200", "+0.0010 to +0.0080", "–", "Not enough runs", "Interval holds 0"] {
                assert!(texts.contains(&text), "{text} in {texts:?}");
            }
            let fills = |wanted: Rgb| {
                drawn.shapes.iter().filter(|shape| matches!(shape, Shape::Rect { fill, .. } if *fill == wanted)).count()
            };
            // The cell, and two halves in the legend.
            assert_eq!(fills(missing(theme)), 3);
            let one = |row: usize| ColourMap::Diverging.rgb([0.61, 0.525][row], theme);
            assert_eq!((fills(one(0)), fills(one(1))), (1, 1), "the same scale for all cells");
        }
    }

    #[test]
    fn a_file_has_every_cell_with_its_interval_or_what_is_missing() {
        let chart = Chart::new("Gain", Body::GainMap(four_cells()));
        let expected = "Later interactions,Drift,Gain in NDCG@10,low,high,in words,note\n\
                        3.2,0.2,0.0044,0.001,0.008,Interval leaves 0 out; 3 seeds,\n\
                        8,0.2,-0.02,-0.03,-0.01,Interval leaves 0 out; 3 seeds,\n\
                        3.2,0.6,0.001,-0.004,0.006,Interval holds 0; 3 seeds,\n\
                        8,0.6,,,,Not enough runs; 3 seeds,\n";
        assert_eq!(table::csv(&chart), expected);
        let latex = table::latex(&chart);
        assert!(latex.contains("-0.0200") && latex.contains("Drift"), "{latex}");
        assert!(chart.description().contains("leaves 0 out in 2 of 4 cells, holds it in 1, and 1 have not"));
    }
}
