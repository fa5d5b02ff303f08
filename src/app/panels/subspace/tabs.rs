//! The views of what moved: what each is called and what it says.

use crate::app::watch::RunView;
use crate::figures::{self, FigureSpec};
use crate::model::RankSearch;

/// What is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Tab {
    Space,
    #[default]
    River,
    Map,
    Weights,
    Spectra,
    Angles,
    Distances,
    Clients,
    Rounds,
    Retention,
    Conflicts,
    Meaning,
    Ranks,
    Steer,
}

impl Tab {
    pub(super) const ALL: [Self; 14] = [
        Self::Space,
        Self::River,
        Self::Map,
        Self::Weights,
        Self::Spectra,
        Self::Angles,
        Self::Distances,
        Self::Clients,
        Self::Rounds,
        Self::Retention,
        Self::Conflicts,
        Self::Meaning,
        Self::Ranks,
        Self::Steer,
    ];

    /// Whether a run has anything that it shows.
    pub(super) fn is_of(self, run: &RunView) -> bool {
        let method = &run.config.method;
        match self {
            Self::Conflicts => method.has_surgery(),
            Self::Clients | Self::Rounds => method.has_clients(),
            Self::Ranks => run.config.project.training.lora.search != RankSearch::Off,
            _ => true,
        }
    }

    /// The figure that it shows, of those that `peso export` writes too; none where it is no picture.
    pub(super) const fn figure(self) -> Option<&'static FigureSpec> {
        Some(match self {
            Self::River => &figures::river::SPEC,
            Self::Map => &figures::drift_map::SPEC,
            Self::Spectra => &figures::spectra::SPEC,
            Self::Angles => &figures::angles::SPEC,
            Self::Distances => &figures::distances::SPEC,
            Self::Clients => &figures::clients::SPEC,
            Self::Rounds => &figures::rounds::SPEC,
            Self::Retention => &figures::retention::SPEC,
            Self::Conflicts => &figures::conflicts::SPEC,
            Self::Space => &figures::directions::SPEC,
            Self::Weights => &figures::weights::SPEC,
            Self::Meaning => &figures::meaning::SPEC,
            Self::Ranks => &figures::ranks::SPEC,
            Self::Steer => return None,
        })
    }

    pub(super) fn text(self) -> &'static str {
        self.figure().map_or("Steer", |figure| figure.label)
    }

    pub(super) fn tooltip(self) -> &'static str {
        self.figure().map_or("Take a stage's step in part, and see at once what it does", |figure| figure.tooltip)
    }

    /// For those who decide and do not compute.
    pub(super) const fn explanation(self) -> &'static str {
        match self {
            Self::Space => {
                "Every arrow is one direction of the update in one stage, as long as it is strong, from early stages to late ones in the order of the colours; trails join what goes on. Arrows that stay together are kept knowledge, arrows that swing away are new."
            }
            Self::Weights => {
                "Warm colours are weights that the adapter raised, blue ones those it lowered, cells like the ground those it left alone. Stripes across the picture are inputs or outputs that matter as a whole; beside another stage, the picture is what changed between both."
            }
            Self::Retention => {
                "Each mark is a direction of the model: to the right theory says that the past is kept there, further up it really was. Marks on the dotted line are predicted exactly; the correlation says how well the theory holds on this run."
            }
            Self::Conflicts => {
                "Bright cells are matrices that the new stage would first pull back to where they were before the last one; surgery takes that part out of the first step. A dark map means that the new data ask for nothing that undoes the old."
            }
            Self::Meaning => {
                "A direction of the update makes some items likelier and others less likely, or answers to some and not to others; both ends are listed with their titles. The users below are those whose histories run along it most, so that one can see whom it serves."
            }
            Self::Steer => {
                "Each slider takes more or less of what the stage changed; on the right stands what one user is then shown, and how often a sample of test users is shown what they went for. A stage that is better at less than its whole step went too far."
            }
            Self::River => {
                "Every bar is one thing the adapter has learned to do, as high as it is strong; ribbons show how much of it is still there a stage later. Wide unbroken ribbons are knowledge that was kept, fading ends are knowledge that was replaced."
            }
            Self::Map => {
                "Bright cells are the parts of the model that the stage changed most, dark ones those that it left alone. A method that protects what it knew leaves more of the map dark, or moves it within what was there."
            }
            Self::Spectra => {
                "A line that drops at once means that the update does one thing; one that stays up means that it does many things at a time. Lines that rise from stage to stage are an adapter that goes on learning."
            }
            Self::Ranks => {
                "Each mark is an adapter that gives some modules more ranks than others: the further left the smaller it is, the lower the better it predicts. The map says which modules were given an adapter in the end, and how large a one."
            }
            Self::Angles => {
                "At 0° the adapter still uses the same direction as before, at 90° it uses one that it did not have. The fewer large angles, the more of the earlier stages is still in place."
            }
            Self::Clients => {
                "Bright cells of the first row are clients that go the server's way, bright cells elsewhere clients that go each other's. Where users differ from client to client, so do their directions, and the mean is none of them."
            }
            Self::Rounds => {
                "Every point is a round: what the server's adapter predicts after it, what one client's share in all rounds so far could tell of it, and how much was sent for it."
            }
            Self::Distances => {
                "Each line says how far a method's adapter turned in a stage, over the whole model. A line near zero hardly changed what it attends to; a high one started over."
            }
        }
    }

    pub(super) const fn of_a_module(self) -> bool {
        matches!(self, Self::Space | Self::River | Self::Weights | Self::Spectra | Self::Angles | Self::Meaning)
    }

    pub(super) const fn of_a_side(self) -> bool {
        matches!(self, Self::Space | Self::River | Self::Angles | Self::Distances | Self::Clients)
    }
}
