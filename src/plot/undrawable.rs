//! Why a chart cannot be drawn.

/// A chart that cannot be drawn.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Undrawable {
    #[error("a chart of {width} x {height} logical pixels cannot be drawn; use 160 x 120 to 8000 x 8000")]
    Size { width: u32, height: u32 },
    #[error("a picture of {width} x {height} dots cannot be drawn; use at least 36 dpi and at most 120 million dots")]
    Dots { width: u32, height: u32 },
    #[error("the picture could not be written: {0}")]
    Writer(String),
    #[error(
        "no graphics device can draw the picture: {0}; an updated graphics driver may help, or Mesa's software driver"
    )]
    Device(String),
}
