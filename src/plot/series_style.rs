//! How a series looks, the same on screen and in a file: colour, dash and marker together, never colour alone.
//!
//! The colours are those of Okabe and Ito (Color Universal Design, 2008) without the yellow, which is lost on white; on
//! a dark ground blue and black, which are lost there, become lighter.

/// An RGB colour, 8 bits a channel.
pub type Rgb = [u8; 3];

/// The ground a chart is drawn on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Theme {
    #[default]
    Light,
    Dark,
}

/// How a series is drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SeriesStyle {
    pub ink: Ink,
    pub dash: Dash,
    /// A mark on every point; none where points are many.
    pub marker: Option<Marker>,
    /// Line width in logical pixels, at the chart's ordinary size; 0 draws the marks alone.
    pub width: f32,
    /// Whether its marks are hollow: what it is of is not finished.
    pub open: bool,
}

/// A place in the palette; places beyond its end begin anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ink {
    /// One of the seven colours.
    Colour(usize),
    /// One of two greys, for what the methods are held against.
    Grey(usize),
}

/// Rhythm of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dash {
    Solid,
    Long,
    LongShort,
    Short,
    Dotted,
}

/// Mark on a point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Marker {
    Circle,
    Square,
    TriangleUp,
    Diamond,
    TriangleDown,
}

const COLOURS_ON_LIGHT: [Rgb; 7] = [
    [0x00, 0x72, 0xb2],
    [0xd5, 0x5e, 0x00],
    [0x00, 0x9e, 0x73],
    [0xcc, 0x79, 0xa7],
    [0xe6, 0x9f, 0x00],
    [0x56, 0xb4, 0xe9],
    [0x1a, 0x1a, 0x1a],
];
const COLOURS_ON_DARK: [Rgb; 7] = [
    [0x3d, 0x9b, 0xe0],
    [0xf0, 0x7c, 0x2a],
    [0x1c, 0xb8, 0x8a],
    [0xe0, 0x92, 0xbd],
    [0xf2, 0xb8, 0x33],
    [0x8f, 0xd3, 0xff],
    [0xee, 0xee, 0xee],
];
const GREYS_ON_LIGHT: [Rgb; 2] = [[0x70, 0x70, 0x70], [0x96, 0x96, 0x96]];
const GREYS_ON_DARK: [Rgb; 2] = [[0xa8, 0xa8, 0xa8], [0x80, 0x80, 0x80]];
/// Five marks and four rhythms against seven colours: no two of the first 140 series look the same.
const MARKERS: [Marker; 5] =
    [Marker::Circle, Marker::Square, Marker::TriangleUp, Marker::Diamond, Marker::TriangleDown];
const METHOD_DASHES: [Dash; 4] = [Dash::Solid, Dash::Long, Dash::LongShort, Dash::Short];
const BASELINE_DASHES: [Dash; 2] = [Dash::Dotted, Dash::Short];
const DASHES: [Dash; 5] = [Dash::Solid, Dash::Long, Dash::LongShort, Dash::Short, Dash::Dotted];
const DATA_DASHES: [Dash; 3] = [Dash::Dotted, Dash::Short, Dash::LongShort];

impl SeriesStyle {
    /// The style of the method at `slot`, from 0.
    pub fn method(slot: usize) -> Self {
        Self {
            ink: Ink::Colour(slot),
            dash: METHOD_DASHES[slot % METHOD_DASHES.len()],
            marker: Some(MARKERS[slot % MARKERS.len()]),
            width: 2.25,
            open: false,
        }
    }

    /// The style of the non-learned baseline at `slot`, from 0: grey, broken, without marks.
    pub fn baseline(slot: usize) -> Self {
        Self {
            ink: Ink::Grey(slot),
            dash: BASELINE_DASHES[slot % BASELINE_DASHES.len()],
            marker: None,
            width: 1.75,
            open: false,
        }
    }

    /// The style of a measure of the data at `slot`, from 0, beside lines of methods: grey and thin, with a mark of its own.
    pub fn data(slot: usize) -> Self {
        let [ink, dash] = [slot, slot / 2];
        Self {
            ink: Ink::Grey(ink),
            dash: DATA_DASHES[dash % DATA_DASHES.len()],
            marker: Some(MARKERS[slot % MARKERS.len()]),
            width: 1.5,
            open: false,
        }
    }

    /// The style of what is not finished: its marks are hollow.
    pub fn unfinished(self) -> Self {
        Self { marker: self.marker.or(Some(self.ink.lone_mark())), open: true, ..self }
    }

    /// A name as the legend has it: what is not finished says so.
    pub fn legend_name(self, name: &str) -> String {
        if self.open { format!("{name} (unfinished)") } else { name.to_owned() }
    }

    /// The same colour and marker with another dash, for what is beside the first of its kind: `number` from 1.
    pub fn beside(self, number: usize) -> Self {
        let own = DASHES.iter().position(|dash| *dash == self.dash).unwrap_or(0);
        Self { dash: DASHES[(own + number) % DASHES.len()], ..self }
    }

    /// The style of the curve with many points of what has this style as a line; `number` tells several of one colour apart,
    /// from 0.
    pub fn as_curve(self, number: usize) -> Self {
        Self { dash: DASHES[number % DASHES.len()], marker: None, width: 1.75, ..self }
    }

    /// The style of points that no line joins, at `slot`, from 0.
    pub fn points(slot: usize) -> Self {
        Self { width: 0.0, ..Self::method(slot) }
    }

    /// The style of a curve with many points at `slot`, from 0.
    pub fn curve(slot: usize) -> Self {
        Self { ink: Ink::Colour(slot), dash: Dash::Solid, marker: None, width: 1.75, open: false }
    }
}

impl Ink {
    /// The mark of a point that stands alone on a line without marks.
    pub fn lone_mark(self) -> Marker {
        let (Self::Colour(slot) | Self::Grey(slot)) = self;
        MARKERS[slot % MARKERS.len()]
    }

    /// The colour on `theme`.
    pub fn rgb(self, theme: Theme) -> Rgb {
        match (self, theme) {
            (Self::Colour(slot), Theme::Light) => COLOURS_ON_LIGHT[slot % COLOURS_ON_LIGHT.len()],
            (Self::Colour(slot), Theme::Dark) => COLOURS_ON_DARK[slot % COLOURS_ON_DARK.len()],
            (Self::Grey(slot), Theme::Light) => GREYS_ON_LIGHT[slot % GREYS_ON_LIGHT.len()],
            (Self::Grey(slot), Theme::Dark) => GREYS_ON_DARK[slot % GREYS_ON_DARK.len()],
        }
    }
}

impl Dash {
    /// Lengths of dashes and gaps in turn, in line widths; none for a solid line.
    pub fn pattern(self) -> &'static [f32] {
        match self {
            Self::Solid => &[],
            Self::Long => &[5.0, 2.2],
            Self::LongShort => &[6.0, 2.0, 1.5, 2.0],
            Self::Short => &[2.8, 1.8],
            Self::Dotted => &[1.2, 1.8],
        }
    }
}

impl Marker {
    /// Corners of the mark around the origin, y downwards; a circle has none. All marks look equally large at one
    /// `radius`.
    pub fn corners(self, radius: f32) -> Vec<[f32; 2]> {
        let scaled = |corners: &[[f32; 2]]| corners.iter().map(|[x, y]| [x * radius, y * radius]).collect();
        match self {
            Self::Circle => Vec::new(),
            Self::Square => scaled(&[[-0.88, -0.88], [0.88, -0.88], [0.88, 0.88], [-0.88, 0.88]]),
            Self::TriangleUp => scaled(&[[0.0, -1.25], [1.12, 0.75], [-1.12, 0.75]]),
            Self::Diamond => scaled(&[[0.0, -1.3], [1.1, 0.0], [0.0, 1.3], [-1.1, 0.0]]),
            Self::TriangleDown => scaled(&[[0.0, 1.25], [1.12, -0.75], [-1.12, -0.75]]),
        }
    }
}

impl Theme {
    /// What a file's chart stands on.
    pub fn ground(self) -> Rgb {
        match self {
            Self::Light => [0xff, 0xff, 0xff],
            Self::Dark => [0x16, 0x19, 0x1f],
        }
    }

    /// Titles and labels.
    pub fn text(self) -> Rgb {
        match self {
            Self::Light => [0x1a, 0x1a, 0x1a],
            Self::Dark => [0xf0, 0xf0, 0xf0],
        }
    }

    /// Subtitles, captions and tick labels.
    pub fn quiet_text(self) -> Rgb {
        match self {
            Self::Light => [0x55, 0x55, 0x55],
            Self::Dark => [0xb4, 0xb8, 0xbf],
        }
    }

    /// Axis lines.
    pub fn axis(self) -> Rgb {
        match self {
            Self::Light => [0x80, 0x80, 0x80],
            Self::Dark => [0x7a, 0x7f, 0x88],
        }
    }

    /// Grid lines.
    pub fn grid(self) -> Rgb {
        match self {
            Self::Light => [0xe4, 0xe4, 0xe4],
            Self::Dark => [0x2e, 0x33, 0x3b],
        }
    }

    /// Ground of the note beside the title.
    pub fn note(self) -> Rgb {
        match self {
            Self::Light => [0xff, 0xef, 0xc7],
            Self::Dark => [0x4d, 0x3c, 0x10],
        }
    }
}

/// A colour by what it stands for, so that it suits either ground.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Tone {
    /// One of several things without an order: methods.
    Ink(Ink),
    /// A place in an order, from 0 (first) to 1 (last): stages.
    Ordered(f32),
}

impl Tone {
    /// Of the member at `place`, from 0, of `count` in an order.
    pub fn of(index: usize, count: usize) -> Self {
        Self::Ordered(index as f32 / count.saturating_sub(1).max(1) as f32)
    }

    /// The colour on `theme`: for an order a part of viridis that stands out from the ground.
    pub fn rgb(self, theme: Theme) -> Rgb {
        match (self, theme) {
            (Self::Ink(ink), _) => ink.rgb(theme),
            (Self::Ordered(part), Theme::Light) => heat(0.02 + 0.72 * f64::from(part)),
            (Self::Ordered(part), Theme::Dark) => heat(0.28 + 0.72 * f64::from(part)),
        }
    }
}

/// Which colours values are given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColourMap {
    /// From least to greatest: [`heat`].
    Sequential,
    /// From negative to positive, 0 in the middle and almost the ground's colour.
    Diverging,
}

impl ColourMap {
    /// The colour of a value between 0 (least) and 1 (greatest) on `theme`. Values outside are held at the ends.
    pub fn rgb(self, value: f64, theme: Theme) -> Rgb {
        match (self, theme) {
            (Self::Sequential, _) => heat(value),
            (Self::Diverging, Theme::Light) => between_stops(&DIVERGING_ON_LIGHT, value),
            (Self::Diverging, Theme::Dark) => between_stops(&DIVERGING_ON_DARK, value),
        }
    }
}

/// `RdBu` of ColorBrewer (Harrower and Brewer, 2003) from blue to red, which people who confuse red and green tell apart.
const DIVERGING_ON_LIGHT: [Rgb; 11] = [
    [0x05, 0x30, 0x61],
    [0x21, 0x66, 0xac],
    [0x43, 0x93, 0xc3],
    [0x92, 0xc5, 0xde],
    [0xd1, 0xe5, 0xf0],
    [0xf7, 0xf7, 0xf7],
    [0xfd, 0xdb, 0xc7],
    [0xf4, 0xa5, 0x82],
    [0xd6, 0x60, 0x4d],
    [0xb2, 0x18, 0x2b],
    [0x67, 0x00, 0x1f],
];
/// The palette's blue and orange, each brighter the further from 0, so that what is large shines on a dark ground.
const DIVERGING_ON_DARK: [Rgb; 9] = [
    [0xc4, 0xe8, 0xff],
    [0x6d, 0xbd, 0xf7],
    [0x2f, 0x86, 0xc9],
    [0x1b, 0x4c, 0x76],
    [0x1c, 0x20, 0x27],
    [0x70, 0x3c, 0x1b],
    [0xc8, 0x66, 0x22],
    [0xf7, 0xa4, 0x4e],
    [0xff, 0xe2, 0xb0],
];

/// The colour of a value between 0 (least) and 1 (greatest) in a heat map: viridis (van der Walt and Smith, 2015),
/// interpolated between nine of its colours. Values outside are held at the ends.
pub fn heat(value: f64) -> Rgb {
    const STOPS: [Rgb; 9] = [
        [0x44, 0x01, 0x54],
        [0x47, 0x2d, 0x7b],
        [0x3b, 0x52, 0x8b],
        [0x2c, 0x72, 0x8e],
        [0x21, 0x91, 0x8c],
        [0x28, 0xae, 0x80],
        [0x5e, 0xc9, 0x62],
        [0xad, 0xdc, 0x30],
        [0xfd, 0xe7, 0x25],
    ];
    between_stops(&STOPS, value)
}

/// The colour at `value` between 0, the first of `stops`, and 1, the last; what is no number is held at the first.
fn between_stops(stops: &[Rgb], value: f64) -> Rgb {
    let value = if value.is_nan() { 0.0 } else { value.clamp(0.0, 1.0) };
    let position = value * (stops.len() - 1) as f64;
    let below = (position.floor() as usize).min(stops.len() - 2);
    let part = position - below as f64;
    std::array::from_fn(|channel| {
        let [low, high] = [stops[below][channel], stops[below + 1][channel]].map(f64::from);
        (low + part * (high - low)).round() as u8
    })
}

/// Black or white, whichever stands out more from `ground`.
pub fn text_on(ground: Rgb) -> Rgb {
    let [black, white] = [[0x10, 0x10, 0x10], [0xff, 0xff, 0xff]];
    if contrast(black, ground) > contrast(white, ground) { black } else { white }
}

/// Contrast ratio of two colours, from 1 to 21 (WCAG 2).
fn contrast(a: Rgb, b: Rgb) -> f64 {
    let luminance = |colour: Rgb| {
        let [red, green, blue] = colour.map(|channel| {
            let part = f64::from(channel) / 255.0;
            if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        });
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    };
    let [a, b] = [luminance(a), luminance(b)];
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twelve_methods_and_two_baselines_all_look_different() {
        for theme in [Theme::Light, Theme::Dark] {
            let styles: Vec<_> = (0..12)
                .map(SeriesStyle::method)
                .chain((0..2).map(SeriesStyle::baseline))
                .map(|style| (style.ink.rgb(theme), style.dash, style.marker))
                .collect();
            for (index, style) in styles.iter().enumerate() {
                assert!(!styles[..index].contains(style), "{style:?} at {index} was there before");
            }
        }
    }

    #[test]
    fn every_colour_stands_out_from_its_ground() {
        for theme in [Theme::Light, Theme::Dark] {
            for ink in (0..7).map(Ink::Colour).chain((0..2).map(Ink::Grey)) {
                let contrast = contrast(ink.rgb(theme), theme.ground());
                assert!(contrast >= 2.0, "{ink:?} on {theme:?} has a contrast of {contrast:.2}");
            }
            for text in [theme.text(), theme.quiet_text()] {
                assert!(contrast(text, theme.ground()) >= 4.5);
            }
        }
    }

    #[test]
    fn a_cells_text_can_be_read_on_every_heat() {
        for step in 0..=100 {
            let ground = heat(f64::from(step) / 100.0);
            let contrast = contrast(ground, text_on(ground));
            assert!(contrast >= 4.3, "{contrast:.2} at {step}");
        }
    }

    #[test]
    fn diverging_colours_part_from_the_middle_to_both_ends() {
        for theme in [Theme::Light, Theme::Dark] {
            let colour = |value: f64| ColourMap::Diverging.rgb(value, theme);
            let middle = colour(0.5);
            assert!(contrast(middle, theme.ground()) < 1.15, "0 is almost the ground: {middle:?}");
            let away: Vec<f64> = (0..=10).map(|step| contrast(colour(0.5 + 0.05 * f64::from(step)), middle)).collect();
            assert!(away.windows(2).all(|pair| pair[0] < pair[1]), "{theme:?}: {away:?}");
            let away: Vec<f64> = (0..=10).map(|step| contrast(colour(0.5 - 0.05 * f64::from(step)), middle)).collect();
            assert!(away.windows(2).all(|pair| pair[0] < pair[1]), "{theme:?}: {away:?}");
            // Below 0 there is more blue than red, above more red than blue, at every step.
            for step in 1..=10 {
                let [red, _, blue] = colour(0.5 - 0.05 * f64::from(step));
                assert!(blue > red, "{theme:?} {step}");
                let [red, _, blue] = colour(0.5 + 0.05 * f64::from(step));
                assert!(red > blue, "{theme:?} {step}");
            }
            assert_eq!(colour(-1.0), colour(0.0));
            assert_eq!(colour(2.0), colour(1.0));
        }
    }

    #[test]
    fn colours_of_an_order_stand_out_and_differ() {
        for theme in [Theme::Light, Theme::Dark] {
            let colours: Vec<Rgb> = (0..5).map(|index| Tone::of(index, 5).rgb(theme)).collect();
            for pair in colours.windows(2) {
                let apart: i32 = pair[0].iter().zip(pair[1]).map(|(a, b)| (i32::from(*a) - i32::from(b)).abs()).sum();
                assert!(apart > 50, "{pair:?}");
            }
            assert!(colours.iter().all(|colour| contrast(*colour, theme.ground()) >= 2.0), "{theme:?} {colours:?}");
        }
        assert_eq!(Tone::of(0, 1).rgb(Theme::Light), Tone::Ordered(0.0).rgb(Theme::Light));
    }

    #[test]
    fn heat_is_held_at_its_ends() {
        assert_eq!(heat(-1.0), heat(0.0));
        assert_eq!(heat(2.0), [0xfd, 0xe7, 0x25]);
        assert_eq!(heat(f64::NAN), heat(0.0));
    }
}
