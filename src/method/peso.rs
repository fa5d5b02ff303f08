//! PESO: one evolving adapter, pulled toward its state before the stage by a proximal term.
//!
//! `L_t = CE(D_t) + lambda Σ_g KL(softmax(v_t^g) || softmax(v_{t-1}^g))`, arXiv 2510.25093.

use super::{Method, Peso, Proximal, latest};
use crate::model::Adapter;

pub struct PesoMethod {
    options: Peso,
}

impl PesoMethod {
    pub fn new(options: Peso) -> Self {
        Self { options }
    }
}

impl Method for PesoMethod {
    fn start(&self, past: &[Adapter], _fresh: &dyn Fn() -> Adapter) -> Adapter {
        latest(past)
    }

    fn proximal(&self) -> Option<Proximal> {
        let Peso { lambda, distance, aggregation } = self.options;
        Some(Proximal { lambda, distance, aggregation })
    }
}
