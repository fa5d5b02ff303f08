//! The function on the gate of the feed-forward part.

use serde::{Deserialize, Serialize};

/// What is applied to the gate before it is multiplied with the other half.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    /// `x sigmoid(x)`: SwiGLU.
    #[default]
    Silu,
    /// `x Φ(x)`.
    Gelu,
    /// GELU by a hyperbolic tangent.
    GeluTanh,
    /// `x sigmoid(1.702 x)`.
    QuickGelu,
    Relu,
    /// The square of ReLU.
    SquaredRelu,
}

impl Activation {
    const ALL: [Self; 6] = [Self::Silu, Self::Gelu, Self::GeluTanh, Self::QuickGelu, Self::Relu, Self::SquaredRelu];

    /// Transformers' names, the one that is written first.
    fn names(self) -> &'static [&'static str] {
        match self {
            Self::Silu => &["silu", "swish"],
            Self::Gelu => &["gelu", "gelu_python"],
            Self::GeluTanh => &["gelu_pytorch_tanh", "gelu_new", "gelu_python_tanh", "gelu_fast", "gelu_accurate"],
            Self::QuickGelu => &["quick_gelu"],
            Self::Relu => &["relu"],
            Self::SquaredRelu => &["relu2"],
        }
    }

    /// The activation that Transformers calls so.
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|activation| activation.names().contains(&name))
    }

    /// Transformers' name of it.
    pub fn key(self) -> &'static str {
        self.names()[0]
    }

    /// What a feed-forward part with it is called.
    pub fn gated(self) -> &'static str {
        match self {
            Self::Silu => "SwiGLU",
            Self::Gelu => "gated GELU",
            Self::GeluTanh => "gated GELU (tanh)",
            Self::QuickGelu => "gated quick GELU",
            Self::Relu => "gated ReLU",
            Self::SquaredRelu => "gated squared ReLU",
        }
    }

    /// Whether it is the usual one, which is left out where settings are written down.
    pub(super) fn is_usual(&self) -> bool {
        *self == Self::default()
    }

    /// All names, for a message.
    pub(super) fn known() -> String {
        Self::ALL.map(Self::key).join(", ")
    }
}
