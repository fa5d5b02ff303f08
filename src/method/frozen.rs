//! Frozen: the adapter of stage 1 serves all stages (the paper's "pretrain").

use super::{Method, latest};
use crate::model::Adapter;

pub struct Frozen;

impl Method for Frozen {
    fn trains(&self) -> bool {
        false
    }

    fn start(&self, past: &[Adapter], _fresh: &dyn Fn() -> Adapter) -> Adapter {
        latest(past)
    }
}
