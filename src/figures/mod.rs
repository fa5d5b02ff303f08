//! Figures: charts made of runs and data.
//!
//! A figure is a file that makes charts and describes itself in a [`FigureSpec`], and a line of the list below: `peso export`
//! and the window take names, words and charts from there. The other files are what figures share ([`context`], [`curves`],
//! [`adapters`], [`styles`], [`words`]) and charts that the window alone draws ([`data_drift`], [`semantic_ids`], [`slices`],
//! [`stages`], [`space`], [`weights`]).

pub mod adapters;
pub mod context;
pub mod curves;
pub mod data_drift;
pub mod provenance;
pub mod semantic_ids;
pub mod slices;
pub mod space;
pub mod spec;
pub mod stages;
pub mod styles;
pub mod weights;
pub mod words;

pub use self::context::{FigureContext, FigureRun};
pub use self::provenance::Provenance;
pub use self::spec::{FigureOption, FigureOptions, FigureSpec, Make, NamedChart};
pub use self::styles::Styled;

macro_rules! figures {
    ($($name:ident),* $(,)?) => {
        $(pub mod $name;)*

        /// Every figure, in the order in which help lists them and `peso export --figure all` writes them.
        pub static FIGURES: &[&FigureSpec] = &[$(&$name::SPEC),*];
    };
}

figures! {
    comparison,
    matrix,
    cost,
    parallel,
    loss,
    penalty,
    pull_ratio,
    churn,
    affected,
    river,
    drift_map,
    spectra,
    angles,
    distances,
    retention,
}

/// The figure of this name or alias.
pub fn find(name: &str) -> Option<&'static FigureSpec> {
    FIGURES.iter().copied().find(|spec| spec.name == name || spec.aliases.contains(&name))
}

/// The figures of training curves, which the window draws while runs train, each with its way to draw them.
pub fn of_curves() -> impl Iterator<Item = (&'static FigureSpec, fn(&[curves::RunCurves]) -> crate::plot::Chart)> {
    FIGURES.iter().filter_map(|&spec| match spec.make {
        Make::Curves(draw) => Some((spec, draw)),
        _ => None,
    })
}
