//! Federated: another method, whose stages are trained by simulated clients that keep their users' interactions to themselves.
//!
//! In a round the server sends its state to some clients; each trains it for a few steps on its own users and sends back what
//! changed, clipped if wanted; the server adds the mean of the changes, with noise if wanted (FedAvg, McMahan et al. 2017; with
//! clipping and noise McMahan et al. 2018). A and B are averaged apart from each other. Which term the clients' loss has is the
//! other method's; PESO's can pull toward the server's state at the round's beginning, which makes it FedProx (Li et al. 2020)
//! with PESO's distance.

use serde::{Deserialize, Serialize};

use super::{
    AdapterMethod, Card, Data, Ended, Family, Lambda, Matrices, Method, MethodOptions, Origin, Peso, Plan, Rows,
    Single, Stage, StatisticsRequest,
};
use crate::measure::privacy::SampledGaussian;
use crate::model::Adapter;
use crate::schema::{Choice, Field, FieldError, Kind};

pub const CARD: Card = Card {
    key: "federated",
    name: "Federated",
    sentence: "Another method, trained by simulated clients that keep their users' interactions and send adapters alone",
    formula: "next v = v + Σ w(k)·clip(v(k) − v) + noise,  v(k) from a few steps of client k on its own users",
    source: "FedAvg, arXiv 1602.05629; with clipping and noise arXiv 1710.06963; FedProx arXiv 1812.06127",
    family: Family::OneAdapter,
    fields: &[
        Field {
            path: "clients",
            label: "Clients",
            help: "How many clients the users are split over; a split by a column has a client a value instead",
            kind: Kind::Whole { min: 1, max: 100_000 },
        },
        Field {
            path: "split",
            label: "Split",
            help: "Which users a client has; a user has the same client in all stages",
            kind: Kind::Choice(&[
                Choice::plain("Random", "At random", "Every user has each client with the same chance"),
                Choice {
                    key: "Taste",
                    label: "By taste",
                    help: "Users who mostly chose items of one first code go to clients in shares drawn from a Dirichlet distribution",
                    defaults: "{\"alpha\": 0.3}",
                },
                Choice {
                    key: "Column",
                    label: "By a column",
                    help: "A client for each value of a column of a table of users; users without a value share one more",
                    defaults: "{\"users\": \"users.csv:client\"}",
                },
            ]),
        },
        Field {
            path: "split.alpha",
            label: "Alpha",
            help: "Concentration of the Dirichlet distribution: a large one splits every taste evenly, a small one gives it to few clients",
            kind: Kind::Number { min: 0.001, max: 1e6 },
        },
        Field {
            path: "split.users",
            label: "Table and column",
            help: "A table within the project's folder that has a row a user, and the column that names the client",
            kind: Kind::Column,
        },
        Field {
            path: "participation",
            label: "Participation",
            help: "Chance of each client to take part in a round",
            kind: Kind::Number { min: 0.0001, max: 1.0 },
        },
        Field {
            path: "rounds",
            label: "Rounds",
            help: "Rounds of a stage",
            kind: Kind::Whole { min: 1, max: 100_000 },
        },
        Field {
            path: "local_steps",
            label: "Local steps",
            help: "Optimiser steps of a client in a round",
            kind: Kind::Whole { min: 1, max: 1_000_000 },
        },
        Field {
            path: "clip",
            label: "Clip",
            help: "Largest norm of what a client sends, over all trained parameters; 0 clips nothing",
            kind: Kind::Number { min: 0.0, max: 1e6 },
        },
        Field {
            path: "noise",
            label: "Noise",
            help: "Standard deviation of the noise on every number of the clients' sum, as a multiple of the clip; 0 adds none",
            kind: Kind::Number { min: 0.0, max: 1000.0 },
        },
        Field {
            path: "delta",
            label: "Delta",
            help: "The δ for which the privacy loss ε is stated; below one over the number of clients",
            kind: Kind::Number { min: 1e-15, max: 0.5 },
        },
        Field {
            path: "anchor",
            label: "Clients' anchor",
            help: "What the proximal term of a client pulls toward",
            kind: Kind::Choice(&[
                Choice::plain("Method", "As the method", "What the method inside anchors it to: past stages"),
                Choice::plain("Server", "Server", "The server's state at the round's beginning, as in FedProx"),
            ]),
        },
        Field {
            path: "share",
            label: "Shared",
            help: "What of its change a client sends",
            kind: Kind::Choice(&[
                Choice::plain("Whole", "Direction and length", "The change as it is"),
                Choice {
                    key: "Directions",
                    label: "Directions",
                    help: "Every module's A and B, and every table of rows, changed by one length: the clients' own lengths are not shared",
                    defaults: "{\"length\": 0.005}",
                },
            ]),
        },
        Field {
            path: "share.length",
            label: "Length",
            help: "Root mean square of the change of a number that a direction is scaled to",
            kind: Kind::Number { min: 0.0, max: 1000.0 },
        },
    ],
};

/// Another method, trained by clients.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Federated {
    /// The method that the clients train with.
    pub method: Box<MethodOptions>,
    /// Number of clients, unless a column says it.
    pub clients: usize,
    pub split: Split,
    /// Chance of each client to take part in a round: Poisson sampling.
    pub participation: f64,
    /// Rounds of a stage.
    pub rounds: usize,
    /// Optimiser steps of a client in a round.
    pub local_steps: usize,
    /// Largest norm of what a client sends; 0 turns it off.
    pub clip: f64,
    /// Noise multiplier `z`; 0 turns it off.
    pub noise: f64,
    /// The δ of the stated (ε, δ).
    pub delta: f64,
    pub anchor: ClientAnchor,
    pub share: Share,
}

/// Which users a client has.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Split {
    /// Every user has each client with the same chance.
    Random,
    /// Users of one taste, the first code that most of their items have, go to clients in shares drawn from a symmetric Dirichlet
    /// distribution of this concentration (Hsu et al. 2019, arXiv 1909.06335, with tastes for classes).
    Taste { alpha: f64 },
    /// A client a value of a column of a table of users: `users.csv:region`.
    Column { users: String },
}

/// What the proximal term of a client pulls toward.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ClientAnchor {
    /// What the method says.
    Method,
    /// The server's state at the round's beginning.
    Server,
}

/// What of its change a client sends.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Share {
    /// The change as it is.
    Whole,
    /// Each group of parameters (a module's A or B, a table of rows) scaled to a root mean square of `length`: the idea of
    /// FeDecider (arXiv 2602.16034), that clients' lengths are noise of their scale, in a reading for one server.
    Directions { length: f64 },
}

impl Default for Federated {
    fn default() -> Self {
        Self {
            method: Box::new(MethodOptions::Peso(Peso::default())),
            clients: 10,
            split: Split::Random,
            participation: 1.0,
            rounds: 10,
            local_steps: 5,
            clip: 0.0,
            noise: 0.0,
            delta: 1e-5,
            anchor: ClientAnchor::Method,
            share: Share::Whole,
        }
    }
}

impl Federated {
    /// The method inside; a project file with one that adapts no language model is refused.
    fn adapted(&self) -> &dyn AdapterMethod {
        self.method.adapter_method().unwrap_or(&Single)
    }

    /// Whether the rounds are differentially private.
    pub fn is_private(&self) -> bool {
        self.clip > 0.0 && self.noise > 0.0
    }

    /// The ε that so many rounds cost each client, at the stated δ; none without clipping and noise.
    pub fn epsilon(&self, rounds: usize) -> Option<f64> {
        let mechanism = SampledGaussian { sampling: self.participation, noise: self.noise };
        self.is_private().then(|| mechanism.epsilon(rounds as u64, self.delta))
    }

    /// Refuses a method inside whose stages clients cannot train.
    fn check_inner(&self) -> Result<(), FieldError> {
        let advice = "choose a method that trains one adapter on the stage's own examples: PESO, Single, LwF, O-LoRA, SumLoRA or SD-LoRA";
        let refused = |problem: String| Err(FieldError::new("method", problem, advice));
        let name = self.method.card().name;
        let Some(method) = self.method.adapter_method() else {
            return refused(format!("{name} adapts no language model"));
        };
        if !method.trains() {
            return refused(format!("{name} trains nothing after stage 1"));
        }
        if method.statistics_before().is_some() || method.statistics_after().is_some() {
            return refused(format!("{name} looks at all users' examples, which no server has"));
        }
        // What is trained, and on what, does not depend on what came before.
        let (past, none) = ([Adapter::default()], Matrices::new());
        let fresh = |_: &str| Adapter::default();
        let stage = Stage { number: 2, past: &past, rows: &[], memories: &[], statistics: &none, fresh: &fresh };
        let Plan { main, beside } = method.plan(&stage);
        if beside.is_some() {
            return refused(format!("{name} trains two adapters in a stage"));
        }
        if main.data != Data::Stage || main.origin == Origin::Base {
            return refused(format!("{name} trains on more than the stage's own examples"));
        }
        if main.ahead.is_some() {
            return refused(format!("{name} measures its start on all users' examples, which no server has"));
        }
        if main.federation.is_some() {
            return refused(format!("{name} is itself trained by clients"));
        }
        match main.lambda {
            Lambda::Fixed(_) => Ok(()),
            _ => Err(FieldError::new(
                "method.lambda",
                "a rule that finds lambda looks at all users' examples, which no server has",
                "choose a number",
            )),
        }
    }
}

impl Method for Federated {
    fn card(&self) -> &'static Card {
        &CARD
    }

    fn adapter_method(&self) -> Option<&dyn AdapterMethod> {
        Some(self)
    }

    fn inner(&self) -> Option<&MethodOptions> {
        Some(&self.method)
    }

    fn with_inner(&self, inner: MethodOptions) -> Option<MethodOptions> {
        Some(MethodOptions::Federated(Self { method: Box::new(inner), ..self.clone() }))
    }

    fn federated(&self) -> Option<&Self> {
        Some(self)
    }

    fn check_options(&self) -> Result<(), FieldError> {
        self.check_inner()?;
        self.method.method().check_options().map_err(|error| error.within("method"))?;
        if self.noise > 0.0 && self.clip <= 0.0 {
            let problem = "noise is a multiple of the clip, and nothing is clipped";
            return Err(FieldError::new("noise", problem, "set a clip, or no noise"));
        }
        Ok(())
    }
}

impl AdapterMethod for Federated {
    fn trains(&self) -> bool {
        self.adapted().trains()
    }

    fn statistics_before(&self) -> Option<StatisticsRequest> {
        self.adapted().statistics_before()
    }

    fn statistics_after(&self) -> Option<StatisticsRequest> {
        self.adapted().statistics_after()
    }

    fn remember(&self, ended: Ended<'_>) -> Matrices {
        self.adapted().remember(ended)
    }

    fn rows(&self) -> Rows {
        self.adapted().rows()
    }

    fn plan(&self, stage: &Stage<'_>) -> Plan {
        let mut plan = self.adapted().plan(stage);
        plan.main.federation = Some(self.clone());
        plan
    }

    fn trainable(&self, adapter: [u64; 2], rows: u64) -> u64 {
        self.adapted().trainable(adapter, rows)
    }
}

#[cfg(test)]
mod tests {
    use super::super::plan::tests::{adapter, stage};
    use super::super::{Lsat, Replay};
    use super::*;

    fn of(method: MethodOptions) -> Federated {
        Federated { method: Box::new(method), ..Federated::default() }
    }

    #[test]
    fn the_plan_is_the_inner_methods_carried_out_by_clients() {
        let past = [adapter([1.0, 2.0], [3.0, 4.0])];
        let federated = Federated { rounds: 3, ..Federated::default() };
        let (outer, inner) = (federated.plan(&stage(&past)).main, Peso::default().plan(&stage(&past)).main);
        assert_eq!((&outer.start, &outer.terms), (&inner.start, &inner.terms));
        assert_eq!((outer.federation.as_ref(), inner.federation), (Some(&federated), None));
    }

    #[test]
    fn methods_that_need_all_users_in_one_place_are_refused() {
        let refused: Vec<&str> = MethodOptions::all()
            .iter()
            .filter(|method| of((*method).clone()).check_options().is_err())
            .map(|method| method.card().key)
            .collect();
        assert_eq!(
            refused,
            [
                "frozen",
                "retrain",
                "inf_lora",
                "ewc",
                "replay",
                "lsat",
                "gradient_surgery",
                "federated",
                "sasrec",
                "two_tower",
                "hybrid",
                "steered"
            ]
        );
        let problem = |method| of(method).check_options().unwrap_err().problem;
        assert!(problem(MethodOptions::Lsat(Lsat::default())).contains("two adapters"));
        assert!(problem(MethodOptions::Replay(Replay::default())).contains("more than"));
        let ruled = MethodOptions::Peso(Peso { lambda: Lambda::PullRatio(0.3), ..Peso::default() });
        assert_eq!(of(ruled).check_options().unwrap_err().field, "method.lambda");
        let unclipped = Federated { noise: 1.0, ..Federated::default() };
        assert_eq!(unclipped.check_options().unwrap_err().field, "noise");
    }

    #[test]
    fn a_privacy_loss_is_stated_where_there_is_clipping_and_noise() {
        let private = Federated { participation: 0.1, clip: 1.0, noise: 0.8, ..Federated::default() };
        assert!(private.epsilon(40).is_some_and(|epsilon| (epsilon - 8.604_033).abs() < 1e-6));
        assert_eq!(Federated { noise: 0.0, ..private }.epsilon(40), None);
    }
}
