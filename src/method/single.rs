//! Single evolving LoRA: each stage goes on from the last one's adapter, with cross-entropy alone.

use super::{Method, latest};
use crate::model::Adapter;

pub struct Single;

impl Method for Single {
    fn start(&self, past: &[Adapter], _fresh: &dyn Fn() -> Adapter) -> Adapter {
        latest(past)
    }
}
