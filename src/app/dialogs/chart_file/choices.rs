//! How charts are written: format, size, ground and resolution, remembered from one export to the next.

use serde::{Deserialize, Serialize};

use crate::plot::{Style, Theme};

/// What a chart can be written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) enum Format {
    #[default]
    Png,
    Svg,
    Pdf,
    Csv,
    Latex,
}

impl Format {
    pub(crate) const ALL: [Self; 5] = [Self::Png, Self::Svg, Self::Pdf, Self::Csv, Self::Latex];

    pub(crate) const fn text(self) -> &'static str {
        match self {
            Self::Png => "PNG image",
            Self::Svg => "SVG drawing",
            Self::Pdf => "PDF",
            Self::Csv => "CSV table",
            Self::Latex => "LaTeX table",
        }
    }

    /// The ending of its files.
    pub(crate) const fn extension(self) -> &'static str {
        match self {
            Self::Png => "png",
            Self::Svg => "svg",
            Self::Pdf => "pdf",
            Self::Csv => "csv",
            Self::Latex => "tex",
        }
    }

    pub(crate) const fn is_picture(self) -> bool {
        matches!(self, Self::Png | Self::Svg | Self::Pdf)
    }
}

/// The size of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) enum Size {
    #[default]
    Usual,
    Slide,
    Column,
    Page,
    /// In logical pixels, 96 to the inch.
    Own {
        width: u32,
        height: u32,
    },
}

impl Size {
    pub(crate) const NAMED: [Self; 4] = [Self::Usual, Self::Slide, Self::Column, Self::Page];

    /// Width and height in logical pixels, 96 to the inch.
    pub(crate) const fn pixels(self) -> [u32; 2] {
        match self {
            Self::Usual => [960, 600],
            // 13.33 x 7.5 inches, as the slides of office programs.
            Self::Slide => [1280, 720],
            // 85 and 170 mm: a column, and both, of a paper.
            Self::Column => [321, 240],
            Self::Page => [643, 400],
            Self::Own { width, height } => [width, height],
        }
    }

    pub(crate) const fn text(self) -> &'static str {
        match self {
            Self::Usual => "Usual",
            Self::Slide => "Slide, 16:9",
            Self::Column => "Column of a paper, 85 mm",
            Self::Page => "Page of a paper, 170 mm",
            Self::Own { .. } => "Own size",
        }
    }
}

/// Choices that are remembered (in `settings.ron`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct ExportChoices {
    pub(crate) format: Format,
    pub(crate) size: Size,
    /// Light or dark ground; as the window's theme until the user chooses.
    pub(crate) dark: Option<bool>,
    /// Dots an inch of a PNG.
    pub(crate) dpi: u32,
}

impl Default for ExportChoices {
    fn default() -> Self {
        Self { format: Format::Png, size: Size::Usual, dark: None, dpi: Style::default().dpi }
    }
}

impl ExportChoices {
    /// How a chart is drawn by these choices in a window that is dark or light.
    pub(crate) fn style(&self, dark_window: bool) -> Style {
        let [width, height] = self.size.pixels();
        let theme = if self.dark.unwrap_or(dark_window) { Theme::Dark } else { Theme::Light };
        Style { theme, width, height, dpi: self.dpi }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slide_is_sixteen_to_nine_and_columns_have_their_millimetres() {
        let [width, height] = Size::Slide.pixels();
        assert_eq!(width * 9, height * 16);
        for (size, millimetres) in [(Size::Column, 85.0), (Size::Page, 170.0)] {
            let width = f64::from(size.pixels()[0]) / 96.0 * 25.4;
            assert!((width - millimetres).abs() < 0.3, "{width}");
        }
    }

    #[test]
    fn the_ground_follows_the_window_until_it_is_chosen() {
        let choices = ExportChoices::default();
        assert_eq!([true, false].map(|dark| choices.style(dark).theme), [Theme::Dark, Theme::Light]);
        assert_eq!(ExportChoices { dark: Some(false), ..choices }.style(true).theme, Theme::Light);
    }
}
