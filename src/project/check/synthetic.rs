//! What options of generated data must fulfil.

use super::values::{Checked, bad, positive, require, share};
use crate::data::SyntheticOptions;
use crate::data::synthetic as generator;

/// Finds the first option of generated data whose value cannot be used.
pub(in crate::project) fn synthetic(options: &SyntheticOptions) -> Checked {
    let field = |name: &str| format!("dataset.{name}");
    for (name, value) in [
        ("users", options.users),
        ("items", options.items),
        ("stages", options.stages),
        ("codes", options.codes),
        ("latent", options.latent),
    ] {
        positive(&field(name), value)?;
    }
    let (first, later) = options.interactions;
    require(
        first.is_finite() && later.is_finite() && first > 0.0 && later > 0.0,
        &field("interactions"),
        "the numbers of interactions must be above 0",
        "for example `(9.0, 5.0)`",
    )?;
    require(
        options.rotation_rank <= options.latent / 2,
        &field("rotation_rank"),
        &format!("{} planes do not fit into {} latent dimensions", options.rotation_rank, options.latent),
        "it must be at most `latent`",
    )?;
    require(options.drift.is_finite(), &field("drift"), "not a number", "an angle in radians")?;
    share(&field("drifting_share"), options.drifting_share)?;
    share(&field("arrivals"), options.arrivals)?;
    // What the generator would refuse is told before anything runs.
    generator::check(options)
        .map_err(|error| bad(&field(error.field), "the generator cannot use this value", &error.problem))
}
