//! Figures: charts made of runs and data.
//!
//! A figure is a file that makes charts and describes itself in a [`FigureSpec`], and a line of the list below: `peso export`
//! and the window take names, words and charts from there. The other files are what figures share ([`context`], [`curves`],
//! [`adapters`], [`styles`], [`words`], [`measures`]) ; [`space`] makes the scenes of [`directions`].

pub mod adapters;
pub mod board;
pub mod context;
pub mod curves;
pub mod measures;
pub mod options;
pub mod provenance;
pub mod space;
pub mod spec;
pub mod styles;
pub mod words;

pub use self::context::{FigureContext, FigureRun};
pub use self::options::FigureOption;
pub use self::provenance::Provenance;
pub use self::spec::{FigureSpec, Make, NamedChart};
pub use self::styles::Styled;
pub use crate::project::board::FigureOptions;

macro_rules! figures {
    ($($name:ident),* $(,)?) => {
        $(pub mod $name;)*

        /// Every figure, in the order in which help lists them and `peso export --figure all` writes them.
        pub static FIGURES: &[&FigureSpec] = &[$(&$name::SPEC),*];
    };
}

figures! {
    comparison,
    gains,
    decision,
    certificate,
    regimes,
    matrix,
    cost,
    table,
    slices,
    fairness,
    parallel,
    loss,
    penalty,
    pull_ratio,
    churn,
    affected,
    alarm,
    data_drift,
    river,
    drift_map,
    spectra,
    ranks,
    angles,
    distances,
    clients,
    rounds,
    retention,
    conflicts,
    meaning,
    directions,
    weights,
    recommendations,
    history,
    stages,
    semantic_ids,
    modalities,
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_figure_is_found_by_its_names_and_no_two_share_one() {
        let mut names = BTreeSet::from(["all"]);
        for spec in FIGURES {
            for name in [spec.name].iter().chain(spec.aliases) {
                assert!(names.insert(name), "{name} is the name of two figures");
                assert!(find(name).is_some_and(|found| std::ptr::eq(found, *spec)), "{name} finds another figure");
            }
        }
        assert_eq!(find("alluvial").map(|spec| spec.name), Some("river"));
        let curves: Vec<&str> = of_curves().map(|(spec, _)| spec.name).collect();
        assert_eq!(curves, ["loss", "penalty", "pull-ratio"]);
    }
}
